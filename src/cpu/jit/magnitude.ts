/** How large a float may be, and which arithmetic needs no question about its result for that.
 *
 *  A *magnitude* (least, most) says of a float that it is a multiple of 2^least and not above 2^most, so it is neither denormal nor
 *  infinite nor a NaN as long as both are in the format's range; zero has any magnitude. Sums of multiples of 2^least are multiples of
 *  it again, and so are products of multiples of 2^a and 2^b of 2^(a+b): the result of + − · is exact or rounded, but it never
 *  overflows, is never tiny and raises nothing but PE as long as its magnitude stays in the range. That leaves the operands to be
 *  asked, once, whether they are *modest*: zero, or with an exponent in the middle quarter of the range. Of modest numbers three may be
 *  multiplied (two binary32), and as many as there are may be added.
 *
 *  Facts are numbers, so that they are copied and compared quickly: 0 nothing is known, 1 tame (not denormal, tame.ts), above that a
 *  magnitude. */
import type { Arithmetic } from "../instructions/float.ts";

export type Fact = number;
export type Width = 32 | 64;
export const UNKNOWN: Fact = 0, TAME: Fact = 1;

const BIAS = 2048, FIELD = 4096, LIMIT = 2047;
function clamp(exponent: number): number {
  return Math.min(LIMIT, Math.max(-LIMIT, exponent));
}
export function magnitude(least: number, most: number): Fact {
  return 2 + (clamp(least) + BIAS) * FIELD + clamp(most) + BIAS;
}
export function isMagnitude(fact: Fact): boolean {
  return fact > TAME;
}
export function leastOf(fact: Fact): number {
  return Math.floor((fact - 2) / FIELD) - BIAS;
}
export function mostOf(fact: Fact): number {
  return ((fact - 2) % FIELD) - BIAS;
}

/** Zero alone. */
export const ZERO: Fact = magnitude(LIMIT, -LIMIT);
/** What an integer register of any width becomes. */
export const INTEGER: Fact = magnitude(0, 64);

interface Range {
  /** Bits of a fraction. */
  readonly fraction: number;
  /** Exponents of the least normal number and of the last power of two. */
  readonly bottom: number;
  readonly top: number;
  readonly modest: Fact;
}
/** Modest numbers have an exponent e with e − bottom' in [0, span): 512 of 2046, 64 of 254 (instructions/float.ts asks). */
const RANGES: Readonly<Record<Width, Range>> = {
  32: { fraction: 23, bottom: -126, top: 127, modest: magnitude(-31 - 23, 33) },
  64: { fraction: 52, bottom: -1022, top: 1023, modest: magnitude(-255 - 52, 257) },
};
export function modest(width: Width): Fact {
  return RANGES[width].modest;
}
/** The largest magnitude of numbers that are not denormal. */
export function widest(width: Width): Fact {
  return magnitude(RANGES[width].bottom, RANGES[width].top);
}

/** What holds when either does. */
export function join(a: Fact, b: Fact): Fact {
  if (a === b) return a;
  if (a <= TAME || b <= TAME) return Math.min(a, b);
  return magnitude(Math.min(leastOf(a), leastOf(b)), Math.max(mostOf(a), mostOf(b)));
}
/** What holds when both do, the second of which is a magnitude. */
export function meet(a: Fact, b: Fact): Fact {
  return a <= TAME ? b : magnitude(Math.max(leastOf(a), leastOf(b)), Math.min(mostOf(a), mostOf(b)));
}
export function implies(a: Fact, b: Fact): boolean {
  return b <= TAME ? a >= b : a > TAME && leastOf(a) >= leastOf(b) && mostOf(a) <= mostOf(b);
}
/** A sum that began as `first`, after any number of additions and subtractions of `terms`: once it is so much larger than they are that
 *  it is rounded back to what it was, it grows no more. */
export function accumulated(first: Fact, terms: Fact, width: Width): Fact {
  if (first <= TAME || terms === ZERO) return first;
  return magnitude(Math.min(leastOf(first), leastOf(terms)), Math.max(mostOf(first), mostOf(terms) + RANGES[width].fraction + 4));
}

export type Operation = Arithmetic | "sqrt" | "min" | "max" | "round" | "widen" | "narrow";
/** How an instruction does without a question about its result. */
export interface Bounded {
  /** Whether the first and the second operand must be modest; the second is the only one of √, rounding and conversion. */
  readonly asks: readonly [boolean, boolean];
  /** Operands behind the questions, and the result, of each lane. */
  readonly lanes: readonly { readonly x: Fact; readonly y: Fact; readonly result: Fact }[];
}

/** Undefined when the result must be asked.
 *  @param width of the operands
 *  @param lanes facts of the operands of each lane (or of lanes of which the same is known)
 *  @param isSame both operands are the same register */
export function bounded(name: Operation, width: Width, lanes: readonly { readonly x: Fact; readonly y: Fact }[], isSame: boolean): Bounded | undefined {
  const { modest } = RANGES[width];
  const result = resultOf(name, width);
  const attempt = (asks: readonly [boolean, boolean]): Bounded | undefined => {
    const found = lanes.map((lane) => {
      const x = asks[0] || (isSame && asks[1]) ? meet(lane.x, modest) : lane.x, y = asks[1] || (isSame && asks[0]) ? meet(lane.y, modest) : lane.y;
      return { x, y, result: y > TAME && (x > TAME || isUnary(name)) ? result(x, y) : UNKNOWN };
    });
    return found.every((lane) => lane.result > TAME) ? { asks, lanes: found } : undefined;
  };
  const free = attempt([false, false]);
  if (free !== undefined || !MAY_ASK.has(name)) return free;
  const isUnknown = (operand: "x" | "y"): boolean => lanes.some((lane) => lane[operand] <= TAME), isLarge = (operand: "x" | "y"): boolean => lanes.some((lane) => !implies(lane[operand], modest));
  const first = !isUnary(name) && isUnknown("x"), second = isUnknown("y") && !(isSame && first);
  return (first || second ? attempt([first, second]) : undefined) ?? attempt([!isUnary(name) && isLarge("x"), isLarge("y") && !(isSame && isLarge("x"))]);
}
const MAY_ASK: ReadonlySet<Operation> = new Set<Operation>(["add", "sub", "mul", "div", "sqrt", "widen"]);
/** Whether what is not known of the operands is asked. */
export function mayAsk(name: Operation): boolean {
  return MAY_ASK.has(name);
}
function isUnary(name: Operation): boolean {
  return name === "sqrt" || name === "round" || name === "widen" || name === "narrow";
}

/** The result's magnitude, or UNKNOWN when it may be out of range. Divisors must not be zero, and operands of √ not negative. */
function resultOf(name: Operation, width: Width): (x: Fact, y: Fact) => Fact {
  const { fraction, bottom, top } = RANGES[name === "narrow" ? 32 : width];
  const inRange = (least: number, most: number): Fact => (least >= bottom && most <= top ? magnitude(least, most) : UNKNOWN);
  /** Of a number that is not a sum of what came before: 2^smallest or more, rounded. */
  const rounded = (smallest: number, most: number): Fact => (smallest >= bottom && most <= top ? magnitude(smallest - fraction, most) : UNKNOWN);
  switch (name) {
    case "add":
    case "sub":
      return (x, y) => inRange(Math.min(leastOf(x), leastOf(y)), Math.max(mostOf(x), mostOf(y)) + 1);
    case "mul":
      return (x, y) => (x === ZERO || y === ZERO ? ZERO : inRange(leastOf(x) + leastOf(y), mostOf(x) + mostOf(y)));
    case "div":
      return (x, y) => (x === ZERO ? ZERO : rounded(leastOf(x) - mostOf(y), mostOf(x) - leastOf(y)));
    case "sqrt":
      return (_, y) => (y === ZERO ? ZERO : rounded(Math.floor(leastOf(y) / 2), Math.ceil(mostOf(y) / 2)));
    case "min":
    case "max":
      return join;
    case "round":
      return (_, y) => magnitude(Math.max(leastOf(y), 0), Math.max(mostOf(y), 1));
    case "widen":
      return (_, y) => y;
    case "narrow":
      return (_, y) => (y === ZERO ? ZERO : inRange(leastOf(y), mostOf(y)));
  }
}
