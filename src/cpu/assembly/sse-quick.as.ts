/** Ordinary operands and an ordinary result: the native operation gives the value, and only PE is in question.
 *
 *  A program whose arithmetic is exact never sets PE, so every operation of it comes to the helpers; this keeps them short.
 *  Exactness is decided without a wider format: a sum by its error term (Knuth's TwoSum), a product by counting the significant bits
 *  of its operands, a quotient and a root by multiplying back. */
import { FP_FAST, FP_FAST_MASK, FP_NOTICE, MXCSR, NOTICE_FAST } from "../state";

/** Result bits of the last quick operation that returned true. */
export let quickResult: u64 = 0;

const LEAST64: u64 = 0x0010_0000_0000_0000;
const INFINITY64: u64 = 0x7ff0_0000_0000_0000;
const LEAST32: u64 = 0x0080_0000;
const INFINITY32: u64 = 0x7f80_0000;

// @ts-ignore: decorator
@inline
function magnitudeOf<F>(x: u64): u64 {
  return sizeof<F>() == 8 ? x & 0x7fff_ffff_ffff_ffff : x & 0x7fff_ffff;
}
/** Normal, or zero. */
// @ts-ignore: decorator
@inline
function isUsable<F>(x: u64): bool {
  const m = magnitudeOf<F>(x);
  return m == 0 || (sizeof<F>() == 8 ? m - LEAST64 < INFINITY64 - LEAST64 : m - LEAST32 < INFINITY32 - LEAST32);
}
/** Normal with an exponent of at least one above the least, so that nothing about it was tiny. */
// @ts-ignore: decorator
@inline
function isSafe<F>(x: u64): bool {
  const m = magnitudeOf<F>(x);
  return sizeof<F>() == 8 ? m - 2 * LEAST64 < INFINITY64 - 2 * LEAST64 : m - 2 * LEAST32 < INFINITY32 - 2 * LEAST32;
}
/** Begins an operation that may be quick. */
// @ts-ignore: decorator
@inline
export function forget(): void {
  store<u32>(FP_NOTICE, 0);
}
/** MXCSR: all exceptions masked, to nearest. (FTZ and DAZ concern denormals, which nothing quick has to do with.) */
// @ts-ignore: decorator
@inline
function isPlain(): bool {
  return (load<u32>(MXCSR) & 0x7f80) == 0x1f80;
}

/** True when the product of two normal numbers needs no rounding: their odd parts multiply to at most 53 bits. */
function productIsExact64(a: u64, b: u64): bool {
  const x = (a & 0x000f_ffff_ffff_ffff) | LEAST64;
  const y = (b & 0x000f_ffff_ffff_ffff) | LEAST64;
  const oddX = x >> ctz(x);
  const oddY = y >> ctz(y);
  const bits = 128 - clz(oddX) - clz(oddY);
  return bits <= 53 || (bits == 54 && oddX * oddY < 0x0020_0000_0000_0000);
}

function settled<F>(result: u64, exact: bool): bool {
  if (!exact) {
    // With everything else plain, PE is all that FP_FAST waits for.
    store<u32>(MXCSR, load<u32>(MXCSR) | 0x20);
    if (load<u32>(FP_FAST) == 0) {
      store<u32>(FP_FAST, FP_FAST_MASK);
      store<u32>(FP_NOTICE, load<u32>(FP_NOTICE) | NOTICE_FAST);
    }
  }
  quickResult = result;
  return true;
}

export function quickSum<F>(a: u64, b: u64): bool {
  if (!isPlain() || !isUsable<F>(a) || !isUsable<F>(b)) return false;
  if (sizeof<F>() == 8) {
    const x = reinterpret<f64>(a), y = reinterpret<f64>(b), r = x + y;
    const bits = reinterpret<u64>(r);
    if (!isUsable<F>(bits)) return false;
    const part = r - x;
    return settled<F>(bits, x - (r - part) + (y - part) == 0);
  }
  const x = reinterpret<f32>(<u32>a), y = reinterpret<f32>(<u32>b), r = x + y;
  const bits = <u64>reinterpret<u32>(r);
  if (!isUsable<F>(bits)) return false;
  const part = r - x;
  return settled<F>(bits, x - (r - part) + (y - part) == 0);
}

export function quickProduct<F>(a: u64, b: u64): bool {
  if (!isPlain() || !isUsable<F>(a) || !isUsable<F>(b)) return false;
  const zero = magnitudeOf<F>(a) == 0 || magnitudeOf<F>(b) == 0;
  if (sizeof<F>() == 8) {
    const bits = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
    if (zero) return settled<F>(bits, true);
    return isSafe<F>(bits) && settled<F>(bits, productIsExact64(a, b));
  }
  const x = reinterpret<f32>(<u32>a), y = reinterpret<f32>(<u32>b), r = x * y;
  const bits = <u64>reinterpret<u32>(r);
  if (zero) return settled<F>(bits, true);
  return isSafe<F>(bits) && settled<F>(bits, <f64>r == <f64>x * <f64>y);
}

export function quickQuotient<F>(a: u64, b: u64): bool {
  if (!isPlain() || !isUsable<F>(a) || !isUsable<F>(b) || magnitudeOf<F>(b) == 0) return false;
  const zero = magnitudeOf<F>(a) == 0;
  if (sizeof<F>() == 8) {
    const x = reinterpret<f64>(a), y = reinterpret<f64>(b), r = x / y;
    const bits = reinterpret<u64>(r);
    if (zero) return settled<F>(bits, true);
    return isSafe<F>(bits) && settled<F>(bits, r * y == x && productIsExact64(bits, b));
  }
  const x = reinterpret<f32>(<u32>a), y = reinterpret<f32>(<u32>b), r = x / y;
  const bits = <u64>reinterpret<u32>(r);
  if (zero) return settled<F>(bits, true);
  return isSafe<F>(bits) && settled<F>(bits, <f64>r * <f64>y == <f64>x);
}

/** Root of a positive normal number. */
export function quickRoot<F>(a: u64): bool {
  if (!isPlain() || !isSafe<F>(a) || a != magnitudeOf<F>(a)) return false;
  if (sizeof<F>() == 8) {
    const x = reinterpret<f64>(a), r = sqrt<f64>(x);
    const bits = reinterpret<u64>(r);
    return settled<F>(bits, r * r == x && productIsExact64(bits, bits));
  }
  const x = reinterpret<f32>(<u32>a), r = sqrt<f32>(x);
  return settled<F>(<u64>reinterpret<u32>(r), <f64>r * <f64>r == <f64>x);
}

/** A number as an integer of `bits` width, truncated or to nearest; nothing when it does not fit. */
export function quickInteger<F>(a: u64, bits: i32, truncates: bool): bool {
  if (!isPlain() || !isUsable<F>(a)) return false;
  const x: f64 = sizeof<F>() == 8 ? reinterpret<f64>(a) : <f64>reinterpret<f32>(<u32>a);
  const r = truncates ? trunc<f64>(x) : nearest<f64>(x);
  if (!(abs<f64>(r) < <f64>(<u64>1 << (bits - 1)))) return false;
  return settled<F>(<u64>(<i64>r), r == x);
}
