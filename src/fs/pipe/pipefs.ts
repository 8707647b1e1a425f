/** pipe(2): a nameless inode whose buffer lives as long as one of its ends is open. */
import { O_NONBLOCK, O_RDONLY, O_WRONLY } from "../../abi/linux/fcntl.ts";
import { S_IFIFO } from "../../abi/linux/stat.ts";
import { type AnonymousFileSystem, AnonymousInode } from "../vfs/anonymous.ts";
import type { Caller, Credentials } from "../vfs/credentials.ts";
import type { Location } from "../vfs/location.ts";
import type { MountTable } from "../vfs/mount-table.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { Pipe } from "./pipe.ts";
import { openPipeEnd, PipeFile } from "./pipe-file.ts";

class PipeInode extends AnonymousInode {
  readonly pipe: Pipe;

  constructor(filesystem: AnonymousFileSystem, uid: number, gid: number) {
    super(filesystem, S_IFIFO | 0o600, uid, gid);
    this.nlink = 1;
    this.pipe = new Pipe(filesystem.context);
  }
  override open(location: Location, flags: number, _caller: Caller): OpenFile | number {
    return openPipeEnd(this.pipe, this, location, flags);
  }
  protected override lastUserGone(): void {
    this.pipe.destroy();
  }
}

/** Both ends of a new pipe. @param flags O_NONBLOCK or 0 (O_CLOEXEC belongs to the descriptors) */
export function makePipe(
  filesystem: AnonymousFileSystem, mounts: MountTable, owner: Credentials, flags: number,
): { readonly readEnd: OpenFile; readonly writeEnd: OpenFile } {
  const inode = new PipeInode(filesystem, owner.uid, owner.gid);
  const location = mounts.placelessLocation(filesystem, inode, `pipe:[${inode.ino}]`);
  const kept = flags & O_NONBLOCK;
  const readEnd = new PipeFile(inode.pipe, inode, location, O_RDONLY | kept, false);
  const writeEnd = new PipeFile(inode.pipe, inode, location, O_WRONLY | kept, false);
  return { readEnd, writeEnd };
}
