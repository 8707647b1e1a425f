/** What a path or place says about itself and what may be changed: stat, access, readlink, chmod, chown, utimens, truncate.
 *  Each returns 0 (or the value), -errno or WOULD_BLOCK. */
import { EFBIG, EINVAL, EISDIR, EOPNOTSUPP, EPERM, EROFS } from "../../abi/linux/errno.ts";
import { F_OK, R_OK, W_OK, X_OK } from "../../abi/linux/fcntl.ts";
import { type FileSystemStatus, type Stat, S_ISGID, S_ISUID, ST_RDONLY, UTIME_NOW, UTIME_OMIT } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import { type Caller, checkOwner, checkPermission, inGroup, MAY_WRITE } from "./credentials.ts";
import { truncateInode } from "./inode.ts";
import type { Location } from "./location.ts";
import { resolve, type ResolveOptions, type Walk } from "./namei.ts";
import { isReadOnly } from "./open.ts";
import { MAX_FILE_SIZE } from "./page-io.ts";

/** stat(2), lstat(2), fstatat(2). */
export function stat(walk: Walk, path: string, out: Stat, options: ResolveOptions = {}): number {
  const location = resolve(walk, path, options);
  return typeof location === "number" ? location : location.dentry.inode.stat(out);
}

/** The content of the symbolic link at `path`; with an empty path and `allowEmpty`, of the O_PATH base itself (readlinkat(2)). */
export function readLink(walk: Walk, path: string): string | number {
  const location = resolve(walk, path, { follow: false, allowEmpty: true });
  if (typeof location === "number") return location;
  const inode = location.dentry.inode;
  if (!inode.isSymlink) return -EINVAL;
  inode.stampRead(walk.context.clock);
  return inode.readlink(walk);
}

/** access(2): `wanted` is R_OK | W_OK | X_OK or F_OK, judged by the walk's caller (give real ids for access, effective for AT_EACCESS). */
export function access(walk: Walk, path: string, wanted: number, options: ResolveOptions = {}): number {
  if ((wanted & ~(R_OK | W_OK | X_OK)) !== 0) return -EINVAL;
  const location = resolve(walk, path, options);
  if (typeof location === "number") return location;
  if (wanted === F_OK) return 0;
  const inode = location.dentry.inode;
  if ((wanted & W_OK) !== 0 && isReadOnly(location) && (inode.isRegular || inode.isDirectory || inode.isSymlink)) return -EROFS;
  return checkPermission(inode, wanted, walk.caller);
}

/** chmod(2) on a resolved place. */
export function changeMode(context: FsContext, location: Location, mode: number, caller: Caller): number {
  const inode = location.dentry.inode;
  if (inode.isSymlink) return -EOPNOTSUPP;
  if (isReadOnly(location)) return -EROFS;
  const allowed = checkOwner(inode, caller);
  if (allowed < 0) return allowed;
  // The group-ID bit is for members of the group only (chmod(2)).
  const kept = caller.uid === 0 || inGroup(caller, inode.gid) ? mode : mode & ~S_ISGID;
  return inode.setMode(kept, context.clock);
}

/** chown(2) on a resolved place; -1 leaves an id alone. */
export function changeOwner(context: FsContext, location: Location, uid: number, gid: number, caller: Caller): number {
  const inode = location.dentry.inode;
  if (isReadOnly(location)) return -EROFS;
  const newUid = isUnset(uid) ? inode.uid : uid;
  const newGid = isUnset(gid) ? inode.gid : gid;
  if (caller.uid !== 0) {
    if (caller.uid !== inode.uid || newUid !== inode.uid) return -EPERM;
    if (newGid !== inode.gid && !inGroup(caller, newGid)) return -EPERM;
  }
  if (!inode.isDirectory && !inode.isSymlink && (inode.mode & (S_ISUID | S_ISGID)) !== 0) {
    // Set-ID bits do not survive a change of owner; a group-ID bit without group execution is a locking mark and stays.
    const dropped = S_ISUID | ((inode.mode & 0o010) !== 0 ? S_ISGID : 0);
    const cleared = inode.setMode(inode.mode & ~dropped, context.clock);
    if (cleared < 0) return cleared;
  }
  return inode.setOwner(newUid, newGid, context.clock);
}

/** One of the two times of utimensat(2). */
export interface NewTime {
  readonly seconds: number;
  /** 0…999,999,999, UTIME_NOW or UTIME_OMIT. */
  readonly nanos: number;
}

/** utimensat(2) on a resolved place; null for both means now. */
export function changeTimes(
  context: FsContext, location: Location, atime: NewTime | null, mtime: NewTime | null, caller: Caller,
): number {
  const inode = location.dentry.inode;
  if (!isValidTime(atime) || !isValidTime(mtime)) return -EINVAL;
  if (atime?.nanos === UTIME_OMIT && mtime?.nanos === UTIME_OMIT) return 0;
  if (isReadOnly(location)) return -EROFS;
  const bothNow = isNow(atime) && isNow(mtime);
  const allowed = checkOwner(inode, caller);
  // Setting both to now needs only write permission (utimensat(2)).
  if (allowed < 0) {
    if (!bothNow) return allowed;
    const writable = checkPermission(inode, MAY_WRITE, caller);
    if (writable < 0) return writable;
  }
  context.clock.sample();
  const a = concreteTime(context, atime);
  const m = concreteTime(context, mtime);
  return inode.setTimes(a.seconds, a.nanos, m.seconds, m.nanos, context.clock);
}

/** truncate(2) by path. */
export function truncate(walk: Walk, path: string, size: number): number {
  if (size < 0) return -EINVAL;
  const location = resolve(walk, path);
  if (typeof location === "number") return location;
  const inode = location.dentry.inode;
  if (inode.isDirectory) return -EISDIR;
  if (!inode.isRegular) return -EINVAL;
  const allowed = checkPermission(inode, MAY_WRITE, walk.caller);
  if (allowed < 0) return allowed;
  if (isReadOnly(location)) return -EROFS;
  if (size > MAX_FILE_SIZE) return -EFBIG;
  return truncateInode(inode, size);
}

/** statfs(2) of a resolved place. */
export function statFileSystem(location: Location): FileSystemStatus {
  const status = location.mount.filesystem.statfs();
  return location.mount.readOnly ? { ...status, flags: status.flags | ST_RDONLY } : status;
}

function isUnset(id: number): boolean {
  return id === -1 || id === 0xffff_ffff;
}
function isNow(time: NewTime | null): boolean {
  return time === null || time.nanos === UTIME_NOW;
}
function isValidTime(time: NewTime | null): boolean {
  if (time === null || time.nanos === UTIME_NOW || time.nanos === UTIME_OMIT) return true;
  return time.nanos >= 0 && time.nanos < 1_000_000_000;
}
function concreteTime(context: FsContext, time: NewTime | null): NewTime {
  if (time === null || time.nanos === UTIME_NOW) return { seconds: context.clock.seconds, nanos: context.clock.nanos };
  return time.nanos === UTIME_OMIT ? { seconds: 0, nanos: -1 } : time;
}
