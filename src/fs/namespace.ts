/** The file tree of a machine, built from what the command line says.
 *
 *    /            an overlay of memory over the host view: the grafts, or all of --root DIR
 *    /dev         devfs, with a tmpfs on /dev/shm
 *    /proc        procfs, when the kernel gives its view
 *    /tmp         part of the root: the view's own if it shows one, else an empty directory for everybody
 *    --mount      a provider each: under an overlay of its own, or written through
 *
 *  Invariant: nothing of the host is visible but what is named here; mount points that the view lacks are made in memory. */
import { ENOENT, ENOTDIR } from "../abi/linux/errno.ts";
import { O_CREAT, O_RDWR } from "../abi/linux/fcntl.ts";
import { ANON_INODE_MAGIC, PIPEFS_MAGIC, S_IFDIR, S_IFMT, S_ISVTX, SOCKFS_MAGIC } from "../abi/linux/stat.ts";
import type { FsContext } from "./context.ts";
import { makeDevfs } from "./devfs/devfs.ts";
import { HostDir, type HostDirOptions } from "./hostdir/hostdir.ts";
import { Overlay } from "./overlay/overlay.ts";
import { Procfs } from "./procfs/procfs.ts";
import type { SystemView } from "./procfs/view.ts";
import { CompositeProvider } from "./providers/composite.ts";
import type { FileProvider } from "./provider.ts";
import { Tmpfs } from "./tmpfs/tmpfs.ts";
import type { Terminal } from "./tty/terminal.ts";
import { AnonymousFileSystem } from "./vfs/anonymous.ts";
import { KERNEL_CALLER, type Owner } from "./vfs/credentials.ts";
import type { Location } from "./vfs/location.ts";
import { MountTable } from "./vfs/mount-table.ts";
import { resolve, type Walk } from "./vfs/namei.ts";
import { open } from "./vfs/open.ts";
import { makeDirectory } from "./vfs/tree.ts";
import { settled } from "./wait.ts";

/** Something of a provider that the guest sees at `path`. */
export interface Graft {
  /** Absolute guest path, a byte string. */
  readonly path: string;
  readonly provider: FileProvider;
  /** Path within the provider, "" for its root. */
  readonly source: string;
}

/** One --mount. */
export interface MountRequest {
  readonly path: string;
  readonly provider: FileProvider;
  readonly access: "overlay" | "read-only" | "write-through";
  /** The provider's root is a directory (the default) or a single file, which then is mounted on a file. */
  readonly kind?: "directory" | "file";
}

export interface NamespaceOptions {
  /** The guest's "/", or null for a view of grafts only. */
  readonly root: FileProvider | null;
  readonly grafts: readonly Graft[];
  readonly mounts: readonly MountRequest[];
  readonly terminal: Terminal | null;
  /** What /proc shows; without it /proc is an empty directory. */
  readonly system: SystemView | null;
  /** Owner of the terminal's node: the user that the first process runs as. */
  readonly owner: Owner;
}

export interface Namespace {
  readonly context: FsContext;
  readonly mounts: MountTable;
  readonly root: Location;
  /** Where pipe(2), socketpair(2), eventfd(2) and memfd_create(2) put their inodes. */
  readonly pipes: AnonymousFileSystem;
  readonly sockets: AnonymousFileSystem;
  readonly anonymous: AnonymousFileSystem;
  readonly shared: Tmpfs;
  /** A walk of the machine itself from "/". */
  readonly walk: Walk;
  /** Gives back every frame and host descriptor, when no process is left. */
  destroy(): void;
}

/** Builds the tree. Throws an Error with one clear line when a mount point cannot be made: that is the user's mistake. */
export async function buildNamespace(context: FsContext, options: NamespaceOptions): Promise<Namespace> {
  const mounts = new MountTable();
  mounts.mount(await rootFileSystem(context, options), null);
  const walk: Walk = { context, root: mounts.root, base: mounts.root, caller: KERNEL_CALLER };
  const at = (path: string): Promise<Location> => mountPoint(walk, path, "directory");

  await makeTmp(walk, options);
  mounts.mount(makeDevfs(context, options.terminal, options.owner), await at("/dev"));
  mounts.mount(new Tmpfs(context), await at("/dev/shm"));
  const proc = await at("/proc");
  if (options.system !== null) mounts.mount(new Procfs(context, options.system, mounts), proc);
  for (const request of options.mounts) await mountRequest(walk, mounts, request);

  const pipes = new AnonymousFileSystem(context, "pipefs", PIPEFS_MAGIC);
  const sockets = new AnonymousFileSystem(context, "sockfs", SOCKFS_MAGIC);
  const anonymous = new AnonymousFileSystem(context, "anon_inodefs", ANON_INODE_MAGIC);
  const shared = new Tmpfs(context);
  return {
    context, mounts, root: mounts.root, pipes, sockets, anonymous, shared, walk,
    destroy() {
      for (const filesystem of mounts.filesystems()) filesystem.destroy();
      shared.destroy();
    },
  };
}

/** /tmp is part of the root's overlay, for everybody (mode 1777) unless the host's own is what the guest sees. */
async function makeTmp(walk: Walk, options: NamespaceOptions): Promise<void> {
  const shown = options.root !== null && typeof (await settled(() => resolve(walk, "/tmp"))) !== "number";
  const tmp = await mountPoint(walk, "/tmp", "directory");
  if (shown || options.grafts.some((graft) => isAbove(graft.path === "/" ? "" : graft.path, "/tmp"))) return;
  tmp.dentry.inode.setMode(0o777 | S_ISVTX, walk.context.clock);
}

async function rootFileSystem(context: FsContext, options: NamespaceOptions): Promise<Overlay> {
  context.clock.sample();
  const view = new CompositeProvider("root", context.clock.seconds);
  if (options.root !== null) view.graft("", options.root, "");
  for (const graft of options.grafts) view.graft(graft.path, graft.provider, graft.source);
  return new Overlay(context, await hostDir(context, view, "read-only"));
}

/** A provider's filesystem whose root is known: what is laid over it starts from the root's attributes. */
async function hostDir(context: FsContext, provider: FileProvider, access: HostDirOptions["access"]): Promise<HostDir> {
  const filesystem = new HostDir(context, provider, { access });
  await settled(() => filesystem.root.refresh());
  return filesystem;
}

async function mountRequest(walk: Walk, mounts: MountTable, request: MountRequest): Promise<void> {
  const point = await mountPoint(walk, request.path, request.kind ?? "directory");
  const access = request.access === "write-through" ? "write-through" : "read-only";
  const host = await hostDir(walk.context, request.provider, access);
  mounts.mount(request.access === "overlay" ? new Overlay(walk.context, host) : host, point);
}

/** The place to mount on, made with the directories above it when it is not there. */
async function mountPoint(walk: Walk, path: string, kind: "directory" | "file"): Promise<Location> {
  const names = path.split("/").filter((name) => name !== "");
  for (let depth = 1; depth <= names.length; depth++) {
    const prefix = `/${names.slice(0, depth).join("/")}`;
    const found = await settled(() => resolve(walk, prefix));
    if (found !== -ENOENT) continue;
    const isFile = depth === names.length && kind === "file";
    const result = await settled(() => (isFile ? makeFile(walk, prefix) : makeDirectory(walk, prefix, 0o755)));
    if (result < 0) throw new Error(`cannot make mount point ${prefix} (errno ${-result})`);
  }
  const location = await settled(() => resolve(walk, path));
  if (typeof location === "number") throw new Error(`cannot reach mount point ${path} (errno ${-location})`);
  const isDirectory = (location.dentry.inode.mode & S_IFMT) === S_IFDIR;
  if (isDirectory !== (kind === "directory")) throw new Error(`mount point ${path} is ${isDirectory ? "" : "not "}a directory (errno ${ENOTDIR})`);
  return location;
}

function makeFile(walk: Walk, path: string): number {
  const file = open(walk, path, O_CREAT | O_RDWR, 0o644);
  if (typeof file === "number") return file;
  file.release();
  return 0;
}

/** Whether `path` is `ancestor` or something below it. */
function isAbove(ancestor: string, path: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}/`);
}
