/** Where a region should begin when `rip` was found hot: at the head of the innermost loop around it, else at `rip` itself. */
import { type Block, type Region, successors } from "./region.ts";

export function hotEntry(region: Region, rip: number): number {
  const start = region.entry;
  let inside = new Set<Block>(region.blocks);
  let entry = rip;
  for (;;) {
    const cycle = cycleThrough(start, inside);
    if (cycle === undefined) return entry;
    // A loop's head is where it is jumped back to; compilers put it first, or last when they turn the loop around.
    let head: Block = start;
    for (const block of cycle) for (const next of successors(block)) if (cycle.has(next) && next.start <= block.start && next.start < head.start) head = next;
    entry = head.start;
    if (head === start) return entry;
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
