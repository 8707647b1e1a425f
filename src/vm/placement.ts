/** Chooses the frame for a page: the place its reservation keeps for it, so that neighbours in the address space are
 *  neighbours in RAM (memory/reservations.ts), or any frame when there is no reservation.
 *
 *  One per address space, and one per shared object. The first touch of an aligned 2 MiB block reserves all of it, whatever lies in it
 *  now: heaps and stacks grow, and regions that share a block become contiguous with each other. Blocks of one region are laid side
 *  by side (memory/stretches.ts). When RAM is short, the largest smaller block around the page is reserved.
 *
 *  After a fork a page's place may hold the frame that the two sides share. The first copy reserves its block anew, so that the copies
 *  are contiguous with each other; a space that goes on forking alternates between two places. */
import { log2Floor } from "../base/bits.ts";
import { MAX_ORDER } from "../memory/buddy.ts";
import type { FrameAllocator } from "../memory/frames.ts";
import type { Reservation } from "../memory/reservations.ts";
import { MAX_STRETCH, type Stretch } from "../memory/stretches.ts";
import { REGION_GROWSDOWN, type Region } from "./region.ts";

const BLOCK_PAGES = 1 << MAX_ORDER;
const BLOCK_BYTES = BLOCK_PAGES * 4096;
/** Below 64 KiB contiguity buys nothing. */
const MIN_ORDER = 4;
/** A reservation takes at most this part of the free frames. */
const PRESSURE_SHIFT = 2;
/** Reservations of one block; with one more the oldest ends. */
const MAX_SIBLINGS = 4;
/** What a heap or a stack is expected to grow by, at least. */
const GROWTH_BLOCKS = 8;

/** So many neighbours of a region are looked at, when room for it is planned. */
const MAX_NEIGHBOURS = 16;

/** The addresses that are expected to be touched together, and REGION_* flags. */
export type Extent = Pick<Region, "start" | "end" | "flags"> & Partial<Pick<Region, "previous" | "next">>;

export class Placement {
  private readonly frames: FrameAllocator;
  /** By 2 MiB block of virtual addresses; several of one block are chained by `sibling`, newest first. */
  private readonly blocks = new Map<number, Reservation>();
  private last: Reservation | undefined;
  /** Newest first. */
  private stretches: Stretch | undefined;

  constructor(frames: FrameAllocator) {
    this.frames = frames;
  }

  /** A frame with one reference for virtual page `page` of `extent`, or 0 when none is left. `growing` says that the extent is
   *  the heap. @hot */
  alloc(extent: Extent, page: number, contents: "zeroed" | "any", growing: boolean): number {
    let reservation = this.last;
    if (reservation === undefined || !reservation.live || !covers(reservation, page)) {
      reservation = this.find(page) ?? this.reserve(extent, page, growing);
      this.last = reservation;
    }
    if (reservation !== undefined) {
      const frame = this.frames.allocIn(reservation, page, contents);
      if (frame !== 0) return frame;
      const other = this.allocBeside(extent, page, contents, growing);
      if (other !== 0) return other;
    }
    return contents === "zeroed" ? this.frames.allocZeroed() : this.frames.alloc();
  }

  /** Virtual pages [from, to) are no longer mapped: reservations of whole blocks of them end. */
  release(from: number, to: number): void {
    if (this.blocks.size === 0) return;
    const first = Math.ceil(from / BLOCK_PAGES);
    const end = Math.floor(to / BLOCK_PAGES);
    if (end <= first) return;
    if (end - first > this.blocks.size) {
      for (const block of [...this.blocks.keys()]) if (block >= first && block < end) this.releaseBlock(block);
    } else {
      for (let block = first; block < end; block++) this.releaseBlock(block);
    }
    let kept: Stretch | undefined;
    for (let s = this.stretches, next: Stretch | undefined; s !== undefined; s = next) {
      next = s.next;
      if (s.firstBlock >= first && s.firstBlock + s.blocks <= end) {
        this.frames.stretches.drop(s);
        if (kept === undefined) this.stretches = next;
        else kept.next = next;
      } else kept = s;
    }
  }

  /** The space is going: every reservation ends. */
  releaseAll(): void {
    for (const first of this.blocks.values()) {
      for (let r: Reservation | undefined = first; r !== undefined; r = r.sibling) this.frames.reservations.drop(r);
    }
    this.blocks.clear();
    this.last = undefined;
    for (let s = this.stretches; s !== undefined; s = s.next) this.frames.stretches.drop(s);
    this.stretches = undefined;
  }

  private releaseBlock(block: number): void {
    for (let r = this.blocks.get(block); r !== undefined; r = r.sibling) this.frames.reservations.drop(r);
    this.blocks.delete(block);
  }

  /** The newest live reservation for `page`. */
  private find(page: number): Reservation | undefined {
    const block = Math.floor(page / BLOCK_PAGES);
    let reservation = this.blocks.get(block);
    while (reservation !== undefined) {
      const { sibling }: Reservation = reservation;
      if (!reservation.live) this.unlink(reservation, block);
      else if (covers(reservation, page)) return reservation;
      reservation = sibling;
    }
    return undefined;
  }

  /** The page's place is taken: another reservation of its block may have it free. */
  private allocBeside(extent: Extent, page: number, contents: "zeroed" | "any", growing: boolean): number {
    let siblings = 0;
    let oldest: Reservation | undefined;
    for (let r = this.find(page); r !== undefined; r = r.sibling) {
      if (!r.live) continue;
      siblings++;
      oldest = r;
      const frame = covers(r, page) ? this.frames.allocIn(r, page, contents) : 0;
      if (frame !== 0) return frame;
    }
    if (siblings >= MAX_SIBLINGS) this.forget(oldest as Reservation);
    const fresh = this.reserve(extent, page, growing);
    this.last = fresh;
    return fresh === undefined ? 0 : this.frames.allocIn(fresh, page, contents);
  }

  private reserve(extent: Extent, page: number, growing: boolean): Reservation | undefined {
    const free = this.frames.free >>> PRESSURE_SHIFT;
    if (free < 1 << MIN_ORDER) return undefined;
    const block = Math.floor(page / BLOCK_PAGES);
    let reservation: Reservation | undefined;
    let order = Math.min(MAX_ORDER, log2Floor(free));
    if (order === MAX_ORDER) {
      const place = this.place(extent, block, growing);
      if (place !== 0) reservation = this.frames.reservations.reserveBlock(block * BLOCK_PAGES, place);
    }
    for (; reservation === undefined && order >= MIN_ORDER; order--) {
      reservation = this.frames.reservations.reserve(page - (page % (1 << order)), order);
    }
    if (reservation === undefined) return undefined;
    reservation.sibling = this.blocks.get(block);
    this.blocks.set(block, reservation);
    return reservation;
  }

  /** First frame of the free block that a stretch means for `block`, planning one if need be; 0 when there is none. */
  private place(extent: Extent, block: number, growing: boolean): number {
    const { buddy, stretches } = this.frames;
    for (let s = this.stretches; s !== undefined; s = s.next) {
      const covered = s.covers(block) || ((block === s.firstBlock - 1 || block === s.firstBlock + s.blocks) && stretches.extend(s, block));
      if (covered && buddy.isFreeBlock(s.frameOf(block))) return s.frameOf(block);
    }
    let { first, end } = withNeighbours(extent);
    if (growing) end += Math.max(end - first, GROWTH_BLOCKS);
    else if ((extent.flags & REGION_GROWSDOWN) !== 0) first = Math.max(0, first - Math.max(end - first, GROWTH_BLOCKS));
    if (end - first > MAX_STRETCH) {
      // The part of a very long region that begins where it is touched, or ends there when it grows down.
      if ((extent.flags & REGION_GROWSDOWN) !== 0) end = block + 1;
      else first = Math.min(block, end - MAX_STRETCH);
      if (end - first > MAX_STRETCH) {
        if ((extent.flags & REGION_GROWSDOWN) !== 0) first = end - MAX_STRETCH;
        else end = first + MAX_STRETCH;
      }
    }
    const planned = stretches.plan(first, end, block);
    if (planned === undefined) return 0;
    planned.next = this.stretches;
    this.stretches = planned;
    return planned.frameOf(block);
  }

  private forget(reservation: Reservation): void {
    this.unlink(reservation, Math.floor(reservation.firstPage / BLOCK_PAGES));
    this.frames.reservations.drop(reservation);
    if (this.last === reservation) this.last = undefined;
  }

  private unlink(reservation: Reservation, block: number): void {
    let at = this.blocks.get(block);
    if (at === reservation) {
      if (reservation.sibling === undefined) this.blocks.delete(block);
      else this.blocks.set(block, reservation.sibling);
      return;
    }
    while (at !== undefined && at.sibling !== reservation) at = at.sibling;
    if (at !== undefined) at.sibling = reservation.sibling;
  }
}

/** Blocks of a region and of those that share a block with it or begin where it ends: a program's data, its zeroed data and its heap are
 *  gone through as one. */
function withNeighbours(extent: Extent): { first: number; end: number } {
  let first = Math.floor(extent.start / BLOCK_BYTES), end = Math.ceil(extent.end / BLOCK_BYTES);
  let left = MAX_NEIGHBOURS;
  for (let r = extent.next; r !== undefined && left > 0 && Math.floor(r.start / BLOCK_BYTES) <= end; r = r.next, left--) end = Math.max(end, Math.ceil(r.end / BLOCK_BYTES));
  for (let r = extent.previous; r !== undefined && left > 0 && Math.ceil(r.end / BLOCK_BYTES) >= first; r = r.previous, left--) first = Math.min(first, Math.floor(r.start / BLOCK_BYTES));
  return { first, end };
}
/** @hot */
function covers(reservation: Reservation, page: number): boolean {
  return page >= reservation.firstPage && page < reservation.firstPage + (1 << reservation.order);
}
