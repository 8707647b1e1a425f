/** Which code is compiled together: the blocks reachable from a hot address by direct jumps, branches and calls, up to a size.
 *
 *  Looking ahead never faults, pages in or sets A: code that is not mapped and executable right now stays outside the region. */
import type { Decoded } from "../decode/decoder.ts";

/** How a block ends. */
export type Ending =
  /** Falls into, or jumps to, `next`. */
  | { readonly kind: "jump"; readonly next: number }
  | { readonly kind: "branch"; readonly taken: number; readonly next: number }
  /** Direct call; `next` is the return address. */
  | { readonly kind: "call"; readonly target: number; readonly next: number }
  /** Indirect call; `next` is the return address. */
  | { readonly kind: "indirect-call"; readonly next: number }
  | { readonly kind: "return" }
  | { readonly kind: "indirect" }
  /** Leaves the CPU (system call, trap) or is not decodable here: the cold engine goes on at `at`. */
  | { readonly kind: "leave" };

export interface Block {
  /** Position in the region's layout. */
  index: number;
  readonly start: number;
  readonly instructions: Decoded[];
  ending: Ending;
}

export interface Region {
  readonly entry: number;
  /** Blocks in layout order, entry first. */
  readonly blocks: Block[];
  readonly byStart: ReadonlyMap<number, Block>;
  /** Start addresses that may be entered from outside. */
  readonly entries: readonly number[];
  /** Page base → frame of every page whose bytes were read. */
  readonly pages: ReadonlyMap<number, number>;
}

/** Decodes one instruction without side effects; undefined when it is not there, crosses a page or is not valid. */
export type Peek = (rip: number) => { readonly decoded: Decoded; readonly frame: number } | undefined;

export interface RegionLimits {
  readonly instructions: number;
  readonly blocks: number;
  readonly callDepth: number;
}
export const DEFAULT_LIMITS: RegionLimits = { instructions: 600, blocks: 120, callDepth: 2 };
/** Longest block: the cold engine's budget reserve must cover it (jit.ts, MINIMUM_BUDGET). */
export const MAX_BLOCK = 64;
const PAGE_SIZE = 4096;

export function discoverRegion(entry: number, peek: Peek, limits = DEFAULT_LIMITS): Region | undefined {
  const found = new Map<number, Decoded>();
  const leaders = new Set<number>([entry]);
  const pages = new Map<number, number>();
  const queue: { rip: number; depth: number }[] = [{ rip: entry, depth: 0 }];
  while (queue.length > 0) {
    // Breadth first: what is near the entry is what is hot.
    const { rip: start, depth } = queue.shift() as { rip: number; depth: number };
    let rip = start;
    while (!found.has(rip)) {
      if (found.size >= limits.instructions || leaders.size > limits.blocks) break;
      const seen = peek(rip);
      if (seen === undefined) break;
      const d = seen.decoded;
      found.set(rip, d);
      pages.set(rip - (rip % PAGE_SIZE), seen.frame);
      const next = d.nextRip;
      if (d.encoding.options.endsBlock !== true) {
        rip = next;
        continue;
      }
      const ending = endingOf(d);
      if (ending.kind === "jump") {
        leaders.add(ending.next);
        queue.push({ rip: ending.next, depth });
      } else if (ending.kind === "branch") {
        leaders.add(ending.taken).add(ending.next);
        queue.push({ rip: ending.taken, depth }, { rip: ending.next, depth });
      } else if (ending.kind === "call") {
        leaders.add(ending.next);
        queue.push({ rip: ending.next, depth });
        if (depth < limits.callDepth) {
          leaders.add(ending.target);
          queue.push({ rip: ending.target, depth: depth + 1 });
        }
      } else if (ending.kind === "indirect-call") {
        leaders.add(ending.next);
        queue.push({ rip: ending.next, depth });
      }
      break;
    }
  }
  if (!found.has(entry)) return undefined;

  const byStart = new Map<number, Block>();
  for (const start of leaders) {
    if (!found.has(start)) continue;
    const block: Block = { index: -1, start, instructions: [], ending: { kind: "leave" } };
    let rip = start;
    for (;;) {
      const d = found.get(rip);
      if (d === undefined || block.instructions.length === MAX_BLOCK) {
        // The cold engine goes on here; a block that was only too long continues in the next one.
        block.ending = { kind: "jump", next: rip };
        if (d !== undefined) leaders.add(rip); // visited by this same loop: a Set iterates over what is added
        break;
      }
      block.instructions.push(d);
      if (d.encoding.options.endsBlock === true) {
        block.ending = endingOf(d);
        break;
      }
      rip = d.nextRip;
      if (leaders.has(rip) && found.has(rip)) {
        block.ending = { kind: "jump", next: rip };
        break;
      }
    }
    byStart.set(start, block);
  }
  const blocks = layOut(byStart, entry);
  const laidOut = new Map(blocks.map((b) => [b.start, b]));
  return { entry, blocks, byStart: laidOut, entries: entriesOf(blocks, laidOut, entry), pages };
}

export function endingOf(d: Decoded): Ending {
  const next = d.nextRip;
  const { mnemonic, operands, options } = d.encoding;
  const relative = operands.length > 0 && operands[0].class === "rel";
  if (relative && options.conditional === true) return { kind: "branch", taken: d.target, next };
  if (relative) return mnemonic === "call" ? { kind: "call", target: d.target, next } : { kind: "jump", next: d.target };
  if (mnemonic === "call") return { kind: "indirect-call", next };
  if (mnemonic === "ret" || mnemonic === "retf") return { kind: "return" };
  if (mnemonic === "jmp") return { kind: "indirect" };
  return { kind: "leave" };
}

/** Addresses that control may reach inside the region after `block`, in order of preference for the layout. */
export function successors(block: Block, byStart: ReadonlyMap<number, Block>): Block[] {
  const e = block.ending;
  const wanted =
    e.kind === "jump" ? [e.next] : e.kind === "branch" ? [e.next, e.taken] : e.kind === "call" ? [e.target, e.next] : e.kind === "indirect-call" ? [e.next] : [];
  return wanted.map((a) => byStart.get(a)).filter((b) => b !== undefined);
}

/** Reverse postorder of a depth-first walk: forward edges go forward, loop bodies stay together behind their header. */
function layOut(byStart: ReadonlyMap<number, Block>, entry: number): Block[] {
  const order: Block[] = [];
  const state = new Map<Block, number>();
  const stack: { block: Block; next: Block[] }[] = [];
  const visit = (block: Block): void => {
    state.set(block, 1);
    // The last visited successor comes first in the layout: leave the fall-through for last.
    stack.push({ block, next: successors(block, byStart) });
  };
  const roots = [byStart.get(entry) as Block, ...byStart.values()];
  const parts: Block[][] = [];
  for (const root of roots) {
    if (state.has(root)) continue;
    visit(root);
    const part: Block[] = [];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const next = top.next.pop();
      if (next === undefined) {
        part.push(top.block);
        stack.pop();
      } else if (!state.has(next)) visit(next);
    }
    parts.push(part.reverse());
  }
  for (const part of parts) order.push(...part);
  order.forEach((block, i) => {
    block.index = i;
  });
  return order;
}

/** The entry, what follows calls (returns come back from outside, or are predicted), and the functions called inside. */
function entriesOf(blocks: readonly Block[], byStart: ReadonlyMap<number, Block>, entry: number): number[] {
  const entries = new Set<number>([entry]);
  for (const { ending: e } of blocks) {
    if ((e.kind === "call" || e.kind === "indirect-call") && byStart.has(e.next)) entries.add(e.next);
    if (e.kind === "call" && byStart.has(e.target)) entries.add(e.target);
  }
  return [...entries];
}
