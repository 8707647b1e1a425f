/** ADD SUB MUL DIV SQRT MIN MAX on binary32 and binary64 bits.
 *
 *  Order of effects inside each: DAZ, NaN operands, invalid operations, DE, then the computation (Intel SDM 1, table 11-6:
 *  a NaN operand hides a denormal one, and so does an invalid operation). */
import { DOWN, INVALID, raise, rounding, ZERO_DIVIDE } from "./environment.as";
import { forget, quickProduct, quickQuotient, quickResult, quickRoot, quickSum } from "./sse-quick.as";
import { addReal, divideReal, multiplyReal, squareRootReal } from "./real.as";
import {
  beginSse, defaultNaN, endSse, exponentOf, infinity, invalid, isInfinite, isNaN, isNegative, isZero, magnitude, noteDenormal,
  operand, packReal, propagate, signBit, significandOf, signOf,
} from "./sse-format.as";

export function add<F>(a: u64, b: u64): u64 {
  if (quickSum<F>(a, b)) return quickResult;
  a = operand<F>(a);
  b = operand<F>(b);
  if (isNaN<F>(a) || isNaN<F>(b)) return propagate<F>(a, b);
  return sum<F>(a, b);
}

export function subtract<F>(a: u64, b: u64): u64 {
  // Of numbers only: a NaN goes on below with its sign as it is.
  if (quickSum<F>(a, b ^ signBit<F>())) return quickResult;
  a = operand<F>(a);
  b = operand<F>(b);
  if (isNaN<F>(a) || isNaN<F>(b)) return propagate<F>(a, b);
  return sum<F>(a, b ^ signBit<F>());
}

function sum<F>(a: u64, b: u64): u64 {
  if (isInfinite<F>(a) && isInfinite<F>(b) && a != b) return invalid<F>();
  noteDenormal<F>(a);
  noteDenormal<F>(b);
  if (isInfinite<F>(a)) return a;
  if (isInfinite<F>(b)) return b;
  if (isZero<F>(a) && isZero<F>(b)) return a == b ? a : zeroSum<F>();
  // A number plus zero is the number, but a denormal one must still meet FTZ and UE in packReal: x + 0 = x/2 + x/2.
  if (isZero<F>(b)) {
    addReal(signOf<F>(a), exponentOf<F>(a) - 1, significandOf<F>(a), signOf<F>(a), exponentOf<F>(a) - 1, significandOf<F>(a));
  } else if (isZero<F>(a)) {
    addReal(signOf<F>(b), exponentOf<F>(b) - 1, significandOf<F>(b), signOf<F>(b), exponentOf<F>(b) - 1, significandOf<F>(b));
  } else if (!addReal(signOf<F>(a), exponentOf<F>(a), significandOf<F>(a), signOf<F>(b), exponentOf<F>(b), significandOf<F>(b))) {
    return zeroSum<F>();
  }
  return packReal<F>();
}

/** Sum of opposite numbers: +0, except -0 when rounding down. */
function zeroSum<F>(): u64 {
  return rounding == DOWN ? signBit<F>() : 0;
}

export function multiply<F>(a: u64, b: u64): u64 {
  if (quickProduct<F>(a, b)) return quickResult;
  a = operand<F>(a);
  b = operand<F>(b);
  if (isNaN<F>(a) || isNaN<F>(b)) return propagate<F>(a, b);
  if ((isInfinite<F>(a) && isZero<F>(b)) || (isZero<F>(a) && isInfinite<F>(b))) return invalid<F>();
  noteDenormal<F>(a);
  noteDenormal<F>(b);
  const signed = (a ^ b) & signBit<F>();
  if (isInfinite<F>(a) || isInfinite<F>(b)) return signed | infinity<F>();
  if (isZero<F>(a) || isZero<F>(b)) return signed;
  multiplyReal(signOf<F>(a), exponentOf<F>(a), significandOf<F>(a), signOf<F>(b), exponentOf<F>(b), significandOf<F>(b));
  return packReal<F>();
}

export function divide<F>(a: u64, b: u64): u64 {
  if (quickQuotient<F>(a, b)) return quickResult;
  a = operand<F>(a);
  b = operand<F>(b);
  if (isNaN<F>(a) || isNaN<F>(b)) return propagate<F>(a, b);
  if ((isInfinite<F>(a) && isInfinite<F>(b)) || (isZero<F>(a) && isZero<F>(b))) return invalid<F>();
  const signed = (a ^ b) & signBit<F>();
  if (isZero<F>(b)) {
    // ZE outranks DE; infinity / 0 is an exact infinity.
    if (!isInfinite<F>(a)) raise(ZERO_DIVIDE);
    return signed | infinity<F>();
  }
  noteDenormal<F>(a);
  noteDenormal<F>(b);
  if (isInfinite<F>(a)) return signed | infinity<F>();
  if (isZero<F>(a) || isInfinite<F>(b)) return signed;
  divideReal(signOf<F>(a), exponentOf<F>(a), significandOf<F>(a), signOf<F>(b), exponentOf<F>(b), significandOf<F>(b));
  return packReal<F>();
}

export function squareRoot<F>(a: u64): u64 {
  if (quickRoot<F>(a)) return quickResult;
  a = operand<F>(a);
  if (isNaN<F>(a)) return propagate<F>(a, a);
  if (isZero<F>(a)) return a;
  if (isNegative<F>(a)) return invalid<F>();
  noteDenormal<F>(a);
  if (isInfinite<F>(a)) return a;
  squareRootReal(exponentOf<F>(a), significandOf<F>(a));
  return packReal<F>();
}

/** True when a < b, both being numbers. */
export function isLess<F>(a: u64, b: u64): bool {
  if (isZero<F>(a) && isZero<F>(b)) return false;
  if (isNegative<F>(a) != isNegative<F>(b)) return isNegative<F>(a);
  return isNegative<F>(a) ? magnitude<F>(b) < magnitude<F>(a) : a < b;
}

/** MIN: a < b ? a : b, where any NaN makes the comparison false and sets IE, even a quiet one. */
export function minimum<F>(a: u64, b: u64): u64 {
  a = operand<F>(a);
  b = operand<F>(b);
  if (isNaN<F>(a) || isNaN<F>(b)) {
    raise(INVALID);
    return b;
  }
  noteDenormal<F>(a);
  noteDenormal<F>(b);
  return isLess<F>(a, b) ? a : b;
}

export function maximum<F>(a: u64, b: u64): u64 {
  a = operand<F>(a);
  b = operand<F>(b);
  if (isNaN<F>(a) || isNaN<F>(b)) {
    raise(INVALID);
    return b;
  }
  noteDenormal<F>(a);
  noteDenormal<F>(b);
  return isLess<F>(b, a) ? a : b;
}

export function f64_add(a: u64, b: u64): u64 { forget(); if (quickSum<f64>(a, b)) return <u64>quickResult; beginSse(); const r = add<f64>(a, b); endSse(); return r; }
export function f64_sub(a: u64, b: u64): u64 { forget(); if (quickSum<f64>(a, b ^ signBit<f64>())) return <u64>quickResult; beginSse(); const r = subtract<f64>(a, b); endSse(); return r; }
export function f64_mul(a: u64, b: u64): u64 { forget(); if (quickProduct<f64>(a, b)) return <u64>quickResult; beginSse(); const r = multiply<f64>(a, b); endSse(); return r; }
export function f64_div(a: u64, b: u64): u64 { forget(); if (quickQuotient<f64>(a, b)) return <u64>quickResult; beginSse(); const r = divide<f64>(a, b); endSse(); return r; }
export function f64_min(a: u64, b: u64): u64 { beginSse(); const r = minimum<f64>(a, b); endSse(); return r; }
export function f64_max(a: u64, b: u64): u64 { beginSse(); const r = maximum<f64>(a, b); endSse(); return r; }
export function f64_sqrt(a: u64): u64 { forget(); if (quickRoot<f64>(a)) return <u64>quickResult; beginSse(); const r = squareRoot<f64>(a); endSse(); return r; }

export function f32_add(a: u32, b: u32): u32 { forget(); if (quickSum<f32>(a, b)) return <u32>quickResult; beginSse(); const r = add<f32>(a, b); endSse(); return <u32>r; }
export function f32_sub(a: u32, b: u32): u32 { forget(); if (quickSum<f32>(a, b ^ signBit<f32>())) return <u32>quickResult; beginSse(); const r = subtract<f32>(a, b); endSse(); return <u32>r; }
export function f32_mul(a: u32, b: u32): u32 { forget(); if (quickProduct<f32>(a, b)) return <u32>quickResult; beginSse(); const r = multiply<f32>(a, b); endSse(); return <u32>r; }
export function f32_div(a: u32, b: u32): u32 { forget(); if (quickQuotient<f32>(a, b)) return <u32>quickResult; beginSse(); const r = divide<f32>(a, b); endSse(); return <u32>r; }
export function f32_min(a: u32, b: u32): u32 { beginSse(); const r = minimum<f32>(a, b); endSse(); return <u32>r; }
export function f32_max(a: u32, b: u32): u32 { beginSse(); const r = maximum<f32>(a, b); endSse(); return <u32>r; }
export function f32_sqrt(a: u32): u32 { forget(); if (quickRoot<f32>(a)) return <u32>quickResult; beginSse(); const r = squareRoot<f32>(a); endSse(); return <u32>r; }
