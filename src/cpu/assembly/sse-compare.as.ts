/** COMIS, UCOMIS and CMPccPS/PD/SS/SD. */
import { INVALID, raise } from "./environment.as";
import { isLess } from "./sse-arithmetic.as";
import { beginSse, endSse, isNaN, isSignaling, isZero, noteDenormal, operand } from "./sse-format.as";

// Answers of order(), which are also the RFLAGS bits that COMIS writes.
const GREATER: i32 = 0;
const LESS: i32 = 0x01;
const EQUAL: i32 = 0x40;
const UNORDERED: i32 = 0x45;

/** How a stands to b. A quiet NaN sets IE only when `strict`. */
function order<F>(a: u64, b: u64, strict: bool): i32 {
  a = operand<F>(a);
  b = operand<F>(b);
  if (isNaN<F>(a) || isNaN<F>(b)) {
    if (strict || isSignaling<F>(a) || isSignaling<F>(b)) raise(INVALID);
    return UNORDERED;
  }
  noteDenormal<F>(a);
  noteDenormal<F>(b);
  if (a == b || (isZero<F>(a) && isZero<F>(b))) return EQUAL;
  return isLess<F>(a, b) ? LESS : GREATER;
}

/** Predicates EQ LT LE UNORD and, from 4, their negations. LT, LE and their negations are strict about quiet NaNs. */
export function compare<F>(a: u64, b: u64, predicate: i32): bool {
  const relation = predicate & 3;
  const found = order<F>(a, b, relation == 1 || relation == 2);
  let holds: bool;
  if (relation == 0) holds = found == EQUAL;
  else if (relation == 1) holds = found == LESS;
  else if (relation == 2) holds = found == LESS || found == EQUAL;
  else holds = found == UNORDERED;
  return (predicate & 4) != 0 ? !holds : holds;
}

export function f64_comis(a: u64, b: u64): i32 { beginSse(); const r = order<f64>(a, b, true); endSse(); return r; }
export function f64_ucomis(a: u64, b: u64): i32 { beginSse(); const r = order<f64>(a, b, false); endSse(); return r; }
export function f32_comis(a: u32, b: u32): i32 { beginSse(); const r = order<f32>(a, b, true); endSse(); return r; }
export function f32_ucomis(a: u32, b: u32): i32 { beginSse(); const r = order<f32>(a, b, false); endSse(); return r; }

export function f64_compare(a: u64, b: u64, predicate: i32): u64 {
  beginSse();
  const holds = compare<f64>(a, b, predicate);
  endSse();
  return holds ? u64.MAX_VALUE : 0;
}

export function f32_compare(a: u32, b: u32, predicate: i32): u32 {
  beginSse();
  const holds = compare<f32>(a, b, predicate);
  endSse();
  return holds ? u32.MAX_VALUE : 0;
}
