/** An open directory: its position is the cookie of the entry emitted last (getdents64(2)). Cookie 1 follows ".", 2 follows "..". */
import { EINVAL, EISDIR, ENOENT } from "../../abi/linux/errno.ts";
import { SEEK_CUR, SEEK_END, SEEK_SET } from "../../abi/linux/fcntl.ts";
import { DT_DIR } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import type { ByteSink } from "../transfer.ts";
import type { EmitEntry, Inode } from "./inode.ts";
import { type Location, parentOf } from "./location.ts";
import { OpenFile } from "./open-file.ts";

const AFTER_DOT = 1;
const AFTER_DOT_DOT = 2;

export class DirectoryFile extends OpenFile {
  private readonly context: FsContext;
  /** Root of the opener, for the inode number of "..". */
  private readonly root: Location;

  constructor(context: FsContext, inode: Inode, location: Location, flags: number, root: Location) {
    super(inode, location, flags);
    this.context = context;
    this.root = root;
  }

  override get seekable(): boolean {
    return true;
  }
  protected override readStream(_sink: ByteSink): number {
    return -EISDIR;
  }
  protected override readFrom(_sink: ByteSink, _offset: number): number {
    return -EISDIR;
  }

  override seek(offset: number, whence: number): number {
    if (whence === SEEK_END) return -EINVAL;
    if (whence !== SEEK_SET && whence !== SEEK_CUR) return -EINVAL;
    const target = whence === SEEK_SET ? offset : this.offset + offset;
    if (target < 0) return -EINVAL;
    this.offset = target;
    return target;
  }

  override getdents(emit: EmitEntry): number {
    if (this.location.dentry.unlinked && this.inode.nlink === 0) return -ENOENT;
    const advance: EmitEntry = (name, ino, type, cookie) => {
      if (!emit(name, ino, type, cookie)) return false;
      this.offset = cookie;
      return true;
    };
    this.inode.stampRead(this.context.clock);
    if (this.offset < AFTER_DOT && !advance(".", this.inode.ino, DT_DIR, AFTER_DOT)) return 0;
    if (this.offset < AFTER_DOT_DOT) {
      const parent = parentOf(this.location, this.root).dentry.inode;
      if (!advance("..", parent.ino, DT_DIR, AFTER_DOT_DOT)) return 0;
    }
    return this.inode.readdir(this.offset <= AFTER_DOT_DOT ? 0 : this.offset, advance);
  }

  override sync(): number {
    return this.inode.sync();
  }
}
