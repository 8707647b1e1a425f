/** FCOM, FUCOM, FICOM, FCOMI, FUCOMI, FTST, FXAM. An ordered comparison is invalid on any NaN, an unordered one on a signalling one
 *  only; unsupported encodings are invalid in both. */
import { INVALID, raise } from "./environment.as";
import { exponentOf80, isDenormal80, isInfinite80, isNaN80, isSignaling80, isUnsupported, isZero80, noteDenormal80, setResult, signExponent, significand, significandOf80, signOf80 } from "./x87-format.as";
import { loadF32, loadF64, loadInteger } from "./x87-load.as";
import { quickOrder } from "./x87-quick.as";
import { beginX87, C0, C1, C2, C3, endX87, isEmpty, keepConditionOne, pop, setConditions, setStatusBits, significandAt, signExponentAt, statusBits, underflowStack } from "./x87-stack.as";

// Relations as C3 C2 C0.
const GREATER: i32 = 0;
const LESS: i32 = C0;
const EQUAL: i32 = C3;
const UNORDERED: i32 = C3 | C2 | C0;

function order(ma: u64, sea: i32, mb: u64, seb: i32, strict: bool): i32 {
  if (isUnsupported(ma, sea) || isUnsupported(mb, seb)) {
    raise(INVALID);
    return UNORDERED;
  }
  if (isNaN80(ma, sea) || isNaN80(mb, seb)) {
    if (strict || isSignaling80(ma, sea) || isSignaling80(mb, seb)) raise(INVALID);
    return UNORDERED;
  }
  noteDenormal80(ma, sea);
  noteDenormal80(mb, seb);
  const zeroA = isZero80(ma, sea), zeroB = isZero80(mb, seb);
  const negativeA = signOf80(sea) != 0, negativeB = signOf80(seb) != 0;
  if (zeroA && zeroB) return EQUAL;
  if (zeroA) return negativeB ? GREATER : LESS;
  if (zeroB) return negativeA ? LESS : GREATER;
  if (negativeA != negativeB) return negativeA ? LESS : GREATER;
  const ea = exponentOf80(ma, sea), eb = exponentOf80(mb, seb);
  const na = significandOf80(ma), nb = significandOf80(mb);
  if (ea == eb && na == nb) return EQUAL;
  const smaller = ea < eb || (ea == eb && na < nb);
  return smaller != negativeA ? LESS : GREATER;
}

/** ST(0) against the operand in the result. */
function compareTop(strict: bool): i32 {
  if (isEmpty(0)) {
    underflowStack();
    return UNORDERED;
  }
  return order(significandAt(0), signExponentAt(0), significand, signExponent, strict);
}

function compareRegister(i: i32, strict: bool): i32 {
  if (isEmpty(0) || isEmpty(i)) {
    underflowStack();
    return UNORDERED;
  }
  setResult(significandAt(i), signExponentAt(i));
  return compareTop(strict);
}

/** Condition codes are written even when an unmasked exception is due; only the pops are withheld. */
function finish(relation: i32, pops: i32): void {
  const proceed = endX87();
  setConditions(relation);
  if (proceed) popTimes(pops);
}

function popTimes(pops: i32): void {
  for (; pops > 0; pops--) pop();
}

/** FCOM(P)(P), FUCOM(P)(P): ST(0) with ST(i), `strict` for FCOM, then `pops` pops. */
export function x87_compare(i: i32, strict: i32, pops: i32): void {
  const order = quickOrder(i);
  if (order != 2) {
    setStatusBits((statusBits() & ~(C3 | C2 | C1 | C0)) | (order < 0 ? LESS : order == 0 ? EQUAL : GREATER));
    popTimes(pops);
    return;
  }
  beginX87();
  finish(compareRegister(i, strict != 0), pops);
}

export function x87_compare_f32(bits: u32, pops: i32): void {
  beginX87();
  loadF32(bits);
  finish(compareTop(true), pops);
}

export function x87_compare_f64(bits: u64, pops: i32): void {
  beginX87();
  loadF64(bits);
  finish(compareTop(true), pops);
}

export function x87_compare_integer(value: i32, pops: i32): void {
  beginX87();
  loadInteger(value);
  finish(compareTop(true), pops);
}

/** FCOMI, FUCOMI: the relation as ZF PF CF at their RFLAGS places. C1 stays, except that a stack fault clears it. */
export function x87_compare_flags(i: i32, strict: i32, pops: i32): i32 {
  const order = quickOrder(i);
  if (order != 2) {
    popTimes(pops);
    return (order < 0 ? LESS : order == 0 ? EQUAL : GREATER) >> 8;
  }
  beginX87();
  keepConditionOne();
  const relation = compareRegister(i, strict != 0);
  if (endX87()) popTimes(pops);
  return relation >> 8;
}

export function x87_test(): void {
  beginX87();
  setResult(0, 0);
  finish(compareTop(true), 0);
}

/** FXAM: class of ST(0) in C3 C2 C0, sign in C1, also of an empty register. No exceptions. */
export function x87_examine(): void {
  const m = significandAt(0), se = signExponentAt(0);
  let bits: i32;
  if (isEmpty(0)) bits = C3 | C0;
  else if (isUnsupported(m, se)) bits = 0;
  else if (isNaN80(m, se)) bits = C0;
  else if (isInfinite80(m, se)) bits = C2 | C0;
  else if (isZero80(m, se)) bits = C3;
  else if (isDenormal80(m, se)) bits = C3 | C2;
  else bits = C2;
  if (signOf80(se) != 0) bits |= C1;
  setStatusBits((statusBits() & ~(C0 | C1 | C2 | C3)) | bits);
}
