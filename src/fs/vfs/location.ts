/** Places in the tree: dentries give names to inodes, mounts join trees, a Location is a dentry as seen through a mount.
 *
 *  Invariants
 *  - While anybody holds a Dentry, its parent knows it under its name: a rename moves it, an unlink marks it. So the path
 *    of a working directory or an open file stays right however it is renamed.
 *  - A Dentry of a mount point leads to the mount on it (`mounted`); walking never stays on a covered dentry.
 *  - The cache is bounded: past DENTRY_LIMIT the children of every directory are held weakly until they are used again. */
import type { FileSystem, Inode } from "./inode.ts";

/** Dentries a tree makes before it lets go of the unused ones. */
const DENTRY_LIMIT = 100_000;

export class Dentry {
  /** Byte string; "" for the root of a filesystem. */
  name: string;
  parent: Dentry | null;
  readonly inode: Inode;
  /** The name was removed; the path shows " (deleted)". */
  unlinked = false;
  /** Topmost mount on this dentry. Written by MountTable only. */
  mounted: Mount | null = null;
  private children: Map<string, Dentry | WeakRef<Dentry>> | null = null;
  /** Dentries made in this tree since they were last weakened; one counter for the whole tree. */
  private readonly tree: { made: number; readonly root: Dentry };

  constructor(name: string, parent: Dentry | null, inode: Inode) {
    this.name = name;
    this.parent = parent;
    this.inode = inode;
    this.tree = parent === null ? { made: 0, root: this } : parent.tree;
  }

  /** The known child of that name. It may be out of date on a filesystem with volatile names. */
  findChild(name: string): Dentry | undefined {
    const child = this.children?.get(name);
    return child instanceof WeakRef ? child.deref() : child;
  }

  /** The child of that name for `inode`: the known one if it is the same file, or a new one. */
  child(name: string, inode: Inode): Dentry {
    const known = this.findChild(name);
    if (known !== undefined) {
      if (known.inode === inode) return known;
      known.unlinked = true;
    }
    if (++this.tree.made > DENTRY_LIMIT) {
      this.tree.made = 0;
      this.tree.root.weakenChildren();
    }
    const made = new Dentry(name, this, inode);
    this.children ??= new Map();
    this.children.set(name, made);
    return made;
  }

  /** The name is gone. */
  dropChild(name: string): void {
    const known = this.findChild(name);
    if (known !== undefined) known.unlinked = true;
    this.children?.delete(name);
  }

  /** `child` now is `newName` of `newParent`, whose former holder of that name is marked unlinked. */
  moveChild(name: string, newParent: Dentry, newName: string): void {
    const moved = this.findChild(name);
    this.children?.delete(name);
    newParent.dropChild(newName);
    if (moved === undefined) return;
    moved.name = newName;
    moved.parent = newParent;
    newParent.children ??= new Map();
    newParent.children.set(newName, moved);
  }

  /** Two names change places (renameat2(2) RENAME_EXCHANGE). */
  exchangeChild(name: string, other: Dentry, otherName: string): void {
    const mine = this.findChild(name);
    const theirs = other.findChild(otherName);
    this.children?.delete(name);
    other.children?.delete(otherName);
    if (mine !== undefined) other.adopt(otherName, mine);
    if (theirs !== undefined) this.adopt(name, theirs);
  }

  /** Lets the garbage collector have every child that nobody else holds. */
  private weakenChildren(): void {
    if (this.children === null) return;
    for (const [name, child] of this.children) {
      const dentry = child instanceof WeakRef ? child.deref() : child;
      if (dentry === undefined) {
        this.children.delete(name);
        continue;
      }
      dentry.weakenChildren();
      if (!(child instanceof WeakRef)) this.children.set(name, new WeakRef(dentry));
    }
  }

  private adopt(name: string, child: Dentry): void {
    child.name = name;
    child.parent = this;
    this.children ??= new Map();
    this.children.set(name, child);
  }
}

/** One tree hung into another. */
export interface Mount {
  /** As in /proc/self/mountinfo. */
  readonly id: number;
  readonly filesystem: FileSystem;
  /** What of the filesystem is visible here. */
  readonly root: Dentry;
  /** Where it is mounted; null for the root of the namespace and for filesystems without a place (pipes, memfd). */
  readonly point: Location | null;
  /** The mount it covers on the same point, shown again after umount. */
  readonly below: Mount | null;
  /** Refuses changes with EROFS whatever the filesystem would say. */
  readonly readOnly: boolean;
}

export interface Location {
  readonly mount: Mount;
  readonly dentry: Dentry;
}

/** True when both name the same place. */
export function sameLocation(a: Location, b: Location): boolean {
  return a.mount === b.mount && a.dentry === b.dentry;
}

/** The topmost mount's root when something is mounted on `location`. */
export function throughMounts(location: Location): Location {
  let here = location;
  while (here.dentry.mounted !== null && here.dentry.mounted.point?.mount === here.mount) {
    here = { mount: here.dentry.mounted, dentry: here.dentry.mounted.root };
  }
  return here;
}

/** The directory that ".." means, never above `root` (path_resolution(7)). */
export function parentOf(location: Location, root: Location): Location {
  let here = location;
  for (;;) {
    if (sameLocation(here, root)) return here;
    if (here.dentry !== here.mount.root) break;
    if (here.mount.point === null) return here;
    here = here.mount.point;
  }
  const parent = here.dentry.parent;
  if (parent === null) return here;
  return throughMounts({ mount: here.mount, dentry: parent });
}

/** Absolute path of `location` below `root`, a byte string. Files without a place in the tree give their own name
 *  ("pipe:[7]"); removed ones end in " (deleted)"; places outside `root` start with "(unreachable)" (getcwd(2)). */
export function pathOf(location: Location, root: Location): string {
  let path = "";
  let here = location;
  const deleted = location.dentry.unlinked ? " (deleted)" : "";
  for (;;) {
    if (sameLocation(here, root)) return `${path === "" ? "/" : path}${deleted}`;
    if (here.dentry === here.mount.root || here.dentry.parent === null) {
      if (here.mount.point === null) {
        if (here.dentry.name !== "") return `${here.dentry.name}${path}${deleted}`;
        return `(unreachable)${path === "" ? "/" : path}${deleted}`;
      }
      here = here.mount.point;
      continue;
    }
    path = `/${here.dentry.name}${path}`;
    here = { mount: here.mount, dentry: here.dentry.parent };
  }
}
