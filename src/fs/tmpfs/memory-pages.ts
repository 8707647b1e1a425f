/** The bytes of a file that lives in guest memory only: tmpfs, memfd. Sparse; a hole has no frame until it is written or mapped. */
import { ENOMEM, ENOSPC } from "../../abi/linux/errno.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { FsContext } from "../context.ts";
import { FilePages, HOLE, pagesFor } from "../vfs/file-pages.ts";
import { allocZeroFrame, clearFrame } from "../vfs/frames.ts";
import type { Inode } from "../vfs/inode.ts";
import { WaitQueue } from "../wait.ts";

export class MemoryPages extends FilePages {
  readonly arrivals = new WaitQueue();
  private readonly context: FsContext;
  private readonly owner: Inode;
  private readonly frames = new Map<number, number>();
  private bytes = 0;

  constructor(context: FsContext, owner: Inode) {
    super();
    this.context = context;
    this.owner = owner;
  }

  get device(): number {
    return this.owner.filesystem.device;
  }
  get inode(): number {
    return this.owner.ino;
  }
  get size(): number {
    return this.bytes;
  }
  get blocks(): number {
    return this.frames.size * 8;
  }

  peek(index: number): number {
    return this.frames.get(index) ?? HOLE;
  }
  peekForWrite(index: number): number {
    return this.frames.get(index) ?? this.fillHole(index);
  }
  resident(index: number): boolean {
    return this.frames.has(index);
  }

  grow(size: number): void {
    if (size > this.bytes) this.bytes = size;
  }

  resize(size: number): number {
    const old = this.bytes;
    this.bytes = size;
    if (size >= old) return 0;
    // A write that stopped at a fault may have left a page beyond the old size, too.
    this.dropPages(pagesFor(size), Number.POSITIVE_INFINITY, pagesFor(old));
    this.clearTail(size);
    return 0;
  }

  punch(offset: number, length: number): number {
    const end = offset + length;
    const first = Math.ceil(offset / PAGE_SIZE);
    const last = Math.floor(end / PAGE_SIZE);
    if (first > last) {
      this.clearWithin(offset, length);
      return 0;
    }
    this.clearWithin(offset, first * PAGE_SIZE - offset);
    this.clearWithin(last * PAGE_SIZE, end - last * PAGE_SIZE);
    this.dropPages(first, last, last);
    return 0;
  }

  /** Gives every page of [offset, offset+length) a frame: 0, or -ENOSPC with nothing kept that was not there (fallocate(2)). */
  allocate(offset: number, length: number): number {
    const added: number[] = [];
    for (let page = Math.floor(offset / PAGE_SIZE); page < pagesFor(offset + length); page++) {
      if (this.frames.has(page)) continue;
      const frame = this.fillHole(page);
      if (frame < 0) {
        for (const back of added) this.dropPages(back, back + 1, back + 1);
        return frame;
      }
      added.push(page);
    }
    return 0;
  }

  wrote(frame: number, offset: number, length: number): void {
    this.context.bytesWritten(frame, offset, length);
  }

  /** Releases everything; the file is gone. */
  free(): void {
    const pages = pagesFor(this.bytes);
    this.bytes = 0;
    this.dropPages(0, Number.POSITIVE_INFINITY, pages);
  }

  protected pin(): void {
    this.owner.retain();
  }
  protected unpin(): void {
    this.owner.release();
  }

  protected fillHole(index: number): number {
    if (!this.context.budget.takeFrame()) return -ENOSPC;
    const frame = allocZeroFrame(this.context);
    if (frame === 0) {
      this.context.budget.giveFrame();
      return -ENOMEM;
    }
    this.frames.set(index, frame);
    return frame;
  }

  /** Drops the frames of [from, to); mappings, which reach no further than `mappedTo`, are told. */
  private dropPages(from: number, to: number, mappedTo: number): void {
    const dropped: number[] = [];
    if (to - from <= this.frames.size) {
      for (let page = from; page < to; page++) if (this.frames.has(page)) dropped.push(page);
    } else {
      for (const page of this.frames.keys()) if (page >= from && page < to) dropped.push(page);
    }
    const released = dropped.map((page) => this.frames.get(page)!);
    for (const page of dropped) this.frames.delete(page);
    if (mappedTo > from) this.invalidate(from, mappedTo);
    for (const frame of released) {
      this.context.frames.release(frame);
      this.context.budget.giveFrame();
    }
  }

  private clearTail(size: number): void {
    const within = size % PAGE_SIZE;
    if (within !== 0) this.clearWithin(size, PAGE_SIZE - within);
  }

  /** Zeros bytes that all lie in one page. */
  private clearWithin(offset: number, length: number): void {
    const frame = this.frames.get(Math.floor(offset / PAGE_SIZE));
    if (frame !== undefined && length > 0) clearFrame(this.context, frame, offset % PAGE_SIZE, length);
  }
}
