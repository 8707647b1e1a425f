/** What system calls share across processes and no process owns: filesystems of files without a place, System V segments,
 *  names of sockets, file locks. One set per kernel, made when the first call asks for it. */
import { ANON_INODE_MAGIC, PIPEFS_MAGIC, SOCKFS_MAGIC } from "../abi/linux/stat.ts";
import { Tmpfs } from "../fs/tmpfs/tmpfs.ts";
import { AnonymousFileSystem, AnonymousInode } from "../fs/vfs/anonymous.ts";
import type { Inode } from "../fs/vfs/inode.ts";
import type { Location } from "../fs/vfs/location.ts";
import type { Kernel } from "./kernel.ts";
import { SharedSegments } from "./shared-segments.ts";
import { SocketNames } from "./socket/names.ts";

export class KernelObjects {
  readonly pipes: AnonymousFileSystem;
  readonly sockets: AnonymousFileSystem;
  /** eventfd, epoll, timerfd, signalfd. */
  readonly anonymous: AnonymousFileSystem;
  /** memfd_create. */
  readonly memory: Tmpfs;
  readonly segments: SharedSegments;
  readonly socketNames = new SocketNames();
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.pipes = new AnonymousFileSystem(kernel.fs, "pipefs", PIPEFS_MAGIC);
    this.sockets = new AnonymousFileSystem(kernel.fs, "sockfs", SOCKFS_MAGIC);
    this.anonymous = new AnonymousFileSystem(kernel.fs, "anon_inodefs", ANON_INODE_MAGIC);
    this.memory = new Tmpfs(kernel.fs);
    this.segments = new SharedSegments(kernel);
  }

  /** The machine ends: what no process owned goes back. */
  releaseAll(): void {
    this.segments.releaseAll();
    this.memory.destroy();
  }

  /** Inode and place of a file that /proc/self/fd shows as `anon_inode:[name]`. */
  anonymousPlace(name: string): { readonly inode: Inode; readonly location: Location } {
    const inode = new AnonymousInode(this.anonymous, 0o600, 0, 0);
    return { inode, location: this.#kernel.mounts.placelessLocation(this.anonymous, inode, `anon_inode:${name}`) };
  }
}

const sets = new WeakMap<Kernel, KernelObjects>();

export function objectsOf(kernel: Kernel): KernelObjects {
  let objects = sets.get(kernel);
  if (objects === undefined) {
    objects = new KernelObjects(kernel);
    sets.set(kernel, objects);
  }
  return objects;
}
