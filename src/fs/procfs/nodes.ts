/** The kinds of file that /proc is made of: directories, generated texts, links. All are computed when they are read. */
import { EACCES, EINVAL, EIO, ENOENT } from "../../abi/linux/errno.ts";
import { SEEK_CUR, SEEK_SET } from "../../abi/linux/fcntl.ts";
import { direntType, S_IFDIR, S_IFLNK, S_IFREG } from "../../abi/linux/stat.ts";
import { stringToBytes } from "../names.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import type { Caller, Owner } from "../vfs/credentials.ts";
import { type EmitEntry, Inode, type LinkReader } from "../vfs/inode.ts";
import { type Location, pathOf } from "../vfs/location.ts";
import { OpenFile } from "../vfs/open-file.ts";
import { finished } from "../vfs/regular-file.ts";
import type { Procfs } from "./procfs.ts";

const ROOT: Owner = { uid: 0, gid: 0 };

export abstract class ProcInode extends Inode {
  readonly filesystem: Procfs;

  constructor(filesystem: Procfs, mode: number, owner: Owner = ROOT) {
    super(filesystem.nextInode(), mode, owner);
    this.filesystem = filesystem;
    this.stampCreated(filesystem.context.clock);
  }
  override setMode(): number {
    return -EACCES;
  }
}

/** A directory whose entries do not change. */
export class ProcDirectory extends ProcInode {
  private readonly children = new Map<string, Inode>();

  constructor(filesystem: Procfs, mode = 0o555, owner?: Owner) {
    super(filesystem, S_IFDIR | mode, owner);
    this.nlink = 2;
  }
  add(name: string, inode: Inode): this {
    this.children.set(name, inode);
    if (inode.isDirectory) this.nlink++;
    return this;
  }
  entries(): Iterable<[string, Inode]> {
    return this.children;
  }
  override lookup(name: string): Inode | number {
    return this.children.get(name) ?? -ENOENT;
  }
  override readdir(cookie: number, emit: EmitEntry): number {
    let at = FIRST_COOKIE;
    for (const [name, inode] of this.children) {
      if (at++ < cookie + 1) continue;
      if (!emit(name, inode.ino, direntType(inode.mode), at - 1)) return 0;
    }
    return 0;
  }
}

/** Cookies 1 and 2 belong to "." and "..". */
export const FIRST_COOKIE = 3;

/** What a generated file contains now: text as a byte string, bytes, -errno or WOULD_BLOCK. */
export type Generate = () => string | Uint8Array | number;
/** Takes what is written in one write(2): bytes used, or -errno. */
export type Store = (text: string) => number;

export class ProcText extends ProcInode {
  readonly generate: Generate;
  readonly store: Store | null;

  constructor(filesystem: Procfs, generate: Generate, mode = 0o444, owner?: Owner, store: Store | null = null) {
    super(filesystem, S_IFREG | mode, owner);
    this.generate = generate;
    this.store = store;
  }
  override open(location: Location, flags: number, _caller: Caller): OpenFile {
    return new GeneratedFile(this, location, flags);
  }
  /** Opening with O_TRUNC is allowed and means nothing. */
  override truncate(_size: number): number {
    return 0;
  }
}

/** The text is made anew whenever it is read from the beginning, as Linux's seq files do. */
class GeneratedFile extends OpenFile {
  private readonly text: ProcText;
  private content: Uint8Array | null = null;

  constructor(text: ProcText, location: Location, flags: number) {
    super(text, location, flags);
    this.text = text;
  }
  override get seekable(): boolean {
    return true;
  }
  protected override readStream(sink: ByteSink): number {
    const before = sink.transferred;
    const result = this.copy(sink, this.offset, before === 0);
    this.offset += sink.transferred - before;
    return finished(result, sink.transferred);
  }
  protected override readFrom(sink: ByteSink, offset: number): number {
    return finished(this.copy(sink, offset + sink.transferred, sink.transferred === 0), sink.transferred);
  }
  protected override writeStream(source: ByteSource): number {
    if (this.text.store === null) return -EIO;
    const bytes = new Uint8Array(Math.min(source.remaining, 4096));
    const moved = source.take(bytes, 0, bytes.length);
    if (moved < bytes.length) return finished(source.stopped, 0);
    const result = this.text.store(String.fromCharCode(...bytes));
    return result < 0 ? result : source.transferred;
  }
  override seek(offset: number, whence: number): number {
    if (whence !== SEEK_SET && whence !== SEEK_CUR) return -EINVAL;
    const target = whence === SEEK_SET ? offset : this.offset + offset;
    if (target < 0) return -EINVAL;
    this.offset = target;
    return target;
  }

  private copy(sink: ByteSink, position: number, first: boolean): number {
    if (this.content === null || (position === 0 && first)) {
      const made = this.text.generate();
      if (typeof made === "number") return made;
      this.content = typeof made === "string" ? stringToBytes(made) : made;
    }
    const wanted = Math.min(this.content.length - position, sink.remaining);
    if (wanted <= 0) return 0;
    return sink.put(this.content, position, wanted) < wanted ? sink.stopped : 0;
  }
}

/** A link whose text depends on who reads it (/proc/self). */
export class ProcLink extends ProcInode {
  private readonly target: (caller: Caller) => string | number;

  constructor(filesystem: Procfs, target: (caller: Caller) => string | number) {
    super(filesystem, S_IFLNK | 0o777);
    this.target = target;
  }
  override readlink(reader: LinkReader): string | number {
    return this.target(reader.caller);
  }
}

/** A link that leads to a place itself, not to a path (cwd, root, exe, fd/N). Null: there is none (any more). */
export class ProcPlaceLink extends ProcInode {
  private readonly place: (caller: Caller) => Location | number | null;

  constructor(filesystem: Procfs, place: (caller: Caller) => Location | number | null, mode = 0o777, owner?: Owner) {
    super(filesystem, S_IFLNK | mode, owner);
    this.place = place;
  }
  override readlink(reader: LinkReader): string | number {
    const place = this.place(reader.caller);
    if (place === null) return -ENOENT;
    return typeof place === "number" ? place : pathOf(place, reader.root);
  }
  override get size(): number {
    return 64;
  }
  override follow(reader: LinkReader): Location | number {
    return this.place(reader.caller) ?? -ENOENT;
  }
}
