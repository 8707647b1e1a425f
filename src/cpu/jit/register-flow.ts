/** Which registers a region's locals must hold, so that no way in loads and no way out stores more than it has to.
 *
 *  A register is *changed* where its local may differ from RAM: it has been written since control came in, or came back from a call. Whoever
 *  leaves stores what is changed there. It is *live* where its local will be read, or stored by somebody who leaves; whoever comes
 *  in loads what is live there. Both are found once everything is recorded, for then it is known what each block does. */
import type { Block } from "./region.ts";

/** Registers, one bit each: 0…15 the general ones, 16…31 the vectors. */
export type Registers = number;

/** What a block does with registers. */
export interface RegisterUse {
  /** Read before it writes them for certain. */
  reads: Registers;
  writes: Registers;
  /** Not yet written where the block may be left. */
  exposed: Registers;
}

export interface RegisterFlow {
  /** Changed where a block begins. */
  readonly changed: (block: number) => Registers;
  /** Live where a block begins. */
  readonly live: (block: number) => Registers;
}

export interface FlowGraph {
  readonly order: readonly Block[];
  /** Where control goes on with registers in locals. */
  readonly next: (block: Block) => readonly Block[];
  /** True for a block that loads what is live, however control comes to it. */
  readonly loads: (block: Block) => boolean;
}

/** @param use by number of the block */
export function flowOfRegisters({ order, next, loads }: FlowGraph, use: (block: number) => RegisterUse): RegisterFlow {
  const changed = new Int32Array(order.length), live = new Int32Array(order.length);
  const edges = order.map((block) => next(block).filter((target) => !loads(target)).map(({ index }) => index));
  repeat((note) => {
    for (let i = 0; i < order.length; i++) {
      const behind = changed[i] | use(i).writes;
      for (const target of edges[i]) note(changed, target, changed[target] | behind);
    }
  });
  repeat((note) => {
    for (let i = order.length - 1; i >= 0; i--) {
      const { reads, writes, exposed } = use(i);
      let behind = 0;
      for (const target of edges[i]) behind |= live[target];
      note(live, i, reads | (changed[i] & exposed) | (behind & ~writes));
    }
  });
  return { changed: (block) => changed[block] ?? 0, live: (block) => live[block] ?? 0 };
}

/** Does `step` until it notes nothing new. */
function repeat(step: (note: (facts: Int32Array, block: number, value: Registers) => void) => void): void {
  for (let isChanging = true; isChanging; ) {
    isChanging = false;
    step((facts, block, value) => {
      if (facts[block] === value) return;
      facts[block] = value;
      isChanging = true;
    });
  }
}
