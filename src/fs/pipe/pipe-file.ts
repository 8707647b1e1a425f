/** One end of a pipe, or an open FIFO, which may be both ends (pipe(7), fifo(7)).
 *
 *  Writing without readers gives -EPIPE; the caller raises SIGPIPE. A blocking write returns WOULD_BLOCK until all its
 *  bytes are in, so that only a signal makes it short. */
import { EAGAIN, ENOTTY, ENXIO, EPIPE } from "../../abi/linux/errno.ts";
import { FIONREAD } from "../../abi/linux/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/linux/poll.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import { blockOn } from "../wait.ts";
import type { Caller } from "../vfs/credentials.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Location } from "../vfs/location.ts";
import { type IoctlArgument, OpenFile } from "../vfs/open-file.ts";
import { finished } from "../vfs/regular-file.ts";
import type { Pipe } from "./pipe.ts";

export class PipeFile extends OpenFile {
  private readonly pipe: Pipe;
  /** Numbers of the other side's opens when this end was opened: open waits, and POLLHUP is held back, until they change. */
  private readonly seenReaders: number;
  private readonly seenWriters: number;
  private readonly waitsForPeer: boolean;

  /** @param waitsForPeer whether open(2) itself waits for the other end, as it does on a FIFO without O_NONBLOCK */
  constructor(pipe: Pipe, inode: Inode, location: Location, flags: number, waitsForPeer: boolean) {
    super(inode, location, flags, pipe.waiters);
    this.pipe = pipe;
    this.waitsForPeer = waitsForPeer;
    this.seenReaders = pipe.readerOpens;
    this.seenWriters = pipe.writerOpens;
    if (this.readable) {
      pipe.readers++;
      pipe.readerOpens++;
    }
    if (this.writable) {
      pipe.writers++;
      pipe.writerOpens++;
    }
    pipe.waiters.wakeAll();
  }

  override completeOpen(): number {
    if (!this.waitsForPeer || (this.readable && this.writable)) return 0;
    const met = this.readable
      ? this.pipe.writers > 0 || this.pipe.writerOpens !== this.seenWriters
      : this.pipe.readers > 0 || this.pipe.readerOpens !== this.seenReaders;
    return met ? 0 : blockOn(this.waiters);
  }

  protected override readStream(sink: ByteSink): number {
    if (sink.remaining === 0) return sink.transferred;
    const result = this.pipe.read(sink);
    if (result < 0) return finished(result, sink.transferred);
    if (sink.transferred > 0) return sink.transferred;
    if (this.pipe.writers === 0) return 0;
    return this.nonBlocking ? -EAGAIN : blockOn(this.waiters);
  }

  protected override writeStream(source: ByteSource): number {
    if (source.remaining === 0) return source.transferred;
    if (this.pipe.readers === 0) return finished(-EPIPE, source.transferred);
    const result = this.pipe.write(source);
    if (result < 0) return finished(result, source.transferred);
    if (source.remaining === 0) return source.transferred;
    return this.nonBlocking ? finished(-EAGAIN, source.transferred) : blockOn(this.waiters);
  }

  override readiness(): number {
    const pipe = this.pipe;
    let bits = 0;
    if (this.readable) {
      if (!pipe.empty) bits |= POLLIN | POLLRDNORM;
      if (pipe.writers === 0 && pipe.writerOpens !== this.seenWriters) bits |= POLLHUP;
    }
    if (this.writable) {
      if (!pipe.full) bits |= POLLOUT | POLLWRNORM;
      if (pipe.readers === 0) bits |= POLLERR;
    }
    return bits;
  }
  override get pollable(): boolean {
    return true;
  }

  override ioctl(request: number, argument: IoctlArgument, _caller: Caller): number {
    if (request !== FIONREAD) return -ENOTTY;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, this.pipe.bytes, true);
    return argument.copyOut(bytes);
  }
  override pipeSize(): number {
    return this.pipe.capacity;
  }
  override setPipeSize(bytes: number): number {
    return this.pipe.resize(bytes);
  }

  protected override closed(): void {
    if (this.readable) this.pipe.readers--;
    if (this.writable) this.pipe.writers--;
  }
}

/** Opens a FIFO or, through /proc/self/fd, a pipe once more. -ENXIO for a non-blocking writer without readers (fifo(7)). */
export function openPipeEnd(pipe: Pipe, inode: Inode, location: Location, flags: number): OpenFile | number {
  const file = new PipeFile(pipe, inode, location, flags, true);
  if (!file.nonBlocking || file.readable || pipe.readers > 0) return file;
  file.release();
  return -ENXIO;
}
