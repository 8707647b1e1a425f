/** What x87 instructions do nearly always: registers that hold what they should, normal numbers, all exceptions masked, rounding to
 *  nearest in 64 bits. Each function here does its whole instruction and says true, or has changed nothing and says false; then the
 *  general way is taken.
 *
 *  Of exceptions only PE can come of it, which is masked, so ES and B stay as they are. C1 says whether the result was rounded up. */
import { X87_CONTROL, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID } from "../state";
import { BIAS, MAX_EXPONENT } from "./x87-format.as";
import { highProduct, quotientOf } from "./wide.as";

const TOP_BIT: u64 = 0x8000_0000_0000_0000;
const SIGN: i32 = 0x8000;
const C1: i32 = 0x0200;
const PRECISION: i32 = 0x20;
/** Control word: masks in bits 5:0, precision in 9:8 (3: 64 bits), rounding in 11:10 (0: to nearest). */
const PLAIN_BITS: i32 = 0x0f3f;
const PLAIN: i32 = 0x033f;

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

/** Rounds high:low (bit 63 of high set, low sticky) with a biased exponent into the register at `at`. False when it leaves the normal
 *  range. */
// @ts-ignore: decorator
@inline
function deliver(at: usize, sign: i32, biased: i32, high: u64, low: u64): bool {
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
  store<u64>(at, high);
  store<u16>(at, <u16>(sign | biased), 8);
  note(status);
  return true;
}
function exactly(at: usize, m: u64, se: i32): bool {
  store<u64>(at, m);
  store<u16>(at, <u16>se, 8);
  note(0);
  return true;
}

/** a + b to `at`; signs and exponents apart from significands. */
export function sum(at: usize, ma: u64, sea: i32, mb: u64, seb: i32): bool {
  if (!isNormal(ma, sea)) return isZero(ma, sea) && isNormal(mb, seb) && exactly(at, mb, seb);
  if (!isNormal(mb, seb)) return isZero(mb, seb) && exactly(at, ma, sea);
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
    if (high < ma) {
      low = (high << 63) | (low >> 1) | (low & 1);
      high = (high >> 1) | TOP_BIT;
      ea++;
    }
  } else {
    high = ma - high - (low != 0 ? 1 : 0);
    low = -low;
    if (high == 0) {
      if (low == 0) return exactly(at, 0, 0);
      high = low;
      low = 0;
      ea -= 64;
    }
    const zeros = <i32>clz<u64>(high);
    if (zeros != 0) {
      high = (high << zeros) | (low >> (64 - zeros));
      low <<= zeros;
      ea -= zeros;
    }
  }
  return deliver(at, sign, ea, high, low);
}

export function product(at: usize, ma: u64, sea: i32, mb: u64, seb: i32): bool {
  const sign = (sea ^ seb) & SIGN;
  if (!isNormal(ma, sea)) return isZero(ma, sea) && (isNormal(mb, seb) || isZero(mb, seb)) && exactly(at, 0, sign);
  if (!isNormal(mb, seb)) return isZero(mb, seb) && exactly(at, 0, sign);
  let high = highProduct(ma, mb), low = ma * mb;
  let biased = (sea & MAX_EXPONENT) + (seb & MAX_EXPONENT) - BIAS + 1;
  if (<i64>high >= 0) {
    high = (high << 1) | (low >> 63);
    low <<= 1;
    biased--;
  }
  return deliver(at, sign, biased, high, low);
}

export function quotient(at: usize, ma: u64, sea: i32, mb: u64, seb: i32): bool {
  if (!isNormal(mb, seb)) return false;
  const sign = (sea ^ seb) & SIGN;
  if (!isNormal(ma, sea)) return isZero(ma, sea) && exactly(at, 0, sign);
  let biased = (sea & MAX_EXPONENT) - (seb & MAX_EXPONENT) + BIAS;
  let high = ma, low: u64 = 0;
  if (mb != TOP_BIT) {
    if (ma >= mb) {
      high = ma >> 1;
      low = ma << 63;
    } else biased--;
    const q = quotientOf(high, low, mb);
    // The next bit of the quotient, then sticky.
    const rest = low - q * mb, other = mb - rest;
    high = q;
    low = rest == 0 ? 0 : rest >= other ? (rest != other ? TOP_BIT | 1 : TOP_BIT) : 1;
  }
  return deliver(at, sign, biased, high, low);
}

/** Operations by the /digit of D8: add 0, mul 1, sub 4, subr 5, div 6, divr 7. */
// @ts-ignore: decorator
@inline
function compute(operation: i32, at: usize, ma: u64, sea: i32, mb: u64, seb: i32): bool {
  switch (operation) {
    case 0: return sum(at, ma, sea, mb, seb);
    case 1: return product(at, ma, sea, mb, seb);
    case 4: return sum(at, ma, sea, mb, seb ^ SIGN);
    case 5: return sum(at, mb, seb, ma, sea ^ SIGN);
    case 6: return quotient(at, ma, sea, mb, seb);
    default: return quotient(at, mb, seb, ma, sea);
  }
}

/** ST(dst) = ST(dst) op ST(src), then a pop when asked for. */
// @ts-ignore: decorator
@inline
export function quickArithmetic(operation: i32, dst: i32, src: i32, pops: i32): bool {
  const top = <i32>load<u16>(X87_TOP), valid = <i32>load<u16>(X87_VALID);
  const to = (top + dst) & 7, from = (top + src) & 7;
  if (!isPlain() || ((valid >> to) & (valid >> from) & 1) == 0) return false;
  const at = address(to), other = address(from);
  if (!compute(operation, at, load<u64>(at), load<u16>(at, 8), load<u64>(other), load<u16>(other, 8))) return false;
  if (pops != 0) {
    store<u16>(X87_VALID, <u16>(valid & ~(1 << top)));
    store<u16>(X87_TOP, <u16>((top + 1) & 7));
  }
  return true;
}
/** ST(0) = ST(0) op a number. */
function quickArithmeticWith(operation: i32, m: u64, se: i32): bool {
  const top = <i32>load<u16>(X87_TOP), at = address(top);
  if (!isPlain() || ((<i32>load<u16>(X87_VALID) >> top) & 1) == 0) return false;
  return compute(operation, at, load<u64>(at), load<u16>(at, 8), m, se);
}
export function quickArithmeticF32(operation: i32, bits: u32): bool {
  return isOrdinaryF32(bits) && quickArithmeticWith(operation, significandOfF32(bits), signExponentOfF32(bits));
}
export function quickArithmeticF64(operation: i32, bits: u64): bool {
  return isOrdinaryF64(bits) && quickArithmeticWith(operation, significandOfF64(bits), signExponentOfF64(bits));
}
export function quickArithmeticInteger(operation: i32, value: i64): bool {
  return quickArithmeticWith(operation, significandOfInteger(value), signExponentOfInteger(value));
}

// ---- numbers from memory --------------------------------------------------------------------------------------------------

// Normal, or zero.
// @ts-ignore: decorator
@inline
function isOrdinaryF32(bits: u32): bool { return (bits & 0x7f80_0000) - 1 < 0x7f7f_ffff || bits << 1 == 0; }
// @ts-ignore: decorator
@inline
function isOrdinaryF64(bits: u64): bool { return (bits & 0x7ff0_0000_0000_0000) - 1 < 0x7fef_ffff_ffff_ffff || bits << 1 == 0; }
// @ts-ignore: decorator
@inline
function significandOfF32(bits: u32): u64 { return bits << 1 == 0 ? 0 : (<u64>bits << 40) | TOP_BIT; }
// @ts-ignore: decorator
@inline
function significandOfF64(bits: u64): u64 { return bits << 1 == 0 ? 0 : (bits << 11) | TOP_BIT; }
// @ts-ignore: decorator
@inline
function signExponentOfF32(bits: u32): i32 {
  const biased = <i32>(bits >> 23) & 0xff;
  return (<i32>(bits >> 16) & SIGN) | (biased == 0 ? 0 : biased - 127 + BIAS);
}
// @ts-ignore: decorator
@inline
function signExponentOfF64(bits: u64): i32 {
  const biased = <i32>(bits >> 52) & 0x7ff;
  return (<i32>(bits >> 48) & SIGN) | (biased == 0 ? 0 : biased - 1023 + BIAS);
}
// @ts-ignore: decorator
@inline
function significandOfInteger(value: i64): u64 {
  const size: u64 = <u64>(value < 0 ? -value : value);
  return size << clz<u64>(size);
}
// @ts-ignore: decorator
@inline
function signExponentOfInteger(value: i64): i32 {
  const size: u64 = <u64>(value < 0 ? -value : value);
  return value == 0 ? 0 : (<i32>(value >> 63) & SIGN) | (BIAS + 63 - <i32>clz<u64>(size));
}

export function quickPushF32(bits: u32): bool {
  return isOrdinaryF32(bits) && quickPush(significandOfF32(bits), signExponentOfF32(bits));
}
export function quickPushF64(bits: u64): bool {
  return isOrdinaryF64(bits) && quickPush(significandOfF64(bits), signExponentOfF64(bits));
}
export function quickPushInteger(value: i64): bool {
  return quickPush(significandOfInteger(value), signExponentOfInteger(value));
}

// ---- moves ----------------------------------------------------------------------------------------------------------------

/** Pushes a number that needs nothing else. */
// @ts-ignore: decorator
@inline
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

/** ST(0) as it is, to 10 bytes at `to`. */
export function quickCopyTop(to: usize): bool {
  const top = <i32>load<u16>(X87_TOP), at = address(top);
  if (((<i32>load<u16>(X87_VALID) >> top) & 1) == 0) return false;
  store<u64>(to, load<u64>(at));
  store<u16>(to, load<u16>(at, 8), 8);
  note(0);
  return true;
}

/** ST(0) cut to a format of `precision` bits with exponents up to `most`: its bits without the sign are left in {@link quickBits}. */
export let quickBits: u64 = 0;
export let quickSign: i32 = 0;
export function quickNarrow(precision: i32, most: i32): bool {
  const top = <i32>load<u16>(X87_TOP), at = address(top);
  return isPlain() && ((<i32>load<u16>(X87_VALID) >> top) & 1) != 0 && quickNarrowOf(load<u64>(at), load<u16>(at, 8), precision, most);
}
/** The same for any number. */
export function quickNarrowOf(m: u64, se: i32, precision: i32, most: i32): bool {
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
export function quickOrderOf(ma: u64, sea: i32, mb: u64, seb: i32): i32 {
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
