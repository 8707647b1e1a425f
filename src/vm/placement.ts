/** Chooses the frame for a page: the place its reservation keeps for it, so that neighbours in the address space are
 *  neighbours in RAM (memory/reservations.ts), or any frame when there is no reservation.
 *
 *  One per address space. A block of virtual pages gets a reservation at its first touch: the largest aligned block that
 *  lies in the region, smaller when RAM is short. A region that grows (heap, stack) may reserve as much again as it has. */
import { log2Floor } from "../base/bits.ts";
import { MAX_ORDER } from "../memory/buddy.ts";
import type { FrameAllocator } from "../memory/frames.ts";
import type { Reservation } from "../memory/reservations.ts";
import { REGION_GROWSDOWN, type Region } from "./region.ts";

/** Below 64 KiB contiguity buys nothing. */
const MIN_ORDER = 4;
/** A reservation takes at most this part of the free frames. */
const PRESSURE_SHIFT = 4;
/** Copies that found their place shared before the block gets a new reservation. */
const MAX_COLLISIONS = 8;

export class Placement {
  private readonly frames: FrameAllocator;
  /** By 2 MiB block of virtual addresses; several of one block are chained by `sibling`. */
  private readonly blocks = new Map<number, Reservation>();
  private last: Reservation | undefined;

  constructor(frames: FrameAllocator) {
    this.frames = frames;
  }

  /** A frame with one reference for virtual page `page` of `region`, or 0 when none is left. `growing` says that the region is
   *  the heap. @hot */
  alloc(region: Region, page: number, contents: "zeroed" | "any", growing: boolean): number {
    let reservation = this.last;
    if (reservation === undefined || !reservation.live || !covers(reservation, page)) {
      reservation = this.find(page) ?? this.reserve(region, page, growing);
      this.last = reservation;
    }
    if (reservation !== undefined) {
      const frame = this.frames.allocIn(reservation, page, contents);
      if (frame !== 0) return frame;
      if (++reservation.collisions === MAX_COLLISIONS) this.forget(reservation);
    }
    return contents === "zeroed" ? this.frames.allocZeroed() : this.frames.alloc();
  }

  /** Virtual pages [from, to) are no longer mapped: reservations for them that keep nothing useful end. */
  release(from: number, to: number): void {
    if (this.blocks.size === 0) return;
    const firstBlock = Math.floor(from / (1 << MAX_ORDER));
    const lastBlock = Math.floor((to - 1) / (1 << MAX_ORDER));
    if (lastBlock - firstBlock > this.blocks.size) {
      for (const block of [...this.blocks.keys()]) if (block >= firstBlock && block <= lastBlock) this.releaseBlock(block, from, to);
    } else {
      for (let block = firstBlock; block <= lastBlock; block++) this.releaseBlock(block, from, to);
    }
  }

  /** The space is going: every reservation ends. */
  releaseAll(): void {
    for (const first of this.blocks.values()) {
      for (let r: Reservation | undefined = first; r !== undefined; r = r.sibling) this.frames.reservations.drop(r);
    }
    this.blocks.clear();
    this.last = undefined;
  }

  private releaseBlock(block: number, from: number, to: number): void {
    for (let r = this.blocks.get(block); r !== undefined; r = r.sibling) {
      const end = r.firstPage + (1 << r.order);
      if (r.firstPage >= to || end <= from) continue;
      if (r.taken === 0 || (r.firstPage >= from && end <= to)) this.forget(r);
    }
  }

  private find(page: number): Reservation | undefined {
    const block = Math.floor(page / (1 << MAX_ORDER));
    let reservation = this.blocks.get(block);
    while (reservation !== undefined) {
      if (!reservation.live) {
        const dead = reservation;
        reservation = reservation.sibling;
        this.unlink(dead, block);
        continue;
      }
      if (covers(reservation, page)) return reservation;
      reservation = reservation.sibling;
    }
    return undefined;
  }

  private reserve(region: Region, page: number, growing: boolean): Reservation | undefined {
    const free = this.frames.free >>> PRESSURE_SHIFT;
    if (free < 1 << MIN_ORDER) return undefined;
    let first = region.start / 4096;
    let end = region.end / 4096;
    const pages = end - first;
    if (growing) end += pages;
    if ((region.flags & REGION_GROWSDOWN) !== 0) {
      first -= pages;
      end += pages;
    }
    let order = Math.min(MAX_ORDER, log2Floor(free));
    for (; order >= MIN_ORDER; order--) {
      const size = 1 << order;
      const base = page - (page % size);
      if (base < first || base + size > end || this.overlaps(base, size)) continue;
      const reservation = this.frames.reservations.reserve(base, order);
      if (reservation === undefined) continue;
      const block = Math.floor(page / (1 << MAX_ORDER));
      reservation.sibling = this.blocks.get(block);
      this.blocks.set(block, reservation);
      return reservation;
    }
    return undefined;
  }

  /** True when a live reservation already covers part of the pages. */
  private overlaps(base: number, size: number): boolean {
    for (let r = this.blocks.get(Math.floor(base / (1 << MAX_ORDER))); r !== undefined; r = r.sibling) {
      if (r.live && r.firstPage < base + size && r.firstPage + (1 << r.order) > base) return true;
    }
    return false;
  }

  private forget(reservation: Reservation): void {
    this.unlink(reservation, Math.floor(reservation.firstPage / (1 << MAX_ORDER)));
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

/** @hot */
function covers(reservation: Reservation, page: number): boolean {
  return page >= reservation.firstPage && page < reservation.firstPage + (1 << reservation.order);
}
