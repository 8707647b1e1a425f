/** One program image: an address space and what execve knows about it. Linux's mm_struct.
 *
 *  Counted: tasks cloned with CLONE_VM share it, and a vfork child borrows its parent's. The last release destroys the
 *  address space, which returns every frame. execve makes a new image and never empties a shared one. */
import { assert } from "../base/assert.ts";
import type { OpenFile } from "../fs/vfs/open-file.ts";
import type { AddressSpace } from "../vm/address-space.ts";

export class MemoryImage {
  readonly space: AddressSpace;
  references = 1;
  /** Absolute path of the program file, as /proc/pid/exe shows it. */
  path = "";
  /** Kept open as long as the image lives, so that /proc/pid/exe works after unlink. */
  executable: OpenFile | undefined;
  /** Where argv and environ strings lie, for /proc/pid/{cmdline,environ}. */
  argStart = 0;
  argEnd = 0;
  envStart = 0;
  envEnd = 0;
  stackStart = 0;
  codeStart = 0;
  codeEnd = 0;
  /** The auxiliary vector as the stack holds it, for /proc/pid/auxv. */
  auxv: Uint8Array = new Uint8Array(0);
  /** prctl(PR_SET_DUMPABLE). */
  dumpable = 1;
  constructor(space: AddressSpace) {
    this.space = space;
  }

  retain(): this {
    this.references++;
    return this;
  }
  /** Gives one reference back; the last destroys the space. */
  release(): void {
    assert(this.references > 0, "memory image released too often", { path: this.path });
    if (--this.references > 0) return;
    this.space.destroy();
    this.executable?.release();
    this.executable = undefined;
  }
}
