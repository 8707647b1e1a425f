/** Changes to the tree of names: mkdir, mknod, symlink, link, unlink, rmdir, rename. Modes have the umask applied already.
 *
 *  Each returns 0, -errno or WOULD_BLOCK. The order of checks is Linux's, so that the same errno wins when several would do:
 *  the last component, existence, trailing slash, read-only filesystem, permission, types. */
import {
  EACCES, EBUSY, EEXIST, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EROFS, EXDEV,
} from "../../abi/linux/errno.ts";
import { PATH_MAX, RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../abi/linux/fcntl.ts";
import { PERMISSION_BITS, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID, S_ISVTX } from "../../abi/linux/stat.ts";
import { checkPermission, checkRemoval, MAY_EXECUTE, MAY_WRITE, ownerOfNew } from "./credentials.ts";
import type { Dentry, Location } from "./location.ts";
import { lookupChild, resolveTarget, type Target, type Walk } from "./namei.ts";
import { isReadOnly } from "./open.ts";

export function makeDirectory(walk: Walk, path: string, mode: number): number {
  const target = newTarget(walk, path, "directory");
  if (typeof target === "number") return target;
  const directory = target.parent.dentry.inode;
  const bits = (mode & (0o777 | S_ISVTX)) | (directory.mode & S_ISGID);
  const made = directory.mkdir(target.name, S_IFDIR | bits, ownerOfNew(directory, walk.caller));
  if (typeof made === "number") return made;
  target.parent.dentry.child(target.name, made);
  return 0;
}

/** mknod(2). Device nodes are for uid 0. */
export function makeNode(walk: Walk, path: string, mode: number, rdev: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFDIR) return -EPERM;
  if (![0, S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK].includes(type)) return -EINVAL;
  const target = newTarget(walk, path, "other");
  if (typeof target === "number") return target;
  if ((type === S_IFCHR || type === S_IFBLK) && walk.caller.uid !== 0) return -EPERM;
  const directory = target.parent.dentry.inode;
  const made = directory.mknod(target.name, (type === 0 ? S_IFREG : type) | (mode & PERMISSION_BITS), rdev, ownerOfNew(directory, walk.caller));
  if (typeof made === "number") return made;
  target.parent.dentry.child(target.name, made);
  return 0;
}

export function makeSymlink(walk: Walk, content: string, path: string): number {
  if (content === "") return -ENOENT;
  if (content.length >= PATH_MAX) return -ENAMETOOLONG;
  const target = newTarget(walk, path, "other");
  if (typeof target === "number") return target;
  const directory = target.parent.dentry.inode;
  const made = directory.symlink(target.name, content, ownerOfNew(directory, walk.caller));
  if (typeof made === "number") return made;
  target.parent.dentry.child(target.name, made);
  return 0;
}

/** linkat(2): one more name for `existing`, which the caller has resolved with or without following. */
export function makeLink(walk: Walk, existing: Location, path: string): number {
  const target = newTarget(walk, path, "other");
  if (typeof target === "number") return target;
  const inode = existing.dentry.inode;
  if (existing.mount !== target.parent.mount) return -EXDEV;
  if (inode.isDirectory) return -EPERM;
  if (inode.nlink === 0 && !inode.linkable) return -ENOENT;
  const result = target.parent.dentry.inode.link(target.name, inode);
  if (result < 0) return result;
  target.parent.dentry.child(target.name, inode);
  return 0;
}

export function unlink(walk: Walk, path: string): number {
  const target = resolveTarget(walk, path);
  if (typeof target === "number") return target;
  if (!isOrdinary(target.name)) return -EISDIR;
  const victim = lookupChild(target.parent, target.name);
  if (typeof victim === "number") return victim;
  const inode = victim.dentry.inode;
  if (target.trailingSlash) return inode.isDirectory ? -EISDIR : -ENOTDIR;
  const allowed = mayRemove(walk, target.parent, victim);
  if (allowed < 0) return allowed;
  if (inode.isDirectory) return -EISDIR;
  const result = target.parent.dentry.inode.unlink(target.name, inode);
  if (result < 0) return result;
  target.parent.dentry.dropChild(target.name);
  return 0;
}

export function removeDirectory(walk: Walk, path: string): number {
  const target = resolveTarget(walk, path);
  if (typeof target === "number") return target;
  if (target.name === "") return -EBUSY;
  if (target.name === ".") return -EINVAL;
  if (target.name === "..") return -ENOTEMPTY;
  const victim = lookupChild(target.parent, target.name);
  if (typeof victim === "number") return victim;
  const allowed = mayRemove(walk, target.parent, victim);
  if (allowed < 0) return allowed;
  const inode = victim.dentry.inode;
  if (!inode.isDirectory) return -ENOTDIR;
  const result = target.parent.dentry.inode.rmdir(target.name, inode);
  if (result < 0) return result;
  target.parent.dentry.dropChild(target.name);
  return 0;
}

/** renameat2(2). The two walks may start at different directories; root and caller are the same. */
export function rename(fromWalk: Walk, fromPath: string, toWalk: Walk, toPath: string, flags: number): number {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) return -EINVAL;
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  if (exchange && (flags & RENAME_NOREPLACE) !== 0) return -EINVAL;
  const from = resolveTarget(fromWalk, fromPath);
  if (typeof from === "number") return from;
  const to = resolveTarget(toWalk, toPath);
  if (typeof to === "number") return to;
  if (from.parent.mount !== to.parent.mount) return -EXDEV;
  if (!isOrdinary(from.name)) return -EBUSY;
  if (!isOrdinary(to.name)) return (flags & RENAME_NOREPLACE) !== 0 ? -EEXIST : -EBUSY;

  const moved = lookupChild(from.parent, from.name);
  if (typeof moved === "number") return moved;
  const present = lookupChild(to.parent, to.name);
  if (typeof present === "number" && present !== -ENOENT) return present;
  const replaced = typeof present === "number" ? null : present;
  if (replaced !== null && (flags & RENAME_NOREPLACE) !== 0) return -EEXIST;
  if (replaced === null && exchange) return -ENOENT;

  const inode = moved.dentry.inode;
  const other = replaced?.dentry.inode ?? null;
  if (!inode.isDirectory && (from.trailingSlash || (!exchange && to.trailingSlash))) return -ENOTDIR;
  if (exchange && to.trailingSlash && !other!.isDirectory) return -ENOTDIR;
  if (isWithin(to.parent.dentry, moved.dentry)) return -EINVAL;
  if (replaced !== null && isWithin(from.parent.dentry, replaced.dentry)) return exchange ? -EINVAL : -ENOTEMPTY;
  if (inode === other) return 0;

  const allowed = mayMove(fromWalk, from, moved, to, replaced, exchange);
  if (allowed < 0) return allowed;
  const result = from.parent.dentry.inode.rename(from.name, inode, to.parent.dentry.inode, to.name, other, exchange);
  if (result < 0) return result;
  if (exchange) from.parent.dentry.exchangeChild(from.name, to.parent.dentry, to.name);
  else from.parent.dentry.moveChild(from.name, to.parent.dentry, to.name);
  return 0;
}

/** A name that does not exist yet, in a directory that the caller may add to. */
function newTarget(walk: Walk, path: string, kind: "directory" | "other"): Target | number {
  const target = resolveTarget(walk, path);
  if (typeof target === "number") return target;
  if (!isOrdinary(target.name)) return -EEXIST;
  const directory = target.parent.dentry.inode;
  const present = lookupChild(target.parent, target.name);
  if (typeof present !== "number") return -EEXIST;
  if (present !== -ENOENT) return present;
  if (target.trailingSlash && kind !== "directory") return -ENOENT;
  if (isReadOnly(target.parent)) return -EROFS;
  return checkPermission(directory, MAY_WRITE | MAY_EXECUTE, walk.caller) < 0 ? -EACCES : target;
}

function mayRemove(walk: Walk, parent: Location, victim: Location): number {
  if (isReadOnly(parent)) return -EROFS;
  const allowed = checkRemoval(parent.dentry.inode, victim.dentry.inode, walk.caller);
  if (allowed < 0) return allowed;
  return holdsMount(victim) ? -EBUSY : 0;
}

function mayMove(walk: Walk, from: Target, moved: Location, to: Target, replaced: Location | null, exchange: boolean): number {
  if (isReadOnly(from.parent)) return -EROFS;
  const source = checkRemoval(from.parent.dentry.inode, moved.dentry.inode, walk.caller);
  if (source < 0) return source;
  const directory = moved.dentry.inode.isDirectory;
  if (replaced === null) {
    if (checkPermission(to.parent.dentry.inode, MAY_WRITE | MAY_EXECUTE, walk.caller) < 0) return -EACCES;
  } else {
    const destination = checkRemoval(to.parent.dentry.inode, replaced.dentry.inode, walk.caller);
    if (destination < 0) return destination;
    if (!exchange && directory && !replaced.dentry.inode.isDirectory) return -ENOTDIR;
    if (!exchange && !directory && replaced.dentry.inode.isDirectory) return -EISDIR;
  }
  // Its ".." changes, which is a write to the directory itself (rename(2): EACCES).
  if (directory && from.parent.dentry !== to.parent.dentry && checkPermission(moved.dentry.inode, MAY_WRITE, walk.caller) < 0) return -EACCES;
  if (holdsMount(moved) || (replaced !== null && holdsMount(replaced))) return -EBUSY;
  return 0;
}

function holdsMount(location: Location): boolean {
  return location.dentry.mounted !== null;
}

/** "", "." and ".." are not names that can be made, removed or moved. */
function isOrdinary(name: string): boolean {
  return name !== "" && name !== "." && name !== "..";
}

/** True when `dentry` is `ancestor` or lies below it. */
function isWithin(dentry: Dentry, ancestor: Dentry): boolean {
  for (let at: Dentry | null = dentry; at !== null; at = at.parent) if (at === ancestor) return true;
  return false;
}
