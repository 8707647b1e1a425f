/** Making, copying and closing descriptors (open(2), openat2(2), close(2), close_range(2), dup(2), pipe(2), memfd_create(2)). */
import { E2BIG, EBADF, EINVAL, EMFILE } from "../../abi/linux/errno.ts";
import {
  AT_FDCWD, MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_NOEXEC_SEAL, O_ACCMODE, O_APPEND, O_ASYNC, O_CLOEXEC, O_CREAT, O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL, O_LARGEFILE, O_NOATIME, O_NOCTTY, O_NOFOLLOW,
  O_NONBLOCK, O_PATH, O_SYNC, O_TMPFILE_BIT, O_TRUNC, O_WRONLY,
} from "../../abi/linux/fcntl.ts";
import { RLIMIT_NOFILE } from "../../abi/linux/resource.ts";
import { bytesToString } from "../../fs/names.ts";
import { takeBlocker, WOULD_BLOCK } from "../../fs/wait.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import { open } from "../../fs/vfs/open.ts";
import { makeMemfd } from "../../fs/tmpfs/memfd.ts";
import { makePipe } from "../../fs/pipe/pipefs.ts";
import type { Call } from "../call.ts";
import { closeLocks } from "../file-locks.ts";
import { objectsOf } from "../objects.ts";
import { dirfd, fd, flags, full, intPairOut, partial, path, size, str, structIn, sys, uint, type Row } from "./define.ts";
import { anyFileOf, descriptorRoom, installFile, signed64, unsigned64, walkFrom } from "./file-arguments.ts";
import { creationMode, fdFlags, fileMode, openFlags, openFlagsText, withOptional } from "./kinds.ts";
import { flagsText, octalText } from "../../trace/text.ts";
import { RESOLVE_ALL, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NAMES, restrict } from "./resolve-flags.ts";

/** Flags that mean something; open ignores the rest, openat2 refuses them (openat2(2)). */
const KNOWN_FLAGS =
  O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY |
  O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE_BIT;

const openAt = (call: Call, directory: number, path: number, flags: number, mode: number): number =>
  openFile(call, directory, path, flags & KNOWN_FLAGS, mode, 0);
const openHere = (call: Call, path: number, flags: number, mode: number): number => openAt(call, AT_FDCWD, path, flags, mode);
const creat = (call: Call, path: number, mode: number): number => openAt(call, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);

/** The common part. A FIFO that waits for its other end keeps its open file as the call's state. */
function openFile(call: Call, directory: number, pathAddress: number, flags: number, mode: number, resolve: number): number {
  let file = call.state as OpenFile | undefined;
  if (file === undefined) {
    const path = call.readPath(pathAddress);
    if (typeof path === "number") return path;
    const room = descriptorRoom(call);
    if (room < 0) return room;
    const walk = walkFrom(call, directory, path);
    if (typeof walk === "number") return walk;
    const restricted = restrict(walk, path, resolve, (flags & O_NOFOLLOW) === 0);
    if (typeof restricted === "number") return call.finish(restricted, "UNINTERRUPTIBLE");
    const opened = open(restricted, path, flags, mode & ~call.task.context.umask & 0o7777);
    if (typeof opened === "number") return call.finish(opened, "UNINTERRUPTIBLE");
    file = opened;
  }
  const complete = file.completeOpen();
  if (complete === WOULD_BLOCK) {
    const queue = takeBlocker();
    if (call.state === undefined) {
      const held = file;
      call.state = file;
      call.cleanup = () => held.release();
    }
    return call.park(queue, "ERESTARTSYS");
  }
  if (complete < 0) {
    if (call.state === undefined) file.release();
    return complete;
  }
  if (call.state !== undefined) file.retain();
  return installFile(call, file, (flags & O_CLOEXEC) !== 0);
}

const OPEN_HOW_BYTES = 24;
function openat2(call: Call, directory: number, path: number, how: number, bytes: number): number {
  if (bytes < OPEN_HOW_BYTES) return -EINVAL;
  if (bytes > 4096) return -E2BIG;
  const failed = call.fetch(how, bytes);
  if (failed < 0) return failed;
  for (let at = OPEN_HOW_BYTES; at < bytes; at++) if (call.scratch.getUint8(at) !== 0) return -E2BIG;
  const flags = signed64(call.scratch, 0);
  const mode = unsigned64(call.scratch, 8);
  const resolve = unsigned64(call.scratch, 16);
  if (flags < 0 || flags > 0xffff_ffff || (flags & ~KNOWN_FLAGS) !== 0) return -EINVAL;
  if (resolve > RESOLVE_ALL || (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) === (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) return -EINVAL;
  const makes = (flags & (O_CREAT | O_TMPFILE_BIT)) !== 0;
  if (makes ? mode > 0o7777 : mode !== 0) return -EINVAL;
  if ((flags & O_PATH) !== 0 && (flags & ~(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) !== 0) return -EINVAL;
  return openFile(call, directory, path, flags, mode, resolve);
}

/** close(2). Record locks of the process on that file go with any of its descriptors (fcntl(2)). */
function close(call: Call, fd: number): number {
  const { files } = call.task;
  const file = files.remove(fd);
  if (file === undefined) return -EBADF;
  closeLocks(files, file.inode);
  file.release();
  return 0;
}

const CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4;
function closeRange(call: Call, first: number, last: number, flags: number): number {
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0 || first > last) return -EINVAL;
  const { task } = call;
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0 && task.files.references > 1) {
    const shared = task.files;
    task.files = shared.clone();
    shared.release();
  }
  const { files } = task;
  for (const fd of [...files.descriptors()]) {
    if (fd < first || fd > last) continue;
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) files.setCloseOnExec(fd, true);
    else close(call, fd);
  }
  return 0;
}

function dup(call: Call, fd: number): number {
  const file = anyFileOf(call, fd);
  return file === undefined ? -EBADF : installFile(call, file.retain(), false);
}

function dup2(call: Call, from: number, to: number): number {
  if (from === to) return anyFileOf(call, from) === undefined ? -EBADF : to;
  return dup3(call, from, to, 0);
}

function dup3(call: Call, from: number, to: number, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0 || from === to) return -EINVAL;
  const file = anyFileOf(call, from);
  if (to < 0 || to >= call.task.process.limit(RLIMIT_NOFILE)) return -EBADF;
  if (file === undefined) return -EBADF;
  const { files } = call.task;
  const replaced = files.get(to);
  if (replaced !== undefined) closeLocks(files, replaced.inode);
  files.replace(to, file.retain(), (flags & O_CLOEXEC) !== 0);
  return to;
}

const pipe = (call: Call, pair: number): number => pipe2(call, pair, 0);
function pipe2(call: Call, pair: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) return -EINVAL;
  // Packet mode is not offered; Linux answers the same for filesystems without it (pipe(2), EINVAL).
  if ((flags & O_DIRECT) !== 0) return -EINVAL;
  const { kernel, task } = call;
  const ends = makePipe(objectsOf(kernel).pipes, kernel.mounts, task, flags & O_NONBLOCK);
  return installPair(call, ends.readEnd, ends.writeEnd, pair, (flags & O_CLOEXEC) !== 0);
}

/** Gives two files descriptors and stores the numbers at `pair`; nothing stays open when that fails. */
export function installPair(call: Call, first: OpenFile, second: OpenFile, pair: number, closeOnExec: boolean): number {
  const { files } = call.task;
  const low = installFile(call, first, closeOnExec);
  if (low < 0) {
    second.release();
    return -EMFILE;
  }
  const high = installFile(call, second, closeOnExec);
  if (high < 0) {
    files.close(low);
    return -EMFILE;
  }
  call.scratch.setInt32(0, low, true);
  call.scratch.setInt32(4, high, true);
  const stored = call.store(pair, 8);
  if (stored < 0) {
    files.close(low);
    files.close(high);
    return stored;
  }
  return 0;
}

/** Bytes of a memfd name, so that "memfd:" and it fit a file name. */
const MEMFD_NAME_MAX = 249;
function memfdCreate(call: Call, nameAddress: number, flags: number): number {
  // Huge pages are not configured: makeMemfd knows no MFD_HUGETLB.
  const name = call.readString(nameAddress, MEMFD_NAME_MAX + 1, -EINVAL);
  if (typeof name === "number") return name;
  const room = descriptorRoom(call);
  if (room < 0) return room;
  const { kernel, task } = call;
  const file = makeMemfd(objectsOf(kernel).memory, kernel.mounts, task, bytesToString(name), flags);
  return typeof file === "number" ? file : installFile(call, file, (flags & MFD_CLOEXEC) !== 0);
}

function umask(call: Call, mask: number): number {
  const { context } = call.task;
  const old = context.umask;
  context.umask = mask & 0o777;
  return old;
}

const openHow = structIn(OPEN_HOW_BYTES, (data) => {
  const flags = data.getUint32(0, true);
  const mode = (flags & (O_CREAT | O_TMPFILE_BIT)) !== 0 ? `, mode=${octalText(data.getUint32(8, true))}` : "";
  return `{flags=${openFlagsText(flags)}${mode}, resolve=${flagsText(data.getUint32(16, true), Object.entries(RESOLVE_NAMES), "0")}}`;
});

export const openCalls: readonly Row[] = [
  withOptional(sys("open", { path, flags: openFlags, mode: creationMode(1) }, openHere, full), 2),
  withOptional(sys("openat", { dirfd, path, flags: openFlags, mode: creationMode(2) }, openAt, full), 3),
  sys("openat2", { dirfd, path, how: openHow, size }, openat2, partial("RESOLVE_CACHED is always EAGAIN")),
  sys("creat", { path, mode: fileMode }, creat, full),
  sys("close", { fd }, close, full),
  sys("close_range", { first: uint, last: uint, flags: flags({ CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC }) }, closeRange, full),
  sys("dup", { fd }, dup, full),
  sys("dup2", { from: fd, to: fd }, dup2, full),
  sys("dup3", { from: fd, to: fd, flags: fdFlags }, dup3, full),
  sys("pipe", { pair: intPairOut }, pipe, full),
  sys("pipe2", { pair: intPairOut, flags: fdFlags }, pipe2, partial("no packet mode (O_DIRECT)")),
  sys("memfd_create", { name: str, flags: flags({ MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC }) }, memfdCreate, partial("no huge pages")),
  sys("umask", { mask: fileMode }, umask, full),
];
