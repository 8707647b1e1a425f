/** Lazy flags: what the last flag-setting instruction had, instead of the flags themselves.
 *
 *  While code is recorded it is known at every point where the flags come from: operands and result of the last setter, with single
 *  flags that were set beside it, or RAM. Conditions become one comparison of those operands. Nothing is kept in locals: where the
 *  region is left, or where ways come together and somebody may still ask, the operands are stored (usually three stores), and
 *  whoever needs the words of cpu/state.ts has them computed from there: the cold engine, when translated code goes on in it, or a
 *  reader in translated code that does not know the setter.
 *
 *  In RAM: LAZY_KIND says which words are not up to date, LAZY_X and LAZY_Y the operands (only their low bits count):
 *    0        nothing is lazy
 *    1 or 2   result = x + y or x − y; ZF, SF, PF, AF follow from it
 *    16       as ucomisd leaves them; the operands are binary64
 *    + 4, 8   so does CF, so does OF (else they are in their words: inc, dec, shifts)
 *    bits 8…  64 − width of the operation
 *  Logic operations are differences: result − 0. */
import { type Condition, Flags, type Value } from "../builder.ts";
import { FLAG_ADJUST, FLAG_CARRY, FLAG_OVERFLOW, FLAG_PARITY, FLAG_SIGN, FLAG_ZERO, LAZY_KIND, LAZY_X, LAZY_Y } from "../state.ts";
import type { Graph, Node, Variable } from "../wasm/graph.ts";
import { F32, I64 } from "../wasm/opcodes.ts";
import { deriveFlag, LAZY_CARRY, LAZY_FLOATS, LAZY_OVERFLOW, LAZY_SHIFT, LAZY_SUM, LAZY_DIFFERENCE, WORDS } from "../lazy-flags.ts";
import type { JitBuilder } from "./jit-builder.ts";

/** The last setter. */
interface Setter {
  readonly kind: typeof LAZY_SUM | typeof LAZY_DIFFERENCE;
  readonly x: Value;
  readonly y: Value;
  readonly result: Value;
  /** True when result = x ± y: no carry came in. */
  readonly plain: boolean;
}
/** One of two states, by a condition: an instruction whose count may be 0. */
interface Choice { readonly condition: Node; readonly then: FlagState; readonly otherwise: FlagState }
/** A single flag set beside the rest: its word, and the truth value if it was given as one. */
interface Beside { readonly word: Value | undefined; readonly truth: Value | undefined }

/** Where flags come from: a setter; RAM, lazy or not; the words in RAM; a choice. And what was set beside that. */
export interface FlagState {
  readonly base: Setter | Choice | "ram" | "words";
  readonly beside: ReadonlyMap<number, Beside>;
  /** What was compared, where that says all flags. */
  readonly floats?: { readonly x: Value; readonly y: Value };
}
const NOTHING: ReadonlyMap<number, Beside> = new Map();
export const FLAGS_IN_RAM: FlagState = { base: "ram", beside: NOTHING };
const FLAGS_IN_WORDS: FlagState = { base: "words", beside: NOTHING };

/** Conditions on CF, ZF and PF. */
const FLOAT_CONDITIONS: ReadonlySet<Condition> = new Set<Condition>([2, 3, 4, 5, 6, 7, 10, 11]);

export class JitFlags extends Flags {
  readonly #graph: Graph;
  readonly #materialize: () => number;
  #state: FlagState = FLAGS_IN_RAM;
  /** Told when what was before the present text is asked for or kept (see effects.ts). */
  onRead: (() => void) | undefined;

  /** @param materialize index of the function that brings the words up to date */
  constructor(b: JitBuilder, graph: Graph, materialize: () => number) {
    super(b);
    this.#graph = graph;
    this.#materialize = materialize;
  }

  /** What is known here; the caller may bring it back where the same holds. */
  get state(): FlagState {
    return this.#state;
  }
  set state(state: FlagState) {
    this.#state = state;
  }

  /** True when nothing of what is in RAM is asked for again. */
  get replacesAll(): boolean {
    const { base, beside } = this.#state;
    return isSetter(base) || beside.size === WORDS.length;
  }

  // ---- setters -----------------------------------------------------------------------------------------------------------------

  override add(x: Value, y: Value, sum: Value): void { this.#remember(LAZY_SUM, x, y, sum, true); }
  override sub(x: Value, y: Value, difference: Value): void { this.#remember(LAZY_DIFFERENCE, x, y, difference, true); }
  override addWithCarry(x: Value, y: Value, sum: Value): void { this.#remember(LAZY_SUM, x, y, sum, false); }
  override subWithBorrow(x: Value, y: Value, difference: Value): void { this.#remember(LAZY_DIFFERENCE, x, y, difference, false); }
  override logic(result: Value): void { this.#remember(LAZY_DIFFERENCE, result, this.b.constant(result.width, 0), result, true); }
  override increment(x: Value, result: Value): void { this.#step(LAZY_SUM, x, result); }
  override decrement(x: Value, result: Value): void { this.#step(LAZY_DIFFERENCE, x, result); }
  #step(kind: Setter["kind"], x: Value, result: Value): void {
    const carry = this.#keepCarry();
    this.#remember(kind, x, this.b.constant(x.width, 1), result, true);
    this.#set(FLAG_CARRY, carry);
  }
  /** Shifts and multiplications: CF, OF and AF = 0 follow. */
  override result(result: Value): void { this.logic(result); }
  override replaceAll(): void {
    this.#state = FLAGS_IN_WORDS;
  }
  override when(condition: Value, set: () => void): void {
    const { constant } = condition.node;
    if (constant !== undefined) {
      if (constant) set();
      return;
    }
    // Choices of choices would be stored one inside the other.
    if (isChoice(this.#state.base)) this.#settle();
    const before = this.#state;
    set();
    if (this.#state !== before) this.#state = { base: { condition: condition.node, then: this.#state, otherwise: before }, beside: NOTHING };
  }
  override carry(value: Value): void { this.#set(FLAG_CARRY, { word: undefined, truth: value }); }
  override overflow(value: Value): void { this.#set(FLAG_OVERFLOW, { word: undefined, truth: value }); }
  override zero(value: Value): void { this.#set(FLAG_ZERO, { word: undefined, truth: value }); }
  override sign(value: Value): void { this.#set(FLAG_SIGN, { word: undefined, truth: value }); }
  override parity(value: Value): void { this.#set(FLAG_PARITY, { word: undefined, truth: value }); }
  override adjust(value: Value): void { this.#set(FLAG_ADJUST, { word: undefined, truth: value }); }
  override setAdjustWord(word: Value): void {
    const { base } = this.#state;
    // The difference result − 0 says AF = 0 already.
    if (isSetter(base) && base.x === base.result && isZeroConstant(word.node)) return;
    super.setAdjustWord(word);
  }
  override setWord(address: number, word: Value): void {
    if (WORDS.includes(address)) this.#set(address, { word, truth: undefined });
    else super.setWord(address, word);
  }
  #set(address: number, beside: Beside): void {
    if (isChoice(this.#state.base)) this.#settle();
    this.#state = { base: this.#state.base, beside: new Map(this.#state.beside).set(address, beside) };
  }
  #remember(kind: Setter["kind"], x: Value, y: Value, result: Value, plain: boolean): void {
    this.#state = { base: { kind, x, y, result, plain }, beside: NOTHING };
  }
  /** inc and dec keep CF. */
  #keepCarry(): Beside {
    const { base, beside } = this.#state;
    const known = beside.get(FLAG_CARRY);
    if (known !== undefined) return known;
    if (isSetter(base) && base.plain) return { word: undefined, truth: this.isCarry() };
    if (base === "ram") {
      // In a loop of inc or dec the word is up to date from the second turn on: not worth a call.
      this.onRead?.();
      const graph = this.#graph;
      const kind = graph.load("i32.load", graph.i32(0), LAZY_KIND);
      graph.ifUnlikely(graph.op("i32.and", kind, graph.i32(LAZY_CARRY)), () => graph.callVoid(this.#materialize()));
      return { word: super.getWord(FLAG_CARRY), truth: undefined };
    }
    return { word: this.getWord(FLAG_CARRY), truth: undefined };
  }

  // ---- questions -----------------------------------------------------------------------------------------------------------------

  override isZero(): Value { return this.#truth(FLAG_ZERO) ?? this.#isZero() ?? super.isZero(); }
  override isSign(): Value {
    const setter = this.#setterOf(FLAG_SIGN);
    return this.#truth(FLAG_SIGN) ?? (setter === undefined ? super.isSign() : this.b.isNegative(setter.result));
  }
  override isCarry(): Value {
    const known = this.#truth(FLAG_CARRY);
    if (known !== undefined) return known;
    const setter = this.#setterOf(FLAG_CARRY);
    if (setter?.plain !== true) return super.isCarry();
    return setter.kind === LAZY_DIFFERENCE ? this.b.ltU(setter.x, setter.y) : this.b.ltU(setter.result, setter.x);
  }
  override isOverflow(): Value { return this.#truth(FLAG_OVERFLOW) ?? super.isOverflow(); }
  override isParity(): Value { return this.#truth(FLAG_PARITY) ?? super.isParity(); }
  override isAdjust(): Value { return this.#truth(FLAG_ADJUST) ?? super.isAdjust(); }
  override condition(code: Condition): Value {
    const { floats } = this.#state;
    if (floats !== undefined && FLOAT_CONDITIONS.has(code)) return this.floatCondition(code, floats.x, floats.y);
    const { base, beside } = this.#state;
    if (isSetter(base) && base.plain && base.kind === LAZY_DIFFERENCE) {
      const { b } = this;
      const { x, y } = base;
      const carryIsOwn = !beside.has(FLAG_CARRY), overflowIsOwn = !beside.has(FLAG_OVERFLOW);
      const zeroIsOwn = !beside.has(FLAG_ZERO) && !beside.has(FLAG_SIGN);
      if (zeroIsOwn) {
        if (code === 5) return b.not(this.isZero());
        if (carryIsOwn) {
          switch (code) {
            case 3: return b.leU(y, x);
            case 6: return b.leU(x, y);
            case 7: return b.ltU(y, x);
          }
        }
        if (overflowIsOwn) {
          switch (code) {
            case 12: return b.ltS(x, y);
            case 13: return b.leS(y, x);
            case 14: return b.leS(x, y);
            case 15: return b.ltS(y, x);
          }
        }
      }
    }
    return super.condition(code);
  }
  override compareFloats(x: Value, y: Value): void {
    super.compareFloats(x, y);
    this.#state = { ...this.#state, floats: { x, y } };
  }
  override getWord(address: number): Value {
    if (!WORDS.includes(address)) return super.getWord(address);
    if (isChoice(this.#state.base)) this.#settle();
    const { base, beside } = this.#state;
    const known = beside.get(address);
    if (known !== undefined) return this.#wordOf(address, known);
    if (isSetter(base)) return this.#derive(address, base);
    this.onRead?.();
    if (base === "ram") {
      const graph = this.#graph;
      graph.if(graph.load("i32.load", graph.i32(0), LAZY_KIND), () => graph.callVoid(this.#materialize()));
      this.#state = { base: "words", beside };
    }
    return super.getWord(address);
  }

  #truth(address: number): Value | undefined {
    return this.#state.beside.get(address)?.truth;
  }
  /** The setter that `address` follows from. */
  #setterOf(address: number): Setter | undefined {
    const { base, beside } = this.#state;
    return isSetter(base) && !beside.has(address) ? base : undefined;
  }
  #isZero(): Value | undefined {
    const setter = this.#setterOf(FLAG_ZERO);
    if (setter === undefined) return undefined;
    const compares = setter.plain && setter.kind === LAZY_DIFFERENCE && setter.x !== setter.result;
    return compares ? this.b.eq(setter.x, setter.y) : this.b.isZero(setter.result);
  }
  #wordOf(address: number, { word, truth }: Beside): Value {
    if (word !== undefined) return word;
    const { b } = this;
    const bit = truth as Value;
    switch (address) {
      case FLAG_ZERO:
      case FLAG_PARITY:
        return b.zext(b.not(bit), 64);
      case FLAG_ADJUST:
        return b.shl(b.zext(bit, 64), 4);
      default:
        return b.neg(b.zext(bit, 64));
    }
  }
  #derive(address: number, setter: Setter): Value {
    const { b } = this;
    const node = deriveFlag(this.#graph, address, setter.kind === LAZY_SUM, b.word(setter.x).node, b.word(setter.y).node, b.word(setter.result).node);
    return b.ofNode(node, 64);
  }

  // ---- into RAM --------------------------------------------------------------------------------------------------------------------

  /** Stores what is known, so that RAM says it; what is known here stays as it is, for other ways. */
  save(): void {
    this.#save(this.#state);
  }
  /** The same where the text goes on with what is in RAM. */
  #settle(): void {
    this.#save(this.#state);
    this.#state = FLAGS_IN_RAM;
  }
  #save(state: FlagState): void {
    const { base, beside, floats } = state;
    const graph = this.#graph;
    if (floats !== undefined) {
      graph.store("i32.store", graph.i32(0), graph.i32(LAZY_FLOATS | LAZY_CARRY | LAZY_OVERFLOW), LAZY_KIND);
      for (const [address, { node }] of [[LAZY_X, floats.x], [LAZY_Y, floats.y]] as const) {
        graph.store("f64.store", graph.i32(0), node.type === F32 ? graph.op("f64.promote_f32", node) : node, address);
      }
      return;
    }
    if (isChoice(base)) {
      graph.if(base.condition, () => this.#save(base.then), () => this.#save(base.otherwise));
      return;
    }
    let onlyCarryAndOverflow = true;
    for (const address of beside.keys()) onlyCarryAndOverflow &&= address === FLAG_CARRY || address === FLAG_OVERFLOW;
    if (isSetter(base)) {
      if (onlyCarryAndOverflow && base.plain) {
        const carry = beside.has(FLAG_CARRY) ? 0 : LAZY_CARRY, overflow = beside.has(FLAG_OVERFLOW) ? 0 : LAZY_OVERFLOW;
        this.#storeBeside(beside);
        graph.store("i32.store", graph.i32(0), graph.i32(base.kind | carry | overflow | ((64 - base.x.width) << LAZY_SHIFT)), LAZY_KIND);
        this.#storeOperand(LAZY_X, base.x.node);
        this.#storeOperand(LAZY_Y, base.y.node);
        return;
      }
      for (const address of WORDS) if (!beside.has(address)) this.#storeWord(address, this.#derive(address, base));
    } else if (base === "ram" && beside.size > 0 && beside.size < WORDS.length) {
      this.onRead?.();
      if (onlyCarryAndOverflow) {
        const kept = ~((beside.has(FLAG_CARRY) ? LAZY_CARRY : 0) | (beside.has(FLAG_OVERFLOW) ? LAZY_OVERFLOW : 0));
        this.#storeBeside(beside);
        const kind = graph.load("i32.load", graph.i32(0), LAZY_KIND);
        graph.store("i32.store", graph.i32(0), graph.op("i32.and", kind, graph.i32(kept)), LAZY_KIND);
        return;
      }
      graph.callVoid(this.#materialize());
    }
    this.#storeBeside(beside);
    const isComplete = base === "words" || beside.size === WORDS.length;
    if (isSetter(base) || (isComplete && beside.size > 0)) graph.store("i32.store", graph.i32(0), graph.i32(0), LAZY_KIND);
  }
  #storeBeside(beside: ReadonlyMap<number, Beside>): void {
    // Words may be computed from words: all are read before the first is stored.
    const words = [...beside].map(([address, each]) => [address, this.#wordOf(address, each)] as const);
    for (const [address, word] of words) this.#storeWord(address, word);
  }
  #storeWord(address: number, word: Value): void {
    this.#graph.store("i64.store", this.#graph.i32(0), word.node, address);
  }
  /** Bits beyond the operation's width may be anything. */
  #storeOperand(address: number, node: Node): void {
    this.#graph.store(node.type === I64 ? "i64.store" : "i32.store", this.#graph.i32(0), node, address);
  }
}

/** Flags that a loop's turn leaves to the next one: the last setter's operands, in locals instead of RAM. Who leaves before the next setter stores them;
 *  mostly nobody does, and the locals vanish. Known from a first recording, used in a second (advance.ts). */
export class TurnFlags {
  readonly #b: JitBuilder;
  readonly #graph: Graph;
  #last: Setter | undefined;
  #isSame = true;
  #x: Variable | undefined;
  #y: Variable | undefined;

  constructor(b: JitBuilder, graph: Graph) {
    this.#b = b;
    this.#graph = graph;
  }
  /** First recording: what a way round ends with. */
  see({ base, beside }: FlagState): void {
    const setter = isSetter(base) && base.plain && beside.size === 0 ? base : undefined;
    this.#isSame &&= setter !== undefined && (this.#last === undefined || isAlike(this.#last, setter));
    this.#last = setter;
  }
  /** True when all ways round end with the same kind of setter. */
  get areKnown(): boolean {
    return this.#isSame && this.#last !== undefined;
  }
  /** Second recording, where a turn begins: as RAM says in the first turn, as the last setter did in others. @param isAgain truth: not the first */
  begin(isAgain: Node): FlagState {
    const graph = this.#graph, { kind, x, y, result } = this.#last as Setter, b = this.#b;
    this.#x = graph.variable(x.node.type);
    const before = b.ofNode(graph.get(this.#x), x.width);
    if (y.node.constant === undefined) this.#y = graph.variable(y.node.type);
    const other = this.#y === undefined ? b.constant(y.width, BigInt(y.node.constant as number | bigint)) : b.ofNode(graph.get(this.#y), y.width);
    const then: Setter = { kind, x: before, y: other, plain: true, result: result === x ? before : kind === LAZY_SUM ? b.add(before, other) : b.sub(before, other) };
    return { base: { condition: isAgain, then: { base: then, beside: NOTHING }, otherwise: FLAGS_IN_RAM }, beside: NOTHING };
  }
  /** Second recording, where a turn ends. */
  keep({ base }: FlagState): void {
    const setter = base as Setter;
    if (!isSetter(base) || !isAlike(setter, this.#last as Setter)) throw new Error("a loop's recordings end with different flags");
    this.#graph.set(this.#x as Variable, setter.x.node);
    if (this.#y !== undefined) this.#graph.set(this.#y, setter.y.node);
  }
}
function isAlike(a: Setter, b: Setter): boolean {
  return a.kind === b.kind && a.x.width === b.x.width && a.x.node.type === b.x.node.type && a.y.node.type === b.y.node.type && a.y.node.constant === b.y.node.constant
    && (a.x === a.result) === (b.x === b.result);
}

function isSetter(base: FlagState["base"]): base is Setter {
  return typeof base === "object" && "kind" in base;
}
function isChoice(base: FlagState["base"]): base is Choice {
  return typeof base === "object" && "condition" in base;
}
function isZeroConstant(node: Node): boolean {
  return node.constant === 0 || node.constant === 0n;
}
