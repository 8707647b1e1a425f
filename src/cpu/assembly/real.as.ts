/** Arithmetic on finite non-zero numbers, one core for binary32, binary64 and double-extended.
 *
 *  An operand is (sign, exponent, significand): (-1)^sign · significand/2^63 · 2^exponent with bit 63 of the significand
 *  set. The result is left in {@link sign}, {@link exponent}, {@link high} and {@link low}: 128 bits with bit 63 of high
 *  set, whose last bit is "sticky": it is set when anything was lost below it. Rounding is a step of its own. */
import { DOWN, NEAREST, rounding, UP } from "./environment.as";
import { divideWide, multiplyWide, productLow, remainder } from "./wide.as";

export const TOP_BIT: u64 = 0x8000_0000_0000_0000;

/** 0 or 1. */
export let sign: i32 = 0;
/** Exponent of the number's leading bit, when bit 63 of high is set. */
export let exponent: i32 = 0;
export let high: u64 = 0;
export let low: u64 = 0;
/** What the last {@link roundTo} did. */
export let inexact: bool = false;
export let roundedUp: bool = false;

export function setReal(s: i32, e: i32, h: u64, l: u64): void {
  sign = s;
  exponent = e;
  high = h;
  low = l;
}

/** a + b. False when the sum is exactly zero (its sign is the caller's matter). */
export function addReal(sa: i32, ea: i32, ma: u64, sb: i32, eb: i32, mb: u64): bool {
  if (ea < eb || (ea == eb && ma < mb)) {
    const s = sa, e = ea, m = ma;
    sa = sb; ea = eb; ma = mb;
    sb = s; eb = e; mb = m;
  }
  setReal(sb, ea, mb, 0);
  shiftRight(ea - eb);
  sign = sa;
  if (sa == sb) {
    high += ma;
    if (high < ma) {
      shiftRight(1);
      high |= TOP_BIT;
      exponent++;
    }
    return true;
  }
  const borrow: u64 = low != 0 ? 1 : 0;
  low = -low;
  high = ma - high - borrow;
  return normalize();
}

/** a · b. */
export function multiplyReal(sa: i32, ea: i32, ma: u64, sb: i32, eb: i32, mb: u64): void {
  high = multiplyWide(ma, mb);
  low = productLow;
  sign = sa ^ sb;
  exponent = ea + eb + 1;
  normalize();
}

/** a / b. */
export function divideReal(sa: i32, ea: i32, ma: u64, sb: i32, eb: i32, mb: u64): void {
  sign = sa ^ sb;
  exponent = ea - eb;
  if (ma >= mb) {
    high = divideWide(ma >> 1, ma << 63, mb);
  } else {
    high = divideWide(ma, 0, mb);
    exponent--;
  }
  // The next bit of the quotient, then sticky.
  const rest = remainder;
  if (rest >= mb - rest) low = TOP_BIT | (rest != mb - rest ? 1 : 0);
  else low = rest != 0 ? 1 : 0;
}

/** √a for positive a. */
export function squareRootReal(ea: i32, ma: u64): void {
  // radicand = rh:rl in [2^126, 2^128), its root has exactly 64 bits.
  const odd = ea & 1;
  const rh = odd ? ma : ma >> 1, rl: u64 = odd ? 0 : ma << 63;
  const estimate = sqrt<f64>(<f64>rh * 18446744073709551616.0);
  let root: u64 = estimate >= 18446744073709551615.0 ? u64.MAX_VALUE : <u64>estimate;
  // One Newton step makes 52 good bits 64 but for a few units, which the loops below remove.
  let restHigh = rh - multiplyWide(root, root) - (rl < productLow ? 1 : 0);
  let restLow = rl - productLow;
  const rest = <f64>(<i64>restHigh) * 18446744073709551616.0 + <f64>restLow;
  const correction = <i64>(rest / (2.0 * <f64>root));
  const corrected = root + correction;
  if (correction > 0 && corrected < root) root = u64.MAX_VALUE;
  else root = corrected;
  restHigh = rh - multiplyWide(root, root) - (rl < productLow ? 1 : 0);
  restLow = rl - productLow;
  while (<i64>restHigh < 0) {
    // (r-1)² = r² - 2r + 1: the rest grows by 2r - 1.
    const step = root * 2 - 1;
    restHigh += (root >> 63) + (restLow + step < restLow ? 1 : 0);
    restLow += step;
    root--;
  }
  while (restHigh > root >> 63 || (restHigh == root >> 63 && restLow > root * 2)) {
    const step = root * 2 + 1;
    restHigh -= (root >> 63) + (restLow < step ? 1 : 0);
    restLow -= step;
    root++;
  }
  sign = 0;
  exponent = ea >> 1;
  high = root;
  // The root of a 64-bit number is never halfway between two 64-bit numbers, so rest > root means "above half".
  if (restHigh != 0 || restLow > root) low = TOP_BIT | 1;
  else low = restLow != 0 ? 1 : 0;
}

/** Moves the leading one to bit 63 of high. False when the number is zero. */
export function normalize(): bool {
  if (high == 0) {
    if (low == 0) return false;
    high = low;
    low = 0;
    exponent -= 64;
  }
  const shift = <i32>clz<u64>(high);
  if (shift != 0) {
    high = (high << shift) | (low >> (64 - shift));
    low <<= shift;
    exponent -= shift;
  }
  return true;
}

/** Shifts high:low right by n ≥ 0 bits and keeps the last bit sticky. The exponent is not touched. */
export function shiftRight(n: i32): void {
  if (n == 0) return;
  if (n < 64) {
    const lost = low << (64 - n);
    low = (high << (64 - n)) | (low >> n) | (lost != 0 ? 1 : 0);
    high >>= n;
  } else if (n == 64) {
    low = high | (low != 0 ? 1 : 0);
    high = 0;
  } else if (n < 128) {
    const lost = (high << (128 - n)) | low;
    low = (high >> (n - 64)) | (lost != 0 ? 1 : 0);
    high = 0;
  } else {
    low = (high | low) != 0 ? 1 : 0;
    high = 0;
  }
}

/** Rounds to the `precision` upper bit positions of high in the environment's direction. A carry out of bit 63 moves the
 *  exponent. Sets {@link inexact} and {@link roundedUp} (magnitude grew). */
export function roundTo(precision: i32): void {
  const unit: u64 = (<u64>1) << (64 - precision);
  const fraction = high & (unit - 1);
  inexact = (fraction | low) != 0;
  roundedUp = false;
  if (!inexact) return;
  if (rounding == NEAREST) {
    if (precision == 64) {
      roundedUp = low > TOP_BIT || (low == TOP_BIT && (high & 1) != 0);
    } else {
      const half = unit >> 1;
      roundedUp = fraction > half || (fraction == half && (low != 0 || (high & unit) != 0));
    }
  } else {
    roundedUp = rounding == (sign ? DOWN : UP);
  }
  high -= fraction;
  low = 0;
  if (!roundedUp) return;
  high += unit;
  if (high == 0) {
    high = TOP_BIT;
    exponent++;
  }
}

/** Whether the number, rounded to `precision` bits as if exponents had no limit, lies below 2^minimum: the definition of
 *  "tiny" that x86 uses (SDM 1, 4.9.1.5). Leaves the number as it is. */
export function isTiny(precision: i32, minimum: i32): bool {
  if (exponent >= minimum) return false;
  if (exponent < minimum - 1) return true;
  const e = exponent, h = high, l = low;
  roundTo(precision);
  const tiny = exponent < minimum;
  setReal(sign, e, h, l);
  return tiny;
}

/** Makes the number's exponent `target`, which is larger, by shifting. */
export function denormalizeTo(target: i32): void {
  shiftRight(target - exponent);
  exponent = target;
}

/** Turns the number into a rounded integer magnitude in high. False when it is 2^64 or more. */
export function roundToInteger(): bool {
  if (exponent > 63) return false;
  denormalizeTo(63);
  roundTo(64);
  return true;
}
