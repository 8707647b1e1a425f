/** 80-bit sums, products and quotients in place, for operands that are normal numbers and results that are: rounded to nearest in 64 bits, all exceptions
 *  masked. Whether it is so is one truth beside the result; where it does not hold the result means nothing.
 *
 *  A number is its significand, bit 63 set, and the word of sign and exponent (Intel SDM 1, 4.2.2). */
import type { Builder, Value } from "../builder.ts";

const SIGN = 0x8000, MAX_EXPONENT = 0x7fff, BIAS = 16383;
const TOP_BIT = 1n << 63n;
/** Set in a word of sign and exponent whose number is not a normal one: a zero, a denormal, an infinity, a NaN or what has no meaning. */
const ODD = 0x8000_0000 | 0;

/** A number of 80 bits; its significand, and sign and exponent with {@link ODD}. */
export interface Wide { readonly m: Value; readonly se: Value }
export interface Result extends Wide {
  readonly isUsual: Value;
  /** Zero when the result is exact. */
  readonly lost: Value;
  /** 1 when it was rounded up. */
  readonly up: Value;
}

const word = (b: Builder, value: number): Value => b.constant(32, value);
const wide = (b: Builder, value: number | bigint): Value => b.constant(64, value);
const exponentOf = (b: Builder, se: Value): Value => b.and(se, word(b, MAX_EXPONENT));
const flag = (b: Builder, truth: Value): Value => b.ofNode(truth.node, 32, "zero");

/** A number as RAM has it. */
export function wideOf(b: Builder, m: Value, se: Value): Wide {
  const isInRange = b.ltU(b.sub(exponentOf(b, se), word(b, 1)), word(b, MAX_EXPONENT - 1));
  return { m, se: b.select(b.and(isInRange, b.isNegative(m)), se, b.or(se, word(b, ODD))) };
}
/** Zero, plus or minus by the sign. */
export function zeroOf(b: Builder, sign: Value): Wide {
  return { m: wide(b, 0), se: b.or(sign, word(b, ODD)) };
}
export function magnitudeOf(b: Builder, { m, se }: Wide): Wide {
  return { m, se: b.and(se, word(b, ~SIGN)) };
}
/** The 16 bits that RAM has. */
export function storedSignExponent(b: Builder, { se }: Wide): Value {
  return b.and(se, word(b, 0xffff));
}

/** 64 and more, moved left by this, are in the upper half. */
const DISTANCE_SHIFT = 10;
/** What is zero in its upper half unless something asks for the helper: an operand that is odd, or an exponent out of range. */
function doubts(b: Builder, x: Wide, y: Wide, biased: Value): Value {
  const twice = b.shl(biased, 1);
  return b.or(b.or(x.se, y.se), b.or(b.sub(twice, word(b, 2)), b.add(twice, word(b, 2))));
}
function isClear(b: Builder, doubt: Value): Value {
  return b.isZero(b.and(doubt, word(b, 0xffff_0000 | 0)));
}

/** Rounds high:low, where bit 63 of high is set and bits below low only matter as one that is set. Where rounding overflows the result is not usual. */
function rounded(b: Builder, sign: Value, biased: Value, high: Value, low: Value, doubt: Value): Result {
  // Up from more than half, and from half to even.
  const up = flag(b, b.leU(b.sub(wide(b, TOP_BIT + 1n), b.and(high, wide(b, 1))), low)), m = b.add(high, b.zext(up, 64));
  return { m, se: b.or(sign, biased), isUsual: b.and(isClear(b, doubt), b.isNegative(m)), lost: low, up };
}

export function inlineProduct(b: Builder, x: Wide, y: Wide): Result {
  const ex = exponentOf(b, x.se), ey = exponentOf(b, y.se);
  const high = b.mulHighU(x.m, y.m), low = b.mul(x.m, y.m);
  // The product of two numbers from 1 to 2 is from 1 to 4.
  const short = b.xor(b.shrU(high, 63), wide(b, 1));
  const biased = b.sub(b.sub(b.add(ex, ey), word(b, BIAS - 1)), b.trunc(short, 32));
  const top = b.or(b.shl(high, short), b.and(b.shrU(low, 63), short));
  const sign = b.and(b.xor(x.se, y.se), word(b, SIGN));
  return rounded(b, sign, biased, top, b.shl(low, short), doubts(b, x, y, biased));
}

/** Numbers from here on are so close to 2^64 that half of one and an estimate's error may not fit a signed word. */
const CLOSE_TO_ALL = 0xffff_8000_0000_0000n;
/** 1.5 × 2^52: added to a float of less than 2^51, it leaves the nearest integer in the lowest bits. */
const TO_INTEGER = 0x4338_0000_0000_0000n;
const LOW_DIGIT = 33;
const TWO_TO_32 = 0x41f0_0000_0000_0000n;

/** Two digits, 31 and 33 bits, each the nearest to a float's estimate and so perhaps negative; what is left is then at most half of the divisor, and
 *  the quotient the nearest one. A tie cannot be: twice the quotient and one would have 65 significant bits, which no dividend has. */
export function inlineQuotient(b: Builder, x: Wide, y: Wide): Result {
  const ex = exponentOf(b, x.se), ey = exponentOf(b, y.se);
  const less = flag(b, b.ltU(x.m, y.m)), short = b.zext(less, 64);
  const float = (value: Value): Value => b.op("f64.convert_i64_s", value);
  const floatOf = (bits: bigint): Value => b.op("f64.reinterpret_i64", wide(b, bits));
  const nearest = (value: Value): Value => b.sub(b.ofNode(b.op("i64.reinterpret_f64", b.op("f64.add", value, floatOf(TO_INTEGER))).node, 64), wide(b, TO_INTEGER));
  // 2^33 / y.
  const inverse = b.op("f64.div", floatOf(TWO_TO_32), float(b.shrU(y.m, 1)));
  const first = nearest(b.op("f64.mul", float(b.shl(b.shrU(x.m, 3), short)), inverse));
  const rest = b.sub(b.shl(x.m, b.add(short, wide(b, 63 - LOW_DIGIT))), b.mul(first, y.m));
  const second = nearest(b.op("f64.mul", float(rest), inverse));
  const lost = b.sub(b.shl(rest, LOW_DIGIT), b.mul(second, y.m)), down = b.shrS(lost, 63);
  const biased = b.sub(b.add(b.sub(ex, ey), word(b, BIAS)), less);
  const isNearest = b.leU(b.sub(b.xor(lost, down), down), b.shrU(y.m, 1));
  return {
    m: b.add(b.shl(first, LOW_DIGIT), second),
    se: b.or(b.and(b.xor(x.se, y.se), word(b, SIGN)), biased),
    isUsual: b.and(isClear(b, doubts(b, x, y, biased)), b.and(b.ltU(y.m, wide(b, CLOSE_TO_ALL)), isNearest)),
    lost,
    up: flag(b, b.isNegative(lost)),
  };
}

export function inlineSum(b: Builder, x: Wide, y: Wide): Result {
  const ex = exponentOf(b, x.se), ey = exponentOf(b, y.se);
  const isLess = b.or(b.ltU(ex, ey), b.and(b.eq(ex, ey), b.ltU(x.m, y.m)));
  const larger = b.select(isLess, y.m, x.m), smaller = b.select(isLess, x.m, y.m);
  const exponent = b.select(isLess, ey, ex), distance = b.sub(exponent, b.select(isLess, ex, ey));
  const sign = b.and(b.select(isLess, y.se, x.se), word(b, SIGN));
  const count = b.zext(distance, 64);
  // What is moved out leaves its lowest bit free.
  const moved = b.shrU(smaller, count), rest = b.shl(b.shl(smaller, 1), b.sub(wide(b, 63), count));
  // Both ways in one, for signs are as good as random to a processor: all ones where the smaller number is to be subtracted.
  const opposite = b.shrS(b.shl(b.zext(b.xor(x.se, y.se), 64), 48), 63);
  const isExact = b.zext(flag(b, b.isZero(rest)), 64);
  const upper = b.add(b.add(larger, b.xor(moved, opposite)), b.and(isExact, opposite)), lower = b.sub(b.xor(rest, opposite), opposite);
  const hasCarry = b.isNonZero(b.and(b.zext(flag(b, b.ltU(upper, larger)), 64), b.not(opposite)));
  const zeros = b.clz(upper);
  const high = b.select(hasCarry, b.or(b.shrU(upper, 1), wide(b, TOP_BIT)), b.or(b.shl(upper, zeros), b.shrU(b.shrU(lower, 1), b.sub(wide(b, 63), zeros))));
  const low = b.select(hasCarry, b.or(b.shrU(lower, 1), b.shl(upper, 63)), b.shl(lower, zeros));
  const biased = b.sub(exponent, b.select(hasCarry, word(b, -1), b.trunc(zeros, 32)));
  // A difference that is nothing but what was moved out has its top bit clear, rounded or not.
  return rounded(b, sign, biased, high, low, b.or(doubts(b, x, y, biased), b.shl(distance, DISTANCE_SHIFT)));
}
