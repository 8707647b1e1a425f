/** A writable view of a read-only tree: changes live in memory and vanish with the machine (the idea of overlayfs, with the
 *  layers' bookkeeping in the inodes instead of on disk).
 *
 *  Where it differs from Linux's overlayfs, it is closer to POSIX: descriptors opened before the first write see it, hard
 *  links of the lower tree stay linked when one is written, and lower directories can be renamed.
 *
 *  Inode numbers are the lower file's, or above UPPER_INODES for files that exist here only; both never change. */
import { type FileSystemStatus, OVERLAYFS_MAGIC, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, ST_RELATIME } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import type { FileSystem, Inode } from "../vfs/inode.ts";
import { OverlayDirectory } from "./directory.ts";
import { OverlayFile, type OverlayInode, OverlaySpecial, OverlaySymlink } from "./inodes.ts";

const UPPER_INODES = 2 ** 40;

export class Overlay implements FileSystem {
  readonly typeName = "overlay";
  readonly source = "overlay";
  readonly device: number;
  readonly root: OverlayDirectory;
  readonly readOnly = false;
  readonly context: FsContext;
  private readonly lower: FileSystem;
  private readonly wrappers = new WeakMap<Inode, OverlayInode>();
  /** Files that exist here only, for the budget and for destroy. */
  private readonly upper = new Set<OverlayInode>();
  /** Lower files with frames of their own. */
  private readonly changedFiles = new Set<OverlayFile>();
  private lastInode = UPPER_INODES;

  constructor(context: FsContext, lower: FileSystem) {
    this.context = context;
    this.lower = lower;
    this.device = context.nextDevice();
    this.root = new OverlayDirectory(this, lower.root, lower.root.ino, lower.root.mode, lower.root);
    this.wrappers.set(lower.root, this.root);
  }

  /** The lower tree's names are asked for again when they may change. */
  get volatileNames(): boolean {
    return this.lower.volatileNames;
  }

  /** The inode that stands for a lower one; the same for every name of it. */
  wrap(lower: Inode): OverlayInode {
    const known = this.wrappers.get(lower);
    if (known !== undefined) return known;
    const made = this.makeWrapper(lower);
    this.wrappers.set(lower, made);
    return made;
  }

  nextInode(): number {
    return this.lastInode++;
  }
  /** Takes an inode of the budget for a file that exists here only; false when there is none. */
  admit(): boolean {
    return this.context.budget.takeInode();
  }
  born(inode: OverlayInode): void {
    this.upper.add(inode);
    inode.stampCreated(this.context.clock);
  }
  died(inode: OverlayInode): void {
    if (this.upper.delete(inode)) this.context.budget.giveInode();
    if (inode instanceof OverlayFile) this.changedFiles.delete(inode);
  }
  noteChanged(file: OverlayFile): void {
    this.changedFiles.add(file);
  }

  statfs(): FileSystemStatus {
    const { budget, frames } = this.context;
    const free = Math.min(budget.frameLimit - budget.frames, frames.free);
    return {
      type: OVERLAYFS_MAGIC, blockSize: 4096, blocks: budget.frameLimit, blocksFree: free, blocksAvailable: free,
      files: budget.inodeLimit, filesFree: budget.inodeLimit - budget.inodes, nameLength: 255, flags: ST_RELATIME,
    };
  }

  destroy(): void {
    for (const file of this.changedFiles) file.pages.free();
    for (const inode of [...this.upper]) inode.evict();
    this.changedFiles.clear();
    this.lower.destroy();
  }

  private makeWrapper(lower: Inode): OverlayInode {
    switch (lower.mode & S_IFMT) {
      case S_IFDIR:
        return new OverlayDirectory(this, lower, lower.ino, lower.mode, lower);
      case S_IFREG:
        return new OverlayFile(this, lower, lower.ino, lower.mode, lower);
      case S_IFLNK:
        return new OverlaySymlink(this, lower, lower.ino, lower.mode, lower, "");
      default:
        return new OverlaySpecial(this, lower, lower.ino, lower.mode, lower);
    }
  }
}
