/** memfd_create(2): a file in memory without a name, whose content can be sealed against change. */
import { EBUSY, EINVAL, ENOSPC, EPERM } from "../../abi/linux/errno.ts";
import {
  F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, FALLOC_FL_PUNCH_HOLE, MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC,
  MFD_NOEXEC_SEAL, O_LARGEFILE, O_RDWR,
} from "../../abi/linux/fcntl.ts";
import { S_IFREG } from "../../abi/linux/stat.ts";
import type { ByteSource } from "../transfer.ts";
import type { Caller, Credentials, Owner } from "../vfs/credentials.ts";
import type { Location } from "../vfs/location.ts";
import type { MountTable } from "../vfs/mount-table.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { finished, RegularFile } from "../vfs/regular-file.ts";
import { TmpfsFile } from "./nodes.ts";
import type { Tmpfs } from "./tmpfs.ts";

/** "memfd:" is put in front within NAME_MAX (memfd_create(2)). */
const NAME_LIMIT = 249;
const KNOWN_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
const KNOWN_FLAGS = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC | MFD_NOEXEC_SEAL;

/** An open file on a new memfd, or -errno. MFD_CLOEXEC belongs to the descriptor. @param name a byte string */
export function makeMemfd(filesystem: Tmpfs, mounts: MountTable, owner: Credentials, name: string, flags: number): OpenFile | number {
  if ((flags & ~KNOWN_FLAGS) !== 0 || (flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) === (MFD_EXEC | MFD_NOEXEC_SEAL)) return -EINVAL;
  if (name.length > NAME_LIMIT) return -EINVAL;
  if (!filesystem.context.budget.takeInode()) return -ENOSPC;
  const mode = S_IFREG | ((flags & MFD_NOEXEC_SEAL) !== 0 ? 0o666 : 0o777);
  const inode = new SealableFile(filesystem, mode, owner);
  inode.nlink = 0;
  // Without permission to seal, the one seal is that no others may come.
  inode.seals = (flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)) !== 0 ? 0 : F_SEAL_SEAL;
  const location = mounts.placelessLocation(filesystem, inode, `/memfd:${name}`);
  location.dentry.unlinked = true;
  return new MemfdFile(inode, location, O_RDWR | O_LARGEFILE);
}

class SealableFile extends TmpfsFile {
  seals = 0;

  constructor(filesystem: Tmpfs, mode: number, owner: Owner) {
    super(filesystem, mode, owner);
  }
  override open(location: Location, flags: number, _caller: Caller): OpenFile {
    return new MemfdFile(this, location, flags);
  }
  override prepareWrite(): number {
    return (this.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0 ? -EPERM : 0;
  }
  override truncate(size: number): number {
    if (size < this.size && (this.seals & F_SEAL_SHRINK) !== 0) return -EPERM;
    if (size > this.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    return super.truncate(size);
  }
  override fallocate(mode: number, offset: number, length: number): number {
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0 && (this.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    if (offset + length > this.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    return super.fallocate(mode, offset, length);
  }
}

class MemfdFile extends RegularFile {
  private readonly file: SealableFile;

  constructor(inode: SealableFile, location: Location, flags: number) {
    super(inode.filesystem.context, inode, inode.pages, location, flags);
    this.file = inode;
  }
  override seals(): number {
    return this.file.seals;
  }
  override addSeals(seals: number): number {
    if ((seals & ~KNOWN_SEALS) !== 0) return -EINVAL;
    if (!this.writable || (this.file.seals & F_SEAL_SEAL) !== 0) return -EPERM;
    // Linux looks for shared writable mappings only; a cache does not know how it is mapped.
    if ((seals & F_SEAL_WRITE) !== 0 && (this.file.seals & F_SEAL_WRITE) === 0 && this.file.pages.isMapped) return -EBUSY;
    this.file.seals |= seals;
    return 0;
  }
  protected override writeStream(source: ByteSource): number {
    return this.growthSealed(source, this.offset) ? finished(-EPERM, source.transferred) : super.writeStream(source);
  }
  protected override writeTo(source: ByteSource, offset: number): number {
    return this.growthSealed(source, offset + source.transferred) ? finished(-EPERM, source.transferred) : super.writeTo(source, offset);
  }
  private growthSealed(source: ByteSource, position: number): boolean {
    return (this.file.seals & F_SEAL_GROW) !== 0 && position + source.remaining > this.file.size;
  }
}
