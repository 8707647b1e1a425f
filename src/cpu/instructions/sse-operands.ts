/** What the SSE families share: looking at operands in another width, immediates that may be known, and vector constants.
 *
 *  An immediate is a variable for the cold engine and a constant for the JIT. Texts ask {@link known} and write a static shuffle
 *  when they can; both ways mean the same, and the tests run both. */
import type { Builder, Operand, Value } from "../builder.ts";

/** The low bits of an XMM register operand: `low(dst, 64)` reads or is written as the low lane only. */
export function low(operand: Operand, width: 32 | 64): Operand {
  return { ...operand, width };
}

/** An operand narrower than a register as a vector with it in the low lane; what is above is unspecified. */
export function lowVector(b: Builder, operand: Operand): Value {
  if (!operand.isMemory) return b.read({ ...operand, width: 128 });
  if (operand.width === 64) return b.op("i64x2.splat", b.read(operand));
  return b.op("i32x4.splat", b.zext(b.read(operand), 32));
}

/** Both operands of a packed instruction; the source first, because it may fault. */
export function readBoth(b: Builder, dst: Operand, src: Operand): [x: Value, y: Value] {
  const y = b.read(src);
  return [b.read(dst), y];
}

/** A truth value from a Wasm comparison. */
export function is(b: Builder, name: string, ...args: Value[]): Value {
  return b.truth(b.op(name, ...args).node);
}

// ---- immediates -----------------------------------------------------------------------------------------------------------

/** The 8-bit immediate as 32 bits. */
export function immediate(b: Builder, operand: Operand): Value {
  return b.zext(b.read(operand), 32);
}
/** The value if it is a constant. */
export function known(value: Value): number | undefined {
  return typeof value.node.constant === "number" ? value.node.constant : undefined;
}
/** `count` bits of an immediate from bit `shift` on. */
export function field(b: Builder, value: Value, shift: number, count: number): Value {
  const constant = known(value);
  const mask = 2 ** count - 1;
  if (constant !== undefined) return b.constant(32, (constant >>> shift) & mask);
  return b.and(shift === 0 ? value : b.shrU(value, shift), b.constant(32, mask));
}
/** True when bit `at` of an immediate is set. */
export function bit(b: Builder, value: Value, at: number): Value {
  return b.truth(field(b, value, at, 1).node);
}
/** The alternative that a small number selects; the last one for numbers beyond. Alternatives are pure. */
export function choose(b: Builder, selector: Value, alternatives: readonly (() => Value)[]): Value {
  const constant = known(selector);
  const last = alternatives.length - 1;
  if (constant !== undefined) return alternatives[Math.min(constant, last)]();
  let result = alternatives[last]();
  for (let i = last - 1; i >= 0; i--) result = b.select(b.eq(selector, b.constant(32, i)), alternatives[i](), result);
  return result;
}
/** The smaller of an immediate and a limit. */
export function atMost(b: Builder, value: Value, limit: number): Value {
  const constant = known(value);
  if (constant !== undefined) return b.constant(32, Math.min(constant, limit));
  return b.select(b.ltU(value, b.constant(32, limit)), value, b.constant(32, limit));
}

// ---- vectors --------------------------------------------------------------------------------------------------------------

/** A constant vector from its lanes of `width` bits, lowest first; fewer lanes than fit repeat. */
export function lanes(b: Builder, width: 8 | 16 | 32 | 64, values: readonly (number | bigint)[]): Value {
  const count = 128 / width;
  let all = 0n;
  for (let i = 0; i < count; i++) all |= BigInt.asUintN(width, BigInt(values[i % values.length])) << BigInt(i * width);
  return b.vectorConstant(BigInt.asUintN(64, all), all >> 64n);
}
export function zeroVector(b: Builder): Value {
  return b.vectorConstant(0n, 0n);
}
/** Lane numbers 0, 1, 2… in lanes of `width` bits. */
export function iota(b: Builder, width: 8 | 16 | 32): Value {
  return lanes(b, width, Array.from({ length: 128 / width }, (_, i) => i));
}
/** Static shuffle of two vectors by lanes of `width` bits: 0…n−1 take from x, n…2n−1 from y. */
export function shuffle(b: Builder, width: 8 | 16 | 32 | 64, x: Value, y: Value, order: readonly number[]): Value {
  const bytes = width / 8;
  return b.lane("i8x16.shuffle", order.flatMap((lane) => Array.from({ length: bytes }, (_, i) => lane * bytes + i)), x, y);
}
/** Name of the integer interpretation with lanes of `width` bits. */
export function shape(width: number): string {
  return `i${width}x${128 / width}`;
}
/** An integer of at most 32 bits, or of 64, in every lane of `width` bits. */
export function splat(b: Builder, width: 8 | 16 | 32 | 64, value: Value): Value {
  return b.op(`${shape(width)}.splat`, width === 64 ? b.zext(value, 64) : b.zext(value, 32));
}
/** All ones in lane i when bit i of an immediate is set. */
export function laneMask(b: Builder, width: 16 | 32 | 64, bits: Value): Value {
  const count = 128 / width;
  const constant = known(bits);
  if (constant !== undefined) return lanes(b, width, Array.from({ length: count }, (_, i) => -((constant >> i) & 1)));
  const weights = lanes(b, width, Array.from({ length: count }, (_, i) => 1 << i));
  return b.op(`${shape(width)}.ne`, b.op("v128.and", splat(b, width, bits), weights), zeroVector(b));
}
/** Byte indices for i8x16.swizzle that select whole lanes, from a vector of lane numbers in lanes of `width` bits. */
export function byteIndices(b: Builder, width: 16 | 32, laneNumbers: Value): Value {
  const scale = lanes(b, width, [width === 16 ? 0x0202 : 0x04040404]);
  const offset = lanes(b, width, [width === 16 ? 0x0100 : 0x03020100]);
  return b.op(`${shape(width)}.add`, b.op(`${shape(width)}.mul`, laneNumbers, scale), offset);
}
/** The lane whose number is `index` (below the number of lanes), as 32 or 64 bits. */
export function extractLane(b: Builder, width: 8 | 16 | 32 | 64, x: Value, index: Value): Value {
  const suffix = width < 32 ? "extract_lane_u" : "extract_lane";
  const constant = known(index);
  const at = (lane: number, v: Value): Value => {
    const value = b.lane(`${shape(width)}.${suffix}`, [lane], v);
    return b.ofNode(value.node, width === 64 ? 64 : 32);
  };
  if (constant !== undefined) return at(constant, x);
  if (width === 64) return b.select(b.isZero(index), at(0, x), at(1, x));
  const selector = splat(b, width, index);
  return at(0, b.op("i8x16.swizzle", x, width === 8 ? selector : byteIndices(b, width, selector)));
}
/** x with the lane whose number is `index` replaced. */
export function replaceLane(b: Builder, width: 8 | 16 | 32 | 64, x: Value, index: Value, value: Value): Value {
  const constant = known(index);
  if (constant !== undefined) return b.lane(`${shape(width)}.replace_lane`, [constant], x, value);
  if (width === 64) {
    const name = "i64x2.replace_lane";
    return b.select(b.isZero(index), b.lane(name, [0], x, value), b.lane(name, [1], x, value));
  }
  const place = b.op(`${shape(width)}.eq`, iota(b, width), splat(b, width, index));
  return b.op("v128.bitselect", splat(b, width, value), x, place);
}
