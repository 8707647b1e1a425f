/** Filesystems without a tree: they only number inodes for pipes, sockets and the like (pipefs, sockfs, anon_inodefs). */
import { type FileSystemStatus, S_IFDIR } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import { type FileSystem, Inode } from "./inode.ts";

export class AnonymousFileSystem implements FileSystem {
  readonly typeName: string;
  readonly source: string;
  readonly device: number;
  readonly root: Inode;
  readonly volatileNames = false;
  readonly readOnly = false;
  readonly context: FsContext;
  private readonly magic: number;
  private lastInode = 0;

  /** @param magic f_type of statfs(2) */
  constructor(context: FsContext, typeName: string, magic: number) {
    this.context = context;
    this.typeName = typeName;
    this.source = typeName;
    this.device = context.nextDevice();
    this.magic = magic;
    this.root = new AnonymousInode(this, S_IFDIR | 0o555, 0, 0);
  }

  nextInode(): number {
    return ++this.lastInode;
  }

  statfs(): FileSystemStatus {
    const none = { blocks: 0, blocksFree: 0, blocksAvailable: 0, files: 0, filesFree: 0 };
    return { type: this.magic, blockSize: 4096, ...none, nameLength: 255, flags: 0 };
  }

  destroy(): void {}
}

/** An inode without a name. */
export class AnonymousInode extends Inode {
  readonly filesystem: AnonymousFileSystem;

  constructor(filesystem: AnonymousFileSystem, mode: number, uid: number, gid: number) {
    super(filesystem.nextInode(), mode, { uid, gid });
    this.filesystem = filesystem;
    this.stampCreated(filesystem.context.clock);
  }
}
