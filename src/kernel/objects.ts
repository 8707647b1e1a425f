/** What system calls share across processes and no process owns: filesystems of files without a place, System V segments,
 *  names of sockets, file locks. One set per kernel, made when the first call asks for it. */
import { ANON_INODE_MAGIC, PIPEFS_MAGIC, SOCKFS_MAGIC, TMPFS_MAGIC } from "../abi/linux/stat.ts";
import { Tmpfs } from "../fs/tmpfs/tmpfs.ts";
import { AnonymousFileSystem, AnonymousInode } from "../fs/vfs/anonymous.ts";
import type { Inode } from "../fs/vfs/inode.ts";
import type { Location } from "../fs/vfs/location.ts";
import type { Kernel } from "./kernel.ts";
import { SharedSegments } from "./shared-segments.ts";
import { collectGarbage } from "./socket/garbage.ts";
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
    this.sockets = new SocketFileSystem(kernel, this.socketNames);
    this.anonymous = new AnonymousFileSystem(kernel.fs, "anon_inodefs", ANON_INODE_MAGIC);
    this.memory = new Tmpfs(kernel.fs);
    this.segments = new SharedSegments(kernel);
    // Segments outlive processes. Standing in the table of filesystems, they go when the machine's files do.
    const segments = new SegmentFileSystem(kernel, this.segments);
    kernel.mounts.placelessLocation(segments, segments.root, "");
  }

  /** A socket was closed: others that only messages hold may go with it. */
  collectSockets(): void {
    if (this.#collecting) return;
    this.#collecting = true;
    collectGarbage(this.socketNames.live);
    this.#collecting = false;
  }
  #collecting = false;

  /** Inode and place of a file that /proc/self/fd shows as `anon_inode:[name]`. */
  anonymousPlace(name: string): { readonly inode: Inode; readonly location: Location } {
    const inode = new AnonymousInode(this.anonymous, 0o600, 0, 0);
    return { inode, location: this.#kernel.mounts.placelessLocation(this.anonymous, inode, `anon_inode:${name}`) };
  }
}

/** Its end drops what is left in queues: sockets that hold each other outlive their processes. */
class SocketFileSystem extends AnonymousFileSystem {
  readonly #names: SocketNames;
  constructor(kernel: Kernel, names: SocketNames) {
    super(kernel.fs, "sockfs", SOCKFS_MAGIC);
    this.#names = names;
  }
  override destroy(): void {
    for (const socket of [...this.#names.live]) socket.discardQueue();
  }
}

/** Linux keeps System V segments on a tmpfs of their own that is mounted nowhere; this is its shell. */
class SegmentFileSystem extends AnonymousFileSystem {
  readonly #segments: SharedSegments;
  constructor(kernel: Kernel, segments: SharedSegments) {
    super(kernel.fs, "tmpfs", TMPFS_MAGIC);
    this.#segments = segments;
  }
  override destroy(): void {
    this.#segments.releaseAll();
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
