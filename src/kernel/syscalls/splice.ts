/** Bytes from file to file without user memory in between: sendfile(2), splice(2), copy_file_range(2), vmsplice(2).
 *
 *  The reading file hands its bytes to a {@link FileSink}, which writes them into the other file at once and accepts only
 *  what went through; so nothing is consumed that the other side did not take. */
import { EAGAIN, EBADF, EFBIG, EINVAL, EISDIR, EOVERFLOW, EPIPE, ESPIPE, EXDEV } from "../../abi/linux/errno.ts";
import { O_APPEND } from "../../abi/linux/fcntl.ts";
import { SIGPIPE } from "../../abi/linux/signal.ts";
import { S_IFIFO } from "../../abi/linux/stat.ts";
import { BufferSource, type ByteSink } from "../../fs/transfer.ts";
import { takeBlocker, WOULD_BLOCK } from "../../fs/wait.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import type { Call, Interruption } from "../call.ts";
import { sendToTask, userInfo } from "../signal/send.ts";
import { UserSink, UserSource } from "../transfer.ts";
import { fd, flags, full, partial, size, structIn, sys, uint, type Row } from "./define.ts";
import { fileOf, MAX_RW_COUNT, put64, readIovec } from "./file-arguments.ts";
import { writableLength } from "./read-write.ts";
import { iovecIn } from "./kinds.ts";

const CURRENT = -1;
const ZEROS = new Uint8Array(4096);

/** Writes whatever it is given into a file. */
class FileSink implements ByteSink {
  remaining: number;
  transferred = 0;
  stopped = 0;
  readonly #file: OpenFile;
  /** Where the first byte goes, or CURRENT. */
  readonly #position: number;

  constructor(file: OpenFile, position: number, length: number) {
    this.#file = file;
    this.#position = position;
    this.remaining = length;
  }
  put(from: Uint8Array, start: number, length: number): number {
    return this.#pass(from.subarray(start, start + length));
  }
  putZeros(length: number): number {
    return this.#pass(ZEROS.subarray(0, Math.min(length, ZEROS.length)));
  }
  #pass(bytes: Uint8Array): number {
    // The sources of both sides are guest frames: a copy keeps them apart when a file is copied within itself.
    const source = new BufferSource(bytes.slice());
    const result = this.#position === CURRENT ? this.#file.write(source) : this.#file.writeAt(source, this.#position + this.transferred);
    this.remaining -= source.transferred;
    this.transferred += source.transferred;
    this.stopped = result === WOULD_BLOCK || result < 0 ? result : source.transferred < bytes.length ? -EAGAIN : 0;
    return source.transferred;
  }
}

/** State of a copy: both files are kept open while the call sleeps. */
interface Copy {
  readonly from: OpenFile;
  readonly to: OpenFile;
  readonly sink: FileSink;
  /** Positions of the first byte on both sides, or CURRENT; and where the caller keeps them. */
  readonly inPosition: number;
  readonly inAddress: number;
  readonly outPosition: number;
  readonly outAddress: number;
}

/** Moves bytes until the sink is full, the input ends or somebody must wait. */
function run(call: Call, copy: Copy, whole: "all" | "some" | "at-once"): number {
  const { from, sink, inPosition } = copy;
  for (;;) {
    const before = sink.transferred;
    sink.stopped = 0;
    const result = inPosition === CURRENT ? from.read(sink) : from.readAt(sink, inPosition);
    if (result === -EPIPE || sink.stopped === -EPIPE) sendToTask(call.kernel, call.task, userInfo(call.task, SIGPIPE));
    if (result === WOULD_BLOCK) {
      // Data of a disk file is on its way whatever happens; only waiting for a peer can be refused or interrupted.
      const isOnItsWay = (sink.stopped === WOULD_BLOCK ? copy.to : from).inode.isRegular;
      if ((whole === "at-once" && !isOnItsWay) || (whole === "some" && sink.transferred > 0)) {
        takeBlocker();
        return sink.transferred > 0 ? sink.transferred : -EAGAIN;
      }
      return sleep(call, copy, isOnItsWay ? "UNINTERRUPTIBLE" : "ERESTARTSYS");
    }
    if (result < 0) return sink.transferred > 0 ? sink.transferred : result;
    // A stream gives what it has; sendfile goes on until the end of the file or of the count.
    if (sink.remaining === 0 || sink.transferred === before || sink.stopped < 0 || whole !== "all") return sink.transferred;
  }
}

function sleep(call: Call, copy: Copy, interruption: Interruption): number {
  const queue = takeBlocker();
  if (call.state === undefined) {
    copy.from.retain();
    copy.to.retain();
    call.state = copy;
    call.cleanup = () => {
      copy.from.release();
      copy.to.release();
    };
  }
  const { transferred } = copy.sink;
  if (transferred > 0) call.interrupted = () => conclude(call, copy, transferred);
  return call.park(queue, interruption);
}

/** The call's result once it moves no more: the caller's positions follow the bytes moved. */
function conclude(call: Call, copy: Copy, result: number): number {
  if (result <= 0) return result;
  const storedIn = copy.inPosition === CURRENT ? 0 : storeOffset(call, copy.inAddress, copy.inPosition + result);
  if (storedIn < 0) return storedIn;
  const storedOut = copy.outPosition === CURRENT ? 0 : storeOffset(call, copy.outAddress, copy.outPosition + result);
  return storedOut < 0 ? storedOut : result;
}

/** Reads an offset argument: CURRENT for NULL, else the value, -EINVAL or what the copy from user memory says. */
function readOffset(call: Call, address: number): number {
  if (address === 0) return CURRENT;
  const failed = call.fetch(address, 8);
  if (failed < 0) return failed - 1;
  const value = call.scratch.getInt32(4, true) * 0x1_0000_0000 + call.scratch.getUint32(0, true);
  return value < 0 ? -EINVAL - 1 : value;
}
function storeOffset(call: Call, address: number, value: number): number {
  if (address === 0) return 0;
  put64(call.scratch, 0, value);
  return call.store(address, 8);
}

function sendfile(call: Call, outFd: number, inFd: number, offsetAddress: number, count: number): number {
  let copy = call.state as Copy | undefined;
  if (copy === undefined) {
    const position = readOffset(call, offsetAddress);
    if (position < CURRENT) return position + 1;
    const from = fileOf(call, inFd);
    if (from === undefined || !from.readable) return -EBADF;
    if (!from.seekable) return position === CURRENT ? -EINVAL : -ESPIPE;
    const to = fileOf(call, outFd);
    if (to === undefined || !to.writable) return -EBADF;
    if (from.inode.isDirectory || (to.flags & O_APPEND) !== 0) return -EINVAL;
    const length = writableLength(call, to, CURRENT, Math.min(count, MAX_RW_COUNT));
    if (length < 0) return length;
    const sink = new FileSink(to, CURRENT, length);
    copy = { from, to, sink, inPosition: position, inAddress: offsetAddress, outPosition: CURRENT, outAddress: 0 };
  }
  return conclude(call, copy, run(call, copy, "all"));
}

function copyFileRange(call: Call, inFd: number, inOffset: number, outFd: number, outOffset: number, count: number, flags: number): number {
  let copy = call.state as Copy | undefined;
  if (copy === undefined) {
    const from = fileOf(call, inFd);
    const to = fileOf(call, outFd);
    if (from === undefined || to === undefined) return -EBADF;
    const inPosition = readOffset(call, inOffset);
    if (inPosition < CURRENT) return inPosition + 1;
    const outPosition = readOffset(call, outOffset);
    if (outPosition < CURRENT) return outPosition + 1;
    if (flags !== 0) return -EINVAL;
    if (from.inode.isDirectory || to.inode.isDirectory) return -EISDIR;
    if (!from.inode.isRegular || !to.inode.isRegular) return -EINVAL;
    if (!from.readable || !to.writable || (to.flags & O_APPEND) !== 0) return -EBADF;
    if (from.inode.filesystem !== to.inode.filesystem) return -EXDEV;
    const start = inPosition === CURRENT ? from.offset : inPosition;
    const target = outPosition === CURRENT ? to.offset : outPosition;
    if (start + count >= 2 ** 63 || target + count >= 2 ** 63) return -EOVERFLOW;
    const length = writableLength(call, to, target, Math.max(0, Math.min(count, MAX_RW_COUNT, from.inode.size - start)));
    if (length < 0) return length;
    if (from.inode === to.inode && start < target + length && target < start + length && length > 0) return -EINVAL;
    copy = { from, to, sink: new FileSink(to, outPosition, length), inPosition, inAddress: inOffset, outPosition, outAddress: outOffset };
  }
  return conclude(call, copy, run(call, copy, "all"));
}

const SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2, SPLICE_F_MORE = 4, SPLICE_F_GIFT = 8;
function splice(call: Call, inFd: number, inOffset: number, outFd: number, outOffset: number, count: number, flags: number): number {
  let copy = call.state as Copy | undefined;
  if (copy === undefined) {
    if (count === 0) return 0;
    if ((flags & ~15) !== 0) return -EINVAL;
    const from = fileOf(call, inFd);
    const to = fileOf(call, outFd);
    if (from === undefined || to === undefined) return -EBADF;
    if (!from.readable || !to.writable) return -EBADF;
    const fromPipe = from.inode.type === S_IFIFO;
    const toPipe = to.inode.type === S_IFIFO;
    if (!fromPipe && !toPipe) return -EINVAL;
    if ((fromPipe && inOffset !== 0) || (toPipe && outOffset !== 0)) return -ESPIPE;
    if (fromPipe && toPipe && from.inode === to.inode) return -EINVAL;
    const inPosition = readOffset(call, inOffset);
    if (inPosition < CURRENT) return inPosition + 1;
    const outPosition = readOffset(call, outOffset);
    if (outPosition < CURRENT) return outPosition + 1;
    if ((inPosition !== CURRENT && !from.seekable) || (outPosition !== CURRENT && !to.seekable)) return -EINVAL;
    if ((to.flags & O_APPEND) !== 0 && !toPipe) return -EINVAL;
    if (from.inode.isDirectory) return -EINVAL;
    const length = writableLength(call, to, outPosition, Math.min(count, MAX_RW_COUNT));
    if (length === -EFBIG) return length;
    copy = { from, to, sink: new FileSink(to, outPosition, length), inPosition, inAddress: inOffset, outPosition, outAddress: outOffset };
  }
  return conclude(call, copy, run(call, copy, (flags & SPLICE_F_NONBLOCK) !== 0 ? "at-once" : "some"));
}

/** vmsplice(2) copies: pages are never gifted, so a later change of the user's memory does not show in the pipe. */
function vmsplice(call: Call, fd: number, vector: number, count: number, flags: number): number {
  if ((flags & ~15) !== 0) return -EINVAL;
  const file = fileOf(call, fd);
  if (file === undefined || file.inode.type !== S_IFIFO) return -EBADF;
  let bytes = call.state as UserSource | UserSink | undefined;
  if (bytes === undefined) {
    const spans = readIovec(call, vector, count);
    if (typeof spans === "number") return spans;
    bytes = file.writable ? new UserSource(call, spans) : new UserSink(call, spans);
  }
  const result = bytes instanceof UserSource ? file.write(bytes.begin()) : file.read(bytes.begin());
  if (result === -EPIPE) sendToTask(call.kernel, call.task, userInfo(call.task, SIGPIPE));
  if (result !== WOULD_BLOCK) return result;
  const queue = takeBlocker();
  const awaitsPage = bytes.stopped === WOULD_BLOCK;
  if ((flags & SPLICE_F_NONBLOCK) !== 0 && !awaitsPage) return bytes.transferred > 0 ? bytes.transferred : -EAGAIN;
  call.state = bytes;
  call.done = bytes.transferred;
  return call.park(queue, awaitsPage ? "UNINTERRUPTIBLE" : "ERESTARTSYS");
}

const spliceFlags = flags({ SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE, SPLICE_F_GIFT });
const offset = structIn(8, (data) => `[${data.getBigInt64(0, true)}]`);

export const spliceCalls: readonly Row[] = [
  sys("sendfile", { out: fd, in: fd, offset, count: size }, sendfile, full),
  sys("copy_file_range", { in: fd, inOffset: offset, out: fd, outOffset: offset, count: size, flags: uint }, copyFileRange, full),
  sys("splice", { in: fd, inOffset: offset, out: fd, outOffset: offset, count: size, flags: spliceFlags }, splice, full),
  sys("vmsplice", { fd, vector: iovecIn(2), count: size, flags: spliceFlags }, vmsplice, partial("copies instead of lending pages")),
];
