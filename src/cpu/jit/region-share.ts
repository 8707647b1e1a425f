/** How many regions the machines of one thread may keep, each a WebAssembly module: V8 dies near 32,000 live modules in a process.
 *
 *  A machine is full at its share of what all that have regions may keep, and drops its own then, never another's. A machine that stands
 *  still keeps what it has, so shares alone would let the sum grow without bound; beyond MOST_IN_ALL everybody who goes on is held to the
 *  least share. */

/** Kept by all machines of the thread together, as long as each keeps to its share. */
const KEPT_IN_ALL = 9000;
const MOST_IN_ALL = 16_000;
/** A machine's share is never more, and never less. */
const MOST_OF_ONE = 3000;
const LEAST_OF_ONE = 100;

let inAll = 0;
/** Machines that have regions. */
let sharing = 0;

export class RegionShare {
  #own = 0;

  /** True when the machine has as many regions as it may. */
  get isUsedUp(): boolean {
    if (inAll >= MOST_IN_ALL) return this.#own >= LEAST_OF_ONE;
    return this.#own >= Math.min(MOST_OF_ONE, Math.max(LEAST_OF_ONE, Math.floor(KEPT_IN_ALL / Math.max(1, sharing))));
  }
  take(): void {
    if (this.#own++ === 0) sharing++;
    inAll++;
  }
  give(): void {
    if (--this.#own === 0) sharing--;
    inAll--;
  }
}
