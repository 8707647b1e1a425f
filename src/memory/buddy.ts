/** Buddy allocator over frame numbers: free blocks of 2^order frames, aligned to their size, in one list per order.
 *
 *  Blocks are taken from the head and given back to the head, so recently used memory is used again first and host pages
 *  that were never touched stay uncommitted. Knows nothing of contents or references.
 *  Invariant: two free buddies of one order never coexist (they would be one block of the next order). */
import { KernelPanic } from "../base/assert.ts";

/** Largest block: 2^9 frames = 2 MiB. */
export const MAX_ORDER = 9;
const NONE = 0;
const NOT_FREE = -1;

export class Buddy {
  readonly first: number;
  readonly end: number;
  /** Frames in free blocks. */
  free = 0;
  /** Order of the free block that starts at a frame, or NOT_FREE. */
  private readonly orders: Int8Array;
  /** Links of the lists, by the first frame of a block. Frames that are not in here may be linked by whoever has them. */
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** 1 for each free block of the largest order, by its number: what isFreeBlock looks at, close together. */
  private readonly whole: Uint8Array;
  private readonly heads = new Int32Array(MAX_ORDER + 1);

  /** Manages frames [first, end); `first` is a multiple of the largest block. */
  constructor(first: number, end: number) {
    this.first = first;
    this.end = end;
    this.orders = new Int8Array(end).fill(NOT_FREE);
    this.next = new Int32Array(end);
    this.previous = new Int32Array(end);
    this.whole = new Uint8Array((end >>> MAX_ORDER) + 1);
    // Highest block first: the lists are LIFO, so the machine starts using memory from the bottom.
    let frame = end;
    while (frame > first) {
      let order = 0;
      while (order < MAX_ORDER && (frame & (1 << order)) === 0 && frame - (2 << order) >= first) order++;
      frame -= 1 << order;
      this.push(frame, order);
    }
  }

  /** First frame of a block of 2^order frames, or 0 when there is none. @hot */
  take(order: number): number {
    let found = order;
    while (this.heads[found] === NONE) if (++found > MAX_ORDER) return 0;
    const frame = this.heads[found];
    this.remove(frame, found);
    while (found > order) {
      found--;
      this.push(frame + (1 << found), found);
    }
    return frame;
  }

  /** True when the largest block that starts at `frame` is free. @hot */
  isFreeBlock(frame: number): boolean {
    return this.whole[frame >>> MAX_ORDER] === 1;
  }

  /** Takes the largest block that starts at `frame`, if it is free. */
  takeBlock(frame: number): boolean {
    if (!this.isFreeBlock(frame)) return false;
    this.remove(frame, MAX_ORDER);
    return true;
  }

  /** Gives a block back and joins it with its free buddies. @hot */
  give(frame: number, order: number): void {
    let block = frame;
    let size = order;
    while (size < MAX_ORDER) {
      const buddy = block ^ (1 << size);
      if (buddy >= this.end || this.orders[buddy] !== size) break;
      this.remove(buddy, size);
      block &= ~(1 << size);
      size++;
    }
    this.push(block, size);
  }

  /** Gives frames [from, to) back as the largest aligned blocks they make. */
  giveRun(from: number, to: number): void {
    let frame = from;
    while (frame < to) {
      let order = 0;
      while (order < MAX_ORDER && (frame & (1 << order)) === 0 && frame + (2 << order) <= to) order++;
      this.give(frame, order);
      frame += 1 << order;
    }
  }

  /** Order of the largest free block, or -1. */
  largest(): number {
    let order = MAX_ORDER;
    while (order >= 0 && this.heads[order] === NONE) order--;
    return order;
  }

  /** Calls `visit` for every free block. */
  forEachBlock(visit: (frame: number, order: number) => void): void {
    for (let order = 0; order <= MAX_ORDER; order++) {
      for (let frame = this.heads[order]; frame !== NONE; frame = this.next[frame]) visit(frame, order);
    }
  }

  private push(frame: number, order: number): void {
    if (this.orders[frame] !== NOT_FREE) throw new KernelPanic("block freed twice", { frame, order });
    const head = this.heads[order];
    this.orders[frame] = order;
    if (order === MAX_ORDER) this.whole[frame >>> MAX_ORDER] = 1;
    this.next[frame] = head;
    this.previous[frame] = NONE;
    if (head !== NONE) this.previous[head] = frame;
    this.heads[order] = frame;
    this.free += 1 << order;
  }

  private remove(frame: number, order: number): void {
    const next = this.next[frame];
    const previous = this.previous[frame];
    if (previous === NONE) this.heads[order] = next;
    else this.next[previous] = next;
    if (next !== NONE) this.previous[next] = previous;
    this.orders[frame] = NOT_FREE;
    if (order === MAX_ORDER) this.whole[frame >>> MAX_ORDER] = 0;
    this.free -= 1 << order;
  }
}
