/** 128-bit pieces of unsigned integer arithmetic. Second results are left in module variables: the language has no tuples
 *  that live on the stack. */

/** Low half of the last {@link multiplyWide}. */
export let productLow: u64 = 0;
/** Remainder of the last {@link divideWide}. */
export let remainder: u64 = 0;

/** High half of a × b. */
// @ts-ignore: decorator
@inline
export function highProduct(a: u64, b: u64): u64 {
  const al = a & 0xffffffff, ah = a >> 32;
  const bl = b & 0xffffffff, bh = b >> 32;
  const middle = ah * bl + ((al * bl) >> 32);
  const cross = al * bh + (middle & 0xffffffff);
  return ah * bh + (middle >> 32) + (cross >> 32);
}
/** The same; the low half goes to {@link productLow}. */
export function multiplyWide(a: u64, b: u64): u64 {
  productLow = a * b;
  return highProduct(a, b);
}

/** Quotient of high:low / divisor, where divisor has its top bit set and high < divisor (Knuth 4.3.1, algorithm D, with
 *  32-bit digits). */
// @ts-ignore: decorator
@inline
export function quotientOf(high: u64, low: u64, divisor: u64): u64 {
  const dh = divisor >> 32, dl = divisor & 0xffffffff;
  // A digit from the divisor's upper half is at most two too large.
  let q1 = high / dh, r = high - q1 * dh;
  if (q1 >> 32 != 0 || q1 * dl > ((r << 32) | (low >> 32))) {
    q1--;
    r += dh;
    if (r >> 32 == 0 && (q1 >> 32 != 0 || q1 * dl > ((r << 32) | (low >> 32)))) q1--;
  }
  const rest = ((high << 32) | (low >> 32)) - q1 * divisor;
  let q0 = rest / dh;
  r = rest - q0 * dh;
  if (q0 >> 32 != 0 || q0 * dl > ((r << 32) | (low & 0xffffffff))) {
    q0--;
    r += dh;
    if (r >> 32 == 0 && (q0 >> 32 != 0 || q0 * dl > ((r << 32) | (low & 0xffffffff)))) q0--;
  }
  return (q1 << 32) + q0;
}
/** The same; the remainder goes to {@link remainder}. */
export function divideWide(high: u64, low: u64, divisor: u64): u64 {
  const quotient = quotientOf(high, low, divisor);
  remainder = low - quotient * divisor;
  return quotient;
}
