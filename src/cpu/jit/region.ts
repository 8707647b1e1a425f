/** Which code is compiled together: the blocks reachable from a hot address by direct jumps and branches, with the functions they call
 *  inlined, up to a size.
 *
 *  A region has one entry. A called function is copied into each place that calls it, so that its return goes on behind the call
 *  without asking where it came from; only the address on the guest's stack is compared. Looking ahead never faults, pages in, or
 *  sets A: code that is not mapped and executable right now stays outside the region. */
import type { Decoded } from "../decode/decoder.ts";

/** A call that is inlined: where it returns to, and in which copy of the caller. */
export interface Context {
  readonly parent: Context | undefined;
  readonly depth: number;
  readonly callee: number;
  readonly returnTo: number;
  /** Instructions of this copy by address. */
  readonly found: Map<number, Decoded>;
  readonly leaders: Set<number>;
  /** Copies of the functions called from here, by address of the call. */
  readonly calls: Map<number, Context>;
}

/** Where control goes: a block of the region, or an address outside. */
export type Target = Block | number;

export interface Block {
  /** Position in the region's layout (layout.ts). */
  index: number;
  readonly start: number;
  readonly context: Context;
  readonly instructions: Decoded[];
  /** How the last instruction ends the block; "fall" when it does not transfer control. */
  ending: "fall" | "jump" | "branch" | "call" | "indirect-call" | "return" | "indirect" | "leave";
  /** Target of a jump, a taken branch or a direct call. */
  taken: Target | undefined;
  /** What follows when a branch is not taken or nothing ends the block; behind an inlined call's return. */
  next: Target | undefined;
}

export interface Region {
  readonly entry: Block;
  readonly blocks: readonly Block[];
  /** Page base → frame of every page whose bytes were read. */
  readonly pages: ReadonlyMap<number, number>;
}

/** An instruction with the frames of the page it begins in and of the next one (−1 when it ends in the same page). */
export interface Seen { readonly decoded: Decoded; readonly frame: number; readonly secondFrame: number }
/** Decodes one instruction without side effects; undefined when it is not there or not valid. */
export type Peek = (rip: number) => Seen | undefined;

export interface RegionLimits {
  readonly instructions: number;
  readonly blocks: number;
  readonly callDepth: number;
  /** Longest function that is inlined, in instructions. */
  readonly inlined: number;
  /** Go on behind calls that are not inlined: to find loops, not to compile. */
  readonly throughCalls: boolean;
}
/** For a loop. */
export const LOOP_LIMITS: RegionLimits = { instructions: 800, blocks: 200, callDepth: 4, inlined: 80, throughCalls: false };
/** For code around which no loop was found. */
export const STRAIGHT_LIMITS: RegionLimits = { instructions: 300, blocks: 80, callDepth: 3, inlined: 60, throughCalls: false };
/** For the search for loops. */
export const SEARCH_LIMITS: RegionLimits = { instructions: 1500, blocks: 400, callDepth: 0, inlined: 0, throughCalls: true };
/** Copies of one function inside itself. */
const MAX_RECURSION = 2;
/** Longest block. */
export const MAX_BLOCK = 64;
const PAGE_SIZE = 4096;

/** @param within instruction addresses to which the function of `entry` itself is restricted */
export function discoverRegion(entry: number, peek: Peek, limits: RegionLimits, within?: ReadonlySet<number>): Region | undefined {
  const pages = new Map<number, number>();
  const decoded = new Map<number, Decoded | undefined>();
  const look = (rip: number): Decoded | undefined => {
    if (decoded.has(rip)) return decoded.get(rip);
    const seen = peek(rip);
    decoded.set(rip, seen?.decoded);
    if (seen !== undefined) {
      const page = rip - (rip % PAGE_SIZE);
      pages.set(page, seen.frame);
      if (seen.secondFrame >= 0) pages.set(page + PAGE_SIZE, seen.secondFrame);
    }
    return seen?.decoded;
  };
  if (look(entry) === undefined) return undefined;

  const root = newContext(undefined, entry, 0);
  const contexts = [root];
  const queue: [Context, number][] = [[root, entry]];
  let instructions = 0;
  let leaders = 1;
  const expect = (context: Context, rip: number): void => {
    if (context.leaders.has(rip) || (context === root && within?.has(rip) === false)) return;
    context.leaders.add(rip);
    leaders++;
    queue.push([context, rip]);
  };
  for (let head = 0; head < queue.length; head++) {
    // Breadth first: what is near the entry is what is hot.
    const [context, start] = queue[head];
    let rip = start;
    while (!context.found.has(rip)) {
      if (instructions >= limits.instructions || leaders > limits.blocks) break;
      const d = look(rip);
      if (d === undefined) break;
      context.found.set(rip, d);
      instructions++;
      const next = d.nextRip;
      if (d.encoding.options.endsBlock !== true) {
        rip = next;
        continue;
      }
      const ending = endingOf(d);
      if (ending === "jump") expect(context, d.target);
      else if (ending === "branch") {
        expect(context, next);
        expect(context, d.target);
      } else if (ending === "call" && mayInline(context, d.target, limits, look)) {
        const callee = newContext(context, d.target, next);
        context.calls.set(rip, callee);
        contexts.push(callee);
        queue.push([callee, d.target]);
        expect(context, next);
      } else if ((ending === "call" || ending === "indirect-call") && limits.throughCalls) expect(context, next);
      break;
    }
  }

  const byStart = new Map<Context, Map<number, Block>>();
  for (const context of contexts) byStart.set(context, cut(context));
  const blockAt = (context: Context, rip: number): Target => byStart.get(context)?.get(rip) ?? rip;
  const blocks: Block[] = [];
  for (const context of contexts) {
    for (const block of (byStart.get(context) as Map<number, Block>).values()) {
      blocks.push(block);
      const last = block.instructions[block.instructions.length - 1];
      switch (block.ending) {
        case "fall":
          block.next = blockAt(context, last.nextRip);
          break;
        case "jump":
          block.taken = blockAt(context, last.target);
          break;
        case "branch":
          block.next = blockAt(context, last.nextRip);
          block.taken = blockAt(context, last.target);
          break;
        case "call": {
          const callee = context.calls.get(last.rip);
          block.taken = callee === undefined ? last.target : blockAt(callee, last.target);
          if (limits.throughCalls) block.next = blockAt(context, last.nextRip);
          break;
        }
        case "indirect-call":
          if (limits.throughCalls) block.next = blockAt(context, last.nextRip);
          break;
        case "return":
          if (context.parent !== undefined) block.next = blockAt(context.parent, context.returnTo);
          break;
      }
    }
  }
  return { entry: blockAt(root, entry) as Block, blocks, pages };
}

export function endingOf(d: Decoded): Block["ending"] {
  const { mnemonic, operands, options } = d.encoding;
  const relative = operands.length > 0 && operands[0].class === "rel";
  if (relative && options.conditional === true) return "branch";
  if (relative) return mnemonic === "call" ? "call" : "jump";
  if (mnemonic === "call") return "indirect-call";
  if (mnemonic === "ret" || mnemonic === "retf") return "return";
  if (mnemonic === "jmp") return "indirect";
  return "leave";
}

/** Blocks that control may reach inside the region after `block`. */
export function successors(block: Block): Block[] {
  const found: Block[] = [];
  for (const target of [block.next, block.taken]) if (target !== undefined && typeof target !== "number" && !found.includes(target)) found.push(target);
  return found;
}

function newContext(parent: Context | undefined, callee: number, returnTo: number): Context {
  return { parent, depth: parent === undefined ? 0 : parent.depth + 1, callee, returnTo, found: new Map(), leaders: new Set([callee]), calls: new Map() };
}

/** Small functions that return, not nested too deep. */
function mayInline(context: Context, target: number, limits: RegionLimits, look: (rip: number) => Decoded | undefined): boolean {
  if (context.depth >= limits.callDepth) return false;
  let copies = 0;
  for (let c: Context | undefined = context; c !== undefined; c = c.parent) if (c.callee === target) copies++;
  if (copies > MAX_RECURSION) return false;
  const seen = new Set<number>();
  const queue = [target];
  let returns = false;
  while (queue.length > 0) {
    let rip = queue.pop() as number;
    while (!seen.has(rip)) {
      if (seen.size >= limits.inlined) return false;
      const d = look(rip);
      if (d === undefined) break;
      seen.add(rip);
      rip = d.nextRip;
      if (d.encoding.options.endsBlock !== true) continue;
      const ending = endingOf(d);
      if (ending === "return") returns = true;
      if (ending === "branch") queue.push(d.target);
      else if (ending === "jump") rip = d.target;
      else if (ending !== "call" && ending !== "indirect-call") break;
      // Padding: the call does not return (__stack_chk_fail), and another function follows.
      else if (look(rip)?.encoding.mnemonic === "nop") break;
    }
  }
  return returns;
}

/** Cuts the instructions of one copy into blocks. */
function cut(context: Context): Map<number, Block> {
  const { found, leaders } = context;
  const byStart = new Map<number, Block>();
  for (const start of leaders) {
    if (!found.has(start)) continue;
    const block: Block = { index: -1, start, context, instructions: [], ending: "fall", taken: undefined, next: undefined };
    for (let rip = start; ; ) {
      const d = found.get(rip);
      if (d === undefined) break;
      if (block.instructions.length === MAX_BLOCK) {
        leaders.add(rip); // visited by this same loop: a Set iterates over what is added
        break;
      }
      block.instructions.push(d);
      rip = d.nextRip;
      if (d.encoding.options.endsBlock === true) {
        block.ending = endingOf(d);
        break;
      }
      if (leaders.has(rip)) break;
    }
    byStart.set(start, block);
  }
  return byStart;
}
