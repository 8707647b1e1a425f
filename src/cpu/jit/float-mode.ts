/** What translated code knows of floating point: the mode, in locals, and which registers hold no denormals (tame.ts).
 *
 *  The mode is read when the region is entered. A helper may make it fast (PE is sticky, so that is for good) and then has the region
 *  left, to be entered with the new mode; only regions that change MXCSR themselves read it again, behind every helper. */
import type { Builder, Operand, Value } from "../builder.ts";
import type { Decoded } from "../decode/decoder.ts";
import { FP_FAST, FP_NOTICE, NOTICE_DENORMAL, NOTICE_EXCEPTION, NOTICE_FAST, VECTOR, VECTOR_STRIDE } from "../state.ts";
import type { Graph, Node, Variable } from "../wasm/graph.ts";
import { I32 } from "../wasm/opcodes.ts";
import { type Facts, HIGH64, LOW32, LOW64, REST32, stepTame } from "./tame.ts";

/** What compile.ts finds out about a region before it records it. */
export interface FloatPlan {
  /** Nothing is taken for tame, and denormals do not have the region left: for code that meets them all the time. */
  readonly careful: boolean;
  /** MXCSR changes inside the region, so that the mode is read again behind helpers. */
  readonly changesMode: boolean;
}

export class FloatMode {
  readonly #graph: Graph;
  readonly #plan: FloatPlan;
  #mask: Variable | undefined;
  /** By number of lanes. */
  readonly #lanes = new Map<number, Variable>();
  #facts: Facts | undefined;
  #last: Decoded | undefined;

  constructor(graph: Graph, plan: FloatPlan) {
    this.#graph = graph;
    this.#plan = plan;
  }
  get leavesAtDenormals(): boolean {
    return !this.#plan.careful;
  }

  // ---- what is tame --------------------------------------------------------------------------------------------------------

  beginBlock(facts: Facts | undefined): void {
    this.#facts = facts?.slice();
    this.#last = undefined;
  }
  beginInstruction(d: Decoded): void {
    if (this.#facts !== undefined && this.#last !== undefined) stepTame(this.#facts, this.#last);
    this.#last = d;
  }
  /** Which of `facts` are not known to hold behind the instruction recorded last. */
  doubtful(facts: Facts): Facts {
    const now = this.#facts?.slice();
    if (now === undefined) return facts;
    if (this.#last !== undefined) stepTame(now, this.#last);
    return facts.map((wanted, fact) => (wanted === 1 && now[fact] === 0 ? 1 : 0));
  }
  isTame(operand: Operand & { readonly address: number }, width: 32 | 64): boolean {
    return this.#holds(operand, width === 64 ? [LOW64] : [LOW32]);
  }
  areTame(operand: Operand & { readonly address: number }, width: 32 | 64): boolean {
    return this.#holds(operand, width === 64 ? [LOW64, HIGH64] : [LOW32, REST32]);
  }
  #holds(operand: Operand & { readonly address: number }, wanted: readonly number[]): boolean {
    const facts = this.#facts;
    if (facts === undefined || operand.isMemory || operand.spec.class !== "xmm") return false;
    return wanted.every((fact) => facts[((operand.address - VECTOR) / VECTOR_STRIDE) * 4 + fact] === 1);
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
  notTame(b: Builder, facts: Facts): Value[] {
    const found: Value[] = [];
    for (let n = 0; n < 16; n++) {
      const [low64, high64, low32, rest32] = facts.subarray(4 * n, 4 * n + 4);
      if (low64 + high64 > 0) found.push(denormal(b, b.vectorRegister(n), 64, low64 | (high64 << 1)));
      if (low32 + rest32 > 0) found.push(denormal(b, b.vectorRegister(n), 32, low32 | (rest32 * 14)));
    }
    return found;
  }
}

/** Truth: one of the chosen lanes is denormal. Zero minus one is at the top. */
function denormal(b: Builder, x: Value, width: 32 | 64, chosen: number): Value {
  const integer = width === 32 ? "i32x4" : "i64x2", smallest = -(1n << BigInt(width - 1)), least = width === 32 ? 1n << 23n : 1n << 52n;
  const everywhere = (bits: bigint): Value => {
    const lane = BigInt.asUintN(width, bits);
    const half = width === 64 ? lane : lane | (lane << 32n);
    return b.vectorConstant(half, half);
  };
  const moved = b.op(`${integer}.add`, b.op(`${integer}.add`, x, x), everywhere(smallest - 1n));
  const bits = b.op(`${integer}.bitmask`, b.op(`${integer}.lt_s`, moved, everywhere(smallest + 2n * least - 1n)));
  return b.truth(b.and(bits, b.constant(32, chosen)).node);
}
