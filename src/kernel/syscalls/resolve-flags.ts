/** openat2(2)'s RESOLVE_* flags: a walk that only looks, done before the real one. Nothing can change in between, because a
 *  call runs without interruption until it parks.
 *
 *  RESOLVE_IN_ROOT needs no look: the walk gets the directory as its root. */
import { EAGAIN, ELOOP, ENOENT, EXDEV } from "../../abi/linux/errno.ts";
import { MAX_SYMLINKS } from "../../abi/linux/fcntl.ts";
import type { Location } from "../../fs/vfs/location.ts";
import { sameLocation } from "../../fs/vfs/location.ts";
import { lookupStep, type Walk } from "../../fs/vfs/namei.ts";

export const RESOLVE_NO_XDEV = 1, RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4, RESOLVE_BENEATH = 8, RESOLVE_IN_ROOT = 16, RESOLVE_CACHED = 32;
export const RESOLVE_NAMES = { RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_CACHED };
export const RESOLVE_ALL = 63;

/** The walk to open `path` with, or -errno, or WOULD_BLOCK. @param followsLast a symbolic link at the end is followed */
export function restrict(walk: Walk, path: string, resolve: number, followsLast: boolean): Walk | number {
  if (resolve === 0) return walk;
  // What is cached is the filesystems' business; the caller is to try again without the flag.
  if ((resolve & RESOLVE_CACHED) !== 0) return -EAGAIN;
  const confined = (resolve & RESOLVE_IN_ROOT) !== 0 ? { ...walk, root: walk.base } : walk;
  const checked = look(confined, path, resolve, followsLast);
  return checked < 0 ? checked : confined;
}

function look(walk: Walk, path: string, resolve: number, followsLast: boolean): number {
  const beneath = (resolve & RESOLVE_BENEATH) !== 0;
  if (beneath && path.startsWith("/")) return -EXDEV;
  let here: Location = path.startsWith("/") ? walk.root : walk.base;
  const start = here;
  const rest = path.split("/").filter((name) => name !== "" && name !== ".").reverse();
  let links = 0;
  while (rest.length > 0) {
    const name = rest.pop()!;
    if (beneath && name === ".." && sameLocation(here, start)) return -EXDEV;
    const next = lookupStep(walk, here, name);
    // Whatever is wrong is for the real walk to say; the last name may not exist yet.
    if (typeof next === "number") return next === -ENOENT && rest.length === 0 ? 0 : next;
    if ((resolve & RESOLVE_NO_XDEV) !== 0 && next.mount !== here.mount) return -EXDEV;
    const { inode } = next.dentry;
    if (!inode.isSymlink || (rest.length === 0 && !followsLast)) {
      here = next;
      continue;
    }
    if ((resolve & RESOLVE_NO_SYMLINKS) !== 0 || ++links > MAX_SYMLINKS) return -ELOOP;
    const target = inode.follow(walk);
    if (typeof target === "number") return target;
    if (typeof target !== "string") {
      if ((resolve & (RESOLVE_NO_MAGICLINKS)) !== 0) return -ELOOP;
      if ((resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0) return -EXDEV;
      here = target;
      continue;
    }
    if (target.startsWith("/")) {
      if (beneath) return -EXDEV;
      if ((resolve & RESOLVE_NO_XDEV) !== 0 && here.mount !== walk.root.mount) return -EXDEV;
      here = walk.root;
    }
    rest.push(...target.split("/").filter((part) => part !== "" && part !== ".").reverse());
  }
  return 0;
}
