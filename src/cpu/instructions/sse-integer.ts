/** Packed integer arithmetic, logic, comparison and shifts on XMM registers (Intel SDM 2B: PABS* … PXOR; SSE2 to SSE4.2).
 *  Most are one Wasm SIMD operator; what differs from Wasm is composed. No flags except PTEST's. */
import type { Builder, Value } from "../builder.ts";
import { instruction } from "./define.ts";
import {
  atMost, field, immediate, iota, is, known, lanes, lowVector, readBoth, shape, shuffle, splat, zeroVector,
} from "./sse-operands.ts";

/** x is the destination's old value, y the source. */
type Combine = (b: Builder, x: Value, y: Value) => Value;

function packed(mnemonic: string, opcode: string, combine: Combine): void {
  instruction(mnemonic, [`66 0F ${opcode} /r   x, xm128`], {}, (b, dst, src) => {
    const [x, y] = readBoth(b, dst, src);
    b.write(dst, combine(b, x, y));
  });
}
/** Instructions that are one Wasm operator. */
const direct: readonly (readonly [mnemonic: string, opcode: string, operator: string])[] = [
  ["paddb", "FC", "i8x16.add"], ["paddw", "FD", "i16x8.add"], ["paddd", "FE", "i32x4.add"], ["paddq", "D4", "i64x2.add"],
  ["paddsb", "EC", "i8x16.add_sat_s"], ["paddsw", "ED", "i16x8.add_sat_s"],
  ["paddusb", "DC", "i8x16.add_sat_u"], ["paddusw", "DD", "i16x8.add_sat_u"],
  ["psubb", "F8", "i8x16.sub"], ["psubw", "F9", "i16x8.sub"], ["psubd", "FA", "i32x4.sub"], ["psubq", "FB", "i64x2.sub"],
  ["psubsb", "E8", "i8x16.sub_sat_s"], ["psubsw", "E9", "i16x8.sub_sat_s"],
  ["psubusb", "D8", "i8x16.sub_sat_u"], ["psubusw", "D9", "i16x8.sub_sat_u"],
  ["pmullw", "D5", "i16x8.mul"], ["pmulld", "38 40", "i32x4.mul"], ["pmaddwd", "F5", "i32x4.dot_i16x8_s"],
  ["pavgb", "E0", "i8x16.avgr_u"], ["pavgw", "E3", "i16x8.avgr_u"],
  ["pminub", "DA", "i8x16.min_u"], ["pminsw", "EA", "i16x8.min_s"], ["pmaxub", "DE", "i8x16.max_u"], ["pmaxsw", "EE", "i16x8.max_s"],
  ["pminsb", "38 38", "i8x16.min_s"], ["pminsd", "38 39", "i32x4.min_s"], ["pminuw", "38 3A", "i16x8.min_u"],
  ["pminud", "38 3B", "i32x4.min_u"], ["pmaxsb", "38 3C", "i8x16.max_s"], ["pmaxsd", "38 3D", "i32x4.max_s"],
  ["pmaxuw", "38 3E", "i16x8.max_u"], ["pmaxud", "38 3F", "i32x4.max_u"],
  ["pcmpeqb", "74", "i8x16.eq"], ["pcmpeqw", "75", "i16x8.eq"], ["pcmpeqd", "76", "i32x4.eq"], ["pcmpeqq", "38 29", "i64x2.eq"],
  ["pcmpgtb", "64", "i8x16.gt_s"], ["pcmpgtw", "65", "i16x8.gt_s"], ["pcmpgtd", "66", "i32x4.gt_s"], ["pcmpgtq", "38 37", "i64x2.gt_s"],
  ["pand", "DB", "v128.and"], ["por", "EB", "v128.or"],
  ["packsswb", "63", "i8x16.narrow_i16x8_s"], ["packuswb", "67", "i8x16.narrow_i16x8_u"],
  ["packssdw", "6B", "i16x8.narrow_i32x4_s"], ["packusdw", "38 2B", "i16x8.narrow_i32x4_u"],
];
for (const [mnemonic, opcode, operator] of direct) packed(mnemonic, opcode, (b, x, y) => b.op(operator, x, y));
instruction("pxor", ["66 0F EF /r   x, xm128"], {}, (b, dst, src) => {
  const [x, y] = readBoth(b, dst, src);
  b.write(dst, b.areSame(dst, src) ? zeroVector(b) : b.op("v128.xor", x, y));
});
packed("pandn", "DF", (b, x, y) => b.op("v128.andnot", y, x));

// ---- products -------------------------------------------------------------------------------------------------------------

/** High halves of 16-bit products, from 32-bit ones. */
function multiplyHigh(sign: "s" | "u"): Combine {
  return (b, x, y) => {
    const [low, high] = ["low", "high"].map((half) => b.op(`i32x4.extmul_${half}_i16x8_${sign}`, x, y));
    return shuffle(b, 16, low, high, [1, 3, 5, 7, 9, 11, 13, 15]);
  };
}
packed("pmulhw", "E5", multiplyHigh("s"));
packed("pmulhuw", "E4", multiplyHigh("u"));

/** 64-bit products of the even 32-bit lanes. */
function multiplyEven(sign: "s" | "u"): Combine {
  const even = (b: Builder, v: Value): Value => shuffle(b, 32, v, v, [0, 2, 0, 2]);
  return (b, x, y) => b.op(`i64x2.extmul_low_i32x4_${sign}`, even(b, x), even(b, y));
}
packed("pmuludq", "F4", multiplyEven("u"));
packed("pmuldq", "38 28", multiplyEven("s"));

/** (x·y + 2^14) >> 15. Wasm saturates −1·−1, which wraps here: undo it where both are 0x8000. */
packed("pmulhrsw", "38 0B", (b, x, y) => {
  const least = lanes(b, 16, [0x8000]);
  const both = b.op("v128.and", b.op("i16x8.eq", x, least), b.op("i16x8.eq", y, least));
  return b.op("v128.xor", b.op("i16x8.q15mulr_sat_s", x, y), both);
});

/** Unsigned bytes of x times signed bytes of y, neighbours added with saturation. */
packed("pmaddubsw", "38 04", (b, x, y) => {
  const eight = b.constant(32, 8);
  const xEven = b.op("v128.and", x, lanes(b, 16, [0xff])), xOdd = b.op("i16x8.shr_u", x, eight);
  const yEven = b.op("i16x8.shr_s", b.op("i16x8.shl", y, eight), eight), yOdd = b.op("i16x8.shr_s", y, eight);
  return b.op("i16x8.add_sat_s", b.op("i16x8.mul", xEven, yEven), b.op("i16x8.mul", xOdd, yOdd));
});

// ---- sums and differences -------------------------------------------------------------------------------------------------

/** |x − y| of unsigned bytes: one of the saturated differences is 0. */
function byteDistance(b: Builder, x: Value, y: Value): Value {
  return b.op("v128.or", b.op("i8x16.sub_sat_u", x, y), b.op("i8x16.sub_sat_u", y, x));
}
packed("psadbw", "F6", (b, x, y) => {
  const words = b.op("i16x8.extadd_pairwise_i8x16_u", byteDistance(b, x, y));
  const dwords = b.op("i32x4.extadd_pairwise_i16x8_u", words);
  const odd = b.op("i64x2.shr_u", dwords, b.constant(32, 32));
  return b.op("i64x2.add", b.op("v128.and", dwords, lanes(b, 64, [0xffffffffn])), odd);
});

/** imm8: bit 2 the first of eight windows in x (times 4 bytes), bits 1:0 the block of four bytes in y. */
instruction("mpsadbw", ["66 0F 3A 42 /r   x, xm128, i8"], {}, (b, dst, src, imm) => {
  const [x, y] = readBoth(b, dst, src), control = immediate(b, imm);
  const window = b.shl(field(b, control, 2, 1), 2), block = b.shl(field(b, control, 0, 2), 2);
  let sum: Value | undefined;
  for (let k = 0; k < 4; k++) {
    const at = (base: Value): Value => splat(b, 8, b.add(base, b.constant(32, k)));
    const xs = b.op("i8x16.swizzle", x, b.op("i8x16.add", iota(b, 8), at(window)));
    const ys = b.op("i8x16.swizzle", y, at(block));
    const distances = b.op("i16x8.extend_low_i8x16_u", byteDistance(b, xs, ys));
    sum = sum === undefined ? distances : b.op("i16x8.add", sum, distances);
  }
  b.write(dst, sum as Value);
});

/** Neighbouring lanes of x, then of y, combined. */
function horizontal(width: 16 | 32, operator: string): Combine {
  const numbers = Array.from({ length: 128 / width }, (_, i) => 2 * i);
  return (b, x, y) => b.op(operator, shuffle(b, width, x, y, numbers), shuffle(b, width, x, y, numbers.map((n) => n + 1)));
}
packed("phaddw", "38 01", horizontal(16, "i16x8.add"));
packed("phaddd", "38 02", horizontal(32, "i32x4.add"));
packed("phaddsw", "38 03", horizontal(16, "i16x8.add_sat_s"));
packed("phsubw", "38 05", horizontal(16, "i16x8.sub"));
packed("phsubd", "38 06", horizontal(32, "i32x4.sub"));
packed("phsubsw", "38 07", horizontal(16, "i16x8.sub_sat_s"));

// ---- sign and magnitude ---------------------------------------------------------------------------------------------------

for (const [letter, width, sign, magnitude] of [["b", 8, "08", "1C"], ["w", 16, "09", "1D"], ["d", 32, "0A", "1E"]] as const) {
  const s = shape(width);
  /** x negated, cleared or kept as y is negative, zero or positive. */
  packed(`psign${letter}`, `38 ${sign}`, (b, x, y) => {
    const negative = b.op(`${s}.shr_s`, y, b.constant(32, width - 1));
    const signed = b.op(`${s}.sub`, b.op("v128.xor", x, negative), negative);
    return b.op("v128.and", signed, b.op(`${s}.ne`, y, zeroVector(b)));
  });
  packed(`pabs${letter}`, `38 ${magnitude}`, (b, _x, y) => b.op(`${s}.abs`, y));
}

// ---- widening -------------------------------------------------------------------------------------------------------------

const extensions: readonly (readonly [suffix: string, opcode: string, operand: string, steps: readonly string[]])[] = [
  ["bw", "0", "xm64", ["i16x8.extend_low_i8x16"]],
  ["bd", "1", "xm32", ["i16x8.extend_low_i8x16", "i32x4.extend_low_i16x8"]],
  ["bq", "2", "xm16", ["i16x8.extend_low_i8x16", "i32x4.extend_low_i16x8", "i64x2.extend_low_i32x4"]],
  ["wd", "3", "xm64", ["i32x4.extend_low_i16x8"]],
  ["wq", "4", "xm32", ["i32x4.extend_low_i16x8", "i64x2.extend_low_i32x4"]],
  ["dq", "5", "xm64", ["i64x2.extend_low_i32x4"]],
];
for (const [suffix, opcode, operand, steps] of extensions) {
  for (const [mnemonic, row, sign] of [["pmovsx", "2", "s"], ["pmovzx", "3", "u"]]) {
    instruction(`${mnemonic}${suffix}`, [`66 0F 38 ${row}${opcode} /r   x, ${operand}`], {}, (b, dst, src) => {
      b.write(dst, steps.reduce((v, step) => b.op(`${step}_${sign}`, v), lowVector(b, src)));
    });
  }
}

// ---- shifts ---------------------------------------------------------------------------------------------------------------

type Shift = "shl" | "shr_u" | "shr_s";
/** Shifts every lane by a 64-bit count; from the width on the result is 0, or the sign for arithmetic shifts. */
function shiftLanes(b: Builder, width: 16 | 32 | 64, operation: Shift, x: Value, count: Value): Value {
  const inside = b.ltU(count, b.constant(count.width, width));
  const small = count.width === 64 ? b.trunc(count, 32) : count;
  const name = `${shape(width)}.${operation}`;
  if (operation === "shr_s") return b.op(name, x, b.select(inside, small, b.constant(32, width - 1)));
  return b.select(inside, b.op(name, x, small), zeroVector(b));
}
const shifts: readonly (readonly [mnemonic: string, width: 16 | 32 | 64, op: Shift, byVector: string, byImmediate: string])[] = [
  ["psrlw", 16, "shr_u", "D1", "71 /2"], ["psraw", 16, "shr_s", "E1", "71 /4"], ["psllw", 16, "shl", "F1", "71 /6"],
  ["psrld", 32, "shr_u", "D2", "72 /2"], ["psrad", 32, "shr_s", "E2", "72 /4"], ["pslld", 32, "shl", "F2", "72 /6"],
  ["psrlq", 64, "shr_u", "D3", "73 /2"], ["psllq", 64, "shl", "F3", "73 /6"],
];
for (const [mnemonic, width, operation, byVector, byImmediate] of shifts) {
  packed(mnemonic, byVector, (b, x, y) => shiftLanes(b, width, operation, x, b.lane("i64x2.extract_lane", [0], y)));
  instruction(mnemonic, [`66 0F ${byImmediate}   xx, i8`], {}, (b, dst, imm) => {
    b.write(dst, shiftLanes(b, width, operation, b.read(dst), immediate(b, imm)));
  });
}

/** Whole-register shifts by bytes: bytes of the register beside zeros, or an index outside 0…15, which makes swizzle give 0. */
function shiftBytes(mnemonic: string, row: string, direction: 1 | -1): void {
  instruction(mnemonic, [`${row}   xx, i8`], {}, (b, dst, imm) => {
    const x = b.read(dst), count = atMost(b, immediate(b, imm), 16), constant = known(count);
    if (constant !== undefined) {
      const first = direction > 0 ? constant : 16 - constant;
      const [low, high] = direction > 0 ? [x, zeroVector(b)] : [zeroVector(b), x];
      return b.write(dst, shuffle(b, 8, low, high, Array.from({ length: 16 }, (_, i) => first + i)));
    }
    b.write(dst, b.op("i8x16.swizzle", x, b.op(direction > 0 ? "i8x16.add" : "i8x16.sub", iota(b, 8), splat(b, 8, count))));
  });
}
shiftBytes("psrldq", "66 0F 73 /3", 1);
shiftBytes("pslldq", "66 0F 73 /7", -1);

// ---- tests and searches ---------------------------------------------------------------------------------------------------

instruction("ptest", ["66 0F 38 17 /r   x, xm128"], {}, (b, dst, src) => {
  const [x, y] = readBoth(b, dst, src), never = b.truth(b.constant(32, 0).node);
  const none = (v: Value): Value => b.not(is(b, "v128.any_true", v));
  const zero = none(b.op("v128.and", x, y)), carry = none(b.op("v128.andnot", y, x));
  b.flags.replaceAll();
  b.flags.zero(zero);
  b.flags.carry(carry);
  b.flags.overflow(never);
  b.flags.sign(never);
  b.flags.adjust(never);
  b.flags.parity(never);
});

/** Smallest unsigned word and its place. Keys of (word, place) make ties go to the lowest place. */
packed("phminposuw", "38 41", (b, _x, y) => {
  const sixteen = b.constant(32, 16);
  const keys = (half: "low" | "high", places: readonly number[]): Value =>
    b.op("v128.or", b.op("i32x4.shl", b.op(`i32x4.extend_${half}_i16x8_u`, y), sixteen), lanes(b, 32, places));
  const four = b.op("i32x4.min_u", keys("low", [0, 1, 2, 3]), keys("high", [4, 5, 6, 7]));
  const two = b.op("i32x4.min_u", four, shuffle(b, 32, four, four, [2, 3, 0, 1]));
  const one = b.op("i32x4.min_u", two, shuffle(b, 32, two, two, [1, 0, 3, 2]));
  const least = b.ofNode(b.lane("i32x4.extract_lane", [0], one).node, 32);
  return b.lane("i32x4.replace_lane", [0], zeroVector(b), b.rotl(least, 16));
});
