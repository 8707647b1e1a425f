/** x87 and MXCSR control: FNINIT FNCLEX FLDCW FNSTCW FNSTSW FLDENV FNSTENV FRSTOR FNSAVE FWAIT FNOP, LDMXCSR STMXCSR, FXSAVE FXRSTOR.
 *  The FN… forms do not wait: they run while an exception is pending. */
import type { Builder, Operand, Value } from "../builder.ts";
import { VECTOR_GP } from "../exit.ts";
import {
  MXCSR, RAX, SCRATCH_A, X87_CONTROL, X87_INSTRUCTION, X87_OPCODE, X87_OPERAND, X87_STATUS, X87_TOP, X87_VALID,
} from "../state.ts";
import { instruction } from "./define.ts";
import { deliverPending, number } from "./x87-state.ts";

const nothing = (): void => {};

instruction("fwait", ["9B"], {}, deliverPending);
instruction("fnop", ["D9 D0"], {}, deliverPending);
// FENI, FDISI and FSETPM did something on the 8087 and 287 only.
instruction("fneni", ["DB E0"], {}, nothing);
instruction("fndisi", ["DB E1"], {}, nothing);
instruction("fnsetpm", ["DB E4"], {}, nothing);
instruction("fninit", ["DB E3"], {}, (b) => b.helperVoid("x87_init"));
instruction("fnclex", ["DB E2"], {}, (b) => b.helperVoid("x87_clear_exceptions"));
instruction("fldcw", ["D9 /5   m16"], {}, (b, src) => {
  deliverPending(b);
  b.helperVoid("x87_set_control", b.zext(b.read(src), 32));
});
instruction("fnstcw", ["D9 /7   m16"], {}, (b, dst) => b.write(dst, b.getState(X87_CONTROL, "i32.load16_u")));
instruction("fnstsw", ["DD /7   m16"], {}, (b, dst) => b.write(dst, b.trunc(statusWord(b), 16)));
instruction("fnstsw", ["DF E0"], {}, (b) => b.setReg(RAX, b.trunc(statusWord(b), 16)));

/** The status word with TOP at 13:11, which state keeps apart. */
function statusWord(b: Builder): Value {
  return b.or(b.zext(b.getState(X87_STATUS, "i32.load16_u"), 32), b.shl(b.zext(b.getState(X87_TOP, "i32.load16_u"), 32), 11));
}

// ---- environment -------------------------------------------------------------------------------------------------------------
//
//   FLDENV, FNSTENV (SDM 1, figures 8-9 and 8-11)    28 bytes: dwords     14 bytes: words (operand size 16)
//     control, status, tag                            +0 +4 +8             +0 +2 +4
//     instruction offset, selector and opcode         +12 +16              +6 +8
//     operand offset, selector                        +20 +24              +10 +12
//   FRSTOR and FNSAVE append ST(0)…ST(7), 10 bytes each. Selectors have no meaning in 64-bit mode: written as 0, ignored when read.

const STACK_BYTES = 80;
const environmentBytes = (operand: Operand): 14 | 28 => (operand.width === 16 ? 14 : 28);
const at = (b: Builder, address: Value, offset: number): Value => b.add(address, b.constant(64, offset));

function storeEnvironment(b: Builder, address: Value, bytes: 14 | 28): void {
  const control = b.zext(b.getState(X87_CONTROL, "i32.load16_u"), 32), status = statusWord(b), tags = b.helper("x87_tag_word");
  const instruction = b.trunc(b.getState(X87_INSTRUCTION), 32), operand = b.trunc(b.getState(X87_OPERAND), 32);
  if (bytes === 14) {
    [control, status, tags, instruction, number(b, 0), operand, number(b, 0)].forEach((word, i) => {
      b.storeAt(at(b, address, 2 * i), b.trunc(word, 16));
    });
    return;
  }
  // The upper halves of what is 16 bits wide read as ones.
  const padded = (word: Value): Value => b.or(word, number(b, -0x10000));
  const opcode = b.shl(b.zext(b.getState(X87_OPCODE, "i32.load16_u"), 32), 16);
  [padded(control), padded(status), padded(tags), instruction, opcode, operand, padded(number(b, 0))].forEach((word, i) => {
    b.storeAt(at(b, address, 4 * i), word);
  });
}

/** Reads everything before changing anything; the caller has made sure that all of it can be read. */
function loadEnvironment(b: Builder, address: Value, bytes: 14 | 28): void {
  const step = bytes / 7;
  const word = (i: number): Value => b.zext(b.loadAt(at(b, address, step * i), 16), 32);
  const offset = (i: number): Value => b.zext(b.loadAt(at(b, address, step * i), bytes === 14 ? 16 : 32), 64);
  const control = word(0), status = word(1), tags = word(2), instructionOffset = offset(3), operandOffset = offset(5);
  const opcode = bytes === 14 ? number(b, 0) : b.and(b.zext(b.loadAt(at(b, address, 18), 16), 32), number(b, 0x7ff));
  b.helperVoid("x87_set_environment", control, status, tags);
  b.setState(X87_INSTRUCTION, instructionOffset);
  b.setState(X87_OPERAND, operandOffset);
  b.setState(X87_OPCODE, opcode, "i32.store16");
}

/** Reads the first and the last byte: with them all of a block of less than a page can be read. */
function checkReadable(b: Builder, address: Value, bytes: number): void {
  // A load is made where it stands, also when nothing uses it, as soon as it may fault.
  b.setState(SCRATCH_A, b.loadAt(address, 8), "i32.store8");
  b.setState(SCRATCH_A, b.loadAt(at(b, address, bytes - 1), 8), "i32.store8");
}

instruction("fldenv", ["D9 /4   mv"], {}, (b, src) => {
  deliverPending(b);
  const address = b.linearAddress(src), bytes = environmentBytes(src);
  checkReadable(b, address, bytes);
  loadEnvironment(b, address, bytes);
});

/** Masks all exceptions once the environment is stored (SDM 2A, FNSTENV). */
instruction("fnstenv", ["D9 /6   mv"], {}, (b, dst) => {
  const address = b.linearAddress(dst), bytes = environmentBytes(dst);
  b.checkWritable(address, bytes);
  storeEnvironment(b, address, bytes);
  b.setState(X87_CONTROL, b.or(b.zext(b.getState(X87_CONTROL, "i32.load16_u"), 32), number(b, 0x3f)), "i32.store16");
  // Nothing is pending then.
  b.setState(X87_STATUS, b.and(b.zext(b.getState(X87_STATUS, "i32.load16_u"), 32), number(b, ~0x8080)), "i32.store16");
});

instruction("frstor", ["DD /4   mv"], {}, (b, src) => {
  deliverPending(b);
  const address = b.linearAddress(src), bytes = environmentBytes(src);
  checkReadable(b, address, bytes + STACK_BYTES);
  // All of it before anything changes: with the new status the instruction might not begin again.
  const registers = Array.from({ length: 8 }, (_, i) => readRegister(b, at(b, address, bytes + 10 * i)));
  loadEnvironment(b, address, bytes);
  registers.forEach((value, i) => setRegister(b, i, value));
});

instruction("fnsave", ["DD /6   mv"], {}, (b, dst) => {
  const address = b.linearAddress(dst), bytes = environmentBytes(dst);
  b.checkWritable(address, bytes + STACK_BYTES);
  storeEnvironment(b, address, bytes);
  for (let i = 0; i < 8; i++) {
    b.helperVoid("x87_get_register", number(b, i));
    b.storeAt(at(b, address, bytes + 10 * i), b.getState(SCRATCH_A));
    b.storeAt(at(b, address, bytes + 10 * i + 8), b.getState(SCRATCH_A + 8, "i32.load16_u"));
  }
  b.helperVoid("x87_init");
});

function readRegister(b: Builder, address: Value): readonly [low: Value, high: Value] {
  return [b.loadAt(address, 64), b.loadAt(at(b, address, 8), 16)];
}
function setRegister(b: Builder, i: number, [low, high]: readonly [low: Value, high: Value]): void {
  b.setState(SCRATCH_A, low);
  b.setState(SCRATCH_A + 8, high, "i32.store16");
  b.helperVoid("x87_set_register", number(b, i));
}

// ---- MXCSR -------------------------------------------------------------------------------------------------------------------

/** Bits that MXCSR has, as FXSAVE's MXCSR_MASK reports them; setting another is #GP. */
const MXCSR_MASK = 0xffff;
function checkMxcsr(b: Builder, value: Value): void {
  b.exceptionIf(b.isNonZero(b.and(value, number(b, ~MXCSR_MASK))), VECTOR_GP);
}
instruction("ldmxcsr", ["NP 0F AE /2   m32"], {}, (b, src) => {
  const value = b.read(src);
  checkMxcsr(b, value);
  b.setMxcsr(value);
});
instruction("stmxcsr", ["NP 0F AE /3   m32"], {}, (b, dst) => b.write(dst, b.getState(MXCSR, "i32.load")));

// ---- FXSAVE ------------------------------------------------------------------------------------------------------------------
//
//   +0 control u16, status u16, abridged tags u8, opcode u16 at +6       +8 instruction offset    +16 operand offset
//   +24 MXCSR u32, mask u32      +32 ST(0)…ST(7), 16 bytes each          +160 XMM0…XMM15          +416 not written
//   Offsets have 64 bits with REX.W, else 32 and a selector (SDM 2A, FXSAVE, tables 3-43 and 3-46).

const FXSAVE_BYTES = 512;
const ST_OFFSET = 32;
const XMM_OFFSET = 160;

function fxArea(b: Builder, operand: Operand): Value {
  const address = b.linearAddress(operand);
  b.exceptionIf(b.isNonZero(b.and(b.trunc(address, 32), number(b, 15))), VECTOR_GP);
  return address;
}

function fxsave(b: Builder, dst: Operand, wide: boolean): void {
  const address = fxArea(b, dst);
  b.checkWritable(address, FXSAVE_BYTES);
  const pointer = (state: number): Value => (wide ? b.getState(state) : b.zext(b.trunc(b.getState(state), 32), 64));
  const controlAndStatus = b.or(b.zext(b.getState(X87_CONTROL, "i32.load16_u"), 32), b.shl(statusWord(b), 16));
  const tagsAndOpcode = b.or(b.zext(b.getState(X87_VALID, "i32.load16_u"), 32), b.shl(b.zext(b.getState(X87_OPCODE, "i32.load16_u"), 32), 16));
  b.storeAt(address, controlAndStatus);
  b.storeAt(at(b, address, 4), tagsAndOpcode);
  b.storeAt(at(b, address, 8), pointer(X87_INSTRUCTION));
  b.storeAt(at(b, address, 16), pointer(X87_OPERAND));
  b.storeAt(at(b, address, 24), b.getState(MXCSR, "i32.load"));
  b.storeAt(at(b, address, 28), number(b, MXCSR_MASK));
  for (let i = 0; i < 8; i++) {
    b.helperVoid("x87_get_register", number(b, i));
    b.storeAt(at(b, address, ST_OFFSET + 16 * i), b.getState(SCRATCH_A));
    b.storeAt(at(b, address, ST_OFFSET + 16 * i + 8), b.getState(SCRATCH_A + 8));
  }
  for (let i = 0; i < 16; i++) b.storeAt(at(b, address, XMM_OFFSET + 16 * i), b.vectorRegister(i));
}

function fxrstor(b: Builder, src: Operand, wide: boolean): void {
  const address = fxArea(b, src);
  checkReadable(b, address, FXSAVE_BYTES);
  const word = (offset: number): Value => b.zext(b.loadAt(at(b, address, offset), 16), 32);
  const mxcsr = b.loadAt(at(b, address, 24), 32);
  checkMxcsr(b, mxcsr);
  b.helperVoid("x87_set_control", word(0));
  b.helperVoid("x87_set_status", word(2));
  b.setState(X87_VALID, b.zext(b.loadAt(at(b, address, 4), 8), 32), "i32.store16");
  b.setState(X87_OPCODE, b.and(word(6), number(b, 0x7ff)), "i32.store16");
  b.setState(X87_INSTRUCTION, b.zext(b.loadAt(at(b, address, 8), wide ? 64 : 32), 64));
  b.setState(X87_OPERAND, b.zext(b.loadAt(at(b, address, 16), wide ? 64 : 32), 64));
  b.setMxcsr(mxcsr);
  for (let i = 0; i < 8; i++) setRegister(b, i, readRegister(b, at(b, address, ST_OFFSET + 16 * i)));
  for (let i = 0; i < 16; i++) b.setVectorRegister(i, b.loadAt(at(b, address, XMM_OFFSET + 16 * i), 128));
}

instruction("fxsave", ["NP W0 0F AE /0   m"], {}, (b, dst) => fxsave(b, dst, false));
instruction("fxsave64", ["NP REX.W 0F AE /0   m"], {}, (b, dst) => fxsave(b, dst, true));
instruction("fxrstor", ["NP W0 0F AE /1   m"], {}, (b, src) => fxrstor(b, src, false));
instruction("fxrstor64", ["NP REX.W 0F AE /1   m"], {}, (b, src) => fxrstor(b, src, true));
