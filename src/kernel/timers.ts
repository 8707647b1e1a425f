/** Deadlines on the machine's monotonic clock: sleeping calls, interval timers, alarm, POSIX timers.
 *
 *  A binary heap ordered by deadline, then by age, so that equal deadlines fire in the order they were set and a
 *  deterministic machine repeats itself. Cancelled entries leave at once: a program that sets and cancels timers in a
 *  loop must not fill memory. */

export class Timer {
  /** Monotonic nanoseconds. */
  deadline: number;
  readonly fire: () => void;
  readonly order: number;
  /** Index in the heap, or -1 when not waiting. Written by Timers only. */
  slot = -1;
  constructor(deadline: number, fire: () => void, order: number) {
    this.deadline = deadline;
    this.fire = fire;
    this.order = order;
  }
}

export class Timers {
  readonly #heap: Timer[] = [];
  #order = 0;

  /** Calls `fire` once, from the scheduler, when the clock has reached `deadline`. */
  add(deadline: number, fire: () => void): Timer {
    const timer = new Timer(deadline, fire, this.#order++);
    this.#place(this.#heap.length, timer);
    this.#up(timer.slot);
    return timer;
  }
  /** Does nothing when the timer has fired or was cancelled before. */
  cancel(timer: Timer): void {
    const slot = timer.slot;
    if (slot < 0) return;
    timer.slot = -1;
    const last = this.#heap.pop()!;
    if (last === timer) return;
    this.#place(slot, last);
    this.#up(slot);
    this.#down(last.slot);
  }
  /** The earliest deadline, or Infinity. */
  get next(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0].deadline;
  }
  get count(): number {
    return this.#heap.length;
  }
  /** Fires everything that is due at `now`; timers set meanwhile wait for the next call. */
  run(now: number): void {
    const horizon = this.#order;
    while (this.#heap.length > 0 && this.#heap[0].deadline <= now && this.#heap[0].order < horizon) {
      const timer = this.#heap[0];
      this.cancel(timer);
      timer.fire();
    }
  }

  #place(slot: number, timer: Timer): void {
    this.#heap[slot] = timer;
    timer.slot = slot;
  }
  #up(slot: number): void {
    const timer = this.#heap[slot];
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (!before(timer, this.#heap[parent])) break;
      this.#place(slot, this.#heap[parent]);
      slot = parent;
    }
    this.#place(slot, timer);
  }
  #down(slot: number): void {
    const timer = this.#heap[slot];
    const length = this.#heap.length;
    for (;;) {
      let child = slot * 2 + 1;
      if (child >= length) break;
      if (child + 1 < length && before(this.#heap[child + 1], this.#heap[child])) child++;
      if (!before(this.#heap[child], timer)) break;
      this.#place(slot, this.#heap[child]);
      slot = child;
    }
    this.#place(slot, timer);
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}
