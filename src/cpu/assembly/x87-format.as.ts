/** The double-extended format: significand u64 with an explicit integer bit, sign and 15-bit exponent in a u16.
 *
 *  Encodings of the 8087 that later processors refuse (unnormals, pseudo-NaNs, pseudo-infinities: a non-zero exponent without
 *  integer bit) are "unsupported" and make an operation invalid; a pseudo-denormal (zero exponent with integer bit) is read as
 *  the number it looks like (Intel SDM 1, 8.2.2). */
import {
  DENORMAL, DOWN, INVALID, masks, OVERFLOW, PRECISION, raise, rounding, TRUNCATE, UNDERFLOW, UP,
} from "./environment.as";
import { denormalizeTo, exponent, high, inexact, isTiny, low, roundedUp, roundTo, setReal, sign, TOP_BIT } from "./real.as";

export const BIAS: i32 = 16383;
export const LEAST: i32 = 1 - BIAS;
export const MAX_EXPONENT: i32 = 0x7fff;
const SIGN: i32 = 0x8000;
const QUIET_BIT: u64 = 0x4000_0000_0000_0000;
/** Unmasked overflow and underflow give a result scaled by 2^±24576 (SDM 1, 8.5.4 and 8.5.5). */
const SCALE: i32 = 24576;

/** C1 at the end of the operation: the magnitude was rounded up, or a stack fault was an overflow. */
export let conditionOne: bool = false;
export function setRoundedUp(up: bool): void { conditionOne = up; }

/** The result of an operation on its way to a register. */
export let significand: u64 = 0;
export let signExponent: i32 = 0;

export function setResult(m: u64, se: i32): void {
  significand = m;
  signExponent = se;
}

export function setZero(s: i32): void { setResult(0, s ? SIGN : 0); }
export function setInfinity(s: i32): void { setResult(TOP_BIT, s ? SIGN | MAX_EXPONENT : MAX_EXPONENT); }
export function setDefaultNaN(): void { setResult(0xc000_0000_0000_0000, 0xffff); }
/** Result of an invalid operation. */
export function setInvalid(): void {
  raise(INVALID);
  setDefaultNaN();
}

export function signOf80(se: i32): i32 { return (se >> 15) & 1; }
export function isUnsupported(m: u64, se: i32): bool { return (se & MAX_EXPONENT) != 0 && (m & TOP_BIT) == 0; }
/** The next predicates presume a supported encoding. */
export function isNaN80(m: u64, se: i32): bool { return (se & MAX_EXPONENT) == MAX_EXPONENT && m << 1 != 0; }
export function isSignaling80(m: u64, se: i32): bool { return isNaN80(m, se) && (m & QUIET_BIT) == 0; }
export function isInfinite80(m: u64, se: i32): bool { return (se & MAX_EXPONENT) == MAX_EXPONENT && m << 1 == 0; }
export function isZero80(m: u64, se: i32): bool { return (se & MAX_EXPONENT) == 0 && m == 0; }
export function isDenormal80(m: u64, se: i32): bool { return (se & MAX_EXPONENT) == 0 && m != 0; }

/** The operand in memory was denormal in its own, shorter format, where this one holds a normal number. */
export let loadedDenormal: bool = false;
export function setLoadedDenormal(denormal: bool): void { loadedDenormal = denormal; }

/** Reports a denormal operand, in a register or loaded from memory. */
export function noteDenormal80(m: u64, se: i32): void {
  if (loadedDenormal || isDenormal80(m, se)) raise(DENORMAL);
}

/** Exponent of the leading bit, and significand with bit 63 set, of a finite non-zero number. */
export function exponentOf80(m: u64, se: i32): i32 {
  const biased = se & MAX_EXPONENT;
  return (biased == 0 ? 1 : biased) - BIAS - <i32>clz<u64>(m);
}
export function significandOf80(m: u64): u64 { return m << clz<u64>(m); }

/** Loads a finite non-zero number into real.ts. */
export function loadReal80(m: u64, se: i32): void {
  setReal(signOf80(se), exponentOf80(m, se), significandOf80(m), 0);
}

/** Deals with one operand that is a NaN or unsupported; false when it is neither. */
export function propagateOne(m: u64, se: i32): bool {
  if (isUnsupported(m, se)) {
    setInvalid();
    return true;
  }
  if (!isNaN80(m, se)) return false;
  if (isSignaling80(m, se)) raise(INVALID);
  setResult(m | QUIET_BIT, se);
  return true;
}

/** The x87 rule for two operands of which one may be a NaN (SDM 1, table 4-7): a quiet NaN wins over a signalling one, else the
 *  larger significand wins, else the positive one. False when neither is a NaN nor unsupported. */
export function propagateTwo(ma: u64, sea: i32, mb: u64, seb: i32): bool {
  if (isUnsupported(ma, sea) || isUnsupported(mb, seb)) {
    setInvalid();
    return true;
  }
  const nanA = isNaN80(ma, sea), nanB = isNaN80(mb, seb);
  if (!nanA && !nanB) return false;
  const signalingA = isSignaling80(ma, sea), signalingB = isSignaling80(mb, seb);
  if (signalingA || signalingB) raise(INVALID);
  let first: bool;
  if (nanA && nanB) {
    if (signalingA != signalingB) first = signalingB;
    else if (ma != mb) first = ma > mb;
    else first = signOf80(sea) == 0;
  } else {
    first = nanA;
  }
  setResult((first ? ma : mb) | QUIET_BIT, first ? sea : seb);
  return true;
}

/** Rounds the number in real.ts to `precision` bits (24, 53 or 64) in the extended exponent range, into the result. Precision
 *  control limits the significand only, also of denormal results (SDM 1, 8.1.5.2). */
export function pack80(precision: i32): void {
  const signed = sign ? SIGN : 0;
  if (exponent < LEAST) {
    const tiny = isTiny(precision, LEAST);
    if (!tiny || (masks & UNDERFLOW) != 0) {
      denormalizeTo(LEAST);
      roundTo(precision);
      if (inexact) raise(tiny ? UNDERFLOW | PRECISION : PRECISION);
      setRoundedUp(roundedUp);
      setResult(high, signed | ((high & TOP_BIT) != 0 ? 1 : 0));
      return;
    }
    raise(UNDERFLOW);
    setReal(sign, exponent + SCALE, high, low);
  }
  roundTo(precision);
  if (inexact) raise(PRECISION);
  setRoundedUp(roundedUp);
  if (exponent > BIAS) {
    if ((masks & OVERFLOW) != 0) {
      raise(OVERFLOW | PRECISION);
      const toLargest = rounding == TRUNCATE || rounding == (sign ? UP : DOWN);
      setRoundedUp(!toLargest);
      if (toLargest) setResult(~(((<u64>1) << (64 - precision)) - 1), signed | (MAX_EXPONENT - 1));
      else setInfinity(sign);
      return;
    }
    raise(OVERFLOW);
    setReal(sign, exponent - SCALE, high, low);
  }
  if (exponent > BIAS || exponent < LEAST) packOutOfRange();
  else setResult(high, signed | (exponent + BIAS));
}

/** FSCALE can leave a number out of range even after scaling: infinity or zero then, inexact. */
function packOutOfRange(): void {
  raise(PRECISION);
  if (exponent > BIAS) {
    setRoundedUp(true);
    setInfinity(sign);
  } else {
    setZero(sign);
  }
}
