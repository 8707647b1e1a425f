/** Frame allocator: every 4 KiB frame of guest RAM, its reference count and what is known of its contents.
 *
 *  A frame is free exactly when its count is zero. Free frames are in one of four places: the hot stack (recently released
 *  single frames, used again first), the buddy's blocks, a reservation (kept for a virtual page) or the table pool.
 *  Page tables never move, so they come from blocks of their own (memory/table-pool.ts) and do not break up the rest.
 *
 *  Order of effects when a count reaches zero: decoded code of the frame is dropped, then the frame becomes free. */
import { assert, KernelPanic } from "../base/assert.ts";
import { log2Ceil } from "../base/bits.ts";
import { Buddy, MAX_ORDER } from "./buddy.ts";
import { FRAME_CODE, FRAME_TABLE, FRAME_TOUCHED, FRAME_ZERO } from "./frame-flags.ts";
import { firstFrameAddress, PAGE_SHIFT } from "./physical-map.ts";
import type { Ram } from "./ram.ts";
import { Reservations, type Reservation } from "./reservations.ts";
import { Stretches } from "./stretches.ts";
import { TablePool } from "./table-pool.ts";

const HOT_SIZE = 64;
/** Flags of four frames that were never touched. */
const FOUR_ZERO = FRAME_ZERO * 0x0101_0101;

export class FrameAllocator {
  readonly ram: Ram;
  /** Frames [first, end) are managed here. */
  readonly first: number;
  readonly end: number;
  readonly total: number;
  /** References by frame number. Written only here; the count of a frame outside [first, end) is 0. */
  readonly refs: Uint32Array;
  /** FRAME_* by frame number. */
  readonly flags: Uint8Array;
  /** Frames without references, wherever they wait. */
  free: number;
  readonly buddy: Buddy;
  readonly reservations: Reservations;
  readonly stretches: Stretches;
  /** Called when a frame marked FRAME_CODE loses its last reference. Set by CodeGuard. */
  codeReleased: ((frame: number) => void) | undefined;
  private leastFree: number;
  private readonly tables: TablePool;
  private readonly hot = new Int32Array(HOT_SIZE);
  private hotCount = 0;

  constructor(ram: Ram) {
    this.ram = ram;
    this.first = firstFrameAddress(ram.bytes) >>> PAGE_SHIFT;
    this.end = ram.bytes / (1 << PAGE_SHIFT);
    this.total = this.end - this.first;
    this.refs = new Uint32Array(this.end);
    // A new WebAssembly.Memory is zero everywhere.
    this.flags = new Uint8Array(this.end).fill(FRAME_ZERO);
    this.buddy = new Buddy(this.first, this.end);
    this.reservations = new Reservations(this.buddy, this.refs);
    this.stretches = new Stretches(this.buddy);
    this.tables = new TablePool(this.buddy, this.flags);
    this.free = this.total;
    this.leastFree = this.total;
  }

  get used(): number {
    return this.total - this.free;
  }
  /** Most frames ever used at once. */
  get peak(): number {
    return this.total - this.leastFree;
  }

  /** One frame with one reference and unknown contents, or 0 when none is left. @hot */
  alloc(): number {
    const frame = this.hotCount > 0 ? this.hot[--this.hotCount] : this.takeSingle();
    if (frame !== 0) this.claim(frame);
    return frame;
  }

  /** One frame of zeros with one reference, or 0. @hot */
  allocZeroed(): number {
    const frame = this.hotCount > 0 ? this.hot[--this.hotCount] : this.takeSingle();
    if (frame === 0) return 0;
    if ((this.flags[frame] & FRAME_ZERO) === 0) this.ram.zeroFrame(frame);
    this.claim(frame);
    return frame;
  }

  /** The frame that `reservation` keeps for virtual page `page`, with one reference, or 0 when it is taken. @hot */
  allocIn(reservation: Reservation, page: number, zeroed: "zeroed" | "any"): number {
    const frame = this.reservations.take(reservation, page);
    if (frame === 0) return 0;
    if (zeroed === "zeroed" && (this.flags[frame] & FRAME_ZERO) === 0) this.ram.zeroFrame(frame);
    this.claim(frame);
    return frame;
  }

  /** First of `count` (at most 512) contiguous frames, each with one reference and unknown contents, or 0. */
  allocRun(count: number): number {
    assert(count >= 1 && count <= 1 << MAX_ORDER, "run of frames out of bounds", { count });
    const order = log2Ceil(count);
    let base = this.buddy.take(order);
    if (base === 0) {
      this.drainHot(0);
      while ((base = this.buddy.take(order)) === 0) if (!this.reservations.breakOldest()) return 0;
    }
    this.buddy.giveRun(base + count, base + (1 << order));
    for (let frame = base; frame < base + count; frame++) this.claim(frame);
    return base;
  }

  /** One zeroed frame for a page table, or 0. Released like any other frame. */
  allocTable(): number {
    let frame = this.tables.take();
    if (frame === 0) {
      this.drainHot(0);
      while ((frame = this.tables.take()) === 0 && this.reservations.breakOldest()) {}
      // No whole block left: tables are then as scattered as the rest.
      if (frame === 0) frame = this.takeSingle();
      if (frame === 0) return 0;
    }
    if ((this.flags[frame] & FRAME_ZERO) === 0) this.ram.zeroFrame(frame);
    this.claim(frame);
    return frame;
  }

  /** Says that `frame`, about to be released, holds only zeros: its next user need not clear it. */
  noteZero(frame: number): void {
    this.flags[frame] |= FRAME_ZERO;
  }

  /** Adds a reference. @hot */
  retain(frame: number): void {
    if (this.refs[frame]++ === 0) throw new KernelPanic("reference to a free frame", { frame });
  }

  /** Takes a reference away; the last one frees the frame. @hot */
  release(frame: number): void {
    const left = --this.refs[frame];
    if (left === 0) this.freed(frame);
    else if (left < 0) throw new KernelPanic("frame released too often", { frame });
  }

  /** Every frame that was ever in use, or undefined when there are more than `most`. Linear in the frames. */
  touched(most: number): number[] | undefined {
    if (this.peak > most) return undefined;
    const found: number[] = [];
    const { flags } = this;
    // RAM has a multiple of four frames, and most were never touched.
    const words = new Uint32Array(flags.buffer);
    for (let word = this.first >>> 2; word < words.length; word++) {
      if (words[word] === FOUR_ZERO) continue;
      for (let frame = word << 2; frame < (word + 1) << 2; frame++) {
        if ((flags[frame] & FRAME_TOUCHED) === 0) continue;
        if (found.length >= most) return undefined;
        found.push(frame);
      }
    }
    return found;
  }

  /** Proves that every frame is used or free exactly once and that the counters say so. */
  check(): void {
    const seen = new Uint8Array(this.end);
    let free = 0;
    const visit = (from: number, count: number, where: string): void => {
      for (let frame = from; frame < from + count; frame++) {
        assert(frame >= this.first && frame < this.end, "free frame out of bounds", { frame, where });
        assert(seen[frame] === 0, "frame is free in two places", { frame, where });
        assert(this.refs[frame] === 0, "free frame has references", { frame, where });
        seen[frame] = 1;
        free++;
      }
    };
    this.buddy.forEachBlock((frame, order) => visit(frame, 1 << order, "buddy"));
    for (let i = 0; i < this.hotCount; i++) visit(this.hot[i], 1, "hot");
    this.tables.forEachFree((frame) => visit(frame, 1, "tables"));
    this.reservations.check();
    for (const r of this.reservations.all()) {
      for (let i = 0; i < 1 << r.order; i++) if (this.refs[r.base + i] === 0) visit(r.base + i, 1, "reservation");
    }
    let used = 0;
    for (let frame = this.first; frame < this.end; frame++) {
      if (this.refs[frame] !== 0) used++;
      else assert(seen[frame] === 1, "frame is lost", { frame });
    }
    assert(free === this.free && used === this.used, "free frames miscounted", { counted: this.free, found: free });
  }

  private claim(frame: number): void {
    this.refs[frame] = 1;
    this.flags[frame] = (this.flags[frame] & ~FRAME_ZERO) | FRAME_TOUCHED;
    if (--this.free < this.leastFree) this.leastFree = this.free;
  }

  private freed(frame: number): void {
    this.free++;
    const flags = this.flags[frame];
    if ((flags & FRAME_CODE) !== 0) this.codeReleased?.(frame);
    if ((flags & FRAME_TABLE) !== 0) {
      this.tables.give(frame);
      return;
    }
    if (this.reservations.giveBack(frame)) return;
    if (this.hotCount === HOT_SIZE) this.drainHot(HOT_SIZE / 2);
    this.hot[this.hotCount++] = frame;
  }

  /** A single free frame from wherever one is left. */
  private takeSingle(): number {
    if (this.hotCount > 0) return this.hot[--this.hotCount];
    let frame = this.buddy.take(0);
    while (frame === 0) {
      if (!this.reservations.breakOldest()) return this.tables.takeAny();
      frame = this.buddy.take(0);
    }
    return frame;
  }

  /** Gives the coldest frames of the hot stack to the buddy until `keep` are left. */
  private drainHot(keep: number): void {
    const drained = this.hotCount - keep;
    if (drained <= 0) return;
    for (let i = 0; i < drained; i++) this.buddy.give(this.hot[i], 0);
    this.hot.copyWithin(0, drained, this.hotCount);
    this.hotCount = keep;
  }
}
