/** A file, whatever its type and wherever its bytes are (inode(7)).
 *
 *  Invariants
 *  - `ino` is unique within `filesystem` and never changes; asking a directory twice for a name gives the same Inode as
 *    long as anybody keeps it.
 *  - Results are a value, or a negative errno, or WOULD_BLOCK when the filesystem must wait for its provider; a blocked
 *    operation had no effect and is called again with the same arguments.
 *  - Inodes check types and existence, not permissions, symbolic links or mounts: those belong to namei and operations.
 *  - A file whose last name went away lives on while `users` (open files, mappings) is not zero; then `evict` frees it. */
import { EINVAL, EISDIR, ENODEV, ENOTDIR, EOPNOTSUPP, EPERM } from "../../abi/linux/errno.ts";
import { type FileSystemStatus, PERMISSION_BITS, type Stat, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/linux/stat.ts";
import type { FsClock } from "../context.ts";
import type { Pipe } from "../pipe/pipe.ts";
import type { Caller, Owner } from "./credentials.ts";
import type { FilePages } from "./file-pages.ts";
import type { Location } from "./location.ts";
import type { OpenFile } from "./open-file.ts";

/** Receives one directory entry; false when there is no room for it. `cookie` continues after this entry. */
export type EmitEntry = (name: string, ino: number, type: number, cookie: number) => boolean;

/** Who reads a symbolic link: /proc's links depend on it. A Walk is one. */
export interface LinkReader {
  readonly caller: Caller;
  readonly root: Location;
}

/** One mounted or mountable filesystem. */
export interface FileSystem {
  /** As /proc/mounts names it: "tmpfs", "overlay", "proc". */
  readonly typeName: string;
  /** What /proc/mounts shows as the device. */
  readonly source: string;
  /** st_dev. */
  readonly device: number;
  readonly root: Inode;
  /** Names may appear and vanish without this kernel doing it (host directories, /proc): never answer from the cache. */
  readonly volatileNames: boolean;
  /** Inodes refuse every change with EROFS. */
  readonly readOnly: boolean;
  statfs(): FileSystemStatus;
  /** Gives back every frame and host descriptor. The filesystem is not used again. */
  destroy(): void;
}

export abstract class Inode {
  abstract readonly filesystem: FileSystem;
  readonly ino: number;
  /** S_IFMT type and permission bits. */
  mode: number;
  nlink = 1;
  uid: number;
  gid: number;
  /** Device number of a character or block device. */
  rdev = 0;
  atimeSeconds = 0;
  atimeNanos = 0;
  mtimeSeconds = 0;
  mtimeNanos = 0;
  ctimeSeconds = 0;
  ctimeNanos = 0;
  btimeSeconds = 0;
  btimeNanos = 0;
  /** Open files and mappings that use the data. Changed by retain and release only. */
  users = 0;
  /** Made by O_TMPFILE without O_EXCL: may be given a name although it has none (linkat(2)). */
  linkable = false;
  /** Buffer of a FIFO while somebody has it open (fifo(7)). Made by open. */
  fifo: Pipe | null = null;
  /** The file's bytes by page; null for everything but regular files. */
  readonly pages: FilePages | null = null;

  constructor(ino: number, mode: number, owner: Owner) {
    this.ino = ino;
    this.mode = mode;
    this.uid = owner.uid;
    this.gid = owner.gid;
  }

  get type(): number {
    return this.mode & S_IFMT;
  }
  get isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }
  get isRegular(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }
  get isSymlink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }

  // Directories ---------------------------------------------------------------------------------------------------

  /** The entry `name` (never "." or ".."), -ENOENT when there is none. */
  lookup(_name: string): Inode | number {
    return -ENOTDIR;
  }
  /** A new regular file. -EEXIST when the name is taken, in this and the following. */
  create(_name: string, _mode: number, _owner: Owner): Inode | number {
    return -EPERM;
  }
  mkdir(_name: string, _mode: number, _owner: Owner): Inode | number {
    return -EPERM;
  }
  /** A fifo, socket or device node; `mode` holds the type. */
  mknod(_name: string, _mode: number, _rdev: number, _owner: Owner): Inode | number {
    return -EPERM;
  }
  symlink(_name: string, _target: string, _owner: Owner): Inode | number {
    return -EPERM;
  }
  /** One more name for `inode`, which lives on the same filesystem and is no directory. */
  link(_name: string, _inode: Inode): number {
    return -EPERM;
  }
  /** Removes a name that is not a directory. */
  unlink(_name: string, _inode: Inode): number {
    return -EPERM;
  }
  /** Removes an empty directory, -ENOTEMPTY otherwise. */
  rmdir(_name: string, _inode: Inode): number {
    return -EPERM;
  }
  /** Moves `inode` from `name` here to `newName` in `newParent` (same filesystem), replacing `target` there if there is
   *  one; with `exchange` the two change places. The caller has checked that types agree and no directory moves into
   *  itself; a directory target that is not empty gives -ENOTEMPTY. */
  rename(_name: string, _inode: Inode, _newParent: Inode, _newName: string, _target: Inode | null, _exchange: boolean): number {
    return -EPERM;
  }
  /** A regular file without a name, as open(O_TMPFILE) makes it: nlink 0. */
  createUnnamed(_mode: number, _owner: Owner): Inode | number {
    return -EOPNOTSUPP;
  }
  /** Emits the entries after `cookie` (0: from the start), without "." and "..", in an order that no insertion or removal
   *  disturbs: an entry that stays is seen exactly once. Stops when `emit` says so. Cookies are at least 3. */
  readdir(_cookie: number, _emit: EmitEntry): number {
    return -ENOTDIR;
  }

  // Symbolic links ------------------------------------------------------------------------------------------------

  /** Target of a symbolic link, a byte string. */
  readlink(_reader: LinkReader): string | number {
    return -EINVAL;
  }
  /** Where the link leads: a path to walk, or for /proc's magic links the place itself. */
  follow(reader: LinkReader): string | Location | number {
    return this.readlink(reader);
  }

  // Attributes ----------------------------------------------------------------------------------------------------

  /** Size in bytes as stat reports it. */
  get size(): number {
    return this.pages?.size ?? 0;
  }
  /** Space used, in units of 512 bytes. */
  get blocks(): number {
    return this.pages?.blocks ?? 0;
  }
  /** Brings the fields up to date where somebody else may change the file. */
  refresh(): number {
    return 0;
  }
  /** Fills `out`; 0, -errno or WOULD_BLOCK. */
  stat(out: Stat): number {
    const refreshed = this.refresh();
    if (refreshed < 0) return refreshed;
    out.dev = this.filesystem.device;
    out.ino = this.ino;
    out.mode = this.mode;
    out.nlink = this.nlink;
    out.uid = this.uid;
    out.gid = this.gid;
    out.rdev = this.rdev;
    out.size = this.size;
    out.blksize = 4096;
    out.blocks = this.blocks;
    out.atimeSeconds = this.atimeSeconds;
    out.atimeNanos = this.atimeNanos;
    out.mtimeSeconds = this.mtimeSeconds;
    out.mtimeNanos = this.mtimeNanos;
    out.ctimeSeconds = this.ctimeSeconds;
    out.ctimeNanos = this.ctimeNanos;
    out.btimeSeconds = this.btimeSeconds;
    out.btimeNanos = this.btimeNanos;
    return 0;
  }
  /** @param bits PERMISSION_BITS of the new mode; the type stays */
  setMode(bits: number, clock: FsClock): number {
    this.mode = (this.mode & S_IFMT) | (bits & PERMISSION_BITS);
    this.stampChanged(clock);
    return 0;
  }
  setOwner(uid: number, gid: number, clock: FsClock): number {
    this.uid = uid;
    this.gid = gid;
    this.stampChanged(clock);
    return 0;
  }
  /** Sets access and modification time; a negative `nanos` leaves that one alone. */
  setTimes(atimeSeconds: number, atimeNanos: number, mtimeSeconds: number, mtimeNanos: number, clock: FsClock): number {
    if (atimeNanos >= 0) {
      this.atimeSeconds = atimeSeconds;
      this.atimeNanos = atimeNanos;
    }
    if (mtimeNanos >= 0) {
      this.mtimeSeconds = mtimeSeconds;
      this.mtimeNanos = mtimeNanos;
    }
    this.stampChanged(clock);
    return 0;
  }

  /** Before data is read. Relative atime as mount(8) describes: only when it is not newer than mtime and ctime, or a day old. */
  stampRead(clock: FsClock): void {
    clock.sample();
    const stale =
      notAfter(this.atimeSeconds, this.atimeNanos, this.mtimeSeconds, this.mtimeNanos) ||
      notAfter(this.atimeSeconds, this.atimeNanos, this.ctimeSeconds, this.ctimeNanos) ||
      clock.seconds - this.atimeSeconds >= 86_400;
    if (!stale) return;
    this.atimeSeconds = clock.seconds;
    this.atimeNanos = clock.nanos;
  }
  /** After data or directory entries changed: mtime and ctime. */
  stampModified(clock: FsClock): void {
    clock.sample();
    this.mtimeSeconds = this.ctimeSeconds = clock.seconds;
    this.mtimeNanos = this.ctimeNanos = clock.nanos;
  }
  /** After attributes or links changed: ctime. */
  stampChanged(clock: FsClock): void {
    clock.sample();
    this.ctimeSeconds = clock.seconds;
    this.ctimeNanos = clock.nanos;
  }
  /** All four times of a new file. */
  stampCreated(clock: FsClock): void {
    this.stampModified(clock);
    this.atimeSeconds = this.btimeSeconds = clock.seconds;
    this.atimeNanos = this.btimeNanos = clock.nanos;
  }

  // Data ----------------------------------------------------------------------------------------------------------

  /** Opens the file: `location` is how it was reached, `flags` are open(2)'s. Undefined: the type's ordinary file is opened. */
  open(_location: Location, _flags: number, _caller: Caller): OpenFile | number | undefined {
    return undefined;
  }
  /** Makes the data readable before an open file exists: a host file is opened here, so that open(2) tells the error. */
  prepareRead(): number {
    return 0;
  }
  /** The same for writing; runs before every write, copy-up and truncation. */
  prepareWrite(): number {
    return 0;
  }
  /** A write has changed the pages: a file that lives elsewhere passes them on. */
  written(): number {
    return 0;
  }
  truncate(_size: number): number {
    return this.isDirectory ? -EISDIR : -EINVAL;
  }
  /** fallocate(2) with FALLOC_FL_* `mode`. */
  fallocate(_mode: number, _offset: number, _length: number): number {
    return -ENODEV;
  }
  /** Writes what is dirty to where it belongs. */
  sync(): number {
    return 0;
  }

  // Lifetime ------------------------------------------------------------------------------------------------------

  retain(): void {
    this.users++;
  }
  release(): void {
    this.users--;
    if (this.users === 0) this.lastUserGone();
  }
  /** No open file and no mapping is left. Frees the data when no name is left either. */
  protected lastUserGone(): void {
    this.fifo?.destroy();
    this.fifo = null;
    if (this.nlink === 0) this.evict();
  }
  /** Frees the data of a file that nobody can reach any more. */
  evict(): void {}
}

/** Cuts or extends a file that nobody need have open: what had to be opened for it is closed again. */
export function truncateInode(inode: Inode, size: number): number {
  inode.retain();
  const ready = inode.prepareWrite();
  const result = ready < 0 ? ready : inode.truncate(size);
  inode.release();
  return result;
}

function notAfter(seconds: number, nanos: number, thanSeconds: number, thanNanos: number): boolean {
  return seconds < thanSeconds || (seconds === thanSeconds && nanos <= thanNanos);
}
