/** What translated code knows of floating point: the mode, in locals, and which registers hold no denormals (tame.ts).
 *
 *  The mode is read when the region is entered. A helper may make it fast (PE is sticky, so that is for good) and then has the region
 *  left, to be entered with the new mode; only regions that change MXCSR themselves read it again, behind every helper. */
import type { Builder, Operand, Value } from "../builder.ts";
import type { Decoded } from "../decode/decoder.ts";
import { FP_FAST, FP_NOTICE, NOTICE_DENORMAL, NOTICE_EXCEPTION, NOTICE_FAST, VECTOR, VECTOR_STRIDE } from "../state.ts";
import { immodestBits } from "../instructions/float-packed.ts";
import { lanes } from "../instructions/sse-operands.ts";
import type { Graph, Node, Variable } from "../wasm/graph.ts";
import { I32 } from "../wasm/opcodes.ts";
import { type Bounded, type Fact, isMagnitude, TAME } from "./magnitude.ts";
import { type Facts, HIGH64, KnownFloats, LOW32, LOW64, REST32 } from "./tame.ts";

/** What compile.ts finds out about a region before it records it. */
export interface FloatPlan {
  /** Nothing is taken for tame, and denormals do not have the region left: for code that meets them all the time. */
  readonly careful: boolean;
  /** The region runs only while the mode is fast, or only while it is not. */
  readonly asksMode: boolean;
  /** While it is fast: operands are asked whether they are modest, so that results need not be asked. */
  readonly bounded: boolean;
  /** MXCSR changes inside the region, so that the mode is read again behind helpers. */
  readonly changesMode: boolean;
}

export class FloatMode {
  readonly #graph: Graph;
  readonly #plan: FloatPlan;
  #mask: Variable | undefined;
  /** By number of lanes. */
  readonly #lanes = new Map<number, Variable>();
  #known: KnownFloats | undefined;

  constructor(graph: Graph, plan: FloatPlan) {
    this.#graph = graph;
    this.#plan = plan;
  }
  get leavesAtDenormals(): boolean {
    return !this.#plan.careful;
  }

  // ---- what is tame --------------------------------------------------------------------------------------------------------

  beginBlock(facts: Facts | undefined): void {
    this.#known = facts === undefined ? undefined : new KnownFloats(facts, this.#plan.bounded);
  }
  beginInstruction(d: Decoded): void {
    this.#known?.begin(d);
  }
  /** What must be asked behind the instruction recorded last, so that `facts` hold. */
  doubtful(facts: Facts): Facts {
    return this.#known?.doubtful(facts) ?? facts;
  }
  get magnitudePlan(): Bounded | undefined {
    return this.#known?.plan;
  }
  isTame(operand: Operand & { readonly address: number }, width: 32 | 64): boolean {
    return this.#hold(operand, width === 64 ? [LOW64] : [LOW32], (fact) => fact >= TAME);
  }
  areTame(operand: Operand & { readonly address: number }, width: 32 | 64): boolean {
    return this.#hold(operand, width === 64 ? [LOW64, HIGH64] : [LOW32, REST32], (fact) => fact >= TAME);
  }
  isFinite(operand: Operand & { readonly address: number }, width: 32 | 64): boolean {
    return this.#hold(operand, width === 64 ? [LOW64] : [LOW32], isMagnitude);
  }
  areFinite(operand: Operand & { readonly address: number }, width: 32 | 64): boolean {
    return this.#hold(operand, width === 64 ? [LOW64, HIGH64] : [LOW32, REST32], isMagnitude);
  }
  #hold(operand: Operand & { readonly address: number }, wanted: readonly number[], condition: (fact: Fact) => boolean): boolean {
    const facts = this.#known?.facts;
    if (facts === undefined || operand.isMemory || operand.spec.class !== "xmm") return false;
    return wanted.every((fact) => condition(facts[((operand.address - VECTOR) / VECTOR_STRIDE) * 4 + fact]));
  }

  // ---- the mode ------------------------------------------------------------------------------------------------------------

  mask(): Node {
    this.#mask ??= this.#graph.variable(I32);
    return this.#graph.get(this.#mask);
  }
  fastLanes(count: number): Node {
    let variable = this.#lanes.get(count);
    if (variable === undefined) this.#lanes.set(count, (variable = this.#graph.variable(I32)));
    return this.#graph.get(variable);
  }
  /** Truths: the mode is not what the region runs in. */
  otherMode(): Node[] {
    if (!this.#plan.asksMode) return [];
    return [this.#plan.bounded ? this.#graph.op("i32.eqz", this.mask()) : this.mask()];
  }
  /** At the region's entry: the locals that were used. */
  load(): void {
    const graph = this.#graph;
    const mask = graph.load("i32.load", graph.i32(0), FP_FAST);
    if (this.#mask !== undefined) graph.set(this.#mask, mask);
    for (const [count, variable] of this.#lanes) graph.set(variable, graph.select(mask, graph.i32(2 ** count - 1), graph.i32(-1)));
  }
  /** Behind what may have changed MXCSR. */
  reload(): void {
    if (!this.#plan.changesMode) return;
    // Locals of either kind may be used from here on, whether or not they were before.
    this.mask();
    this.fastLanes(2);
    this.fastLanes(4);
    this.load();
  }
  /** Truth: a helper left an exception to deliver, or met what the region cannot go on with. */
  mustLeave(): Node {
    const graph = this.#graph;
    const notices = NOTICE_EXCEPTION | (this.#plan.careful ? 0 : NOTICE_DENORMAL) | (this.#plan.changesMode ? 0 : NOTICE_FAST);
    return graph.op("i32.and", graph.load("i32.load", graph.i32(0), FP_NOTICE), graph.i32(notices));
  }
  /** Truths, one of which holds when a register is not as `facts` say. */
  notAs(b: Builder, facts: Facts): Value[] {
    const found: Value[] = [];
    const ask = (n: number, concerns: (fact: Fact) => boolean, isBad: typeof denormal): void => {
      const at = 4 * n;
      const doubles = (concerns(facts[at]) ? 1 : 0) | (concerns(facts[at + 1]) ? 2 : 0), singles = (concerns(facts[at + 2]) ? 1 : 0) | (concerns(facts[at + 3]) ? 14 : 0);
      if (doubles > 0) found.push(isBad(b, b.vectorRegister(n), 64, doubles));
      if (singles > 0) found.push(isBad(b, b.vectorRegister(n), 32, singles));
    };
    for (let n = 0; n < 16; n++) {
      ask(n, isTame, denormal);
      ask(n, isMagnitude, immodest);
    }
    return found;
  }
}

function isTame(fact: Fact): boolean {
  return fact === TAME;
}
/** Truth: one of the chosen lanes is denormal. Zero minus one is at the top. */
function denormal(b: Builder, x: Value, width: 32 | 64, chosen: number): Value {
  const integer = width === 32 ? "i32x4" : "i64x2", smallest = -(1n << BigInt(width - 1)), least = width === 32 ? 1n << 23n : 1n << 52n;
  const moved = b.op(`${integer}.add`, b.op(`${integer}.add`, x, x), lanes(b, width, [smallest - 1n]));
  const bits = b.op(`${integer}.bitmask`, b.op(`${integer}.lt_s`, moved, lanes(b, width, [smallest + 2n * least - 1n])));
  return b.truth(b.and(bits, b.constant(32, chosen)).node);
}
/** Truth: one of the chosen lanes is neither modest nor zero. */
function immodest(b: Builder, x: Value, width: 32 | 64, chosen: number): Value {
  const packed = width === 32 ? "f32x4" : "f64x2", integer = width === 32 ? "i32x4" : "i64x2", zero = b.vectorConstant(0n, 0n);
  const good = b.op("v128.or", b.op(`${packed}.eq`, x, zero), b.op(`${integer}.eq`, immodestBits(b, x, width), zero));
  const bits = b.op(`${integer}.bitmask`, good);
  return b.truth(b.and(b.xor(bits, b.constant(32, 15)), b.constant(32, chosen)).node);
}
