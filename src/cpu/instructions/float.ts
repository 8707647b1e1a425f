/** Floating-point primitives: SSE arithmetic that is exact in value, NaN and MXCSR, and cheap when nothing special happens.
 *
 *  Each primitive computes with the Wasm operator, then asks whether an x86 processor would have done just that and no more. If the
 *  answer is not a plain yes, an exact helper (cpu/assembly) computes again, sets sticky flags, and the guard leaves on an unmasked
 *  exception; so call a primitive after everything that may fault and before any write (order rule, cpu/builder.ts).
 *
 *  When is the Wasm result everything? Intel SDM 1, §4.9 and §11.5:
 *   - no operand is a NaN (payload, IE) or denormal (DE): a NaN operand or an invalid operation makes the result a NaN;
 *   - no overflow (OE), division by zero (ZE): the result is finite;
 *   - no underflow (UE): the result's exponent is at least one above the least (x86 decides tininess after rounding), or it is exact;
 *   - inexact results set PE, which is then already set, and are rounded to nearest: {@link isFast}, {@link roundsAsWasm}.
 *  Sums and differences below the normal range are exact (their ulp is that of the operands), so for them finite is enough. */
import type { Builder, Value } from "../builder.ts";
import { FP_FAST, MXCSR, SCRATCH_A, SCRATCH_B, SCRATCH_C } from "../state.ts";
import { choose, field, is, laneMask, lanes, shuffle, splat, zeroVector } from "./sse-operands.ts";

export type FloatWidth = 32 | 64;
export type Arithmetic = "add" | "sub" | "mul" | "div";

interface Format {
  readonly scalar: "f32" | "f64";
  readonly packed: "f32x4" | "f64x2";
  /** Bits of the smallest normal number and of infinity. */
  readonly least: bigint;
  readonly infinity: bigint;
}
const formats: Readonly<Record<FloatWidth, Format>> = {
  32: { scalar: "f32", packed: "f32x4", least: 1n << 23n, infinity: 0xffn << 23n },
  64: { scalar: "f64", packed: "f64x2", least: 1n << 52n, infinity: 0x7ffn << 52n },
};

// ---- bits and numbers -----------------------------------------------------------------------------------------------------

/** The float with these bits. */
export function toFloat(b: Builder, bits: Value): Value {
  return bits.width === 64 ? b.op("f64.reinterpret_i64", bits) : b.op("f32.reinterpret_i32", bits);
}
export function toBits(b: Builder, float: Value): Value {
  return float.width === 64 ? b.op("i64.reinterpret_f64", float) : b.op("i32.reinterpret_f32", float);
}

// Doubling the bits drops the sign, so that magnitudes compare as unsigned integers.
function doubled(b: Builder, x: Value): Value {
  return b.shl(x, 1);
}
function limit(b: Builder, x: Value, bits: bigint): Value {
  return b.constant(x.width, 2n * bits);
}
function formatOf(x: Value): Format {
  return formats[x.width as FloatWidth];
}
/** Zero or not below the normal range (bits). One subtraction takes zero to the top. */
export function isNotDenormal(b: Builder, x: Value): Value {
  const one = b.constant(x.width, 1);
  return b.leU(b.sub(limit(b, x, formatOf(x).least), one), b.sub(doubled(b, x), one));
}
function isFiniteNumber(b: Builder, x: Value): Value {
  return b.ltU(doubled(b, x), limit(b, x, formatOf(x).infinity));
}
function isZero(b: Builder, x: Value): Value {
  return b.isZero(doubled(b, x));
}
/** Finite, with an exponent of at least one above the least. */
export function isOrdinary(b: Builder, x: Value): Value {
  const { least, infinity } = formatOf(x);
  return b.ltU(b.sub(doubled(b, x), limit(b, x, 2n * least)), limit(b, x, infinity - 2n * least));
}

// ---- MXCSR ----------------------------------------------------------------------------------------------------------------

/** To nearest, everything masked, PE set, no flushing: results that raise nothing else are Wasm's. */
export function isFast(b: Builder): Value {
  return b.truth(b.getState(FP_FAST, "i32.load").node);
}
/** The same with FTZ (bit 15) and DAZ (bit 6) in any state, for operations that meet no denormal. */
export function roundsAsWasm(b: Builder): Value {
  return b.eq(b.and(b.getState(MXCSR, "i32.load"), b.constant(32, 0x7fa0)), b.constant(32, 0x1fa0));
}

function all(b: Builder, ...conditions: Value[]): Value {
  return conditions.reduce((x, y) => b.and(x, y));
}
function any(b: Builder, ...conditions: Value[]): Value {
  return conditions.reduce((x, y) => b.or(x, y));
}

/** `native` if it is all there is to the operation, else what `exact` computes through helpers. */
export function settle(b: Builder, isPlain: Value, native: Value, exact: () => Value): Value {
  const result = b.variable(native);
  b.ifUnlikely(b.not(isPlain), () => {
    b.set(result, exact());
    b.floatGuard();
  });
  return b.ofNode(b.get(result).node, native.width);
}
/** The same where a second, wider question is worth asking before the helper. */
function settleTwice(b: Builder, isPlain: Value, isPlainToo: () => Value, native: Value, exact: () => Value): Value {
  const result = b.variable(native);
  b.ifUnlikely(b.not(isPlain), () => {
    b.if(b.not(isPlainToo()), () => {
      b.set(result, exact());
      b.floatGuard();
    });
  });
  return b.ofNode(b.get(result).node, native.width);
}

// ---- scalars --------------------------------------------------------------------------------------------------------------
// Operands and results are floats unless stated otherwise, so that values stay in vector registers; their bits are only looked at.

export function scalarArithmetic(b: Builder, name: Arithmetic, f: Value, g: Value): Value {
  const { scalar } = formatOf(f), native = b.op(`${scalar}.${name}`, f, g);
  const x = toBits(b, f), y = toBits(b, g), r = toBits(b, native);
  const operands = all(b, isNotDenormal(b, x), isNotDenormal(b, y));
  const isSum = name === "add" || name === "sub";
  // Zeros that are exact: x − x, 0 · y, 0 / y. (A NaN or infinity among the operands would not give zero, but for y / ∞.)
  const exactZero = (): Value =>
    isSum ? isZero(b, r) : all(b, isZero(b, r), name === "mul" ? any(b, isZero(b, x), isZero(b, y)) : isZero(b, x));
  return settleTwice(
    b,
    all(b, isFast(b), operands, isSum ? isFiniteNumber(b, r) : isOrdinary(b, r)),
    () => all(b, roundsAsWasm(b), operands, any(b, isOrdinary(b, r), exactZero())),
    native,
    () => toFloat(b, b.helper(`${scalar}_${name}`, x, y)),
  );
}

/** A root is never tiny: its exponent is about half the operand's. */
export function scalarSquareRoot(b: Builder, f: Value): Value {
  const { scalar } = formatOf(f), native = b.op(`${scalar}.sqrt`, f), x = toBits(b, f);
  const plain = all(b, roundsAsWasm(b), isNotDenormal(b, x), isFiniteNumber(b, toBits(b, native)));
  return settle(b, plain, native, () => toFloat(b, b.helper(`${scalar}_sqrt`, x)));
}

interface Relation {
  readonly less: Value;
  readonly equal: Value;
  /** Neither operand is a NaN or denormal. */
  readonly plain: Value;
  /** Bits of the operands. */
  readonly x: Value;
  readonly y: Value;
}
function relate(b: Builder, f: Value, g: Value): Relation {
  const { scalar } = formatOf(f), x = toBits(b, f), y = toBits(b, g);
  const less = is(b, `${scalar}.lt`, f, g), ordered = any(b, less, is(b, `${scalar}.ge`, f, g));
  return { less, equal: is(b, `${scalar}.eq`, f, g), plain: all(b, isNotDenormal(b, x), isNotDenormal(b, y), ordered), x, y };
}

/** MINSS x,y = x < y ? x : y; MAXSS x,y = x > y ? x : y. Two zeros, or a NaN, give y. */
export function scalarExtreme(b: Builder, name: "min" | "max", f: Value, g: Value): Value {
  const { scalar } = formatOf(f);
  const { plain, less } = name === "min" ? relate(b, f, g) : relate(b, g, f);
  return settle(b, plain, b.select(less, f, g), () => toFloat(b, b.helper(`${scalar}_${name}`, toBits(b, f), toBits(b, g))));
}

/** COMIS and UCOMIS: sets all six flags. ZF, PF, CF = unordered 111, less 001, equal 100, greater 000. */
export function scalarFlags(b: Builder, name: "comis" | "ucomis", f: Value, g: Value): void {
  const { less, equal, plain, x, y } = relate(b, f, g);
  const no = b.truth(b.constant(32, 0).node);
  const carry = b.variable(less), zero = b.variable(equal), parity = b.variable(no);
  b.ifUnlikely(b.not(plain), () => {
    const flags = b.helper(`${formatOf(f).scalar}_${name}`, x, y), one = b.constant(32, 1);
    b.floatGuard();
    b.set(carry, b.and(flags, one));
    b.set(parity, b.and(b.shrU(flags, 2), one));
    b.set(zero, b.and(b.shrU(flags, 6), one));
  });
  b.flags.replaceAll();
  b.flags.carry(b.truth(b.get(carry).node));
  b.flags.zero(b.truth(b.get(zero).node));
  b.flags.parity(b.truth(b.get(parity).node));
  b.flags.overflow(no);
  b.flags.sign(no);
  b.flags.adjust(no);
}

/** CMPSS, CMPSD: all ones or zeros, as bits. Predicates 0…3 are EQ LT LE UNORD, 4…7 their negations. */
export function scalarCompare(b: Builder, f: Value, g: Value, predicate: Value): Value {
  const { scalar } = formatOf(f), { less, equal, plain, x, y } = relate(b, f, g);
  const base = field(b, predicate, 0, 2), negated = field(b, predicate, 2, 1);
  const word = (v: Value): Value => b.ofNode(v.node, 32);
  const holds = choose(b, base, [() => word(equal), () => word(less), () => word(any(b, less, equal)), () => b.constant(32, 0)]);
  const mask = b.neg(b.zext(b.xor(holds, negated), f.width));
  return settle(b, plain, mask, () => b.helper(`${scalar}_compare`, x, y, field(b, predicate, 0, 3)));
}

/** ROUNDSS, ROUNDSD. imm8: bits 1:0 nearest, down, up, truncate; bit 2: MXCSR's mode instead; bit 3: no PE. */
export function scalarRound(b: Builder, f: Value, control: Value): Value {
  const { scalar } = formatOf(f), x = toBits(b, f);
  const native = roundAs(b, control, (mode) => b.op(`${scalar}.${mode}`, f));
  const plain = all(b, roundsAsWasm(b), isNotDenormal(b, x), is(b, `${scalar}.eq`, f, f));
  return settle(b, plain, native, () => toFloat(b, b.helper(`${scalar}_round`, x, field(b, control, 0, 4))));
}
/** The rounding that a ROUND immediate asks for while MXCSR says nearest. */
function roundAs(b: Builder, control: Value, apply: (mode: string) => Value): Value {
  const explicit = (): Value =>
    choose(b, field(b, control, 0, 2), [() => apply("nearest"), () => apply("floor"), () => apply("ceil"), () => apply("trunc")]);
  return choose(b, field(b, control, 2, 1), [explicit, () => apply("nearest")]);
}

/** RCPSS, RSQRTSS: a fixed approximation without flags. */
export function scalarApproximation(b: Builder, name: "reciprocal" | "reciprocal_sqrt", f: Value): Value {
  return toFloat(b, b.helper(`f32_${name}`, toBits(b, f)));
}

// ---- packed ---------------------------------------------------------------------------------------------------------------
// Vectors in, vectors out. One "bad" mask over all lanes decides.

function constantLanes(b: Builder, width: FloatWidth, bits: bigint): Value {
  return lanes(b, width, [bits]);
}
/** Calls a packed helper on SCRATCH_A (and SCRATCH_B) → SCRATCH_C. */
export function packedHelper(b: Builder, name: string, x: Value, y?: Value, argument?: Value): Value {
  b.setState(SCRATCH_A, x, "v128.store");
  if (y !== undefined) b.setState(SCRATCH_B, y, "v128.store");
  if (argument === undefined) b.helperVoid(name);
  else b.helperVoid(name, argument);
  return b.ofNode(b.getState(SCRATCH_C, "v128.load").node, 128);
}
export function anyLane(b: Builder, mask: Value): Value {
  return is(b, "v128.any_true", mask);
}
export function orLanes(b: Builder, ...masks: Value[]): Value {
  return masks.reduce((x, y) => b.op("v128.or", x, y));
}
/** Lanes that are infinite or NaN: r − r is 0 for finite numbers only. */
function notFiniteLanes(b: Builder, width: FloatWidth, r: Value): Value {
  const { packed } = formats[width];
  return b.op(`${packed}.ne`, b.op(`${packed}.sub`, r, r), zeroVector(b));
}
export function nanLanes(b: Builder, width: FloatWidth, x: Value): Value {
  return b.op(`${formats[width].packed}.ne`, x, x);
}
function zeroLanes(b: Builder, width: FloatWidth, x: Value): Value {
  return b.op(`${formats[width].packed}.eq`, x, zeroVector(b));
}
/** Lanes of magnitude below the number with these bits. */
function belowLanes(b: Builder, width: FloatWidth, x: Value, bits: bigint): Value {
  const { packed } = formats[width];
  return b.op(`${packed}.lt`, b.op(`${packed}.abs`, x), constantLanes(b, width, bits));
}
export function denormalLanes(b: Builder, width: FloatWidth, x: Value): Value {
  return b.op("v128.andnot", belowLanes(b, width, x, formats[width].least), zeroLanes(b, width, x));
}

/** x ∘ y in every lane; `exact` calls the helper, whose operands may be arranged otherwise (horizontal operations). */
export function packedArithmetic(b: Builder, name: Arithmetic, width: FloatWidth, x: Value, y: Value, exact: () => Value): Value {
  const { packed, least } = formats[width];
  const native = b.op(`${packed}.${name}`, x, y);
  const isSum = name === "add" || name === "sub";
  const magnitude = (v: Value): Value => b.op(`${packed}.abs`, v);
  const infinite = notFiniteLanes(b, width, native);
  // First question, no zeros allowed: the smallest magnitude involved. pmin may pass over a NaN, but then the result is one.
  const smaller = b.op(`${packed}.pmin`, magnitude(x), magnitude(y));
  const smallest = isSum ? smaller : b.op(`${packed}.pmin`, smaller, magnitude(native));
  const tooSmall = b.op(`${packed}.lt`, smallest, constantLanes(b, width, isSum ? least : 2n * least));
  const bad = anyLane(b, orLanes(b, tooSmall, infinite));
  const badInDetail = (): Value => {
    const zero = isSum
      ? zeroLanes(b, width, native)
      : name === "mul" ? orLanes(b, zeroLanes(b, width, x), zeroLanes(b, width, y)) : zeroLanes(b, width, x);
    const tiny = b.op("v128.andnot", belowLanes(b, width, native, 2n * least), zero);
    return anyLane(b, orLanes(b, infinite, denormalLanes(b, width, x), denormalLanes(b, width, y), tiny));
  };
  return settleTwice(b, all(b, isFast(b), b.not(bad)), () => all(b, roundsAsWasm(b), b.not(badInDetail())), native, exact);
}

/** DPPS, DPPD. imm8: bits 7:4 choose the lanes to multiply, bits 3:0 the lanes to receive the sum; the others become zero. Lanes are
 *  added in neighbouring pairs, then the pairs. Every step must be plain: an intermediate may underflow, or be a denormal operand. */
export function packedDot(b: Builder, width: FloatWidth, x: Value, y: Value, control: Value): Value {
  const { packed, least } = formats[width];
  const count = 128 / width;
  const tiny = (v: Value, zero: Value): Value => b.op("v128.andnot", belowLanes(b, width, v, 2n * least), zero);
  const products = b.op(`${packed}.mul`, x, y);
  const bad = [
    denormalLanes(b, width, x), denormalLanes(b, width, y),
    tiny(products, orLanes(b, zeroLanes(b, width, x), zeroLanes(b, width, y))),
  ];
  let sum = b.op("v128.and", products, laneMask(b, width, field(b, control, 4, count)));
  for (let step = 1; step < count; step *= 2) {
    sum = b.op(`${packed}.add`, sum, shuffle(b, width, sum, sum, Array.from({ length: count }, (_, i) => i ^ step)));
    bad.push(tiny(sum, zeroLanes(b, width, sum)));
  }
  // An infinity or NaN among the chosen products reaches the sum.
  bad.push(notFiniteLanes(b, width, sum));
  const native = b.op("v128.and", sum, laneMask(b, width, field(b, control, 0, count)));
  const plain = all(b, roundsAsWasm(b), b.not(anyLane(b, orLanes(b, ...bad))));
  return settle(b, plain, native, () => packedHelper(b, `${packed}_dot`, x, y, control));
}

export function packedSquareRoot(b: Builder, width: FloatWidth, x: Value): Value {
  const { packed } = formats[width];
  const native = b.op(`${packed}.sqrt`, x);
  const bad = anyLane(b, orLanes(b, notFiniteLanes(b, width, native), denormalLanes(b, width, x)));
  return settle(b, all(b, roundsAsWasm(b), b.not(bad)), native, () => packedHelper(b, `${packed}_sqrt`, x));
}

/** Lanes in which a comparison may raise something: a NaN or denormal operand. */
function specialLanes(b: Builder, width: FloatWidth, x: Value, y: Value): Value {
  const { packed } = formats[width];
  // The sum of two magnitudes is a NaN just when one of them is.
  const nan = nanLanes(b, width, b.op(`${packed}.add`, b.op(`${packed}.abs`, x), b.op(`${packed}.abs`, y)));
  return orLanes(b, nan, denormalLanes(b, width, x), denormalLanes(b, width, y));
}

/** Wasm's pmin(y, x) is x < y ? x : y, which is MINPS x,y; likewise pmax. */
export function packedExtreme(b: Builder, name: "min" | "max", width: FloatWidth, x: Value, y: Value): Value {
  const { packed } = formats[width];
  const plain = b.not(anyLane(b, specialLanes(b, width, x, y)));
  return settle(b, plain, b.op(`${packed}.p${name}`, y, x), () => packedHelper(b, `${packed}_${name}`, x, y));
}

export function packedCompare(b: Builder, width: FloatWidth, x: Value, y: Value, predicate: Value): Value {
  const { packed } = formats[width];
  const relation = (name: string) => (): Value => b.op(`${packed}.${name}`, x, y);
  const holds = choose(b, field(b, predicate, 0, 2), [relation("eq"), relation("lt"), relation("le"), () => zeroVector(b)]);
  const negated = splat(b, 32, b.neg(field(b, predicate, 2, 1)));
  const plain = b.not(anyLane(b, specialLanes(b, width, x, y)));
  return settle(b, plain, b.op("v128.xor", holds, negated), () => packedHelper(b, `${packed}_compare`, x, y, field(b, predicate, 0, 3)));
}

export function packedRound(b: Builder, width: FloatWidth, x: Value, control: Value): Value {
  const { packed, scalar } = formats[width];
  const native = roundAs(b, control, (mode) => {
    let result = x;
    for (let lane = 0; lane < 128 / width; lane++) {
      const rounded = b.op(`${scalar}.${mode}`, b.lane(`${packed}.extract_lane`, [lane], x));
      result = b.lane(`${packed}.replace_lane`, [lane], result, rounded);
    }
    return result;
  });
  const bad = anyLane(b, orLanes(b, nanLanes(b, width, x), denormalLanes(b, width, x)));
  const plain = all(b, roundsAsWasm(b), b.not(bad));
  return settle(b, plain, native, () => packedHelper(b, `${packed}_round`, x, undefined, field(b, control, 0, 4)));
}
