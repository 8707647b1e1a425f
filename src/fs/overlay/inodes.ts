/** Files in an overlay. Each stands for a lower file until it is changed, or exists here only.
 *
 *  Invariant: an inode that is `kept` differs from its lower file, so the directories above it keep it (and are kept
 *  themselves); one that is not can be found again in the lower tree at any time. */
import { EFBIG, EINVAL, EOPNOTSUPP } from "../../abi/linux/errno.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } from "../../abi/linux/fcntl.ts";
import type { FsClock } from "../context.ts";
import type { Owner } from "../vfs/credentials.ts";
import { Inode, type LinkReader } from "../vfs/inode.ts";
import { MAX_FILE_SIZE } from "../vfs/page-io.ts";
import type { OverlayDirectory } from "./directory.ts";
import type { Overlay } from "./overlay.ts";
import { OverlayPages } from "./overlay-pages.ts";

export abstract class OverlayInode extends Inode {
  readonly filesystem: Overlay;
  /** Null when the file exists here only. */
  readonly lower: Inode | null;
  /** A directory that has this under some name; null for the root and until it was found. */
  above: OverlayDirectory | null = null;
  /** Differs from the lower file: must not be forgotten. */
  kept: boolean;
  /** Attributes are this inode's own and no longer the lower file's. */
  private ownAttributes: boolean;

  constructor(filesystem: Overlay, lower: Inode | null, ino: number, mode: number, owner: Owner) {
    super(ino, mode, owner);
    this.filesystem = filesystem;
    this.lower = lower;
    this.kept = lower === null;
    this.ownAttributes = lower === null;
    if (lower === null) filesystem.born(this);
    else this.copyAttributes(lower);
  }

  /** This inode is about to differ from the lower one: remembered from here up to the root. */
  keep(): void {
    this.adoptAttributes();
    this.markKept();
  }

  override refresh(): number {
    if (this.ownAttributes || this.lower === null) return 0;
    const result = this.lower.refresh();
    if (result < 0) return result;
    this.copyAttributes(this.lower);
    return 0;
  }
  override setMode(bits: number, clock: FsClock): number {
    this.keep();
    return super.setMode(bits, clock);
  }
  override setOwner(uid: number, gid: number, clock: FsClock): number {
    this.keep();
    return super.setOwner(uid, gid, clock);
  }
  override setTimes(atimeSeconds: number, atimeNanos: number, mtimeSeconds: number, mtimeNanos: number, clock: FsClock): number {
    this.keep();
    return super.setTimes(atimeSeconds, atimeNanos, mtimeSeconds, mtimeNanos, clock);
  }
  /** Reading a lower file leaves no mark, as on overlayfs. */
  override stampRead(clock: FsClock): void {
    if (this.ownAttributes) super.stampRead(clock);
  }
  override stampModified(clock: FsClock): void {
    this.keep();
    super.stampModified(clock);
  }
  override stampChanged(clock: FsClock): void {
    this.keep();
    super.stampChanged(clock);
  }

  override evict(): void {
    this.filesystem.died(this);
  }

  /** The entries above hold their inodes already; `kept` makes look-ups trust them rather than the lower tree. */
  private markKept(): void {
    for (let at: OverlayInode | null = this; at !== null && !at.kept; at = at.above) at.kept = true;
  }

  private adoptAttributes(): void {
    if (this.ownAttributes) return;
    this.copyAttributes(this.lower!);
    this.ownAttributes = true;
  }

  private copyAttributes(lower: Inode): void {
    this.mode = lower.mode;
    this.nlink = lower.nlink;
    this.uid = lower.uid;
    this.gid = lower.gid;
    this.rdev = lower.rdev;
    this.atimeSeconds = lower.atimeSeconds;
    this.atimeNanos = lower.atimeNanos;
    this.mtimeSeconds = lower.mtimeSeconds;
    this.mtimeNanos = lower.mtimeNanos;
    this.ctimeSeconds = lower.ctimeSeconds;
    this.ctimeNanos = lower.ctimeNanos;
    this.btimeSeconds = lower.btimeSeconds;
    this.btimeNanos = lower.btimeNanos;
  }
}

export class OverlayFile extends OverlayInode {
  override readonly pages: OverlayPages;

  constructor(filesystem: Overlay, lower: Inode | null, ino: number, mode: number, owner: Owner) {
    super(filesystem, lower, ino, mode, owner);
    this.pages = new OverlayPages(filesystem.context, this, lower?.pages ?? null);
  }

  override prepareRead(): number {
    return this.lower?.prepareRead() ?? 0;
  }
  /** The lower file is opened, too: pages that are written in part are copied from it. */
  override prepareWrite(): number {
    const ready = this.prepareRead();
    if (ready < 0) return ready;
    this.keep();
    this.filesystem.noteChanged(this);
    return 0;
  }
  override truncate(size: number): number {
    if (size > MAX_FILE_SIZE) return -EFBIG;
    const result = this.pages.resize(size);
    if (result >= 0) this.stampModified(this.filesystem.context.clock);
    return result;
  }
  override fallocate(mode: number, offset: number, length: number): number {
    if (offset < 0 || length <= 0) return -EINVAL;
    const keepSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) !== 0) return -EOPNOTSUPP;
    const punches = (mode & FALLOC_FL_PUNCH_HOLE) !== 0;
    if (punches && (!keepSize || (mode & FALLOC_FL_ZERO_RANGE) !== 0)) return -EOPNOTSUPP;
    const cleared = mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) ? this.pages.punch(offset, length) : 0;
    const result = cleared < 0 || punches ? cleared : this.pages.allocate(offset, length);
    if (result < 0) return result;
    if (!punches && !keepSize) this.pages.grow(offset + length);
    this.stampModified(this.filesystem.context.clock);
    return 0;
  }

  /** The lower file stays open as long as this one has users. */
  override retain(): void {
    if (this.users === 0) this.lower?.retain();
    super.retain();
  }
  protected override lastUserGone(): void {
    super.lastUserGone();
    this.lower?.release();
  }
  override evict(): void {
    this.pages.free();
    super.evict();
  }
}

export class OverlaySymlink extends OverlayInode {
  private readonly target: string;

  constructor(filesystem: Overlay, lower: Inode | null, ino: number, mode: number, owner: Owner, target: string) {
    super(filesystem, lower, ino, mode, owner);
    this.target = target;
  }
  override get size(): number {
    return this.lower?.size ?? this.target.length;
  }
  override readlink(reader: LinkReader): string | number {
    return this.lower?.readlink(reader) ?? this.target;
  }
}

/** FIFOs, devices and sockets. */
export class OverlaySpecial extends OverlayInode {}
