/** Files in guest memory (tmpfs(5)): the filesystem of /tmp, /dev/shm and /dev, and of everything without a place (memfd).
 *
 *  Invariants: every inode counts once against the budget from its creation until its last name and its last user are
 *  gone; then its frames are given back. */
import { type FileSystemStatus, S_IFDIR, S_ISVTX, ST_RELATIME, TMPFS_MAGIC } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import type { Owner } from "../vfs/credentials.ts";
import type { FileSystem, Inode } from "../vfs/inode.ts";
import { TmpfsDirectory } from "./directory.ts";

const ROOT_OWNER: Owner = { uid: 0, gid: 0 };

export interface TmpfsOptions {
  /** "tmpfs" unless the same code serves something that Linux names differently ("devtmpfs"). */
  readonly typeName?: string;
  readonly source?: string;
  /** Permission bits of the root directory; 01777 by default. */
  readonly mode?: number;
}

export class Tmpfs implements FileSystem {
  readonly typeName: string;
  readonly source: string;
  readonly device: number;
  readonly root: TmpfsDirectory;
  readonly volatileNames = false;
  readonly readOnly = false;
  readonly context: FsContext;
  private lastInode = 0;
  private readonly live = new Set<Inode>();

  constructor(context: FsContext, options: TmpfsOptions = {}) {
    this.context = context;
    this.typeName = options.typeName ?? "tmpfs";
    this.source = options.source ?? this.typeName;
    this.device = context.nextDevice();
    this.root = new TmpfsDirectory(this, S_IFDIR | (options.mode ?? 0o777 | S_ISVTX), ROOT_OWNER);
    // Nothing refers to the root by name; it stays as long as the filesystem does.
    this.root.nlink = 2;
  }

  /** Inode numbers are never used twice. */
  nextInode(): number {
    return ++this.lastInode;
  }

  /** A new inode exists; its creator has asked the budget. */
  born(inode: Inode): void {
    this.live.add(inode);
    inode.stampCreated(this.context.clock);
  }
  /** The inode is gone for good. */
  died(inode: Inode): void {
    if (this.live.delete(inode)) this.context.budget.giveInode();
  }

  statfs(): FileSystemStatus {
    const budget = this.context.budget;
    const free = Math.min(budget.frameLimit - budget.frames, this.context.frames.free);
    return {
      type: TMPFS_MAGIC,
      blockSize: 4096,
      blocks: budget.frameLimit,
      blocksFree: free,
      blocksAvailable: free,
      files: budget.inodeLimit,
      filesFree: budget.inodeLimit - budget.inodes,
      nameLength: 255,
      flags: ST_RELATIME,
    };
  }

  destroy(): void {
    for (const inode of [...this.live]) inode.evict();
  }
}
