/** One program image: an address space and what execve knows about it. Linux's mm_struct.
 *
 *  Counted: tasks cloned with CLONE_VM share it, and a vfork child borrows its parent's. The last release destroys the
 *  address space, which returns every frame. execve makes a new image and never empties a shared one. */
import { assert } from "../base/assert.ts";
import { WIDE_ZERO } from "../base/bits.ts";
import type { OpenFile } from "../fs/vfs/open-file.ts";
import type { AddressSpace } from "../vm/address-space.ts";
import { FAULT_KINDS } from "../vm/fault-kind.ts";

/** Faults of spaces that are gone, and the most page-table frames seen. Tables are counted when a space is copied or goes,
 *  which is where their number has just risen or is about to fall. */
export class FaultTotals {
  readonly faults = new Float64Array(FAULT_KINDS);
  peakTablePages = 0;
  readonly #counted = new Map<AddressSpace, number>();
  #tablePages = 0;

  /** Counts the tables of a space anew; returns the frames in all tables as far as they have been counted. */
  note(space: AddressSpace): number {
    const pages = space.tablePages;
    this.#tablePages += pages - (this.#counted.get(space) ?? 0);
    this.#counted.set(space, pages);
    this.peakTablePages = Math.max(this.peakTablePages, this.#tablePages);
    return this.#tablePages;
  }
  /** fork has just made `copy` of `original`; the copy has as many tables, near enough. */
  noteCopy(original: AddressSpace, copy: AddressSpace): void {
    this.note(original);
    const pages = this.#counted.get(original)!;
    this.#counted.set(copy, pages);
    this.#tablePages += pages;
    this.peakTablePages = Math.max(this.peakTablePages, this.#tablePages);
  }
  /** A space is about to be destroyed. */
  leave(space: AddressSpace): void {
    this.note(space);
    this.#tablePages -= this.#counted.get(space)!;
    this.#counted.delete(space);
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
