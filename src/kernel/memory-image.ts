/** One program image: an address space and what execve knows about it. Linux's mm_struct.
 *
 *  Counted: tasks cloned with CLONE_VM share it, and a vfork child borrows its parent's. The last release destroys the
 *  address space, which returns every frame. execve makes a new image and never empties a shared one. */
import { assert } from "../base/assert.ts";
import { WIDE_ZERO } from "../base/bits.ts";
import type { OpenFile } from "../fs/vfs/open-file.ts";
import type { AddressSpace } from "../vm/address-space.ts";
import { FAULT_KINDS } from "../vm/fault-kind.ts";

/** Faults of spaces that are gone, by kind. */
export class FaultTotals {
  readonly faults = new Float64Array(FAULT_KINDS);

  /** A space is about to be destroyed. */
  leave(space: AddressSpace): void {
    for (let kind = 0; kind < FAULT_KINDS; kind++) this.faults[kind] += space.faultCounts[kind];
  }
}

export class MemoryImage {
  readonly space: AddressSpace;
  references = 1;
  /** Absolute path of the program file, as /proc/pid/exe shows it. */
  path = "";
  /** Kept open as long as the image lives, so that /proc/pid/exe works after unlink. */
  executable: OpenFile | undefined;
  /** Where argv and environ strings lie, for /proc/pid/{cmdline,environ}. */
  argStart = WIDE_ZERO;
  argEnd = WIDE_ZERO;
  envStart = WIDE_ZERO;
  envEnd = WIDE_ZERO;
  stackStart = WIDE_ZERO;
  codeStart = WIDE_ZERO;
  codeEnd = WIDE_ZERO;
  /** The auxiliary vector as the stack holds it, for /proc/pid/auxv. */
  auxv: Uint8Array = new Uint8Array(0);
  /** prctl(PR_SET_DUMPABLE). */
  dumpable = 1;
  readonly #totals: FaultTotals;

  constructor(space: AddressSpace, totals: FaultTotals) {
    this.space = space;
    this.#totals = totals;
  }

  retain(): this {
    this.references++;
    return this;
  }
  /** Gives one reference back; the last destroys the space. */
  release(): void {
    assert(this.references > 0, "memory image released too often", { path: this.path });
    if (--this.references > 0) return;
    this.#totals.leave(this.space);
    this.space.destroy();
    this.executable?.release();
    this.executable = undefined;
  }
}
