/** Addresses of operands without ModRM: rSI, rDI and rBX of string operations, xlat and maskmov (Intel SDM 2A §2.2.1, 1 §3.7.5).
 *  The address-size prefix makes them 32 bits wide. */
import type { Builder, Operand, Value } from "../builder.ts";

/** Base of the segment that an operand's override selects. */
export function segmentBase(b: Builder, operand: Operand): Value {
  return b.sub(b.linearAddress(operand), b.effectiveAddress(operand));
}
/** The low 64 or 32 bits of a register as an address. */
export function addressRegister(b: Builder, register: number): Value {
  const full = b.reg(register, 64);
  return b.select(b.isAddress32(), b.zext(b.trunc(full, 32), 64), full);
}
/** Adds to a register that is an address; with a 32-bit address size the upper half becomes 0. */
export function advance(b: Builder, register: number, by: Value): void {
  const sum = b.add(b.reg(register, 64), by);
  b.setReg(register, b.select(b.isAddress32(), b.zext(b.trunc(sum, 32), 64), sum));
}
