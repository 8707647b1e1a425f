/** The order of a region's blocks and its loops, so that control flow becomes structured: a loop's blocks stand together behind its
 *  head, every other edge goes forward.
 *
 *  Loops are natural loops: an edge back to a block that dominates its source. Any other backward edge (code with two ways into a
 *  loop) is left out; the region is left there. */
import { assert } from "../../base/assert.ts";
import { type Block, successors } from "./region.ts";

export interface Loop {
  readonly head: Block;
  readonly body: Set<Block>;
  /** The loop around this one. */
  parent: Loop | undefined;
  /** Index of the last block of the body in the layout. */
  last: number;
}

export interface Layout {
  /** Entry first. */
  readonly order: readonly Block[];
  /** By head. */
  readonly loops: ReadonlyMap<Block, Loop>;
  /** True for an edge that control flow inside the region may take. */
  readonly follows: (from: Block, to: Block) => boolean;
}

export function layOut(entry: Block): Layout {
  const postorder = walk(entry);
  const rank = new Map<Block, number>();
  postorder.forEach((block, i) => {
    rank.set(block, postorder.length - 1 - i);
  });
  const reverse = [...postorder].reverse();
  const predecessors = new Map<Block, Block[]>(reverse.map((block) => [block, []]));
  for (const block of reverse) for (const next of successors(block)) predecessors.get(next)?.push(block);
  const dominator = dominators(entry, reverse, rank, predecessors);
  const dominates = (a: Block, b: Block): boolean => {
    let at: Block | undefined = b;
    const limit = rank.get(a) as number;
    while (at !== undefined && (rank.get(at) as number) > limit) at = dominator.get(at);
    return at === a;
  };

  const left = new Map<Block, Set<Block>>();
  const loops = new Map<Block, Loop>();
  for (const block of reverse) {
    for (const next of successors(block)) {
      if ((rank.get(next) as number) > (rank.get(block) as number)) continue;
      if (!dominates(next, block)) {
        const set = left.get(block);
        if (set === undefined) left.set(block, new Set([next]));
        else set.add(next);
        continue;
      }
      let loop = loops.get(next);
      if (loop === undefined) loops.set(next, (loop = { head: next, body: new Set([next]), parent: undefined, last: -1 }));
      collect(loop.body, block, predecessors);
    }
  }
  nest(loops);
  const follows = (from: Block, to: Block): boolean => left.get(from)?.has(to) !== true;
  const order = place(entry, reverse, loops, predecessors, follows, rank);
  order.forEach((block, i) => {
    block.index = i;
  });
  for (const loop of loops.values()) for (const block of loop.body) loop.last = Math.max(loop.last, block.index);
  return { order, loops, follows };
}

/** Depth first, without recursion: blocks in postorder. */
function walk(entry: Block): Block[] {
  const done: Block[] = [];
  const seen = new Set<Block>([entry]);
  const stack: { block: Block; rest: Block[] }[] = [{ block: entry, rest: successors(entry) }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const next = top.rest.pop();
    if (next === undefined) {
      done.push(top.block);
      stack.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      stack.push({ block: next, rest: successors(next) });
    }
  }
  return done;
}

/** Immediate dominators (Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm). */
function dominators(entry: Block, reverse: readonly Block[], rank: ReadonlyMap<Block, number>, predecessors: ReadonlyMap<Block, Block[]>): Map<Block, Block> {
  const found = new Map<Block, Block>();
  const meet = (a: Block, b: Block): Block => {
    let x = a, y = b;
    while (x !== y) {
      if ((rank.get(x) as number) > (rank.get(y) as number)) x = found.get(x) as Block;
      else y = found.get(y) as Block;
    }
    return x;
  };
  found.set(entry, entry);
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of reverse) {
      if (block === entry) continue;
      let best: Block | undefined;
      for (const p of predecessors.get(block) as Block[]) if (found.has(p)) best = best === undefined ? p : meet(best, p);
      if (best !== undefined && found.get(block) !== best) {
        found.set(block, best);
        changed = true;
      }
    }
  }
  found.delete(entry);
  return found;
}

/** Adds what reaches `from` without passing the head, which is in `body` already. */
function collect(body: Set<Block>, from: Block, predecessors: ReadonlyMap<Block, Block[]>): void {
  const work = [from];
  while (work.length > 0) {
    const block = work.pop() as Block;
    if (body.has(block)) continue;
    body.add(block);
    work.push(...(predecessors.get(block) as Block[]));
  }
}

function nest(loops: ReadonlyMap<Block, Loop>): void {
  for (const inner of loops.values()) {
    for (const outer of loops.values()) {
      if (outer === inner || !outer.body.has(inner.head)) continue;
      if (inner.parent === undefined || outer.body.size < inner.parent.body.size) inner.parent = outer;
    }
  }
}

/** Topological order in which a loop, once begun, is finished before anything outside it comes. */
function place(
  entry: Block, reverse: readonly Block[], loops: ReadonlyMap<Block, Loop>, predecessors: ReadonlyMap<Block, Block[]>,
  follows: (from: Block, to: Block) => boolean, rank: ReadonlyMap<Block, number>,
): Block[] {
  const waiting = new Map<Block, number>();
  const isBack = (from: Block, to: Block): boolean => loops.get(to)?.body.has(from) === true;
  for (const block of reverse) {
    const unique = new Set(predecessors.get(block));
    waiting.set(block, [...unique].filter((p) => !isBack(p, block) && follows(p, block)).length);
  }
  const order: Block[] = [];
  const active: { readonly loop: Loop; left: number }[] = [];
  let ready: Block[] = [entry];
  while (ready.length > 0) {
    while (active.length > 0 && active[active.length - 1].left === 0) active.pop();
    const loop = active[active.length - 1]?.loop;
    // The latest first: what follows a block comes right behind it where that may be.
    let pick = -1;
    for (let i = ready.length - 1; i >= 0; i--) {
      if (loop === undefined || loop.body.has(ready[i])) {
        pick = i;
        break;
      }
    }
    assert(pick >= 0, "a loop of a region cannot be finished", { head: loop?.head.start });
    const block = ready[pick];
    ready = ready.filter((_, i) => i !== pick);
    order.push(block);
    const begun = loops.get(block);
    if (begun !== undefined) active.push({ loop: begun, left: begun.body.size });
    for (const each of active) if (each.loop.body.has(block)) each.left--;
    const nexts = successors(block).sort((a, b) => (rank.get(b) as number) - (rank.get(a) as number));
    for (const next of nexts) {
      if (isBack(block, next) || !follows(block, next)) continue;
      const left = (waiting.get(next) as number) - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return order;
}
