/** x87 arithmetic on values, for translated code that keeps the stack itself: what is usual only (x87-quick.as.ts), and the control word
 *  is known to be plain. What else there is, is for the caller to leave to the instruction's own helper; nothing has changed then. */
import { SCRATCH_A, SCRATCH_D } from "../state";
import { product, quickBits, quickNarrowOf, quickOrderOf, quickSign, quotient, sum } from "./x87-quick.as";

// The result goes to SCRATCH_A; 0 when there is none.
export function x87_sum(ma: u64, sea: i32, mb: u64, seb: i32): i32 { return sum(SCRATCH_A, ma, sea, mb, seb) ? 1 : 0; }
export function x87_product(ma: u64, sea: i32, mb: u64, seb: i32): i32 { return product(SCRATCH_A, ma, sea, mb, seb) ? 1 : 0; }
export function x87_quotient(ma: u64, sea: i32, mb: u64, seb: i32): i32 { return quotient(SCRATCH_A, ma, sea, mb, seb) ? 1 : 0; }

// SCRATCH_D says whether there is a result.
export function x87_narrow_f32(m: u64, se: i32): u32 {
  store<u32>(SCRATCH_D, quickNarrowOf(m, se, 24, 127) ? 1 : 0);
  return <u32>quickBits | (<u32>quickSign << 31);
}
export function x87_narrow_f64(m: u64, se: i32): u64 {
  store<u32>(SCRATCH_D, quickNarrowOf(m, se, 53, 1023) ? 1 : 0);
  return quickBits | (<u64>quickSign << 63);
}

/** −1, 0 or 1; 2 when there is no result. */
export function x87_order(ma: u64, sea: i32, mb: u64, seb: i32): i32 { return quickOrderOf(ma, sea, mb, seb); }
