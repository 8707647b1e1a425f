/** Software TLB: three direct-mapped arrays in RAM, one each for reads, writes and instruction fetches.
 *
 *  Entry, 16 bytes, index = page number & 1023:
 *      +0   i64  tag     virtual page number (address >> 12); all ones = invalid, which no page number is
 *      +8   i32  delta   host address = (low 32 bits of the virtual address) + delta, modulo 2^32
 *      +12  i32  unused
 *  Generated code compares (address + size - 1) >>> 12 with the tag and adds the delta, so the layout is fixed.
 *
 *  Invariant (kept by memory/mmu.ts): a read entry is filled only for a page with A set, a write entry only with W and D
 *  set and a frame that holds no translations; a read and a write entry for one page name the same frame. */
import { READ, WRITE, type Access } from "./access.ts";
import { TLB_EXECUTE_BASE, TLB_READ_BASE, TLB_WRITE_BASE } from "./physical-map.ts";
import type { Ram } from "./ram.ts";

export const TLB_ENTRIES = 1024;
const ENTRY_WORDS = 4;
const ARRAY_WORDS = TLB_ENTRIES * ENTRY_WORDS;
const INVALID = -1;
/** Fills remembered one by one; beyond this, dropAll clears whole arrays. */
const LOG_SIZE = 512;
const TWO_32 = 0x1_0000_0000;

export class Tlb {
  private readonly ram: Ram;
  /** Word index of every entry filled since the last dropAll, so that a short-lived address space is dropped cheaply. */
  private readonly log = new Int32Array(LOG_SIZE);
  private logged = 0;

  constructor(ram: Ram) {
    this.ram = ram;
    this.clear();
  }

  /** Makes `address`'s page translate to `frame` for one kind of access. @hot */
  fill(address: number, frame: number, access: Access): void {
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    const entry = baseWord(access) + indexOf(low) * ENTRY_WORDS;
    if (words[entry + 1] === INVALID) {
      if (this.logged < LOG_SIZE) this.log[this.logged] = entry;
      this.logged++;
    }
    words[entry] = (low >>> 12) | (high << 20);
    words[entry + 1] = high >>> 12;
    words[entry + 2] = ((frame << 12) - (low & ~0xfff)) | 0;
  }

  /** Host address for `address`, or -1. Does not look at page tables. */
  find(address: number, access: Access): number {
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    const entry = baseWord(access) + indexOf(low) * ENTRY_WORDS;
    if (words[entry] !== ((low >>> 12) | (high << 20)) || words[entry + 1] !== high >>> 12) return -1;
    return (low + words[entry + 2]) >>> 0;
  }

  /** Forgets one page in all three arrays. @hot */
  dropPage(address: number): void {
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    const tagLow = (low >>> 12) | (high << 20);
    const tagHigh = high >>> 12;
    let entry = TLB_READ_BASE / 4 + indexOf(low) * ENTRY_WORDS;
    for (let array = 0; array < 3; array++, entry += ARRAY_WORDS) {
      if (words[entry] === tagLow && words[entry + 1] === tagHigh) {
        words[entry] = INVALID;
        words[entry + 1] = INVALID;
      }
    }
  }

  /** Forgets every page of [start, end). */
  dropRange(start: number, end: number): void {
    if (end - start >= TLB_ENTRIES * 4096) {
      this.dropAll();
      return;
    }
    for (let page = start - (start & 0xfff); page < end; page += 4096) this.dropPage(page);
  }

  dropAll(): void {
    if (this.logged > LOG_SIZE) {
      this.clear();
      return;
    }
    const words = this.ram.i32;
    for (let i = 0; i < this.logged; i++) {
      const entry = this.log[i];
      words[entry] = INVALID;
      words[entry + 1] = INVALID;
    }
    this.logged = 0;
  }

  /** Forgets every write entry: pages have just been made read-only (fork) or lost their D bit. */
  dropWrites(): void {
    if (this.logged > LOG_SIZE) {
      const start = TLB_WRITE_BASE / 4;
      this.ram.i32.fill(INVALID, start, start + ARRAY_WORDS);
      return;
    }
    const words = this.ram.i32;
    for (let i = 0; i < this.logged; i++) {
      const entry = this.log[i];
      if (entry < TLB_WRITE_BASE / 4 || entry >= TLB_EXECUTE_BASE / 4) continue;
      words[entry] = INVALID;
      words[entry + 1] = INVALID;
    }
  }

  /** Forgets the write entries that reach `frame`, whatever their address. */
  dropWritesTo(frame: number): void {
    const words = this.ram.i32;
    let entry = TLB_WRITE_BASE / 4;
    for (let i = 0; i < TLB_ENTRIES; i++, entry += ENTRY_WORDS) {
      if (words[entry + 1] === INVALID) continue;
      if (((words[entry] << 12) + words[entry + 2]) >>> 12 !== frame) continue;
      words[entry] = INVALID;
      words[entry + 1] = INVALID;
    }
  }

  /** Calls `visit(address, frame, access)` for every valid entry. For checks and debuggers. */
  forEach(visit: (address: number, frame: number, access: Access) => void): void {
    const words = this.ram.i32;
    for (let access = 0; access < 3; access++) {
      for (let i = 0; i < TLB_ENTRIES; i++) {
        const entry = baseWord(access as Access) + i * ENTRY_WORDS;
        if (words[entry + 1] === INVALID) continue;
        const page = (words[entry] >>> 0) + words[entry + 1] * TWO_32;
        visit(page * 4096, ((words[entry] << 12) + words[entry + 2]) >>> 12, access as Access);
      }
    }
  }

  private clear(): void {
    const start = TLB_READ_BASE / 4;
    this.ram.i32.fill(INVALID, start, start + 3 * ARRAY_WORDS);
    this.logged = 0;
  }
}

/** Entry of the page of an address, by its low half. Bits from 22 on are folded in: a process's stack and its first mappings end alike, a
 *  power of two apart. Generated code computes the same (cpu/translation.ts). */
function indexOf(low: number): number {
  return ((low >>> 12) ^ (low >>> 22)) & (TLB_ENTRIES - 1);
}
/** Word index of the array for one kind of access. The three arrays follow each other in the order of Access. */
function baseWord(access: Access): number {
  return (access === READ ? TLB_READ_BASE : access === WRITE ? TLB_WRITE_BASE : TLB_EXECUTE_BASE) >>> 2;
}
