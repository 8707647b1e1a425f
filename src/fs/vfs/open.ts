/** open(2): from a path and flags to an open file. `mode` has the umask applied already.
 *
 *  Order, which decides the errno when several would do, is Linux's: flags, walk, existence (EEXIST, ENOENT), links (ELOOP),
 *  types (EISDIR, ENOTDIR), permission (EACCES), read-only filesystem (EROFS), then truncation, then the type's own open. */
import { EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EPERM, EROFS } from "../../abi/linux/errno.ts";
import {
  mayWrite, O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_LARGEFILE, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_PATH, O_RDONLY, O_RDWR,
  O_TMPFILE_BIT, O_TRUNC, O_WRONLY,
} from "../../abi/linux/fcntl.ts";
import { S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../../abi/linux/stat.ts";
import { Pipe } from "../pipe/pipe.ts";
import { openPipeEnd } from "../pipe/pipe-file.ts";
import { checkOwner, checkPermission, MAY_EXECUTE, MAY_READ, MAY_WRITE, ownerOfNew } from "./credentials.ts";
import { DirectoryFile } from "./directory-file.ts";
import { Dentry, type Location } from "./location.ts";
import { followLast, lookupStep, resolve, resolveLast, resolveTarget, type Target, type Walk } from "./namei.ts";
import type { OpenFile } from "./open-file.ts";
import { PathFile } from "./path-file.ts";
import { RegularFile } from "./regular-file.ts";

/** Flags that describe the opening and not the open file (F_GETFL does not show them). */
const CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;

/** Opens `path`: an open file with one reference, -errno or WOULD_BLOCK. Call its completeOpen before using it. */
export function open(walk: Walk, path: string, flags: number, mode: number): OpenFile | number {
  if ((flags & O_PATH) !== 0) return openPath(walk, path, flags);
  if ((flags & (O_CREAT | O_DIRECTORY)) === (O_CREAT | O_DIRECTORY)) return -EINVAL;
  if ((flags & O_TMPFILE_BIT) !== 0) return openUnnamed(walk, path, flags, mode);
  if ((flags & O_CREAT) !== 0) return openOrCreate(walk, path, flags, mode);
  const target = resolveTarget(walk, path);
  if (typeof target === "number") return target;
  const location = resolveLast(walk, target, (flags & O_NOFOLLOW) === 0);
  return typeof location === "number" ? location : openLocation(walk, location, flags);
}

/** Opens a place that has been resolved already (exec, O_PATH descriptors through /proc/self/fd). */
export function openLocation(walk: Walk, location: Location, flags: number): OpenFile | number {
  const inode = location.dentry.inode;
  if ((flags & O_DIRECTORY) !== 0 && !inode.isDirectory) return -ENOTDIR;
  if (inode.isSymlink) return -ELOOP;
  const allowed = checkOpen(walk, location, flags);
  if (allowed < 0) return allowed;
  const file = openInode(walk, location, flags);
  if (typeof file === "number" || (flags & O_TRUNC) === 0 || !inode.isRegular) return file;
  // Cut only once it is open, so that a call which must be repeated finds it open or uncut.
  const cut = inode.truncate(0);
  if (cut >= 0) return file;
  file.release();
  return cut;
}

/** The part of open after every check: builds the open file for the inode's type. */
function openInode(walk: Walk, location: Location, flags: number): OpenFile | number {
  const inode = location.dentry.inode;
  const kept = (flags & ~CREATION_FLAGS) | O_LARGEFILE;
  const own = inode.open(location, kept, walk.caller);
  if (own !== undefined) return own;
  switch (inode.type) {
    case S_IFREG: {
      if (inode.pages === null) return -EINVAL;
      const ready = mayWrite(kept) || (flags & O_TRUNC) !== 0 ? inode.prepareWrite() : inode.prepareRead();
      return ready < 0 ? ready : new RegularFile(walk.context, inode, inode.pages, location, kept);
    }
    case S_IFIFO:
      inode.fifo ??= new Pipe(walk.context);
      return openPipeEnd(inode.fifo, inode, location, kept);
    case S_IFDIR:
      return new DirectoryFile(walk.context, inode, location, kept, walk.root);
    case S_IFCHR:
      return walk.context.devices.open(inode.rdev, inode, location, flags & ~(CREATION_FLAGS & ~O_NOCTTY) | O_LARGEFILE, walk.caller);
    case S_IFSOCK:
      return -ENXIO;
    case S_IFLNK:
      return -ELOOP;
    default:
      return -ENXIO;
  }
}

function openPath(walk: Walk, path: string, flags: number): OpenFile | number {
  const location = resolve(walk, path, { follow: (flags & O_NOFOLLOW) === 0 });
  if (typeof location === "number") return location;
  if ((flags & O_DIRECTORY) !== 0 && !location.dentry.inode.isDirectory) return -ENOTDIR;
  return new PathFile(location.dentry.inode, location, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW));
}

/** open(O_TMPFILE): `path` is the directory whose filesystem the nameless file belongs to. */
function openUnnamed(walk: Walk, path: string, flags: number, mode: number): OpenFile | number {
  if ((flags & O_DIRECTORY) === 0) return -EINVAL;
  if ((flags & O_ACCMODE) === O_RDONLY) return -EINVAL;
  const location = resolve(walk, path, { follow: (flags & O_NOFOLLOW) === 0 });
  if (typeof location === "number") return location;
  const directory = location.dentry.inode;
  if (!directory.isDirectory) return -ENOTDIR;
  if (checkPermission(directory, MAY_WRITE | MAY_EXECUTE, walk.caller) < 0) return -EACCES;
  if (isReadOnly(location)) return -EROFS;
  const inode = directory.createUnnamed(S_IFREG | (mode & 0o7777), ownerOfNew(directory, walk.caller));
  if (typeof inode === "number") return inode;
  inode.linkable = (flags & O_EXCL) === 0;
  const dentry = new Dentry(`/#${inode.ino}`, null, inode);
  dentry.unlinked = true;
  return openInode(walk, { mount: location.mount, dentry }, flags & ~(O_TMPFILE_BIT | O_DIRECTORY));
}

function openOrCreate(walk: Walk, path: string, flags: number, mode: number): OpenFile | number {
  const first = resolveTarget(walk, path);
  if (typeof first === "number") return first;
  let target: Target = first;
  for (;;) {
    // "x/" cannot name a new file; "./" is a directory that exists, and is told so below.
    if (target.trailingSlash && !["", ".", ".."].includes(target.name)) return -EISDIR;
    const found = lookupStep(walk, target.parent, target.name);
    if (found === -ENOENT) return createAndOpen(walk, target, flags, mode);
    if (typeof found === "number") return found;
    if ((flags & O_EXCL) !== 0) return -EEXIST;
    const inode = found.dentry.inode;
    if (inode.isDirectory) return -EISDIR;
    if (!inode.isSymlink) return openLocation(walk, found, flags);
    if ((flags & O_NOFOLLOW) !== 0) return -ELOOP;
    const next = followLast(walk, target, found);
    if (typeof next === "number") return next;
    if ("dentry" in next) return openLocation(walk, next, flags);
    target = next;
  }
}

function createAndOpen(walk: Walk, target: Target, flags: number, mode: number): OpenFile | number {
  const directory = target.parent.dentry.inode;
  if (isReadOnly(target.parent)) return -EROFS;
  if (checkPermission(directory, MAY_WRITE | MAY_EXECUTE, walk.caller) < 0) return -EACCES;
  const made = directory.create(target.name, S_IFREG | (mode & 0o7777), ownerOfNew(directory, walk.caller));
  if (typeof made === "number") return made;
  const dentry = target.parent.dentry.child(target.name, made);
  // A file just made is open as asked for, whatever its mode says (open(2): O_CREAT with mode 0).
  return openInode(walk, { mount: target.parent.mount, dentry }, flags);
}

/** Types, permission and read-only mounts, in Linux's order (may_open in open(2)'s terms). */
function checkOpen(walk: Walk, location: Location, flags: number): number {
  const inode = location.dentry.inode;
  const writes = (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0;
  if (inode.isDirectory && (writes || (flags & O_CREAT) !== 0)) return -EISDIR;
  const allowed = checkPermission(inode, wantedAccess(flags), walk.caller);
  if (allowed < 0) return allowed;
  if (writes && (inode.isRegular || inode.isDirectory) && isReadOnly(location)) return -EROFS;
  if ((flags & O_NOATIME) !== 0 && checkOwner(inode, walk.caller) < 0) return -EPERM;
  return 0;
}

function wantedAccess(flags: number): number {
  const truncates = (flags & O_TRUNC) !== 0 ? MAY_WRITE : 0;
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      return MAY_READ | truncates;
    case O_WRONLY:
      return MAY_WRITE;
    case O_RDWR:
      return MAY_READ | MAY_WRITE;
    default:
      return MAY_READ | MAY_WRITE;
  }
}

export function isReadOnly(location: Location): boolean {
  return location.mount.readOnly || location.mount.filesystem.readOnly;
}
