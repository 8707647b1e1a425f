/** 80-bit sums and products in place, for operands that are normal numbers and results that are: rounded to nearest in 64 bits, all exceptions
 *  masked. Whether it is so is one truth beside the result; where it does not hold the result means nothing.
 *
 *  A number is its significand, bit 63 set, and the word of sign and exponent (Intel SDM 1, 4.2.2). */
import type { Builder, Value } from "../builder.ts";
import type { Graph } from "../wasm/graph.ts";

const SIGN = 0x8000, MAX_EXPONENT = 0x7fff, BIAS = 16383;
const TOP_BIT = 1n << 63n;

/** A number of 80 bits. */
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
const isInRange = (b: Builder, exponent: Value): Value => b.ltU(b.sub(exponent, word(b, 1)), word(b, MAX_EXPONENT - 1));
function all(b: Builder, ...truths: readonly Value[]): Value {
  return truths.reduce((x, y) => b.and(x, y));
}

/** Rounds high:low, where bit 63 of high is set and bits below low only matter as one that is set. */
function rounded(b: Builder, sign: Value, exponent: Value, high: Value, low: Value, conditions: readonly Value[]): Result {
  // Up from more than half, and from half to even.
  const up = b.leU(b.sub(wide(b, TOP_BIT + 1n), b.and(high, wide(b, 1))), low), one = b.ofNode(up.node, 32, "zero");
  const sum = b.add(high, b.zext(one, 64)), overflow = b.isZero(sum), carry = b.ofNode(overflow.node, 32, "zero");
  const biased = b.add(exponent, carry);
  return {
    m: b.or(sum, b.shl(b.zext(carry, 64), 63)),
    se: b.or(sign, biased),
    isUsual: all(b, isInRange(b, biased), ...conditions),
    lost: low,
    up: one,
  };
}

export function inlineProduct(b: Builder, x: Wide, y: Wide): Result {
  const ex = exponentOf(b, x.se), ey = exponentOf(b, y.se);
  const high = b.mulHighU(x.m, y.m), low = b.mul(x.m, y.m);
  // The product of two numbers from 1 to 2 is from 1 to 4.
  const short = b.xor(b.shrU(high, 63), wide(b, 1));
  const exponent = b.sub(b.sub(b.add(ex, ey), word(b, BIAS - 1)), b.trunc(short, 32));
  const top = b.or(b.shl(high, short), b.and(b.shrU(low, 63), short));
  const sign = b.and(b.xor(x.se, y.se), word(b, SIGN));
  return rounded(b, sign, exponent, top, b.shl(low, short), [b.isNegative(b.and(x.m, y.m)), isInRange(b, ex), isInRange(b, ey)]);
}

export function inlineSum(b: Builder, graph: Graph, x: Wide, y: Wide): Result {
  const ex = exponentOf(b, x.se), ey = exponentOf(b, y.se);
  const isLess = b.or(b.ltU(ex, ey), b.and(b.eq(ex, ey), b.ltU(x.m, y.m)));
  const larger = b.select(isLess, y.m, x.m), smaller = b.select(isLess, x.m, y.m);
  const exponent = b.select(isLess, ey, ex), distance = b.sub(exponent, b.select(isLess, ex, ey));
  const sign = b.and(b.select(isLess, y.se, x.se), word(b, SIGN));
  const count = b.zext(distance, 64);
  const moved = b.shrU(smaller, count), rest = b.shl(b.shl(smaller, 1), b.sub(wide(b, 63), count));
  const high = b.variable(larger), low = b.variable(rest), biased = b.variable(exponent);
  const differ = b.isNonZero(b.and(b.xor(x.se, y.se), word(b, SIGN)));
  graph.if(differ.node, () => {
    const difference = b.sub(b.sub(larger, moved), b.zext(b.ofNode(b.isNonZero(rest).node, 32, "zero"), 64)), negated = b.neg(rest);
    const zeros = b.clz(difference);
    b.set(high, b.or(b.shl(difference, zeros), b.shrU(b.shrU(negated, 1), b.sub(wide(b, 63), zeros))));
    b.set(low, b.shl(negated, zeros));
    b.set(biased, b.sub(exponent, b.trunc(zeros, 32)));
  }, () => {
    // What was moved out leaves its lowest bit free.
    const sum = b.add(larger, moved), carry = b.ofNode(b.ltU(sum, larger).node, 32, "zero"), count = b.zext(carry, 64);
    b.set(high, b.or(b.shrU(sum, count), b.shl(count, 63)));
    b.set(low, b.or(b.shrU(rest, count), b.shl(b.and(sum, count), 63)));
    b.set(biased, b.add(exponent, carry));
  });
  // A difference that is nothing but what was moved out has its top bit clear.
  const conditions = [b.isNegative(b.and(x.m, y.m)), isInRange(b, ex), isInRange(b, ey), b.ltU(distance, word(b, 64)), b.isNegative(b.get(high))];
  return rounded(b, sign, b.get(biased), b.get(high), b.get(low), conditions);
}
