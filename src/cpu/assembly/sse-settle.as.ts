/** The scalar helpers as translated code calls them: floats in and out, so that no bits go through general registers there.
 *
 *  Most of what comes here has a zero among its operands, or is a zero that is exact: that is told first (instructions/float.ts has the
 *  reasons). Everything else is for the helpers of bits. */
import { FP_FAST, FP_NOTICE } from "../state";
import { f32_add, f32_div, f32_max, f32_min, f32_mul, f32_sqrt, f32_sub, f64_add, f64_div, f64_max, f64_min, f64_mul, f64_sqrt, f64_sub } from "./sse-arithmetic.as";
import { f32_comis, f32_compare, f32_ucomis, f64_comis, f64_compare, f64_ucomis } from "./sse-compare.as";
import { f32_round, f32_to_f64, f64_round, f64_to_f32 } from "./sse-convert.as";

// @ts-ignore: decorator
@inline
function bits64(x: f64): u64 { return reinterpret<u64>(x); }
// @ts-ignore: decorator
@inline
function bits32(x: f32): u32 { return reinterpret<u32>(x); }
/** The mode is fast, so that nothing is left to do about an exact result. */
// @ts-ignore: decorator
@inline
function isDone(): bool {
  if (load<u32>(FP_FAST) == 0) return false;
  store<u32>(FP_NOTICE, 0);
  return true;
}
// Not denormal: zero minus one is at the top.
// @ts-ignore: decorator
@inline
function isTame64(x: f64): bool { return (bits64(x) << 1) - 1 >= 0x1f_ffff_ffff_ffff; }
// @ts-ignore: decorator
@inline
function isTame32(x: f32): bool { return (bits32(x) << 1) - 1 >= 0xff_ffff; }

/** A normal number with an exponent of at least one above the least. */
// @ts-ignore: decorator
@inline
function isOrdinary64(x: f64): bool { return (bits64(x) & 0x7fff_ffff_ffff_ffff) - 0x0020_0000_0000_0000 < 0x7fd0_0000_0000_0000; }
// @ts-ignore: decorator
@inline
function isOrdinary32(x: f32): bool { return (bits32(x) & 0x7fff_ffff) - 0x0100_0000 < 0x7e80_0000; }

export function settle_f64_add(x: f64, y: f64): f64 {
  const r = x + y;
  if ((r == 0 || isOrdinary64(r)) && isTame64(x) && isTame64(y) && isDone()) return r;
  return reinterpret<f64>(f64_add(bits64(x), bits64(y)));
}
export function settle_f64_sub(x: f64, y: f64): f64 {
  const r = x - y;
  if ((r == 0 || isOrdinary64(r)) && isTame64(x) && isTame64(y) && isDone()) return r;
  return reinterpret<f64>(f64_sub(bits64(x), bits64(y)));
}
export function settle_f64_mul(x: f64, y: f64): f64 {
  const r = x * y;
  if (((r == 0 && (x == 0 || y == 0)) || isOrdinary64(r)) && isTame64(x) && isTame64(y) && isDone()) return r;
  return reinterpret<f64>(f64_mul(bits64(x), bits64(y)));
}
export function settle_f64_div(x: f64, y: f64): f64 {
  const r = x / y;
  if (((r == 0 && x == 0) || isOrdinary64(r)) && isTame64(x) && isTame64(y) && isDone()) return r;
  return reinterpret<f64>(f64_div(bits64(x), bits64(y)));
}
export function settle_f64_sqrt(x: f64): f64 {
  if (x == 0 && isDone()) return x;
  return reinterpret<f64>(f64_sqrt(bits64(x)));
}
export function settle_f64_min(x: f64, y: f64): f64 { return reinterpret<f64>(f64_min(bits64(x), bits64(y))); }
export function settle_f64_max(x: f64, y: f64): f64 { return reinterpret<f64>(f64_max(bits64(x), bits64(y))); }
export function settle_f64_comis(x: f64, y: f64): i32 { return f64_comis(bits64(x), bits64(y)); }
export function settle_f64_ucomis(x: f64, y: f64): i32 { return f64_ucomis(bits64(x), bits64(y)); }
export function settle_f64_compare(x: f64, y: f64, predicate: i32): f64 { return reinterpret<f64>(f64_compare(bits64(x), bits64(y), predicate)); }
export function settle_f64_round(x: f64, control: i32): f64 { return reinterpret<f64>(f64_round(bits64(x), control)); }
export function settle_f64_to_f32(x: f64): f32 {
  if (x == 0 && isDone()) return <f32>x;
  return reinterpret<f32>(f64_to_f32(bits64(x)));
}

export function settle_f32_add(x: f32, y: f32): f32 {
  const r = x + y;
  if ((r == 0 || isOrdinary32(r)) && isTame32(x) && isTame32(y) && isDone()) return r;
  return reinterpret<f32>(f32_add(bits32(x), bits32(y)));
}
export function settle_f32_sub(x: f32, y: f32): f32 {
  const r = x - y;
  if ((r == 0 || isOrdinary32(r)) && isTame32(x) && isTame32(y) && isDone()) return r;
  return reinterpret<f32>(f32_sub(bits32(x), bits32(y)));
}
export function settle_f32_mul(x: f32, y: f32): f32 {
  const r = x * y;
  if (((r == 0 && (x == 0 || y == 0)) || isOrdinary32(r)) && isTame32(x) && isTame32(y) && isDone()) return r;
  return reinterpret<f32>(f32_mul(bits32(x), bits32(y)));
}
export function settle_f32_div(x: f32, y: f32): f32 {
  const r = x / y;
  if (((r == 0 && x == 0) || isOrdinary32(r)) && isTame32(x) && isTame32(y) && isDone()) return r;
  return reinterpret<f32>(f32_div(bits32(x), bits32(y)));
}
export function settle_f32_sqrt(x: f32): f32 {
  if (x == 0 && isDone()) return x;
  return reinterpret<f32>(f32_sqrt(bits32(x)));
}
export function settle_f32_min(x: f32, y: f32): f32 { return reinterpret<f32>(f32_min(bits32(x), bits32(y))); }
export function settle_f32_max(x: f32, y: f32): f32 { return reinterpret<f32>(f32_max(bits32(x), bits32(y))); }
export function settle_f32_comis(x: f32, y: f32): i32 { return f32_comis(bits32(x), bits32(y)); }
export function settle_f32_ucomis(x: f32, y: f32): i32 { return f32_ucomis(bits32(x), bits32(y)); }
export function settle_f32_compare(x: f32, y: f32, predicate: i32): f32 { return reinterpret<f32>(f32_compare(bits32(x), bits32(y), predicate)); }
export function settle_f32_round(x: f32, control: i32): f32 { return reinterpret<f32>(f32_round(bits32(x), control)); }
export function settle_f32_to_f64(x: f32): f64 { return reinterpret<f64>(f32_to_f64(bits32(x))); }
