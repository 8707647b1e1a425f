/** Range translations: contiguous runs of pages that translated code may access without asking (DESIGN section 4).
 *
 *  A slot in RAM, 32 bytes:  +0 i64 base   +8 i64 limit   +16 i32 delta   +20 u16 misses since the start
 *  covers [base, base + limit): host = low 32 bits of the address + delta. `limit` is 15 less than the run, so that an access of up to
 *  16 bytes at a covered address stays inside. An empty slot has limit 0.
 *  Invariant: a read run has A on every page, a write run W and D and no frame that holds translations; every page of it is mapped
 *  contiguously right now. So whatever narrows, moves or unmaps a page, clears A or D, or marks a frame empties all slots first. */
import { FRAME_CODE } from "./frame-flags.ts";
import type { FrameAllocator } from "./frames.ts";
import { PAGE_SIZE, RANGE_BASE } from "./physical-map.ts";
import { PTE_ACCESSED, PTE_DIRTY, PTE_FRAME_MASK, PTE_LARGE, PTE_PRESENT, PTE_USER, PTE_WRITABLE } from "./pte.ts";
import type { Ram } from "./ram.ts";

export const RANGE_SLOT_BYTES = 32;
/** Offset of the fields in a slot. */
export const RANGE_LIMIT = 8;
export const RANGE_DELTA = 16;
export const RANGE_MISSES = 20;
/** Slots 0…16 serve reads (by base register; 16 = none), 17…33 writes. */
export const RANGE_CLASSES = 17;
export const RANGE_SLOTS = 2 * RANGE_CLASSES;
const FIRST_WRITE_SLOT = RANGE_BASE + RANGE_CLASSES * RANGE_SLOT_BYTES;
const TAIL = 15;
const ENTRIES = 512;
const TWO_32 = 0x1_0000_0000;

export class Ranges {
  private readonly ram: Ram;
  private readonly frames: FrameAllocator;
  /** Some slot is not empty. */
  private filled = false;
  /** Counts emptyings of filled slots: running code compares it to learn that its copies are stale. */
  drops = 0;
  refills = 0;

  constructor(ram: Ram, frames: FrameAllocator) {
    this.ram = ram;
    this.frames = frames;
    this.clear();
  }

  /** Empties every slot. @hot */
  dropAll(): void {
    if (!this.filled) return;
    this.clear();
    this.drops++;
  }

  /** True when the slot at RAM address `slot` covers nothing. */
  isEmpty(slot: number): boolean {
    return this.ram.i32[(slot + RANGE_LIMIT) >>> 2] === 0;
  }
  /** Fills the slot at RAM address `slot` with the longest contiguous run around `address`, which has just been translated. The run ends at the borders of its page table (2 MiB). @hot */
  refill(slot: number, root: number, address: number): void {
    const write = slot >= FIRST_WRITE_SLOT;
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    let entry = words[(root >>> 2) + (high >>> 7) * 2];
    if ((entry & PTE_PRESENT) === 0) return;
    entry = words[((entry & PTE_FRAME_MASK) >>> 2) + (((high & 127) << 2) | (low >>> 30)) * 2];
    if ((entry & PTE_PRESENT) === 0) return;
    entry = words[((entry & PTE_FRAME_MASK) >>> 2) + ((low >>> 21) & (ENTRIES - 1)) * 2];
    const need = PTE_PRESENT | PTE_USER | PTE_ACCESSED | (write ? PTE_WRITABLE | PTE_DIRTY : 0);
    this.refills++;
    const blockBase = address - (address % 0x20_0000);
    if ((entry & PTE_LARGE) !== 0) {
      if ((entry & need) !== need) return;
      const frame = (entry & PTE_FRAME_MASK & ~0x1f_ffff) >>> 12;
      if (write) for (let i = 0; i < ENTRIES; i++) if ((this.frames.flags[frame + i] & FRAME_CODE) !== 0) return;
      this.put(slot, blockBase, 0x20_0000, frame);
      return;
    }
    const table = (entry & PTE_FRAME_MASK) >>> 2;
    const index = (low >>> 12) & (ENTRIES - 1);
    const frame = words[table + index * 2] >>> 12;
    if (!this.usable(words[table + index * 2], frame, need, write)) return;
    let first = index;
    while (first > 0 && this.usable(words[table + (first - 1) * 2], frame - (index - first) - 1, need, write)) first--;
    let end = index + 1;
    while (end < ENTRIES && this.usable(words[table + end * 2], frame + (end - index), need, write)) end++;
    this.put(slot, blockBase + first * PAGE_SIZE, (end - first) * PAGE_SIZE, frame - (index - first));
  }

  private usable(entry: number, frame: number, need: number, write: boolean): boolean {
    return (entry & need) === need && entry >>> 12 === frame && !(write && (this.frames.flags[frame] & FRAME_CODE) !== 0);
  }
  private put(slot: number, base: number, length: number, frame: number): void {
    const words = this.ram.i32;
    const at = slot >>> 2;
    words[at] = base | 0;
    words[at + 1] = (base / TWO_32) | 0;
    words[at + 2] = length - TAIL;
    words[at + 3] = 0;
    words[at + 4] = ((frame << 12) - (base | 0)) | 0;
    this.filled = true;
  }
  private clear(): void {
    const words = this.ram.i32;
    for (let slot = 0; slot < RANGE_SLOTS; slot++) {
      const at = (RANGE_BASE + slot * RANGE_SLOT_BYTES) >>> 2;
      words[at + 2] = 0;
      words[at + 3] = 0;
      words[at + RANGE_MISSES / 4] = 0;
    }
    this.filled = false;
  }
}
