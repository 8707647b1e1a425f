/** Shifts and rotates (Intel SDM 2B: SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD).
 *
 *  The count is masked to 5 bits (6 for 64-bit operands); a masked count of 0 changes no flag. OF is defined for a count of 1 only;
 *  for others it gets the value that processors give, which is the same formula. Flag words carry their flag in the sign bit. */
import type { Builder, Operand, Value } from "../builder.ts";
import { RCX } from "../state.ts";
import { instruction, type Semantics } from "./define.ts";

const rows = (digit: number): string[] => [
  `C0 /${digit}   rm8, i8`, `C1 /${digit}   rmv, i8`, `D0 /${digit}   rm8, 1`, `D1 /${digit}   rmv, 1`,
  `D2 /${digit}   rm8, CL`, `D3 /${digit}   rmv, CL`,
];

/** What a shift makes of a value: the result, and a function that sets the flags when the count is not 0. */
interface Shifted { readonly result: Value; readonly setFlags: () => void }

/** Count operand masked, 32 bits wide. */
function masked(b: Builder, count: Value, width: number): Value {
  return b.and(b.zext(count, 32), b.constant(32, width === 64 ? 63 : 31));
}

function shift(mnemonic: string, encodingRows: string[], apply: (b: Builder, x: Value, count: Value) => Shifted): void {
  instruction(mnemonic, encodingRows, {}, (b, dst, count) => {
    const c = masked(b, b.read(count), dst.width);
    const { result, setFlags } = apply(b, b.readModify(dst), c);
    b.write(dst, result);
    if (count.spec.source === "fixed" && count.spec.class === "imm") setFlags();
    else b.flags.when(b.isNonZero(c), setFlags);
  });
}

/** Bit 0 of a 64-bit value as a flag word. */
const flagOfBit0 = (b: Builder, x: Value): Value => b.shl(x, 63);
const minusOne = (b: Builder, count: Value): Value => b.sub(count, b.constant(32, 1));

function shiftFlags(b: Builder, result: Value, carry: Value, overflow: Value): void {
  b.flags.result(result);
  b.flags.setCarryWord(carry);
  b.flags.setOverflowWord(overflow);
  b.flags.setAdjustWord(b.constant(64, 0));
}

shift("shl", [...rows(4), ...rows(6)], (b, x, count) => {
  const wide = b.zext(x, 64), shifted = b.shl(wide, count), result = b.trunc(shifted, x.width);
  return {
    result,
    setFlags: () => {
      const carry = x.width === 64 ? b.shl(wide, minusOne(b, count)) : b.shl(shifted, 63 - x.width);
      shiftFlags(b, result, carry, b.xor(b.word(result), carry));
    },
  };
});

shift("shr", rows(5), (b, x, count) => {
  const wide = b.zext(x, 64), result = b.shrU(x, count);
  return {
    result,
    setFlags: () => {
      const before = b.shrU(wide, minusOne(b, count));
      // For a count of 1 this is the sign of the operand; beyond, a zero has been shifted in and OF is clear.
      shiftFlags(b, result, flagOfBit0(b, before), b.shl(before, 64 - x.width));
    },
  };
});

shift("sar", rows(7), (b, x, count) => {
  const wide = b.sext(x, 64), result = b.shrS(x, count);
  return { result, setFlags: () => shiftFlags(b, result, flagOfBit0(b, b.shrS(wide, minusOne(b, count))), b.constant(64, 0)) };
});

/** A narrow value repeated to fill 32 bits, so that a 32-bit rotate rotates it. */
function repeated(b: Builder, x: Value): Value {
  if (x.width >= 32) return x;
  return b.mul(b.zext(x, 32), b.constant(32, x.width === 8 ? 0x01010101 : 0x00010001));
}
/** Rotates change CF and OF only. */
function rotateFlags(b: Builder, carry: Value, overflow: Value): void {
  b.flags.setCarryWord(carry);
  b.flags.setOverflowWord(overflow);
}

shift("rol", rows(0), (b, x, count) => {
  const result = b.trunc(b.rotl(repeated(b, x), count), x.width);
  return {
    result,
    setFlags: () => {
      const carry = flagOfBit0(b, b.word(result));
      rotateFlags(b, carry, b.xor(b.word(result), carry));
    },
  };
});

shift("ror", rows(1), (b, x, count) => {
  const result = b.trunc(b.rotr(repeated(b, x), count), x.width);
  return {
    result,
    setFlags: () => {
      const sign = b.word(result);
      rotateFlags(b, sign, b.xor(sign, b.word(b.shl(result, 1))));
    },
  };
});

/** Rotates through carry are rotates of width + 1 bits; the count of narrow ones is taken modulo that. */
function throughCarry(b: Builder, x: Value, count: Value): { wide: Value; carry: Value; c: Value; rest: Value } {
  const n = x.width + 1;
  const c = x.width < 32 ? b.remU(count, b.constant(32, n)) : count;
  const carry = b.zext(b.flags.isCarry(), 64);
  const wide = x.width === 64 ? x : b.or(b.zext(x, 64), b.shl(carry, x.width));
  return { wide, carry, c, rest: b.sub(b.constant(32, x.width === 64 ? 63 : n), c) };
}

shift("rcl", rows(2), (b, x, count) => {
  const { wide, carry, c, rest } = throughCarry(b, x, count);
  if (x.width === 64) {
    // Each part is shifted in two steps, so that no step reaches 64.
    const result = b.or(b.or(b.shl(x, c), b.shrU(b.shl(carry, c), 1)), b.shrU(b.shrU(x, 2), rest));
    return {
      result,
      setFlags: () => {
        const out = b.shl(x, minusOne(b, c));
        rotateFlags(b, out, b.xor(result, out));
      },
    };
  }
  const rotated = b.or(b.shl(wide, c), b.shrU(wide, rest)), result = b.trunc(rotated, x.width);
  return {
    result,
    setFlags: () => {
      const out = b.shl(rotated, 63 - x.width);
      rotateFlags(b, out, b.xor(b.word(result), out));
    },
  };
});

shift("rcr", rows(3), (b, x, count) => {
  const { wide, carry, c, rest } = throughCarry(b, x, count);
  if (x.width === 64) {
    const result = b.or(b.or(b.shrU(x, c), b.shl(b.shl(carry, 1), rest)), b.shl(b.shl(x, 2), rest));
    return { result, setFlags: () => rotateFlags(b, flagOfBit0(b, b.shrU(x, minusOne(b, c))), b.xor(result, b.shl(result, 1))) };
  }
  const rotated = b.or(b.shrU(wide, c), b.shl(wide, rest)), result = b.trunc(rotated, x.width);
  return {
    result,
    setFlags: () => {
      const sign = b.word(result);
      rotateFlags(b, b.shl(rotated, 63 - x.width), b.xor(sign, b.word(b.shl(result, 1))));
    },
  };
});

type DoubleShift = (b: Builder, x: Value, y: Value, count: Value) => { result: Value; carry: () => Value };

function doubleShift(dst: Operand, src: Operand, count: Value, b: Builder, apply: DoubleShift): void {
  const y = b.read(src), c = masked(b, count, dst.width), x = b.readModify(dst);
  const { result, carry } = apply(b, x, y, c);
  b.write(dst, result);
  b.flags.when(b.isNonZero(c), () => shiftFlags(b, result, carry(), b.xor(b.word(x), b.word(result))));
}
function doubleShiftInstruction(mnemonic: string, byImmediate: string, byRegister: string, apply: DoubleShift): void {
  const immediate: Semantics = (b, dst, src, count) => doubleShift(dst, src, b.read(count), b, apply);
  instruction(mnemonic, [`0F ${byImmediate} /r   rmv, rv, i8`], {}, immediate);
  instruction(mnemonic, [`0F ${byRegister} /r   rmv, rv, CL`], {}, (b, dst, src) => doubleShift(dst, src, b.reg(RCX, 8), b, apply));
}
/** 16-bit counts above 16 are undefined (SDM 2B); processors shift the 48 bits dst:src:dst. */
const triple = (b: Builder, x: Value, y: Value): Value => b.or(b.or(b.shl(b.zext(x, 64), 32), b.shl(b.zext(y, 64), 16)), b.zext(x, 64));
const pair = (b: Builder, high: Value, low: Value): Value => b.or(b.shl(b.zext(high, 64), 32), b.zext(low, 64));

doubleShiftInstruction("shld", "A4", "A5", (b, x, y, count) => {
  const before = minusOne(b, count);
  if (x.width === 64) {
    const low = b.shrU(b.shrU(y, 1), b.sub(b.constant(32, 63), count));
    return { result: b.or(b.shl(x, count), low), carry: () => b.shl(x, before) };
  }
  const all = x.width === 16 ? triple(b, x, y) : pair(b, x, y);
  const shifted = b.shl(all, count);
  return { result: b.trunc(b.shrU(shifted, 32), x.width), carry: () => (x.width === 16 ? b.shl(shifted, 15) : b.shl(all, before)) };
});

doubleShiftInstruction("shrd", "AC", "AD", (b, x, y, count) => {
  const before = minusOne(b, count);
  if (x.width === 64) {
    const high = b.shl(b.shl(y, 1), b.sub(b.constant(32, 63), count));
    return { result: b.or(b.shrU(x, count), high), carry: () => flagOfBit0(b, b.shrU(x, before)) };
  }
  const all = x.width === 16 ? triple(b, x, y) : pair(b, y, x);
  return { result: b.trunc(b.shrU(all, count), x.width), carry: () => flagOfBit0(b, b.shrU(all, before)) };
});
