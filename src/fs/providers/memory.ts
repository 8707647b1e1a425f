/** A provider that holds its files itself: for pages without a host filesystem and for tests. Paths and contents are given
 *  as text or bytes; directories appear as the paths need them. */
import { EACCES, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY } from "../../abi/linux/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/linux/stat.ts";
import { byteStringOf, stringToBytes } from "../names.ts";
import type { FileChanges, FileProvider, ProviderAccess, ProviderChange, ProviderEntry, ProviderFile, ProviderStat } from "../provider.ts";

/** One file to put in. */
export interface MemoryFile {
  readonly content?: Uint8Array | string;
  /** Makes it a symbolic link. */
  readonly target?: string;
  /** Permission bits; 0644 for files, 0755 for directories by default. */
  readonly mode?: number;
  /** Makes it a directory. */
  readonly directory?: boolean;
}

interface Node {
  mode: number;
  readonly inode: number;
  links: number;
  uid: number;
  gid: number;
  mtimeSeconds: number;
  mtimeNanos: number;
  atimeSeconds: number;
  atimeNanos: number;
  content: Uint8Array;
  readonly target: string;
  readonly children: Map<string, Node> | null;
}

export interface MemoryProviderOptions {
  readonly name?: string;
  /** Modification time of everything put in, seconds since 1970. */
  readonly mtimeSeconds?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly writable?: boolean;
}

export class MemoryProvider implements FileProvider {
  readonly name: string;
  readonly volatile = false;
  readonly changes?: FileChanges;
  private readonly options: MemoryProviderOptions;
  private readonly root: Node;
  private lastInode = 1;

  /** @param files path ("bin/sh", no leading slash) → content, or what else it is */
  constructor(files: Readonly<Record<string, MemoryFile | Uint8Array | string>> = {}, options: MemoryProviderOptions = {}) {
    this.options = options;
    this.name = options.name ?? "memory";
    this.root = this.makeNode(S_IFDIR | 0o755);
    for (const [path, file] of Object.entries(files)) this.put(path, file);
    if (options.writable === true) this.changes = new MemoryChanges(this);
  }

  /** Adds a file, with the directories above it. */
  put(path: string, file: MemoryFile | Uint8Array | string): void {
    const described: MemoryFile = typeof file === "string" || file instanceof Uint8Array ? { content: file } : file;
    const names = byteStringOf(path).split("/").filter((name) => name !== "");
    const last = names.pop();
    let directory = this.root;
    for (const name of names) {
      let next = directory.children!.get(name);
      if (next === undefined) {
        next = this.makeNode(S_IFDIR | 0o755);
        directory.children!.set(name, next);
      }
      directory = next;
    }
    if (last === undefined) {
      if (described.mode !== undefined) this.root.mode = S_IFDIR | described.mode;
      return;
    }
    directory.children!.set(last, this.nodeOf(described));
  }

  stat(path: string): ProviderStat | number {
    const node = this.find(path);
    return typeof node === "number" ? node : statOf(node);
  }

  list(path: string): readonly ProviderEntry[] | number {
    const node = this.find(path);
    if (typeof node === "number") return node;
    if (node.children === null) return -ENOTDIR;
    return [...node.children].map(([name, child]) => ({ name, type: child.mode & S_IFMT, inode: child.inode }));
  }

  readLink(path: string): string | number {
    const node = this.find(path);
    if (typeof node === "number") return node;
    return (node.mode & S_IFMT) === S_IFLNK ? node.target : -EINVAL;
  }

  open(path: string, access: ProviderAccess): ProviderFile | number {
    const node = this.find(path);
    if (typeof node === "number") return node;
    if (node.children !== null) return -EISDIR;
    if (access !== "read" && this.changes === undefined) return -EACCES;
    return new MemoryProviderFile(node);
  }

  close(): void {}

  /** For MemoryChanges: the node at `path`, or -errno. */
  find(path: string): Node | number {
    let node = this.root;
    if (path === "") return node;
    for (const name of path.split("/")) {
      if (node.children === null) return -ENOTDIR;
      const next = node.children.get(name);
      if (next === undefined) return -ENOENT;
      node = next;
    }
    return node;
  }

  makeNode(mode: number, content: Uint8Array = new Uint8Array(0), target = ""): Node {
    const { uid = 0, gid = 0, mtimeSeconds = 0 } = this.options;
    const directory = (mode & S_IFMT) === S_IFDIR;
    return {
      mode, inode: this.lastInode++, links: directory ? 2 : 1, uid, gid, mtimeSeconds, mtimeNanos: 0, atimeSeconds: mtimeSeconds, atimeNanos: 0,
      content, target, children: directory ? new Map() : null,
    };
  }

  private nodeOf(file: MemoryFile): Node {
    if (file.target !== undefined) return this.makeNode(S_IFLNK | 0o777, undefined, byteStringOf(file.target));
    if (file.directory === true) return this.makeNode(S_IFDIR | (file.mode ?? 0o755));
    const { content = "" } = file;
    return this.makeNode(S_IFREG | (file.mode ?? 0o644), typeof content === "string" ? stringToBytes(byteStringOf(content)) : content);
  }
}

class MemoryProviderFile implements ProviderFile {
  private readonly node: Node;

  constructor(node: Node) {
    this.node = node;
  }
  read(position: number, target: Uint8Array): number {
    const piece = this.node.content.subarray(position, position + target.length);
    target.set(piece);
    return piece.length;
  }
  write(position: number, source: Uint8Array): number {
    const end = position + source.length;
    if (end > this.node.content.length) this.truncate(end);
    this.node.content.set(source, position);
    this.node.mtimeNanos++;
    return source.length;
  }
  truncate(size: number): number {
    const content = new Uint8Array(size);
    content.set(this.node.content.subarray(0, size));
    this.node.content = content;
    this.node.mtimeNanos++;
    return 0;
  }
  sync(): number {
    return 0;
  }
  close(): void {}
}

class MemoryChanges implements FileChanges {
  private readonly provider: MemoryProvider;

  constructor(provider: MemoryProvider) {
    this.provider = provider;
  }
  create(path: string, mode: number): ProviderFile | number {
    const node = this.add(path, () => this.provider.makeNode(S_IFREG | mode));
    return typeof node === "number" ? node : new MemoryProviderFile(node);
  }
  makeDirectory(path: string, mode: number): number {
    return resultOf(this.add(path, () => this.provider.makeNode(S_IFDIR | mode)));
  }
  makeLink(path: string, target: string): number {
    return resultOf(this.add(path, () => this.provider.makeNode(S_IFLNK | 0o777, undefined, target)));
  }
  linkFile(existing: string, path: string): number {
    const node = this.provider.find(existing);
    if (typeof node === "number") return node;
    const added = this.add(path, () => node);
    if (typeof added === "number") return added;
    node.links++;
    return 0;
  }
  removeFile(path: string): number {
    return this.remove(path, "file");
  }
  removeDirectory(path: string): number {
    return this.remove(path, "directory");
  }
  rename(from: string, to: string): number {
    const node = this.provider.find(from);
    if (typeof node === "number") return node;
    const source = this.split(from);
    const destination = this.split(to);
    if (typeof source === "number" || typeof destination === "number") return -ENOENT;
    const replaced = destination.directory.get(destination.name);
    if (replaced?.children !== undefined && replaced.children !== null && replaced.children.size > 0) return -ENOTEMPTY;
    if (replaced !== undefined) replaced.links--;
    source.directory.delete(source.name);
    destination.directory.set(destination.name, node);
    return 0;
  }
  change(path: string, change: ProviderChange): number {
    const node = this.provider.find(path);
    if (typeof node === "number") return node;
    if (change.mode !== undefined) node.mode = (node.mode & S_IFMT) | change.mode;
    if (change.uid !== undefined) node.uid = change.uid;
    if (change.gid !== undefined) node.gid = change.gid;
    if (change.mtime !== undefined) [node.mtimeSeconds, node.mtimeNanos] = [change.mtime.seconds, change.mtime.nanos];
    if (change.atime !== undefined) [node.atimeSeconds, node.atimeNanos] = [change.atime.seconds, change.atime.nanos];
    return 0;
  }

  private add(path: string, make: () => Node): Node | number {
    const place = this.split(path);
    if (typeof place === "number") return place;
    if (place.directory.has(place.name)) return -EEXIST;
    const node = make();
    place.directory.set(place.name, node);
    return node;
  }
  private remove(path: string, kind: "file" | "directory"): number {
    const place = this.split(path);
    if (typeof place === "number") return place;
    const node = place.directory.get(place.name);
    if (node === undefined) return -ENOENT;
    if (kind === "directory" && node.children === null) return -ENOTDIR;
    if (kind === "file" && node.children !== null) return -EISDIR;
    if (node.children !== null && node.children.size > 0) return -ENOTEMPTY;
    node.links--;
    place.directory.delete(place.name);
    return 0;
  }
  private split(path: string): { directory: Map<string, Node>; name: string } | number {
    const slash = path.lastIndexOf("/");
    const parent = this.provider.find(slash < 0 ? "" : path.slice(0, slash));
    if (typeof parent === "number") return parent;
    return parent.children === null ? -ENOTDIR : { directory: parent.children, name: path.slice(slash + 1) };
  }
}

function resultOf(node: Node | number): number {
  return typeof node === "number" ? node : 0;
}

function statOf(node: Node): ProviderStat {
  const size = node.children !== null ? 4096 : node.target !== "" ? node.target.length : node.content.length;
  const subdirectories = node.children === null ? 0 : [...node.children.values()].filter((child) => child.children !== null).length;
  return {
    mode: node.mode, size, device: 1, inode: node.inode, links: node.links + subdirectories, uid: node.uid, gid: node.gid, rdev: 0,
    blocks: Math.ceil(size / 4096) * 8,
    atimeSeconds: node.atimeSeconds, atimeNanos: node.atimeNanos, mtimeSeconds: node.mtimeSeconds, mtimeNanos: node.mtimeNanos,
    ctimeSeconds: node.mtimeSeconds, ctimeNanos: node.mtimeNanos, btimeSeconds: node.mtimeSeconds, btimeNanos: 0,
  };
}
