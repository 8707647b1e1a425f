/** Frames for page tables, which never move: taken from small blocks that hold nothing else, so that the rest of RAM stays
 *  in large pieces. One empty block is kept to spare a short-lived process the splitting and joining. */
import type { Buddy } from "./buddy.ts";
import { FRAME_TABLE } from "./frame-flags.ts";

const BLOCK_ORDER = 4;
const BLOCK_FRAMES = 1 << BLOCK_ORDER;
const NONE = 0;

export class TablePool {
  private readonly buddy: Buddy;
  private readonly flags: Uint8Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  /** Frames in use, by block number (frame >> BLOCK_ORDER). */
  private readonly used: Uint8Array;
  private head = NONE;
  private emptyBlocks = 0;

  constructor(buddy: Buddy, flags: Uint8Array) {
    this.buddy = buddy;
    this.flags = flags;
    // A free frame is in the pool's list or in one of the buddy's, so one pair of arrays serves both.
    this.next = buddy.next;
    this.previous = buddy.previous;
    this.used = new Uint8Array((flags.length >>> BLOCK_ORDER) + 1);
  }

  /** A free frame of the pool, which grows by a block when needed; 0 when no block is free. */
  take(): number {
    if (this.head === NONE && !this.grow()) return 0;
    return this.takeAny();
  }

  /** A frame the pool already has, or 0. */
  takeAny(): number {
    const frame = this.head;
    if (frame === NONE) return 0;
    this.unlink(frame);
    if (this.used[frame >>> BLOCK_ORDER]++ === 0) this.emptyBlocks--;
    return frame;
  }

  give(frame: number): void {
    this.link(frame);
    if (--this.used[frame >>> BLOCK_ORDER] > 0) return;
    if (++this.emptyBlocks > 1) this.shrink(frame & ~(BLOCK_FRAMES - 1));
  }

  forEachFree(visit: (frame: number) => void): void {
    for (let frame = this.head; frame !== NONE; frame = this.next[frame]) visit(frame);
  }

  private grow(): boolean {
    const base = this.buddy.take(BLOCK_ORDER);
    if (base === 0) return false;
    for (let frame = base + BLOCK_FRAMES - 1; frame >= base; frame--) {
      this.flags[frame] |= FRAME_TABLE;
      this.link(frame);
    }
    this.emptyBlocks++;
    return true;
  }

  private shrink(base: number): void {
    for (let frame = base; frame < base + BLOCK_FRAMES; frame++) {
      this.flags[frame] &= ~FRAME_TABLE;
      this.unlink(frame);
    }
    this.emptyBlocks--;
    this.buddy.give(base, BLOCK_ORDER);
  }

  private link(frame: number): void {
    this.next[frame] = this.head;
    this.previous[frame] = NONE;
    if (this.head !== NONE) this.previous[this.head] = frame;
    this.head = frame;
  }

  private unlink(frame: number): void {
    const next = this.next[frame];
    const previous = this.previous[frame];
    if (previous === NONE) this.head = next;
    else this.next[previous] = next;
    if (next !== NONE) this.previous[next] = previous;
  }
}
