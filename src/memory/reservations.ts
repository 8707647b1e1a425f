/** Contiguity reservations: a block of frames kept for an aligned block of virtual pages, so that pages which are neighbours
 *  in an address space become neighbours in RAM whatever the order of their first touches (FreeBSD's superpage reservations
 *  are the idea). Contiguous frames are what makes range translations long.
 *
 *  A frame of a reservation is *taken* while it has references and *kept* otherwise. Kept frames count as free: when the
 *  buddy runs out, one without use or the oldest is broken and its kept frames become ordinary ones. The frames already taken
 *  are not affected; they just have no reservation to return to. */
import { assert } from "../base/assert.ts";
import { type Buddy, MAX_ORDER } from "./buddy.ts";

export class Reservation {
  /** First frame; aligned to the block. */
  readonly base: number;
  readonly order: number;
  /** Virtual page number that `base` is for; aligned like `base`. */
  readonly firstPage: number;
  /** Frames in use. */
  taken = 0;
  /** False once dropped or broken. */
  live = true;
  /** Age list, oldest first. */
  older: Reservation | undefined;
  newer: Reservation | undefined;
  /** Next reservation of the same owner for the same 2 MiB of virtual addresses. Written by the owner. */
  sibling: Reservation | undefined;
  readonly id: number;

  constructor(id: number, base: number, order: number, firstPage: number) {
    this.id = id;
    this.base = base;
    this.order = order;
    this.firstPage = firstPage;
  }
}

export class Reservations {
  /** Frames kept: in a reservation and without references. */
  kept = 0;
  /** Reservations broken because the buddy ran out. */
  broken = 0;
  private readonly buddy: Buddy;
  private readonly refs: Uint32Array;
  /** Id of the live reservation a frame belongs to, or 0. */
  private readonly owners: Int32Array;
  private readonly byId: (Reservation | undefined)[] = [undefined];
  private readonly freeIds: number[] = [];
  private oldest: Reservation | undefined;
  private newest: Reservation | undefined;
  /** Live reservations of which no frame is in use. */
  private unused = 0;

  constructor(buddy: Buddy, refs: Uint32Array) {
    this.buddy = buddy;
    this.refs = refs;
    this.owners = new Int32Array(refs.length);
  }

  /** Keeps a block of 2^order frames for the virtual pages from `firstPage`; undefined when no such block is free. Unused reservations
   *  are given up for it. */
  reserve(firstPage: number, order: number): Reservation | undefined {
    let base = this.buddy.take(order);
    while (base === 0 && this.breakUnused()) base = this.buddy.take(order);
    return base === 0 ? undefined : this.keep(firstPage, order, base);
  }

  /** The same with the block at `base`, the largest there are; undefined when it is not free. */
  reserveBlock(firstPage: number, base: number): Reservation | undefined {
    return this.buddy.takeBlock(base) ? this.keep(firstPage, MAX_ORDER, base) : undefined;
  }

  private keep(firstPage: number, order: number, base: number): Reservation {
    this.unused++;
    const id = this.freeIds.pop() ?? this.byId.length;
    const reservation = new Reservation(id, base, order, firstPage);
    this.byId[id] = reservation;
    this.owners.fill(id, base, base + (1 << order));
    this.kept += 1 << order;
    reservation.older = this.newest;
    if (this.newest !== undefined) this.newest.newer = reservation;
    else this.oldest = reservation;
    this.newest = reservation;
    return reservation;
  }

  /** Removes the frame kept for virtual page `page` and returns it, or 0 when it is taken already.
   *  Called by FrameAllocator.allocIn, which counts the reference. @hot */
  take(reservation: Reservation, page: number): number {
    const frame = (reservation.base + (page - reservation.firstPage)) | 0;
    if (this.refs[frame] !== 0) return 0;
    if (reservation.taken++ === 0) this.unused--;
    this.kept--;
    return frame;
  }

  /** True when `frame`, which has just lost its last reference, goes back to its reservation. @hot */
  giveBack(frame: number): boolean {
    const id = this.owners[frame];
    if (id === 0) return false;
    if (--(this.byId[id] as Reservation).taken === 0) this.unused++;
    this.kept++;
    return true;
  }

  /** Ends a reservation: kept frames are ordinary free frames again, taken ones will be when they are released. */
  drop(reservation: Reservation): void {
    if (!reservation.live) return;
    reservation.live = false;
    const { base, order, older, newer } = reservation;
    const end = base + (1 << order);
    if (older !== undefined) older.newer = newer;
    else this.oldest = newer;
    if (newer !== undefined) newer.older = older;
    else this.newest = older;
    reservation.older = undefined;
    reservation.newer = undefined;
    this.owners.fill(0, base, end);
    this.byId[reservation.id] = undefined;
    this.freeIds.push(reservation.id);
    this.kept -= (1 << order) - reservation.taken;
    if (reservation.taken === 0) {
      this.unused--;
      this.buddy.give(base, order);
      return;
    }
    const refs = this.refs;
    for (let frame = base; frame < end; ) {
      if (refs[frame] !== 0) {
        frame++;
        continue;
      }
      let stop = frame + 1;
      while (stop < end && refs[stop] === 0) stop++;
      this.buddy.giveRun(frame, stop);
      frame = stop;
    }
  }

  /** Breaks a reservation that keeps frames: one without use if there is one, else the oldest. False when none keeps any. */
  breakOldest(): boolean {
    if (this.breakUnused()) return true;
    for (let r = this.oldest; r !== undefined; r = r.newer) {
      if (r.taken === 1 << r.order) continue;
      this.broken++;
      this.drop(r);
      return true;
    }
    return false;
  }

  private breakUnused(): boolean {
    if (this.unused === 0) return false;
    let r = this.oldest as Reservation;
    while (r.taken > 0) r = r.newer as Reservation;
    this.broken++;
    this.drop(r);
    return true;
  }

  /** Live reservations, oldest first. For checks and statistics. */
  *all(): IterableIterator<Reservation> {
    for (let r = this.oldest; r !== undefined; r = r.newer) yield r;
  }

  /** Proves the counters. */
  check(): void {
    let kept = 0;
    let unused = 0;
    for (const r of this.all()) {
      if (r.taken === 0) unused++;
      let taken = 0;
      for (let frame = r.base; frame < r.base + (1 << r.order); frame++) {
        assert(this.owners[frame] === r.id, "frame of a reservation names another", { frame });
        if (this.refs[frame] !== 0) taken++;
      }
      assert(taken === r.taken, "reservation miscounts its frames", { base: r.base, counted: r.taken, found: taken });
      kept += (1 << r.order) - taken;
    }
    assert(unused === this.unused, "unused reservations miscounted", { counted: this.unused, found: unused });
    assert(kept === this.kept, "kept frames miscounted", { counted: this.kept, found: kept });
  }
}
