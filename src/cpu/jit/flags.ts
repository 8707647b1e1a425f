/** Lazy flags: what the last flag-setting instruction had, instead of the flags themselves.
 *
 *  Inside a block the operands are known at compile time, so a condition becomes one comparison. At every point the same knowledge
 *  is in four locals (kind, x, y, result), so that an exit can compute the exact flags; an unused computation costs nothing, because
 *  it happens in the exit only.
 *
 *    kind 0      the six words of cpu/state.ts are in locals
 *    kind & 3    1: sum, result = x + y (+ carry)     2: difference, result = x − y (− borrow)
 *    kind & 4    CF is in its word (inc, dec, shifts)
 *    kind & 8    OF is in its word (shifts, rotates)
 *  Logic operations are differences: result − 0. */
import { type Condition, Flags, type Value } from "../builder.ts";
import { FLAG_ADJUST, FLAG_CARRY, FLAG_OVERFLOW, FLAG_PARITY, FLAG_SIGN, FLAG_ZERO } from "../state.ts";
import type { Graph, Node, Variable } from "../wasm/graph.ts";
import { I32, I64 } from "../wasm/opcodes.ts";
import type { JitBuilder } from "./jit-builder.ts";

export const KIND_WORDS = 0;
const KIND_SUM = 1;
const KIND_DIFFERENCE = 2;
const KIND_BASE = 3;
const CARRY_IN_WORD = 4;
const OVERFLOW_IN_WORD = 8;

/** What is known at a point of the text: the operands of the last setter as values. */
interface Known {
  readonly x: Value;
  readonly y: Value;
  readonly result: Value;
  /** True when x, y, result are exact for comparisons (no carry came in, full width as operated on). */
  readonly plain: boolean;
}
/** Everything known at a point of the text. */
export interface FlagState {
  readonly kind: number | undefined;
  readonly known: Known | undefined;
  readonly version: number;
}

/** Conditions on CF, ZF and PF. */
const FLOAT_CONDITIONS: ReadonlySet<Condition> = new Set<Condition>([2, 3, 4, 5, 6, 7, 10, 11]);
const WORDS = [FLAG_ZERO, FLAG_SIGN, FLAG_PARITY, FLAG_CARRY, FLAG_OVERFLOW, FLAG_ADJUST] as const;

export class JitFlags extends Flags {
  readonly #graph: Graph;
  readonly #kind: Variable;
  readonly #x: Variable;
  readonly #y: Variable;
  readonly #result: Variable;
  readonly #words = new Map<number, Variable>();
  #known: Known | undefined;
  /** Kind at this point if it is the same on every path. */
  #staticKind: number | undefined;
  /** The floats that were compared last, while nothing has changed since. */
  #floats: { readonly x: Value; readonly y: Value; readonly version: number } | undefined;
  /** Counts changes, so that it can be told whether a stretch of text made any. */
  #version = 0;
  /** Some instruction of the region changes flags, so exits must store them. */
  changed = false;

  constructor(b: JitBuilder, graph: Graph) {
    super(b);
    this.#graph = graph;
    this.#kind = graph.variable(I32);
    this.#x = graph.variable(I64);
    this.#y = graph.variable(I64);
    this.#result = graph.variable(I64);
    for (const address of WORDS) this.#words.set(address, graph.variable(I64));
  }

  // ---- at borders of the text ------------------------------------------------------------------------------------------------------

  /** At region entry: the words come from RAM. */
  loadAll(): void {
    for (const address of WORDS) this.#graph.set(this.#word(address), this.#graph.load("i64.load", this.#graph.i32(0), address));
    this.#graph.set(this.#kind, this.#graph.i32(KIND_WORDS));
  }
  /** Stores the exact words to RAM; for exits. */
  storeAll(): void {
    this.materialize();
    for (const address of WORDS) this.#graph.store("i64.store", this.#graph.i32(0), this.#graph.get(this.#word(address)), address);
  }
  /** A block begins: values of other blocks are not known here. `kind` is the kind that all predecessors leave, if they agree. */
  beginBlock(kind: number | undefined): void {
    this.#version++;
    this.#staticKind = kind;
    this.#known = kind === undefined || kind === KIND_WORDS ? undefined : this.#fromLocals();
  }
  /** Kind at the end of the text so far. */
  get kindNow(): number | undefined {
    return this.#staticKind;
  }
  snapshot(): FlagState {
    return { kind: this.#staticKind, known: this.#known, version: this.#version };
  }
  restore(state: FlagState): void {
    this.#staticKind = state.kind;
    this.#known = state.known;
    this.#version = state.version;
  }
  /** Two ways come together: the one that left `other`, and the one recorded last; both began with `before`. */
  merge(before: FlagState, other: FlagState): void {
    if (other.version === before.version && this.#version === before.version) return;
    this.beginBlock(other.kind === this.#staticKind ? other.kind : undefined);
  }

  // ---- setters -------------------------------------------------------------------------------------------------------------------------

  override add(x: Value, y: Value, sum: Value): void { this.#remember(KIND_SUM, x, y, sum, true); }
  override sub(x: Value, y: Value, difference: Value): void { this.#remember(KIND_DIFFERENCE, x, y, difference, true); }
  override addWithCarry(x: Value, y: Value, sum: Value): void { this.#remember(KIND_SUM, x, y, sum, false); }
  override subWithBorrow(x: Value, y: Value, difference: Value): void { this.#remember(KIND_DIFFERENCE, x, y, difference, false); }
  override logic(result: Value): void { this.#remember(KIND_DIFFERENCE, result, this.b.constant(result.width, 0), result, true); }
  override increment(x: Value, result: Value): void {
    this.#keepCarry();
    this.#remember(KIND_SUM | CARRY_IN_WORD, x, this.b.constant(x.width, 1), result, false);
  }
  override decrement(x: Value, result: Value): void {
    this.#keepCarry();
    this.#remember(KIND_DIFFERENCE | CARRY_IN_WORD, x, this.b.constant(x.width, 1), result, false);
  }
  /** Shifts and multiplications: CF, OF and AF = 0 follow. */
  override result(result: Value): void {
    this.#remember(KIND_DIFFERENCE | CARRY_IN_WORD | OVERFLOW_IN_WORD, result, this.b.constant(result.width, 0), result, false);
  }
  override replaceAll(): void {
    this.#setKind(KIND_WORDS);
    this.#known = undefined;
    this.changed = true;
  }
  override setCarryWord(word: Value): void { this.#setWordBeside(FLAG_CARRY, CARRY_IN_WORD, word); }
  override setOverflowWord(word: Value): void { this.#setWordBeside(FLAG_OVERFLOW, OVERFLOW_IN_WORD, word); }
  override setAdjustWord(word: Value): void {
    const k = this.#known;
    // The difference result − 0 says AF = 0 already.
    if (k !== undefined && k.x === k.result && ((this.#staticKind ?? KIND_WORDS) & KIND_BASE) === KIND_DIFFERENCE && isZeroConstant(word.node) && isZeroConstant(k.y.node)) return;
    this.setWord(FLAG_ADJUST, word);
  }
  override setWord(address: number, word: Value): void {
    const variable = this.#words.get(address);
    if (variable === undefined) {
      super.setWord(address, word);
      return;
    }
    this.materialize();
    this.changed = true;
    this.#version++;
    this.#graph.set(variable, word.node);
  }

  // ---- questions -------------------------------------------------------------------------------------------------------------------------

  override isZero(): Value {
    const k = this.#known;
    if (k === undefined) return super.isZero();
    return k.plain && this.#staticKind === KIND_DIFFERENCE && k.x !== k.result ? this.b.eq(k.x, k.y) : this.b.isZero(k.result);
  }
  override isSign(): Value {
    return this.#known === undefined ? super.isSign() : this.b.isNegative(this.#known.result);
  }
  override isCarry(): Value {
    const k = this.#known;
    if (k?.plain === true && this.#staticKind === KIND_DIFFERENCE) return this.b.ltU(k.x, k.y);
    if (k?.plain === true && this.#staticKind === KIND_SUM) return this.b.ltU(k.result, k.x);
    return super.isCarry();
  }
  override compareFloats(x: Value, y: Value): void {
    super.compareFloats(x, y);
    this.#floats = { x, y, version: this.#version };
  }
  override condition(code: Condition): Value {
    const k = this.#known;
    const floats = this.#floats;
    if (floats?.version === this.#version && FLOAT_CONDITIONS.has(code)) return this.floatCondition(code, floats.x, floats.y);
    if (k?.plain === true && this.#staticKind === KIND_DIFFERENCE) {
      const { b } = this;
      switch (code) {
        case 3: return b.leU(k.y, k.x);
        case 5: return b.not(this.isZero());
        case 6: return b.leU(k.x, k.y);
        case 7: return b.ltU(k.y, k.x);
        case 12: return b.ltS(k.x, k.y);
        case 13: return b.leS(k.y, k.x);
        case 14: return b.leS(k.x, k.y);
        case 15: return b.ltS(k.y, k.x);
      }
    }
    return super.condition(code);
  }
  override getWord(address: number): Value {
    const variable = this.#words.get(address);
    if (variable === undefined) return super.getWord(address);
    const derived = this.#derived(address);
    if (derived !== undefined) return derived;
    if (this.#staticKind === undefined || !this.#isInWord(address, this.#staticKind)) this.materialize();
    return this.#value(variable);
  }

  /** A word computed from what is known, without bringing the others up to date. */
  #derived(address: number): Value | undefined {
    const k = this.#known;
    const kind = this.#staticKind;
    if (k === undefined || kind === undefined || this.#isInWord(address, kind)) return undefined;
    return this.#derive(address, kind, k);
  }
  #derive(address: number, kind: number, k: Known): Value {
    const { b } = this;
    const x = b.word(k.x), y = b.word(k.y), r = b.word(k.result);
    const sum = (kind & KIND_BASE) === KIND_SUM;
    switch (address) {
      case FLAG_ZERO:
      case FLAG_SIGN:
      case FLAG_PARITY:
        return r;
      case FLAG_OVERFLOW:
        return sum ? b.and(b.xor(x, r), b.xor(y, r)) : b.and(b.xor(x, y), b.xor(x, r));
      case FLAG_CARRY:
        return sum ? b.or(b.and(x, y), b.and(b.or(x, y), b.not(r))) : b.or(b.and(b.not(x), y), b.and(b.not(b.xor(x, y)), r));
      default:
        return b.xor(b.xor(x, y), r);
    }
  }
  #isInWord(address: number, kind: number): boolean {
    return kind === KIND_WORDS || (address === FLAG_CARRY && (kind & CARRY_IN_WORD) !== 0) || (address === FLAG_OVERFLOW && (kind & OVERFLOW_IN_WORD) !== 0);
  }

  /** Brings the six words up to date, whatever the kind is. */
  materialize(): void {
    const graph = this.#graph;
    const kind = this.#staticKind;
    if (kind === KIND_WORDS) return;
    if (kind !== undefined) {
      const known = this.#known ?? this.#fromLocals();
      const words = WORDS.filter((address) => !this.#isInWord(address, kind)).map((address) => [address, this.#derive(address, kind, known)] as const);
      for (const [address, word] of words) graph.set(this.#word(address), word.node);
    } else {
      graph.if(graph.get(this.#kind), () => {
        const known = this.#fromLocals();
        const sum = this.#kindHas(KIND_SUM);
        const put = (address: number, kept: number | undefined, word: (kind: number) => Value): void => {
          let value = this.b.select(sum, word(KIND_SUM), word(KIND_DIFFERENCE));
          if (kept !== undefined) value = this.b.select(this.#kindHas(kept), this.#value(this.#word(address)), value);
          graph.set(this.#word(address), value.node);
        };
        for (const address of [FLAG_CARRY, FLAG_OVERFLOW]) put(address, address === FLAG_CARRY ? CARRY_IN_WORD : OVERFLOW_IN_WORD, (k) => this.#derive(address, k, known));
        graph.set(this.#word(FLAG_ADJUST), this.#derive(FLAG_ADJUST, KIND_SUM, known).node);
        for (const address of [FLAG_ZERO, FLAG_SIGN, FLAG_PARITY]) graph.set(this.#word(address), known.result.node);
      });
    }
    this.#setKind(KIND_WORDS);
    this.#known = undefined;
  }
  #kindHas(bits: number): Value {
    return this.b.ofNode(this.#graph.op("i32.and", this.#graph.get(this.#kind), this.#graph.i32(bits)), 32);
  }
  #fromLocals(): Known {
    return { x: this.#value(this.#x), y: this.#value(this.#y), result: this.#value(this.#result), plain: false };
  }
  #value(variable: Variable): Value {
    return this.b.ofNode(this.#graph.get(variable), 64);
  }
  #word(address: number): Variable {
    return this.#words.get(address) as Variable;
  }
  #setKind(kind: number): void {
    this.#version++;
    this.#staticKind = kind;
    this.#graph.set(this.#kind, this.#graph.i32(kind));
  }

  /** inc and dec keep CF: its word must be right before their kind is set. */
  #keepCarry(): void {
    if (this.#staticKind !== undefined && this.#isInWord(FLAG_CARRY, this.#staticKind)) return;
    if (this.#known === undefined) {
      this.materialize();
      return;
    }
    const word = this.#known.plain ? this.b.neg(this.b.zext(this.isCarry(), 64)) : (this.#derived(FLAG_CARRY) as Value);
    this.#graph.set(this.#word(FLAG_CARRY), word.node);
  }
  /** Sets CF or OF alone: the rest stays what the kind says. */
  #setWordBeside(address: number, bit: number, word: Value): void {
    const graph = this.#graph;
    this.changed = true;
    graph.set(this.#word(address), word.node);
    const kind = this.#staticKind;
    if (kind === KIND_WORDS) {
      this.#version++;
      return;
    }
    if (kind !== undefined) {
      const known = this.#known;
      this.#setKind(kind | bit);
      this.#known = known === undefined ? undefined : { ...known, plain: false };
      return;
    }
    this.#version++;
    const now = graph.get(this.#kind);
    graph.set(this.#kind, graph.select(now, graph.op("i32.or", now, graph.i32(bit)), graph.i32(KIND_WORDS)));
  }

  #remember(kind: number, x: Value, y: Value, result: Value, plain: boolean): void {
    const graph = this.#graph;
    const { b } = this;
    this.changed = true;
    graph.set(this.#x, b.word(x).node);
    graph.set(this.#y, b.word(y).node);
    graph.set(this.#result, b.word(result).node);
    this.#setKind(kind);
    this.#known = { x, y, result, plain };
  }
}

function isZeroConstant(node: Node): boolean {
  return node.constant === 0 || node.constant === 0n;
}
