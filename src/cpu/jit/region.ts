/** Which code is compiled together: the blocks reachable from a hot address by direct jumps and branches, with the small functions they
 *  call inlined, up to a size.
 *
 *  A small function that calls nothing but others like it is copied into each place that calls it, so that its return goes on behind the
 *  call without asking where it came from; only the address on the guest's stack is compared. Other calls leave the region, and it is
 *  entered again behind them (entries.ts). Looking ahead never faults, pages in, or sets A: code that is not mapped and executable right
 *  now stays outside the region. */
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
  /** How the last instruction ends the block; "fall" when it does not transfer control; "enter" for the block that chooses an entry. */
  ending: "fall" | "jump" | "branch" | "call" | "indirect-call" | "return" | "indirect" | "leave" | "enter";
  /** Target of a jump, a taken branch or a direct call. */
  taken: Target | undefined;
  /** What follows when a branch is not taken or nothing ends the block; behind an inlined call's return. While a region is explored, also
   *  behind calls that are not inlined. */
  next: Target | undefined;
  /** While a region is explored: where an indirect jump has been seen to go. After that: where else control may go from the block's
   *  beginning, on its way from an entry (entries.ts). */
  others: Block[];
  /** Number of the entry that this block, which has no instructions, is the way in from; −1 for blocks of instructions. */
  readonly entry: number;
}

/** A place where a region can be entered. */
export interface Entry {
  readonly rip: number;
  readonly way: Block;
  /** Heads of the loops around the way in, innermost first: each leads on to what is entered inside of it. */
  readonly heads: readonly Block[];
  /** Indirect jumps of the region go there. */
  readonly isJumped: boolean;
  /** The entry is behind a call: registers come from RAM whoever comes in. */
  readonly isBehindCall: boolean;
}

export interface Region {
  /** Where it was begun to look. */
  readonly start: number;
  /** What runs first: the block at the start when it is the only entry, else the one that chooses. */
  readonly entry: Block;
  /** In the order of their numbers; the start first. */
  readonly entries: readonly Entry[];
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
  /** Go on behind calls that are not inlined. */
  readonly throughCalls: boolean;
}
/** For a function, or for a loop. */
export const WHOLE_LIMITS: RegionLimits = { instructions: 1500, blocks: 500, callDepth: 4, inlined: 80, throughCalls: true };
/** For code around which neither was found. */
export const STRAIGHT_LIMITS: RegionLimits = { instructions: 300, blocks: 80, callDepth: 3, inlined: 60, throughCalls: true };
/** For the search for loops. */
export const SEARCH_LIMITS: RegionLimits = { instructions: 1500, blocks: 400, callDepth: 0, inlined: 0, throughCalls: true };
/** Longest block. */
export const MAX_BLOCK = 64;
const PAGE_SIZE = 4096;

/** What is known of the code besides its bytes. */
export interface Knowledge {
  /** Instruction addresses to which the function of the start itself is restricted. */
  readonly within?: ReadonlySet<number>;
  /** False for an address that has never been jumped to: what lies there is left out. */
  readonly isMet?: (rip: number) => boolean;
  /** The function of the start itself is taken whether or not it has been jumped to; what is copied into it is not. */
  readonly isWhole?: boolean;
  /** Where an indirect jump of this function may go. */
  readonly jumpTargets?: readonly number[];
  /** Where an indirect jump or call goes as things stand, by a pointer at a fixed place (a procedure linkage table's); it is asked when it
   *  is made. */
  readonly guess?: (d: Decoded) => number | undefined;
  /** True for an address where another region is entered: there this one ends. */
  readonly isOthers?: (rip: number) => boolean;
  /** Addresses where the region is to be entered. */
  readonly entries?: Iterable<number>;
}

export function discoverRegion(entry: number, peek: Peek, limits: RegionLimits, knowledge: Knowledge = {}): Region | undefined {
  const { within, jumpTargets } = knowledge;
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
  const isOthers = (context: Context, rip: number): boolean => context === root && rip !== entry && knowledge.isOthers?.(rip) === true;
  const expect = (context: Context, rip: number): void => {
    if (context.leaders.has(rip) || (context === root && within?.has(rip) === false) || isOthers(context, rip)) return;
    if (!(context === root && knowledge.isWhole === true) && knowledge.isMet?.(rip) === false) return;
    context.leaders.add(rip);
    leaders++;
    queue.push([context, rip]);
  };
  for (const rip of knowledge.entries ?? []) expect(root, rip);
  for (let head = 0; head < queue.length; head++) {
    // Breadth first: what is near the entry is what is hot.
    const [context, start] = queue[head];
    let rip = start;
    while (!context.found.has(rip) && !isOthers(context, rip)) {
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
      const target = targetOf(d, ending, knowledge);
      if (target !== undefined && ending === "branch") expect(context, next);
      if (target !== undefined && !isCall(ending)) expect(context, target);
      if (target !== undefined && isCall(ending) && mayInline(context, target, limits, look, knowledge)) {
        const callee = newContext(context, target, next);
        context.calls.set(rip, callee);
        contexts.push(callee);
        queue.push([callee, target]);
        expect(context, next);
      } else if (limits.throughCalls) {
        if (comesBack(d, ending)) expect(context, next);
        if (ending === "indirect" && context === root) for (const each of jumpTargets ?? []) expect(context, each);
      }
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
          if (callee === undefined && limits.throughCalls) block.next = blockAt(context, last.nextRip);
          break;
        }
        case "indirect-call": {
          const callee = context.calls.get(last.rip);
          if (callee !== undefined) block.taken = blockAt(callee, callee.callee);
          if (limits.throughCalls) block.next = blockAt(context, last.nextRip);
          break;
        }
        case "leave":
          if (limits.throughCalls && comesBack(last, block.ending)) block.next = blockAt(context, last.nextRip);
          break;
        case "indirect": {
          const guess = knowledge.guess?.(last);
          if (guess !== undefined) block.taken = blockAt(context, guess);
          if (context === root) block.others = (jumpTargets ?? []).map((target) => blockAt(context, target)).filter((target) => typeof target !== "number");
          break;
        }
        case "return":
          if (context.parent !== undefined) block.next = blockAt(context.parent, context.returnTo);
          break;
      }
    }
  }
  const first = blockAt(root, entry) as Block;
  return { start: entry, entry: first, entries: [{ rip: entry, way: first, heads: [], isJumped: false, isBehindCall: false }], blocks, pages };
}
function isCall(ending: Block["ending"]): boolean {
  return ending === "call" || ending === "indirect-call";
}
/** Where control goes when the instruction transfers it, if that is known or guessed. */
function targetOf(d: Decoded, ending: Block["ending"], { guess }: Knowledge): number | undefined {
  if (ending === "jump" || ending === "branch" || ending === "call") return d.target;
  return ending === "indirect" || ending === "indirect-call" ? guess?.(d) : undefined;
}
/** True for what leaves a function and goes on behind itself later. */
function comesBack(d: Decoded, ending: Block["ending"]): boolean {
  return isCall(ending) || d.encoding.mnemonic === "syscall";
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
  const { next, taken, others } = block;
  const found: Block[] = [];
  if (typeof next === "object") found.push(next);
  if (typeof taken === "object" && taken !== next) found.push(taken);
  for (const other of others) if (!found.includes(other)) found.push(other);
  return found;
}

function newContext(parent: Context | undefined, callee: number, returnTo: number): Context {
  return { parent, depth: parent === undefined ? 0 : parent.depth + 1, callee, returnTo, found: new Map(), leaders: new Set([callee]), calls: new Map() };
}

/** Small functions that return, and call nothing but others like them, not nested too deep. */
function mayInline(context: Context, target: number, limits: RegionLimits, look: (rip: number) => Decoded | undefined, knowledge: Knowledge): boolean {
  const callers = new Set<number>();
  for (let c: Context | undefined = context; c !== undefined; c = c.parent) callers.add(c.callee);
  return inlinedSize(target, context.depth, callers, limits, look, knowledge) <= limits.inlined;
}
/** Instructions of a function with what it calls, where it has been; Infinity when it cannot be inlined at this depth. */
function inlinedSize(
  target: number, depth: number, callers: ReadonlySet<number>, limits: RegionLimits, look: (rip: number) => Decoded | undefined, knowledge: Knowledge,
): number {
  if (depth >= limits.callDepth || callers.has(target) || knowledge.isMet?.(target) === false) return Number.POSITIVE_INFINITY;
  const seen = new Set<number>();
  const queue = [target];
  let returns = false, called = 0;
  while (queue.length > 0) {
    let rip = queue.pop() as number;
    while (!seen.has(rip)) {
      if (seen.size + called >= limits.inlined) return Number.POSITIVE_INFINITY;
      const d = look(rip);
      if (d === undefined) break;
      seen.add(rip);
      rip = d.nextRip;
      if (d.encoding.options.endsBlock !== true) continue;
      const ending = endingOf(d);
      const next = targetOf(d, ending, knowledge);
      if (ending === "return") returns = true;
      if (ending === "indirect-call" && next === undefined) return Number.POSITIVE_INFINITY;
      if (ending === "branch" && knowledge.isMet?.(d.target) !== false) queue.push(d.target);
      if (ending === "branch") continue;
      // A call that was never made, of __stack_chk_fail for one, leaves the region.
      if (next === undefined || (isCall(ending) && knowledge.isMet?.(next) === false)) break;
      if (isCall(ending)) called += inlinedSize(next, depth + 1, new Set(callers).add(target), limits, look, knowledge);
      else rip = next;
    }
  }
  return returns ? seen.size + called : Number.POSITIVE_INFINITY;
}

/** Cuts the instructions of one copy into blocks. */
function cut(context: Context): Map<number, Block> {
  const { found, leaders } = context;
  const byStart = new Map<number, Block>();
  for (const start of leaders) {
    if (!found.has(start)) continue;
    const block: Block = { index: -1, start, context, instructions: [], ending: "fall", taken: undefined, next: undefined, others: [], entry: -1 };
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
