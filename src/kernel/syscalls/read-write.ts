/** Moving bytes between files and user memory (read(2), write(2), readv(2), pread(2)).
 *
 *  The file is retained while the call sleeps, so that a close by another thread does not end the transfer, as on Linux.
 *  Partial counts: `call.done` follows the bytes moved, and a signal or a fault after the first byte makes it the result. */
import { EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, EOPNOTSUPP, EPIPE } from "../../abi/linux/errno.ts";
import { O_APPEND } from "../../abi/linux/fcntl.ts";
import { POLLERR } from "../../abi/linux/poll.ts";
import { RLIMIT_FSIZE } from "../../abi/linux/resource.ts";
import { SIGPIPE, SIGXFSZ } from "../../abi/linux/signal.ts";
import { S_IFIFO } from "../../abi/linux/stat.ts";
import { takeBlocker, type WaitQueue, WOULD_BLOCK } from "../../fs/wait.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import type { Call } from "../call.ts";
import { UnixSocket } from "../socket/unix-socket.ts";
import { sendToTask, userInfo } from "../signal/send.ts";
import { UserSink, UserSource, type UserSpan } from "../transfer.ts";
import { bufferIn, bufferOut, fd, flags, full, off, partial, size, sys, type Row } from "./define.ts";
import { cutSpans, fileOf, isUserRange, MAX_RW_COUNT, readIovec, spansLength } from "./file-arguments.ts";
import { hidden, iovecIn, iovecOut, whence, withOptional } from "./kinds.ts";

/** The file's own position, not one given by the call. */
const CURRENT = -1;
const RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 16;
const RWF_ALL = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND;

/** A transfer that may sleep: the call's state from its first park on. */
class Transfer<Bytes extends UserSink | UserSource> {
  readonly file: OpenFile;
  readonly bytes: Bytes;
  readonly position: number;
  readonly rwFlags: number;
  constructor(file: OpenFile, bytes: Bytes, position: number, rwFlags = 0) {
    this.file = file;
    this.bytes = bytes;
    this.position = position;
    this.rwFlags = rwFlags;
  }
}

function runRead(call: Call, transfer: Transfer<UserSink>): number {
  const { file, bytes, position } = transfer;
  const result = position === CURRENT ? file.read(bytes.begin()) : file.readAt(bytes.begin(), position);
  return result === WOULD_BLOCK ? sleep(call, transfer) : result;
}

function runWrite(call: Call, transfer: Transfer<UserSource>): number {
  const { file, bytes, position, rwFlags } = transfer;
  const flagsBefore = file.flags;
  if ((rwFlags & RWF_APPEND) !== 0) file.flags |= O_APPEND;
  const result = position === CURRENT ? file.write(bytes.begin()) : file.writeAt(bytes.begin(), position);
  file.flags = flagsBefore;
  if (result === WOULD_BLOCK) return sleep(call, transfer);
  if ((result === -EPIPE && raisesSignal(file)) || (bytes.remaining > 0 && isBroken(file))) sendToTask(call.kernel, call.task, userInfo(call.task, SIGPIPE));
  if (result > 0 && (rwFlags & (RWF_DSYNC | RWF_SYNC)) !== 0) file.sync();
  return result;
}

/** A pipe whose readers went away in the middle of a write also raises SIGPIPE (pipe(7)). */
function isBroken(file: OpenFile): boolean {
  return file.inode.type === S_IFIFO && (file.readiness() & POLLERR) !== 0;
}

/** Datagram sockets say EPIPE without a signal (unix_dgram_sendmsg). */
function raisesSignal(file: OpenFile): boolean {
  return !(file instanceof UnixSocket) || file.isStream;
}

function sleep(call: Call, transfer: Transfer<UserSink | UserSource>): number {
  const queue = takeBlocker();
  const { file, bytes } = transfer;
  const awaitsPage = bytes.stopped === WOULD_BLOCK;
  if ((transfer.rwFlags & RWF_NOWAIT) !== 0 && !awaitsPage) return bytes.transferred > 0 ? bytes.transferred : -EAGAIN;
  if (call.state === undefined) {
    file.retain();
    call.state = transfer;
    call.cleanup = () => file.release();
  }
  call.done = bytes.transferred;
  if (file instanceof UnixSocket && !awaitsPage) return sleepOnSocket(call, file, bytes, queue);
  // Data of a disk file is on its way whatever happens; only waiting for a peer can be interrupted.
  return call.park(queue, awaitsPage || file.inode.isRegular ? "UNINTERRUPTIBLE" : "ERESTARTSYS");
}

/** SO_RCVTIMEO and SO_SNDTIMEO hold for read and write, too (socket(7)). */
function sleepOnSocket(call: Call, socket: UnixSocket, bytes: UserSink | UserSource, queue: WaitQueue): number {
  const timeout = bytes instanceof UserSink ? socket.receiveTimeout : socket.sendTimeout;
  if (timeout === Infinity) return call.park(queue, "ERESTARTSYS");
  if (call.timedOut) return bytes.transferred > 0 ? bytes.transferred : -EAGAIN;
  call.deadline ??= call.now() + timeout;
  return call.park(queue, "ERESTARTNOHAND", call.deadline);
}

/** How many of `length` bytes may be written at `position` under RLIMIT_FSIZE: -EFBIG with SIGXFSZ when none (write(2)). */
export function writableLength(call: Call, file: OpenFile, position: number, length: number, append = (file.flags & O_APPEND) !== 0): number {
  const limit = call.task.process.limit(RLIMIT_FSIZE);
  if (limit === Infinity || !file.inode.isRegular || length === 0) return length;
  const start = append ? file.inode.size : position === CURRENT ? file.offset : position;
  if (start >= limit) {
    sendToTask(call.kernel, call.task, userInfo(call.task, SIGXFSZ));
    return -EFBIG;
  }
  return Math.min(length, limit - start);
}

function read(call: Call, fd: number, address: number, count: number): number {
  if (call.state !== undefined) return runRead(call, call.state as Transfer<UserSink>);
  const file = fileOf(call, fd);
  if (file === undefined || !file.readable) return -EBADF;
  if (!isUserRange(address, count)) return -EFAULT;
  return runRead(call, new Transfer(file, new UserSink(call, address, Math.min(count, MAX_RW_COUNT)), CURRENT));
}

function write(call: Call, fd: number, address: number, count: number): number {
  if (call.state !== undefined) return runWrite(call, call.state as Transfer<UserSource>);
  const file = fileOf(call, fd);
  if (file === undefined || !file.writable) return -EBADF;
  if (!isUserRange(address, count)) return -EFAULT;
  const length = writableLength(call, file, CURRENT, Math.min(count, MAX_RW_COUNT));
  if (length < 0) return length;
  return runWrite(call, new Transfer(file, new UserSource(call, address, length), CURRENT));
}

function pread64(call: Call, fd: number, address: number, count: number, position: number): number {
  if (call.state !== undefined) return runRead(call, call.state as Transfer<UserSink>);
  if (position < 0) return -EINVAL;
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (file.seekable && file.readable && !isUserRange(address, count)) return -EFAULT;
  return runRead(call, new Transfer(file, new UserSink(call, address, Math.min(count, MAX_RW_COUNT)), position));
}

function pwrite64(call: Call, fd: number, address: number, count: number, position: number): number {
  if (call.state !== undefined) return runWrite(call, call.state as Transfer<UserSource>);
  if (position < 0) return -EINVAL;
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (file.seekable && file.writable && !isUserRange(address, count)) return -EFAULT;
  const length = file.seekable && file.writable ? writableLength(call, file, position, Math.min(count, MAX_RW_COUNT)) : 0;
  if (length < 0) return length;
  return runWrite(call, new Transfer(file, new UserSource(call, address, length), position));
}

function vectorRead(call: Call, fd: number, vector: number, count: number, position: number, rwFlags: number): number {
  if (call.state !== undefined) return runRead(call, call.state as Transfer<UserSink>);
  const ready = vectorReady(call, fd, vector, count, position, "read");
  if (typeof ready === "number") return ready;
  return runRead(call, new Transfer(ready.file, new UserSink(call, ready.spans), position, rwFlags));
}

function vectorWrite(call: Call, fd: number, vector: number, count: number, position: number, rwFlags: number): number {
  if (call.state !== undefined) return runWrite(call, call.state as Transfer<UserSource>);
  const ready = vectorReady(call, fd, vector, count, position, "write");
  if (typeof ready === "number") return ready;
  const { file } = ready;
  const append = ((file.flags & O_APPEND) | (rwFlags & RWF_APPEND)) !== 0;
  const length = writableLength(call, file, position, spansLength(ready.spans), append);
  if (length < 0) return length;
  return runWrite(call, new Transfer(file, new UserSource(call, cutSpans(ready.spans, length)), position, rwFlags));
}

function vectorReady(
  call: Call, fd: number, vector: number, count: number, position: number, access: "read" | "write",
): { readonly file: OpenFile; readonly spans: UserSpan[] } | number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (position !== CURRENT) {
    if (position < 0) return -EINVAL;
    // readAt and writeAt know their own errors; ask them before the iovec, as Linux does.
    if (!file.seekable) return file.readAt(NOTHING, 0);
  }
  if (access === "read" ? !file.readable : !file.writable) return -EBADF;
  const spans = readIovec(call, vector, count);
  return typeof spans === "number" ? spans : { file, spans };
}
const NOTHING = { remaining: 0, transferred: 0, stopped: 0, put: () => 0, putZeros: () => 0 };

const readv = (call: Call, fd: number, vector: number, count: number): number => vectorRead(call, fd, vector, count, CURRENT, 0);
const writev = (call: Call, fd: number, vector: number, count: number): number => vectorWrite(call, fd, vector, count, CURRENT, 0);

// The position comes in two halves, of which the first holds all 64 bits here (preadv(2), NOTES).
function preadv(call: Call, fd: number, vector: number, count: number, position: number): number {
  return position < 0 ? -EINVAL : vectorRead(call, fd, vector, count, position, 0);
}
function pwritev(call: Call, fd: number, vector: number, count: number, position: number): number {
  return position < 0 ? -EINVAL : vectorWrite(call, fd, vector, count, position, 0);
}
function preadv2(call: Call, fd: number, vector: number, count: number, position: number, _high: number, rwFlags: number): number {
  if (position < CURRENT) return -EINVAL;
  if ((rwFlags & ~RWF_ALL) !== 0) return -EOPNOTSUPP;
  return vectorRead(call, fd, vector, count, position, rwFlags);
}
function pwritev2(call: Call, fd: number, vector: number, count: number, position: number, _high: number, rwFlags: number): number {
  if (position < CURRENT) return -EINVAL;
  if ((rwFlags & ~RWF_ALL) !== 0) return -EOPNOTSUPP;
  return vectorWrite(call, fd, vector, count, position, rwFlags);
}

function lseek(call: Call, fd: number, offset: number, whence: number): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (whence < 0 || whence > 4) return -EINVAL;
  return call.finish(file.seek(offset, whence), "UNINTERRUPTIBLE");
}

const rwfFlags = flags({ RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_APPEND });

export const readWriteCalls: readonly Row[] = [
  sys("read", { fd, buffer: bufferOut, count: size }, read, full),
  sys("write", { fd, buffer: bufferIn(2), count: size }, write, full),
  sys("readv", { fd, vector: iovecOut(2), count: size }, readv, full),
  sys("writev", { fd, vector: iovecIn(2), count: size }, writev, full),
  sys("pread64", { fd, buffer: bufferOut, count: size, offset: off }, pread64, full),
  sys("pwrite64", { fd, buffer: bufferIn(2), count: size, offset: off }, pwrite64, full),
  sys("preadv", { fd, vector: iovecOut(2), count: size, offset: off }, preadv, full),
  sys("pwritev", { fd, vector: iovecIn(2), count: size, offset: off }, pwritev, full),
  withOptional(sys("preadv2", { fd, vector: iovecOut(2), count: size, offset: off, high: hidden, flags: rwfFlags }, preadv2,
    partial("RWF_NOWAIT concerns peers only; data of a disk file is waited for")), 4),
  withOptional(sys("pwritev2", { fd, vector: iovecIn(2), count: size, offset: off, high: hidden, flags: rwfFlags }, pwritev2,
    partial("RWF_HIPRI changes nothing")), 4),
  sys("lseek", { fd, offset: off, whence }, lseek, full),
];
