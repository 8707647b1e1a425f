/** /proc/<pid> and /proc/<pid>/task/<tid>: the files of one process.
 *
 *  The inodes live as long as the process; every read asks the kernel's view again. A process that has ended meanwhile
 *  gives ESRCH, as Linux's open files of /proc do. */
import { EACCES, EINVAL, ENOENT, ESRCH } from "../../abi/linux/errno.ts";
import { mayRead, mayWrite, O_CLOEXEC } from "../../abi/linux/fcntl.ts";
import { direntType, DT_LNK, S_IFDIR, S_IFREG } from "../../abi/linux/stat.ts";
import type { ByteSink } from "../transfer.ts";
import type { Caller, Owner } from "../vfs/credentials.ts";
import type { EmitEntry, Inode } from "../vfs/inode.ts";
import type { Location } from "../vfs/location.ts";
import { OpenFile } from "../vfs/open-file.ts";
import { finished } from "../vfs/regular-file.ts";
import { FIRST_COOKIE, type Generate, ProcDirectory, ProcInode, ProcPlaceLink, ProcText, type Store } from "./nodes.ts";
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
export function makeProcessDirectory(procfs: Procfs, process: ProcessView, find: FindProcess): ProcDirectory {
  const subject: Subject = { procfs, find, owner: ownerOf(process), threadId: process.processId };
  const directory = makeThreadFiles(subject, "process");
  directory.add("task", new TaskDirectory(subject));
  return directory;
}

/** What a process directory and a thread directory have in common. */
function makeThreadFiles(subject: Subject, whole: "process" | "thread"): ProcDirectory {
  const { procfs, owner } = subject;
  const directory = new ProcDirectory(procfs, 0o555, owner);
  const text = (name: string, generate: (process: ProcessView, thread: ThreadView) => string | Uint8Array | number, mode = 0o444, store: Store | null = null): void => {
    directory.add(name, new ProcText(procfs, withThread(subject, generate), mode, owner, store));
  };
  const place = (name: string, of: (process: ProcessView) => Location | null): void => {
    directory.add(name, new ProcPlaceLink(procfs, (caller) => visiblePlace(subject, caller, of), 0o777, owner));
  };
  const root = procfs.mounts.root;
  text("auxv", (process) => process.auxiliaryVector(), 0o400);
  text("cgroup", () => "0::/\n");
  text("cmdline", (process) => process.commandLine());
  text("comm", (_process, thread) => `${thread.name}\n`, 0o644, (name) => renameThread(subject, name));
  place("cwd", (process) => process.workingDirectory());
  text("environ", (process) => process.environment(), 0o400);
  place("exe", (process) => process.executable());
  directory.add("fd", new DescriptorDirectory(subject, "links"));
  directory.add("fdinfo", new DescriptorDirectory(subject, "texts"));
  text("limits", limitsText);
  text("maps", (process) => mapsText(process, root));
  text("mountinfo", () => mountInfoText(procfs.mounts.list(), root, (mount) => `0:${mount.filesystem.device}`));
  text("mounts", () => mountsText(procfs.mounts.list(), root));
  text("oom_score", () => "0\n");
  text("oom_score_adj", (process) => `${process.outOfMemoryScoreAdjustment}\n`, 0o644, (value) => adjustScore(subject, value));
  directory.add("pagemap", new PageMap(subject));
  place("root", (process) => process.rootDirectory());
  text("smaps", (process) => smapsText(process, root));
  text("stat", (process, thread) => statText(process, thread, whole));
  text("statm", statmText);
  text("status", statusText);
  text("wchan", (_process, thread) => thread.waitChannel);
  return directory;
}

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
      directory = makeThreadFiles({ ...this.subject, threadId: id }, "thread");
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
