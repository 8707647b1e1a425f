/** What is known of the floats in XMM registers, so that arithmetic need not ask (instructions/float.ts): that one is not denormal
 *  (*tame*), or how large it may be (magnitude.ts).
 *
 *  Arithmetic that meets what it cannot go on with leaves the region before it has changed anything, so behind an operation that went
 *  on in the region its operands are as it asked, whatever they were.
 *
 *  Four facts for each register: the lower and the upper binary64, the lowest binary32, and the three others. An instruction gives
 *  each fact of its destination from facts of before it. Facts of a block are what all ways into it bring, found as the strongest
 *  solution: nothing but zeros is taken to exist until some way says otherwise. What a loop asks in each of its turns is asked once where
 *  it is come into, from outside the region or from before the loop; that is how a factor that never changes and a sum that goes round
 *  the loop stay out of doubt.
 *
 *  A sum that goes round a loop would seem to double in every turn. But while a register holds what it held at the loop's head and
 *  terms added to it since, only the terms count (accumulated, magnitude.ts): facts say so in `begun` and `terms`. */
import type { Decoded } from "../decode/decoder.ts";
import { VECTOR, VECTOR_STRIDE } from "../state.ts";
import type { Block } from "./region.ts";
import type { Layout, Loop } from "./layout.ts";
import { accumulated, type Bounded, bounded, type Fact, implies, INTEGER, isMagnitude, join, leastOf, magnitude, mayAsk, modest, mostOf, type Operation, TAME, UNKNOWN, type Width, widest, ZERO } from "./magnitude.ts";

/** Facts of register n have the numbers 4n + LOW64 … 4n + REST32. */
export const LOW64 = 0, HIGH64 = 1, LOW32 = 2, REST32 = 3;
const REGISTERS = 16;
const FACTS = 4 * REGISTERS;
/** By number of the fact. */
export type Facts = Int32Array;
const NO_FACTS: Facts = new Int32Array(FACTS);

/** What one fact of a destination is: always the same; what all of these facts are; or the result of a lane of the arithmetic. */
type Cause = Fact | readonly number[] | { readonly lane: number };
interface Effect {
  /** Facts that are tame behind the instruction because it asks for them. */
  readonly asked: readonly number[];
  /** Register that changes, or −1; its four facts. */
  readonly register: number;
  readonly causes: readonly Cause[];
  readonly arithmetic?: Arithmetic;
}
interface Arithmetic {
  readonly name: Operation;
  readonly width: Width;
  /** Facts of the operands; −1 for those that are in memory. */
  readonly lanes: readonly { readonly x: number; readonly y: number }[];
  /** Both operands are the same register. */
  readonly isSame: boolean;
}

export interface Tameness {
  /** What holds where a block begins. */
  readonly facts: ReadonlyMap<Block, Facts>;
  /** What must be asked on the way in from an entry. */
  readonly entries: ReadonlyMap<Block, Facts>;
  /** There is arithmetic whose result need not be asked as long as the mode is fast. */
  readonly computes: boolean;
}

/** What is known at one point of a loop's turn. */
interface State {
  readonly facts: Facts;
  /** By fact: of which fact at the loop's head this is the number, with terms added; NEVER came here yet; NOWHERE. */
  readonly begun: Int8Array;
  readonly terms: Facts;
}
const NEVER = -2, NOWHERE = -1;
/** So often the facts of a loop's head may weaken before they are taken for as weak as they can be. */
const PATIENCE = 6;

/** @param ways what the region is entered by: blocks, and what each leads to @param asksMagnitudes arithmetic may ask for modest operands */
export function findTame({ order, loops, follows }: Layout, ways: readonly { readonly way: Block; readonly to: Block }[], asksMagnitudes: boolean): Tameness {
  const effects = new Map(order.map((block) => [block, block.instructions.map(effectOf)]));
  const all = [...effects.values()].flat();
  if (!all.some(({ asked, arithmetic }) => asked.length > 0 || arithmetic !== undefined)) return { facts: new Map(), entries: new Map(), computes: false };
  // What leads to a way in says nothing: it is asked there.
  const edges = new Map(order.map((block) => [block, [block.next, block.taken].filter((next) => typeof next === "object" && next.entry < 0 && block.ending !== "enter" && follows(block, next)) as Block[]]));
  const wanted = new Map([...loops.values()].map((loop) => [loop.head, askedEachTurn(loop, order, edges, effects, asksMagnitudes)]));
  const states = new Map(order.map((block) => [block, { facts: new Int32Array(FACTS).fill(ZERO), begun: new Int8Array(FACTS).fill(NEVER), terms: new Int32Array(FACTS).fill(ZERO) }]));
  for (const { way, to } of ways) {
    const state = states.get(way) as State;
    state.facts.set(wanted.get(to) ?? NO_FACTS);
    state.begun.fill(NOWHERE);
  }
  const heads = new Map([...loops.values()].map((loop) => [loop.head, {
    loop, isInnermost: ![...loops.keys()].some((other) => other !== loop.head && loop.body.has(other)), first: new Int32Array(FACTS).fill(ZERO), weakened: 0,
    backs: [...loop.body].filter((block) => edges.get(block)?.includes(loop.head) === true),
  }]));
  for (const { way } of ways) heads.get(way)?.first.set((states.get(way) as State).facts);
  const stale = new Set(order);
  while (stale.size > 0) {
    for (const block of order) {
      if (!stale.delete(block)) continue;
      const { facts, begun, terms } = states.get(block) as State;
      const out: State = { facts: facts.slice(), begun: begun.slice(), terms: terms.slice() };
      if (heads.has(block)) {
        for (let fact = 0; fact < FACTS; fact++) out.begun[fact] = fact;
        out.terms.fill(ZERO);
      }
      for (const effect of effects.get(block) as Effect[]) apply(effect, out, asksMagnitudes);
      for (const next of edges.get(block) as Block[]) {
        const head = heads.get(next), to = states.get(next) as State;
        if (head === undefined) {
          if (merge(to, out)) stale.add(next);
          continue;
        }
        const isBack = head.loop.body.has(block), asked = wanted.get(next) as Facts;
        const brought = new Int32Array(FACTS);
        let isFirstNew = false;
        for (let i = 0; i < FACTS; i++) {
          const fact = out.facts[i];
          // Who comes into a loop asks what the loop would ask in each turn.
          const now = isBack ? fact : atLeast(fact, asked[i]);
          const isSum = isBack && head.isInnermost && out.begun[i] === i;
          if (!isSum) {
            const first = join(head.first[i], now);
            isFirstNew ||= first !== head.first[i];
            head.first[i] = first;
          }
          brought[i] = isSum ? accumulated(head.first[i], out.terms[i], widthOf(i)) : now;
        }
        if (mergeFacts(to.facts, brought, head.weakened > PATIENCE)) {
          stale.add(next);
          head.weakened++;
        }
        // A sum is as large as what it was first, and what was added.
        if (isFirstNew) for (const back of head.backs) stale.add(back);
      }
    }
  }
  const facts = new Map([...states].map(([block, state]) => [block, state.facts]));
  return { facts, entries: new Map(ways.map(({ way }) => [way, (facts.get(way) as Facts).slice()])), computes: all.some(({ arithmetic }) => arithmetic !== undefined) };
}
function widthOf(fact: number): Width {
  return (fact & 3) < LOW32 ? 64 : 32;
}
/** A fact behind a question for another. */
function atLeast(fact: Fact, asked: Fact): Fact {
  return isMagnitude(fact) ? fact : Math.max(fact, asked);
}
/** Weakens facts to what `brought` says too. */
function mergeFacts(facts: Facts, brought: Facts, isImpatient: boolean): boolean {
  let changed = false;
  for (let i = 0; i < FACTS; i++) {
    let now = join(facts[i], brought[i]);
    if (now === facts[i]) continue;
    if (isImpatient && isMagnitude(now)) now = weakest(facts[i], now, widest(widthOf(i)));
    facts[i] = now;
    changed = true;
  }
  return changed;
}
/** What goes on growing is as large as can be. */
function weakest(before: Fact, now: Fact, widest: Fact): Fact {
  const least = leastOf(now) < leastOf(before) ? Math.min(leastOf(now), leastOf(widest)) : leastOf(now);
  return magnitude(least, mostOf(now) > mostOf(before) ? Math.max(mostOf(now), mostOf(widest)) : mostOf(now));
}
function merge(to: State, out: State): boolean {
  let changed = mergeFacts(to.facts, out.facts, false);
  for (let i = 0; i < FACTS; i++) {
    const begun = to.begun[i] === NEVER || to.begun[i] === out.begun[i] ? out.begun[i] : NOWHERE, terms = join(to.terms[i], out.terms[i]);
    if (begun === to.begun[i] && terms === to.terms[i]) continue;
    to.begun[i] = begun;
    to.terms[i] = terms;
    changed = true;
  }
  return changed;
}

/** Facts along a block's instructions, for who records them. */
export class KnownFloats {
  readonly #state: State;
  readonly #asksMagnitudes: boolean;
  #effect: Effect | undefined;
  constructor(facts: Facts, asksMagnitudes: boolean) {
    this.#state = { facts: facts.slice(), begun: new Int8Array(FACTS).fill(NOWHERE), terms: new Int32Array(FACTS).fill(ZERO) };
    this.#asksMagnitudes = asksMagnitudes;
  }
  /** On to before this instruction. */
  begin(d: Decoded): void {
    this.#step();
    this.#effect = effectOf(d);
  }
  #step(): void {
    if (this.#effect !== undefined) apply(this.#effect, this.#state, this.#asksMagnitudes);
    this.#effect = undefined;
  }
  /** Before the instruction. */
  get facts(): Facts {
    return this.#state.facts;
  }
  /** How the instruction does without asking for its result. */
  get plan(): Bounded | undefined {
    const arithmetic = this.#effect?.arithmetic;
    return arithmetic === undefined || !this.#asksMagnitudes ? undefined : planOf(arithmetic, this.#state.facts);
  }
  /** What must be asked behind the instruction so that `wanted` holds. */
  doubtful(wanted: Facts): Facts {
    this.#step();
    return wanted.map((fact, i) => (implies(this.#state.facts[i], fact) ? UNKNOWN : isMagnitude(fact) ? modest(widthOf(i)) : fact));
  }
}

function planOf({ name, width, lanes, isSame }: Arithmetic, facts: Facts): Bounded | undefined {
  const known = (fact: number): Fact => (fact < 0 ? UNKNOWN : facts[fact]);
  return bounded(name, width, lanes.map(({ x, y }) => ({ x: known(x), y: known(y) })), isSame);
}
function apply({ asked, register, causes, arithmetic }: Effect, state: State, asksMagnitudes: boolean): void {
  const { facts, begun, terms } = state;
  const plan = arithmetic === undefined || !asksMagnitudes ? undefined : planOf(arithmetic, facts);
  const sums: (Sum | undefined)[] = [];
  if (plan !== undefined) {
    arithmetic?.lanes.forEach(({ x, y }, i) => {
      const lane = plan.lanes[i];
      if (arithmetic.name === "add" || arithmetic.name === "sub") {
        sums[i] = sumOf(state, { x, y }, lane, causes.findIndex((cause) => typeof cause === "object" && "lane" in cause && cause.lane === i) + 4 * register);
      }
      if (x >= 0 && lane.x > TAME) facts[x] = lane.x;
      if (y >= 0) facts[y] = lane.y;
    });
  }
  for (const fact of asked) facts[fact] = Math.max(facts[fact], TAME);
  if (register < 0) return;
  // All of them are found before any is changed.
  for (let i = 0; i < 4; i++) {
    const cause = causes[i];
    let fact = TAME, from = NOWHERE, added = ZERO;
    if (typeof cause === "number") fact = cause;
    else if ("lane" in cause) {
      const sum = sums[cause.lane];
      fact = plan?.lanes[cause.lane].result ?? TAME;
      if (sum !== undefined) ({ begun: from, terms: added } = sum);
    } else {
      fact = ZERO;
      for (let k = 0; k < cause.length; k++) fact = join(fact, facts[cause[k]]);
      if (cause.length === 1) {
        from = begun[cause[0]];
        added = terms[cause[0]];
      }
    }
    after.facts[i] = fact;
    after.begun[i] = from;
    after.terms[i] = added;
  }
  facts.set(after.facts, 4 * register);
  begun.set(after.begun, 4 * register);
  terms.set(after.terms, 4 * register);
}
/** Of the register that {@link apply} is about to change. */
const after: State = { facts: new Int32Array(4), begun: new Int8Array(4), terms: new Int32Array(4) };
/** Where a sum was begun, and what was added to it since. */
interface Sum { readonly begun: number; readonly terms: Fact }
/** Which operand is the sum so far, and which the term. The destination's own is preferred. */
function sumOf({ begun, terms }: State, { x, y }: { readonly x: number; readonly y: number }, known: { readonly x: Fact; readonly y: Fact }, destination: number): Sum {
  const at = (fact: number): number => (fact < 0 ? NOWHERE : begun[fact]);
  if (x === y || (at(x) < 0 && at(y) < 0)) return { begun: NOWHERE, terms: ZERO };
  const isSecond = at(x) < 0 || at(y) === destination;
  const sum = isSecond ? y : x;
  return { begun: at(sum), terms: join(terms[sum], isSecond ? known.x : known.y) };
}

/** Facts of before a loop's turn that its instructions ask for on every way through it. */
function askedEachTurn(
  { head, body }: Loop, order: readonly Block[], edges: ReadonlyMap<Block, Block[]>, effects: ReadonlyMap<Block, Effect[]>, asksMagnitudes: boolean,
): Facts {
  const asked = new Map<Block, Facts>();
  for (let i = order.length - 1; i >= 0; i--) {
    const block = order[i];
    if (!body.has(block)) continue;
    const ways = (edges.get(block) as Block[]).filter((next) => body.has(next) && next.index > block.index);
    const now: Facts = new Int32Array(FACTS);
    for (let way = 0; way < ways.length; way++) {
      const behind = asked.get(ways[way]);
      for (let fact = 0; fact < FACTS; fact++) {
        const level = behind === undefined ? UNKNOWN : behind[fact];
        if (way === 0 || level < now[fact]) now[fact] = level;
      }
    }
    const list = effects.get(block) as Effect[];
    for (let k = list.length - 1; k >= 0; k--) {
      const { asked: own, register, causes, arithmetic } = list[k];
      if (register >= 0) {
        const behind = now.slice(4 * register, 4 * register + 4);
        now.fill(UNKNOWN, 4 * register, 4 * register + 4);
        causes.forEach((cause, fact) => { if (Array.isArray(cause)) for (const from of cause as number[]) now[from] = Math.max(now[from], behind[fact]); });
      }
      for (const fact of own) now[fact] = Math.max(now[fact], TAME);
      if (arithmetic === undefined || !asksMagnitudes || !mayAsk(arithmetic.name)) continue;
      for (const { x, y } of arithmetic.lanes) for (const fact of [x, y]) if (fact >= 0) now[fact] = modest(arithmetic.width);
    }
    asked.set(block, now);
  }
  return asked.get(head) as Facts;
}

// ---- instructions ---------------------------------------------------------------------------------------------------------

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

/** Instructions of regions are copies that nobody changes, unlike the one that the decoder fills. */
const vectorEffects = new WeakMap<Decoded, Effect>();
function effectOf(d: Decoded): Effect {
  const to = vectorOf(d, 0);
  if (to < 0) return NOTHING;
  let effect = vectorEffects.get(d);
  if (effect === undefined) vectorEffects.set(d, (effect = vectorEffectOf(d, to)));
  return effect;
}
function vectorEffectOf(d: Decoded, to: number): Effect {
  const name = d.encoding.mnemonic;
  const from = vectorOf(d, 1);
  const own = (fact: number): Cause => [4 * to + fact];
  const other = (fact: number): Cause => (from < 0 ? UNKNOWN : [4 * from + fact]);
  const become = (causes: readonly Cause[], asked: readonly number[] = []): Effect => ({ asked, register: to, causes });
  /** Scalar results leave the upper lanes. */
  const low = (isDouble: boolean, cause: Cause): Cause[] =>
    isDouble ? [cause, own(HIGH64), UNKNOWN, UNKNOWN] : [UNKNOWN, own(HIGH64), cause, own(REST32)];
  const lanes = (isDouble: boolean, first: Cause, second = first): Cause[] => (isDouble ? [first, second, UNKNOWN, UNKNOWN] : [UNKNOWN, UNKNOWN, first, second]);
  const ask = (...questions: [register: number, fact: number][]): number[] => questions.filter(([n]) => n >= 0).map(([n, fact]) => 4 * n + fact);
  const number = (n: number, fact: number): number => (n < 0 ? -1 : 4 * n + fact);
  /** What asks its operands, in the facts of each lane: all of them tame, or as its plan says. */
  const compute = (operation: Operation, isDouble: boolean, facts: readonly number[], causes: readonly Cause[]): Effect => {
    const isUnary = operation === "sqrt" || operation === "round" || operation === "widen" || operation === "narrow";
    const operands = facts.map((fact) => ({ x: isUnary ? -1 : number(to, fact), y: number(from, fact) }));
    const asked = operands.flatMap(({ x, y }) => [x, y]).filter((fact) => fact >= 0);
    return { ...become(causes, asked), arithmetic: { name: operation, width: isDouble ? 64 : 32, lanes: operands, isSame: !isUnary && to === from } };
  };
  let match: RegExpExecArray | null;

  if ((match = SCALAR.exec(name)) || (match = UNARY_SCALAR.exec(name))) {
    const isDouble = match[2] === "d", fact = isDouble ? LOW64 : LOW32;
    if (match[1] === "cmp") return become(low(isDouble, TAME), ask([to, fact], [from, fact]));
    return compute(match[1] as Operation, isDouble, [fact], low(isDouble, { lane: 0 }));
  }
  if ((match = COMPARISON.exec(name))) {
    const fact = match[1] === "d" ? LOW64 : LOW32;
    return { ...NOTHING, asked: ask([to, fact], [from, fact]) };
  }
  if ((match = PACKED.exec(name)) || (match = UNARY_PACKED.exec(name))) {
    const isDouble = match[2] === "d", facts = isDouble ? [LOW64, HIGH64] : [LOW32, REST32];
    if (!/^(cmp|h|addsub|dp)/.test(name)) return compute(match[1] as Operation, isDouble, facts, lanes(isDouble, { lane: 0 }, { lane: 1 }));
    // Products that are not chosen are not looked at.
    const operands = name.startsWith("dp") ? [] : [to, from];
    return become(lanes(isDouble, TAME), ask(...operands.flatMap((n): [number, number][] => facts.map((fact) => [n, fact]))));
  }
  if (WHOLE_MOVE.test(name)) {
    return become([other(LOW64), other(HIGH64), other(LOW32), other(REST32)]);
  }
  if (ZEROING.test(name) && to === from) return become([ZERO, ZERO, ZERO, ZERO]);
  switch (name) {
    case "movsd":
      return d.isMemory ? become([UNKNOWN, ZERO, UNKNOWN, UNKNOWN]) : become(low(true, other(LOW64)));
    case "movss":
      return d.isMemory ? become([UNKNOWN, ZERO, UNKNOWN, ZERO]) : become(low(false, other(LOW32)));
    case "movq":
      return become([other(LOW64), ZERO, UNKNOWN, UNKNOWN]);
    case "movd":
      return become([UNKNOWN, ZERO, UNKNOWN, d.encoding.size === 64 ? UNKNOWN : ZERO]);
    case "cvtsi2sd":
      return become(low(true, INTEGER));
    case "cvtsi2ss":
      return become(low(false, INTEGER));
    case "cvtss2sd":
      return compute("widen", false, [LOW32], low(true, { lane: 0 }));
    case "cvtsd2ss":
      return compute("narrow", true, [LOW64], low(false, { lane: 0 }));
    case "cvtdq2pd":
      return become(lanes(true, INTEGER));
    case "cvtdq2ps":
      return become(lanes(false, INTEGER));
    case "cvtps2pd":
      return become(lanes(true, TAME));
    case "cvtpd2ps":
      return become(lanes(false, TAME));
    case "movlpd":
    case "movlps":
      return become([UNKNOWN, own(HIGH64), UNKNOWN, UNKNOWN]);
    case "movhpd":
    case "movhps":
      return become([own(LOW64), UNKNOWN, own(LOW32), UNKNOWN]);
    case "movhlps":
      return become([other(HIGH64), own(HIGH64), UNKNOWN, UNKNOWN]);
    case "movlhps":
    case "unpcklpd":
      return become([own(LOW64), other(LOW64), own(LOW32), UNKNOWN]);
    case "unpckhpd":
      return become([own(HIGH64), other(HIGH64), UNKNOWN, UNKNOWN]);
    case "shufpd":
      return become([own((d.immLow & 1) === 0 ? LOW64 : HIGH64), other((d.immLow & 2) === 0 ? LOW64 : HIGH64), UNKNOWN, UNKNOWN]);
    case "movddup":
      return become(lanes(true, other(LOW64)));
    case "shufps":
      return become(shuffled(d.immLow, [to, to, from, from]));
    case "pshufd":
      return become(shuffled(d.immLow, [from, from, from, from]));
    case "unpcklps":
    case "unpckhps":
      return become(lanes(false, from < 0 ? UNKNOWN : [to, from].flatMap((n) => [4 * n + LOW32, 4 * n + REST32])));
    case "pcmpistrm":
    case "pcmpestrm":
      return { asked: [], register: 0, causes: [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN] };
  }
  return become([UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]);
}

/** Four binary32 lanes, each chosen by two bits of the immediate out of the register in its place. */
function shuffled(control: number, registers: readonly number[]): Cause[] {
  const causes = registers.map((n, i): Cause => (n < 0 ? UNKNOWN : [4 * n + (((control >> (2 * i)) & 3) === 0 ? LOW32 : REST32)]));
  const rest = causes.slice(1);
  return [UNKNOWN, UNKNOWN, causes[0], rest.includes(UNKNOWN) ? UNKNOWN : (rest as number[][]).flat()];
}
