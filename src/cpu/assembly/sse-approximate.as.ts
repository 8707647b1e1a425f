/** RCPPS/RCPSS and RSQRTPS/RSQRTSS. The manual asks for a relative error of at most 1.5 · 2^-12 and leaves the bits to the
 *  implementation, so ours are fixed: the correctly rounded 1/x or 1/√x, cut to a 12-bit significand (rounded to nearest,
 *  ties up), an error of at most 2^-12. One result on all hosts.
 *  Special cases are the manual's: denormal operands count as zeros, zero gives infinity, infinity gives zero, a result
 *  that would be denormal is zero, a negative operand of RSQRT gives the default NaN. No flags, MXCSR is not looked at. */
import { divideReal, exponent, high, squareRootReal, TOP_BIT } from "./real.as";
import {
  bias, defaultNaN, exponentOf, fractionBits, infinity, isDenormal, isInfinite, isNaN, isNegative, isZero, quiet, signBit,
  significandOf,
} from "./sse-format.as";

const KEPT_BITS: i32 = 12;

export function reciprocal(a: u64): u64 {
  const signed = a & signBit<f32>();
  if (isNaN<f32>(a)) return quiet<f32>(a);
  if (isZero<f32>(a) || isDenormal<f32>(a)) return signed | infinity<f32>();
  if (isInfinite<f32>(a)) return signed;
  divideReal(0, 0, TOP_BIT, 0, exponentOf<f32>(a), significandOf<f32>(a));
  return signed | cut();
}

export function reciprocalSquareRoot(a: u64): u64 {
  const signed = a & signBit<f32>();
  if (isNaN<f32>(a)) return quiet<f32>(a);
  if (isZero<f32>(a) || isDenormal<f32>(a)) return signed | infinity<f32>();
  if (isNegative<f32>(a)) return defaultNaN<f32>();
  if (isInfinite<f32>(a)) return 0;
  squareRootReal(exponentOf<f32>(a), significandOf<f32>(a));
  divideReal(0, 0, TOP_BIT, 0, exponent, high);
  return cut();
}

/** The number in real.ts as a binary32 with a short significand; zero when that would be denormal. */
function cut(): u64 {
  const drop = 64 - KEPT_BITS;
  let kept = high >> drop;
  if (((high >> (drop - 1)) & 1) != 0) kept++;
  // A carry out of the significand lands in the exponent field.
  if (exponent < 1 - bias<f32>()) return 0;
  return ((<u64>(exponent + bias<f32>() - 1)) << fractionBits<f32>()) + (kept << (fractionBits<f32>() + 1 - KEPT_BITS));
}

export function f32_reciprocal(a: u32): u32 { return <u32>reciprocal(a); }
export function f32_reciprocal_sqrt(a: u32): u32 { return <u32>reciprocalSquareRoot(a); }
