/** Loads: memory formats to double-extended, pushes, and the constants.
 *
 *  load* convert into the result and raise what the operand raises; push* also do the stack's part. Stack overflow is found
 *  before the operand is looked at. */
import { SCRATCH_A } from "../state";
import { INVALID, raised } from "./environment.as";
import { exponent, high, roundTo, setReal, TOP_BIT } from "./real.as";
import {
  BIAS, MAX_EXPONENT, noteDenormal80, propagateOne, setLoadedDenormal, setResult, setZero, signExponent, significand,
} from "./x87-format.as";
import { beginX87, checkPush, copyToResult, endX87, isEmpty, pushResult, underflowStack } from "./x87-stack.as";
import { quickPush, quickPushF32, quickPushF64, quickPushInteger, quickPushRegister } from "./x87-quick.as";

const SIGN: i32 = 0x8000;

/** binary32 into the result, exactly. A signalling NaN stays one: the operation that takes it reports it. */
export function loadF32(bits: u32): void {
  const fraction = <u64>(bits & 0x7f_ffff) << 40;
  loadBinary(bits >> 31, (bits >> 23) & 0xff, 0xff, 127, fraction);
}

export function loadF64(bits: u64): void {
  loadBinary(<i32>(bits >> 63), <i32>(bits >> 52) & 0x7ff, 0x7ff, 1023, (bits << 12) >> 1);
}

/** From sign, biased exponent and the fraction at bits 62…0. Denormals are normalised: the format's own zero exponent would be a
 *  different number. */
function loadBinary(s: i32, biased: i32, most: i32, bias: i32, fraction: u64): void {
  const signed = s ? SIGN : 0;
  if (biased == most) setResult(fraction | TOP_BIT, signed | MAX_EXPONENT);
  else if (biased != 0) setResult(fraction | TOP_BIT, signed | (biased - bias + BIAS));
  else if (fraction == 0) setZero(s);
  else {
    const shift = <i32>clz<u64>(fraction);
    setResult(fraction << shift, signed | (1 - bias + BIAS - shift));
    setLoadedDenormal(true);
  }
}

export function loadInteger(value: i64): void {
  if (value == 0) {
    setZero(0);
    return;
  }
  const size: u64 = <u64>(value < 0 ? -value : value);
  const shift = <i32>clz<u64>(size);
  setResult(size << shift, (value < 0 ? SIGN : 0) | (BIAS + 63 - shift));
}

/** Pushes the result of a load, after the checks of FLD m32/m64: a signalling NaN is quieted with IE, a denormal sets DE. An
 *  unmasked DE does not prevent the push. */
function pushNumber(): void {
  if (checkPush() && !propagateOne(significand, signExponent)) noteDenormal80(significand, signExponent);
  if (endX87() || (raised & INVALID) == 0) pushResult();
}

export function x87_push_f32(bits: u32): void {
  if (quickPushF32(bits)) return;
  beginX87();
  loadF32(bits);
  pushNumber();
}

export function x87_push_f64(bits: u64): void {
  if (quickPushF64(bits)) return;
  beginX87();
  loadF64(bits);
  pushNumber();
}

/** Pushes what is in the result as it is. */
function pushUnchecked(): void {
  checkPush();
  if (endX87()) pushResult();
}

/** FLD m80: 10 bytes at SCRATCH_A, taken as they are. */
export function x87_push_f80(): void {
  if (quickPush(load<u64>(SCRATCH_A), load<u16>(SCRATCH_A, 8))) return;
  beginX87();
  setResult(load<u64>(SCRATCH_A), load<u16>(SCRATCH_A, 8));
  pushUnchecked();
}

export function x87_push_integer(value: i64): void {
  if (quickPushInteger(value)) return;
  beginX87();
  loadInteger(value);
  pushUnchecked();
}

/** FLD ST(i). */
export function x87_push_register(i: i32): void {
  if (quickPushRegister(i)) return;
  beginX87();
  // A stack that both over- and underflows reports the underflow.
  if (isEmpty(i)) underflowStack();
  else if (checkPush()) copyToResult(i);
  if (endX87()) pushResult();
}

/** FBLD: 18 packed digits and a sign byte at SCRATCH_A. Digits above 9 count as written in binary; the manual leaves them undefined. */
export function x87_push_bcd(): void {
  beginX87();
  let value: i64 = 0;
  for (let i = 8; i >= 0; i--) {
    const byte = load<u8>(SCRATCH_A + i);
    value = value * 100 + (byte >> 4) * 10 + (byte & 15);
  }
  loadInteger(value);
  setResult(significand, signExponent | ((<i32>load<u8>(SCRATCH_A, 9) & 0x80) << 8));
  pushUnchecked();
}

// Exponent, then 128 bits of significand, of 1, log2 10, log2 e, pi, log10 2, ln 2 (the order of D9 E8…ED).
const CONSTANTS = memory.data<u64>([
  0, 0x8000000000000000, 0x0000000000000000,
  1, 0xd49a784bcd1b8afe, 0x492bf6ff4dafdb4d,
  0, 0xb8aa3b295c17f0bb, 0xbe87fed0691d3e89,
  1, 0xc90fdaa22168c234, 0xc4c6628b80dc1cd1,
  0xfffffffffffffffe, 0x9a209a84fbcff798, 0x8f8959ac0b7c9179,
  0xffffffffffffffff, 0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af,
]);

/** FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ for 0…6. Rounded as the control word says, without PE (SDM 1, 8.3.4). */
export function x87_push_constant(which: i32): void {
  beginX87();
  if (which == 6) {
    setZero(0);
  } else {
    const row = CONSTANTS + which * 24;
    setReal(0, <i32>load<u64>(row), load<u64>(row, 8), load<u64>(row, 16));
    roundTo(64);
    setResult(high, exponent + BIAS);
  }
  pushUnchecked();
}
