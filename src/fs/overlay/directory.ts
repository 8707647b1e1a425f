/** A directory in an overlay: what was made here, merged with the lower directory, less what was removed.
 *
 *  Every name known so far has an entry: an inode, a lower name that was only listed, or a whiteout, which hides a lower
 *  name. `coversLower` says that a lower entry of the same name exists, so that removing the name leaves a whiteout. */
import { EEXIST, ENOENT, ENOSPC, ENOTEMPTY, EPERM } from "../../abi/linux/errno.ts";
import { direntType, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/linux/stat.ts";
import { DirectoryEntries } from "../tmpfs/directory-entries.ts";
import type { Owner } from "../vfs/credentials.ts";
import type { EmitEntry, Inode } from "../vfs/inode.ts";
import { OverlayFile, OverlayInode, OverlaySpecial, OverlaySymlink } from "./inodes.ts";
import type { Overlay } from "./overlay.ts";

interface Entry {
  readonly ino: number;
  readonly direntType: number;
  /** Null for whiteouts and for lower names that nobody has looked up yet. */
  readonly inode: OverlayInode | null;
  readonly coversLower: boolean;
  /** A whiteout. */
  readonly hidden: boolean;
}

export class OverlayDirectory extends OverlayInode {
  private readonly entries = new DirectoryEntries<Entry>();
  private merged = false;

  constructor(filesystem: Overlay, lower: Inode | null, ino: number, mode: number, owner: Owner) {
    super(filesystem, lower, ino, mode, owner);
    if (lower === null) this.nlink = 2;
  }

  override get size(): number {
    return this.lower?.size ?? 4096;
  }

  override lookup(name: string): Inode | number {
    const entry = this.entries.get(name);
    if (entry?.hidden === true) return -ENOENT;
    if (entry?.inode?.kept === true) return entry.inode;
    if (this.lower === null) return entry?.inode ?? -ENOENT;
    const lower = this.lower.lookup(name);
    if (typeof lower === "number") {
      if (lower === -ENOENT) this.entries.remove(name);
      return lower;
    }
    const inode = this.filesystem.wrap(lower);
    if (entry?.inode !== inode) {
      inode.above ??= this;
      this.entries.replace(name, shown(inode, true));
    }
    return inode;
  }

  override readdir(cookie: number, emit: EmitEntry): number {
    if (cookie === 0) {
      const result = this.mergeLower();
      if (result < 0) return result;
    }
    this.entries.emitAfter(cookie, emit);
    return 0;
  }

  override create(name: string, mode: number, owner: Owner): Inode | number {
    return this.make(name, (ino) => new OverlayFile(this.filesystem, null, ino, (mode & ~S_IFMT) | S_IFREG, owner));
  }
  override mkdir(name: string, mode: number, owner: Owner): Inode | number {
    const made = this.make(name, (ino) => new OverlayDirectory(this.filesystem, null, ino, (mode & ~S_IFMT) | S_IFDIR, owner));
    if (typeof made !== "number") this.nlink++;
    return made;
  }
  override mknod(name: string, mode: number, rdev: number, owner: Owner): Inode | number {
    if ((mode & S_IFMT) === S_IFREG) return this.create(name, mode, owner);
    const made = this.make(name, (ino) => new OverlaySpecial(this.filesystem, null, ino, mode, owner));
    if (typeof made !== "number") made.rdev = rdev;
    return made;
  }
  override symlink(name: string, target: string, owner: Owner): Inode | number {
    return this.make(name, (ino) => new OverlaySymlink(this.filesystem, null, ino, S_IFLNK | 0o777, owner, target));
  }
  override createUnnamed(mode: number, owner: Owner): Inode | number {
    if (!this.filesystem.admit()) return -ENOSPC;
    const inode = new OverlayFile(this.filesystem, null, this.filesystem.nextInode(), (mode & ~S_IFMT) | S_IFREG, owner);
    inode.nlink = 0;
    return inode;
  }

  override link(name: string, inode: Inode): number {
    if (this.taken(name)) return -EEXIST;
    if (inode.isDirectory) return -EPERM;
    const linked = inode as OverlayInode;
    linked.stampChanged(this.filesystem.context.clock);
    linked.nlink++;
    this.enter(name, linked);
    return 0;
  }

  override unlink(name: string, inode: Inode): number {
    this.leave(name);
    this.dropLink(inode as OverlayInode);
    return 0;
  }

  override rmdir(name: string, inode: Inode): number {
    const directory = inode as OverlayDirectory;
    const empty = directory.checkEmpty();
    if (empty < 0) return empty;
    this.leave(name);
    this.nlink--;
    directory.removed();
    return 0;
  }

  override rename(name: string, inode: Inode, newParent: Inode, newName: string, target: Inode | null, exchange: boolean): number {
    const destination = newParent as OverlayDirectory;
    const moved = inode as OverlayInode;
    const other = target as OverlayInode | null;
    if (!exchange && other instanceof OverlayDirectory) {
      const empty = other.checkEmpty();
      if (empty < 0) return empty;
    }
    const clock = this.filesystem.context.clock;
    const weight = Number(moved.isDirectory);
    const otherWeight = Number(other?.isDirectory ?? false);
    moved.stampChanged(clock);
    if (exchange) {
      other!.stampChanged(clock);
      this.enter(name, other!);
      destination.enter(newName, moved);
      this.nlink += otherWeight - weight;
      destination.nlink += weight - otherWeight;
      return 0;
    }
    this.leave(name);
    destination.enter(newName, moved);
    this.nlink -= weight;
    destination.nlink += weight - otherWeight;
    if (other instanceof OverlayDirectory) other.removed();
    else if (other !== null) this.dropLink(other);
    return 0;
  }

  /** 0, -ENOTEMPTY, or what the lower directory said. */
  checkEmpty(): number {
    const result = this.mergeLower();
    if (result < 0) return result;
    let empty = true;
    this.entries.emitAfter(0, () => {
      empty = false;
      return false;
    });
    return empty ? 0 : -ENOTEMPTY;
  }

  removed(): void {
    this.stampChanged(this.filesystem.context.clock);
    this.nlink = 0;
    if (this.users === 0) this.evict();
  }

  /** Gives every lower name an entry and drops those whose lower file is gone. */
  private mergeLower(): number {
    if (this.lower === null || (this.merged && !this.filesystem.volatileNames)) return 0;
    const seen = new Map<string, { ino: number; type: number }>();
    const result = this.lower.readdir(0, (name, ino, type) => {
      seen.set(name, { ino, type });
      return true;
    });
    if (result < 0) return result;
    for (const name of this.entries.names()) {
      const entry = this.entries.get(name)!;
      if (!seen.has(name) && entry.coversLower && entry.inode?.kept !== true) this.entries.remove(name);
    }
    for (const [name, { ino, type }] of seen) {
      if (this.entries.get(name) === undefined) {
        this.entries.add(name, { ino, direntType: type, inode: null, coversLower: true, hidden: false });
      }
    }
    this.merged = true;
    return 0;
  }

  private make(name: string, construct: (ino: number) => OverlayInode): Inode | number {
    if (this.nlink === 0) return -ENOENT;
    if (this.taken(name)) return -EEXIST;
    if (!this.filesystem.admit()) return -ENOSPC;
    const inode = construct(this.filesystem.nextInode());
    this.enter(name, inode);
    return inode;
  }

  private taken(name: string): boolean {
    const entry = this.entries.get(name);
    return entry !== undefined && !entry.hidden;
  }

  /** Lets `name` mean `inode`, whatever it meant before. */
  private enter(name: string, inode: OverlayInode): void {
    const covers = this.entries.get(name)?.coversLower ?? false;
    this.stampModified(this.filesystem.context.clock);
    inode.above = this;
    this.entries.replace(name, shown(inode, covers));
  }

  private leave(name: string): void {
    const covers = this.entries.get(name)?.coversLower ?? false;
    this.stampModified(this.filesystem.context.clock);
    if (covers) this.entries.replace(name, WHITEOUT);
    else this.entries.remove(name);
  }

  private dropLink(inode: OverlayInode): void {
    inode.stampChanged(this.filesystem.context.clock);
    inode.nlink--;
    if (inode.nlink === 0 && inode.users === 0) inode.evict();
  }
}

const WHITEOUT: Entry = { ino: 0, direntType: 0, inode: null, coversLower: true, hidden: true };

function shown(inode: OverlayInode, coversLower: boolean): Entry {
  return { inode, ino: inode.ino, direntType: direntType(inode.mode), coversLower, hidden: false };
}
