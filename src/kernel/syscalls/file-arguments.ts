/** What most file calls begin with: a descriptor becomes an open file, dirfd and path a walk, an iovec array spans, and a
 *  user range is checked as Linux's access_ok does before anything else happens. */
import { EBADF, EFAULT, EINVAL, EMFILE, ENOTDIR } from "../../abi/linux/errno.ts";
import { AT_FDCWD, O_PATH } from "../../abi/linux/fcntl.ts";
import { RLIMIT_NOFILE } from "../../abi/linux/resource.ts";
import type { Caller } from "../../fs/vfs/credentials.ts";
import type { Walk } from "../../fs/vfs/namei.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import { USER_END } from "../../vm/layout.ts";
import type { Call } from "../call.ts";
import type { UserSpan } from "../transfer.ts";

/** Most bytes one call moves: INT_MAX rounded down to a page (read(2), NOTES). */
export const MAX_RW_COUNT = 0x7fff_f000;
/** Most iovecs in one call (sysconf _SC_IOV_MAX). */
export const IOV_MAX = 1024;
const IOVEC_BYTES = 16;

/** The open file behind `fd`; undefined (EBADF) for none and for one opened with O_PATH. */
export function fileOf(call: Call, fd: number): OpenFile | undefined {
  const file = call.task.files.get(fd);
  return file === undefined || (file.flags & O_PATH) !== 0 ? undefined : file;
}
/** The same with O_PATH files, for the few calls that accept them (open(2), O_PATH). */
export function anyFileOf(call: Call, fd: number): OpenFile | undefined {
  return call.task.files.get(fd);
}

/** Where `path` starts: the working directory, the root, or the directory that `dirfd` names. -EBADF or -ENOTDIR.
 *  @param path "" stands for `dirfd` itself, whatever it is (AT_EMPTY_PATH) */
export function walkFrom(call: Call, dirfd: number, path: string): Walk | number {
  const { task, kernel } = call;
  if (dirfd === AT_FDCWD || path.charCodeAt(0) === SLASH) return kernel.walk(task);
  const file = task.files.get(dirfd);
  if (file === undefined) return -EBADF;
  if (path !== "" && !file.inode.isDirectory) return -ENOTDIR;
  return kernel.walk(task, file.location);
}
const SLASH = 47;

/** The caller as access(2) judges it: by real instead of effective ids. */
export function realCaller(call: Call): Caller {
  const { task } = call;
  const { uid, gid, groups } = task.credentials;
  return { uid, gid, groups, processId: task.processId, threadId: task.threadId, jobControl: task.jobControl };
}

/** Whether [address, address+length) lies in the user half (Linux access_ok). */
export function isUserRange(address: number, length: number): boolean {
  return address + length <= USER_END;
}

/** Spans of an iovec array, at most MAX_RW_COUNT bytes in all: -EINVAL, -EFAULT or PARKED. */
export function readIovec(call: Call, address: number, count: number): UserSpan[] | number {
  if (count > IOV_MAX) return -EINVAL;
  const bytes = new Uint8Array(count * IOVEC_BYTES);
  const copied = call.copyIn(address, bytes);
  if (copied < 0) return copied;
  const view = new DataView(bytes.buffer);
  const spans: UserSpan[] = [];
  let total = 0;
  for (let index = 0; index < count; index++) {
    const at = index * IOVEC_BYTES;
    const base = unsigned64(view, at);
    let length = unsigned64(view, at + 8);
    // Negative as ssize_t.
    if (length >= 2 ** 63) return -EINVAL;
    if (!isUserRange(base, length)) return -EFAULT;
    length = Math.min(length, MAX_RW_COUNT - total);
    total += length;
    spans.push({ address: base, length });
  }
  return spans;
}

/** Cuts spans to `limit` bytes in all. */
export function cutSpans(spans: readonly UserSpan[], limit: number): UserSpan[] {
  const cut: UserSpan[] = [];
  let left = limit;
  for (const { address, length } of spans) {
    const taken = Math.min(length, left);
    cut.push({ address, length: taken });
    left -= taken;
  }
  return cut;
}
export function spansLength(spans: readonly UserSpan[]): number {
  return spans.reduce((sum, span) => sum + span.length, 0);
}

/** -EMFILE when no descriptor is free below RLIMIT_NOFILE. Linux reserves the number before it opens anything, so this
 *  error comes before every other. */
export function descriptorRoom(call: Call, from = 0): number {
  const { files } = call.task;
  const limit = call.task.process.limit(RLIMIT_NOFILE);
  if (from === 0 && files.count < limit) return 0;
  let fd = from;
  while (fd < limit && files.get(fd) !== undefined) fd++;
  return fd < limit ? 0 : -EMFILE;
}
/** Gives `file` (and the caller's reference) the lowest free descriptor. On -EMFILE the file is released. */
export function installFile(call: Call, file: OpenFile, closeOnExec: boolean): number {
  const fd = call.task.files.allocate(file, closeOnExec, call.task.process.limit(RLIMIT_NOFILE));
  if (fd < 0) file.release();
  return fd;
}

/** A little-endian u64 as a number; exact below 2^53. */
export function unsigned64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
}
export function signed64(view: DataView, offset: number): number {
  return view.getInt32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
}
export function put64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000) >>> 0, true);
}
