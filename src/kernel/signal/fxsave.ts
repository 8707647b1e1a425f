/** The FXSAVE image of a register file (Intel SDM 1 §10.5.1, table 10-2), which signal frames carry.
 *
 *   0 FCW  2 FSW  4 abridged FTW  6 FOP  8 FIP  16 FDP  24 MXCSR  28 MXCSR_MASK  32 ST0–ST7  160 XMM0–XMM15  416 reserved
 *
 *  ST registers are in stack order; the abridged tag is by physical register. */
import {
  MXCSR, VECTOR, VECTOR_STRIDE, X87_CONTROL, X87_INSTRUCTION, X87_OPCODE, X87_OPERAND, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID,
} from "../../cpu/state.ts";
import type { Registers } from "../../cpu/registers.ts";
import type { Ram } from "../../memory/ram.ts";

/** Bits of MXCSR that exist (all but 31:16). */
export const MXCSR_MASK = 0xffff;

/** Writes 512 bytes at `at` of `target`. */
export function writeFxsave(ram: Ram, target: Uint8Array, at: number): void {
  const view = new DataView(target.buffer, target.byteOffset + at, 512);
  const { u8, u16, u32 } = ram;
  const top = u16[X87_TOP >>> 1];
  target.fill(0, at, at + 512);
  view.setUint16(0, u16[X87_CONTROL >>> 1], true);
  view.setUint16(2, u16[X87_STATUS >>> 1] | (top << 11), true);
  view.setUint8(4, u16[X87_VALID >>> 1]);
  view.setUint16(6, u16[X87_OPCODE >>> 1], true);
  for (let word = 0; word < 2; word++) {
    view.setUint32(8 + word * 4, u32[(X87_INSTRUCTION >>> 2) + word], true);
    view.setUint32(16 + word * 4, u32[(X87_OPERAND >>> 2) + word], true);
  }
  view.setUint32(24, u32[MXCSR >>> 2], true);
  view.setUint32(28, MXCSR_MASK, true);
  for (let index = 0; index < 8; index++) {
    const register = X87_REGISTERS + ((top + index) & 7) * 16;
    target.set(u8.subarray(register, register + 10), at + 32 + index * 16);
  }
  for (let index = 0; index < 16; index++) {
    const register = VECTOR + index * VECTOR_STRIDE;
    target.set(u8.subarray(register, register + 16), at + 160 + index * 16);
  }
}

/** Loads the image back; false when MXCSR has reserved bits, which FXRSTOR refuses with #GP. */
export function readFxsave(ram: Ram, registers: Registers, source: Uint8Array): boolean {
  const view = new DataView(source.buffer, source.byteOffset, 512);
  const mxcsr = view.getUint32(24, true);
  if ((mxcsr & ~MXCSR_MASK) !== 0) return false;
  const { u8, u16, u32 } = ram;
  const status = view.getUint16(2, true);
  const top = (status >> 11) & 7;
  // Bit 6 of FCW is reserved and reads as one.
  u16[X87_CONTROL >>> 1] = (view.getUint16(0, true) & 0x1f3f) | 0x40;
  u16[X87_STATUS >>> 1] = status & ~0x3800;
  u16[X87_TOP >>> 1] = top;
  u16[X87_VALID >>> 1] = view.getUint8(4);
  u16[X87_OPCODE >>> 1] = view.getUint16(6, true) & 0x7ff;
  for (let word = 0; word < 2; word++) {
    u32[(X87_INSTRUCTION >>> 2) + word] = view.getUint32(8 + word * 4, true);
    u32[(X87_OPERAND >>> 2) + word] = view.getUint32(16 + word * 4, true);
  }
  registers.mxcsr = mxcsr;
  for (let index = 0; index < 8; index++) {
    u8.set(source.subarray(32 + index * 16, 42 + index * 16), X87_REGISTERS + ((top + index) & 7) * 16);
  }
  for (let index = 0; index < 16; index++) {
    u8.set(source.subarray(160 + index * 16, 176 + index * 16), VECTOR + index * VECTOR_STRIDE);
  }
  return true;
}

/** The floating-point state a handler starts with: as after execve (Linux: fpu__clear_user_states). */
export function resetFloatingPoint(ram: Ram, registers: Registers): void {
  ram.u8.fill(0, X87_REGISTERS, X87_CONTROL);
  for (let address = X87_CONTROL; address < VECTOR; address += 4) ram.u32[address >>> 2] = 0;
  ram.u8.fill(0, VECTOR, VECTOR + 16 * VECTOR_STRIDE);
  ram.u16[X87_CONTROL >>> 1] = 0x37f;
  registers.mxcsr = 0x1f80;
}
