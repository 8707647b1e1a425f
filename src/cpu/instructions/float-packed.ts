/** Packed floating-point primitives: vectors in, vectors out. float.ts says when the Wasm result is everything; here the questions are
 *  asked of all lanes at once.
 *
 *  Lanes of which all is well are ones; the sign bits of all of them are compared with {@link Builder.fastLanes}, which no lanes
 *  equal when the mode is not fast. An exponent in a range is one signed comparison: twice the bits (which drops the sign), moved so
 *  that the range begins at the smallest integer. */
import type { Builder, MagnitudePlan, Operand, Value } from "../builder.ts";
import { SCRATCH_A, SCRATCH_B, SCRATCH_C } from "../state.ts";
import { all, type Arithmetic, type FloatWidth, formats, IMMODEST, isFast, MODEST, relation, roundAs, settle, settleEffects } from "./float.ts";
import { field, is, laneMask, lanes, shape, shuffle, zeroVector } from "./sse-operands.ts";

/** An operand, with what is known about its lanes. */
export interface Vector {
  readonly v: Value;
  readonly areTame: boolean;
  readonly areFinite: boolean;
}
/** Both operands of a packed instruction; the source first, because it may fault. */
export function readVectors(b: Builder, dst: Operand, src: Operand, width: FloatWidth): [x: Vector, y: Vector] {
  const y = readVector(b, src, width);
  return [readVector(b, dst, width), y];
}
export function readVector(b: Builder, operand: Operand, width: FloatWidth): Vector {
  return { v: b.read(operand), areTame: b.areTame(operand, width), areFinite: b.areFinite(operand, width) };
}

/** Calls a packed helper on SCRATCH_A (and SCRATCH_B) → SCRATCH_C. */
export function packedHelper(b: Builder, name: string, x: Value, y?: Value, argument?: Value): Value {
  b.setState(SCRATCH_A, x, "v128.store");
  if (y !== undefined) b.setState(SCRATCH_B, y, "v128.store");
  if (argument === undefined) b.helperVoid(name);
  else b.helperVoid(name, argument);
  return b.ofNode(b.getState(SCRATCH_C, "v128.load").node, 128);
}

// ---- questions ------------------------------------------------------------------------------------------------------------

export function anyLane(b: Builder, mask: Value): Value {
  return is(b, "v128.any_true", mask);
}
export function orLanes(b: Builder, ...masks: Value[]): Value {
  return masks.reduce((x, y) => b.op("v128.or", x, y));
}
function andLanes(b: Builder, ...masks: Value[]): Value {
  return masks.reduce((x, y) => b.op("v128.and", x, y));
}
/** Lanes of magnitude (as bits) from `first` on and below `end`. */
function inRange(b: Builder, width: FloatWidth, x: Value, first: bigint, end: bigint): Value {
  const integer = shape(width), smallest = -(1n << BigInt(width - 1));
  const moved = b.op(`${integer}.add`, b.op(`${integer}.add`, x, x), lanes(b, width, [smallest - 2n * first]));
  return b.op(`${integer}.gt_s`, lanes(b, width, [smallest + 2n * (end - first)]), moved);
}
/** Lanes that are finite, with an exponent of at least one above the least. */
function ordinaryLanes(b: Builder, width: FloatWidth, x: Value): Value {
  const { least, infinity } = formats[width];
  return inRange(b, width, x, 2n * least, infinity);
}
/** Lanes that are zero or not below the normal range: one subtraction takes zero to the top. */
function tameLanes(b: Builder, width: FloatWidth, x: Value): Value {
  const integer = shape(width), smallest = -(1n << BigInt(width - 1));
  const moved = b.op(`${integer}.add`, b.op(`${integer}.add`, x, x), lanes(b, width, [-smallest - 1n]));
  return b.op(`${integer}.gt_s`, moved, lanes(b, width, [smallest + 2n * formats[width].least - 2n]));
}
function tame(b: Builder, width: FloatWidth, ...vectors: Vector[]): Value[] {
  return vectors.filter((x) => !x.areTame).map((x) => tameLanes(b, width, x.v));
}
export function nanLanes(b: Builder, width: FloatWidth, x: Value): Value {
  return b.op(`${formats[width].packed}.ne`, x, x);
}
function zeroLanes(b: Builder, width: FloatWidth, x: Value): Value {
  return b.op(`${formats[width].packed}.eq`, x, zeroVector(b));
}
export function denormalLanes(b: Builder, width: FloatWidth, x: Value): Value {
  return b.op("v128.not", tameLanes(b, width, x));
}
/** The mode is fast and all lanes are ones. */
function areAllFast(b: Builder, width: FloatWidth, good: Value): Value {
  return b.eq(b.op(`${shape(width)}.bitmask`, good), b.fastLanes(128 / width));
}
/** The same in any mode. */
function areAll(b: Builder, width: FloatWidth, good: Value): Value {
  return b.eq(b.op(`${shape(width)}.bitmask`, good), b.constant(32, 2 ** (128 / width) - 1));
}

/** What is left of the exponents of lanes that are not modest; zeros for those that are (float.ts). */
export function immodestBits(b: Builder, v: Value, width: FloatWidth): Value {
  const top = (bits: number): Value => lanes(b, width, [BigInt(bits) << BigInt(width - 32)]);
  return b.op("v128.and", b.op("i32x4.sub", v, top(MODEST)), top(IMMODEST));
}
/** `native`, which needs no question behind those of the plan: operands that are modest or zero. `isBad` says more that must not be. */
function withoutQuestion(b: Builder, width: FloatWidth, { asks }: MagnitudePlan, operands: readonly Vector[], native: Value, isBad?: (operand: Vector) => Value): Value {
  const asked = operands.filter((_, i) => asks[i]), bad = isBad === undefined ? [] : [isBad(operands[1])];
  if (asked.length + bad.length === 0) return native;
  const doubts = orLanes(b, ...asked.map(({ v }) => immodestBits(b, v, width)), ...bad);
  b.ifAnyUnlikely([anyLane(b, doubts)], () => {
    const zero = zeroVector(b);
    const good = asked.map(({ v }) => b.op("v128.or", zeroLanes(b, width, v), b.op(`${shape(width)}.eq`, immodestBits(b, v, width), zero)));
    const isGood = [...bad.map((lanes) => b.not(anyLane(b, lanes))), ...good.map((lanes) => areAll(b, width, lanes))];
    b.if(b.not(all(b, ...isGood)), () => b.leaveForMagnitude());
  });
  return native;
}

// ---- arithmetic -----------------------------------------------------------------------------------------------------------

/** x ∘ y in every lane; `exact` calls the helper, whose operands may be arranged otherwise (horizontal operations). */
export function packedArithmetic(b: Builder, name: Arithmetic, width: FloatWidth, x: Vector, y: Vector, exact: () => Value): Value {
  const { packed } = formats[width];
  const native = b.op(`${packed}.${name}`, x.v, y.v), plan = b.magnitudePlan;
  if (plan !== undefined) return withoutQuestion(b, width, plan, [x, y], native, name === "div" ? ({ v }) => zeroLanes(b, width, v) : undefined);
  const good = ordinaryLanes(b, width, native), operands = tame(b, width, x, y);
  // Zeros that are exact: x − x, 0 · y, 0 / y (float.ts).
  const exactZero = (): Value => {
    const zero = zeroLanes(b, width, native);
    if (name === "add" || name === "sub") return zero;
    const zeroOperand = zeroLanes(b, width, x.v);
    return b.op("v128.and", zero, name === "mul" ? b.op("v128.or", zeroOperand, zeroLanes(b, width, y.v)) : zeroOperand);
  };
  const isPlain = (): Value => areAllFast(b, width, andLanes(b, b.op("v128.or", good, exactZero()), ...operands));
  return settle(b, [b.not(areAllFast(b, width, andLanes(b, good, ...operands)))], isPlain, native, exact);
}

/** DPPS, DPPD. imm8: bits 7:4 choose the lanes to multiply, bits 3:0 the lanes to receive the sum; the others become zero. Lanes are
 *  added in neighbouring pairs, then the pairs. Every step must be plain: an intermediate may underflow, or be a denormal operand. */
export function packedDot(b: Builder, width: FloatWidth, x: Vector, y: Vector, control: Value): Value {
  const { packed } = formats[width];
  const count = 128 / width;
  const plain = (v: Value, zero: Value): Value => b.op("v128.or", ordinaryLanes(b, width, v), zero);
  const products = b.op(`${packed}.mul`, x.v, y.v), chosen = laneMask(b, width, field(b, control, 4, count));
  const zero = b.op("v128.and", zeroLanes(b, width, products), b.op("v128.or", zeroLanes(b, width, x.v), zeroLanes(b, width, y.v)));
  // Lanes that are not chosen are not multiplied.
  const good = [...tame(b, width, x, y), b.op("v128.or", plain(products, zero), b.op("v128.not", chosen))];
  let sum = b.op("v128.and", products, chosen);
  for (let step = 1; step < count; step *= 2) {
    sum = b.op(`${packed}.add`, sum, shuffle(b, width, sum, sum, Array.from({ length: count }, (_, i) => i ^ step)));
    good.push(plain(sum, zeroLanes(b, width, sum)));
  }
  const native = b.op("v128.and", sum, laneMask(b, width, field(b, control, 0, count)));
  const doubts = [b.not(areAllFast(b, width, andLanes(b, ...good)))];
  return settle(b, doubts, undefined, native, () => packedHelper(b, `${packed}_dot`, x.v, y.v, control));
}

export function packedSquareRoot(b: Builder, width: FloatWidth, x: Vector): Value {
  const { packed } = formats[width];
  const native = b.op(`${packed}.sqrt`, x.v), plan = b.magnitudePlan;
  if (plan !== undefined) return withoutQuestion(b, width, { asks: [false, plan.asks[1]] }, [x, x], native, ({ v }) => b.op(`${packed}.lt`, v, zeroVector(b)));
  const good = andLanes(b, b.op("v128.or", ordinaryLanes(b, width, native), zeroLanes(b, width, x.v)), ...tame(b, width, x));
  return settle(b, [b.not(areAllFast(b, width, good))], undefined, native, () => packedHelper(b, `${packed}_sqrt`, x.v));
}

// ---- comparisons ----------------------------------------------------------------------------------------------------------

/** Whether a comparison may raise something: a NaN or denormal operand. */
function mayRaise(b: Builder, width: FloatWidth, x: Vector, y: Vector): Value[] {
  const { packed } = formats[width];
  const numbers = [x, y].filter((each) => !each.areFinite).map(({ v }) => b.op(`${packed}.eq`, v, v));
  const asked = [...numbers, ...tame(b, width, x, y)];
  return asked.length === 0 ? [] : [b.not(areAll(b, width, andLanes(b, ...asked)))];
}

/** Wasm's pmin(y, x) is x < y ? x : y, which is MINPS x,y; likewise pmax. */
export function packedExtreme(b: Builder, name: "min" | "max", width: FloatWidth, x: Vector, y: Vector): Value {
  const { packed } = formats[width];
  return settleEffects(b, mayRaise(b, width, x, y), b.op(`${packed}.p${name}`, y.v, x.v), () => packedHelper(b, `${packed}_${name}`, x.v, y.v));
}

export function packedCompare(b: Builder, width: FloatWidth, x: Vector, y: Vector, predicate: Value): Value {
  const { packed } = formats[width];
  const native = relation(b, packed, x.v, y.v, predicate);
  return settleEffects(b, mayRaise(b, width, x, y), native, () => packedHelper(b, `${packed}_compare`, x.v, y.v, field(b, predicate, 0, 3)));
}

export function packedRound(b: Builder, width: FloatWidth, x: Vector, control: Value): Value {
  const { packed, scalar } = formats[width];
  const native = roundAs(b, control, (mode) => {
    let result = x.v;
    for (let lane = 0; lane < 128 / width; lane++) {
      const rounded = b.op(`${scalar}.${mode}`, b.lane(`${packed}.extract_lane`, [lane], x.v));
      result = b.lane(`${packed}.replace_lane`, [lane], result, rounded);
    }
    return result;
  });
  if (b.magnitudePlan !== undefined) return native;
  const good = andLanes(b, b.op(`${packed}.eq`, x.v, x.v), ...tame(b, width, x));
  const doubts = [b.not(areAllFast(b, width, good))];
  return settle(b, doubts, undefined, native, () => packedHelper(b, `${packed}_round`, x.v, undefined, field(b, control, 0, 4)));
}

/** The mode is fast and no lane of the mask is set. */
export function isFastWithout(b: Builder, bad: Value): Value {
  return all(b, isFast(b), b.not(anyLane(b, bad)));
}
