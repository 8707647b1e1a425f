/** The loops around a hot address: of a function that is known, or, when where it begins is not known, around the address alone. */
import { layOut } from "./layout.ts";
import { type Block, type Region, successors } from "./region.ts";

export interface HotLoop {
  readonly head: number;
  /** Addresses of the instructions of the loop. */
  readonly members: ReadonlySet<number>;
}

/** The natural loops of a function around `rip`, outermost first. */
export function loopsIn(body: Region, rip: number): HotLoop[] {
  const around = [...layOut(body.entry).loops.values()].filter((loop) => [...loop.body].some((block) => block.instructions.some((d) => d.rip === rip)));
  return around.sort((a, b) => b.body.size - a.body.size).map((loop) => {
    const members = new Set<number>();
    for (const block of loop.body) for (const d of block.instructions) members.add(d.rip);
    return { head: loop.head.start, members };
  });
}

/** The same without knowing where the function begins: the innermost loop through the entry of `around`, undefined when there is none. */
export function hotLoop(around: Region): HotLoop | undefined {
  const start = around.entry;
  let inside = new Set<Block>(around.blocks);
  let found: HotLoop | undefined;
  for (;;) {
    const cycle = cycleThrough(start, inside);
    if (cycle === undefined) return found;
    // A loop's head is where it is jumped back to; compilers put it first, or last when they turn the loop around.
    let head: Block = start;
    const members = new Set<number>();
    for (const block of cycle) {
      for (const d of block.instructions) members.add(d.rip);
      for (const next of successors(block)) if (cycle.has(next) && next.start <= block.start && next.start < head.start) head = next;
    }
    found = { head: head.start, members };
    if (head === start) return found;
    cycle.delete(head);
    inside = cycle;
  }
}

/** The strongly connected part of `inside` around `block`, undefined when no way leads back to it. */
function cycleThrough(block: Block, inside: ReadonlySet<Block>): Set<Block> | undefined {
  const backward = new Map<Block, Block[]>();
  const reached = new Set<Block>();
  const work = [block];
  while (work.length > 0) {
    const at = work.pop() as Block;
    for (const next of successors(at)) {
      if (!inside.has(next)) continue;
      const list = backward.get(next);
      if (list === undefined) backward.set(next, [at]);
      else list.push(at);
      if (!reached.has(next)) {
        reached.add(next);
        work.push(next);
      }
    }
  }
  if (!reached.has(block)) return undefined;
  const cycle = new Set<Block>([block]);
  work.push(block);
  while (work.length > 0) {
    for (const from of backward.get(work.pop() as Block) ?? []) {
      if (cycle.has(from)) continue;
      cycle.add(from);
      work.push(from);
    }
  }
  return cycle;
}
