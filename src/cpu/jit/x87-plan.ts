/** Whether a region can keep the x87 stack in locals: when the depth of the stack is known at every place, relative to the region's entry,
 *  and every x87 instruction is one that x87-stack.ts knows.
 *
 *  Slots are counted from the entry's top: slot k is the physical register (TOP + k) & 7 of then. What the entry's tags must be follows
 *  from what is done first with each slot: whoever reads it needs it valid, whoever pushes on it needs it empty. */
import type { Decoded } from "../decode/decoder.ts";
import type { Block } from "./region.ts";

export const UNKNOWN = 0, VALID = 1, EMPTY = 2;

/** What is known of the stack at a place. */
export interface StackState {
  /** Slot of ST(0). */
  readonly top: number;
  /** By slot: VALID, EMPTY, or UNKNOWN where it is as it was at the entry. */
  readonly tags: readonly number[];
}
/** Nothing is known. */
export const UNPLANNED: StackState = { top: 0, tags: new Array(8).fill(UNKNOWN) };
export interface StackPlan {
  readonly entry: StackState;
  readonly states: ReadonlyMap<Block, StackState>;
}

/** What an instruction does with the stack, in this order. */
interface Effect {
  readonly reads: readonly number[];
  readonly pushes: boolean;
  readonly writes: readonly number[];
  readonly pops: boolean;
}
const BINARY = /^f(add|mul|subr?|divr?)(p?)$/;
const OF_INTEGER = /^fi(add|mul|subr?|divr?)$/;
const COMPARISON = /^fu?comi(p?)$/;
/** x87 and MMX by their names; what else begins with an f has nothing to do with them, or is taken to have. */
const OTHER = /^(f|emms)/;

/** undefined: not to be had in locals; "none": no x87 instruction. */
function effectOf(d: Decoded): Effect | "none" | undefined {
  const { mnemonic, operands } = d.encoding;
  if (operands.some((o) => o.class === "mmx")) return undefined;
  if (!OTHER.test(mnemonic)) return "none";
  const position = operands.findIndex((o) => o.class === "st"), st = position < 0 ? 0 : d.registers[position];
  const effect = (reads: number[], more: Partial<Effect> = {}): Effect => ({ reads, pushes: false, writes: [], pops: false, ...more });
  let match: RegExpExecArray | null;
  if ((match = BINARY.exec(mnemonic))) return effect(position < 0 ? [0] : [0, st], { pops: match[2] === "p" });
  if (OF_INTEGER.test(mnemonic)) return effect([0]);
  if ((match = COMPARISON.exec(mnemonic))) return effect([0, st], { pops: match[1] === "p" });
  switch (mnemonic) {
    case "fld":
      return effect(position < 0 ? [] : [st], { pushes: true });
    case "fild":
    case "fld1":
    case "fldz":
      return effect([], { pushes: true });
    case "fst":
    case "fstp":
      return effect([0], { writes: position < 0 ? [] : [st], pops: mnemonic === "fstp" });
    case "fxch":
      return effect([0, st]);
    case "fchs":
    case "fabs":
      return effect([0]);
    default:
      return undefined;
  }
}

/** The stack behind an instruction; for use where a plan has been made. */
export function stackBehind(state: StackState, d: Decoded): StackState {
  return step(state, d) as StackState;
}

/** What the entry must be instead: the tag of a slot; or undefined: there is no plan. */
interface Demand { readonly slot: number; readonly tag: number }

function step({ top, tags }: StackState, d: Decoded): StackState | Demand | undefined {
  const effect = effectOf(d);
  if (effect === undefined) return undefined;
  if (effect === "none") return { top, tags };
  const after = [...tags];
  const slotOf = (i: number): number => (top + i) & 7;
  for (const i of effect.reads) {
    const slot = slotOf(i);
    if (tags[slot] !== VALID) return tags[slot] === UNKNOWN ? { slot, tag: VALID } : undefined;
  }
  if (effect.pushes) {
    const slot = slotOf(-1);
    if (tags[slot] !== EMPTY) return tags[slot] === UNKNOWN ? { slot, tag: EMPTY } : undefined;
    after[slot] = VALID;
    return { top: slot, tags: after };
  }
  for (const i of effect.writes) after[slotOf(i)] = VALID;
  if (!effect.pops) return { top, tags: after };
  after[top] = EMPTY;
  return { top: slotOf(1), tags: after };
}

/** @param edges where control goes inside the region */
export function planStack(order: readonly Block[], edges: (block: Block) => readonly Block[]): StackPlan | undefined {
  const effects = order.flatMap((block) => block.instructions.map(effectOf));
  if (effects.includes(undefined) || effects.every((effect) => effect === "none")) return undefined;
  const demanded = [...UNPLANNED.tags];
  // Each turn but the last demands the tag of one more slot.
  for (let turn = 0; turn <= 8; turn++) {
    const found = follow(order, edges, { top: 0, tags: [...demanded] });
    if (found === undefined) return undefined;
    if (!("slot" in found)) return found;
    demanded[found.slot] = found.tag;
  }
  return undefined;
}

function follow(order: readonly Block[], edges: (block: Block) => readonly Block[], entry: StackState): StackPlan | Demand | undefined {
  const states = new Map<Block, StackState>([[order[0], entry]]);
  const queue = [order[0]];
  for (let block = queue.pop(); block !== undefined; block = queue.pop()) {
    let state = states.get(block) as StackState;
    for (const d of block.instructions) {
      const next = step(state, d);
      if (next === undefined || "slot" in next) return next;
      state = next;
    }
    for (const target of edges(block)) {
      const known = states.get(target);
      if (known === undefined) {
        states.set(target, state);
        queue.push(target);
        continue;
      }
      if (known.top !== state.top) return undefined;
      for (let slot = 0; slot < 8; slot++) {
        const x = known.tags[slot], y = state.tags[slot];
        if (x !== y) return x !== UNKNOWN && y !== UNKNOWN ? undefined : { slot, tag: x + y };
      }
    }
  }
  return { entry, states };
}
