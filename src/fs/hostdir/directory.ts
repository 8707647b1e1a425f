/** A directory of a provider.
 *
 *  Changes run once although a blocked call is retried from its beginning: while a change of a name is under way the name
 *  blocks; when its answer has come the name still shows its old meaning until the caller that asked has taken the answer,
 *  so that the repeated call takes the same way and finds it. */
import { EEXIST, EINVAL, ENOENT, EPERM, EROFS } from "../../abi/linux/errno.ts";
import { direntType, PERMISSION_BITS, S_IFMT, S_IFREG } from "../../abi/linux/stat.ts";
import type { Answer, FileChanges, ProviderFile, ProviderStat } from "../provider.ts";
import { DirectoryEntries } from "../tmpfs/directory-entries.ts";
import type { Owner } from "../vfs/credentials.ts";
import type { EmitEntry, Inode } from "../vfs/inode.ts";
import { blockOn, WaitQueue, WOULD_BLOCK } from "../wait.ts";
import { isPromise, whenAnswered } from "./answers.ts";
import type { HostDir } from "./hostdir.ts";
import { type HostFile, HostInode } from "./inodes.ts";

interface Entry {
  readonly ino: number;
  readonly direntType: number;
}

/** A change of one name, asked of an asynchronous provider. */
interface Change {
  readonly what: string;
  readonly before: Inode | null;
  readonly queue: WaitQueue;
  result: number | null;
  /** Look-ups since the answer came. Its caller makes few; more mean that it will not come for it (it was killed). */
  lookups: number;
}
const LOOKUPS_BEFORE_ABANDONED = 8;

export class HostDirectory extends HostInode {
  private readonly entries = new DirectoryEntries<Entry>();
  private listed = false;
  /** Files that were made and wait for their inode to be found. */
  private readonly created = new Map<string, ProviderFile>();
  private readonly changing = new Map<string, Change>();

  constructor(filesystem: HostDir, parent: HostDirectory | null, name: string, stat: ProviderStat, ino: number) {
    super(filesystem, parent, name, stat, ino);
  }

  override lookup(name: string): Inode | number {
    const change = this.changing.get(name);
    if (change !== undefined) {
      if (change.result === null) return blockOn(change.queue);
      if (++change.lookups <= LOOKUPS_BEFORE_ABANDONED) return change.before ?? -ENOENT;
      this.changing.delete(name);
    }
    return this.find(name);
  }

  override readdir(cookie: number, emit: EmitEntry): number {
    if (cookie === 0 && (this.filesystem.volatileNames || !this.listed)) {
      const result = this.list();
      if (result < 0) return result;
    }
    this.entries.emitAfter(cookie, emit);
    return 0;
  }

  override create(name: string, mode: number, _owner: Owner): Inode | number {
    const inode = this.make(name, "create", (changes, path) => this.keepFile(name, changes.create(path, mode & PERMISSION_BITS)));
    const file = this.created.get(name);
    if (typeof inode === "number" || file === undefined) return inode;
    this.created.delete(name);
    // The file is open for writing even when its mode would not allow to open it again (open(2)).
    (inode as HostFile).useFile(file);
    return inode;
  }
  override mkdir(name: string, mode: number, _owner: Owner): Inode | number {
    return this.make(name, "mkdir", (changes, path) => changes.makeDirectory(path, mode & PERMISSION_BITS));
  }
  override mknod(name: string, mode: number, _rdev: number, owner: Owner): Inode | number {
    if ((mode & S_IFMT) !== S_IFREG) return -EPERM;
    const inode = this.create(name, mode, owner);
    if (typeof inode !== "number") (inode as HostFile).closeUnused();
    return inode;
  }
  override symlink(name: string, target: string, _owner: Owner): Inode | number {
    return this.make(name, `symlink ${target}`, (changes, path) => changes.makeLink(path, target));
  }
  override link(name: string, inode: Inode): number {
    const existing = (inode as HostInode).path;
    const made = this.make(name, `link ${existing}`, (changes, path) => changes.linkFile(existing, path));
    return typeof made === "number" ? made : 0;
  }

  override unlink(name: string, inode: Inode): number {
    const result = this.perform(name, "unlink", inode, (changes, path) => changes.removeFile(path));
    if (result < 0) return result;
    this.removed(name, inode);
    return 0;
  }
  override rmdir(name: string, inode: Inode): number {
    const result = this.perform(name, "rmdir", inode, (changes, path) => changes.removeDirectory(path));
    if (result < 0) return result;
    inode.nlink = 0;
    this.entries.remove(name);
    return 0;
  }

  override rename(name: string, inode: Inode, newParent: Inode, newName: string, target: Inode | null, exchange: boolean): number {
    if (exchange) return -EINVAL;
    const destination = newParent as HostDirectory;
    const to = destination.pathOf(newName);
    const result = this.perform(name, `rename ${to}`, inode, (changes, path) => changes.rename(path, to), () => {
      destination.hold(newName, `renamed from ${name}`, target);
    });
    if (result === WOULD_BLOCK) return WOULD_BLOCK;
    destination.changing.delete(newName);
    if (result < 0) return result;
    destination.outdated = true;
    if (target !== null) destination.removed(newName, target);
    this.entries.remove(name);
    destination.entries.replace(newName, entryOf(inode));
    (inode as HostInode).reached(destination, newName);
    return 0;
  }

  /** Path of an entry within the provider. */
  pathOf(name: string): string {
    const path = this.path;
    return path === "" ? name : `${path}/${name}`;
  }

  private find(name: string): Inode | number {
    const path = this.pathOf(name);
    const stat = this.filesystem.answers.ask(`stat:${path}`, () => this.filesystem.provider.stat(path));
    return typeof stat === "number" ? stat : this.filesystem.inodeFor(this, name, stat);
  }

  private list(): number {
    const path = this.path;
    const found = this.filesystem.answers.ask(`list:${path}`, () => this.filesystem.provider.list(path));
    if (typeof found === "number") return found;
    const names = new Set<string>();
    for (const { name, type, inode } of found) {
      names.add(name);
      const known = this.entries.get(name);
      if (known !== undefined && inode === 0) continue;
      if (type !== 0 && inode !== 0) {
        this.entries.replace(name, { ino: inode, direntType: direntType(type) });
        continue;
      }
      const child = this.find(name);
      // A name that vanished meanwhile is not listed; a late answer is waited for.
      if (typeof child !== "number") this.entries.replace(name, entryOf(child));
      else if (child !== -ENOENT) return child;
      else names.delete(name);
    }
    for (const name of this.entries.names()) if (!names.has(name)) this.entries.remove(name);
    this.listed = true;
    return 0;
  }

  private make(name: string, what: string, run: (changes: FileChanges, path: string) => Answer<number>): Inode | number {
    const result = this.perform(name, what, null, run);
    if (result < 0) return result;
    const made = this.find(name);
    if (made === WOULD_BLOCK) this.hold(name, what, null);
    if (typeof made !== "number") this.entries.replace(name, entryOf(made));
    return made;
  }

  private keepFile(name: string, answer: Answer<ProviderFile>): Answer<number> {
    const keep = (file: ProviderFile | number): number => {
      if (typeof file === "number") return file;
      this.created.set(name, file);
      return 0;
    };
    return isPromise(answer) ? answer.then(keep) : keep(answer);
  }

  /** Runs a change of `name` once: its result, or WOULD_BLOCK until the provider has answered. */
  private perform(
    name: string, what: string, before: Inode | null, run: (changes: FileChanges, path: string) => Answer<number>, begun?: () => void,
  ): number {
    const changes = this.filesystem.changes;
    if (changes === null) return -EROFS;
    const pending = this.changing.get(name);
    if (pending !== undefined) {
      if (pending.result === null) return blockOn(pending.queue);
      this.changing.delete(name);
      if (pending.what === what) return pending.result;
      return pending.before === null && before === null ? -EEXIST : -ENOENT;
    }
    const answer = run(changes, this.pathOf(name));
    this.filesystem.answers.forget();
    this.outdated = true;
    if (!isPromise(answer)) return answer;
    const change: Change = { what, before, queue: new WaitQueue(), result: null, lookups: 0 };
    this.changing.set(name, change);
    begun?.();
    whenAnswered(answer, (result) => {
      this.filesystem.answers.forget();
      change.result = result;
      // Whoever asked has gone (a signal took it): the change stands by itself.
      if (change.queue.empty && this.changing.get(name) === change) this.changing.delete(name);
      change.queue.wakeAll();
    });
    return blockOn(change.queue);
  }

  /** Keeps the old meaning of a second name that a change concerns, until the change is taken. */
  private hold(name: string, what: string, before: Inode | null): void {
    this.changing.set(name, { what, before, queue: new WaitQueue(), result: 0, lookups: 0 });
  }

  private removed(name: string, inode: Inode): void {
    this.entries.remove(name);
    inode.nlink = inode.isDirectory ? 0 : Math.max(0, inode.nlink - 1);
    if (inode.nlink === 0 && inode.users === 0) inode.evict();
  }
}

function entryOf(inode: Inode): Entry {
  return { ino: inode.ino, direntType: direntType(inode.mode) };
}
