/** From a path to a place (path_resolution(7)).
 *
 *  Every component is looked up here, in the guest's own namespace: ".." stops at the caller's root, symbolic links of
 *  host directories are followed inside the guest, mounts are crossed both ways. A provider only ever sees one name in one
 *  directory, so no path leaves a mount except through the tree.
 *
 *  A walk that blocks on a provider starts over when it is retried; the filesystem has cached what it had found. */
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from "../../abi/linux/errno.ts";
import { MAX_SYMLINKS, NAME_MAX, PATH_MAX } from "../../abi/linux/fcntl.ts";
import type { FsContext } from "../context.ts";
import { WOULD_BLOCK } from "../wait.ts";
import { type Caller, checkPermission, MAY_EXECUTE } from "./credentials.ts";
import type { Inode } from "./inode.ts";
import { type Location, parentOf, throughMounts } from "./location.ts";

/** From where and for whom a path is walked. */
export interface Walk {
  readonly context: FsContext;
  /** "/" of the caller (chroot(2)). */
  readonly root: Location;
  /** Start of relative paths: the working directory or the directory of an *at call. */
  readonly base: Location;
  readonly caller: Caller;
}

/** What to do with the last component. */
export interface ResolveOptions {
  /** Follow a symbolic link at the end (default true). A trailing slash always follows. */
  readonly follow?: boolean;
  /** An empty path is the base itself (AT_EMPTY_PATH). */
  readonly allowEmpty?: boolean;
}

/** The place where the last component of a path is or would be. */
export interface Target {
  readonly parent: Location;
  /** The last component, "" when the path has none ("/"), or "." or "..". */
  readonly name: string;
  readonly trailingSlash: boolean;
  /** Symbolic links followed so far; continued when the last component is a link, too. */
  readonly links: number;
}

/** The place `path` names, or -errno, or WOULD_BLOCK. */
export function resolve(walk: Walk, path: string, options: ResolveOptions = {}): Location | number {
  if (path === "" && options.allowEmpty === true) return walk.base;
  const target = resolveTarget(walk, path);
  if (typeof target === "number") return target;
  return resolveLast(walk, target, options.follow ?? true);
}

/** Like {@link resolve}, and the place must be a directory that the caller may search (chdir(2)). */
export function resolveDirectory(walk: Walk, path: string): Location | number {
  const location = resolve(walk, path);
  if (typeof location === "number") return location;
  if (!location.dentry.inode.isDirectory) return -ENOTDIR;
  const allowed = checkPermission(location.dentry.inode, MAY_EXECUTE, walk.caller);
  return allowed < 0 ? allowed : location;
}

/** Walks all but the last component. `links` continues the count of an earlier part of the same path. */
export function resolveTarget(walk: Walk, path: string, links = 0): Target | number {
  if (path.length >= PATH_MAX) return -ENAMETOOLONG;
  if (path === "") return -ENOENT;
  let here = path.charCodeAt(0) === SLASH ? walk.root : walk.base;
  let rest = path;
  let at = 0;
  for (;;) {
    while (at < rest.length && rest.charCodeAt(at) === SLASH) at++;
    let end = rest.indexOf("/", at);
    if (end < 0) end = rest.length;
    const name = rest.slice(at, end);
    let next = end;
    while (next < rest.length && rest.charCodeAt(next) === SLASH) next++;
    if (name === "" || next === rest.length) {
      if (name.length > NAME_MAX) return -ENAMETOOLONG;
      // What comes last is looked up in a directory that may be searched, whether it is there or not.
      if (name !== "" && !here.dentry.inode.isDirectory) return -ENOTDIR;
      if (name !== "" && checkPermission(here.dentry.inode, MAY_EXECUTE, walk.caller) < 0) return -EACCES;
      return { parent: here, name, trailingSlash: next > end, links };
    }
    const step = lookupStep(walk, here, name);
    if (typeof step === "number") return step;
    at = next;
    const inode = step.dentry.inode;
    if (!inode.isSymlink) {
      here = step;
      continue;
    }
    if (++links > MAX_SYMLINKS) return -ELOOP;
    const followed = inode.follow(walk);
    if (typeof followed === "number") return followed;
    if (typeof followed !== "string") {
      here = followed;
      continue;
    }
    if (followed === "") return -ENOENT;
    if (followed.charCodeAt(0) === SLASH) here = walk.root;
    rest = `${followed}/${rest.slice(next)}`;
    at = 0;
  }
}

/** Looks up the last component. @param follow whether a symbolic link there is followed */
export function resolveLast(walk: Walk, first: Target, follow: boolean): Location | number {
  let target = first;
  for (;;) {
    const location = lookupStep(walk, target.parent, target.name);
    if (typeof location === "number") return location;
    const inode = location.dentry.inode;
    if (inode.isSymlink && (follow || target.trailingSlash)) {
      const next = followLast(walk, target, location);
      if (typeof next === "number") return next;
      if ("dentry" in next) return mustBeDirectory(next, target.trailingSlash);
      target = next;
      continue;
    }
    return mustBeDirectory(location, target.trailingSlash);
  }
}

/** Where the symbolic link `link` at the end of `target` leads: a new target to look up, or the place a magic link means. */
export function followLast(walk: Walk, target: Target, link: Location): Target | Location | number {
  const links = target.links + 1;
  if (links > MAX_SYMLINKS) return -ELOOP;
  const followed = link.dentry.inode.follow(walk);
  if (typeof followed !== "string") return followed;
  if (followed === "") return -ENOENT;
  const inner = resolveTarget({ ...walk, base: target.parent }, followed, links);
  if (typeof inner === "number") return inner;
  return target.trailingSlash ? { ...inner, trailingSlash: true } : inner;
}

/** One component: `name` in the directory `here`, through whatever is mounted there. "" and "." stay, ".." goes up. */
export function lookupStep(walk: Walk, here: Location, name: string): Location | number {
  const directory = here.dentry.inode;
  if (!directory.isDirectory) return name === "" ? here : -ENOTDIR;
  if (name === "") return here;
  if (checkPermission(directory, MAY_EXECUTE, walk.caller) < 0) return -EACCES;
  if (name === ".") return here;
  if (name === "..") return parentOf(here, walk.root);
  const child = lookupChild(here, name);
  return typeof child === "number" ? child : throughMounts(child);
}

/** The entry itself, not what is mounted on it, and without asking for permission. */
export function lookupChild(here: Location, name: string): Location | number {
  if (name.length > NAME_MAX) return -ENAMETOOLONG;
  const parent = here.dentry;
  // A removed directory has no entries and gets none (rmdir(2)).
  if (!here.mount.filesystem.volatileNames) {
    const known = parent.findChild(name);
    if (known !== undefined) return { mount: here.mount, dentry: known };
  }
  const inode: Inode | number = parent.inode.lookup(name);
  if (typeof inode === "number") {
    if (inode !== WOULD_BLOCK) parent.dropChild(name);
    return inode;
  }
  return { mount: here.mount, dentry: parent.child(name, inode) };
}

const SLASH = 47;

function mustBeDirectory(location: Location, required: boolean): Location | number {
  return required && !location.dentry.inode.isDirectory ? -ENOTDIR : location;
}
