/** File descriptors of a process: small numbers for open file descriptions (open(2), dup(2)).
 *
 *  Counted: tasks cloned with CLONE_FILES share the table. Every slot holds one reference on its OpenFile. */
import { EBADF, EMFILE } from "../abi/linux/errno.ts";
import { assert } from "../base/assert.ts";
import type { OpenFile } from "../fs/vfs/open-file.ts";

export class FdTable {
  references = 1;
  readonly #files: (OpenFile | undefined)[] = [];
  readonly #closeOnExec: boolean[] = [];
  /** No slot below this one is free. */
  #firstFree = 0;
  #count = 0;

  /** The open file behind a descriptor, without a reference of its own. */
  get(fd: number): OpenFile | undefined {
    return fd >= 0 ? this.#files[fd] : undefined;
  }
  /** Open descriptors. */
  get count(): number {
    return this.#count;
  }
  /** One more than the highest descriptor in use. */
  get end(): number {
    return this.#files.length;
  }

  /** Puts `file` into the lowest free slot at or above `from`, taking over the caller's reference.
   *  On -EMFILE (no slot below `limit`, RLIMIT_NOFILE) the caller still owns it. */
  allocate(file: OpenFile, closeOnExec: boolean, limit: number, from = 0): number {
    let fd = Math.max(from, this.#firstFree);
    while (this.#files[fd] !== undefined) fd++;
    if (fd >= limit) return -EMFILE;
    this.#put(fd, file, closeOnExec);
    if (from <= this.#firstFree) this.#firstFree = fd + 1;
    return fd;
  }

  /** dup2: `fd` becomes `file` (the caller's reference), whatever it was before. */
  replace(fd: number, file: OpenFile, closeOnExec: boolean): void {
    const old = this.#files[fd];
    if (old === undefined) this.#put(fd, file, closeOnExec);
    else {
      this.#files[fd] = file;
      this.#closeOnExec[fd] = closeOnExec;
      old.release();
    }
  }

  /** Closes one descriptor: 0 or -EBADF. */
  close(fd: number): number {
    const file = this.remove(fd);
    if (file === undefined) return -EBADF;
    file.release();
    return 0;
  }
  /** Empties a slot; its reference passes to the caller. */
  remove(fd: number): OpenFile | undefined {
    const file = this.get(fd);
    if (file === undefined) return undefined;
    this.#files[fd] = undefined;
    this.#count--;
    if (fd < this.#firstFree) this.#firstFree = fd;
    while (this.#files.length > 0 && this.#files[this.#files.length - 1] === undefined) this.#files.pop();
    return file;
  }

  isCloseOnExec(fd: number): boolean {
    return this.#closeOnExec[fd] === true;
  }
  setCloseOnExec(fd: number, value: boolean): void {
    this.#closeOnExec[fd] = value;
  }

  /** Descriptors in use, ascending. */
  *descriptors(): Iterable<number> {
    for (let fd = 0; fd < this.#files.length; fd++) if (this.#files[fd] !== undefined) yield fd;
  }

  /** fork: the same descriptions under the same numbers, in a table of its own. */
  clone(): FdTable {
    const copy = new FdTable();
    for (const fd of this.descriptors()) copy.#put(fd, this.#files[fd]!.retain(), this.#closeOnExec[fd]);
    copy.#firstFree = this.#firstFree;
    return copy;
  }
  retain(): this {
    this.references++;
    return this;
  }
  /** The last reference closes everything. */
  release(): void {
    assert(this.references > 0, "descriptor table released too often");
    if (--this.references > 0) return;
    for (const fd of [...this.descriptors()]) this.close(fd);
  }
  /** execve. */
  closeMarked(): void {
    for (const fd of [...this.descriptors()]) if (this.#closeOnExec[fd]) this.close(fd);
  }

  #put(fd: number, file: OpenFile, closeOnExec: boolean): void {
    while (this.#files.length < fd) this.#files.push(undefined);
    this.#files[fd] = file;
    this.#closeOnExec[fd] = closeOnExec;
    this.#count++;
  }
}
