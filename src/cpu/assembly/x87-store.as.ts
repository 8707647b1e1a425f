/** Stores: double-extended to memory formats.
 *
 *  A store helper computes the value of ST(0), sets flags, and leaves in SCRATCH_D (u32) whether memory is to be written at all: 0
 *  after an unmasked exception. The caller has checked that memory is writable, writes it, and pops. Nothing here pops. */
import { SCRATCH_A, SCRATCH_D } from "../state";
import { INVALID, masks, OVERFLOW, PRECISION, raise, rounding, setRounding, TRUNCATE, UNDERFLOW, DOWN, UP } from "./environment.as";
import { denormalizeTo, exponent, high, inexact, isTiny, roundedUp, roundTo, roundToInteger, setReal, sign } from "./real.as";
import {
  isInfinite80, isNaN80, isUnsupported, isZero80, loadReal80, propagateOne, setDefaultNaN, setRoundedUp, signExponent, significand,
  signOf80,
} from "./x87-format.as";
import { quickBits, quickCopyTop, quickNarrow, quickSign } from "./x87-quick.as";
import { beginX87, copyToResult, endX87, isEmpty, significandAt, signExponentAt, underflowStack } from "./x87-stack.as";

/** No result: over- and underflow of a store are pre-empted when unmasked, unlike those of arithmetic (SDM 1, 8.5.4). */
let refused: bool = false;

function beginStore(): void {
  beginX87();
  refused = false;
}

function endStore(): void {
  const proceed = endX87() && !refused;
  store<u32>(SCRATCH_D, proceed ? 1 : 0);
}

/** ST(0) in a format of `precision` bits whose exponents reach `most`, sign at bit `signAt`. */
function toBinary(precision: i32, most: i32, signAt: i32): u64 {
  const infinity: u64 = (<u64>(2 * most + 1)) << (precision - 1);
  if (isEmpty(0)) {
    underflowStack();
    return binaryNaN(precision, infinity, signAt);
  }
  const m = significandAt(0), se = signExponentAt(0);
  if (propagateOne(m, se)) return binaryNaN(precision, infinity, signAt);
  const signed: u64 = (<u64>signOf80(se)) << signAt;
  if (isInfinite80(m, se)) return signed | infinity;
  if (isZero80(m, se)) return signed;
  loadReal80(m, se);
  const least = 1 - most;
  if (exponent < least) {
    const tiny = isTiny(precision, least);
    if (tiny && (masks & UNDERFLOW) == 0) {
      raise(UNDERFLOW);
      refused = true;
      return 0;
    }
    denormalizeTo(least);
    roundTo(precision);
    if (inexact) raise(tiny ? UNDERFLOW | PRECISION : PRECISION);
    setRoundedUp(roundedUp);
    return signed | (high >> (64 - precision));
  }
  roundTo(precision);
  if (exponent > most) {
    if ((masks & OVERFLOW) == 0) {
      raise(OVERFLOW);
      refused = true;
      return 0;
    }
    raise(OVERFLOW | PRECISION);
    const toLargest = rounding == TRUNCATE || rounding == (sign ? UP : DOWN);
    setRoundedUp(!toLargest);
    return signed | (toLargest ? infinity - 1 : infinity);
  }
  if (inexact) raise(PRECISION);
  setRoundedUp(roundedUp);
  return signed | (((<u64>(exponent + most - 1)) << (precision - 1)) + (high >> (64 - precision)));
}

/** The NaN in the result, cut to the format. */
function binaryNaN(precision: i32, infinity: u64, signAt: i32): u64 {
  return ((<u64>signOf80(signExponent)) << signAt) | infinity | ((significand << 1) >> (65 - precision));
}

export function x87_store_f32(): u32 {
  if (quickNarrow(24, 127)) {
    store<u32>(SCRATCH_D, 1);
    return <u32>quickBits | (<u32>quickSign << 31);
  }
  beginStore();
  const bits = toBinary(24, 127, 31);
  endStore();
  return <u32>bits;
}

export function x87_store_f64(): u64 {
  if (quickNarrow(53, 1023)) {
    store<u32>(SCRATCH_D, 1);
    return quickBits | (<u64>quickSign << 63);
  }
  beginStore();
  const bits = toBinary(53, 1023, 63);
  endStore();
  return bits;
}

/** FSTP m80: the register as it is, to SCRATCH_A. */
export function x87_store_f80(): void {
  if (quickCopyTop(SCRATCH_A)) {
    store<u32>(SCRATCH_D, 1);
    return;
  }
  beginStore();
  if (isEmpty(0)) underflowStack();
  else copyToResult(0);
  store<u64>(SCRATCH_A, significand);
  store<u16>(SCRATCH_A, <u16>signExponent, 8);
  endStore();
}

/** Magnitude of ST(0) as an integer, into high; false and IE when there is none, or when it exceeds `limit` (+1 for negatives when
 *  `asymmetric`). */
function toMagnitude(limit: u64, asymmetric: bool): bool {
  if (isEmpty(0)) {
    underflowStack();
    return false;
  }
  const m = significandAt(0), se = signExponentAt(0);
  if (!isUnsupported(m, se) && !isNaN80(m, se) && !isInfinite80(m, se)) {
    if (isZero80(m, se)) {
      setReal(signOf80(se), 0, 0, 0);
      return true;
    }
    loadReal80(m, se);
    if (roundToInteger() && high <= limit + (asymmetric && sign != 0 ? 1 : 0)) {
      if (inexact) raise(PRECISION);
      setRoundedUp(roundedUp);
      return true;
    }
  }
  raise(INVALID);
  return false;
}

/** FIST(P) and FISTTP of `bits` width. */
export function x87_store_integer(bits: i32, truncate: i32): i64 {
  beginStore();
  if (truncate != 0) setRounding(TRUNCATE);
  const limit: u64 = ((<u64>1) << (bits - 1)) - 1;
  let value: i64 = -1 - <i64>limit;
  if (toMagnitude(limit, true)) value = sign != 0 ? -(<i64>high) : <i64>high;
  endStore();
  return value;
}

/** FBSTP: 18 packed digits and a sign byte, to SCRATCH_A. */
export function x87_store_bcd(): void {
  beginStore();
  if (toMagnitude(999_999_999_999_999_999, false)) {
    let rest = high;
    for (let i = 0; i < 9; i++) {
      const pair = rest % 100;
      store<u8>(SCRATCH_A + i, <u8>(((pair / 10) << 4) | (pair % 10)));
      rest /= 100;
    }
    store<u8>(SCRATCH_A, sign != 0 ? 0x80 : 0, 9);
  } else {
    store<u64>(SCRATCH_A, 0xc000_0000_0000_0000);
    store<u16>(SCRATCH_A, 0xffff, 8);
  }
  endStore();
}
