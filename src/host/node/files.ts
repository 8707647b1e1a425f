/** A directory of the host as a file provider, synchronous, for Node.
 *
 *  Nothing outside the directory is ever touched, whatever happens on the host meanwhile. On Linux an operation opens the
 *  directory that holds the name, asks /proc/self/fd where that descriptor really is, and goes on only if it is the place
 *  that was meant; the name itself is used through the descriptor and never followed. So neither a symbolic link nor a
 *  race leads out (openat2(2)'s RESOLVE_BENEATH, by hand). Elsewhere every component is checked with lstat before use,
 *  which a race on the host could outrun.
 *
 *  Paths are Buffers, because names are bytes. Directory descriptors are kept, at most DIRECTORY_LIMIT. */
import * as fs from "node:fs";
import { EINVAL, EIO, ELOOP, ENOENT, ENOTDIR, errnoByName } from "../../abi/linux/errno.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../../abi/linux/stat.ts";
import type { FileChanges, FileProvider, ProviderAccess, ProviderChange, ProviderEntry, ProviderFile, ProviderStat } from "../../fs/provider.ts";

const DIRECTORY_LIMIT = 32;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_RDWR } = fs.constants;
const HAS_PROC = process.platform === "linux" && fs.existsSync("/proc/self/fd");

export interface HostDirectoryOptions {
  /** Offers changes, for a mount that writes through. */
  readonly writable?: boolean;
}

/** A path on the host: bytes, and on Linux through a directory descriptor. */
type HostPath = Buffer;

interface OpenDirectory {
  readonly descriptor: number;
  /** What tells where it is now. */
  readonly link: string;
  /** The directory itself: without the "/." lstat would see /proc's link to it. */
  readonly path: string;
}

export class NodeDirectory implements FileProvider {
  readonly name: string;
  readonly volatile = true;
  readonly changes?: FileChanges;
  /** Real path of the directory, without a trailing slash ("" for "/"). */
  private readonly root: string;
  /** Open directories by path, least recently used first. */
  private readonly directories = new Map<string, OpenDirectory>();
  private openFiles = 0;

  /** @param directory an existing directory of the host; throws what Node throws when it is none */
  constructor(directory: string, options: HostDirectoryOptions = {}) {
    const real = fs.realpathSync.native(directory, "buffer").toString("latin1");
    if (!fs.statSync(Buffer.from(real, "latin1")).isDirectory()) throw new Error(`not a directory: ${directory}`);
    this.root = real === "/" ? "" : real;
    this.name = real;
    if (options.writable === true) this.changes = new NodeChanges(this);
  }

  /** Host descriptors held now: for tests that nothing is left behind. */
  get descriptors(): number {
    return this.directories.size + this.openFiles;
  }

  stat(path: string): ProviderStat | number {
    return this.attempt(() => {
      const host = this.locate(path);
      if (typeof host === "number") return host;
      // Most names that are looked for and not found are tried in turn (a search path); an exception for each would cost ten calls.
      const stat = fs.lstatSync(host, IF_THERE);
      return stat === undefined ? -ENOENT : statOf(stat);
    });
  }

  list(path: string): readonly ProviderEntry[] | number {
    return this.attempt(() => {
      const directory = this.directory(path);
      if (typeof directory === "number") return directory;
      const entries = fs.readdirSync(Buffer.from(directory, "latin1"), { withFileTypes: true, encoding: "buffer" }) as unknown as fs.Dirent<Buffer>[];
      return entries.map((entry) => ({ name: entry.name.toString("latin1"), type: typeOf(entry), inode: 0 }));
    });
  }

  readLink(path: string): string | number {
    return this.attempt(() => {
      const host = this.locate(path);
      return typeof host === "number" ? host : fs.readlinkSync(host, "buffer").toString("latin1");
    });
  }

  open(path: string, access: ProviderAccess): ProviderFile | number {
    return this.attempt(() => {
      const host = this.locate(path);
      if (typeof host === "number") return host;
      // Looked at before it is opened: opening a FIFO or a device would have effects on the host.
      if (!fs.lstatSync(host).isFile()) return -EINVAL;
      const mode = access === "read" ? O_RDONLY : O_RDWR;
      return this.fileOf(fs.openSync(host, mode | O_NOFOLLOW | O_NONBLOCK));
    });
  }

  close(): void {
    for (const { descriptor } of this.directories.values()) fs.closeSync(descriptor);
    this.directories.clear();
  }

  // For NodeChanges ---------------------------------------------------------------------------------------------------

  /** Runs `action` and turns what Node throws into a negative errno. */
  attempt<T>(action: () => T | number): T | number {
    try {
      return action();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      return -(code === undefined ? EIO : (errnoByName(code) ?? EIO));
    }
  }

  /** How the host knows the last component of `path`, safe to use without following it; or -errno. */
  locate(path: string): HostPath | number {
    const slash = path.lastIndexOf("/");
    const parent = this.directory(slash < 0 ? "" : path.slice(0, slash));
    if (typeof parent === "number") return parent;
    return Buffer.from(path === "" ? parent : `${parent}/${path.slice(slash + 1)}`, "latin1");
  }

  /** An open file over `descriptor`, which it owns; -EINVAL when it is not a regular file. */
  fileOf(descriptor: number): ProviderFile | number {
    if (!fs.fstatSync(descriptor).isFile()) {
      fs.closeSync(descriptor);
      return -EINVAL;
    }
    this.openFiles++;
    return new NodeFile(this, descriptor, () => {
      this.openFiles--;
    });
  }

  /** A path (a byte string) that leads to the directory itself, checked to be where it should be. */
  private directory(path: string): string | number {
    if (!HAS_PROC) return this.checkedDirectory(path);
    const wanted = path === "" ? this.root || "/" : `${this.root}/${path}`;
    const kept = this.directories.get(path);
    if (kept !== undefined) {
      this.directories.delete(path);
      if (whereIs(kept) === wanted) {
        this.directories.set(path, kept);
        return kept.path;
      }
      // Moved or removed on the host since it was opened.
      fs.closeSync(kept.descriptor);
    }
    const opened = openDirectory(fs.openSync(Buffer.from(wanted, "latin1"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (whereIs(opened) !== wanted) {
      fs.closeSync(opened.descriptor);
      return -ELOOP;
    }
    this.directories.set(path, opened);
    if (this.directories.size > DIRECTORY_LIMIT) {
      const [oldest, unused] = this.directories.entries().next().value!;
      this.directories.delete(oldest);
      fs.closeSync(unused.descriptor);
    }
    return opened.path;
  }

  /** Without /proc: every component must be a real directory at the moment it is looked at. */
  private checkedDirectory(path: string): string | number {
    let at = this.root;
    for (const name of path === "" ? [] : path.split("/")) {
      at = `${at}/${name}`;
      const stat = fs.lstatSync(Buffer.from(at, "latin1"));
      if (stat.isSymbolicLink()) return -ELOOP;
      if (!stat.isDirectory()) return -ENOTDIR;
    }
    return at === "" ? "/" : at;
  }
}

class NodeFile implements ProviderFile {
  private readonly owner: NodeDirectory;
  private readonly descriptor: number;
  private readonly closed: () => void;
  private open = true;

  constructor(owner: NodeDirectory, descriptor: number, closed: () => void) {
    this.owner = owner;
    this.descriptor = descriptor;
    this.closed = closed;
  }
  read(position: number, target: Uint8Array): number {
    return this.owner.attempt(() => {
      let total = 0;
      while (total < target.length) {
        const count = fs.readSync(this.descriptor, target, total, target.length - total, position + total);
        if (count === 0) break;
        total += count;
      }
      return total;
    });
  }
  write(position: number, source: Uint8Array): number {
    return this.owner.attempt(() => {
      let total = 0;
      while (total < source.length) total += fs.writeSync(this.descriptor, source, total, source.length - total, position + total);
      return total;
    });
  }
  truncate(size: number): number {
    return this.owner.attempt(() => {
      fs.ftruncateSync(this.descriptor, size);
      return 0;
    });
  }
  sync(): number {
    return this.owner.attempt(() => {
      fs.fsyncSync(this.descriptor);
      return 0;
    });
  }
  close(): void {
    if (!this.open) return;
    this.open = false;
    fs.closeSync(this.descriptor);
    this.closed();
  }
}

class NodeChanges implements FileChanges {
  private readonly owner: NodeDirectory;

  constructor(owner: NodeDirectory) {
    this.owner = owner;
  }
  create(path: string, mode: number): ProviderFile | number {
    return this.owner.attempt(() => {
      const host = this.owner.locate(path);
      if (typeof host === "number") return host;
      const descriptor = fs.openSync(host, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
      // The guest's umask has been applied already; the host's must not be applied on top.
      fs.fchmodSync(descriptor, mode);
      return this.owner.fileOf(descriptor);
    });
  }
  makeDirectory(path: string, mode: number): number {
    return this.at(path, (host) => {
      fs.mkdirSync(host, { mode });
      fs.chmodSync(host, mode);
    });
  }
  makeLink(path: string, target: string): number {
    return this.at(path, (host) => fs.symlinkSync(Buffer.from(target, "latin1"), host));
  }
  linkFile(existing: string, path: string): number {
    return this.both(existing, path, (from, to) => fs.linkSync(from, to));
  }
  removeFile(path: string): number {
    return this.at(path, (host) => fs.unlinkSync(host));
  }
  removeDirectory(path: string): number {
    return this.at(path, (host) => fs.rmdirSync(host));
  }
  rename(from: string, to: string): number {
    return this.both(from, to, (source, destination) => fs.renameSync(source, destination));
  }
  change(path: string, change: ProviderChange): number {
    return this.at(path, (host) => {
      const stat = fs.lstatSync(host, { bigint: true });
      if (change.uid !== undefined || change.gid !== undefined) {
        fs.lchownSync(host, change.uid ?? Number(stat.uid), change.gid ?? Number(stat.gid));
      }
      // chmod follows links; namei never asks for one's mode, and a race must not reach what it points to.
      if (change.mode !== undefined && !stat.isSymbolicLink()) this.changeMode(host, change.mode);
      if (change.atime === undefined && change.mtime === undefined) return;
      const now = { seconds: Number(stat.atimeNs / NANOS), nanos: Number(stat.atimeNs % NANOS) };
      const then = { seconds: Number(stat.mtimeNs / NANOS), nanos: Number(stat.mtimeNs % NANOS) };
      fs.lutimesSync(host, timeOf(change.atime ?? now), timeOf(change.mtime ?? then));
    });
  }

  private changeMode(host: HostPath, mode: number): void {
    if (!fs.lstatSync(host).isFile()) {
      fs.chmodSync(host, mode);
      return;
    }
    const descriptor = fs.openSync(host, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      fs.fchmodSync(descriptor, mode);
    } finally {
      fs.closeSync(descriptor);
    }
  }
  private at(path: string, action: (host: HostPath) => void): number {
    return this.owner.attempt(() => {
      const host = this.owner.locate(path);
      if (typeof host === "number") return host;
      action(host);
      return 0;
    });
  }
  private both(from: string, to: string, action: (from: HostPath, to: HostPath) => void): number {
    return this.at(from, (source) => {
      const destination = this.owner.locate(to);
      if (typeof destination === "number") throw Object.assign(new Error("rename"), { code: "ENOENT" });
      action(source, destination);
    });
  }
}

const NANOS = 1_000_000_000n;
const IF_THERE = { bigint: true, throwIfNoEntry: false } as const;

function openDirectory(descriptor: number): OpenDirectory {
  const link = `/proc/self/fd/${descriptor}`;
  return { descriptor, link, path: `${link}/.` };
}

/** Where the host says an open directory is now; with " (deleted)" when it is nowhere. */
function whereIs(directory: OpenDirectory): string {
  return fs.readlinkSync(directory.link, "latin1");
}

/** Seconds as Node takes them: a double has 100 ns resolution here, which utimensat cannot better through it. */
function timeOf(time: { readonly seconds: number; readonly nanos: number }): number {
  return time.seconds + time.nanos / 1e9;
}

function typeOf(entry: fs.Dirent<Buffer>): number {
  if (entry.isFile()) return S_IFREG;
  if (entry.isDirectory()) return S_IFDIR;
  if (entry.isSymbolicLink()) return S_IFLNK;
  if (entry.isFIFO()) return S_IFIFO;
  if (entry.isSocket()) return S_IFSOCK;
  if (entry.isCharacterDevice()) return S_IFCHR;
  return entry.isBlockDevice() ? S_IFBLK : 0;
}

function statOf(stat: fs.BigIntStats): ProviderStat {
  return {
    mode: Number(stat.mode), size: Number(stat.size), device: Number(stat.dev), inode: Number(stat.ino), links: Number(stat.nlink),
    uid: Number(stat.uid), gid: Number(stat.gid), rdev: Number(stat.rdev), blocks: Number(stat.blocks),
    atimeSeconds: Number(stat.atimeNs / NANOS), atimeNanos: Number(stat.atimeNs % NANOS),
    mtimeSeconds: Number(stat.mtimeNs / NANOS), mtimeNanos: Number(stat.mtimeNs % NANOS),
    ctimeSeconds: Number(stat.ctimeNs / NANOS), ctimeNanos: Number(stat.ctimeNs % NANOS),
    btimeSeconds: Number(stat.birthtimeNs / NANOS), btimeNanos: Number(stat.birthtimeNs % NANOS),
  };
}
