/** What x87 and MMX instructions share: the check for a pending exception, the record of the last instruction, the MMX view.
 *
 *  Arithmetic is in the helpers (cpu/assembly, names in cpu/helpers.ts); texts here bring operands and decide the order of effects:
 *  pending exception (#MF), memory accesses, then state. */
import type { Builder, Operand, Value } from "../builder.ts";
import { VECTOR_MF } from "../exit.ts";
import { X87_INSTRUCTION, X87_OPERAND, X87_STATUS, X87_TOP, X87_VALID } from "../state.ts";

/** Operation numbers of the helpers are the /digit of D8. */
export const X87_OPERATIONS: readonly (readonly [suffix: string, operation: number])[] = [
  ["add", 0], ["mul", 1], ["sub", 4], ["subr", 5], ["div", 6], ["divr", 7],
];

/** A 32-bit constant: register numbers, modes and counts for helpers. */
export function number(b: Builder, value: number): Value {
  return b.constant(32, value);
}

/** ES: an unmasked exception of an earlier instruction waits to be delivered. */
const ERROR_SUMMARY = 0x80;

/** A waiting instruction delivers what is pending before it does anything (Intel SDM 1, 8.6). */
export function deliverPending(b: Builder): void {
  if (b.keepsStack) return;
  const summary = b.and(b.getState(X87_STATUS, "i32.load8_u"), b.constant(8, ERROR_SUMMARY));
  b.exceptionIf(b.isNonZero(summary), VECTOR_MF);
}

/** Records the instruction pointer and, for memory forms, the operand's offset (SDM 1, 8.1.8). The opcode register is left alone:
 *  processors write it for unmasked exceptions only (8.1.9). */
export function noteInstruction(b: Builder, memory?: Operand): void {
  b.setState(X87_INSTRUCTION, b.thisRip());
  if (memory !== undefined) b.setState(X87_OPERAND, b.effectiveAddress(memory));
}

/** Makes ST(0) empty and ST(1) the top. */
export function pop(b: Builder): void {
  if (b.keepsStack) return;
  const top = b.zext(b.getState(X87_TOP, "i32.load16_u"), 32), valid = b.zext(b.getState(X87_VALID, "i32.load16_u"), 32);
  b.setState(X87_VALID, b.and(valid, b.rotl(number(b, -2), top)), "i32.store16");
  b.setState(X87_TOP, b.and(b.add(top, number(b, 1)), number(b, 7)), "i32.store16");
}

/** Every MMX instruction but EMMS makes all eight registers valid and the top 0 (SDM 1, 9.5.1). */
export function enterMmx(b: Builder): void {
  b.setState(X87_TOP, b.constant(16, 0), "i32.store16");
  b.setState(X87_VALID, b.constant(16, 0xff), "i32.store16");
}

/** Writes an MMX register: the significand of a physical x87 register, whose sign and exponent become all ones. */
export function writeMmx(b: Builder, dst: Operand, value: Value): void {
  const slot = b.lane("i64x2.replace_lane", [0], b.vectorConstant(0n, 0xffffn), value);
  b.write({ ...dst, width: 128 }, slot);
}
