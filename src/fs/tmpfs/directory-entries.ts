/** The names in one directory that lives in memory, in the order they were made.
 *
 *  Each name has a cookie that is never used again, so a reader of the directory sees every entry that stays exactly once
 *  however names come and go meanwhile (readdir(3)). */
import type { EmitEntry } from "../vfs/inode.ts";

/** Cookies 1 and 2 belong to "." and "..". */
const FIRST_COOKIE = 3;

/** What an entry must tell about itself when the directory is listed. */
export interface Listed {
  readonly ino: number;
  readonly direntType: number;
  /** Takes its place but is not shown (an overlay's whiteout). */
  readonly hidden?: boolean;
}

export class DirectoryEntries<T extends Listed> {
  private readonly entries = new Map<string, { value: T; readonly cookie: number }>();
  private nextCookie = FIRST_COOKIE;

  get size(): number {
    return this.entries.size;
  }
  get(name: string): T | undefined {
    return this.entries.get(name)?.value;
  }
  /** Adds a name that is not there. */
  add(name: string, value: T): void {
    this.entries.set(name, { value, cookie: this.nextCookie++ });
  }
  /** Lets the name mean something else; its place in the listing stays. */
  replace(name: string, value: T): void {
    const entry = this.entries.get(name);
    if (entry === undefined) this.add(name, value);
    else entry.value = value;
  }
  remove(name: string): void {
    this.entries.delete(name);
  }
  values(): T[] {
    return [...this.entries.values()].map((entry) => entry.value);
  }
  names(): string[] {
    return [...this.entries.keys()];
  }

  /** Emits what comes after `cookie`. */
  emitAfter(cookie: number, emit: EmitEntry): void {
    for (const [name, entry] of this.entries) {
      if (entry.cookie <= cookie || entry.value.hidden === true) continue;
      if (!emit(name, entry.value.ino, entry.value.direntType, entry.cookie)) return;
    }
  }
}
