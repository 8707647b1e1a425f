/** What a directory in memory can contain besides directories: files, symbolic links, and nodes that only carry a type and a
 *  number (FIFOs, devices, sockets). */
import { EFBIG, EINVAL, EOPNOTSUPP } from "../../abi/linux/errno.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } from "../../abi/linux/fcntl.ts";
import type { FsContext } from "../context.ts";
import type { Owner } from "../vfs/credentials.ts";
import { Inode } from "../vfs/inode.ts";
import { MAX_FILE_SIZE } from "../vfs/page-io.ts";
import { MemoryPages } from "./memory-pages.ts";
import type { Tmpfs } from "./tmpfs.ts";

/** Common to everything that is one counted inode without entries. */
abstract class TmpfsNode extends Inode {
  readonly filesystem: Tmpfs;

  /** The creator has taken the inode from the budget. */
  constructor(filesystem: Tmpfs, mode: number, owner: Owner) {
    super(filesystem.nextInode(), mode, owner);
    this.filesystem = filesystem;
    filesystem.born(this);
  }
  protected get context(): FsContext {
    return this.filesystem.context;
  }
  override evict(): void {
    this.filesystem.died(this);
  }
}

export class TmpfsFile extends TmpfsNode {
  override readonly pages: MemoryPages;

  constructor(filesystem: Tmpfs, mode: number, owner: Owner) {
    super(filesystem, mode, owner);
    this.pages = new MemoryPages(filesystem.context, this);
  }

  override truncate(size: number): number {
    if (size > MAX_FILE_SIZE) return -EFBIG;
    const result = this.pages.resize(size);
    this.stampModified(this.context.clock);
    return result;
  }

  /** fallocate(2): allocate, punch, zero. Collapsing and inserting are ext4's and tmpfs refuses them, too. */
  override fallocate(mode: number, offset: number, length: number): number {
    if (offset < 0 || length <= 0) return -EINVAL;
    const keepSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
    const known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
    if ((mode & ~known) !== 0) return -EOPNOTSUPP;
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
      if (!keepSize || (mode & FALLOC_FL_ZERO_RANGE) !== 0) return -EOPNOTSUPP;
      this.stampModified(this.context.clock);
      return this.pages.punch(offset, length);
    }
    if ((mode & FALLOC_FL_ZERO_RANGE) !== 0) this.pages.punch(offset, length);
    const result = this.pages.allocate(offset, length);
    if (result < 0) return result;
    if (!keepSize) this.pages.grow(offset + length);
    this.stampModified(this.context.clock);
    return 0;
  }

  override evict(): void {
    this.pages.free();
    super.evict();
  }
}

export class TmpfsSymlink extends TmpfsNode {
  private readonly target: string;

  constructor(filesystem: Tmpfs, mode: number, target: string, owner: Owner) {
    super(filesystem, mode, owner);
    this.target = target;
  }
  override get size(): number {
    return this.target.length;
  }
  override readlink(): string {
    return this.target;
  }
}

/** A FIFO, a device node or a socket's name: a type and a number. */
export class TmpfsSpecial extends TmpfsNode {
  constructor(filesystem: Tmpfs, mode: number, rdev: number, owner: Owner) {
    super(filesystem, mode, owner);
    this.rdev = rdev;
  }
}
