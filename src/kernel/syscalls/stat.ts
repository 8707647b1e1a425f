/** What is known about a file: stat(2), statx(2), access(2), readlink(2), statfs(2). */
import { EBADF, EINVAL, ENOENT } from "../../abi/linux/errno.ts";
import { AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW, R_OK, W_OK, X_OK } from "../../abi/linux/fcntl.ts";
import {
  emptyStat, STAT_BYTES, STATFS_BYTES, STATX_BASIC_STATS, STATX_BYTES, STATX_BTIME, STATX_MNT_ID, STATX_RESERVED, type Stat, writeStat, writeStatfs, writeStatx,
} from "../../abi/linux/stat.ts";
import { stringToBytes } from "../../fs/names.ts";
import { access as checkAccess, readLink, statFileSystem } from "../../fs/vfs/attributes.ts";
import type { Location } from "../../fs/vfs/location.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import { flagsText } from "../../trace/text.ts";
import type { Call } from "../call.ts";
import { bufferOut, custom, dirfd, fd, flags, full, path, size, structOut, sys, type Row } from "./define.ts";
import { anyFileOf, realCaller, walkFrom } from "./file-arguments.ts";
import { fileModeText, statOut } from "./kinds.ts";

const found: Stat = emptyStat();

/** The place that a path and AT_* flags name: a Location, -errno, or WOULD_BLOCK turned into PARKED by the caller. */
export function locate(call: Call, directory: number, pathAddress: number, atFlags: number): Location | number {
  const path = call.readPath(pathAddress);
  if (typeof path === "number") return path;
  return locatePath(call, directory, path, atFlags);
}
export function locatePath(call: Call, directory: number, path: string, atFlags: number): Location | number {
  const allowEmpty = (atFlags & AT_EMPTY_PATH) !== 0;
  if (path === "" && !allowEmpty) return -ENOENT;
  const walk = walkFrom(call, directory, path);
  if (typeof walk === "number") return walk;
  const location = resolve(walk, path, { follow: (atFlags & AT_SYMLINK_NOFOLLOW) === 0, allowEmpty });
  return typeof location === "number" ? call.finish(location, "UNINTERRUPTIBLE") : location;
}

function statAt(call: Call, directory: number, path: number, target: number, atFlags: number): number {
  if ((atFlags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  // AT_EMPTY_PATH accepts NULL for an empty path (since Linux 6.11).
  if (path === 0 && (atFlags & AT_EMPTY_PATH) !== 0 && directory >= 0) return statFile(call, directory, target);
  const location = locate(call, directory, path, atFlags);
  if (typeof location === "number") return location;
  const result = location.dentry.inode.stat(found);
  return result < 0 ? call.finish(result, "UNINTERRUPTIBLE") : storeStat(call, target);
}
function storeStat(call: Call, target: number): number {
  writeStat(call.scratch, 0, found);
  return call.store(target, STAT_BYTES);
}
const stat = (call: Call, path: number, target: number): number => statAt(call, AT_FDCWD, path, target, 0);
const lstat = (call: Call, path: number, target: number): number => statAt(call, AT_FDCWD, path, target, AT_SYMLINK_NOFOLLOW);
function statFile(call: Call, fd: number, target: number): number {
  const file = anyFileOf(call, fd);
  if (file === undefined) return -EBADF;
  const result = file.inode.stat(found);
  return result < 0 ? call.finish(result, "UNINTERRUPTIBLE") : storeStat(call, target);
}

const AT_STATX_FORCE_SYNC = 0x2000, AT_STATX_DONT_SYNC = 0x4000;
function statx(call: Call, directory: number, path: number, atFlags: number, mask: number, target: number): number {
  if (((mask & STATX_RESERVED) >>> 0) !== 0) return -EINVAL;
  const known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;
  if ((atFlags & ~known) !== 0) return -EINVAL;
  if ((atFlags & (AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC)) === (AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC)) return -EINVAL;
  let location: Location | number;
  if (path === 0 && (atFlags & AT_EMPTY_PATH) !== 0) {
    const file = anyFileOf(call, directory);
    location = file === undefined ? -EBADF : file.location;
  } else location = locate(call, directory, path, atFlags);
  if (typeof location === "number") return location;
  const result = location.dentry.inode.stat(found);
  if (result < 0) return call.finish(result, "UNINTERRUPTIBLE");
  writeStatx(call.scratch, 0, found, location.mount.id, location.dentry === location.mount.root);
  return call.store(target, STATX_BYTES);
}

const access = (call: Call, path: number, mode: number): number => accessAt(call, AT_FDCWD, path, mode, 0);
const faccessat = (call: Call, directory: number, path: number, mode: number): number => accessAt(call, directory, path, mode, 0);
function accessAt(call: Call, directory: number, pathAddress: number, mode: number, atFlags: number): number {
  if ((mode & ~(R_OK | W_OK | X_OK)) !== 0) return -EINVAL;
  if ((atFlags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const path = call.readPath(pathAddress);
  if (typeof path === "number") return path;
  const allowEmpty = (atFlags & AT_EMPTY_PATH) !== 0;
  if (path === "" && !allowEmpty) return -ENOENT;
  const walk = walkFrom(call, directory, path);
  if (typeof walk === "number") return walk;
  const asking = (atFlags & AT_EACCESS) !== 0 ? walk : { ...walk, caller: realCaller(call) };
  return call.finish(checkAccess(asking, path, mode, { follow: (atFlags & AT_SYMLINK_NOFOLLOW) === 0, allowEmpty }), "UNINTERRUPTIBLE");
}

const readlink = (call: Call, path: number, buffer: number, bytes: number): number => readlinkat(call, AT_FDCWD, path, buffer, bytes);
function readlinkat(call: Call, directory: number, pathAddress: number, buffer: number, bytes: number): number {
  const bufferBytes = bytes | 0;
  if (bufferBytes <= 0) return -EINVAL;
  const path = call.readPath(pathAddress);
  if (typeof path === "number") return path;
  // An empty path names the O_PATH link itself; without a directory it names nothing.
  if (path === "" && directory === AT_FDCWD) return -ENOENT;
  const walk = walkFrom(call, directory, path);
  if (typeof walk === "number") return walk;
  const target = readLink(walk, path);
  if (typeof target === "number") return call.finish(path === "" && target === -EINVAL ? -ENOENT : target, "UNINTERRUPTIBLE");
  const shown = stringToBytes(target.slice(0, bufferBytes));
  const stored = call.copyOut(buffer, shown);
  return stored < 0 ? stored : shown.length;
}

function statfs(call: Call, path: number, target: number): number {
  const location = locate(call, AT_FDCWD, path, 0);
  return typeof location === "number" ? location : storeStatfs(call, location, target);
}
function fstatfs(call: Call, fd: number, target: number): number {
  const file = anyFileOf(call, fd);
  return file === undefined ? -EBADF : storeStatfs(call, file.location, target);
}
function storeStatfs(call: Call, location: Location, target: number): number {
  writeStatfs(call.scratch, 0, statFileSystem(location));
  return call.store(target, STATFS_BYTES);
}

const atFlags = flags({ AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH });
const accessFlags = flags({ AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });
const accessMode = flags({ R_OK, W_OK, X_OK }, "F_OK");
const statxFlags = custom((value) => {
  const sync = (value & AT_STATX_FORCE_SYNC) !== 0 ? "AT_STATX_FORCE_SYNC" : (value & AT_STATX_DONT_SYNC) !== 0 ? "AT_STATX_DONT_SYNC" : "AT_STATX_SYNC_AS_STAT";
  const rest = value & ~(AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC);
  return rest === 0 ? sync : `${sync}|${flagsText(rest, Object.entries({ AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH }), "")}`;
});
const STATX_NAMES: readonly (readonly [string, number])[] = [
  ["STATX_ALL", 0xfff], ["STATX_BASIC_STATS", STATX_BASIC_STATS], ["STATX_TYPE", 1], ["STATX_MODE", 2], ["STATX_NLINK", 4], ["STATX_UID", 8],
  ["STATX_GID", 16], ["STATX_ATIME", 32], ["STATX_MTIME", 64], ["STATX_CTIME", 128], ["STATX_INO", 256], ["STATX_SIZE", 512], ["STATX_BLOCKS", 1024],
  ["STATX_BTIME", STATX_BTIME], ["STATX_MNT_ID", STATX_MNT_ID],
];
const statxMask = custom((value) => flagsText(value, STATX_NAMES, "0"));
const statxOut = structOut(STATX_BYTES, (data) =>
  `{stx_mask=${flagsText(data.getUint32(0, true), STATX_NAMES, "0")}, stx_attributes=${data.getUint32(8, true) === 0 ? "0" : "STATX_ATTR_MOUNT_ROOT"}, ` +
  `stx_mode=${fileModeText(data.getUint16(28, true))}, stx_size=${data.getBigUint64(40, true)}, ...}`);

export const statCalls: readonly Row[] = [
  sys("stat", { path, status: statOut }, stat, full),
  sys("lstat", { path, status: statOut }, lstat, full),
  sys("fstat", { fd, status: statOut }, statFile, full),
  sys("newfstatat", { dirfd, path, status: statOut, flags: atFlags }, statAt, full),
  sys("statx", { dirfd, path, flags: statxFlags, mask: statxMask, status: statxOut }, statx, full),
  sys("access", { path, mode: accessMode }, access, full),
  sys("faccessat", { dirfd, path, mode: accessMode }, faccessat, full),
  sys("faccessat2", { dirfd, path, mode: accessMode, flags: accessFlags }, accessAt, full),
  sys("readlink", { path, buffer: bufferOut, bytes: size }, readlink, full),
  sys("readlinkat", { dirfd, path, buffer: bufferOut, bytes: size }, readlinkat, full),
  sys("statfs", { path, status: structOut(STATFS_BYTES, statfsText) }, statfs, full),
  sys("fstatfs", { fd, status: structOut(STATFS_BYTES, statfsText) }, fstatfs, full),
];

const MAGIC: Record<number, string> = {
  [0xef53]: "EXT2_SUPER_MAGIC", [0x01021994]: "TMPFS_MAGIC", [0x794c7630]: "OVERLAYFS_SUPER_MAGIC", [0x9fa0]: "PROC_SUPER_MAGIC", [0x50495045]: "PIPEFS_MAGIC",
  [0x534f434b]: "SOCKFS_MAGIC", [0x09041934]: "ANON_INODE_FS_MAGIC", [0x01021997]: "V9FS_MAGIC",
};
function statfsText(data: DataView): string {
  const at = (offset: number): string => String(data.getBigInt64(offset, true));
  const type = data.getUint32(0, true);
  const flagNames: readonly (readonly [string, number])[] = [["ST_VALID", 0x20], ["ST_RDONLY", 1], ["ST_NOSUID", 2], ["ST_NODEV", 4], ["ST_NOEXEC", 8], ["ST_RELATIME", 0x1000]];
  return `{f_type=${MAGIC[type] ?? `0x${type.toString(16)}`}, f_bsize=${at(8)}, f_blocks=${at(16)}, f_bfree=${at(24)}, f_bavail=${at(32)}, f_files=${at(40)}, ` +
    `f_ffree=${at(48)}, f_fsid={val=[${data.getInt32(56, true)}, ${data.getInt32(60, true)}]}, f_namelen=${at(64)}, f_frsize=${at(72)}, ` +
    `f_flags=${flagsText(data.getUint32(80, true), flagNames, "0")}}`;
}
