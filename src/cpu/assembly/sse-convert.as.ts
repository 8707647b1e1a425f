/** Conversions between integers, binary32 and binary64, and ROUNDSS/ROUNDSD.
 *
 *  Conversions to integers and ROUND do not report denormal operands; DAZ still turns them into zero. */
import { DENORMAL, INVALID, PRECISION, raise, raised, rounding, setRaised, setRounding, TRUNCATE } from "./environment.as";
import { exponent, high, inexact, normalize, roundToInteger, setReal, sign } from "./real.as";
import { forget, quickInteger, quickResult } from "./sse-quick.as";
import {
  beginSse, bias, endSse, exponentOf, fractionBits, isDenormal, isInfinite, isNaN, isNegative, isSignaling, isZero, loadReal,
  infinity, magnitude, noteDenormal, operand, packReal, quiet, signBit,
} from "./sse-format.as";

/** A signed integer as F. */
export function fromInteger<F>(a: i64): u64 {
  if (a == 0) return 0;
  setReal(a < 0 ? 1 : 0, 63, <u64>(a < 0 ? -a : a), 0);
  normalize();
  return packReal<F>();
}

/** F as a signed integer of `bits` width, in the environment's rounding; the "integer indefinite" when it does not fit. */
export function toInteger<F>(a: u64, bits: i32): i64 {
  a = operand<F>(a);
  if (isZero<F>(a)) return 0;
  const limit: u64 = (<u64>1) << (bits - 1);
  if (!isNaN<F>(a) && !isInfinite<F>(a)) {
    loadReal<F>(a);
    const negative = sign != 0;
    if (roundToInteger() && high <= limit - (negative ? 0 : 1)) {
      if (inexact) raise(PRECISION);
      return negative ? -(<i64>high) : <i64>high;
    }
  }
  raise(INVALID);
  return -(<i64>limit);
}

/** Truncation, whatever the rounding mode is. */
export function toIntegerTruncate<F>(a: u64, bits: i32): i64 {
  const mode = rounding;
  setRounding(TRUNCATE);
  const result = toInteger<F>(a, bits);
  setRounding(mode);
  return result;
}

/** Exact, but a denormal operand sets DE and a NaN is quieted. */
export function widen(a: u64): u64 {
  a = operand<f32>(a);
  const signed = (a & signBit<f32>()) << 32;
  if (isNaN<f32>(a)) {
    if (isSignaling<f32>(a)) raise(INVALID);
    return quiet<f64>(signed | infinity<f64>() | (magnitude<f32>(a) << 29));
  }
  if (isInfinite<f32>(a)) return signed | infinity<f64>();
  if (isZero<f32>(a)) return signed;
  noteDenormal<f32>(a);
  loadReal<f32>(a);
  return packReal<f64>();
}

export function narrow(a: u64): u64 {
  a = operand<f64>(a);
  const signed = (a & signBit<f64>()) >> 32;
  if (isNaN<f64>(a)) {
    if (isSignaling<f64>(a)) raise(INVALID);
    return quiet<f32>(signed | infinity<f32>() | ((magnitude<f64>(a) & ((<u64>1 << 52) - 1)) >> 29));
  }
  if (isInfinite<f64>(a)) return signed | infinity<f32>();
  if (isZero<f64>(a)) return signed;
  noteDenormal<f64>(a);
  loadReal<f64>(a);
  return packReal<f32>();
}

/** To an integral value. imm8: bits 1:0 rounding unless bit 2 selects MXCSR's, bit 3 suppresses PE. */
export function roundIntegral<F>(a: u64, imm: i32): u64 {
  a = operand<F>(a);
  if (isNaN<F>(a)) {
    if (isSignaling<F>(a)) raise(INVALID);
    return quiet<F>(a);
  }
  if (isInfinite<F>(a) || isZero<F>(a) || exponentOf<F>(a) >= fractionBits<F>()) return a;
  const mode = rounding;
  if ((imm & 4) == 0) setRounding(imm & 3);
  loadReal<F>(a);
  roundToInteger();
  setRounding(mode);
  if (inexact && (imm & 8) == 0) raise(PRECISION);
  if (!normalize()) return a & signBit<F>();
  return (a & signBit<F>()) | (((<u64>(exponent + bias<F>() - 1)) << fractionBits<F>()) + (high >> (63 - fractionBits<F>())));
}

export function i32_to_f64(a: i32): u64 { beginSse(); const r = fromInteger<f64>(a); endSse(); return r; }
export function i64_to_f64(a: i64): u64 { beginSse(); const r = fromInteger<f64>(a); endSse(); return r; }
export function i32_to_f32(a: i32): u32 { beginSse(); const r = fromInteger<f32>(a); endSse(); return <u32>r; }
export function i64_to_f32(a: i64): u32 { beginSse(); const r = fromInteger<f32>(a); endSse(); return <u32>r; }

export function f64_to_i32(a: u64): i32 { forget(); if (quickInteger<f64>(a, 32, false)) return <i32>quickResult; beginSse(); const r = toInteger<f64>(a, 32); endSse(); return <i32>r; }
export function f64_to_i64(a: u64): i64 { forget(); if (quickInteger<f64>(a, 64, false)) return <i64>quickResult; beginSse(); const r = toInteger<f64>(a, 64); endSse(); return r; }
export function f32_to_i32(a: u32): i32 { forget(); if (quickInteger<f32>(a, 32, false)) return <i32>quickResult; beginSse(); const r = toInteger<f32>(a, 32); endSse(); return <i32>r; }
export function f32_to_i64(a: u32): i64 { forget(); if (quickInteger<f32>(a, 64, false)) return <i64>quickResult; beginSse(); const r = toInteger<f32>(a, 64); endSse(); return r; }
export function f64_to_i32_truncate(a: u64): i32 { forget(); if (quickInteger<f64>(a, 32, true)) return <i32>quickResult; beginSse(); const r = toIntegerTruncate<f64>(a, 32); endSse(); return <i32>r; }
export function f64_to_i64_truncate(a: u64): i64 { forget(); if (quickInteger<f64>(a, 64, true)) return <i64>quickResult; beginSse(); const r = toIntegerTruncate<f64>(a, 64); endSse(); return r; }
export function f32_to_i32_truncate(a: u32): i32 { forget(); if (quickInteger<f32>(a, 32, true)) return <i32>quickResult; beginSse(); const r = toIntegerTruncate<f32>(a, 32); endSse(); return <i32>r; }
export function f32_to_i64_truncate(a: u32): i64 { forget(); if (quickInteger<f32>(a, 64, true)) return <i64>quickResult; beginSse(); const r = toIntegerTruncate<f32>(a, 64); endSse(); return r; }

export function f32_to_f64(a: u32): u64 { beginSse(); const r = widen(a); endSse(); return r; }
export function f64_to_f32(a: u64): u32 { beginSse(); const r = narrow(a); endSse(); return <u32>r; }
export function f64_round(a: u64, imm: i32): u64 { beginSse(); const r = roundIntegral<f64>(a, imm); endSse(); return r; }
export function f32_round(a: u32, imm: i32): u32 { beginSse(); const r = roundIntegral<f32>(a, imm); endSse(); return <u32>r; }
