/** Four-level page tables (Intel SDM 3A §4.5), stored as real entries in guest frames, so that a debugger which knows only
 *  the manual can walk them from cr3.
 *
 *  A *root* is the physical address of a PML4. A *slot* is the u32 index of an entry's low half in ram.u32; slot + 1 is its
 *  high half. Slot 0 means "none": no table lies in frame 0.
 *
 *  Invariants
 *  - Every non-empty leaf holds one reference on its frame (a 2 MiB leaf one on each of its 512 frames); HELD leaves too.
 *  - `used[frame]` is the number of non-empty entries of the table in that frame; a table without entries is freed.
 *  - PML4 entries 256…511 equal the kernel template everywhere and have no user bit. They are not counted in `used`.
 *  Order for whoever changes a live mapping: drop translations → change the entry → release the frame. */
import { WIDE_ZERO } from "../base/bits.ts";
import { KernelPanic } from "../base/assert.ts";
import type { FrameAllocator } from "./frames.ts";
import { LARGE_PAGE_SIZE, PAGE_SHIFT, PAGE_SIZE } from "./physical-map.ts";
import {
  PTE_ACCESSED, PTE_DIRTY, PTE_FRAME_MASK, PTE_GLOBAL, PTE_HIGH_NX, PTE_LARGE, PTE_LARGE_FRAME_MASK, PTE_PRESENT, PTE_PRIVATE,
  PTE_TABLE_KERNEL, PTE_TABLE_USER, PTE_USER, PTE_WRITABLE,
} from "./pte.ts";
import type { Ram } from "./ram.ts";

const ENTRIES = 512;
const TWO_32 = 0x1_0000_0000;
const PML4_SPAN = 2 ** 39;
const PDPT_SPAN = 2 ** 30;
/** First PML4 entry of the kernel half. */
export const KERNEL_ENTRY = 256;
/** Where the direct map of RAM begins, as a signed 64-bit number: 0xffff_8000_0000_0000. */
export const DIRECT_MAP_BASE = -(2 ** 47);

/** What an unmapping removed, so that its caller can keep resident figures and tell the cpu. */
export class Removal {
  /** Leaves with the PRIVATE bit. */
  privatePages = 0;
  /** Other leaves, the shared zero frame not counted. */
  objectPages = 0;
  /** Leaves of the shared zero frame. */
  zeroPages = 0;
  clear(): void {
    this.privatePages = 0;
    this.objectPages = 0;
    this.zeroPages = 0;
  }
}

export class PageTables {
  readonly ram: Ram;
  readonly frames: FrameAllocator;
  /** Non-empty entries of the table in each frame. */
  readonly used: Uint16Array;
  /** Frames in use as tables, the kernel template's included. */
  tables = 0;
  /** Most of them at once since {@link templateTables} were made, which belong to no address space. */
  peakTables = 0;
  readonly templateTables: number;
  /** One frame of zeros that read-only anonymous pages share. Owned here. */
  readonly zeroFrame: number;
  /** Physical address of the template PML4; its lower half stays empty. */
  readonly kernelRoot: number;
  /** Address of the slot that the last nextDirectorySlot found. */
  foundAddress = WIDE_ZERO;

  /** Builds the kernel template. Throws when RAM is too small for it, which Ram's minimum excludes. */
  constructor(ram: Ram, frames: FrameAllocator) {
    this.ram = ram;
    this.frames = frames;
    this.used = new Uint16Array(frames.end);
    this.zeroFrame = frames.allocZeroed();
    const root = this.newTable();
    if (root === 0) throw new KernelPanic("no frame for the kernel template");
    this.kernelRoot = root * PAGE_SIZE;
    this.buildDirectMap();
    this.templateTables = this.tables;
  }

  // Roots -------------------------------------------------------------------------------------------------------------

  /** A PML4 with an empty lower half and the kernel's upper half: its physical address, or 0 when no frame is left. */
  createRoot(): number {
    const frame = this.newTable();
    if (frame === 0) return 0;
    const half = (frame * PAGE_SIZE) / 4 + KERNEL_ENTRY * 2;
    const kernelHalf = this.kernelRoot / 4 + KERNEL_ENTRY * 2;
    this.ram.u32.copyWithin(half, kernelHalf, kernelHalf + ENTRIES);
    return frame * PAGE_SIZE;
  }

  /** Frees the PML4. Its lower half must be empty. */
  destroyRoot(root: number): void {
    const frame = root / PAGE_SIZE;
    if (this.used[frame] !== 0) throw new KernelPanic("root still maps something", { root, used: this.used[frame] });
    this.tables--;
    this.frames.release(frame);
  }

  // Single pages ------------------------------------------------------------------------------------------------------

  /** Slot of the 4 KiB leaf for `address`, or 0 when its table does not exist. A 2 MiB leaf is found by its directory slot,
   *  which {@link isLargeSlot} tells apart. @hot */
  findSlot(root: number, address: number): number {
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    const e4 = words[(root >>> 2) + (high >>> 7) * 2];
    if ((e4 & PTE_PRESENT) === 0) return 0;
    const e3 = words[((e4 & PTE_FRAME_MASK) >>> 2) + (((high & 127) << 2) | (low >>> 30)) * 2];
    if ((e3 & PTE_PRESENT) === 0) return 0;
    const directory = ((e3 & PTE_FRAME_MASK) >>> 2) + ((low >>> 21) & 511) * 2;
    const e2 = words[directory];
    if ((e2 & PTE_PRESENT) === 0) return 0;
    if ((e2 & PTE_LARGE) !== 0) return directory;
    return ((e2 & PTE_FRAME_MASK) >>> 2) + ((low >>> 12) & 511) * 2;
  }

  /** True when `slot`, found for some address, is a directory entry with a 2 MiB leaf. */
  isLargeSlot(slot: number): boolean {
    // Leaf bit 7 is PAT in a 4 KiB entry, which this system never sets.
    return (this.ram.i32[slot] & (PTE_LARGE | PTE_PRESENT)) === (PTE_LARGE | PTE_PRESENT);
  }

  /** Slot of the 4 KiB leaf for `address`, making missing tables and splitting a 2 MiB leaf; 0 when frames ran out. @hot */
  makeSlot(root: number, address: number): number {
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    const pml4 = (root >>> 2) + (high >>> 7) * 2;
    if ((words[pml4] & PTE_PRESENT) === 0 && !this.attachTable(pml4, PTE_TABLE_USER)) return 0;
    const pdpt = ((words[pml4] & PTE_FRAME_MASK) >>> 2) + (((high & 127) << 2) | (low >>> 30)) * 2;
    if ((words[pdpt] & PTE_PRESENT) === 0 && !this.attachTable(pdpt, PTE_TABLE_USER)) {
      this.prune(root, address);
      return 0;
    }
    const directory = ((words[pdpt] & PTE_FRAME_MASK) >>> 2) + ((low >>> 21) & 511) * 2;
    const e2 = words[directory];
    if ((e2 & PTE_PRESENT) === 0 ? !this.attachTable(directory, PTE_TABLE_USER) : (e2 & PTE_LARGE) !== 0 && !this.split(directory)) {
      this.prune(root, address);
      return 0;
    }
    return ((words[directory] & PTE_FRAME_MASK) >>> 2) + ((low >>> 12) & 511) * 2;
  }

  /** Writes a leaf and keeps the table's count; the reference on the frame is the caller's. @hot */
  setSlot(slot: number, low: number, high: number): void {
    const words = this.ram.i32;
    if (words[slot] === 0) {
      if (low !== 0) this.used[slot >>> 10]++;
    } else if (low === 0) this.used[slot >>> 10]--;
    words[slot] = low;
    words[slot + 1] = high;
  }

  /** Maps one page. The leaf takes over the caller's reference on `frame`. False when no frame is left for a table. */
  map(root: number, address: number, frame: number, bits: number, high: number): boolean {
    const slot = this.makeSlot(root, address);
    if (slot === 0) return false;
    if (this.ram.i32[slot] !== 0) throw new KernelPanic("page is already mapped", { address });
    this.setSlot(slot, (frame << PAGE_SHIFT) | bits, high);
    return true;
  }

  /** Maps 2 MiB from frame `frame` (a multiple of 512). The leaf takes over one reference on each frame. */
  mapLarge(root: number, address: number, frame: number, bits: number, high: number): boolean {
    const slot = this.makeDirectorySlot(root, address, PTE_TABLE_USER);
    if (slot === 0) return false;
    if (this.ram.i32[slot] !== 0) throw new KernelPanic("2 MiB page is already mapped", { address });
    this.setSlot(slot, (frame << PAGE_SHIFT) | bits | PTE_LARGE, high);
    return true;
  }

  /** Replaces a 2 MiB leaf by a table of 4 KiB leaves with the same rights and marks. False when no frame is left. */
  split(directory: number): boolean {
    const frame = this.newTable();
    if (frame === 0) return false;
    const words = this.ram.i32;
    const low = words[directory];
    const high = words[directory + 1];
    const table = (frame * PAGE_SIZE) / 4;
    const bits = (low & ~PTE_LARGE_FRAME_MASK & 0xfff) & ~PTE_LARGE;
    for (let i = 0; i < ENTRIES; i++) {
      words[table + i * 2] = ((low & PTE_LARGE_FRAME_MASK) + i * PAGE_SIZE) | bits;
      words[table + i * 2 + 1] = high;
    }
    this.used[frame] = ENTRIES;
    words[directory] = (frame << PAGE_SHIFT) | ((low & PTE_USER) !== 0 ? PTE_TABLE_USER : PTE_TABLE_KERNEL);
    words[directory + 1] = 0;
    return true;
  }

  // Ranges ------------------------------------------------------------------------------------------------------------

  /** First present directory entry for [address, end), skipping absent 512 GiB, 1 GiB and 2 MiB spans: its slot, or 0.
   *  `foundAddress` is then the first address >= `address` that it covers. @hot */
  nextDirectorySlot(root: number, address: number, end: number): number {
    const words = this.ram.i32;
    let at = address;
    while (at < end) {
      const low = at | 0;
      const high = (at / TWO_32) | 0;
      const e4 = words[(root >>> 2) + (high >>> 7) * 2];
      if ((e4 & PTE_PRESENT) === 0) {
        at = (Math.floor(at / PML4_SPAN) + 1) * PML4_SPAN;
        continue;
      }
      const e3 = words[((e4 & PTE_FRAME_MASK) >>> 2) + (((high & 127) << 2) | (low >>> 30)) * 2];
      if ((e3 & PTE_PRESENT) === 0) {
        at = (Math.floor(at / PDPT_SPAN) + 1) * PDPT_SPAN;
        continue;
      }
      const slot = ((e3 & PTE_FRAME_MASK) >>> 2) + ((low >>> 21) & 511) * 2;
      if ((words[slot] & PTE_PRESENT) !== 0) {
        this.foundAddress = at;
        return slot;
      }
      at = at - (low & (LARGE_PAGE_SIZE - 1)) + LARGE_PAGE_SIZE;
    }
    return 0;
  }

  /** Empties every leaf of [start, end), releases the frames and frees tables that became empty; adds to `removed`.
   *  The caller has dropped the translations. False when splitting a 2 MiB leaf found no frame: the rest is then untouched. */
  unmapRange(root: number, start: number, end: number, removed: Removal): boolean {
    const words = this.ram.i32;
    let at = start;
    for (;;) {
      const directory = this.nextDirectorySlot(root, at, end);
      if (directory === 0) return true;
      at = this.foundAddress;
      const next = Math.min(nextLarge(at), end);
      const entry = words[directory];
      if ((entry & PTE_LARGE) !== 0) {
        if (next - at === LARGE_PAGE_SIZE) {
          this.setSlot(directory, 0, 0);
          const first = (entry & PTE_LARGE_FRAME_MASK) >>> PAGE_SHIFT;
          for (let frame = first; frame < first + ENTRIES; frame++) this.frames.release(frame);
          if ((entry & PTE_PRIVATE) !== 0) removed.privatePages += ENTRIES;
          else removed.objectPages += ENTRIES;
          this.prune(root, at);
          at = next;
          continue;
        }
        if (!this.split(directory)) return false;
      }
      const table = (words[directory] & PTE_FRAME_MASK) >>> 2;
      this.emptyTable(table + ((at >>> PAGE_SHIFT) & 511) * 2, (next - at) / PAGE_SIZE, removed);
      if (this.used[table >>> 10] === 0) this.prune(root, at);
      at = next;
    }
  }

  /** Calls `visit(slot, address)` for every non-empty 4 KiB leaf of [start, end). 2 MiB leaves are split first. */
  forEachLeaf(root: number, start: number, end: number, visit: (slot: number, address: number) => void): boolean {
    const words = this.ram.i32;
    let at = start;
    for (;;) {
      const directory = this.nextDirectorySlot(root, at, end);
      if (directory === 0) return true;
      at = this.foundAddress;
      const next = Math.min(nextLarge(at), end);
      if ((words[directory] & PTE_LARGE) !== 0 && !this.split(directory)) return false;
      let slot = ((words[directory] & PTE_FRAME_MASK) >>> 2) + ((at >>> PAGE_SHIFT) & 511) * 2;
      for (; at < next; at += PAGE_SIZE, slot += 2) if (words[slot] !== 0) visit(slot, at);
      at = next;
    }
  }

  /** Gives every non-empty leaf of [start, end) new rights: `bits` replace those of `mask`, `high` the high half. The frame
   *  and the software bits stay. */
  protectRange(root: number, start: number, end: number, rewrite: (low: number, frame: number) => number, high: number): boolean {
    const words = this.ram.i32;
    return this.forEachLeaf(root, start, end, (slot) => {
      words[slot] = rewrite(words[slot], words[slot] >>> PAGE_SHIFT);
      words[slot + 1] = high;
    });
  }

  /** Copies the leaves of [start, end) from one root to another, a reference for each; `writable` says whether the W bit
   *  survives (shared memory) or goes on both sides (copy-on-write). Adds what was copied to `copied`.
   *  False when frames for tables ran out: what is copied so far stays mapped in `to`. */
  copyRange(from: number, to: number, start: number, end: number, writable: "shared" | "copy-on-write", copied: Removal): boolean {
    const words = this.ram.i32;
    const refs = this.frames.refs;
    const zeroFrame = this.zeroFrame;
    const keep = writable === "shared" ? -1 : ~PTE_WRITABLE;
    let at = start;
    for (;;) {
      const directory = this.nextDirectorySlot(from, at, end);
      if (directory === 0) return true;
      at = this.foundAddress;
      const next = Math.min(nextLarge(at), end);
      if ((words[directory] & PTE_LARGE) !== 0 && !this.split(directory)) return false;
      let source = ((words[directory] & PTE_FRAME_MASK) >>> 2) + ((at >>> PAGE_SHIFT) & 511) * 2;
      const stop = source + ((next - at) / PAGE_SIZE) * 2;
      while (source < stop && words[source] === 0) source += 2;
      if (source < stop) {
        const first = this.makeSlot(to, at);
        if (first === 0) return false;
        // Both tables have the same shape: the slot of the same page in the copy.
        let target = (first & ~1023) | (source & 1023);
        let count = 0;
        let privatePages = 0;
        let zeroPages = 0;
        for (; source < stop; source += 2, target += 2) {
          const low = words[source];
          if (low === 0) continue;
          const shared = low & keep;
          if (shared !== low) words[source] = shared;
          words[target] = shared;
          words[target + 1] = words[source + 1];
          const frame = low >>> PAGE_SHIFT;
          refs[frame]++;
          if ((low & PTE_PRIVATE) !== 0) privatePages++;
          else if (frame === zeroFrame) zeroPages++;
          count++;
        }
        this.used[first >>> 10] += count;
        copied.privatePages += privatePages;
        copied.zeroPages += zeroPages;
        copied.objectPages += count - privatePages - zeroPages;
      }
      at = next;
    }
  }

  /** Moves the leaves of [from, from+length) to `to` in the same root. The target is empty. False when frames ran out:
   *  what moved has moved then, and can move back, since emptied tables stay until the range is unmapped. */
  moveRange(root: number, from: number, to: number, length: number): boolean {
    const words = this.ram.i32;
    const end = from + length;
    let at = from;
    for (;;) {
      const directory = this.nextDirectorySlot(root, at, end);
      if (directory === 0) return true;
      at = this.foundAddress;
      const next = Math.min(nextLarge(at), end);
      if ((words[directory] & PTE_LARGE) !== 0 && !this.split(directory)) return false;
      let slot = ((words[directory] & PTE_FRAME_MASK) >>> 2) + ((at >>> PAGE_SHIFT) & 511) * 2;
      for (; at < next; at += PAGE_SIZE, slot += 2) {
        if (words[slot] === 0) continue;
        const target = this.makeSlot(root, to + (at - from));
        if (target === 0) return false;
        this.setSlot(target, words[slot], words[slot + 1]);
        this.setSlot(slot, 0, 0);
      }
      at = next;
    }
  }

  /** Frees the tables on the way to `address` that have no entries, from the bottom up. */
  prune(root: number, address: number): void {
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    const pml4 = (root >>> 2) + (high >>> 7) * 2;
    if ((words[pml4] & PTE_PRESENT) === 0) return;
    const pdptTable = (words[pml4] & PTE_FRAME_MASK) >>> 2;
    const pdpt = pdptTable + (((high & 127) << 2) | (low >>> 30)) * 2;
    if ((words[pdpt] & PTE_PRESENT) !== 0) {
      const directoryTable = (words[pdpt] & PTE_FRAME_MASK) >>> 2;
      const directory = directoryTable + ((low >>> 21) & 511) * 2;
      const entry = words[directory];
      if ((entry & PTE_PRESENT) !== 0 && (entry & PTE_LARGE) === 0) this.detachIfEmpty(directory);
      if (this.used[directoryTable >>> 10] === 0) this.detachIfEmpty(pdpt);
    }
    if (this.used[pdptTable >>> 10] === 0) this.detachIfEmpty(pml4);
  }

  /** Frames of the tables below `root`'s lower half, and the root. */
  countTables(root: number): number {
    const words = this.ram.i32;
    let count = 1;
    for (let i = 0; i < KERNEL_ENTRY; i++) {
      const e4 = words[(root >>> 2) + i * 2];
      if ((e4 & PTE_PRESENT) === 0) continue;
      count++;
      for (let j = 0; j < ENTRIES; j++) {
        const e3 = words[((e4 & PTE_FRAME_MASK) >>> 2) + j * 2];
        if ((e3 & PTE_PRESENT) === 0) continue;
        count++;
        for (let k = 0; k < ENTRIES; k++) {
          const e2 = words[((e3 & PTE_FRAME_MASK) >>> 2) + k * 2];
          if ((e2 & PTE_PRESENT) !== 0 && (e2 & PTE_LARGE) === 0) count++;
        }
      }
    }
    return count;
  }

  // Tables ------------------------------------------------------------------------------------------------------------

  private makeDirectorySlot(root: number, address: number, tableBits: number): number {
    const words = this.ram.i32;
    const low = address | 0;
    const high = Math.floor(address / TWO_32) & 0xffff;
    const pml4 = (root >>> 2) + (high >>> 7) * 2;
    if ((words[pml4] & PTE_PRESENT) === 0 && !this.attachTable(pml4, tableBits)) return 0;
    const pdpt = ((words[pml4] & PTE_FRAME_MASK) >>> 2) + (((high & 127) << 2) | (low >>> 30)) * 2;
    if ((words[pdpt] & PTE_PRESENT) === 0 && !this.attachTable(pdpt, tableBits)) {
      this.prune(root, address);
      return 0;
    }
    return ((words[pdpt] & PTE_FRAME_MASK) >>> 2) + ((low >>> 21) & 511) * 2;
  }

  /** Empties `count` leaves from `slot`. */
  private emptyTable(slot: number, count: number, removed: Removal): void {
    const words = this.ram.i32;
    const frames = this.frames;
    const stop = slot + count * 2;
    let emptied = 0;
    for (let at = slot; at < stop; at += 2) {
      const low = words[at];
      if (low === 0) continue;
      words[at] = 0;
      words[at + 1] = 0;
      emptied++;
      const frame = low >>> PAGE_SHIFT;
      if ((low & PTE_PRIVATE) !== 0) removed.privatePages++;
      else if (frame === this.zeroFrame) removed.zeroPages++;
      else removed.objectPages++;
      frames.release(frame);
    }
    this.used[slot >>> 10] -= emptied;
  }

  private newTable(): number {
    const frame = this.frames.allocTable();
    if (frame === 0) return 0;
    this.used[frame] = 0;
    if (++this.tables > this.peakTables) this.peakTables = this.tables;
    return frame;
  }

  private attachTable(slot: number, bits: number): boolean {
    const frame = this.newTable();
    if (frame === 0) return false;
    this.setSlot(slot, (frame << PAGE_SHIFT) | bits, 0);
    return true;
  }

  private detachIfEmpty(slot: number): void {
    const frame = this.ram.i32[slot] >>> PAGE_SHIFT;
    if (this.used[frame] !== 0) return;
    this.setSlot(slot, 0, 0);
    this.tables--;
    this.frames.noteZero(frame);
    this.frames.release(frame);
  }

  /** Supervisor-only map of RAM at {@link DIRECT_MAP_BASE}: 2 MiB leaves, and 4 KiB leaves for an odd end. Template leaves
   *  hold no references: RAM itself is always there. */
  private buildDirectMap(): void {
    const bits = PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL;
    const whole = this.ram.bytes - (this.ram.bytes % LARGE_PAGE_SIZE);
    for (let at = 0; at < this.ram.bytes; at += LARGE_PAGE_SIZE) {
      const slot = this.makeDirectorySlot(this.kernelRoot, DIRECT_MAP_BASE + at, PTE_TABLE_KERNEL);
      if (slot === 0) throw new KernelPanic("no frame for the direct map");
      if (at < whole) {
        this.setSlot(slot, at | bits | PTE_LARGE, PTE_HIGH_NX);
        continue;
      }
      if (!this.attachTable(slot, PTE_TABLE_KERNEL)) throw new KernelPanic("no frame for the direct map");
      const table = (this.ram.i32[slot] & PTE_FRAME_MASK) >>> 2;
      for (let page = at; page < this.ram.bytes; page += PAGE_SIZE) this.setSlot(table + ((page - at) / PAGE_SIZE) * 2, page | bits, PTE_HIGH_NX);
    }
  }
}

/** First 2 MiB boundary above `address`. */
function nextLarge(address: number): number {
  return address - (address & (LARGE_PAGE_SIZE - 1)) + LARGE_PAGE_SIZE;
}
