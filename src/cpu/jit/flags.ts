/** Lazy flags: what the last flag-setting instruction had, instead of the flags themselves.
 *
 *  Inside a block the operands are known at compile time, so a condition becomes one comparison. At every point the same knowledge
 *  is in four locals (kind, x, y, result), so that an exit can compute the exact flags; an unused computation costs nothing, because
 *  it happens in the exit only.
 *
 *    kind 0  the six words of cpu/state.ts are in locals
 *    kind 1  sum: result = x + y (+ carry)           kind 3  result = x + 1, CF in its word
 *    kind 2  difference: result = x − y (− borrow)   kind 4  result = x − 1, CF in its word
 *  Logic operations are differences: result − 0. */
import { type Condition, Flags, type Value } from "../builder.ts";
import { FLAG_ADJUST, FLAG_CARRY, FLAG_OVERFLOW, FLAG_PARITY, FLAG_SIGN, FLAG_ZERO } from "../state.ts";
import type { Graph, Variable } from "../wasm/graph.ts";
import { I32, I64 } from "../wasm/opcodes.ts";
import type { JitBuilder } from "./jit-builder.ts";

export const KIND_WORDS = 0;
const KIND_SUM = 1;
const KIND_DIFFERENCE = 2;
const KIND_INCREMENT = 3;
const KIND_DECREMENT = 4;

/** What is known at this point of the text: nothing, or the kind with the operands as values. */
interface Known {
  readonly kind: number;
  readonly x: Value;
  readonly y: Value;
  readonly result: Value;
  /** True when x, y, result are exact for comparisons (no carry came in). */
  readonly plain: boolean;
}

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

  /** At region entry: the words come from RAM. */
  loadAll(): void {
    for (const address of WORDS) this.#graph.set(this.#words.get(address) as Variable, this.#graph.load("i64.load", this.#graph.i32(0), address));
    this.#graph.set(this.#kind, this.#graph.i32(KIND_WORDS));
  }
  /** Stores the exact words to RAM; for exits and calls that look at registers. */
  storeAll(): void {
    this.materialize();
    for (const address of WORDS) this.#graph.store("i64.store", this.#graph.i32(0), this.#graph.get(this.#words.get(address) as Variable), address);
  }
  /** A block begins: values of other blocks are not known here. `kind` is the kind that all predecessors leave, if they agree. */
  beginBlock(kind: number | undefined): void {
    this.#staticKind = kind;
    this.#known = undefined;
    if (kind !== undefined && kind !== KIND_WORDS) {
      const { b } = this;
      this.#known = { kind, x: b.ofNode(this.#graph.get(this.#x), 64), y: b.ofNode(this.#graph.get(this.#y), 64), result: b.ofNode(this.#graph.get(this.#result), 64), plain: false };
    }
  }
  /** Kind at the end of the text so far. */
  get kindNow(): number | undefined {
    return this.#staticKind;
  }
  /** Inside a conditional part of an instruction nothing may be assumed afterwards. */
  forget(): void {
    this.#known = undefined;
    this.#staticKind = undefined;
  }

  override add(x: Value, y: Value, sum: Value): void { this.#remember(KIND_SUM, x, y, sum, true); }
  override sub(x: Value, y: Value, difference: Value): void { this.#remember(KIND_DIFFERENCE, x, y, difference, true); }
  override addWithCarry(x: Value, y: Value, sum: Value): void { this.#remember(KIND_SUM, x, y, sum, false); }
  override subWithBorrow(x: Value, y: Value, difference: Value): void { this.#remember(KIND_DIFFERENCE, x, y, difference, false); }
  override logic(result: Value): void { this.#remember(KIND_DIFFERENCE, result, this.b.constant(result.width, 0), result, true); }
  override increment(x: Value, result: Value): void {
    this.#keepCarry();
    this.#remember(KIND_INCREMENT, x, this.b.constant(x.width, 1), result, true);
  }
  override decrement(x: Value, result: Value): void {
    this.#keepCarry();
    this.#remember(KIND_DECREMENT, x, this.b.constant(x.width, 1), result, true);
  }

  override isZero(): Value {
    const k = this.#known;
    if (k === undefined) return super.isZero();
    return k.plain && k.kind === KIND_DIFFERENCE && k.x !== k.result ? this.b.eq(k.x, k.y) : this.b.isZero(k.result);
  }
  override isSign(): Value {
    return this.#known === undefined ? super.isSign() : this.b.isNegative(this.#known.result);
  }
  override isCarry(): Value {
    const k = this.#known;
    if (k?.plain === true && k.kind === KIND_DIFFERENCE) return this.b.ltU(k.x, k.y);
    if (k?.plain === true && k.kind === KIND_SUM) return this.b.ltU(k.result, k.x);
    return super.isCarry();
  }
  override condition(code: Condition): Value {
    const k = this.#known;
    if (k?.plain === true && k.kind === KIND_DIFFERENCE) {
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
    this.materialize();
    return this.b.ofNode(this.#graph.get(variable), 64);
  }
  override setWord(address: number, word: Value): void {
    const variable = this.#words.get(address);
    if (variable === undefined) {
      super.setWord(address, word);
      return;
    }
    this.changed = true;
    this.materialize();
    this.#graph.set(variable, word.node);
  }

  /** A word computed from what is known, without bringing the others up to date. */
  #derived(address: number): Value | undefined {
    const k = this.#known;
    if (k === undefined) return undefined;
    const { b } = this;
    const x = b.word(k.x), y = b.word(k.y), r = b.word(k.result);
    const sum = k.kind === KIND_SUM || k.kind === KIND_INCREMENT;
    switch (address) {
      case FLAG_ZERO:
      case FLAG_SIGN:
      case FLAG_PARITY:
        return r;
      case FLAG_OVERFLOW:
        return sum ? b.and(b.xor(x, r), b.xor(y, r)) : b.and(b.xor(x, y), b.xor(x, r));
      case FLAG_CARRY:
        if (k.kind === KIND_INCREMENT || k.kind === KIND_DECREMENT) return b.ofNode(this.#graph.get(this.#words.get(FLAG_CARRY) as Variable), 64);
        return sum ? b.or(b.and(x, y), b.and(b.or(x, y), b.not(r))) : b.or(b.and(b.not(x), y), b.and(b.not(b.xor(x, y)), r));
      default:
        return b.xor(b.xor(x, y), r);
    }
  }

  /** Brings the six words up to date, whatever the kind is. */
  materialize(): void {
    const graph = this.#graph;
    const { b } = this;
    if (this.#staticKind === KIND_WORDS) return;
    const compute = (): void => {
      const value = (v: Variable): Value => b.ofNode(graph.get(v), 64);
      const x = value(this.#x), y = value(this.#y), r = value(this.#result), kind = b.ofNode(graph.get(this.#kind), 32);
      const sum = b.truth(graph.op("i32.and", kind.node, graph.i32(1)));
      const put = (address: number, word: Value): void => graph.set(this.#words.get(address) as Variable, word.node);
      put(FLAG_ZERO, r);
      put(FLAG_SIGN, r);
      put(FLAG_PARITY, r);
      put(FLAG_ADJUST, b.xor(b.xor(x, y), r));
      put(FLAG_OVERFLOW, b.select(sum, b.and(b.xor(x, r), b.xor(y, r)), b.and(b.xor(x, y), b.xor(x, r))));
      graph.if(b.ltU(kind, b.constant(32, KIND_INCREMENT)).node, () => {
        put(FLAG_CARRY, b.select(sum, b.or(b.and(x, y), b.and(b.or(x, y), b.not(r))), b.or(b.and(b.not(x), y), b.and(b.not(b.xor(x, y)), r))));
      });
      graph.set(this.#kind, graph.i32(KIND_WORDS));
    };
    if (this.#staticKind === undefined) graph.if(graph.get(this.#kind), compute);
    else compute();
    this.#staticKind = KIND_WORDS;
    this.#known = undefined;
  }

  /** inc and dec keep CF: its word must be right before their kind is set. */
  #keepCarry(): void {
    if (this.#staticKind === KIND_WORDS || this.#staticKind === KIND_INCREMENT || this.#staticKind === KIND_DECREMENT) return;
    if (this.#known !== undefined) {
      this.#graph.set(this.#words.get(FLAG_CARRY) as Variable, this.#carryWord().node);
      return;
    }
    this.materialize();
  }
  #carryWord(): Value {
    const k = this.#known as Known;
    if (k.plain) return this.b.neg(this.b.zext(this.isCarry(), 64));
    return this.#derived(FLAG_CARRY) as Value;
  }

  #remember(kind: number, x: Value, y: Value, result: Value, plain: boolean): void {
    const graph = this.#graph;
    const { b } = this;
    this.changed = true;
    graph.set(this.#kind, graph.i32(kind));
    graph.set(this.#x, b.word(x).node);
    graph.set(this.#y, b.word(y).node);
    graph.set(this.#result, b.word(result).node);
    this.#known = { kind, x, y, result, plain };
    this.#staticKind = kind;
  }
}
