/** /proc/<pid> and /proc/<pid>/task/<tid>: the files of one process.
 *
 *  The inodes live as long as the process; every read asks the kernel's view again. A process that has ended meanwhile
 *  gives ESRCH, as Linux's open files of /proc do. */
import { EACCES, EINVAL, ENOENT, ESRCH } from "../../abi/linux/errno.ts";
import { mayRead, mayWrite, O_CLOEXEC } from "../../abi/linux/fcntl.ts";
import { direntType, DT_LNK, S_IFDIR, S_IFLNK, S_IFREG } from "../../abi/linux/stat.ts";
import type { ByteSink } from "../transfer.ts";
import type { Caller, Owner } from "../vfs/credentials.ts";
import type { EmitEntry, Inode } from "../vfs/inode.ts";
import type { Location } from "../vfs/location.ts";
import { OpenFile } from "../vfs/open-file.ts";
import { finished } from "../vfs/regular-file.ts";
import { FIRST_COOKIE, type Generate, ProcInode, ProcPlaceLink, ProcText } from "./nodes.ts";
import { limitsText, mapsText, smapsText, statmText, statText, statusText } from "./process-text.ts";
import type { Procfs } from "./procfs.ts";
import { mountInfoText, mountsText } from "./system-text.ts";
import type { ProcessView, ThreadView } from "./view.ts";

/** The process of a directory, as long as it is the same one. */
export type FindProcess = () => ProcessView | undefined;

interface Subject {
  readonly procfs: Procfs;
  readonly find: FindProcess;
  readonly owner: Owner;
  readonly threadId: number;
}

/** /proc/<pid>. */
export function makeProcessDirectory(procfs: Procfs, process: ProcessView, find: FindProcess): ProcInode {
  return new SubjectDirectory({ procfs, find, owner: ownerOf(process), threadId: process.processId }, PROCESS_FILES);
}

/** Makes the inode of one file for a subject. */
type MakeFile = (subject: Subject) => ProcInode;
interface FileRow {
  readonly type: typeof S_IFDIR | typeof S_IFREG | typeof S_IFLNK;
  readonly make: MakeFile;
}

/** /proc/<pid> or /proc/<pid>/task/<tid>. A file is made when it is first asked for: a shell that starts every program through
 *  /proc/self/exe asks for one of two dozen. */
class SubjectDirectory extends ProcInode {
  private readonly subject: Subject;
  private readonly rows: ReadonlyMap<string, FileRow>;
  private readonly made = new Map<string, ProcInode>();

  constructor(subject: Subject, rows: ReadonlyMap<string, FileRow>) {
    super(subject.procfs, S_IFDIR | 0o555, subject.owner);
    this.nlink = rows === PROCESS_FILES ? PROCESS_LINKS : THREAD_LINKS;
    this.subject = subject;
    this.rows = rows;
  }
  override lookup(name: string): ProcInode | number {
    const known = this.made.get(name);
    if (known !== undefined) return known;
    const inode = this.rows.get(name)?.make(this.subject);
    if (inode === undefined) return -ENOENT;
    this.made.set(name, inode);
    return inode;
  }
  override readdir(cookie: number, emit: EmitEntry): number {
    let at = FIRST_COOKIE;
    for (const [name, { type }] of this.rows) {
      if (at++ < cookie + 1) continue;
      if (!emit(name, (this.lookup(name) as ProcInode).ino, direntType(type), at - 1)) return 0;
    }
    return 0;
  }
}

function text(generate: (process: ProcessView, thread: ThreadView, procfs: Procfs) => string | Uint8Array | number, mode = 0o444, store?: (subject: Subject, text: string) => number): FileRow {
  return {
    type: S_IFREG,
    make: (subject) => {
      const made = withThread(subject, (process, thread) => generate(process, thread, subject.procfs));
      return new ProcText(subject.procfs, made, mode, subject.owner, store === undefined ? null : (value) => store(subject, value));
    },
  };
}
function place(of: (process: ProcessView) => Location | null): FileRow {
  return { type: S_IFLNK, make: (subject) => new ProcPlaceLink(subject.procfs, (caller) => visiblePlace(subject, caller, of), 0o777, subject.owner) };
}
function directory(make: MakeFile): FileRow {
  return { type: S_IFDIR, make };
}

/** What process directories and thread directories have in common; only `stat` tells them apart. */
function commonFiles(whole: "process" | "thread"): [string, FileRow][] {
  return [
    ["auxv", text((process) => process.auxiliaryVector(), 0o400)],
    ["cgroup", text(() => "0::/\n")],
    ["cmdline", text((process) => process.commandLine())],
    ["comm", text((_process, thread) => `${thread.name}\n`, 0o644, renameThread)],
    ["cwd", place((process) => process.workingDirectory())],
    ["environ", text((process) => process.environment(), 0o400)],
    ["exe", place((process) => process.executable())],
    ["fd", directory((subject) => new DescriptorDirectory(subject, "links"))],
    ["fdinfo", directory((subject) => new DescriptorDirectory(subject, "texts"))],
    ["limits", text(limitsText)],
    ["maps", text((process, _thread, { mounts }) => mapsText(process, mounts.root))],
    ["mountinfo", text((_process, _thread, { mounts }) => mountInfoText(mounts.list(), mounts.root, (mount) => `0:${mount.filesystem.device}`))],
    ["mounts", text((_process, _thread, { mounts }) => mountsText(mounts.list(), mounts.root))],
    ["oom_score", text(() => "0\n")],
    ["oom_score_adj", text((process) => `${process.outOfMemoryScoreAdjustment}\n`, 0o644, adjustScore)],
    ["pagemap", { type: S_IFREG, make: (subject) => new PageMap(subject) }],
    ["root", place((process) => process.rootDirectory())],
    ["smaps", text((process, _thread, { mounts }) => smapsText(process, mounts.root))],
    ["stat", text((process, thread) => statText(process, thread, whole))],
    ["statm", text(statmText)],
    ["status", text(statusText)],
    ["wchan", text((_process, thread) => thread.waitChannel)],
  ];
}
const THREAD_FILES: ReadonlyMap<string, FileRow> = new Map(commonFiles("thread"));
const PROCESS_FILES: ReadonlyMap<string, FileRow> = new Map([...commonFiles("process"), ["task", directory((subject) => new TaskDirectory(subject))]]);
/** "." and the name above it, and one for each directory inside. */
const THREAD_LINKS = 4;
const PROCESS_LINKS = 5;

/** /proc/<pid>/task. */
class TaskDirectory extends ProcInode {
  private readonly subject: Subject;
  private readonly threads = new Map<number, Inode>();

  constructor(subject: Subject) {
    super(subject.procfs, S_IFDIR | 0o555, subject.owner);
    this.nlink = 3;
    this.subject = subject;
  }
  override lookup(name: string): Inode | number {
    const id = parseId(name);
    const process = this.subject.find();
    if (id === null || process === undefined) return -ENOENT;
    const alive = process.findThread(id) !== undefined || id === process.processId;
    if (!alive) {
      this.threads.delete(id);
      return -ENOENT;
    }
    let directory = this.threads.get(id);
    if (directory === undefined) {
      directory = new SubjectDirectory({ ...this.subject, threadId: id }, THREAD_FILES);
      this.threads.set(id, directory);
    }
    return directory;
  }
  override readdir(cookie: number, emit: EmitEntry): number {
    const ids = [...(this.subject.find()?.threads() ?? [])].map((thread) => thread.threadId);
    return emitIds(ids, cookie, emit, direntType(S_IFDIR), (id) => this.lookup(String(id)));
  }
}

/** /proc/<pid>/fd or fdinfo. */
class DescriptorDirectory extends ProcInode {
  private readonly subject: Subject;
  private readonly kind: "links" | "texts";
  private readonly known = new Map<number, Inode>();

  constructor(subject: Subject, kind: "links" | "texts") {
    super(subject.procfs, S_IFDIR | (kind === "links" ? 0o500 : 0o555), subject.owner);
    this.nlink = 2;
    this.subject = subject;
    this.kind = kind;
  }
  override get size(): number {
    return this.kind === "links" ? [...(this.subject.find()?.descriptors() ?? [])].length : 0;
  }
  override lookup(name: string): Inode | number {
    const fd = parseId(name);
    const open = fd === null ? undefined : this.subject.find()?.findDescriptor(fd);
    if (fd === null || open === undefined) {
      if (fd !== null) this.known.delete(fd);
      return -ENOENT;
    }
    let inode = this.known.get(fd);
    if (inode === undefined) {
      inode = this.kind === "links" ? this.makeLink(fd) : this.makeText(fd);
      this.known.set(fd, inode);
    }
    // The link's own mode tells how the file was opened: r for the owner when readable, w when writable.
    const access = (mayRead(open.file.flags) ? 0o400 : 0) | (mayWrite(open.file.flags) ? 0o200 : 0);
    if (this.kind === "links") inode.mode = (inode.mode & ~0o7777) | 0o100 | access;
    return inode;
  }
  override readdir(cookie: number, emit: EmitEntry): number {
    const fds = [...(this.subject.find()?.descriptors() ?? [])].map((open) => open.fd);
    const type = this.kind === "links" ? DT_LNK : direntType(S_IFREG);
    return emitIds(fds, cookie, emit, type, (fd) => this.lookup(String(fd)));
  }

  private makeLink(fd: number): Inode {
    const { procfs, owner } = this.subject;
    return new ProcPlaceLink(
      procfs, (caller) => visiblePlace(this.subject, caller, (process) => process.findDescriptor(fd)?.file.location ?? null), 0o700, owner,
    );
  }
  private makeText(fd: number): Inode {
    const { procfs, owner } = this.subject;
    const generate = (process: ProcessView): string | number => {
      const open = process.findDescriptor(fd);
      if (open === undefined) return -ENOENT;
      const flags = open.file.flags | (open.closeOnExec ? O_CLOEXEC : 0);
      const { file } = open;
      return `pos:\t${file.offset}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${file.location.mount.id}\nino:\t${file.inode.ino}\n${file.describe()}`;
    };
    return new ProcText(procfs, withThread(this.subject, generate), 0o444, owner);
  }
}

/** /proc/<pid>/pagemap: eight bytes a page, read at an offset that is a multiple of eight. */
class PageMap extends ProcInode {
  private readonly subject: Subject;
  constructor(subject: Subject) {
    super(subject.procfs, S_IFREG | 0o400, subject.owner);
    this.subject = subject;
  }
  override open(location: Location, flags: number, caller: Caller): OpenFile | number {
    if (this.subject.find()?.maySee(caller.uid) !== true) return -EACCES;
    return new PageMapFile(this.subject.find, this, location, flags);
  }
}

class PageMapFile extends OpenFile {
  private readonly find: FindProcess;
  constructor(find: FindProcess, inode: Inode, location: Location, flags: number) {
    super(inode, location, flags);
    this.find = find;
  }
  override get seekable(): boolean {
    return true;
  }
  protected override readStream(sink: ByteSink): number {
    const before = sink.transferred;
    const result = this.copy(sink, this.offset);
    this.offset += sink.transferred - before;
    return finished(result, sink.transferred);
  }
  protected override readFrom(sink: ByteSink, offset: number): number {
    return finished(this.copy(sink, offset + sink.transferred), sink.transferred);
  }
  override seek(offset: number, whence: number): number {
    const target = whence === 0 ? offset : whence === 1 ? this.offset + offset : -1;
    if (target < 0) return -EINVAL;
    this.offset = target;
    return target;
  }
  private copy(sink: ByteSink, position: number): number {
    if (position % ENTRY !== 0 || (sink.remaining % ENTRY !== 0 && sink.transferred === 0)) return -EINVAL;
    const process = this.find();
    if (process === undefined) return -ESRCH;
    const bytes = new Uint8Array(ENTRY);
    const view = new DataView(bytes.buffer);
    for (let page = position / ENTRY; sink.remaining > 0 && page < USER_PAGES; page++) {
      const entry = process.pageMapEntry(page);
      view.setUint32(0, entry.low, true);
      view.setUint32(4, entry.high, true);
      if (sink.put(bytes, 0, ENTRY) < ENTRY) return sink.stopped;
    }
    return 0;
  }
}

const ENTRY = 8;
/** Pages of the lower half. */
const USER_PAGES = 2 ** 35;

function withThread(subject: Subject, generate: (process: ProcessView, thread: ThreadView) => string | Uint8Array | number): Generate {
  return () => {
    const process = subject.find();
    const thread = process?.findThread(subject.threadId);
    return process === undefined || thread === undefined ? -ESRCH : generate(process, thread);
  };
}

function visiblePlace(subject: Subject, caller: Caller, of: (process: ProcessView) => Location | null): Location | number | null {
  const process = subject.find();
  if (process === undefined) return -ENOENT;
  return process.maySee(caller.uid) ? of(process) : -EACCES;
}

function renameThread(subject: Subject, name: string): number {
  const thread = subject.find()?.findThread(subject.threadId);
  if (thread === undefined) return -ESRCH;
  thread.rename(name.replace(/\n$/, "").slice(0, 15));
  return name.length;
}

function adjustScore(subject: Subject, text: string): number {
  const process = subject.find();
  const value = Number(text.trim());
  if (process === undefined) return -ESRCH;
  if (!Number.isInteger(value) || text.trim() === "" || value < -1000 || value > 1000) return -EINVAL;
  process.outOfMemoryScoreAdjustment = value;
  return text.length;
}

function ownerOf(process: ProcessView): Owner {
  return { uid: process.userIds.effective, gid: process.groupIds.effective };
}

/** The number a name spells, null when it spells none or has leading zeros. */
export function parseId(name: string): number | null {
  return /^(0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : null;
}

/** Emits numeric names by rising number; the cookie is the number, so that numbers may come and go meanwhile. */
export function emitIds(
  ids: readonly number[], cookie: number, emit: EmitEntry, type: number, inodeOf: (id: number) => Inode | number,
): number {
  const from = cookie < FIRST_COOKIE ? 0 : cookie - FIRST_COOKIE;
  for (const id of [...ids].sort((a, b) => a - b)) {
    if (id < from) continue;
    const inode = inodeOf(id);
    if (typeof inode === "number") continue;
    if (!emit(String(id), inode.ino, type, id + FIRST_COOKIE + 1)) return 0;
  }
  return 0;
}
