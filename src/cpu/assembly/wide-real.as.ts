/** Arithmetic with 128-bit significands, for the transcendental functions: results are truncated, good to about 126 bits, and
 *  left in real.ts to be rounded to 64. Operands are (exponent, high, low), bit 63 of high set, unless said otherwise.
 *  "Fixed" numbers are 128-bit fractions of 1. */
import { exponent, high, low, normalize, setReal, shiftRight, sign, TOP_BIT } from "./real.as";
import { divideWide, multiplyWide, productLow, remainder } from "./wide.as";

/** Low half of the last fixed-point result. */
export let fixedLow: u64 = 0;

/** High 128 bits of the 256-bit product; the low half of them goes to {@link fixedLow}. */
export function multiplyFixed(ah: u64, al: u64, bh: u64, bl: u64): u64 {
  let top = multiplyWide(ah, bh);
  let sum = productLow;
  const carry = multiplyWide(al, bl);
  const firstHigh = multiplyWide(ah, bl), firstLow = productLow;
  const secondHigh = multiplyWide(al, bh);
  let below = productLow + firstLow;
  let carries: u64 = below < firstLow ? 1 : 0;
  below += carry;
  if (below < carry) carries++;
  sum += firstHigh;
  if (sum < firstHigh) top++;
  sum += secondHigh;
  if (sum < secondHigh) top++;
  sum += carries;
  if (sum < carries) top++;
  fixedLow = sum;
  return top;
}

/** a · b, positive. */
export function multiply128(ea: i32, ah: u64, al: u64, eb: i32, bh: u64, bl: u64): void {
  const h = multiplyFixed(ah, al, bh, bl);
  setReal(0, ea + eb + 1, h, fixedLow);
  normalize();
}

/** a / b, positive. */
export function divide128(ea: i32, ah: u64, al: u64, eb: i32, bh: u64, bl: u64): void {
  let e = ea - eb - 1;
  if (ah > bh || (ah == bh && al >= bl)) {
    al = (ah << 63) | (al >> 1);
    ah >>= 1;
    e++;
  }
  restHigh = ah;
  restLow = al;
  const h = nextDigit(bh, bl);
  setReal(0, e, h, nextDigit(bh, bl));
  normalize();
}

let restHigh: u64 = 0;
let restLow: u64 = 0;

/** Next 64 bits of the quotient rest / b, where rest < b: Knuth's algorithm D with 64-bit digits. */
function nextDigit(bh: u64, bl: u64): u64 {
  let digit = restHigh >= bh ? u64.MAX_VALUE : divideWide(restHigh, restLow, bh);
  // rest·2^64 - digit·b in three words; the estimate is at most 2 too large.
  const lowHigh = multiplyWide(digit, bl), lowLow = productLow;
  const highHigh = multiplyWide(digit, bh), highLow = productLow;
  const middle = highLow + lowHigh;
  const top = highHigh + (middle < lowHigh ? 1 : 0);
  let r0: u64 = 0 - lowLow;
  let borrow: u64 = lowLow != 0 ? 1 : 0;
  let r1 = restLow - middle - borrow;
  borrow = restLow < middle || (restLow == middle && borrow != 0) ? 1 : 0;
  let r2 = restHigh - top - borrow;
  while (<i64>r2 < 0) {
    digit--;
    r0 += bl;
    const carry: u64 = r0 < bl ? 1 : 0;
    const before = r1;
    r1 += bh + carry;
    if (r1 < before || (carry != 0 && r1 == before)) r2++;
  }
  restHigh = r1;
  restLow = r0;
  return digit;
}

/** a + b with signs. False when the sum is exactly zero. */
export function add128(sa: i32, ea: i32, ah: u64, al: u64, sb: i32, eb: i32, bh: u64, bl: u64): bool {
  if (ea < eb || (ea == eb && (ah < bh || (ah == bh && al < bl)))) {
    const s = sa, e = ea, h = ah, l = al;
    sa = sb; ea = eb; ah = bh; al = bl;
    sb = s; eb = e; bh = h; bl = l;
  }
  setReal(sb, eb, bh, bl);
  shiftRight(ea - eb);
  if (sa == sb) {
    const l = al + low;
    const carry: u64 = l < al ? 1 : 0;
    const h = ah + high + carry;
    const over = h < ah || (carry != 0 && h == ah);
    setReal(sa, ea, h, l);
    if (over) {
      shiftRight(1);
      setReal(sa, ea + 1, high | TOP_BIT, low);
    }
    return true;
  }
  const l = al - low;
  setReal(sa, ea, ah - high - (al < low ? 1 : 0), l);
  return normalize();
}

/** The number in real.ts, below 1, as a fixed one: the high half is returned. */
export function toFixed(): u64 {
  const s = sign, e = exponent, h = high, l = low;
  shiftRight(-1 - e);
  const fixedHigh = high;
  fixedLow = low;
  setReal(s, e, h, l);
  return fixedHigh;
}
