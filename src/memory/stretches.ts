/** Where in RAM the 2 MiB blocks of a long region go: a stretch is a run of free blocks meant for consecutive blocks of virtual
 *  addresses, so that a region is contiguous beyond one reservation, also when two regions are touched in turn.
 *
 *  A stretch keeps nothing: its blocks stay free, and whoever finds no other free block takes them. It only makes the next stretch go
 *  elsewhere. Stretches are laid from the top of the free runs, single frames come from the bottom (memory/buddy.ts). */
import { type Buddy, MAX_ORDER } from "./buddy.ts";

const BLOCK_FRAMES = 1 << MAX_ORDER;
/** Longest stretch, in blocks: twice as far as a range reaches. */
export const MAX_STRETCH = 512;

export class Stretch {
  /** First block of virtual addresses, and the frame it begins at. */
  firstBlock: number;
  base: number;
  blocks: number;
  /** Next stretch of the same owner. Written by the owner. */
  next: Stretch | undefined;

  constructor(firstBlock: number, blocks: number, base: number) {
    this.firstBlock = firstBlock;
    this.blocks = blocks;
    this.base = base;
  }
  covers(block: number): boolean {
    return block >= this.firstBlock && block < this.firstBlock + this.blocks;
  }
  /** First frame meant for a block it covers. */
  frameOf(block: number): number {
    return this.base + (block - this.firstBlock) * BLOCK_FRAMES;
  }
}

export class Stretches {
  private readonly buddy: Buddy;
  /** 1 for a block of frames that is part of a stretch. */
  private readonly meant: Uint8Array;
  private readonly end: number;

  constructor(buddy: Buddy) {
    this.buddy = buddy;
    this.end = Math.floor(buddy.end / BLOCK_FRAMES);
    this.meant = new Uint8Array(this.end);
  }

  /** A stretch for virtual blocks [first, end), which contain `block`: in the shortest free run that has room, else a part that
   *  contains `block` in the longest; undefined when no block is free. Linear in the blocks of RAM. */
  plan(first: number, end: number, block: number): Stretch | undefined {
    const wanted = end - first;
    let bestEnd = 0;
    let bestLength = 0;
    let length = 0;
    for (let at = this.buddy.first / BLOCK_FRAMES; at <= this.end; at++) {
      if (at < this.end && this.meant[at] === 0 && this.buddy.isFreeBlock(at * BLOCK_FRAMES)) {
        length++;
        continue;
      }
      if (length > 0 && (bestLength >= wanted ? length >= wanted && length <= bestLength : length >= bestLength)) {
        bestLength = length;
        bestEnd = at;
      }
      length = 0;
    }
    if (bestLength === 0) return undefined;
    const blocks = Math.min(wanted, bestLength);
    const start = blocks === wanted ? first : Math.min(block, end - blocks);
    const base = bestEnd - blocks;
    this.meant.fill(1, base, base + blocks);
    return new Stretch(start, blocks, base * BLOCK_FRAMES);
  }

  /** Makes `stretch` longer by the virtual block before or after it; false when the block of frames there is not free. */
  extend(stretch: Stretch, block: number): boolean {
    const at = stretch.frameOf(block) / BLOCK_FRAMES;
    if (stretch.blocks >= MAX_STRETCH || at >= this.end || this.meant[at] !== 0 || !this.buddy.isFreeBlock(at * BLOCK_FRAMES)) return false;
    this.meant[at] = 1;
    stretch.blocks++;
    if (block < stretch.firstBlock) {
      stretch.firstBlock = block;
      stretch.base -= BLOCK_FRAMES;
    }
    return true;
  }

  drop(stretch: Stretch): void {
    const at = stretch.base / BLOCK_FRAMES;
    this.meant.fill(0, at, at + stretch.blocks);
  }
}
