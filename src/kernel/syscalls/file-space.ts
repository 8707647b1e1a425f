/** The extent of files and when they reach their storage: truncate(2), fallocate(2), fsync(2), posix_fadvise(2), readahead(2). */
import { EBADF, EFBIG, EINVAL, ENODEV, EOPNOTSUPP, ESPIPE } from "../../abi/linux/errno.ts";
import {
  FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE,
} from "../../abi/linux/fcntl.ts";
import { RLIMIT_FSIZE } from "../../abi/linux/resource.ts";
import { SIGXFSZ } from "../../abi/linux/signal.ts";
import { S_IFBLK, S_IFIFO, S_IFREG } from "../../abi/linux/stat.ts";
import { truncate as truncatePath } from "../../fs/vfs/attributes.ts";
import type { Inode } from "../../fs/vfs/inode.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import { WOULD_BLOCK } from "../../fs/wait.ts";
import type { Call } from "../call.ts";
import { sendToTask, userInfo } from "../signal/send.ts";
import { fd, flags, full, off, oneOf, partial, path, size, sys, type Row } from "./define.ts";
import { fileOf } from "./file-arguments.ts";

/** Largest file Linux offers (MAX_LFS_FILESIZE). */
const OFFSET_MAX = 2 ** 63;

/** RLIMIT_FSIZE for a file that is to grow to `size` (setrlimit(2)). */
function withinFileLimit(call: Call, inode: Inode, size: number): number {
  const limit = call.task.process.limit(RLIMIT_FSIZE);
  if (size <= limit || size <= inode.size) return 0;
  sendToTask(call.kernel, call.task, userInfo(call.task, SIGXFSZ));
  return -EFBIG;
}

function truncate(call: Call, pathAddress: number, size: number): number {
  if (size < 0) return -EINVAL;
  const path = call.readPath(pathAddress);
  if (typeof path === "number") return path;
  const walk = call.kernel.walk(call.task);
  const location = resolve(walk, path);
  if (typeof location !== "number" && location.dentry.inode.isRegular) {
    const allowed = withinFileLimit(call, location.dentry.inode, size);
    if (allowed < 0) return allowed;
  }
  return call.finish(typeof location === "number" ? location : truncatePath(walk, path, size), "UNINTERRUPTIBLE");
}

function ftruncate(call: Call, fd: number, size: number): number {
  if (size < 0) return -EINVAL;
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (!file.inode.isRegular || !file.writable) return -EINVAL;
  const allowed = withinFileLimit(call, file.inode, size);
  if (allowed < 0) return allowed;
  return call.finish(file.truncate(size), "UNINTERRUPTIBLE");
}

const FALLOC_FL_UNSHARE_RANGE = 0x40;
const FALLOCATE_MODES =
  FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;

/** Checks in Linux's order (fs/open.c vfs_fallocate). */
function fallocate(call: Call, fd: number, mode: number, offset: number, length: number): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (offset < 0 || length <= 0) return -EINVAL;
  if ((mode & ~FALLOCATE_MODES) !== 0) return -EOPNOTSUPP;
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0 && (mode & FALLOC_FL_KEEP_SIZE) === 0) return -EOPNOTSUPP;
  if ((mode & FALLOC_FL_COLLAPSE_RANGE) !== 0 && mode !== FALLOC_FL_COLLAPSE_RANGE) return -EINVAL;
  if ((mode & FALLOC_FL_INSERT_RANGE) !== 0 && mode !== FALLOC_FL_INSERT_RANGE) return -EINVAL;
  if (!file.writable) return -EBADF;
  const type = file.inode.type;
  if (type === S_IFIFO) return -ESPIPE;
  if (file.inode.isDirectory) return -EBADF;
  if (type !== S_IFREG && type !== S_IFBLK) return -ENODEV;
  if (offset + length >= OFFSET_MAX) return -EFBIG;
  if ((mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)) !== 0) return -EOPNOTSUPP;
  if ((mode & FALLOC_FL_KEEP_SIZE) === 0) {
    const allowed = withinFileLimit(call, file.inode, offset + length);
    if (allowed < 0) return allowed;
  }
  return call.finish(file.fallocate(mode, offset, length), "UNINTERRUPTIBLE");
}

function fsync(call: Call, fd: number): number {
  const file = fileOf(call, fd);
  return file === undefined ? -EBADF : call.finish(file.sync(), "UNINTERRUPTIBLE");
}

/** sync(2) starts writing everything back and, as it may, does not wait (POSIX sync). */
function sync(call: Call): number {
  for (const filesystem of call.kernel.mounts.filesystems()) filesystem.root.sync();
  return 0;
}
function syncfs(call: Call, fd: number): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  const result = file.location.mount.filesystem.root.sync();
  return result === WOULD_BLOCK ? call.finish(result, "UNINTERRUPTIBLE") : Math.min(result, 0);
}

function syncFileRange(call: Call, fd: number, offset: number, length: number, flags: number): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if ((flags & ~7) !== 0 || offset < 0 || length < 0) return -EINVAL;
  if (!file.inode.isRegular && !file.inode.isDirectory && !file.inode.isSymlink) return -ESPIPE;
  return flags === 0 ? 0 : call.finish(file.sync(), "UNINTERRUPTIBLE");
}

const ADVICE = {
  POSIX_FADV_NORMAL: 0, POSIX_FADV_RANDOM: 1, POSIX_FADV_SEQUENTIAL: 2, POSIX_FADV_WILLNEED: 3, POSIX_FADV_DONTNEED: 4, POSIX_FADV_NOREUSE: 5,
};
/** Advice changes nothing but speed; only what is wrong about it is told (posix_fadvise(2)). */
function fadvise64(call: Call, fd: number, _offset: number, length: number, advice: number): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (file.inode.type === S_IFIFO) return -ESPIPE;
  if (length < 0 || advice < 0 || advice > 5) return -EINVAL;
  return 0;
}
function readahead(call: Call, fd: number): number {
  const file = fileOf(call, fd);
  if (file === undefined || !file.readable) return -EBADF;
  return file.inode.isRegular || file.inode.type === S_IFBLK ? 0 : -EINVAL;
}

const fallocateMode = flags({
  FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_UNSHARE_RANGE,
});
const syncRangeFlags = flags({ SYNC_FILE_RANGE_WAIT_BEFORE: 1, SYNC_FILE_RANGE_WRITE: 2, SYNC_FILE_RANGE_WAIT_AFTER: 4 });

export const fileSpaceCalls: readonly Row[] = [
  sys("truncate", { path, length: off }, truncate, full),
  sys("ftruncate", { fd, length: off }, ftruncate, full),
  sys("fallocate", { fd, mode: fallocateMode, offset: off, length: off }, fallocate, partial("no COLLAPSE_RANGE, INSERT_RANGE, UNSHARE_RANGE")),
  sys("fsync", { fd }, fsync, full),
  sys("fdatasync", { fd }, fsync, full),
  sys("sync", {}, sync, full),
  sys("syncfs", { fd }, syncfs, full),
  sys("sync_file_range", { fd, offset: off, length: off, flags: syncRangeFlags }, syncFileRange, partial("syncs the whole file")),
  sys("fadvise64", { fd, offset: off, length: off, advice: oneOf(ADVICE) }, fadvise64, partial("checked, then ignored")),
  sys("readahead", { fd, offset: off, count: size }, readahead, partial("checked, then ignored")),
];
