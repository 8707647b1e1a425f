/** Where a task stands in the file tree: working directory, root and umask (chdir(2), chroot(2), umask(2)).
 *  Counted by sharing only (CLONE_FS); Locations need no release. */
import type { Location } from "../fs/vfs/location.ts";

export class FileContext {
  references = 1;
  root: Location;
  cwd: Location;
  umask: number;

  constructor(root: Location, cwd: Location, umask: number) {
    this.root = root;
    this.cwd = cwd;
    this.umask = umask;
  }
  retain(): this {
    this.references++;
    return this;
  }
  clone(): FileContext {
    return new FileContext(this.root, this.cwd, this.umask);
  }
}
