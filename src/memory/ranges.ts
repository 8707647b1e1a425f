/** Range translations: contiguous runs of pages that translated code may access without asking (DESIGN section 4).
 *
 *  A slot in RAM, 32 bytes:  +0 i64 base   +8 i64 limit   +16 i32 delta   +20 u16 misses of the block since the start
 *  covers [base, base + limit): host = low 32 bits of the address + delta. `limit` is 127 less than the run, so that
 *  up to 128 bytes from a covered address stay inside. An empty slot has limit 0.
 *
 *  Invariant: a read run has A on every page, a write run W and D and no frame that holds translations; every page of it is mapped
 *  contiguously right now. So whatever narrows, moves or unmaps a page, clears A or D, or marks a frame first empties the slots that
 *  cover the page, and no others: what only adds (a page that appears, W, A or D set) leaves every slot alone.
 *
 *  Running code reads slots at each access, but goes on using host addresses it has found for accesses near by, through slots or through
 *  the TLB. So it leaves after whatever may have moved or narrowed a page while it ran: `changes` tells.
 *
 *  A run goes on across page tables. Tables that were found to be one run from end to end are remembered until a page of theirs is
 *  narrowed, so that a long run is found with one look per 2 MiB. */
import { FRAME_CODE } from "./frame-flags.ts";
import type { FrameAllocator } from "./frames.ts";
import { LARGE_PAGE_SHIFT, LARGE_PAGE_SIZE, PAGE_SHIFT, PAGE_SIZE, RANGE_BASE } from "./physical-map.ts";
import {
  PTE_ACCESSED, PTE_DIRTY, PTE_FRAME_MASK, PTE_LARGE, PTE_LARGE_FRAME_MASK, PTE_PRESENT, PTE_USER, PTE_WRITABLE,
} from "./pte.ts";
import type { Ram } from "./ram.ts";

export const RANGE_SLOT_BYTES = 32;
/** Offset of the fields in a slot. */
export const RANGE_LIMIT = 8;
export const RANGE_DELTA = 16;
export const RANGE_MISSES = 20;
/** By base register, 16 for FS or GS; and so many of each, for a register points here and there in turn. */
export const RANGE_CLASSES = 17;
export const RANGE_BANKS = 4;
/** Regions take turns with spaces of such slots: where a register points in one function says nothing of the next. */
export const RANGE_SPACES = 12;
/** Behind those, class + 17 × (bank + 4 × space), come slots for constant addresses, by their page: a program's variables, its pointers to
 *  functions and its constants lie in pages of their own that no run includes together. */
export const FIRST_CONSTANT_RANGE = RANGE_CLASSES * RANGE_BANKS * RANGE_SPACES;
export const RANGE_CONSTANTS = 64;
/** Behind those come slots that are found by the address: the run that was last filled for each of so many blocks of
 *  2 MiB. A slot that misses takes its run from there. */
export const FIRST_BLOCK_RANGE = FIRST_CONSTANT_RANGE + RANGE_CONSTANTS;
export const RANGE_BLOCKS_SHIFT = 7;
export const RANGE_BLOCKS = 1 << RANGE_BLOCKS_SHIFT;
/** Slots before this one serve reads, from it on writes, in the same order. */
export const FIRST_WRITE_RANGE = FIRST_BLOCK_RANGE + RANGE_BLOCKS;
export const RANGE_SLOTS = 2 * FIRST_WRITE_RANGE;
const SLOT_WORDS = RANGE_SLOT_BYTES / 4;
const FIRST_WRITE_SLOT = RANGE_BASE + FIRST_WRITE_RANGE * RANGE_SLOT_BYTES;
export const RANGE_TAIL = 127;
const ENTRIES = 512;
const TWO_32 = 0x1_0000_0000;
const USER_SPAN = 2 ** 47;
const NEED_READ = PTE_PRESENT | PTE_USER | PTE_ACCESSED;
const NEED_WRITE = NEED_READ | PTE_WRITABLE | PTE_DIRTY;
/** A run reaches at most this far to either side of the address that asked for it. A slot that was empty looks less far, because what
 *  emptied it may come again (a copy after fork takes the slot for every page); one that has missed looks four times as far as it reached. */
const RANGE_REACH = 0x2000_0000;
const FIRST_REACH = 0x200_0000;
/** Entries of tables not yet remembered that one refill looks at, besides those of the first table: the next refill goes on from there. */
const SCAN_LIMIT = 2 * ENTRIES;
/** What is remembered of a table: one run for reads, for writes; the rest of the word is the epoch it holds in. */
const WHOLE_READ = 1;
const WHOLE_WRITE = 2;
const EPOCH_STEP = 4;
const LAST_EPOCH = 2 ** 30;

/** Number of the slot for the block of an address, by its low half; folded as the TLB's index is, and by generated code in the same way. */
function blockNumber(low: number): number {
  return ((low >>> LARGE_PAGE_SHIFT) ^ (low >>> (LARGE_PAGE_SHIFT + RANGE_BLOCKS_SHIFT))) & (RANGE_BLOCKS - 1);
}

export class Ranges {
  private readonly ram: Ram;
  private readonly frames: FrameAllocator;
  /** Numbers of the slots that are not empty. */
  private readonly live = new Int32Array(RANGE_SLOTS);
  private liveCount = 0;
  /** By frame of a page table: the epoch and WHOLE_*. */
  private readonly whole: Int32Array;
  private epoch = EPOCH_STEP;
  /** Something has been remembered in this epoch. */
  private remembers = false;
  /** Entries that the running refill may still look at. */
  private scanLeft = 0;
  /** How far it may look. */
  private reach = 0;
  /** Counts emptyings of filled slots. */
  drops = 0;
  /** Counts everything that may have moved or narrowed a page: running code compares it to learn that what it knows is stale. */
  changes = 0;
  refills = 0;

  constructor(ram: Ram, frames: FrameAllocator) {
    this.ram = ram;
    this.frames = frames;
    this.whole = new Int32Array(frames.end);
  }

  // Emptying ----------------------------------------------------------------------------------------------------------

  /** Other tables are walked from now on, or anything may have changed: empties every slot. @hot */
  dropAll(): void {
    this.changes++;
    this.forgetTables();
    if (this.liveCount === 0) return;
    for (let i = 0; i < this.liveCount; i++) this.empty(this.live[i]);
    this.liveCount = 0;
    this.drops++;
  }

  /** Pages [start, end) of the active tables are narrowed: empties the slots that cover one of them. @hot */
  drop(root: number, start: number, end: number): void {
    this.changes++;
    if (this.remembers) {
      if (end - start <= PAGE_SIZE) this.forgetTable(root, start);
      else this.forgetTables();
    }
    if (this.liveCount === 0) return;
    const words = this.ram.i32;
    let kept = 0;
    for (let i = 0; i < this.liveCount; i++) {
      const slot = this.live[i];
      const at = RANGE_BASE / 4 + slot * SLOT_WORDS;
      const base = (words[at] >>> 0) + words[at + 1] * TWO_32;
      if (base < end && base + words[at + 2] + RANGE_TAIL > start) this.empty(slot);
      else this.live[kept++] = slot;
    }
    this.kept(kept);
  }

  /** Every writable page of the active tables loses W: empties the write slots. */
  dropWrites(): void {
    this.changes++;
    this.forgetTables();
    let kept = 0;
    for (let i = 0; i < this.liveCount; i++) {
      const slot = this.live[i];
      if (slot >= FIRST_WRITE_RANGE) this.empty(slot);
      else this.live[kept++] = slot;
    }
    this.kept(kept);
  }

  /** `frame` holds translations now: empties the write slots that reach it. */
  dropWritesTo(frame: number): void {
    this.changes++;
    this.forgetTables();
    const words = this.ram.i32;
    let kept = 0;
    for (let i = 0; i < this.liveCount; i++) {
      const slot = this.live[i];
      const at = RANGE_BASE / 4 + slot * SLOT_WORDS;
      const first = (words[at] + words[at + 4]) >>> PAGE_SHIFT;
      if (slot >= FIRST_WRITE_RANGE && frame >= first && frame < first + ((words[at + 2] + RANGE_TAIL) >>> PAGE_SHIFT)) this.empty(slot);
      else this.live[kept++] = slot;
    }
    this.kept(kept);
  }

  // Filling -----------------------------------------------------------------------------------------------------------

  /** True when the slot at RAM address `slot` covers nothing. */
  isEmpty(slot: number): boolean {
    return this.ram.i32[(slot + RANGE_LIMIT) >>> 2] === 0;
  }

  /** True when the page of `address` follows the run in the slot at RAM address `slot`, or that of its block. @hot */
  endsBefore(slot: number, address: number): boolean {
    const page = address - (address % PAGE_SIZE);
    return this.endOf(slot) === page || this.endOf(this.blockOf(slot, page - PAGE_SIZE)) === page;
  }
  /** RAM address of the slot that belongs to the block of `address`. @hot */
  private blockOf(slot: number, address: number): number {
    const first = slot >= FIRST_WRITE_SLOT ? FIRST_WRITE_RANGE + FIRST_BLOCK_RANGE : FIRST_BLOCK_RANGE;
    return RANGE_BASE + (first + blockNumber(address | 0)) * RANGE_SLOT_BYTES;
  }
  /** End of a slot's run; 0 when it is empty. @hot */
  private endOf(slot: number): number {
    const words = this.ram.i32;
    const at = slot >>> 2;
    return words[at + 2] === 0 ? 0 : (words[at] >>> 0) + words[at + 1] * TWO_32 + words[at + 2] + RANGE_TAIL;
  }

  /** Fills the slot at RAM address `slot` with the longest contiguous run around `address`, which has just been translated through
   *  `root`; leaves it as it is when the page does not qualify (its frame holds translations). @hot */
  refill(slot: number, root: number, address: number): void {
    const words = this.ram.i32;
    const write = slot >= FIRST_WRITE_SLOT;
    const need = write ? NEED_WRITE : NEED_READ;
    const page = address - (address % PAGE_SIZE);
    const entry = this.leaf(root, page);
    if ((entry & need) !== need) return;
    const frame = entry >>> PAGE_SHIFT;
    if (write && (this.frames.flags[frame] & FRAME_CODE) !== 0) return;
    this.refills++;
    this.scanLeft = SCAN_LIMIT;
    const delta = ((frame << PAGE_SHIFT) - (page | 0)) | 0;
    let first = page;
    let end = page + PAGE_SIZE;
    // A run that grows page by page is taken up where it ended.
    const before = this.blockOf(slot, page - PAGE_SIZE);
    const at = (this.endOf(before) === page ? before : slot) >>> 2;
    const length = words[at + 2] === 0 ? 0 : words[at + 2] + RANGE_TAIL;
    const base = (words[at] >>> 0) + words[at + 1] * TWO_32;
    const grows = length > 0 && length < RANGE_REACH && words[at + 4] === delta;
    this.reach = Math.min(Math.max(FIRST_REACH, length * 4), RANGE_REACH);
    if (grows && base + length === page) first = base;
    else first = this.backward(root, page, frame, need);
    if (grows && base === end) end = base + length;
    else end = this.forward(root, end, frame + 1, need);
    const block = page - (page % LARGE_PAGE_SIZE);
    if (first <= block && end >= block + LARGE_PAGE_SIZE) this.rememberTableOf(root, page, need);
    this.set(slot, first, end, delta);
    this.set(this.blockOf(slot, page), first, end, delta);
  }
  /** Makes the slot's delta hold for an address on `page`, which has just been translated; when the slot serves something else, it serves this page
   *  from now on. An empty slot stays empty. @hot */
  serve(slot: number, page: number, delta: number): void {
    const words = this.ram.i32;
    const at = slot >>> 2;
    if (words[at + 4] === delta) return;
    if (words[at + 2] === 0) words[at + 4] = delta;
    else this.set(slot, page, page + PAGE_SIZE, delta);
  }
  private set(slot: number, first: number, end: number, delta: number): void {
    const words = this.ram.i32;
    const at = slot >>> 2;
    if (words[at + 2] === 0) this.live[this.liveCount++] = (slot - RANGE_BASE) / RANGE_SLOT_BYTES;
    words[at] = first | 0;
    words[at + 1] = (first / TWO_32) | 0;
    words[at + 2] = end - first - RANGE_TAIL;
    words[at + 3] = 0;
    words[at + 4] = delta;
  }

  /** End of the run that has `frame` at `start`. @hot */
  private forward(root: number, start: number, frame: number, need: number): number {
    const words = this.ram.i32;
    const stop = Math.min(start + this.reach, USER_SPAN);
    let at = start;
    let next = frame;
    while (at < stop) {
      const directory = this.directory(root, at);
      if ((directory & PTE_PRESENT) === 0) return at;
      const index = (at >>> PAGE_SHIFT) & (ENTRIES - 1);
      const table = (directory & PTE_FRAME_MASK) >>> 2;
      let count: number;
      if ((directory & PTE_LARGE) !== 0) {
        if ((directory & need) !== need || ((directory & PTE_LARGE_FRAME_MASK) >>> PAGE_SHIFT) + index !== next) return at;
        count = this.dataFrames(next, ENTRIES - index, need);
      } else if (this.isWhole(table >>> 10, need)) {
        count = words[table + index * 2] >>> PAGE_SHIFT === next ? ENTRIES - index : 0;
      } else {
        if (at !== start && this.scanLeft <= 0) return at;
        count = this.scanUp(table + index * 2, ENTRIES - index, next, need);
        this.scanLeft -= count;
        if (count === ENTRIES) this.remember(table >>> 10, need);
      }
      at += count * PAGE_SIZE;
      next += count;
      if (index + count < ENTRIES) return at;
    }
    return at;
  }

  /** Start of the run that has `frame` at `page`. @hot */
  private backward(root: number, page: number, frame: number, need: number): number {
    const words = this.ram.i32;
    const stop = Math.max(page - this.reach, 0);
    let at = page;
    let last = frame - 1;
    while (at > stop) {
      const directory = this.directory(root, at - PAGE_SIZE);
      if ((directory & PTE_PRESENT) === 0) return at;
      // Pages of this table below `at`.
      const below = (((at - PAGE_SIZE) >>> PAGE_SHIFT) & (ENTRIES - 1)) + 1;
      const table = (directory & PTE_FRAME_MASK) >>> 2;
      let count: number;
      if ((directory & PTE_LARGE) !== 0) {
        const first = last - below + 1;
        if ((directory & need) !== need || (directory & PTE_LARGE_FRAME_MASK) >>> PAGE_SHIFT !== first) return at;
        // Frames with translations end the run; how far it still goes does not matter then.
        count = this.dataFrames(first, below, need) === below ? below : 0;
      } else if (this.isWhole(table >>> 10, need)) {
        count = words[table + (below - 1) * 2] >>> PAGE_SHIFT === last ? below : 0;
      } else {
        if (at !== page && this.scanLeft <= 0) return at;
        count = this.scanDown(table + (below - 1) * 2, below, last, need);
        this.scanLeft -= count;
        if (count === ENTRIES) this.remember(table >>> 10, need);
      }
      at -= count * PAGE_SIZE;
      last -= count;
      if (count < below) return at;
    }
    return at;
  }

  /** Entries from `slot` upwards, at most `most`, that name `frame` and its successors with the bits `need`. @hot */
  private scanUp(slot: number, most: number, frame: number, need: number): number {
    const words = this.ram.i32;
    const mask = PTE_FRAME_MASK | need;
    let wanted = (frame << PAGE_SHIFT) | need;
    let count = 0;
    for (let at = slot; count < most && (words[at] & mask) === wanted; at += 2, count++) wanted = (wanted + PAGE_SIZE) | 0;
    return this.dataFrames(frame, count, need);
  }
  /** The same downwards. @hot */
  private scanDown(slot: number, most: number, frame: number, need: number): number {
    const words = this.ram.i32;
    const mask = PTE_FRAME_MASK | need;
    let wanted = (frame << PAGE_SHIFT) | need;
    let count = 0;
    for (let at = slot; count < most && (words[at] & mask) === wanted; at -= 2, count++) wanted = (wanted - PAGE_SIZE) | 0;
    if (need === NEED_READ) return count;
    const { flags } = this.frames;
    let clean = 0;
    while (clean < count && (flags[frame - clean] & FRAME_CODE) === 0) clean++;
    return clean;
  }
  /** How many of `count` frames from `frame` the run may have: a write run ends at a frame that holds translations. @hot */
  private dataFrames(frame: number, count: number, need: number): number {
    if (need === NEED_READ) return count;
    const { flags } = this.frames;
    let clean = 0;
    while (clean < count && (flags[frame + clean] & FRAME_CODE) === 0) clean++;
    return clean;
  }

  /** Low half of the directory entry for `address`, 0 when there is none. @hot */
  private directory(root: number, address: number): number {
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    const e4 = words[(root >>> 2) + (high >>> 7) * 2];
    if ((e4 & PTE_PRESENT) === 0) return 0;
    const e3 = words[((e4 & PTE_FRAME_MASK) >>> 2) + (((high & 127) << 2) | (low >>> 30)) * 2];
    if ((e3 & PTE_PRESENT) === 0) return 0;
    return words[((e3 & PTE_FRAME_MASK) >>> 2) + ((low >>> 21) & (ENTRIES - 1)) * 2];
  }
  /** Leaf for `page` as a 4 KiB leaf, 0 when it is not present. @hot */
  private leaf(root: number, page: number): number {
    const directory = this.directory(root, page);
    if ((directory & PTE_PRESENT) === 0) return 0;
    const index = (page >>> PAGE_SHIFT) & (ENTRIES - 1);
    if ((directory & PTE_LARGE) !== 0) return (directory & ~(PTE_LARGE | 0x1f_f000)) | (index << PAGE_SHIFT);
    return this.ram.i32[((directory & PTE_FRAME_MASK) >>> 2) + index * 2];
  }

  // What is remembered of tables --------------------------------------------------------------------------------------

  /** True when the table in `frame` is known to be one run for reads (NEED_READ) or writes. @hot */
  private isWhole(frame: number, need: number): boolean {
    const known = this.whole[frame] - this.epoch;
    return known > 0 && (known & (need === NEED_READ ? WHOLE_READ : WHOLE_WRITE)) !== 0;
  }
  private remember(frame: number, need: number): void {
    const bits = need === NEED_READ ? WHOLE_READ : WHOLE_READ | WHOLE_WRITE;
    this.remembers = true;
    this.whole[frame] = this.whole[frame] > this.epoch ? this.whole[frame] | bits : this.epoch | bits;
  }
  private rememberTableOf(root: number, page: number, need: number): void {
    const directory = this.directory(root, page);
    if ((directory & PTE_LARGE) === 0) this.remember(directory >>> PAGE_SHIFT, need);
  }
  private forgetTable(root: number, address: number): void {
    const directory = this.directory(root, address);
    if ((directory & PTE_PRESENT) !== 0) this.whole[directory >>> PAGE_SHIFT] = 0;
  }
  private forgetTables(): void {
    if (!this.remembers) return;
    this.remembers = false;
    this.epoch += EPOCH_STEP;
    if (this.epoch < LAST_EPOCH) return;
    this.whole.fill(0);
    this.epoch = EPOCH_STEP;
  }

  // Slots -------------------------------------------------------------------------------------------------------------

  private empty(slot: number): void {
    const words = this.ram.i32;
    const at = RANGE_BASE / 4 + slot * SLOT_WORDS;
    words[at + 2] = 0;
    words[at + 3] = 0;
    words[at + RANGE_MISSES / 4] = 0;
  }
  private kept(count: number): void {
    if (count === this.liveCount) return;
    this.liveCount = count;
    this.drops++;
  }

  // For checks --------------------------------------------------------------------------------------------------------

  /** Calls `visit` for every slot in RAM that is not empty. */
  forEach(visit: (base: number, pages: number, frame: number, access: "read" | "write") => void): void {
    const words = this.ram.i32;
    for (let slot = 0; slot < RANGE_SLOTS; slot++) {
      const at = RANGE_BASE / 4 + slot * SLOT_WORDS;
      if (words[at + 2] === 0) continue;
      const base = (words[at] >>> 0) + words[at + 1] * TWO_32;
      visit(base, (words[at + 2] + RANGE_TAIL) / PAGE_SIZE, (words[at] + words[at + 4]) >>> PAGE_SHIFT, slot >= FIRST_WRITE_RANGE ? "write" : "read");
    }
  }
  /** What is remembered of the page table in `frame`. */
  remembered(frame: number): "nothing" | "read" | "write" {
    if (this.isWhole(frame, NEED_WRITE)) return "write";
    return this.isWhole(frame, NEED_READ) ? "read" : "nothing";
  }
}
