/** A filesystem whose files are a provider's: a directory of the host, an archive, a server.
 *
 *  Read-only, or written through when the provider has `changes` and the mount asks for it. The provider is asked about
 *  paths that are made of names looked up one by one, and every link is walked by our own namei, so neither ".." nor a
 *  symbolic link leads out of it.
 *
 *  Identity: two paths with the same (device, inode) are one Inode, so hard links share their pages. */
import { type FileSystemStatus, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, ST_RDONLY, ST_RELATIME, V9FS_MAGIC } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import { type FileChanges, type FileProvider, MADE_UP_DEVICE, type ProviderStat } from "../provider.ts";
import type { FileSystem } from "../vfs/inode.ts";
import { Answers } from "./answers.ts";
import { HostDirectory } from "./directory.ts";
import { HostFile, type HostInode, HostSpecial, HostSymlink } from "./inodes.ts";

/** Inode numbers for files of other devices than the root's, which could repeat the root's own. */
const FOREIGN_INODES = 2 ** 48;
/** Inode numbers of directories that no provider's device has. */
const MADE_UP_INODES = 2 ** 47;
const SWEEP_AT_LEAST = 4096;

export interface HostDirOptions {
  readonly access: "read-only" | "write-through";
  readonly typeName?: string;
}

export class HostDir implements FileSystem {
  readonly typeName: string;
  readonly device: number;
  readonly volatileNames: boolean;
  readonly readOnly: boolean;
  readonly context: FsContext;
  readonly provider: FileProvider;
  /** Null on a read-only mount. */
  readonly changes: FileChanges | null;
  readonly answers: Answers;
  readonly root: HostDirectory;
  private readonly inodes = new Map<string, WeakRef<HostInode>>();
  private readonly foreign = new Map<string, number>();
  private readonly opened = new Set<HostFile>();
  private rootDevice: number | null = null;
  private sweepAt = SWEEP_AT_LEAST;

  constructor(context: FsContext, provider: FileProvider, options: HostDirOptions) {
    this.context = context;
    this.provider = provider;
    this.typeName = options.typeName ?? "9p";
    this.device = context.nextDevice();
    this.changes = options.access === "write-through" ? (provider.changes ?? null) : null;
    this.readOnly = this.changes === null;
    this.volatileNames = provider.volatile;
    this.answers = new Answers(context.clock);
    const stat = provider.stat("");
    const known = typeof stat === "object" && "mode" in stat;
    this.root = known
      ? new HostDirectory(this, null, "", stat, this.inodeNumber(stat.device, stat.inode))
      : new HostDirectory(this, null, "", ROOT_STAT, ROOT_STAT.inode);
    this.root.outdated = !known;
  }

  get source(): string {
    return this.provider.name;
  }

  /** The inode for what the provider says is at `name` in `parent`. */
  inodeFor(parent: HostDirectory, name: string, stat: ProviderStat): HostInode {
    const key = `${stat.device}:${stat.inode}:${stat.mode & S_IFMT}`;
    const known = this.inodes.get(key)?.deref();
    if (known !== undefined && known.nlink > 0) {
      known.reached(parent, name);
      known.adopt(stat);
      return known;
    }
    const inode = this.makeInode(parent, name, stat);
    this.inodes.set(key, new WeakRef(inode));
    if (this.inodes.size > this.sweepAt) this.sweep();
    return inode;
  }

  /** Inode number for a provider's file: its own on the provider's main device. */
  inodeNumber(device: number, inode: number): number {
    if (device === MADE_UP_DEVICE) return MADE_UP_INODES + inode;
    this.rootDevice ??= device;
    if (device === this.rootDevice) return inode;
    const key = `${device}:${inode}`;
    let number = this.foreign.get(key);
    if (number === undefined) {
      number = FOREIGN_INODES + this.foreign.size;
      this.foreign.set(key, number);
    }
    return number;
  }

  /** Keeps track of files that hold provider files or frames, so that destroy finds them. */
  noteOpened(file: HostFile): void {
    this.opened.add(file);
  }

  statfs(): FileSystemStatus {
    const none = { blocks: 0, blocksFree: 0, blocksAvailable: 0, files: 0, filesFree: 0 };
    return { type: V9FS_MAGIC, blockSize: 4096, ...none, nameLength: 255, flags: ST_RELATIME | (this.readOnly ? ST_RDONLY : 0) };
  }

  destroy(): void {
    for (const file of this.opened) file.pages.free();
    this.opened.clear();
    this.provider.close();
  }

  private makeInode(parent: HostDirectory, name: string, stat: ProviderStat): HostInode {
    const ino = this.inodeNumber(stat.device, stat.inode);
    switch (stat.mode & S_IFMT) {
      case S_IFDIR:
        return new HostDirectory(this, parent, name, stat, ino);
      case S_IFREG:
        return new HostFile(this, parent, name, stat, ino);
      case S_IFLNK:
        return new HostSymlink(this, parent, name, stat, ino);
      default:
        return new HostSpecial(this, parent, name, stat, ino);
    }
  }

  private sweep(): void {
    for (const [key, reference] of this.inodes) if (reference.deref() === undefined) this.inodes.delete(key);
    this.sweepAt = Math.max(SWEEP_AT_LEAST, this.inodes.size * 2);
  }
}

/** The root of a provider that answers later, until it has. */
const ROOT_STAT: ProviderStat = {
  mode: S_IFDIR | 0o755, size: 4096, device: 0, inode: 1, links: 2, uid: 0, gid: 0, rdev: 0, blocks: 8,
  atimeSeconds: 0, atimeNanos: 0, mtimeSeconds: 0, mtimeNanos: 0, ctimeSeconds: 0, ctimeNanos: 0, btimeSeconds: 0, btimeNanos: 0,
};
