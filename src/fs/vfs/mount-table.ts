/** The mounts of one namespace, in the order they were made.
 *
 *  Invariant: a mounted dentry's `mounted` is the topmost mount on it, and following `below` reaches the older ones. */
import { EBUSY, EINVAL } from "../../abi/linux/errno.ts";
import { KernelPanic } from "../../base/assert.ts";
import type { FileSystem, Inode } from "./inode.ts";
import { Dentry, type Location, type Mount } from "./location.ts";

export interface MountOptions {
  readonly readOnly?: boolean;
  /** What of the filesystem to show; its root by default. */
  readonly root?: Dentry;
}

export class MountTable {
  private readonly mounts: Mount[] = [];
  private readonly placeless = new Map<FileSystem, Mount>();
  private lastId = 0;

  /** Mounts `filesystem` on `point`, or as the root of the namespace when there is no point. */
  mount(filesystem: FileSystem, point: Location | null, options: MountOptions = {}): Mount {
    if (point === null && this.mounts.length > 0) throw new KernelPanic("the namespace has a root already");
    const mount: Mount = {
      id: ++this.lastId,
      filesystem,
      root: options.root ?? new Dentry("", null, filesystem.root),
      point,
      below: point?.dentry.mounted ?? null,
      readOnly: options.readOnly ?? false,
    };
    if (point !== null) point.dentry.mounted = mount;
    this.mounts.push(mount);
    return mount;
  }

  /** Removes the mount whose root `location` is: 0, -EINVAL when it is none, -EBUSY when something is mounted below it. */
  unmount(location: Location): number {
    const mount = location.mount;
    if (location.dentry !== mount.root || mount.point === null) return -EINVAL;
    if (this.mounts.some((other) => other.point?.mount === mount)) return -EBUSY;
    mount.point.dentry.mounted = mount.below;
    this.mounts.splice(this.mounts.indexOf(mount), 1);
    return 0;
  }

  /** The root of the namespace. */
  get root(): Location {
    if (this.mounts.length === 0) throw new KernelPanic("no root is mounted");
    return { mount: this.mounts[0], dentry: this.mounts[0].root };
  }

  /** Oldest first. */
  list(): readonly Mount[] {
    return this.mounts;
  }

  /** A location for a file that has no place in the tree: a pipe, a socket, a memfd. `name` is what /proc/self/fd shows. */
  placelessLocation(filesystem: FileSystem, inode: Inode, name: string): Location {
    let mount = this.placeless.get(filesystem);
    if (mount === undefined) {
      mount = { id: ++this.lastId, filesystem, root: new Dentry("", null, filesystem.root), point: null, below: null, readOnly: false };
      this.placeless.set(filesystem, mount);
    }
    return { mount, dentry: new Dentry(name, null, inode) };
  }

  /** Every distinct filesystem that is mounted or has placeless files. */
  filesystems(): Set<FileSystem> {
    return new Set([...this.mounts.map((mount) => mount.filesystem), ...this.placeless.keys()]);
  }
}
