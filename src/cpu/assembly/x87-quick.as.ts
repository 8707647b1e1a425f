/** What x87 instructions do nearly always: registers that hold what they should, normal numbers, all exceptions masked, rounding to
 *  nearest in 64 bits. Each function here does its whole instruction and says true, or has changed nothing and says false; then the
 *  general way is taken.
 *
 *  Of exceptions only PE can come of it, which is masked, so ES and B stay as they are. C1 says whether the result was rounded up. */
import { X87_CONTROL, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID } from "../state";
import { BIAS, MAX_EXPONENT } from "./x87-format.as";
import { divideWide, multiplyWide, productLow, remainder } from "./wide.as";

const TOP_BIT: u64 = 0x8000_0000_0000_0000;
const SIGN: i32 = 0x8000;
const C1: i32 = 0x0200;
const PRECISION: i32 = 0x20;
/** Control word: masks in bits 5:0, precision in 9:8 (3: 64 bits), rounding in 11:10 (0: to nearest). */
const PLAIN_BITS: i32 = 0x0f3f;
const PLAIN: i32 = 0x033f;

/** The result of an operation that said true. */
let resultBits: u64 = 0;
let resultSign: i32 = 0;
/** PE and C1 as it leaves them. */
let resultStatus: i32 = 0;

// @ts-ignore: decorator
@inline
function isPlain(): bool { return (<i32>load<u16>(X87_CONTROL) & PLAIN_BITS) == PLAIN; }
// @ts-ignore: decorator
@inline
function address(physical: i32): usize { return <usize>X87_REGISTERS + (<usize>physical << 4); }
// @ts-ignore: decorator
@inline
function isNormal(m: u64, se: i32): bool { return <u32>((se & MAX_EXPONENT) - 1) < <u32>(MAX_EXPONENT - 1) && <i64>m < 0; }
// @ts-ignore: decorator
@inline
function isZero(m: u64, se: i32): bool { return (m | <u64>(se & MAX_EXPONENT)) == 0; }
/** Status behind an instruction: PE is sticky, C1 is set anew. */
// @ts-ignore: decorator
@inline
function note(status: i32): void { store<u16>(X87_STATUS, <u16>((<i32>load<u16>(X87_STATUS) & ~C1) | status)); }

/** Rounds high:low (bit 63 of high set, low sticky) with a biased exponent into the result. False when it leaves the normal range. */
function round(sign: i32, biased: i32, high: u64, low: u64): bool {
  let status = 0;
  if (low != 0) {
    status = PRECISION;
    if (low > TOP_BIT || (low == TOP_BIT && (high & 1) != 0)) {
      status |= C1;
      if (++high == 0) {
        high = TOP_BIT;
        biased++;
      }
    }
  }
  if (<u32>(biased - 1) >= <u32>(MAX_EXPONENT - 1)) return false;
  resultBits = high;
  resultSign = sign | biased;
  resultStatus = status;
  return true;
}
function exactly(m: u64, se: i32): bool {
  resultBits = m;
  resultSign = se;
  resultStatus = 0;
  return true;
}

/** a + b; signs and exponents apart from significands. */
function sum(ma: u64, sea: i32, mb: u64, seb: i32): bool {
  if (!isNormal(ma, sea)) return isZero(ma, sea) && isNormal(mb, seb) && exactly(mb, seb);
  if (!isNormal(mb, seb)) return isZero(mb, seb) && exactly(ma, sea);
  let ea = sea & MAX_EXPONENT, eb = seb & MAX_EXPONENT;
  let sign = sea & SIGN;
  const differ = ((sea ^ seb) & SIGN) != 0;
  if (ea < eb || (ea == eb && ma < mb)) {
    const e = ea, m = ma;
    ea = eb; ma = mb; sign = seb & SIGN;
    eb = e; mb = m;
  }
  const shift = ea - eb;
  let high = mb, low: u64 = 0;
  if (shift != 0) {
    if (shift < 64) {
      low = mb << (64 - shift);
      high = mb >> shift;
    } else {
      high = 0;
      if (shift == 64) low = mb;
      else low = shift < 128 ? (mb >> (shift - 64)) | (mb << (128 - shift) != 0 ? 1 : 0) : 1;
    }
  }
  if (!differ) {
    high += ma;
    if (high >= ma) return round(sign, ea, high, low);
    return round(sign, ea + 1, (high >> 1) | TOP_BIT, (high << 63) | (low >> 1) | (low & 1));
  }
  high = ma - high - (low != 0 ? 1 : 0);
  low = -low;
  if (high == 0) {
    if (low == 0) return exactly(0, 0);
    high = low;
    low = 0;
    ea -= 64;
  }
  const zeros = <i32>clz<u64>(high);
  if (zeros != 0) {
    high = (high << zeros) | (low >> (64 - zeros));
    low <<= zeros;
  }
  return round(sign, ea - zeros, high, low);
}

function product(ma: u64, sea: i32, mb: u64, seb: i32): bool {
  const sign = (sea ^ seb) & SIGN;
  if (!isNormal(ma, sea)) return isZero(ma, sea) && (isNormal(mb, seb) || isZero(mb, seb)) && exactly(0, sign);
  if (!isNormal(mb, seb)) return isZero(mb, seb) && exactly(0, sign);
  let high = multiplyWide(ma, mb), low = productLow;
  let biased = (sea & MAX_EXPONENT) + (seb & MAX_EXPONENT) - BIAS + 1;
  if (<i64>high >= 0) {
    high = (high << 1) | (low >> 63);
    low <<= 1;
    biased--;
  }
  return round(sign, biased, high, low);
}

function quotient(ma: u64, sea: i32, mb: u64, seb: i32): bool {
  if (!isNormal(mb, seb)) return false;
  const sign = (sea ^ seb) & SIGN;
  if (!isNormal(ma, sea)) return isZero(ma, sea) && exactly(0, sign);
  let biased = (sea & MAX_EXPONENT) - (seb & MAX_EXPONENT) + BIAS;
  if (mb == TOP_BIT) return round(sign, biased, ma, 0);
  let high: u64;
  if (ma >= mb) high = divideWide(ma >> 1, ma << 63, mb);
  else {
    high = divideWide(ma, 0, mb);
    biased--;
  }
  // The next bit of the quotient, then sticky.
  const rest = remainder, other = mb - rest;
  return round(sign, biased, high, rest == 0 ? 0 : rest >= other ? (rest != other ? TOP_BIT | 1 : TOP_BIT) : 1);
}

/** Operations by the /digit of D8: add 0, mul 1, sub 4, subr 5, div 6, divr 7. */
function compute(operation: i32, ma: u64, sea: i32, mb: u64, seb: i32): bool {
  switch (operation) {
    case 0: return sum(ma, sea, mb, seb);
    case 1: return product(ma, sea, mb, seb);
    case 4: return sum(ma, sea, mb, seb ^ SIGN);
    case 5: return sum(mb, seb, ma, sea ^ SIGN);
    case 6: return quotient(ma, sea, mb, seb);
    default: return quotient(mb, seb, ma, sea);
  }
}

/** ST(dst) = ST(dst) op ST(src), then a pop when asked for. */
export function quickArithmetic(operation: i32, dst: i32, src: i32, pops: i32): bool {
  const top = <i32>load<u16>(X87_TOP), valid = <i32>load<u16>(X87_VALID);
  const to = (top + dst) & 7, from = (top + src) & 7;
  if (!isPlain() || ((valid >> to) & (valid >> from) & 1) == 0) return false;
  const at = address(to), other = address(from);
  if (!compute(operation, load<u64>(at), load<u16>(at, 8), load<u64>(other), load<u16>(other, 8))) return false;
  store<u64>(at, resultBits);
  store<u16>(at, <u16>resultSign, 8);
  note(resultStatus);
  if (pops != 0) {
    store<u16>(X87_VALID, <u16>(valid & ~(1 << top)));
    store<u16>(X87_TOP, <u16>((top + 1) & 7));
  }
  return true;
}
/** ST(0) = ST(0) op a number that came from memory, where it was no denormal. */
export function quickArithmeticWith(operation: i32, m: u64, se: i32): bool {
  const top = <i32>load<u16>(X87_TOP), at = address(top);
  if (!isPlain() || ((<i32>load<u16>(X87_VALID) >> top) & 1) == 0) return false;
  if (!compute(operation, load<u64>(at), load<u16>(at, 8), m, se)) return false;
  store<u64>(at, resultBits);
  store<u16>(at, <u16>resultSign, 8);
  note(resultStatus);
  return true;
}

/** Pushes a number that needs nothing else. */
export function quickPush(m: u64, se: i32): bool {
  const top = (<i32>load<u16>(X87_TOP) - 1) & 7, valid = <i32>load<u16>(X87_VALID), bit = 1 << top;
  if ((valid & bit) != 0) return false;
  const at = address(top);
  store<u64>(at, m);
  store<u16>(at, <u16>se, 8);
  store<u16>(X87_TOP, <u16>top);
  store<u16>(X87_VALID, <u16>(valid | bit));
  note(0);
  return true;
}
export function quickPushRegister(i: i32): bool {
  const from = (<i32>load<u16>(X87_TOP) + i) & 7, at = address(from);
  return ((<i32>load<u16>(X87_VALID) >> from) & 1) != 0 && quickPush(load<u64>(at), load<u16>(at, 8));
}
export function quickExchange(i: i32): bool {
  const top = <i32>load<u16>(X87_TOP), valid = <i32>load<u16>(X87_VALID), other = (top + i) & 7;
  if (((valid >> top) & (valid >> other) & 1) == 0) return false;
  const at = address(top), to = address(other);
  const m = load<u64>(at), se = load<u16>(at, 8);
  store<u64>(at, load<u64>(to));
  store<u16>(at, load<u16>(to, 8), 8);
  store<u64>(to, m);
  store<u16>(to, se, 8);
  note(0);
  return true;
}
/** ST(i) = ST(0), then a pop when asked for. */
export function quickMove(i: i32, pops: i32): bool {
  const top = <i32>load<u16>(X87_TOP), to = (top + i) & 7;
  let valid = <i32>load<u16>(X87_VALID);
  if (((valid >> top) & 1) == 0) return false;
  const from = address(top), at = address(to);
  store<u64>(at, load<u64>(from));
  store<u16>(at, load<u16>(from, 8), 8);
  valid |= 1 << to;
  if (pops != 0) {
    valid &= ~(1 << top);
    store<u16>(X87_TOP, <u16>((top + 1) & 7));
  }
  store<u16>(X87_VALID, <u16>valid);
  note(0);
  return true;
}

/** ST(0) cut to a format of `precision` bits with exponents up to `most`: its bits without the sign are left in {@link quickBits}. */
export let quickBits: u64 = 0;
export let quickSign: i32 = 0;
export function quickNarrow(precision: i32, most: i32): bool {
  const top = <i32>load<u16>(X87_TOP), at = address(top);
  if (!isPlain() || ((<i32>load<u16>(X87_VALID) >> top) & 1) == 0) return false;
  const m = load<u64>(at), se = <i32>load<u16>(at, 8);
  quickSign = se >> 15;
  if (isZero(m, se)) {
    quickBits = 0;
    note(0);
    return true;
  }
  const exponent = (se & MAX_EXPONENT) - BIAS;
  // One less than the largest: rounding up cannot overflow.
  if (!isNormal(m, se) || exponent <= 1 - most || exponent >= most) return false;
  const cut = 64 - precision, lost = m << precision;
  let bits = ((<u64>(exponent + most - 1)) << (precision - 1)) + (m >> cut);
  let status = 0;
  if (lost != 0) {
    status = PRECISION;
    if (lost > TOP_BIT || (lost == TOP_BIT && ((m >> cut) & 1) != 0)) {
      status |= C1;
      bits++;
    }
  }
  quickBits = bits;
  note(status);
  return true;
}

/** How two normal numbers or zeros of registers stand to each other: −1, 0, 1, or 2 when more must be asked. */
export function quickOrder(i: i32): i32 {
  const top = <i32>load<u16>(X87_TOP), valid = <i32>load<u16>(X87_VALID), other = (top + i) & 7;
  if (((valid >> top) & (valid >> other) & 1) == 0) return 2;
  const at = address(top), to = address(other);
  return quickOrderOf(load<u64>(at), load<u16>(at, 8), load<u64>(to), load<u16>(to, 8));
}
function quickOrderOf(ma: u64, sea: i32, mb: u64, seb: i32): i32 {
  const zeroA = isZero(ma, sea), zeroB = isZero(mb, seb);
  if ((!zeroA && !isNormal(ma, sea)) || (!zeroB && !isNormal(mb, seb))) return 2;
  if (zeroA && zeroB) return 0;
  const less = (seb & SIGN) != 0 ? 1 : -1;
  if (zeroA) return less;
  const greater = (sea & SIGN) != 0 ? -1 : 1;
  if (zeroB || ((sea ^ seb) & SIGN) != 0) return greater;
  if (sea == seb) return ma == mb ? 0 : ma > mb ? greater : -greater;
  return (sea & MAX_EXPONENT) > (seb & MAX_EXPONENT) ? greater : -greater;
}
