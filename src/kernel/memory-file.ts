/** memfd_create(2): a file in guest memory without a name in the tree, whose size and content can be sealed (fcntl(2), "File
 *  Sealing"). Seals belong to the file, however many descriptions of it are open. */
import { EBUSY, EINVAL, EPERM } from "../abi/linux/errno.ts";
import {
  F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, O_APPEND, O_RDWR,
} from "../abi/linux/fcntl.ts";
import { S_IFREG } from "../abi/linux/stat.ts";
import type { ByteSource } from "../fs/transfer.ts";
import type { Credentials } from "../fs/vfs/credentials.ts";
import type { FilePages } from "../fs/vfs/file-pages.ts";
import type { Inode } from "../fs/vfs/inode.ts";
import type { Location } from "../fs/vfs/location.ts";
import { RegularFile } from "../fs/vfs/regular-file.ts";
import type { FsContext } from "../fs/context.ts";
import type { Kernel } from "./kernel.ts";
import { objectsOf } from "./objects.ts";

const ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;
const sealsOf = new WeakMap<Inode, number>();

export class MemoryFile extends RegularFile {
  constructor(context: FsContext, inode: Inode, pages: FilePages, location: Location, flags: number) {
    super(context, inode, pages, location, flags);
  }

  override seals(): number {
    return sealsOf.get(this.inode) ?? 0;
  }
  override addSeals(seals: number): number {
    if ((seals & ~ALL_SEALS) !== 0) return -EINVAL;
    const present = this.seals();
    if ((present & F_SEAL_SEAL) !== 0) return -EPERM;
    // A writable mapping could go on writing behind the seal.
    if ((seals & ~present & F_SEAL_WRITE) !== 0 && this.writableMappings() > 0) return -EBUSY;
    sealsOf.set(this.inode, present | seals);
    return 0;
  }
  /** Shared mappings that may write; set by the system call layer, which knows the spaces. */
  writableMappings: () => number = () => 0;

  protected override writeStream(source: ByteSource): number {
    const start = (this.flags & O_APPEND) !== 0 ? this.inode.size : this.offset;
    const sealed = this.#checkWrite(start + source.remaining);
    return sealed < 0 ? sealed : super.writeStream(source);
  }
  protected override writeTo(source: ByteSource, offset: number): number {
    const sealed = this.#checkWrite(offset + source.transferred + source.remaining);
    return sealed < 0 ? sealed : super.writeTo(source, offset);
  }
  override truncate(size: number): number {
    const seals = this.seals();
    if ((size < this.inode.size && (seals & F_SEAL_SHRINK) !== 0) || (size > this.inode.size && (seals & F_SEAL_GROW) !== 0)) return -EPERM;
    return super.truncate(size);
  }
  override fallocate(mode: number, offset: number, length: number): number {
    const seals = this.seals();
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && (seals & F_SEAL_GROW) !== 0 && offset + length > this.inode.size) return -EPERM;
    return super.fallocate(mode, offset, length);
  }
  /** What a mapping may ask for: no shared writable one of sealed content. */
  get mapsReadOnly(): boolean {
    return (this.seals() & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0;
  }

  #checkWrite(end: number): number {
    const seals = this.seals();
    if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    return (seals & F_SEAL_GROW) !== 0 && end > this.inode.size ? -EPERM : 0;
  }
}

/** A new file, or -errno. @param name shown in /proc, a byte string; @param seals that hold from the start */
export function makeMemoryFile(kernel: Kernel, owner: Credentials, name: string, mode: number, seals: number): MemoryFile | number {
  const { memory } = objectsOf(kernel);
  const inode = memory.root.createUnnamed(S_IFREG | mode, { uid: owner.uid, gid: owner.gid });
  if (typeof inode === "number") return inode;
  sealsOf.set(inode, seals);
  const location = kernel.mounts.placelessLocation(memory, inode, `/memfd:${name} (deleted)`);
  const file = new MemoryFile(kernel.fs, inode, inode.pages!, location, O_RDWR);
  file.writableMappings = () => {
    let count = 0;
    for (const space of kernel.vm.spaces) for (const region of space.regions) if (region.backing === inode.pages && region.shared && (region.maxProt & 2) !== 0) count++;
    return count;
  };
  return file;
}
