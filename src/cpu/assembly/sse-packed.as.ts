/** Packed SSE operations: lanes of SCRATCH_A and SCRATCH_B into SCRATCH_C.
 *
 *  All lanes are computed and their exceptions gathered before anything is reported, as the processor does: when one lane
 *  meets an unmasked exception the destination keeps its old value, so SCRATCH_C is then to be ignored. */
import { SCRATCH_A, SCRATCH_B, SCRATCH_C } from "../state";
import { masks, setRaised } from "./environment.as";
import { reciprocal, reciprocalSquareRoot } from "./sse-approximate.as";
import { add, divide, maximum, minimum, multiply, squareRoot, subtract } from "./sse-arithmetic.as";
import { compare } from "./sse-compare.as";
import { fromInteger, narrow, roundIntegral, toInteger, toIntegerTruncate, widen } from "./sse-convert.as";
import { beginSse, endSse, reportable, reportSse } from "./sse-format.as";

/** Lane i of a slot, as bits. */
function lane<F>(slot: usize, i: i32): u64 {
  return sizeof<F>() == 4 ? load<u32>(slot + (<usize>i << 2)) : load<u64>(slot + (<usize>i << 3));
}

function setLane<F>(slot: usize, i: i32, value: u64): void {
  if (sizeof<F>() == 4) store<u32>(slot + (<usize>i << 2), <u32>value);
  else store<u64>(slot + (<usize>i << 3), value);
}

function lanesOf<F>(): i32 { return sizeof<F>() == 4 ? 4 : 2; }

export function f64x2_add(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) setLane<f64>(SCRATCH_C, i, add<f64>(lane<f64>(SCRATCH_A, i), lane<f64>(SCRATCH_B, i)));
  endSse();
}

export function f64x2_sub(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) setLane<f64>(SCRATCH_C, i, subtract<f64>(lane<f64>(SCRATCH_A, i), lane<f64>(SCRATCH_B, i)));
  endSse();
}

export function f64x2_mul(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) setLane<f64>(SCRATCH_C, i, multiply<f64>(lane<f64>(SCRATCH_A, i), lane<f64>(SCRATCH_B, i)));
  endSse();
}

export function f64x2_div(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) setLane<f64>(SCRATCH_C, i, divide<f64>(lane<f64>(SCRATCH_A, i), lane<f64>(SCRATCH_B, i)));
  endSse();
}

export function f64x2_min(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) setLane<f64>(SCRATCH_C, i, minimum<f64>(lane<f64>(SCRATCH_A, i), lane<f64>(SCRATCH_B, i)));
  endSse();
}

export function f64x2_max(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) setLane<f64>(SCRATCH_C, i, maximum<f64>(lane<f64>(SCRATCH_A, i), lane<f64>(SCRATCH_B, i)));
  endSse();
}

export function f64x2_sqrt(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) setLane<f64>(SCRATCH_C, i, squareRoot<f64>(lane<f64>(SCRATCH_A, i)));
  endSse();
}

export function f64x2_round(imm: i32): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) setLane<f64>(SCRATCH_C, i, roundIntegral<f64>(lane<f64>(SCRATCH_A, i), imm));
  endSse();
}

export function f64x2_compare(predicate: i32): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) {
    setLane<f64>(SCRATCH_C, i, compare<f64>(lane<f64>(SCRATCH_A, i), lane<f64>(SCRATCH_B, i), predicate) ? u64.MAX_VALUE : 0);
  }
  endSse();
}

/** Even lanes subtract, odd lanes add. */
export function f64x2_addsub(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f64>(); i++) {
    const a = lane<f64>(SCRATCH_A, i), b = lane<f64>(SCRATCH_B, i);
    setLane<f64>(SCRATCH_C, i, (i & 1) != 0 ? add<f64>(a, b) : subtract<f64>(a, b));
  }
  endSse();
}

export function f64x2_hadd(): void {
  beginSse();
  const half = lanesOf<f64>() / 2;
  for (let i = 0; i < half; i++) {
    setLane<f64>(SCRATCH_C, i, add<f64>(lane<f64>(SCRATCH_A, 2 * i), lane<f64>(SCRATCH_A, 2 * i + 1)));
    setLane<f64>(SCRATCH_C, half + i, add<f64>(lane<f64>(SCRATCH_B, 2 * i), lane<f64>(SCRATCH_B, 2 * i + 1)));
  }
  endSse();
}

export function f64x2_hsub(): void {
  beginSse();
  const half = lanesOf<f64>() / 2;
  for (let i = 0; i < half; i++) {
    setLane<f64>(SCRATCH_C, i, subtract<f64>(lane<f64>(SCRATCH_A, 2 * i), lane<f64>(SCRATCH_A, 2 * i + 1)));
    setLane<f64>(SCRATCH_C, half + i, subtract<f64>(lane<f64>(SCRATCH_B, 2 * i), lane<f64>(SCRATCH_B, 2 * i + 1)));
  }
  endSse();
}

export function f32x4_add(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) setLane<f32>(SCRATCH_C, i, add<f32>(lane<f32>(SCRATCH_A, i), lane<f32>(SCRATCH_B, i)));
  endSse();
}

export function f32x4_sub(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) setLane<f32>(SCRATCH_C, i, subtract<f32>(lane<f32>(SCRATCH_A, i), lane<f32>(SCRATCH_B, i)));
  endSse();
}

export function f32x4_mul(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) setLane<f32>(SCRATCH_C, i, multiply<f32>(lane<f32>(SCRATCH_A, i), lane<f32>(SCRATCH_B, i)));
  endSse();
}

export function f32x4_div(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) setLane<f32>(SCRATCH_C, i, divide<f32>(lane<f32>(SCRATCH_A, i), lane<f32>(SCRATCH_B, i)));
  endSse();
}

export function f32x4_min(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) setLane<f32>(SCRATCH_C, i, minimum<f32>(lane<f32>(SCRATCH_A, i), lane<f32>(SCRATCH_B, i)));
  endSse();
}

export function f32x4_max(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) setLane<f32>(SCRATCH_C, i, maximum<f32>(lane<f32>(SCRATCH_A, i), lane<f32>(SCRATCH_B, i)));
  endSse();
}

export function f32x4_sqrt(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) setLane<f32>(SCRATCH_C, i, squareRoot<f32>(lane<f32>(SCRATCH_A, i)));
  endSse();
}

export function f32x4_round(imm: i32): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) setLane<f32>(SCRATCH_C, i, roundIntegral<f32>(lane<f32>(SCRATCH_A, i), imm));
  endSse();
}

export function f32x4_compare(predicate: i32): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) {
    setLane<f32>(SCRATCH_C, i, compare<f32>(lane<f32>(SCRATCH_A, i), lane<f32>(SCRATCH_B, i), predicate) ? u64.MAX_VALUE : 0);
  }
  endSse();
}

/** Even lanes subtract, odd lanes add. */
export function f32x4_addsub(): void {
  beginSse();
  for (let i = 0; i < lanesOf<f32>(); i++) {
    const a = lane<f32>(SCRATCH_A, i), b = lane<f32>(SCRATCH_B, i);
    setLane<f32>(SCRATCH_C, i, (i & 1) != 0 ? add<f32>(a, b) : subtract<f32>(a, b));
  }
  endSse();
}

export function f32x4_hadd(): void {
  beginSse();
  const half = lanesOf<f32>() / 2;
  for (let i = 0; i < half; i++) {
    setLane<f32>(SCRATCH_C, i, add<f32>(lane<f32>(SCRATCH_A, 2 * i), lane<f32>(SCRATCH_A, 2 * i + 1)));
    setLane<f32>(SCRATCH_C, half + i, add<f32>(lane<f32>(SCRATCH_B, 2 * i), lane<f32>(SCRATCH_B, 2 * i + 1)));
  }
  endSse();
}

export function f32x4_hsub(): void {
  beginSse();
  const half = lanesOf<f32>() / 2;
  for (let i = 0; i < half; i++) {
    setLane<f32>(SCRATCH_C, i, subtract<f32>(lane<f32>(SCRATCH_A, 2 * i), lane<f32>(SCRATCH_A, 2 * i + 1)));
    setLane<f32>(SCRATCH_C, half + i, subtract<f32>(lane<f32>(SCRATCH_B, 2 * i), lane<f32>(SCRATCH_B, 2 * i + 1)));
  }
  endSse();
}

/** DPPS, DPPD: products of the lanes chosen by imm8's high nibble, summed in pairs, stored to the lanes chosen by the low
 *  nibble. Each step rounds and raises on its own; an unmasked exception stops before the next step. */
function dot<F>(imm: i32): void {
  beginSse();
  const lanes = lanesOf<F>();
  for (let i = 0; i < lanes; i++) {
    const chosen = ((imm >> (4 + i)) & 1) != 0;
    setLane<F>(SCRATCH_C, i, chosen ? multiply<F>(lane<F>(SCRATCH_A, i), lane<F>(SCRATCH_B, i)) : 0);
  }
  let reported = reportable();
  for (let width = lanes >> 1; width > 0 && (reported & ~masks) == 0; width >>= 1) {
    setRaised(0);
    for (let i = 0; i < width; i++) {
      setLane<F>(SCRATCH_C, i, add<F>(lane<F>(SCRATCH_C, 2 * i), lane<F>(SCRATCH_C, 2 * i + 1)));
    }
    reported |= reportable();
  }
  const total = lane<F>(SCRATCH_C, 0);
  for (let i = 0; i < lanes; i++) setLane<F>(SCRATCH_C, i, ((imm >> i) & 1) != 0 ? total : 0);
  reportSse(reported);
}

export function f64x2_dot(imm: i32): void { dot<f64>(imm); }
export function f32x4_dot(imm: i32): void { dot<f32>(imm); }

export function f32x4_reciprocal(): void {
  for (let i = 0; i < 4; i++) setLane<f32>(SCRATCH_C, i, reciprocal(lane<f32>(SCRATCH_A, i)));
}

export function f32x4_reciprocal_sqrt(): void {
  for (let i = 0; i < 4; i++) setLane<f32>(SCRATCH_C, i, reciprocalSquareRoot(lane<f32>(SCRATCH_A, i)));
}

function convertIntegers(lanes: i32): void {
  beginSse();
  store<u64>(SCRATCH_C, 0, 8);
  for (let i = 0; i < lanes; i++) setLane<f32>(SCRATCH_C, i, fromInteger<f32>(<i32>lane<f32>(SCRATCH_A, i)));
  endSse();
}

export function i32x4_to_f32x4(): void { convertIntegers(4); }
export function i32x2_to_f32x2(): void { convertIntegers(2); }

/** Exact. */
export function i32x2_to_f64x2(): void {
  for (let i = 0; i < 2; i++) setLane<f64>(SCRATCH_C, i, fromInteger<f64>(<i32>lane<f32>(SCRATCH_A, i)));
}

/** `lanes` lanes of F to 32-bit integers; the rest of SCRATCH_C's upper half becomes zero. */
function convertToIntegers<F>(lanes: i32, truncate: bool): void {
  beginSse();
  store<u64>(SCRATCH_C, 0, 8);
  for (let i = 0; i < lanes; i++) {
    const a = lane<F>(SCRATCH_A, i);
    setLane<f32>(SCRATCH_C, i, truncate ? toIntegerTruncate<F>(a, 32) : toInteger<F>(a, 32));
  }
  endSse();
}

export function f32x4_to_i32x4(): void { convertToIntegers<f32>(4, false); }
export function f32x4_to_i32x4_truncate(): void { convertToIntegers<f32>(4, true); }
export function f32x2_to_i32x2(): void { convertToIntegers<f32>(2, false); }
export function f32x2_to_i32x2_truncate(): void { convertToIntegers<f32>(2, true); }
export function f64x2_to_i32x2(): void { convertToIntegers<f64>(2, false); }
export function f64x2_to_i32x2_truncate(): void { convertToIntegers<f64>(2, true); }

export function f64x2_to_f32x2(): void {
  beginSse();
  store<u64>(SCRATCH_C, 0, 8);
  for (let i = 0; i < 2; i++) setLane<f32>(SCRATCH_C, i, narrow(lane<f64>(SCRATCH_A, i)));
  endSse();
}

export function f32x2_to_f64x2(): void {
  beginSse();
  for (let i = 0; i < 2; i++) setLane<f64>(SCRATCH_C, i, widen(lane<f32>(SCRATCH_A, i)));
  endSse();
}
