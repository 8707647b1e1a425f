/** An open regular file: positions over the inode's pages (read(2), write(2), lseek(2)). */
import { EFBIG, EINVAL, ENOTTY, ENXIO } from "../../abi/linux/errno.ts";
import { O_APPEND, O_DSYNC, O_NOATIME, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../../abi/linux/fcntl.ts";
import { FIGETBSZ, FIONREAD } from "../../abi/linux/ioctl.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { FsContext } from "../context.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import { WOULD_BLOCK } from "../wait.ts";
import type { Caller } from "./credentials.ts";
import { type FilePages, HOLE, pagesFor } from "./file-pages.ts";
import type { Inode } from "./inode.ts";
import type { Location } from "./location.ts";
import { type IoctlArgument, OpenFile } from "./open-file.ts";
import { MAX_FILE_SIZE, readPages, writePages } from "./page-io.ts";

export class RegularFile extends OpenFile {
  private readonly context: FsContext;
  private readonly pages: FilePages;

  constructor(context: FsContext, inode: Inode, pages: FilePages, location: Location, flags: number) {
    super(inode, location, flags);
    this.context = context;
    this.pages = pages;
  }

  override get seekable(): boolean {
    return true;
  }

  protected override readStream(sink: ByteSink): number {
    const before = sink.transferred;
    const result = this.transferOut(sink, this.offset);
    this.offset += sink.transferred - before;
    return finished(result, sink.transferred);
  }

  protected override readFrom(sink: ByteSink, offset: number): number {
    return finished(this.transferOut(sink, offset + sink.transferred), sink.transferred);
  }

  protected override writeStream(source: ByteSource): number {
    if ((this.flags & O_APPEND) !== 0) this.offset = this.pages.size;
    const before = source.transferred;
    const result = this.transferIn(source, this.offset);
    this.offset += source.transferred - before;
    return finished(result, source.transferred);
  }

  protected override writeTo(source: ByteSource, offset: number): number {
    const position = (this.flags & O_APPEND) !== 0 ? this.pages.size : offset + source.transferred;
    return finished(this.transferIn(source, position), source.transferred);
  }

  override seek(offset: number, whence: number): number {
    const refreshed = whence === SEEK_SET || whence === SEEK_CUR ? 0 : this.inode.refresh();
    if (refreshed < 0) return refreshed;
    const target = this.seekTarget(offset, whence);
    if (target < 0) return target;
    if (target > MAX_FILE_SIZE) return -EINVAL;
    this.offset = target;
    return target;
  }

  override ioctl(request: number, argument: IoctlArgument, _caller: Caller): number {
    if (request !== FIONREAD && request !== FIGETBSZ) return -ENOTTY;
    const bytes = new Uint8Array(4);
    const value = request === FIONREAD ? this.pages.size - this.offset : PAGE_SIZE;
    new DataView(bytes.buffer).setInt32(0, value | 0, true);
    return argument.copyOut(bytes);
  }

  override truncate(size: number): number {
    if (!this.writable || size < 0) return -EINVAL;
    if (size > MAX_FILE_SIZE) return -EFBIG;
    return this.inode.truncate(size);
  }

  override fallocate(mode: number, offset: number, length: number): number {
    if (offset + length > MAX_FILE_SIZE) return -EFBIG;
    return this.inode.fallocate(mode, offset, length);
  }

  override sync(): number {
    return this.inode.sync();
  }

  override mapPages(): FilePages {
    return this.pages;
  }

  private transferOut(sink: ByteSink, position: number): number {
    if (sink.remaining === 0) return 0;
    if ((this.flags & O_NOATIME) === 0) this.inode.stampRead(this.context.clock);
    return readPages(this.context, this.pages, sink, position);
  }

  private transferIn(source: ByteSource, position: number): number {
    if (source.remaining === 0) return 0;
    const ready = this.inode.prepareWrite();
    if (ready < 0) return ready;
    const before = source.transferred;
    const result = writePages(this.context, this.pages, source, position);
    if (source.transferred > before) {
      this.inode.stampModified(this.context.clock);
      const passedOn = this.inode.written();
      if (passedOn < 0 && result >= 0) return passedOn;
    }
    if (result < 0 || (this.flags & O_DSYNC) === 0) return result;
    return this.inode.sync();
  }

  /** lseek(2), with holes found by page as tmpfs finds them. */
  private seekTarget(offset: number, whence: number): number {
    const size = this.pages.size;
    switch (whence) {
      case SEEK_SET:
        return offset < 0 ? -EINVAL : offset;
      case SEEK_CUR:
        return this.offset + offset < 0 ? -EINVAL : this.offset + offset;
      case SEEK_END:
        return size + offset < 0 ? -EINVAL : size + offset;
      case SEEK_DATA:
      case SEEK_HOLE: {
        if (offset < 0 || offset >= size) return -ENXIO;
        const end = pagesFor(size);
        for (let page = Math.floor(offset / PAGE_SIZE); page < end; page++) {
          const frame = this.pages.peek(page);
          if (frame < 0) return frame;
          if ((frame === HOLE) === (whence === SEEK_HOLE)) return Math.max(offset, page * PAGE_SIZE);
        }
        return whence === SEEK_HOLE ? size : -ENXIO;
      }
      default:
        return -EINVAL;
    }
  }
}

/** The result of a transfer that ended with `result` after `transferred` bytes in all. */
export function finished(result: number, transferred: number): number {
  if (result === WOULD_BLOCK) return WOULD_BLOCK;
  return result < 0 && transferred === 0 ? result : transferred;
}
