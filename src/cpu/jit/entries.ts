/** The ways into a region that can be entered at several places: where it began, behind the calls that leave it, at the heads of its
 *  loops, and where its indirect jumps go.
 *
 *  WebAssembly has no jump into the middle of a loop, so a region's function takes the number of the entry and control goes there from
 *  its first block, the chooser: to the head of the outermost loop around the entry, from there to the head of the next one, and
 *  at last to the *way in*, a block without instructions in front of the entry. A head with entries inside its loop asks each turn
 *  whether one is on its way; innermost loops ask nothing. A call or jump inside the region to one of its entries goes through the
 *  chooser too, with registers in locals all the time. */
import { type Layout, layOut, type Loop } from "./layout.ts";
import { type Block, type Entry, type Region, successors } from "./region.ts";

/** Makes everything an entry where control may come in from outside, and `wanted`. The region must have been explored through calls. */
export function openEntries(region: Region, wanted: Iterable<number>): Region {
  const root = region.entry.context;
  const loops = loopsOf(region);
  const byStart = new Map<number, Block>();
  for (const block of region.blocks) if (block.context === root) byStart.set(block.start, block);

  const places = new Set<Block>([region.entry]);
  const add = (block: unknown): void => {
    if (typeof block === "object" && (block as Block).context === root) places.add(block as Block);
  };
  for (const rip of wanted) add(byStart.get(rip));
  for (const block of loops.keys()) add(block);
  const jumped = new Set<Block>();
  const calls = new Map<Block, Block>();
  for (const block of region.blocks) {
    for (const target of block.others) {
      add(target);
      jumped.add(target);
    }
    block.others = [];
    if (!leavesAndComesBack(block)) continue;
    add(block.next);
    if (isCallOfOther(block, region) && typeof block.next === "object" && block.next !== region.entry) calls.set(block, block.next);
    block.next = undefined;
  }
  const givenUp = new Set<Block>();
  for (;;) {
    const known = places.size;
    const opened = known === 1 ? region : withWays(region, places, loops, { jumped, calls });
    const layout = layOut(opened.entry);
    const lost = notLedTo(opened, layout);
    if (lost.length === 0) {
      // What is jumped to in a way that is not structured is an entry too.
      for (const block of layout.order) for (const next of successors(block)) if (next.instructions.length > 0 && !layout.follows(block, next) && !givenUp.has(next)) add(next);
      if (places.size === known) return opened;
    }
    // Calls that close a circle with two entrances are come back from like from any other exit. Where none does, there is no entry.
    const circular = [...calls.keys()].filter((caller) => lost.some(({ at }) => reachedFrom(at).has(caller) && reachedFrom(caller).has(at)));
    for (const caller of circular) {
      calls.delete(caller);
      caller.next = undefined;
    }
    if (circular.length === 0) {
      for (const { place } of lost) {
        places.delete(place);
        givenUp.add(place);
      }
    }
    for (const block of region.blocks) block.others = [];
  }
}
/** The loops of a region, with all that was explored as its code: what only an entry leads to is begun at like the region itself, or it
 *  would jump past the heads of loops that are none with it. */
function loopsOf({ entry, blocks }: Region): ReadonlyMap<Block, Loop> {
  const own = blocks.filter(({ context }) => context === entry.context);
  const preceded = new Set(blocks.flatMap(successors));
  const begun = [entry];
  const reached = reachedFrom(entry);
  for (const block of [...own.filter((each) => !preceded.has(each)), ...own]) {
    if (reached.has(block)) continue;
    begun.push(block);
    for (const each of reachedFrom(block)) reached.add(each);
  }
  return layOut(begun.length === 1 ? entry : { ...chooserAt(entry), others: begun }).loops;
}
/** Entries that are not led to, for the order of blocks has no structure for a step on their way from the chooser, and where that step ends. */
function notLedTo({ entry, entries }: Region, { order, follows }: Layout): { readonly place: Block; readonly at: Block }[] {
  const placed = new Set(order);
  const lost: { place: Block; at: Block }[] = [];
  for (const { way, heads } of entries) {
    if (way === entry) continue;
    const place = way.next as Block;
    const steps = [entry, ...[...heads].reverse(), way, place];
    const broken = steps.findIndex((from, i) => i + 1 < steps.length && !(placed.has(from) && successors(from).includes(steps[i + 1]) && follows(from, steps[i + 1])));
    if (broken >= 0) lost.push({ place, at: steps[broken + 1] });
  }
  return lost;
}
function reachedFrom(from: Block): Set<Block> {
  const seen = new Set([from]);
  for (const block of seen) for (const next of successors(block)) seen.add(next);
  return seen;
}
/** @param how which of the places are jumped to, and which calls come back to which */
function withWays(
  region: Region, places: ReadonlySet<Block>, loops: ReadonlyMap<Block, Loop>, { jumped, calls }: { readonly jumped: ReadonlySet<Block>; readonly calls: ReadonlyMap<Block, Block> },
): Region {
  const chooser = chooserAt(region.entry);
  const behind = new Set(calls.values());
  const ordered = [...places].sort((a, b) => Number(behind.has(a)) - Number(behind.has(b)));
  const entries = ordered.map((block, number): Entry => {
    const way: Block = { ...chooserAt(block), ending: "fall", next: block, entry: number };
    const callers = [...calls.keys()].filter((caller) => calls.get(caller) === block);
    for (const caller of callers) caller.next = way;
    const heads = loopsAround(block, callers, loops);
    for (const [i, head] of [...heads, chooser].entries()) {
      const on = i === 0 ? way : heads[i - 1];
      if (!head.others.includes(on)) head.others.push(on);
    }
    return { rip: block.start, way, heads, isJumped: jumped.has(block), isBehindCall: callers.length > 0 };
  });
  return { ...region, entry: chooser, entries, blocks: [chooser, ...entries.map(({ way }) => way), ...region.blocks] };
}

/** A block without instructions. */
function chooserAt({ start, context }: Block): Block {
  return { index: -1, context, start, instructions: [], ending: "enter", taken: undefined, next: undefined, others: [], entry: -1 };
}

/** True for a block behind which the region goes on only after other code has run. */
function leavesAndComesBack(block: Block): boolean {
  return isCall(block) || block.ending === "leave";
}
function isCall({ ending, taken }: Block): boolean {
  return ending === "indirect-call" || (ending === "call" && typeof taken === "number");
}
/** True for a call of the region's own function that is not known to call this function again: that stays inside. */
function isCallOfOther(block: Block, { start, entry }: Region): boolean {
  return isCall(block) && block.context === entry.context && block.taken !== start;
}

/** Heads of the loops that `block` is inside of, innermost first; the head of a loop is outside of it for who wants to enter there, but
 *  for a call inside that comes back to it. */
function loopsAround(block: Block, callers: readonly Block[], loops: ReadonlyMap<Block, Loop>): Block[] {
  const around = [...loops.values()].filter(({ head, body }) => body.has(block) && (head !== block || callers.some((caller) => body.has(caller))));
  return around.sort((a, b) => a.body.size - b.body.size).map(({ head }) => head);
}
