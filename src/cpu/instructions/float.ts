/** Floating-point primitives on scalars: SSE arithmetic that is exact in value, NaN and MXCSR, and cheap when nothing special happens.
 *  float-packed.ts has the packed ones.
 *
 *  Each primitive computes with the Wasm operator, then asks whether an x86 processor would have done just that and no more. If the
 *  answer is not a plain yes, it asks a second, wider question where one is worth it; and at last an exact helper (cpu/assembly)
 *  computes again, sets sticky flags, and the guard leaves on an unmasked exception; so call a primitive after everything that may
 *  fault and before any write (order rule, cpu/builder.ts).
 *
 *  When is the Wasm result everything? Intel SDM 1, §4.9 and §11.5:
 *   - no operand is a NaN (payload, IE) or denormal (DE): a NaN operand or an invalid operation makes the result a NaN;
 *   - no overflow (OE), division by zero (ZE): the result is finite;
 *   - no underflow (UE): the result's exponent is at least one above the least (x86 decides tininess after rounding), or it is exact;
 *   - inexact results set PE, which is then already set, and are rounded to nearest: the mode is *fast* (FP_FAST, cpu/state.ts).
 *
 *  The first question is about the result's exponent and the mode at once. In the word that holds sign and exponent, adding one to the
 *  exponent makes it 1 for zeros and denormals, 2 and 3 for the smallest normal numbers, and 0 with a carry into the sign for infinities
 *  and NaNs; so none of the bits of FP_FAST_MASK is left. An ordinary number leaves one:
 *
 *     f64, upper word   31 30…20     19…0          f32   31 30…23     22…0
 *                       s  exponent  fraction            s  exponent  fraction
 *     FP_FAST_MASK      0  111111 000000…                0  111111 00 …
 *
 *  Operands are asked for an exponent other than 0, unless it is known that they are not denormal: *tame* (builder.ts).
 *
 *  Where enough is known of the operands' magnitude, nothing is asked of the result (jit/magnitude.ts). */
import type { Builder, MagnitudePlan, Operand, Value } from "../builder.ts";
import { F32, F64 } from "../wasm/opcodes.ts";
import { choose, field, is, low } from "./sse-operands.ts";

export type FloatWidth = 32 | 64;
export type Arithmetic = "add" | "sub" | "mul" | "div";

interface Format {
  readonly scalar: "f32" | "f64";
  readonly packed: "f32x4" | "f64x2";
  /** Bits of the smallest normal number and of infinity. */
  readonly least: bigint;
  readonly infinity: bigint;
  /** The exponent and its lowest bit in the word that holds it. */
  readonly exponent: number;
  readonly one: number;
}
export const formats: Readonly<Record<FloatWidth, Format>> = {
  32: { scalar: "f32", packed: "f32x4", least: 1n << 23n, infinity: 0xffn << 23n, exponent: 0x7f80_0000, one: 0x80_0000 },
  64: { scalar: "f64", packed: "f64x2", least: 1n << 52n, infinity: 0x7ffn << 52n, exponent: 0x7ff0_0000, one: 0x10_0000 },
};
export function formatOf(x: Value): Format {
  return formats[x.width as FloatWidth];
}

/** An operand, with what is known about it. */
export interface Subject {
  readonly f: Value;
  readonly isTame: boolean;
  /** Neither infinite nor a NaN. */
  readonly isFinite: boolean;
}
export function readSubject(b: Builder, operand: Operand): Subject {
  const width = operand.width as FloatWidth;
  return { f: b.readFloat(operand), isTame: b.isTame(operand, width), isFinite: b.isFinite(operand, width) };
}
/** Both operands of a scalar instruction; the source first, because it may fault. */
export function readSubjects(b: Builder, dst: Operand, src: Operand, width: FloatWidth): [x: Subject, y: Subject] {
  const y = readSubject(b, src);
  return [readSubject(b, low(dst, width)), y];
}

// ---- bits and numbers -----------------------------------------------------------------------------------------------------

/** The float with these bits. */
export function toFloat(b: Builder, bits: Value): Value {
  return bits.width === 64 ? b.op("f64.reinterpret_i64", bits) : b.op("f32.reinterpret_i32", bits);
}
export function toBits(b: Builder, float: Value): Value {
  return float.width === 64 ? b.op("i64.reinterpret_f64", float) : b.op("i32.reinterpret_f32", float);
}
/** The same where it is seldom wanted: by a way of its own, so that the compiler does not keep what the first question has looked at. */
function toBitsSeldom(b: Builder, float: Value): Value {
  return b.lane(float.width === 64 ? "i64x2.extract_lane" : "i32x4.extract_lane", [0], spread(b, float));
}
/** Zero or not below the normal range. Doubling drops the sign, and one subtraction takes zero to the top. */
function isNotDenormal(b: Builder, f: Value, x: Value): Value {
  const one = b.constant(x.width, 1);
  return b.leU(b.constant(x.width, 2n * formatOf(f).least - 1n), b.sub(b.shl(x, 1), one));
}
function areNotDenormal(b: Builder, subjects: readonly Subject[]): Value[] {
  return subjects.filter((s) => !s.isTame).map((s) => isNotDenormal(b, s.f, toBitsSeldom(b, s.f)));
}
function isZero(b: Builder, f: Value): Value {
  return is(b, `${formatOf(f).scalar}.eq`, f, toFloat(b, b.constant(f.width, 0)));
}
export function isNaN(b: Builder, f: Value): Value {
  return is(b, `${formatOf(f).scalar}.ne`, f, f);
}
export function all(b: Builder, ...conditions: Value[]): Value {
  return conditions.reduce((x, y) => b.and(x, y));
}
export function any(b: Builder, ...conditions: Value[]): Value {
  return conditions.reduce((x, y) => b.or(x, y));
}

// ---- questions ------------------------------------------------------------------------------------------------------------

/** MXCSR says: to nearest, everything masked, PE set. */
export function isFast(b: Builder): Value {
  return b.isNonZero(b.fastMask());
}
/** What is left of an ordinary number's exponent; 0 for any other. `mask` is the mode's, or FP_FAST_MASK where the mode is no matter. */
export function ordinary(b: Builder, f: Value, mask = b.fastMask()): Value {
  return b.and(b.add(b.topWord(f), b.constant(32, formatOf(f).one)), mask);
}
/** Truths, each of which says that an operand may be denormal: all zeros say so too. */
function mayBeDenormal(b: Builder, subjects: readonly Subject[]): Value[] {
  return subjects.filter((s) => !s.isTame).map(({ f }) => b.isZero(b.and(b.topWord(f), b.constant(32, formatOf(f).exponent))));
}

/** `native`, or what `exact` computes through helpers when one of the `doubts` is not dispelled by `isPlain`. */
export function settle(b: Builder, doubts: readonly Value[], isPlain: (() => Value) | undefined, native: Value, exact: () => Value): Value {
  const result = b.variable(native);
  const ask = (): void => {
    b.set(result, exact());
    b.floatGuard();
  };
  b.ifAnyUnlikely(doubts, () => {
    if (isPlain === undefined) ask();
    else b.if(b.not(isPlain()), ask);
  });
  return b.ofNode(b.get(result).node, native.width);
}
/** The same where a NaN is no matter for the result: only a denormal operand could make it another than `native`. */
export function settleEffects(b: Builder, doubts: readonly Value[], native: Value, exact: () => Value): Value {
  if (!b.leavesAtDenormals) return settle(b, doubts, undefined, native, exact);
  b.ifAnyUnlikely(doubts, () => {
    exact();
    b.floatGuard();
  });
  return native;
}

/** What a helper of scalars gives, by its name for bits. */
function exactly(b: Builder, name: string, ...args: Value[]): Value {
  if (b.callsWithFloats) return b.helper(`settle_${name}`, ...args);
  const result = b.helper(name, ...args.map((x) => (x.node.type === F32 || x.node.type === F64 ? toBitsSeldom(b, x) : x)));
  return name.endsWith("comis") ? result : toFloat(b, result);
}
/** The question whether an unusual result is plain all the same, where helpers do not answer it. */
function unlessSettled(b: Builder, isPlain: () => Value): (() => Value) | undefined {
  return b.callsWithFloats ? undefined : isPlain;
}

/** The word of sign and exponent of a *modest* number is so far above this one that none of these bits is set: exponents −255…256 in binary64,
 *  −31…32 in binary32. Sums and products of modest numbers raise nothing but PE (jit/magnitude.ts). */
export const MODEST = 0x3000_0000, IMMODEST = 0x6000_0000;
function distance(b: Builder, f: Value): Value {
  return b.sub(b.topWord(f), b.constant(32, MODEST));
}
function isModest(b: Builder, f: Value): Value {
  return b.isZero(b.and(distance(b, f), b.constant(32, IMMODEST)));
}
/** What the last operand must not be, though it be zero or modest, and a bit of its distance that says so too. Zero itself is far from modest. */
interface Ban { readonly bit: number; readonly holds: (b: Builder, f: Value) => Value }
const ZERO_DIVISOR: Ban = { bit: 0, holds: isZero };
const NEGATIVE: Ban = { bit: -0x8000_0000, holds: (b, f) => is(b, `${formatOf(f).scalar}.lt`, f, toFloat(b, b.constant(f.width, 0))) };

/** `native`, which needs no question behind those of the plan: operands that are modest or zero. */
function withoutQuestion(b: Builder, { asks }: MagnitudePlan, operands: readonly Subject[], native: Value, ban?: Ban): Value {
  const last = operands[operands.length - 1].f;
  const asked = operands.filter(({ f }, i) => asks[i] && !b.isModest(f)).map(({ f }) => f), asksLast = asked.includes(last);
  const doubts: Value[] = [];
  if (asked.length > 0) {
    const bits = IMMODEST | (asksLast && ban !== undefined ? ban.bit : 0);
    doubts.push(b.truth(b.and(asked.map((f) => distance(b, f)).reduce((x, y) => b.or(x, y)), b.constant(32, bits)).node));
  }
  if (ban !== undefined && !asksLast) doubts.push(ban.holds(b, last));
  b.ifAnyUnlikely(doubts, () => {
    const good = asked.map((f) => any(b, isZero(b, f), isModest(b, f)));
    if (ban !== undefined) good.push(b.not(ban.holds(b, last)));
    b.if(b.not(all(b, ...good)), () => b.leaveForMagnitude());
  });
  b.noteModest(asked);
  return native;
}

// ---- arithmetic -----------------------------------------------------------------------------------------------------------
// Operands and results are floats unless stated otherwise, so that values stay in vector registers.

export function scalarArithmetic(b: Builder, name: Arithmetic, x: Subject, y: Subject): Value {
  const { scalar } = formatOf(x.f), native = b.op(`${scalar}.${name}`, x.f, y.f), plan = b.magnitudePlan;
  if (plan !== undefined) return withoutQuestion(b, plan, [x, y], native, name === "div" ? ZERO_DIVISOR : undefined);
  const left = ordinary(b, native);
  // Zeros that are exact: x − x, 0 · y, 0 / y. (A NaN or infinity among the operands would not give zero, but for y / ∞.)
  const exactZero = (): Value[] => {
    if (name === "add" || name === "sub") return [isZero(b, native)];
    return [isZero(b, native), name === "mul" ? any(b, isZero(b, x.f), isZero(b, y.f)) : isZero(b, x.f)];
  };
  const operands = mayBeDenormal(b, [x, y]);
  const isPlain = (): Value => {
    const zero = all(b, isFast(b), ...exactZero());
    return operands.length === 0 ? zero : all(b, any(b, b.isNonZero(left), zero), ...areNotDenormal(b, [x, y]));
  };
  return settle(
    b,
    [...operands, b.isZero(left)],
    unlessSettled(b, isPlain),
    native,
    () => exactly(b, `${scalar}_${name}`, x.f, y.f),
  );
}

/** A root is never tiny: its exponent is about half the operand's. */
export function scalarSquareRoot(b: Builder, x: Subject): Value {
  const { scalar } = formatOf(x.f), native = b.op(`${scalar}.sqrt`, x.f), plan = b.magnitudePlan;
  if (plan !== undefined) return withoutQuestion(b, { asks: [plan.asks[1]] }, [x], native, NEGATIVE);
  const doubts = [...mayBeDenormal(b, [x]), b.isZero(ordinary(b, native))];
  return settle(b, doubts, unlessSettled(b, () => isZero(b, x.f)), native, () => exactly(b, `${scalar}_sqrt`, x.f));
}

// ---- comparisons ----------------------------------------------------------------------------------------------------------

/** Truths, one of which holds when a comparison may raise something. Zeros are compared too often to be taken for denormal. */
function mayRaise(b: Builder, x: Subject, y: Subject): Value[] {
  const unknown = [x, y].filter((s) => !s.isTame);
  return [...unknown.map(({ f }) => b.not(isNotDenormal(b, f, toBits(b, f)))), ...[x, y].filter((s) => !s.isFinite).map(({ f }) => isNaN(b, f))];
}
/** A vector with the float in its low lane (and in the others). */
function spread(b: Builder, f: Value): Value {
  return b.op(`${formatOf(f).packed}.splat`, f);
}
function lowLane(b: Builder, width: FloatWidth, v: Value): Value {
  return b.ofNode(b.lane(`${formats[width].packed}.extract_lane`, [0], v).node, width);
}

/** MINSS x,y = x < y ? x : y; MAXSS x,y = x > y ? x : y. Two zeros, or a NaN, give y. Wasm's pmin(y, x) is x < y ? x : y. */
export function scalarExtreme(b: Builder, name: "min" | "max", x: Subject, y: Subject): Value {
  const { scalar, packed } = formatOf(x.f);
  const native = lowLane(b, x.f.width as FloatWidth, b.op(`${packed}.p${name}`, spread(b, y.f), spread(b, x.f)));
  return settleEffects(b, mayRaise(b, x, y), native, () => exactly(b, `${scalar}_${name}`, x.f, y.f));
}

/** COMIS and UCOMIS: sets all six flags. ZF, PF, CF = unordered 111, less 001, equal 100, greater 000. */
export function scalarFlags(b: Builder, name: "comis" | "ucomis", x: Subject, y: Subject): void {
  const { scalar } = formatOf(x.f), doubts = mayRaise(b, x, y);
  const exact = (): Value => exactly(b, `${scalar}_${name}`, x.f, y.f);
  if (b.leavesAtDenormals) {
    b.ifAnyUnlikely(doubts, () => {
      exact();
      b.floatGuard();
    });
    b.flags.compareFloats(x.f, y.f);
    return;
  }
  const less = is(b, `${scalar}.lt`, x.f, y.f), equal = is(b, `${scalar}.eq`, x.f, y.f);
  const flags = b.variable(b.or(b.ofNode(less.node, 32), b.shl(b.ofNode(equal.node, 32), 6)));
  b.ifAnyUnlikely(doubts, () => {
    b.set(flags, exact());
    b.floatGuard();
  });
  const at = (place: number): Value => b.truth(b.and(b.shrU(b.get(flags), place), b.constant(32, 1)).node);
  b.flags.compared(at(0), at(6), at(2));
}

/** CMPSS, CMPSD: all ones or zeros in the place of a float. Predicates 0…3 are EQ LT LE UNORD, 4…7 their negations. */
export function scalarCompare(b: Builder, x: Subject, y: Subject, predicate: Value): Value {
  const { scalar, packed } = formatOf(x.f), f = spread(b, x.f), g = spread(b, y.f);
  const native = lowLane(b, x.f.width as FloatWidth, relation(b, packed, f, g, predicate));
  return settleEffects(b, mayRaise(b, x, y), native, () => exactly(b, `${scalar}_compare`, x.f, y.f, field(b, predicate, 0, 3)));
}
/** Lanes of all ones or zeros. */
export function relation(b: Builder, packed: "f32x4" | "f64x2", x: Value, y: Value, predicate: Value): Value {
  const by = (name: string) => (): Value => b.op(`${packed}.${name}`, x, y);
  const unordered = (): Value => b.op("v128.or", b.op(`${packed}.ne`, x, x), b.op(`${packed}.ne`, y, y));
  const holds = choose(b, field(b, predicate, 0, 2), [by("eq"), by("lt"), by("le"), unordered]);
  return choose(b, field(b, predicate, 2, 1), [() => holds, () => b.op("v128.not", holds)]);
}

// ---- rounding and approximation -------------------------------------------------------------------------------------------

/** ROUNDSS, ROUNDSD. imm8: bits 1:0 nearest, down, up, truncate; bit 2: MXCSR's mode instead; bit 3: no PE. Denormal operands matter
 *  with DAZ only. */
export function scalarRound(b: Builder, x: Subject, control: Value): Value {
  const { scalar } = formatOf(x.f);
  const native = roundAs(b, control, (mode) => b.op(`${scalar}.${mode}`, x.f));
  if (b.magnitudePlan !== undefined) return native;
  const doubts = [...mayBeDenormal(b, [x]), b.isZero(b.fastMask()), isNaN(b, x.f)];
  return settle(b, doubts, () => all(b, isFast(b), isZero(b, x.f)), native, () => exactly(b, `${scalar}_round`, x.f, field(b, control, 0, 4)));
}
/** The rounding that a ROUND immediate asks for while MXCSR says nearest. */
export function roundAs(b: Builder, control: Value, apply: (mode: string) => Value): Value {
  const explicit = (): Value =>
    choose(b, field(b, control, 0, 2), [() => apply("nearest"), () => apply("floor"), () => apply("ceil"), () => apply("trunc")]);
  return choose(b, field(b, control, 2, 1), [explicit, () => apply("nearest")]);
}

/** RCPSS, RSQRTSS: a fixed approximation without flags. */
export function scalarApproximation(b: Builder, name: "reciprocal" | "reciprocal_sqrt", f: Value): Value {
  return toFloat(b, b.helper(`f32_${name}`, toBits(b, f)));
}

// ---- conversions ----------------------------------------------------------------------------------------------------------

/** Widening is exact: only NaNs (quieted, IE) and denormals (DE) are special. */
export function widen(b: Builder, x: Subject): Value {
  const native = b.op("f64.promote_f32", x.f), plan = b.magnitudePlan;
  if (plan !== undefined) return withoutQuestion(b, { asks: [plan.asks[1]] }, [x], native);
  const doubts = [...mayBeDenormal(b, [x]), isNaN(b, x.f)];
  const isPlain = x.isTame ? undefined : (): Value => isZero(b, x.f);
  return settle(b, doubts, isPlain, native, () => exactly(b, "f32_to_f64", x.f));
}
export function narrow(b: Builder, x: Subject): Value {
  const native = b.op("f32.demote_f64", x.f);
  if (b.magnitudePlan !== undefined) return native;
  const doubts = [...mayBeDenormal(b, [x]), b.isZero(ordinary(b, native))];
  return settle(b, doubts, unlessSettled(b, () => isZero(b, x.f)), native, () => exactly(b, "f64_to_f32", x.f));
}
