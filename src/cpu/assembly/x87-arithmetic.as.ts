/** FADD FMUL FSUB(R) FDIV(R) FSQRT in all their forms, FSCALE, FXTRACT, FRNDINT, FPREM, FPREM1, FCHS, FABS.
 *  References: Intel SDM 1, 8.3; SDM 2A, each instruction's special-case table. */
import { INVALID, NEAREST, PRECISION, raise, rounding, setRaised, TRUNCATE, UNDERFLOW, ZERO_DIVIDE, DOWN } from "./environment.as";
import { addReal, divideReal, exponent, high, inexact, multiplyReal, normalize, roundedUp, roundToInteger, setReal, sign, squareRootReal, TOP_BIT } from "./real.as";
import { divideWide, remainder } from "./wide.as";
import { quickArithmetic, quickArithmeticF32, quickArithmeticF64, quickArithmeticInteger } from "./x87-quick.as";
import {
  BIAS, exponentOf80, isDenormal80, isInfinite80, isZero80, LEAST, loadReal80, noteDenormal80, pack80, propagateOne, propagateTwo,
  setInfinity, setInvalid, setResult, setRoundedUp, setZero, significand, significandOf80, signExponent, signOf80,
} from "./x87-format.as";
import { loadF32, loadF64, loadInteger } from "./x87-load.as";
import {
  beginX87, C0, C1, C2, C3, checkPush, copyToResult, endX87, isEmpty, mayProceed, pop, precisionControl, pushResult, setConditions,
  setStatusBits, setTop, setValid, significandAt, signExponentAt, statusBits, storeResult, top, underflowStack,
} from "./x87-stack.as";

// Operations by the /digit of D8: add 0, mul 1, sub 4, subr 5, div 6, divr 7.
const ADD: i32 = 0;
const MULTIPLY: i32 = 1;
const SUBTRACT: i32 = 4;
const SUBTRACT_REVERSED: i32 = 5;
const DIVIDE: i32 = 6;
const SIGN: i32 = 0x8000;

/** a op b into the result. */
function operate(operation: i32, ma: u64, sea: i32, mb: u64, seb: i32): void {
  if (propagateTwo(ma, sea, mb, seb)) return;
  if (operation == MULTIPLY) multiply(ma, sea, mb, seb);
  else if (operation == ADD) sum(ma, sea, mb, seb);
  else if (operation == SUBTRACT) sum(ma, sea, mb, seb ^ SIGN);
  else if (operation == SUBTRACT_REVERSED) sum(mb, seb, ma, sea ^ SIGN);
  else if (operation == DIVIDE) divide(ma, sea, mb, seb);
  else divide(mb, seb, ma, sea);
}

function sum(ma: u64, sea: i32, mb: u64, seb: i32): void {
  const sa = signOf80(sea), sb = signOf80(seb);
  const infiniteA = isInfinite80(ma, sea), infiniteB = isInfinite80(mb, seb);
  if (infiniteA && infiniteB && sa != sb) {
    setInvalid();
    return;
  }
  noteDenormal80(ma, sea);
  noteDenormal80(mb, seb);
  if (infiniteA || infiniteB) {
    setInfinity(infiniteA ? sa : sb);
    return;
  }
  const zeroA = isZero80(ma, sea), zeroB = isZero80(mb, seb);
  if (zeroA && zeroB) {
    setZero(sa == sb ? sa : zeroSign());
    return;
  }
  if (!mayProceed()) return;
  // A number plus zero still meets precision control and the denormal range.
  if (zeroA) loadReal80(mb, seb);
  else if (zeroB) loadReal80(ma, sea);
  else if (!addReal(sa, exponentOf80(ma, sea), significandOf80(ma), sb, exponentOf80(mb, seb), significandOf80(mb))) {
    setZero(zeroSign());
    return;
  }
  pack80(precisionControl());
}

/** Sign of the sum of opposite numbers. */
function zeroSign(): i32 { return rounding == DOWN ? 1 : 0; }

function multiply(ma: u64, sea: i32, mb: u64, seb: i32): void {
  const s = signOf80(sea) ^ signOf80(seb);
  const infinite = isInfinite80(ma, sea) || isInfinite80(mb, seb), zero = isZero80(ma, sea) || isZero80(mb, seb);
  if (infinite && zero) {
    setInvalid();
    return;
  }
  noteDenormal80(ma, sea);
  noteDenormal80(mb, seb);
  if (infinite) setInfinity(s);
  else if (zero) setZero(s);
  else if (mayProceed()) {
    multiplyReal(0, exponentOf80(ma, sea), significandOf80(ma), s, exponentOf80(mb, seb), significandOf80(mb));
    pack80(precisionControl());
  }
}

function divide(ma: u64, sea: i32, mb: u64, seb: i32): void {
  const s = signOf80(sea) ^ signOf80(seb);
  const infiniteA = isInfinite80(ma, sea), infiniteB = isInfinite80(mb, seb);
  const zeroA = isZero80(ma, sea), zeroB = isZero80(mb, seb);
  if ((infiniteA && infiniteB) || (zeroA && zeroB)) {
    setInvalid();
    return;
  }
  if (zeroB) {
    if (!infiniteA) raise(ZERO_DIVIDE);
    setInfinity(s);
    return;
  }
  noteDenormal80(ma, sea);
  noteDenormal80(mb, seb);
  if (infiniteA) setInfinity(s);
  else if (zeroA || infiniteB) setZero(s);
  else if (mayProceed()) {
    divideReal(0, exponentOf80(ma, sea), significandOf80(ma), s, exponentOf80(mb, seb), significandOf80(mb));
    pack80(precisionControl());
  }
}

/** ST(dst) = ST(dst) op ST(src), then a pop when asked for. */
export function x87_arithmetic(operation: i32, dst: i32, src: i32, pops: i32): void {
  if (quickArithmetic(operation, dst, src, pops)) return;
  beginX87();
  if (isEmpty(dst) || isEmpty(src)) underflowStack();
  else operate(operation, significandAt(dst), signExponentAt(dst), significandAt(src), signExponentAt(src));
  if (!endX87()) return;
  storeResult(dst);
  if (pops != 0) pop();
}

/** ST(0) = ST(0) op the number in the result. */
function operateOnMemory(operation: i32): void {
  if (isEmpty(0)) underflowStack();
  else operate(operation, significandAt(0), signExponentAt(0), significand, signExponent);
  if (endX87()) storeResult(0);
}

export function x87_arithmetic_f32(operation: i32, bits: u32): void {
  if (quickArithmeticF32(operation, bits)) return;
  beginX87();
  loadF32(bits);
  operateOnMemory(operation);
}

export function x87_arithmetic_f64(operation: i32, bits: u64): void {
  if (quickArithmeticF64(operation, bits)) return;
  beginX87();
  loadF64(bits);
  operateOnMemory(operation);
}

export function x87_arithmetic_integer(operation: i32, value: i32): void {
  if (quickArithmeticInteger(operation, value)) return;
  beginX87();
  loadInteger(value);
  operateOnMemory(operation);
}

export function x87_sqrt(): void {
  beginX87();
  if (isEmpty(0)) underflowStack();
  else squareRoot(significandAt(0), signExponentAt(0));
  if (endX87()) storeResult(0);
}

function squareRoot(m: u64, se: i32): void {
  if (propagateOne(m, se)) return;
  setResult(m, se);
  if (isZero80(m, se)) return;
  if (signOf80(se) != 0) {
    setInvalid();
    return;
  }
  noteDenormal80(m, se);
  if (isInfinite80(m, se) || !mayProceed()) return;
  squareRootReal(exponentOf80(m, se), significandOf80(m));
  pack80(precisionControl());
}

/** FRNDINT. */
export function x87_round(): void {
  beginX87();
  if (isEmpty(0)) underflowStack();
  else roundIntegral80(significandAt(0), signExponentAt(0));
  if (endX87()) storeResult(0);
}

function roundIntegral80(m: u64, se: i32): void {
  if (propagateOne(m, se)) return;
  setResult(m, se);
  if (isZero80(m, se) || isInfinite80(m, se)) return;
  noteDenormal80(m, se);
  if (!mayProceed() || exponentOf80(m, se) >= 63) return;
  loadReal80(m, se);
  roundToInteger();
  if (inexact) raise(PRECISION);
  setRoundedUp(roundedUp);
  if (!normalize()) setZero(sign);
  else setResult(high, (se & SIGN) | (exponent + BIAS));
}

/** FSCALE: ST(0) · 2^trunc(ST(1)). */
export function x87_scale(): void {
  beginX87();
  if (isEmpty(0) || isEmpty(1)) underflowStack();
  else scale(significandAt(0), signExponentAt(0), significandAt(1), signExponentAt(1));
  if (endX87()) storeResult(0);
}

function scale(m: u64, se: i32, ms: u64, ses: i32): void {
  if (propagateTwo(m, se, ms, ses)) return;
  const zero = isZero80(m, se), infinite = isInfinite80(m, se), s = signOf80(se);
  if (isInfinite80(ms, ses)) {
    if (signOf80(ses) == 0 ? zero : infinite) {
      setInvalid();
      return;
    }
    noteDenormal80(m, se);
    if (signOf80(ses) == 0) setInfinity(s);
    else setZero(s);
    return;
  }
  noteDenormal80(m, se);
  noteDenormal80(ms, ses);
  setResult(m, se);
  if (zero || infinite || isZero80(ms, ses) && !isDenormal80(m, se) || !mayProceed()) return;
  let by: i32 = 0;
  if (!isZero80(ms, ses)) {
    const e = exponentOf80(ms, ses);
    // Beyond 2^17 the result overflows or underflows whatever ST(0) is.
    if (e >= 17) by = 0x20000;
    else if (e >= 0) by = <i32>(significandOf80(ms) >> (63 - e));
    if (signOf80(ses) != 0) by = -by;
  }
  setReal(s, exponentOf80(m, se) + by, significandOf80(m), 0);
  pack80(64);
}

/** FXTRACT: ST(0) becomes the exponent, then the significand is pushed. */
export function x87_extract(): void {
  beginX87();
  if (isEmpty(0)) {
    underflowStack();
    if (!endX87()) return;
    storeResult(0);
    pushResult();
    return;
  }
  if (!checkPush()) {
    if (!endX87()) return;
    storeResult(0);
    pushResult();
    return;
  }
  const m = significandAt(0), se = signExponentAt(0);
  if (propagateOne(m, se)) {
    if (!endX87()) return;
    storeResult(0);
    pushResult();
    return;
  }
  if (isZero80(m, se)) {
    raise(ZERO_DIVIDE);
    if (!endX87()) return;
    setInfinity(1);
    storeResult(0);
    setZero(signOf80(se));
    pushResult();
    return;
  }
  noteDenormal80(m, se);
  if (!endX87()) return;
  if (isInfinite80(m, se)) {
    setInfinity(0);
    storeResult(0);
    setInfinity(signOf80(se));
    pushResult();
    return;
  }
  loadInteger(exponentOf80(m, se));
  storeResult(0);
  setResult(significandOf80(m), (se & SIGN) | BIAS);
  pushResult();
}

/** FPREM (truncating quotient) and FPREM1 (quotient to nearest). C2 is set while the reduction is not complete; then C0, C3, C1 are
 *  the low three bits of the quotient. */
export function x87_remainder(nearest: i32): void {
  beginX87();
  quotient = 0;
  partial = false;
  reduced = false;
  if (isEmpty(0) || isEmpty(1)) underflowStack();
  else reduce(significandAt(0), signExponentAt(0), significandAt(1), signExponentAt(1), nearest != 0);
  setStatusBits(statusBits() & ~C2);
  if (!endX87()) return;
  storeResult(0);
  // After a NaN operand or an invalid operation C0 and C3 stay.
  if (!reduced) return;
  let bits = partial ? C2 : 0;
  if ((quotient & 1) != 0) bits |= C1;
  if ((quotient & 2) != 0) bits |= C3;
  if ((quotient & 4) != 0) bits |= C0;
  setStatusBits((statusBits() & ~(C0 | C1 | C2 | C3)) | bits);
}

/** Low bits of the quotient of the last {@link reduce}, and whether more reduction is due. */
let quotient: u64 = 0;
let partial: bool = false;
/** Whether there were two numbers to divide. */
let reduced: bool = false;

function reduce(ma: u64, sea: i32, mb: u64, seb: i32, nearest: bool): void {
  if (propagateTwo(ma, sea, mb, seb)) return;
  if (isInfinite80(ma, sea) || isZero80(mb, seb)) {
    setInvalid();
    return;
  }
  reduced = true;
  noteDenormal80(ma, sea);
  noteDenormal80(mb, seb);
  setResult(ma, sea);
  if (isZero80(ma, sea) || !mayProceed()) return;
  if (isInfinite80(mb, seb)) {
    loadReal80(ma, sea);
    pack80(64);
    return;
  }
  const ea = exponentOf80(ma, sea), eb = exponentOf80(mb, seb);
  const divisor = significandOf80(mb);
  let rest = significandOf80(ma);
  let difference = ea - eb;
  let s = signOf80(sea);
  if (difference < -1 || (difference == -1 && !nearest)) {
    loadReal80(ma, sea);
    pack80(64);
    return;
  }
  if (difference >= 64) {
    // One step takes off 32 to 63 bits, leaving a multiple of 32 for the next ones (SDM: "N is between 32 and 63").
    partial = true;
    difference = 32 + (difference & 31);
  }
  if (difference < 0) {
    // |a| < |b| < 4|a|: the quotient is 0 or, to nearest, 1 when a > b/2.
    if (rest > divisor) {
      quotient = 1;
      setReal(s ^ 1, eb - 1, 0, 0);
      // b - a at exponent eb - 1: 2·divisor - rest, which fits since rest > divisor.
      rest = divisor + (divisor - rest);
      setReal(s ^ 1, eb - 1, rest, 0);
      normalize();
      pack80(64);
      return;
    }
    loadReal80(ma, sea);
    pack80(64);
    return;
  }
  if (rest >= divisor) {
    rest -= divisor;
    quotient = (<u64>1) << difference;
  }
  if (difference > 0) {
    quotient |= divideWide(rest >> (64 - difference), rest << difference, divisor);
    rest = remainder;
  }
  if (nearest && !partial) {
    // Beyond half of the divisor, or at half with an odd quotient, one more.
    const other = divisor - rest;
    if (rest > other || (rest == other && (quotient & 1) != 0)) {
      quotient++;
      rest = other;
      s ^= 1;
    }
  }
  setReal(s, partial ? ea - difference : eb, rest, 0);
  if (partial) quotient = 0;
  if (!normalize()) {
    setZero(signOf80(sea));
    return;
  }
  pack80(64);
}

/** FCHS and FABS look at nothing but the sign. */
export function x87_change_sign(): void {
  beginX87();
  copyToResult(0);
  if (isEmpty(0)) underflowStack();
  else setResult(significand, signExponent ^ SIGN);
  if (endX87()) storeResult(0);
}

export function x87_absolute(): void {
  beginX87();
  copyToResult(0);
  if (isEmpty(0)) underflowStack();
  else setResult(significand, signExponent & ~SIGN);
  if (endX87()) storeResult(0);
}
