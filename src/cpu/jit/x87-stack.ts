/** The x87 stack of a region for which there is a plan (x87-plan.ts): each slot is two locals, significand and sign with exponent, so moves
 *  cost nothing and arithmetic is a call on values. What the control word, the tags and a pending exception must be is asked once, at the
 *  entry. Operations do what is usual; for anything else the region is left before the instruction.
 *
 *  Here stand the meanings of the helpers that the plan's instructions call (helpers.ts, x87…), by their names. */
import type { Builder, Value } from "../builder.ts";
import { FP_NOTICE, NOTICE_STACK, SCRATCH_A, SCRATCH_D, X87_CONTROL, X87_INSTRUCTION, X87_OPERAND, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID } from "../state.ts";
import type { Graph, Node, Variable } from "../wasm/graph.ts";
import { I32, I64 } from "../wasm/opcodes.ts";
import { inlineProduct, inlineQuotient, inlineSum, magnitudeOf, storedSignExponent, type Wide, wideOf, zeroOf } from "./x87-inline.ts";
import { type StackPlan, type StackState, UNKNOWN, VALID } from "./x87-plan.ts";

const SIGN = 0x8000, BIAS = 16383;
const TOP_BIT = 1n << 63n;
/** Bits of the status word: the result was rounded up; C1 as a number of the bit; a result was inexact. */
const CONDITION_ONE = 0x200, CONDITION_ONE_SHIFT = 9, PRECISION = 0x20;
const PENDING = 0x80;
/** Masks, precision and rounding of the control word: everything masked, 64 bits, to nearest. */
const CONTROL_BITS = 0x0f3f, PLAIN_CONTROL = 0x033f;
/** Operations by the /digit of D8; the odd ones of subtraction and division are reversed. */
const ADD = 0, MULTIPLY = 1, DIVIDE = 6;

interface Slot { readonly m: Variable; readonly se: Variable }

export class X87Stack {
  readonly #b: Builder;
  readonly #graph: Graph;
  readonly #entry: StackState;
  /** Leaves the region before this instruction, for the cold engine to do it. */
  readonly #leave: () => void;
  readonly #slots: (Slot | undefined)[] = new Array(8);
  readonly #written = new Set<number>();
  /** TOP and, turned by it, the tags of the entry. */
  readonly #top: Variable;
  readonly #valid: Variable;
  /** What an exit finds: slot of the top, valid slots, known slots, eight bits each. */
  readonly #found: Variable;
  /** Of the status word: C1, and not zero where PE is to be set. The rest stays in RAM. */
  readonly #conditionOne: Variable;
  readonly #lost: Variable;
  /** Where the last instruction was, and its operand. */
  readonly #instruction: Variable;
  readonly #operand: Variable;
  #state: StackState;
  /** Ten bytes on their way between memory and the stack. */
  #passing: Wide | undefined;

  constructor(b: Builder, graph: Graph, plan: StackPlan, leave: () => void) {
    this.#b = b;
    this.#graph = graph;
    this.#entry = this.#state = plan.entry;
    this.#leave = leave;
    this.#top = graph.variable(I32);
    this.#valid = graph.variable(I32);
    this.#found = graph.variable(I32);
    this.#conditionOne = graph.variable(I32);
    this.#lost = graph.variable(I64);
    this.#instruction = graph.variable(I64);
    this.#operand = graph.variable(I64);
  }
  /** What holds where the text is. */
  set state(state: StackState) {
    this.#state = state;
  }

  // ---- frame of the function ---------------------------------------------------------------------------------------------------

  prologue(): void {
    const graph = this.#graph, zero = graph.i32(0);
    graph.set(this.#top, graph.load("i32.load16_u", zero, X87_TOP));
    const valid = graph.load("i32.load16_u", zero, X87_VALID);
    const twice = graph.op("i32.or", valid, graph.op("i32.shl", valid, graph.i32(8)));
    graph.set(this.#valid, graph.op("i32.and", graph.op("i32.shr_u", twice, graph.get(this.#top)), graph.i32(0xff)));
    this.#loadConditionOne();
    graph.set(this.#lost, graph.i64(0));
    graph.set(this.#instruction, graph.load("i64.load", zero, X87_INSTRUCTION));
    graph.set(this.#operand, graph.load("i64.load", zero, X87_OPERAND));
    this.#slots.forEach((slot, n) => {
      if (slot === undefined) return;
      this.#setSlot(slot, this.#load(this.#address(n), X87_REGISTERS));
    });
  }
  /** Truth: the region must not be entered like that. */
  mustLeave(): Node {
    const graph = this.#graph, zero = graph.i32(0), { tags } = this.#entry;
    const differs = (x: Node, mask: number, value: number): Node => graph.op("i32.ne", graph.op("i32.and", x, graph.i32(mask)), graph.i32(value));
    const pending = graph.op("i32.and", graph.load("i32.load8_u", zero, X87_STATUS), graph.i32(PENDING));
    const modes = graph.op("i32.or", pending, differs(graph.load("i32.load16_u", zero, X87_CONTROL), CONTROL_BITS, PLAIN_CONTROL));
    return graph.op("i32.or", modes, differs(graph.get(this.#valid), bits(tags, (tag) => tag !== UNKNOWN), bits(tags, (tag) => tag === VALID)));
  }
  /** On every way out. */
  noteExit(): void {
    const { top, tags } = this.#state;
    this.#graph.set(this.#found, this.#graph.i32(top | (bits(tags, (tag) => tag === VALID) << 8) | (bits(tags, (tag) => tag !== UNKNOWN) << 16)));
  }
  /** In the region's exits. */
  store(): void {
    const graph = this.#graph, zero = graph.i32(0), found = graph.get(this.#found), top = graph.get(this.#top);
    for (const n of this.#written) {
      const slot = this.#slots[n] as Slot;
      graph.store("i64.store", this.#address(n), graph.get(slot.m), X87_REGISTERS);
      graph.store("i32.store16", this.#address(n), graph.get(slot.se), X87_REGISTERS + 8);
    }
    graph.store("i64.store", zero, graph.get(this.#instruction), X87_INSTRUCTION);
    graph.store("i64.store", zero, graph.get(this.#operand), X87_OPERAND);
    const status = graph.op("i32.and", graph.load("i32.load16_u", zero, X87_STATUS), graph.i32(~CONDITION_ONE));
    const inexact = graph.select(graph.op("i64.eqz", graph.get(this.#lost)), zero, graph.i32(PRECISION));
    const conditionOne = graph.op("i32.shl", graph.get(this.#conditionOne), graph.i32(CONDITION_ONE_SHIFT));
    graph.store("i32.store16", zero, graph.op("i32.or", graph.op("i32.or", status, inexact), conditionOne), X87_STATUS);
    const known = graph.op("i32.shr_u", found, graph.i32(16)), valid = graph.op("i32.and", graph.op("i32.shr_u", found, graph.i32(8)), graph.i32(0xff));
    const kept = graph.op("i32.and", graph.get(this.#valid), graph.op("i32.xor", known, graph.i32(0xff)));
    const turned = graph.op("i32.shl", graph.op("i32.or", kept, valid), top);
    const back = graph.op("i32.and", graph.op("i32.or", turned, graph.op("i32.shr_u", turned, graph.i32(8))), graph.i32(0xff));
    graph.store("i32.store16", zero, back, X87_VALID);
    graph.store("i32.store16", zero, graph.op("i32.and", graph.op("i32.add", top, found), graph.i32(7)), X87_TOP);
  }
  #address(n: number): Node {
    const graph = this.#graph;
    return graph.op("i32.shl", graph.op("i32.and", graph.op("i32.add", graph.get(this.#top), graph.i32(n)), graph.i32(7)), graph.i32(4));
  }

  // ---- registers -----------------------------------------------------------------------------------------------------------------

  #slot(n: number): Slot {
    return (this.#slots[n] ??= { m: this.#graph.variable(I64), se: this.#graph.variable(I32) });
  }
  #get(i: number): Wide {
    const slot = this.#slot((this.#state.top + i) & 7);
    return { m: this.#b.ofNode(this.#graph.get(slot.m), 64), se: this.#b.ofNode(this.#graph.get(slot.se), 32) };
  }
  #set(i: number, value: Wide): void {
    const n = (this.#state.top + i) & 7;
    this.#written.add(n);
    this.#setSlot(this.#slot(n), value);
  }
  #setSlot(slot: Slot, { m, se }: Wide): void {
    this.#graph.set(slot.m, m.node);
    this.#graph.set(slot.se, se.node);
  }
  #load(address: Node, offset: number): Wide {
    const graph = this.#graph, b = this.#b;
    return wideOf(b, b.ofNode(graph.load("i64.load", address, offset), 64), b.ofNode(graph.load("i32.load16_u", address, offset + 8), 32));
  }
  /** What {@link stackBehind} will say follows from the instruction; here only its value is set. */
  #push(value: Wide): void {
    this.#set(-1, value);
    this.#clearConditionOne();
  }
  #clearConditionOne(): void {
    this.#graph.set(this.#conditionOne, this.#graph.i32(0));
  }
  /** From RAM, where helpers leave it. */
  #loadConditionOne(): void {
    const graph = this.#graph, status = graph.load("i32.load16_u", graph.i32(0), X87_STATUS);
    graph.set(this.#conditionOne, graph.op("i32.and", graph.op("i32.shr_u", status, graph.i32(CONDITION_ONE_SHIFT)), graph.i32(1)));
  }
  #number(value: number): Value {
    return this.#b.constant(32, value);
  }
  #leaveIf(condition: Value): void {
    const graph = this.#graph;
    graph.ifUnlikely(condition.node, () => {
      graph.store("i32.store", graph.i32(0), graph.i32(NOTICE_STACK), FP_NOTICE);
      this.#leave();
    });
  }

  // ---- numbers from memory -------------------------------------------------------------------------------------------------------

  #ofInteger(value: Value): Wide {
    const b = this.#b, x = value.width === 64 ? value : b.sext(value, 64);
    const negative = b.shrS(x, 63), size = b.sub(b.xor(x, negative), negative), zeros = b.clz(size);
    const exponent = b.sub(this.#number(BIAS + 63), b.trunc(zeros, 32));
    const se = b.or(b.and(b.trunc(negative, 32), this.#number(SIGN)), exponent);
    return { m: b.shl(size, zeros), se: b.select(b.isZero(x), zeroOf(b, this.#number(0)).se, se) };
  }
  /** Of a normal number or a zero. */
  #ofFloat(bits: Value): Wide {
    const b = this.#b, wide = bits.width === 64;
    const fraction = wide ? 52 : 23, most = wide ? 0x7ff : 0xff, bias = wide ? 1023 : 127;
    const word = wide ? b.trunc(b.shrU(bits, 48), 32) : b.shrU(bits, 16);
    const biased = b.and(b.shrU(word, wide ? 4 : 7), this.#number(most)), isZero = b.isZero(b.shl(bits, 1));
    const unusual = b.leU(this.#number(most - 1), b.sub(biased, this.#number(1)));
    this.#graph.ifUnlikely(unusual.node, () => this.#leaveIf(b.not(isZero)));
    const significand = b.or(b.shl(b.zext(bits, 64), 63 - fraction), b.constant(64, TOP_BIT));
    const sign = b.and(word, this.#number(SIGN));
    return {
      m: b.select(isZero, b.constant(64, 0), significand),
      se: b.or(sign, b.select(isZero, zeroOf(b, this.#number(0)).se, b.add(biased, this.#number(BIAS - bias)))),
    };
  }

  // ---- the helpers' meanings -----------------------------------------------------------------------------------------------------

  /** x op y to ST(i). */
  #arithmetic(operation: number, i: number, x: Wide, y: Wide): void {
    const b = this.#b, isSum = operation !== MULTIPLY && operation < DIVIDE;
    const isReversed = operation > MULTIPLY && (operation & 1) === 1;
    const [first, second] = isReversed ? [y, x] : [x, y];
    const name = isSum ? "x87_sum" : operation === MULTIPLY ? "x87_product" : "x87_quotient";
    const other = isSum && operation !== ADD ? { m: second.m, se: b.xor(second.se, this.#number(SIGN)) } : second;
    const graph = this.#graph;
    const byHelper = (): Wide => {
      this.#leaveIf(b.isZero(b.helper(name, first.m, storedSignExponent(b, first), other.m, storedSignExponent(b, other))));
      this.#loadConditionOne();
      return this.#load(graph.i32(0), SCRATCH_A);
    };
    const { m, se, isUsual, lost, up } = isSum ? inlineSum(b, first, other) : operation === MULTIPLY ? inlineProduct(b, first, other) : inlineQuotient(b, first, other);
    graph.ifLikely(isUsual.node, () => {
      this.#set(i, { m, se });
      graph.set(this.#lost, graph.op("i64.or", graph.get(this.#lost), lost.node));
      graph.set(this.#conditionOne, up.node);
    }, () => this.#set(i, byHelper()));
  }
  /** Does what the helper does, or undefined: it is another's. */
  run(name: string, args: readonly Value[]): Value | true | undefined {
    const b = this.#b, number = (n: number): number => Number(args[n].node.constant);
    switch (name) {
      case "x87_arithmetic":
        this.#arithmetic(number(0), number(1), this.#get(number(1)), this.#get(number(2)));
        return true;
      case "x87_arithmetic_f32":
      case "x87_arithmetic_f64":
        this.#arithmetic(number(0), 0, this.#get(0), this.#ofFloat(args[1]));
        return true;
      case "x87_arithmetic_integer":
        this.#arithmetic(number(0), 0, this.#get(0), this.#ofInteger(args[1]));
        return true;
      case "x87_push_f32":
      case "x87_push_f64":
        this.#push(this.#ofFloat(args[0]));
        return true;
      case "x87_push_integer":
        this.#push(this.#ofInteger(args[0]));
        return true;
      case "x87_push_f80":
        this.#push(wideOf(b, (this.#passing as Wide).m, (this.#passing as Wide).se));
        return true;
      case "x87_push_register":
        this.#push(this.#get(number(0)));
        return true;
      case "x87_push_constant":
        this.#push(number(0) === 0 ? { m: b.constant(64, TOP_BIT), se: this.#number(BIAS) } : zeroOf(b, this.#number(0)));
        return true;
      case "x87_move":
        this.#set(number(0), this.#get(0));
        this.#clearConditionOne();
        return true;
      case "x87_exchange": {
        const top = this.#get(0), other = this.#get(number(0));
        const kept = { m: b.variable(top.m), se: b.variable(top.se) };
        this.#set(0, other);
        this.#set(number(0), { m: b.get(kept.m), se: b.get(kept.se) });
        this.#clearConditionOne();
        return true;
      }
      case "x87_change_sign":
      case "x87_absolute": {
        const top = this.#get(0);
        this.#set(0, name === "x87_absolute" ? magnitudeOf(b, top) : { m: top.m, se: b.xor(top.se, this.#number(SIGN)) });
        this.#clearConditionOne();
        return true;
      }
      case "x87_store_f80":
        this.#passing = this.#get(0);
        this.#clearConditionOne();
        return true;
      case "x87_store_f32":
      case "x87_store_f64": {
        const top = this.#get(0), narrow = b.helper(name === "x87_store_f32" ? "x87_narrow_f32" : "x87_narrow_f64", top.m, storedSignExponent(b, top));
        this.#leaveIf(b.isZero(b.ofNode(this.#graph.load("i32.load", this.#graph.i32(0), SCRATCH_D), 32)));
        this.#loadConditionOne();
        return narrow;
      }
      case "x87_compare_flags": {
        const x = this.#get(0), y = this.#get(number(0));
        const order = b.helper("x87_order", x.m, storedSignExponent(b, x), y.m, storedSignExponent(b, y));
        this.#leaveIf(b.eq(order, this.#number(2)));
        // ZF when equal, CF when less.
        return b.or(b.shl(b.zext(b.isZero(order), 32), 6), b.shrU(order, 31));
      }
    }
    return undefined;
  }
  /** State words that such an instruction passes through. */
  read(address: number): Value | undefined {
    if (address === SCRATCH_A) return this.#passing?.m;
    if (address === SCRATCH_A + 8) return this.#passing && this.#b.ofNode(this.#passing.se.node, 16);
    return address === SCRATCH_D ? this.#number(1) : undefined;
  }
  write(address: number, value: Value): boolean {
    if (address === X87_INSTRUCTION) this.#graph.set(this.#instruction, value.node);
    else if (address === X87_OPERAND) this.#graph.set(this.#operand, value.node);
    else if (address === SCRATCH_A) this.#passing = { m: value, se: value };
    else if (address === SCRATCH_A + 8) this.#passing = { m: (this.#passing as Wide).m, se: this.#b.zext(value, 32) };
    else return false;
    return true;
  }
}

function bits(tags: readonly number[], test: (tag: number) => boolean): number {
  return tags.reduce((sum, tag, slot) => sum | (test(tag) ? 1 << slot : 0), 0);
}
