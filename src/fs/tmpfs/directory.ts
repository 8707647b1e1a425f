/** A directory in memory. Keeps the link counts that Linux reports: 2 for a directory plus one for each subdirectory. */
import { EEXIST, EMLINK, ENOENT, ENOSPC, ENOTEMPTY, EPERM } from "../../abi/linux/errno.ts";
import { direntType, S_IFDIR, S_IFLNK, S_IFREG } from "../../abi/linux/stat.ts";
import type { Owner } from "../vfs/credentials.ts";
import { type EmitEntry, Inode } from "../vfs/inode.ts";
import { DirectoryEntries } from "./directory-entries.ts";
import { TmpfsFile, TmpfsSpecial, TmpfsSymlink } from "./nodes.ts";
import type { Tmpfs } from "./tmpfs.ts";

/** Largest link count (ext4's 65000 would do; tmpfs has none but u32). */
const LINK_MAX = 0xffff_ffff;

interface Entry {
  readonly inode: Inode;
  readonly ino: number;
  readonly direntType: number;
}

export class TmpfsDirectory extends Inode {
  readonly filesystem: Tmpfs;
  private readonly entries = new DirectoryEntries<Entry>();

  constructor(filesystem: Tmpfs, mode: number, owner: Owner) {
    super(filesystem.nextInode(), mode, owner);
    this.filesystem = filesystem;
    this.nlink = 2;
    filesystem.context.budget.takeInode();
    filesystem.born(this);
  }

  /** tmpfs counts 20 bytes for each entry (BOGO_DIRENT_SIZE, visible in ls -l of a tmpfs directory). */
  override get size(): number {
    return (this.entries.size + 2) * 20;
  }

  override lookup(name: string): Inode | number {
    return this.entries.get(name)?.inode ?? -ENOENT;
  }

  override create(name: string, mode: number, owner: Owner): Inode | number {
    return this.make(name, () => new TmpfsFile(this.filesystem, (mode & ~0o170000) | S_IFREG, owner));
  }

  override mkdir(name: string, mode: number, owner: Owner): Inode | number {
    const made = this.make(name, () => new TmpfsDirectory(this.filesystem, (mode & ~0o170000) | S_IFDIR, owner), true);
    if (typeof made !== "number") this.nlink++;
    return made;
  }

  override mknod(name: string, mode: number, rdev: number, owner: Owner): Inode | number {
    const type = mode & 0o170000;
    if (type === S_IFREG || type === 0) return this.create(name, mode, owner);
    return this.make(name, () => new TmpfsSpecial(this.filesystem, mode, rdev, owner));
  }

  override symlink(name: string, target: string, owner: Owner): Inode | number {
    return this.make(name, () => new TmpfsSymlink(this.filesystem, S_IFLNK | 0o777, target, owner));
  }

  override createUnnamed(mode: number, owner: Owner): Inode | number {
    if (!this.filesystem.context.budget.takeInode()) return -ENOSPC;
    const inode = new TmpfsFile(this.filesystem, (mode & ~0o170000) | S_IFREG, owner);
    inode.nlink = 0;
    return inode;
  }

  override link(name: string, inode: Inode): number {
    if (this.entries.get(name) !== undefined) return -EEXIST;
    if (inode.isDirectory) return -EPERM;
    if (inode.nlink >= LINK_MAX) return -EMLINK;
    inode.nlink++;
    inode.stampChanged(this.filesystem.context.clock);
    this.enter(name, inode);
    return 0;
  }

  override unlink(name: string, inode: Inode): number {
    this.entries.remove(name);
    this.stampModified(this.filesystem.context.clock);
    this.dropLink(inode);
    return 0;
  }

  override rmdir(name: string, inode: Inode): number {
    const directory = inode as TmpfsDirectory;
    if (directory.entries.size > 0) return -ENOTEMPTY;
    this.entries.remove(name);
    this.nlink--;
    this.stampModified(this.filesystem.context.clock);
    directory.removed();
    return 0;
  }

  override rename(name: string, inode: Inode, newParent: Inode, newName: string, target: Inode | null, exchange: boolean): number {
    const destination = newParent as TmpfsDirectory;
    const clock = this.filesystem.context.clock;
    if (exchange) {
      this.entries.replace(name, entryOf(target!));
      destination.entries.replace(newName, entryOf(inode));
      this.nlink += Number(target!.isDirectory) - Number(inode.isDirectory);
      destination.nlink += Number(inode.isDirectory) - Number(target!.isDirectory);
      target!.stampChanged(clock);
    } else {
      if (target !== null) {
        if (target.isDirectory && (target as TmpfsDirectory).entries.size > 0) return -ENOTEMPTY;
        destination.entries.remove(newName);
        if (target.isDirectory) {
          destination.nlink--;
          (target as TmpfsDirectory).removed();
        } else {
          this.dropLink(target);
        }
      }
      this.entries.remove(name);
      destination.entries.add(newName, entryOf(inode));
      if (inode.isDirectory) {
        this.nlink--;
        destination.nlink++;
      }
    }
    inode.stampChanged(clock);
    this.stampModified(clock);
    if (destination !== this) destination.stampModified(clock);
    return 0;
  }

  override readdir(cookie: number, emit: EmitEntry): number {
    this.entries.emitAfter(cookie, emit);
    return 0;
  }

  override sync(): number {
    return 0;
  }
  override evict(): void {
    this.filesystem.died(this);
  }

  private make(name: string, construct: () => Inode, isDirectory = false): Inode | number {
    // A directory that has been removed gets no new entries (mkdir(2): ENOENT).
    if (this.nlink === 0) return -ENOENT;
    if (this.entries.get(name) !== undefined) return -EEXIST;
    // A directory asks the budget itself, because a root has no parent to do it.
    const budget = this.filesystem.context.budget;
    if (budget.inodes >= budget.inodeLimit) return -ENOSPC;
    if (!isDirectory) budget.takeInode();
    const inode = construct();
    this.enter(name, inode);
    return inode;
  }

  private enter(name: string, inode: Inode): void {
    this.entries.add(name, entryOf(inode));
    this.stampModified(this.filesystem.context.clock);
  }

  private dropLink(inode: Inode): void {
    inode.nlink--;
    inode.stampChanged(this.filesystem.context.clock);
    if (inode.nlink === 0 && inode.users === 0) inode.evict();
  }

  private removed(): void {
    this.nlink = 0;
    this.stampChanged(this.filesystem.context.clock);
    if (this.users === 0) this.evict();
  }
}

function entryOf(inode: Inode): Entry {
  return { inode, ino: inode.ino, direntType: direntType(inode.mode) };
}
