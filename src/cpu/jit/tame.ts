/** Which floats in XMM registers are known not to be denormal (*tame*), so that arithmetic need not ask (instructions/float.ts).
 *
 *  Arithmetic that meets a denormal operand or result leaves the region before it has changed anything (JitBuilder.floatGuard), so
 *  behind an operation that went on in the region its operands and its result are tame, whatever they were.
 *
 *  Four facts for each register: the lower and the upper binary64, the lowest binary32, and the three others. An instruction gives
 *  each fact of its destination as the conjunction of facts from before it. Facts of a block are those that all ways into it bring,
 *  found as the largest solution: everything is taken for tame until some way says otherwise. What a loop asks in each of its turns is
 *  asked once where it is come into, from outside the region or from before the loop; that is how a factor that never changes and a sum
 *  that goes round the loop stay out of doubt. */
import type { Decoded } from "../decode/decoder.ts";
import { VECTOR, VECTOR_STRIDE } from "../state.ts";
import type { Layout, Loop } from "./layout.ts";
import type { Block } from "./region.ts";

/** Facts of register n have the numbers 4n + LOW64 … 4n + REST32. */
export const LOW64 = 0, HIGH64 = 1, LOW32 = 2, REST32 = 3;
const REGISTERS = 16;
const FACTS = 4 * REGISTERS;
const NO_FACTS = new Uint8Array(FACTS);
/** By number of the fact: 1 when it holds. */
export type Facts = Uint8Array;

/** What one fact of a destination follows from; undefined when it does not hold. */
type Cause = readonly number[] | undefined;
interface Effect {
  /** Facts that hold behind the instruction because it asks for them. */
  readonly asked: readonly number[];
  /** Register that changes, or −1; its four facts. */
  readonly register: number;
  readonly causes: readonly Cause[];
}

export interface Tameness {
  /** What holds where a block begins. */
  readonly facts: ReadonlyMap<Block, Facts>;
  /** What must be asked on the way in from an entry. */
  readonly entries: ReadonlyMap<Block, Facts>;
}

/** @param ways what the region is entered by: blocks, and what each leads to */
export function findTame({ order, loops, follows }: Layout, ways: readonly { readonly way: Block; readonly to: Block }[]): Tameness {
  const effects = new Map(order.map((block) => [block, block.instructions.map(effectOf)]));
  if (![...effects.values()].some((list) => list.some(({ asked }) => asked.length > 0))) return { facts: new Map(), entries: new Map() };
  // What leads to a way in says nothing: it is asked there.
  const edges = new Map(order.map((block) => [block, [block.next, block.taken].filter((next) => typeof next === "object" && next.entry < 0 && block.ending !== "enter" && follows(block, next)) as Block[]]));
  const wanted = new Map([...loops.values()].map((loop) => [loop.head, askedEachTurn(loop, order, edges, effects)]));
  const facts = new Map(order.map((block) => [block, new Uint8Array(FACTS).fill(1)]));
  for (const { way, to } of ways) (facts.get(way) as Facts).set(wanted.get(to) ?? NO_FACTS);
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order) {
      const out = (facts.get(block) as Facts).slice();
      for (const effect of effects.get(block) as Effect[]) apply(effect, out);
      for (const next of edges.get(block) as Block[]) {
        // Who comes into a loop asks what the loop would ask in each turn.
        const asks = loops.get(next)?.body.has(block) === false ? wanted.get(next) : undefined;
        if (meet(facts.get(next) as Facts, asks === undefined ? out : out.map((holds, fact) => holds | asks[fact]))) changed = true;
      }
    }
  }
  return { facts, entries: new Map(ways.map(({ way }) => [way, (facts.get(way) as Facts).slice()])) };
}
/** What holds behind an instruction. */
export function stepTame(facts: Facts, d: Decoded): void {
  apply(effectOf(d), facts);
}

function apply({ asked, register, causes }: Effect, facts: Facts): void {
  for (const fact of asked) facts[fact] = 1;
  if (register < 0) return;
  const after = causes.map((cause) => (cause?.every((fact) => facts[fact] === 1) === true ? 1 : 0));
  facts.set(after, 4 * register);
}
/** Takes from `facts` what `out` does not have. */
function meet(facts: Facts, out: Facts): boolean {
  let changed = false;
  for (let i = 0; i < FACTS; i++) {
    if (facts[i] > out[i]) {
      facts[i] = 0;
      changed = true;
    }
  }
  return changed;
}

/** Facts of before a loop's turn that its instructions ask for on every way through it. */
function askedEachTurn({ head, body }: Loop, order: readonly Block[], edges: ReadonlyMap<Block, Block[]>, effects: ReadonlyMap<Block, Effect[]>): Facts {
  const asked = new Map<Block, Facts>();
  for (let i = order.length - 1; i >= 0; i--) {
    const block = order[i];
    if (!body.has(block)) continue;
    const ways = (edges.get(block) as Block[]).filter((next) => body.has(next) && next.index > block.index);
    const now = new Uint8Array(FACTS);
    if (ways.length > 0) now.forEach((_, fact) => { now[fact] = ways.every((next) => asked.get(next)?.[fact] === 1) ? 1 : 0; });
    const list = effects.get(block) as Effect[];
    for (let k = list.length - 1; k >= 0; k--) {
      const { asked: own, register, causes } = list[k];
      if (register >= 0) {
        const behind = now.slice(4 * register, 4 * register + 4);
        now.fill(0, 4 * register, 4 * register + 4);
        causes.forEach((cause, fact) => { if (behind[fact] === 1) for (const from of cause ?? []) now[from] = 1; });
      }
      for (const fact of own) now[fact] = 1;
    }
    asked.set(block, now);
  }
  return asked.get(head) as Facts;
}

// ---- instructions ---------------------------------------------------------------------------------------------------------

const NONE: Cause = undefined;
const HOLDS: Cause = [];
const NOTHING: Effect = { asked: [], register: -1, causes: [] };

/** Number of the XMM register that operand `position` is, or −1. */
function vectorOf(d: Decoded, position: number): number {
  const spec = d.encoding.operands[position];
  if (spec === undefined || spec.class !== "xmm" || (d.isMemory && spec.allowsMemory)) return -1;
  return (d.registers[position] - VECTOR) / VECTOR_STRIDE;
}

const SCALAR = /^(add|sub|mul|div|min|max|cmp)s([sd])$/;
const UNARY_SCALAR = /^(sqrt|round)s([sd])$/;
const PACKED = /^(add|sub|mul|div|min|max|cmp|hadd|hsub|addsub|dp)p([sd])$/;
const UNARY_PACKED = /^(sqrt|round)p([sd])$/;
const COMPARISON = /^u?comis([sd])$/;
const WHOLE_MOVE = /^mov([au]p[sd]|dq[au])$/;
const ZEROING = /^(xorp[sd]|pxor)$/;

function effectOf(d: Decoded): Effect {
  const name = d.encoding.mnemonic;
  const to = vectorOf(d, 0), from = vectorOf(d, 1);
  const own = (fact: number): Cause => [4 * to + fact];
  const other = (fact: number): Cause => (from < 0 ? NONE : [4 * from + fact]);
  const become = (causes: readonly Cause[], asked: readonly number[] = []): Effect => ({ asked, register: to, causes });
  /** Scalar results leave the upper lanes. */
  const low = (isDouble: boolean, cause: Cause = HOLDS): Cause[] =>
    isDouble ? [cause, own(HIGH64), NONE, NONE] : [NONE, own(HIGH64), cause, own(REST32)];
  const lanes = (isDouble: boolean, cause: Cause = HOLDS): Cause[] => (isDouble ? [cause, cause, NONE, NONE] : [NONE, NONE, cause, cause]);
  const ask = (...questions: [register: number, fact: number][]): number[] => questions.filter(([n]) => n >= 0).map(([n, fact]) => 4 * n + fact);
  let match: RegExpExecArray | null;

  if ((match = SCALAR.exec(name))) {
    const fact = match[2] === "d" ? LOW64 : LOW32;
    return become(low(match[2] === "d"), ask([to, fact], [from, fact]));
  }
  if ((match = UNARY_SCALAR.exec(name))) return become(low(match[2] === "d"), ask([from, match[2] === "d" ? LOW64 : LOW32]));
  if ((match = COMPARISON.exec(name))) {
    const fact = match[1] === "d" ? LOW64 : LOW32;
    return { ...NOTHING, asked: ask([to, fact], [from, fact]) };
  }
  if ((match = PACKED.exec(name)) || (match = UNARY_PACKED.exec(name))) {
    const isDouble = match[2] === "d", [first, second] = isDouble ? [LOW64, HIGH64] : [LOW32, REST32];
    // Products that are not chosen are not looked at.
    const operands = UNARY_PACKED.test(name) ? [from] : name.startsWith("dp") ? [] : [to, from];
    return become(lanes(isDouble), ask(...operands.flatMap((n): [number, number][] => [[n, first], [n, second]])));
  }
  if (WHOLE_MOVE.test(name)) {
    return to < 0 ? NOTHING : become([other(LOW64), other(HIGH64), other(LOW32), other(REST32)]);
  }
  if (ZEROING.test(name) && to === from && to >= 0) return become([HOLDS, HOLDS, HOLDS, HOLDS]);
  switch (name) {
    case "movsd":
      if (to < 0) return NOTHING;
      return d.isMemory ? become([NONE, HOLDS, NONE, NONE]) : become(low(true, other(LOW64)));
    case "movss":
      if (to < 0) return NOTHING;
      return d.isMemory ? become([NONE, HOLDS, NONE, HOLDS]) : become(low(false, other(LOW32)));
    case "movq":
      return to < 0 ? NOTHING : become([other(LOW64), HOLDS, NONE, NONE]);
    case "movd":
      return to < 0 ? NOTHING : become([NONE, HOLDS, NONE, d.encoding.size === 64 ? NONE : HOLDS]);
    case "cvtsi2sd":
      return become(low(true));
    case "cvtsi2ss":
      return become(low(false));
    case "cvtss2sd":
      return become(low(true), ask([from, LOW32]));
    case "cvtsd2ss":
      return become(low(false), ask([from, LOW64]));
    case "cvtdq2pd":
    case "cvtps2pd":
      return become(lanes(true));
    case "cvtdq2ps":
    case "cvtpd2ps":
      return become(lanes(false));
    case "movlpd":
    case "movlps":
      return to < 0 ? NOTHING : become([NONE, own(HIGH64), NONE, NONE]);
    case "movhpd":
    case "movhps":
      return to < 0 ? NOTHING : become([own(LOW64), NONE, own(LOW32), NONE]);
    case "movhlps":
      return become([other(HIGH64), own(HIGH64), NONE, NONE]);
    case "movlhps":
    case "unpcklpd":
      return become([own(LOW64), other(LOW64), own(LOW32), NONE]);
    case "unpckhpd":
      return become([own(HIGH64), other(HIGH64), NONE, NONE]);
    case "shufpd":
      return become([own((d.immLow & 1) === 0 ? LOW64 : HIGH64), other((d.immLow & 2) === 0 ? LOW64 : HIGH64), NONE, NONE]);
    case "movddup":
      return become(lanes(true, other(LOW64)));
    case "shufps":
      return become(shuffled(d.immLow, [to, to, from, from]));
    case "pshufd":
      return become(shuffled(d.immLow, [from, from, from, from]));
    case "unpcklps":
    case "unpckhps":
      return become(lanes(false, from < 0 ? NONE : [to, from].flatMap((n) => [4 * n + LOW32, 4 * n + REST32])));
    case "pcmpistrm":
    case "pcmpestrm":
      return { asked: [], register: 0, causes: [NONE, NONE, NONE, NONE] };
  }
  return to < 0 ? NOTHING : become([NONE, NONE, NONE, NONE]);
}

/** Four binary32 lanes, each chosen by two bits of the immediate out of the register in its place. */
function shuffled(control: number, registers: readonly number[]): Cause[] {
  const causes = registers.map((n, i): Cause => (n < 0 ? NONE : [4 * n + (((control >> (2 * i)) & 3) === 0 ? LOW32 : REST32)]));
  const rest = causes.slice(1);
  return [NONE, NONE, causes[0], rest.includes(NONE) ? NONE : rest.flatMap((cause) => cause ?? [])];
}
