/** Standard streams that are no terminal: bytes that the host pushes in and takes out, with back-pressure both ways.
 *  To the guest they look like pipes. */
import { EAGAIN, ENOTTY, EPIPE } from "../../abi/linux/errno.ts";
import { FIONREAD } from "../../abi/linux/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/linux/poll.ts";
import { S_IFIFO } from "../../abi/linux/stat.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import { type AnonymousFileSystem, AnonymousInode } from "../vfs/anonymous.ts";
import { type Caller, KERNEL_CALLER, type Owner } from "../vfs/credentials.ts";
import type { Location } from "../vfs/location.ts";
import type { MountTable } from "../vfs/mount-table.ts";
import { type IoctlArgument, OpenFile } from "../vfs/open-file.ts";
import { finished } from "../vfs/regular-file.ts";
import { blockOn, WaitQueue } from "../wait.ts";

/** Where the guest's input comes from. host.ts has the same shape. */
export interface StreamInput {
  /** The guest is ready for more. Calls `deliver` once, later or at once: bytes, or null at the end. */
  pull(deliver: (bytes: Uint8Array | null) => void): void;
}

/** Where the guest's output goes. host.ts has the same shape. */
export interface StreamOutput {
  /** Takes the bytes (a copy: the buffer is used again) and says whether there is room for more now. */
  write(bytes: Uint8Array): boolean;
  /** Calls back once when there is room again. */
  drained(resume: () => void): void;
  /** Nobody will ever read what is written: writing gives EPIPE. */
  readonly broken?: boolean;
}

/** Largest piece handed to the host at a time. */
const OUTPUT_CHUNK = 65_536;

/** Bytes on their way in. Asks the host for the next piece only when the last one is used up. */
export class InputBuffer {
  readonly waiters = new WaitQueue();
  private readonly source: StreamInput;
  private chunk: Uint8Array = new Uint8Array(0);
  private used = 0;
  private asked = false;
  ended = false;

  constructor(source: StreamInput) {
    this.source = source;
  }

  get available(): number {
    return this.chunk.length - this.used;
  }

  /** Asks the host when nothing is here; what it has at once is here on return. */
  fill(): void {
    while (this.available === 0 && !this.ended && !this.asked) {
      this.asked = true;
      this.source.pull((bytes) => {
        this.asked = false;
        if (bytes === null) this.ended = true;
        else [this.chunk, this.used] = [bytes, 0];
        this.waiters.wakeAll();
      });
    }
  }

  /** Moves what is here to `sink`: 0, or why it stopped. */
  read(sink: ByteSink): number {
    const wanted = Math.min(this.available, sink.remaining);
    const moved = sink.put(this.chunk, this.used, wanted);
    this.used += moved;
    return moved < wanted ? sink.stopped : 0;
  }
}

/** Bytes on their way out. */
export class OutputBuffer {
  readonly waiters: WaitQueue;
  private readonly target: StreamOutput;
  private readonly staging = new Uint8Array(OUTPUT_CHUNK);
  full = false;

  /** @param waiters woken when there is room again */
  constructor(target: StreamOutput, waiters: WaitQueue = new WaitQueue()) {
    this.target = target;
    this.waiters = waiters;
  }

  get broken(): boolean {
    return this.target.broken === true;
  }

  /** Moves bytes from `source` until the host has enough: 0, or why the source stopped. */
  write(source: ByteSource): number {
    while (source.remaining > 0 && !this.full && !this.broken) {
      const wanted = Math.min(OUTPUT_CHUNK, source.remaining);
      const moved = source.take(this.staging, 0, wanted);
      if (moved > 0) this.put(this.staging.subarray(0, moved));
      if (moved < wanted) return source.stopped;
    }
    return 0;
  }

  /** Hands over bytes of the kernel's own (a terminal's echo), room or not. */
  put(bytes: Uint8Array): void {
    if (this.target.write(bytes) || this.full) return;
    this.full = true;
    this.target.drained(() => {
      this.full = false;
      this.waiters.wakeAll();
    });
  }
}

class InputFile extends OpenFile {
  private readonly input: InputBuffer;

  constructor(input: InputBuffer, inode: StreamInode, location: Location, flags: number) {
    super(inode, location, flags, input.waiters);
    this.input = input;
  }
  protected override readStream(sink: ByteSink): number {
    if (sink.remaining === 0) return sink.transferred;
    this.input.fill();
    const result = this.input.read(sink);
    if (result < 0) return finished(result, sink.transferred);
    if (sink.transferred > 0) return sink.transferred;
    if (this.input.ended) return 0;
    return this.nonBlocking ? -EAGAIN : blockOn(this.waiters);
  }
  override readiness(): number {
    this.input.fill();
    if (this.input.available > 0) return POLLIN | POLLRDNORM;
    return this.input.ended ? POLLHUP : 0;
  }
  override get pollable(): boolean {
    return true;
  }
  override ioctl(request: number, argument: IoctlArgument, _caller: Caller): number {
    if (request !== FIONREAD) return -ENOTTY;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, this.input.available, true);
    return argument.copyOut(bytes);
  }
}

class OutputFile extends OpenFile {
  private readonly output: OutputBuffer;

  constructor(output: OutputBuffer, inode: StreamInode, location: Location, flags: number) {
    super(inode, location, flags, output.waiters);
    this.output = output;
  }
  protected override writeStream(source: ByteSource): number {
    if (source.remaining === 0) return source.transferred;
    const result = this.output.write(source);
    if (result < 0) return finished(result, source.transferred);
    if (source.remaining === 0) return source.transferred;
    if (this.output.broken) return finished(-EPIPE, source.transferred);
    return this.nonBlocking ? finished(-EAGAIN, source.transferred) : blockOn(this.waiters);
  }
  override readiness(): number {
    if (this.output.broken) return POLLERR | POLLOUT | POLLWRNORM;
    return this.output.full ? 0 : POLLOUT | POLLWRNORM;
  }
  override get pollable(): boolean {
    return true;
  }
}

/** A stream's inode; /proc/self/fd/0 and /dev/stdin open it again. */
class StreamInode extends AnonymousInode {
  private readonly make: (inode: StreamInode, location: Location, flags: number) => OpenFile;

  constructor(filesystem: AnonymousFileSystem, owner: Owner, make: (inode: StreamInode, location: Location, flags: number) => OpenFile) {
    super(filesystem, S_IFIFO | 0o600, owner.uid, owner.gid);
    this.make = make;
  }
  override open(location: Location, flags: number, _caller: Caller): OpenFile {
    return this.make(this, location, flags);
  }
}

/** A file that reads from the host. @param flags O_RDONLY, or O_RDWR as a shell hands terminals on */
export function openInputStream(
  source: StreamInput, filesystem: AnonymousFileSystem, mounts: MountTable, owner: Owner, flags: number,
): OpenFile {
  const input = new InputBuffer(source);
  const inode = new StreamInode(filesystem, owner, (self, location, opened) => new InputFile(input, self, location, opened));
  return inode.open(mounts.placelessLocation(filesystem, inode, `pipe:[${inode.ino}]`), flags, KERNEL_CALLER);
}

/** A file that writes to the host. @param flags O_WRONLY */
export function openOutputStream(
  target: StreamOutput, filesystem: AnonymousFileSystem, mounts: MountTable, owner: Owner, flags: number,
): OpenFile {
  const output = new OutputBuffer(target);
  const inode = new StreamInode(filesystem, owner, (self, location, opened) => new OutputFile(output, self, location, opened));
  return inode.open(mounts.placelessLocation(filesystem, inode, `pipe:[${inode.ino}]`), flags, KERNEL_CALLER);
}
