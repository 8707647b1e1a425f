/** binary32 and binary64 as SSE treats them: taking bits apart, NaN rules, flushing, rounding and packing.
 *
 *  Generic functions take F = f32 or f64 and work on raw bits held in a u64, so each exists once and compiles twice.
 *  References: Intel SDM 1, 4.8.3.5 (operating on NaNs), 10.2.3 (MXCSR), 11.5 (SSE exceptions). */
import { FP_FAST, FP_FAST_MASK, FP_NOTICE, MXCSR, MXCSR_FAST, MXCSR_FAST_BITS, NOTICE_DENORMAL, NOTICE_EXCEPTION, NOTICE_FAST } from "../state";
import {
  ALL_EXCEPTIONS, BEFORE_COMPUTATION, DENORMAL, flushInputs, flushOutputs, INVALID, masks, openEnvironment, OVERFLOW, PRECISION,
  raise, raised, rounding, TRUNCATE, UNDERFLOW, UP, DOWN,
} from "./environment.as";
import { denormalizeTo, exponent, high, inexact, isTiny, roundTo, setReal, sign, TOP_BIT } from "./real.as";

//   MXCSR   15  14 13   12…7        6    5…0
//           FTZ  RC    masks P…I   DAZ  flags P…I
const DENORMALS_ARE_ZERO: u32 = 0x40;
const FLUSH_TO_ZERO: u32 = 0x8000;
const MASK_SHIFT: i32 = 7;

/** Writes MXCSR and what is derived from it. */
export function mxcsr_write(value: u32): void {
  store<u32>(MXCSR, value);
  store<u32>(FP_FAST, (value & MXCSR_FAST_BITS) == MXCSR_FAST ? FP_FAST_MASK : 0);
}

/** Tells the caller. */
export function notice(what: u32): void {
  store<u32>(FP_NOTICE, load<u32>(FP_NOTICE) | what);
}

/** Begins an SSE operation under the present MXCSR. */
export function beginSse(): void {
  store<u32>(FP_NOTICE, 0);
  const mxcsr = load<u32>(MXCSR);
  const masked = (mxcsr >> MASK_SHIFT) & ALL_EXCEPTIONS;
  openEnvironment(
    (mxcsr >> 13) & 3,
    masked,
    (mxcsr & DENORMALS_ARE_ZERO) != 0,
    (mxcsr & FLUSH_TO_ZERO) != 0 && (masked & UNDERFLOW) != 0,
  );
}

/** What one computation over all lanes reports. Exceptions found in any lane's operands, when not masked, prevent the
 *  computation in all lanes, so nothing that comes from results is reported then (SDM 1, 11.5.3). */
export function reportable(): i32 {
  return (raised & ~masks & BEFORE_COMPUTATION) != 0 ? raised & BEFORE_COMPUTATION : raised;
}

/** Sets sticky flags, and asks for #XM when one of the exceptions is not masked. */
export function reportSse(exceptions: i32): void {
  if (exceptions == 0) return;
  const before = load<u32>(FP_FAST);
  mxcsr_write(load<u32>(MXCSR) | exceptions);
  if (load<u32>(FP_FAST) != before) notice(NOTICE_FAST);
  if ((exceptions & ~masks) != 0) notice(NOTICE_EXCEPTION);
}

/** Ends an operation of a single step. */
export function endSse(): void {
  reportSse(reportable());
}

// Layout of F.
export function precisionOf<F>(): i32 { return sizeof<F>() == 4 ? 24 : 53; }
export function fractionBits<F>(): i32 { return sizeof<F>() == 4 ? 23 : 52; }
export function bias<F>(): i32 { return sizeof<F>() == 4 ? 127 : 1023; }
export function signBit<F>(): u64 { return sizeof<F>() == 4 ? 0x8000_0000 : 0x8000_0000_0000_0000; }
export function infinity<F>(): u64 { return sizeof<F>() == 4 ? 0x7f80_0000 : 0x7ff0_0000_0000_0000; }
export function quietBit<F>(): u64 { return sizeof<F>() == 4 ? 0x0040_0000 : 0x0008_0000_0000_0000; }
/** Negative, quiet, no payload: "QNaN floating-point indefinite". */
export function defaultNaN<F>(): u64 { return sizeof<F>() == 4 ? 0xffc0_0000 : 0xfff8_0000_0000_0000; }

export function magnitude<F>(a: u64): u64 { return a & (signBit<F>() - 1); }
export function isNegative<F>(a: u64): bool { return (a & signBit<F>()) != 0; }
export function isNaN<F>(a: u64): bool { return magnitude<F>(a) > infinity<F>(); }
export function isSignaling<F>(a: u64): bool { return isNaN<F>(a) && (a & quietBit<F>()) == 0; }
export function isInfinite<F>(a: u64): bool { return magnitude<F>(a) == infinity<F>(); }
export function isZero<F>(a: u64): bool { return magnitude<F>(a) == 0; }
export function isDenormal<F>(a: u64): bool {
  const m = magnitude<F>(a);
  return m != 0 && m < (<u64>1) << fractionBits<F>();
}

/** An operand as the operation sees it: with DAZ a denormal is a zero of the same sign. */
export function operand<F>(a: u64): u64 {
  if (!isDenormal<F>(a)) return a;
  notice(NOTICE_DENORMAL);
  return flushInputs ? a & signBit<F>() : a;
}

export function noteDenormal<F>(a: u64): void {
  if (isDenormal<F>(a)) raise(DENORMAL);
}

/** Sign of a as 0 or 1. */
export function signOf<F>(a: u64): i32 { return isNegative<F>(a) ? 1 : 0; }

/** Exponent of the leading bit of a finite non-zero a. */
export function exponentOf<F>(a: u64): i32 {
  const m = magnitude<F>(a);
  const biased = <i32>(m >> fractionBits<F>());
  return biased != 0 ? biased - bias<F>() : 1 - bias<F>() + 63 - fractionBits<F>() - <i32>clz<u64>(m);
}

/** Significand of a finite non-zero a, leading bit at bit 63. */
export function significandOf<F>(a: u64): u64 {
  const m = magnitude<F>(a);
  if (m >> fractionBits<F>() == 0) return m << clz<u64>(m);
  return (m << (63 - fractionBits<F>())) | TOP_BIT;
}

export function quiet<F>(a: u64): u64 { return a | quietBit<F>(); }

/** Result of an invalid operation on numbers. */
export function invalid<F>(): u64 {
  raise(INVALID);
  return defaultNaN<F>();
}

/** Result when a or b is a NaN: the first operand's payload if it is one, else the second's. */
export function propagate<F>(a: u64, b: u64): u64 {
  if (isSignaling<F>(a) || isSignaling<F>(b)) raise(INVALID);
  return quiet<F>(isNaN<F>(a) ? a : b);
}

/** Rounds the number in real.ts to F and gives its bits, raising OE, UE and PE as due. */
export function packReal<F>(): u64 {
  const p = precisionOf<F>(), least = 1 - bias<F>(), most = bias<F>();
  const signed: u64 = sign ? signBit<F>() : 0;
  if (exponent < least) {
    notice(NOTICE_DENORMAL);
    const tiny = isTiny(p, least);
    if (tiny && flushOutputs) {
      raise(UNDERFLOW | PRECISION);
      return signed;
    }
    if (tiny && (masks & UNDERFLOW) == 0) {
      // Unmasked: no result. PE tells whether the value with an unlimited exponent would have been inexact.
      roundTo(p);
      raise(inexact ? UNDERFLOW | PRECISION : UNDERFLOW);
      return signed;
    }
    denormalizeTo(least);
    roundTo(p);
    if (inexact) raise(tiny ? UNDERFLOW | PRECISION : PRECISION);
    // A carry into bit 63 makes the smallest normal number: the fraction's overflow lands in the exponent field.
    return signed | (high >> (64 - p));
  }
  roundTo(p);
  if (exponent > most) {
    if ((masks & OVERFLOW) == 0) {
      raise(inexact ? OVERFLOW | PRECISION : OVERFLOW);
      return signed;
    }
    raise(OVERFLOW | PRECISION);
    const toLargest = rounding == TRUNCATE || rounding == (sign ? UP : DOWN);
    return signed | (toLargest ? infinity<F>() - 1 : infinity<F>());
  }
  if (inexact) raise(PRECISION);
  return signed | ((<u64>(exponent + bias<F>() - 1)) << fractionBits<F>()) + (high >> (64 - p));
}

/** Loads a finite non-zero a into real.ts. */
export function loadReal<F>(a: u64): void {
  setReal(signOf<F>(a), exponentOf<F>(a), significandOf<F>(a), 0);
}
