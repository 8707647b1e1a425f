/** An open file description (open(2)): what descriptors point to, shared by dup, fork and SCM_RIGHTS.
 *
 *  Invariants
 *  - `references` counts descriptors and other holders (exec image, epoll, a call in progress). The release that makes it
 *    0 closes the file, once.
 *  - read, write and the rest follow transfer.ts: a result >= 0 is `transferred` of the sink or source; WOULD_BLOCK may
 *    come after part of the bytes moved, and the call is repeated with the same object.
 *  - A file with O_NONBLOCK answers -EAGAIN where it would wait for a peer. Waiting for a provider's data is not affected
 *    by O_NONBLOCK, as disk reads are not on Linux.
 *  - Whatever changes `readiness()` wakes `waiters`. */
import { EBADF, EINVAL, ENODEV, ENOTDIR, ENOTTY, ESPIPE } from "../../abi/linux/errno.ts";
import { mayRead, mayWrite, O_NONBLOCK, SETTABLE_STATUS_FLAGS } from "../../abi/linux/fcntl.ts";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/linux/poll.ts";
import { KernelPanic } from "../../base/assert.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import { WaitQueue } from "../wait.ts";
import type { Caller } from "./credentials.ts";
import type { FilePages } from "./file-pages.ts";
import type { EmitEntry, Inode } from "./inode.ts";
import type { Location } from "./location.ts";

/** The third argument of ioctl(2), as a number and as a pointer into the caller's memory. */
export interface IoctlArgument {
  readonly value: number;
  /** Fills `bytes` from the caller's memory: 0, -EFAULT, or WOULD_BLOCK with the blocker named. */
  copyIn(bytes: Uint8Array): number;
  /** Writes `bytes` to the caller's memory: same results. */
  copyOut(bytes: Uint8Array): number;
}

export abstract class OpenFile {
  readonly inode: Inode;
  /** How the file was reached: base of openat(2), target of /proc/self/fd. */
  readonly location: Location;
  /** Access mode and status flags; O_CREAT and the other creation flags are not kept (F_GETFL). */
  flags: number;
  /** File position, shared by all descriptors. */
  offset = 0;
  references = 1;
  /** Woken whenever readiness may have changed. */
  readonly waiters: WaitQueue;

  constructor(inode: Inode, location: Location, flags: number, waiters: WaitQueue = new WaitQueue()) {
    this.inode = inode;
    this.location = location;
    this.flags = flags;
    this.waiters = waiters;
    inode.retain();
  }

  get readable(): boolean {
    return mayRead(this.flags);
  }
  get writable(): boolean {
    return mayWrite(this.flags);
  }
  get nonBlocking(): boolean {
    return (this.flags & O_NONBLOCK) !== 0;
  }

  /** 0 when the open itself is complete. A FIFO waits here for its other end: WOULD_BLOCK or, once, an errno. The kernel
   *  calls it before it installs the descriptor and releases the file when the wait is interrupted. */
  completeOpen(): number {
    return 0;
  }

  // Descriptor-style access at the shared position; EBADF checks included ---------------------------------------------

  read(sink: ByteSink): number {
    if (!this.readable) return -EBADF;
    return this.readStream(sink);
  }
  write(source: ByteSource): number {
    if (!this.writable) return -EBADF;
    return this.writeStream(source);
  }
  /** pread(2): the position is not used or changed. -ESPIPE for streams. */
  readAt(sink: ByteSink, offset: number): number {
    if (!this.seekable) return -ESPIPE;
    if (!this.readable) return -EBADF;
    return this.readFrom(sink, offset);
  }
  /** pwrite(2). With O_APPEND Linux appends whatever the offset says (pwrite(2), BUGS). */
  writeAt(source: ByteSource, offset: number): number {
    if (!this.seekable) return -ESPIPE;
    if (!this.writable) return -EBADF;
    return this.writeTo(source, offset);
  }

  // What each type of file implements -----------------------------------------------------------------------------------

  /** Whether the file has positions (lseek, pread, pwrite). */
  get seekable(): boolean {
    return false;
  }
  protected readStream(_sink: ByteSink): number {
    return -EINVAL;
  }
  protected writeStream(_source: ByteSource): number {
    return -EINVAL;
  }
  protected readFrom(_sink: ByteSink, _offset: number): number {
    return -ESPIPE;
  }
  protected writeTo(_source: ByteSource, _offset: number): number {
    return -ESPIPE;
  }
  /** lseek(2): the new position or -errno. */
  seek(_offset: number, _whence: number): number {
    return -ESPIPE;
  }
  ioctl(_request: number, _argument: IoctlArgument, _caller: Caller): number {
    return -ENOTTY;
  }
  /** POLL* bits that hold now. Files that never block are always ready (poll(2)). */
  readiness(): number {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }
  /** Whether epoll(7) accepts the file: -EPERM there for regular files and directories. */
  get pollable(): boolean {
    return false;
  }
  /** Emits directory entries from the current position, "." and ".." included, and moves the position past them. */
  getdents(_emit: EmitEntry): number {
    return -ENOTDIR;
  }
  truncate(_size: number): number {
    return -EINVAL;
  }
  fallocate(_mode: number, _offset: number, _length: number): number {
    return -ENODEV;
  }
  sync(): number {
    return -EINVAL;
  }
  /** The pages that mmap(2) maps, or -errno (-ENODEV: cannot be mapped). */
  mapPages(): FilePages | number {
    return -ENODEV;
  }
  /** Anonymous memory to map instead of pages, as /dev/zero offers. */
  get mapsAsAnonymous(): boolean {
    return false;
  }
  /** fcntl F_SETPIPE_SZ, F_GETPIPE_SZ. */
  pipeSize(): number {
    return -EBADF;
  }
  setPipeSize(_bytes: number, _caller: Caller): number {
    return -EBADF;
  }
  /** fcntl F_ADD_SEALS, F_GET_SEALS: memfd only. */
  seals(): number {
    return -EINVAL;
  }
  addSeals(_seals: number): number {
    return -EINVAL;
  }
  /** Lines after pos, flags, mnt_id and ino in /proc/<pid>/fdinfo, e.g. "eventfd-count:                0\n". */
  describe(): string {
    return "";
  }

  /** fcntl F_SETFL. */
  setStatusFlags(flags: number): number {
    this.flags = (this.flags & ~SETTABLE_STATUS_FLAGS) | (flags & SETTABLE_STATUS_FLAGS);
    return 0;
  }

  // Lifetime ----------------------------------------------------------------------------------------------------------

  retain(): this {
    if (this.references <= 0) throw new KernelPanic("retain of a closed file", { ino: this.inode.ino });
    this.references++;
    return this;
  }
  release(): void {
    if (this.references <= 0) throw new KernelPanic("release of a closed file", { ino: this.inode.ino });
    this.references--;
    if (this.references > 0) return;
    this.closed();
    this.waiters.wakeAll();
    this.inode.release();
  }
  /** The last reference is gone. Runs before the inode is released. */
  protected closed(): void {}
}
