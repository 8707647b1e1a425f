/** Files of a provider: attributes that follow the provider's, data through HostPages, changes written through. */
import { EFBIG, EINVAL, EOPNOTSUPP, EROFS } from "../../abi/linux/errno.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from "../../abi/linux/fcntl.ts";
import { PERMISSION_BITS } from "../../abi/linux/stat.ts";
import type { FsClock } from "../context.ts";
import { type ProviderAccess, type ProviderChange, type ProviderFile, type ProviderStat, READ_ONLY, READ_WRITE } from "../provider.ts";
import { Inode } from "../vfs/inode.ts";
import { MAX_FILE_SIZE } from "../vfs/page-io.ts";
import type { HostDirectory } from "./directory.ts";
import { HostPages } from "./host-pages.ts";
import type { HostDir } from "./hostdir.ts";

export abstract class HostInode extends Inode {
  readonly filesystem: HostDir;
  /** A directory and name that lead here; null for the root. */
  private parent: HostDirectory | null;
  private name: string;
  /** The attributes are made up, or were true before a change of ours: the provider must be asked although it never
   *  changes by itself. */
  outdated = false;
  private sizeSeen = 0;
  private blocksSeen = 0;

  constructor(filesystem: HostDir, parent: HostDirectory | null, name: string, stat: ProviderStat, ino: number) {
    super(ino, stat.mode, { uid: stat.uid, gid: stat.gid });
    this.filesystem = filesystem;
    this.parent = parent;
    this.name = name;
    this.takeAttributes(stat);
  }

  /** Path within the provider. */
  get path(): string {
    const above = this.parent?.path ?? "";
    return above === "" ? this.name : `${above}/${this.name}`;
  }
  /** It has just been found under this name, which is the one to use from now on. */
  reached(parent: HostDirectory, name: string): void {
    this.parent = parent;
    this.name = name;
  }
  /** The provider's word on the file. */
  adopt(stat: ProviderStat): void {
    this.takeAttributes(stat);
  }

  override get size(): number {
    return this.sizeSeen;
  }
  override get blocks(): number {
    return this.blocksSeen;
  }

  override refresh(): number {
    if ((!this.filesystem.volatileNames && !this.outdated) || this.nlink === 0) return 0;
    const path = this.path;
    const stat = this.filesystem.answers.ask(`stat:${path}`, () => this.filesystem.provider.stat(path));
    if (typeof stat === "number") return stat;
    this.adopt(stat);
    this.outdated = false;
    return 0;
  }

  override setMode(bits: number, _clock: FsClock): number {
    return this.change({ mode: bits & PERMISSION_BITS });
  }
  override setOwner(uid: number, gid: number, _clock: FsClock): number {
    return this.change({ uid, gid });
  }
  override setTimes(atimeSeconds: number, atimeNanos: number, mtimeSeconds: number, mtimeNanos: number, _clock: FsClock): number {
    const atime = atimeNanos < 0 ? {} : { atime: { seconds: atimeSeconds, nanos: atimeNanos } };
    const mtime = mtimeNanos < 0 ? {} : { mtime: { seconds: mtimeSeconds, nanos: mtimeNanos } };
    return this.change({ ...atime, ...mtime });
  }
  /** Reading leaves no mark: the provider's host keeps its own access times. */
  override stampRead(_clock: FsClock): void {}

  private change(change: ProviderChange): number {
    const changes = this.filesystem.changes;
    if (changes === null) return -EROFS;
    const path = this.path;
    // Setting attributes twice does no harm, so a late answer is treated like a question's.
    const key = `change:${path}:${JSON.stringify(change)}`;
    const result = this.filesystem.answers.askOnce(key, () => changes.change(path, change));
    if (result < 0) return result;
    this.filesystem.answers.forget();
    const stat = this.filesystem.answers.ask(`stat:${path}`, () => this.filesystem.provider.stat(path));
    if (typeof stat !== "number") this.adopt(stat);
    return 0;
  }

  private takeAttributes(stat: ProviderStat): void {
    this.mode = stat.mode;
    this.nlink = stat.links;
    this.uid = stat.uid;
    this.gid = stat.gid;
    this.rdev = stat.rdev;
    this.sizeSeen = stat.size;
    this.blocksSeen = stat.blocks;
    this.atimeSeconds = stat.atimeSeconds;
    this.atimeNanos = stat.atimeNanos;
    this.mtimeSeconds = stat.mtimeSeconds;
    this.mtimeNanos = stat.mtimeNanos;
    this.ctimeSeconds = stat.ctimeSeconds;
    this.ctimeNanos = stat.ctimeNanos;
    this.btimeSeconds = stat.btimeSeconds;
    this.btimeNanos = stat.btimeNanos;
  }
}

export class HostFile extends HostInode {
  override readonly pages: HostPages;
  private access: ProviderAccess | null = null;

  constructor(filesystem: HostDir, parent: HostDirectory | null, name: string, stat: ProviderStat, ino: number) {
    super(filesystem, parent, name, stat, ino);
    this.pages = new HostPages(filesystem.context, this);
    this.pages.adopt(stat.size, false);
  }

  override get size(): number {
    return this.pages.size;
  }

  /** Content is taken to have changed when its size or modification time has, as close-to-open consistency does (nfs(5)). */
  override adopt(stat: ProviderStat): void {
    if (this.pages.unsettled) return;
    const changed = stat.size !== this.pages.size || stat.mtimeSeconds !== this.mtimeSeconds || stat.mtimeNanos !== this.mtimeNanos;
    super.adopt(stat);
    this.pages.adopt(stat.size, changed);
  }

  override prepareRead(): number {
    return this.ensureOpen(READ_ONLY);
  }
  override prepareWrite(): number {
    return this.filesystem.changes === null ? -EROFS : this.ensureOpen(READ_WRITE);
  }
  override written(): number {
    return this.afterWriting(this.pages.sync(0, Number.MAX_SAFE_INTEGER));
  }
  override truncate(size: number): number {
    if (size > MAX_FILE_SIZE) return -EFBIG;
    return this.afterWriting(this.pages.resize(size));
  }
  override fallocate(mode: number, offset: number, length: number): number {
    if (offset < 0 || length <= 0) return -EINVAL;
    if (mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) return this.afterWriting(this.pages.punch(offset, length));
    if (mode !== 0) return -EOPNOTSUPP;
    return offset + length > this.pages.size ? this.truncate(offset + length) : 0;
  }
  override sync(): number {
    return this.pages.settle();
  }
  /** A file that was opened for reading and writing when it was made. */
  useFile(file: ProviderFile): void {
    this.pages.setFile(file);
    this.access = READ_WRITE;
    this.filesystem.noteOpened(this);
  }
  closeUnused(): void {
    if (this.users > 0) return;
    this.pages.closeFile();
    this.access = null;
  }

  protected override lastUserGone(): void {
    super.lastUserGone();
    this.pages.closeFile();
    this.access = null;
    if (this.nlink === 0) this.pages.free();
  }
  override evict(): void {
    this.pages.free();
  }

  private ensureOpen(access: ProviderAccess): number {
    if (this.access === READ_WRITE || this.access === access) return 0;
    const { provider, answers } = this.filesystem;
    const path = this.path;
    const key = `open:${path}:${access}`;
    const file: ProviderFile | number = answers.askOnce(key, () => provider.open(path, access));
    if (typeof file === "number") return file;
    this.pages.setFile(file);
    this.access = access;
    this.filesystem.noteOpened(this);
    return 0;
  }

  /** The provider stamps what it writes; its times are read back, so that our own writing is not taken for somebody else's. */
  private afterWriting(result: number): number {
    this.filesystem.answers.forget();
    if (result < 0 || this.pages.unsettled || this.nlink === 0) return result;
    const stat = this.filesystem.provider.stat(this.path);
    if (typeof stat === "object" && "mode" in stat) {
      super.adopt(stat);
      this.pages.adopt(stat.size, false);
    }
    return result;
  }
}

/** The text of a link never changes; a new link in its place has another inode number or time. */
export class HostSymlink extends HostInode {
  private target: string | null = null;

  override adopt(stat: ProviderStat): void {
    if (stat.mtimeSeconds !== this.mtimeSeconds || stat.mtimeNanos !== this.mtimeNanos) this.target = null;
    super.adopt(stat);
  }
  override readlink(): string | number {
    if (this.target !== null) return this.target;
    const path = this.path;
    const target = this.filesystem.answers.ask(`readlink:${path}`, () => this.filesystem.provider.readLink(path));
    if (typeof target === "string") this.target = target;
    return target;
  }
}

/** A device, FIFO or socket of the host: its name and numbers are visible, what opens it is the guest's own. */
export class HostSpecial extends HostInode {}
