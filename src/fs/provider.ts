/** Where files come from when they are not in guest memory: a directory of the host, an archive in a page, a server.
 *
 *  A provider answers at once or with a Promise; the guest waits without noticing. It is asked about one path at a time and
 *  never follows a symbolic link: `path` is a sequence of names joined by "/", relative to the provider's root ("" is the
 *  root), without "." and "..", and every component but the last is a directory. If a component has become a link
 *  meanwhile, the answer is -ENOENT, -ENOTDIR or -ELOOP, not what the link points to.
 *
 *  Names and link targets are byte strings (names.ts). Errors are negative errno numbers; a Promise that rejects counts
 *  as -EIO. */

/** A value, or -errno; now or later. */
export type Answer<T> = T | number | Promise<T | number>;

/** `device` of directories that exist only in the guest's view. */
export const MADE_UP_DEVICE = -1;

/** One file's attributes. */
export interface ProviderStat {
  /** Type and permission bits as in st_mode. */
  readonly mode: number;
  readonly size: number;
  /** Identity within the provider: two paths with the same (device, inode) are the same file. */
  readonly device: number;
  readonly inode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** 512-byte units. */
  readonly blocks: number;
  readonly atimeSeconds: number;
  readonly atimeNanos: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanos: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanos: number;
  readonly btimeSeconds: number;
  readonly btimeNanos: number;
}

/** One entry of a directory. */
export interface ProviderEntry {
  readonly name: string;
  /** S_IFMT type, 0 when it is not known without a stat. */
  readonly type: number;
  /** 0 when it is not known without a stat. */
  readonly inode: number;
}

/** What a provider can be told to change about a file. Absent fields stay. */
export interface ProviderChange {
  /** Permission bits. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly atime?: { readonly seconds: number; readonly nanos: number };
  readonly mtime?: { readonly seconds: number; readonly nanos: number };
}

/** An open regular file of the provider. */
export interface ProviderFile {
  /** Fills `target` from byte `position` on; the count read, short only at the end of the file. */
  read(position: number, target: Uint8Array): Answer<number>;
  /** Writes all of `source`; the count written. Only on files opened for writing. */
  write(position: number, source: Uint8Array): Answer<number>;
  truncate(size: number): Answer<number>;
  /** 0 when everything written is on stable storage. */
  sync(): Answer<number>;
  close(): void;
}

export const READ_ONLY = "read";
export const READ_WRITE = "read-write";
export type ProviderAccess = typeof READ_ONLY | typeof READ_WRITE;

/** What every provider does. */
export interface FileProvider {
  /** Shown in /proc/mounts as the device. */
  readonly name: string;
  /** Files may change without the guest doing it, so names and attributes are asked for again each time. */
  readonly volatile: boolean;
  stat(path: string): Answer<ProviderStat>;
  list(path: string): Answer<readonly ProviderEntry[]>;
  readLink(path: string): Answer<string>;
  /** Regular files only. */
  open(path: string, access: ProviderAccess): Answer<ProviderFile>;
  /** Present when the provider can be written to. */
  readonly changes?: FileChanges;
  /** Gives back every host resource. Not used afterwards. */
  close(): void;
}

/** What a writable provider does besides. Each but create answers 0 or -errno. */
export interface FileChanges {
  /** A new, empty regular file, open for reading and writing whatever its mode; -EEXIST when the name is taken. */
  create(path: string, mode: number): Answer<ProviderFile>;
  makeDirectory(path: string, mode: number): Answer<number>;
  makeLink(path: string, target: string): Answer<number>;
  /** One more name, `path`, for the file at `existing`. */
  linkFile(existing: string, path: string): Answer<number>;
  removeFile(path: string): Answer<number>;
  removeDirectory(path: string): Answer<number>;
  rename(from: string, to: string): Answer<number>;
  change(path: string, change: ProviderChange): Answer<number>;
}
