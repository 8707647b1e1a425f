/** MMX, with the instructions that SSE to SSSE3 added on MMX registers (Intel SDM 2A/2B, the forms with mm operands).
 *
 *  An MMX register is the significand of a physical x87 register. Every instruction but EMMS first delivers a pending x87 exception,
 *  and then makes the stack look full (x87-state.ts). Values are computed in the low half of a vector, whose upper half is arbitrary
 *  (in a register: sign and exponent), so operators must not let lanes of the upper half into the lower. */
import type { Builder, Operand, Value } from "../builder.ts";
import { SCRATCH_A, SCRATCH_C, X87_TOP, X87_VALID } from "../state.ts";
import { instruction } from "./define.ts";
import { atMost, extractLane, field, immediate, iota, lanes, low, lowVector, replaceLane, shape, shuffle, splat, zeroVector } from "./sse-operands.ts";
import { deliverPending, enterMmx, writeMmx } from "./x87-state.ts";

/** x is the destination's old value, y the source; the low half of the result counts. */
type Combine = (b: Builder, x: Value, y: Value) => Value;

const lowHalf = (b: Builder, v: Value): Value => b.lane("i64x2.extract_lane", [0], v);
/** The low halves of two vectors as one. */
const join = (b: Builder, x: Value, y: Value): Value => shuffle(b, 64, x, y, [0, 2]);

function packed(mnemonic: string, opcode: string, combine: Combine, source = "mmm64"): void {
  instruction(mnemonic, [`NP 0F ${opcode} /r   mm, ${source}`], {}, (b, dst, src) => {
    deliverPending(b);
    const y = lowVector(b, src);
    enterMmx(b);
    writeMmx(b, dst, lowHalf(b, combine(b, lowVector(b, dst), y)));
  });
}

// ---- lane by lane: one Wasm operator -------------------------------------------------------------------------------------------

const direct: readonly (readonly [mnemonic: string, opcode: string, operator: string])[] = [
  ["paddb", "FC", "i8x16.add"], ["paddw", "FD", "i16x8.add"], ["paddd", "FE", "i32x4.add"], ["paddq", "D4", "i64x2.add"],
  ["paddsb", "EC", "i8x16.add_sat_s"], ["paddsw", "ED", "i16x8.add_sat_s"],
  ["paddusb", "DC", "i8x16.add_sat_u"], ["paddusw", "DD", "i16x8.add_sat_u"],
  ["psubb", "F8", "i8x16.sub"], ["psubw", "F9", "i16x8.sub"], ["psubd", "FA", "i32x4.sub"], ["psubq", "FB", "i64x2.sub"],
  ["psubsb", "E8", "i8x16.sub_sat_s"], ["psubsw", "E9", "i16x8.sub_sat_s"],
  ["psubusb", "D8", "i8x16.sub_sat_u"], ["psubusw", "D9", "i16x8.sub_sat_u"],
  ["pmullw", "D5", "i16x8.mul"], ["pmaddwd", "F5", "i32x4.dot_i16x8_s"], ["pmuludq", "F4", "i64x2.extmul_low_i32x4_u"],
  ["pavgb", "E0", "i8x16.avgr_u"], ["pavgw", "E3", "i16x8.avgr_u"],
  ["pminub", "DA", "i8x16.min_u"], ["pminsw", "EA", "i16x8.min_s"], ["pmaxub", "DE", "i8x16.max_u"], ["pmaxsw", "EE", "i16x8.max_s"],
  ["pcmpeqb", "74", "i8x16.eq"], ["pcmpeqw", "75", "i16x8.eq"], ["pcmpeqd", "76", "i32x4.eq"],
  ["pcmpgtb", "64", "i8x16.gt_s"], ["pcmpgtw", "65", "i16x8.gt_s"], ["pcmpgtd", "66", "i32x4.gt_s"],
  ["pand", "DB", "v128.and"], ["por", "EB", "v128.or"], ["pxor", "EF", "v128.xor"],
];
for (const [mnemonic, opcode, operator] of direct) packed(mnemonic, opcode, (b, x, y) => b.op(operator, x, y));
packed("pandn", "DF", (b, x, y) => b.op("v128.andnot", y, x));

// ---- products and sums ---------------------------------------------------------------------------------------------------------

for (const [mnemonic, opcode, sign] of [["pmulhw", "E5", "s"], ["pmulhuw", "E4", "u"]]) {
  packed(mnemonic, opcode, (b, x, y) => {
    const products = b.op(`i32x4.extmul_low_i16x8_${sign}`, x, y);
    return shuffle(b, 16, products, products, [1, 3, 5, 7, 1, 3, 5, 7]);
  });
}
/** Wasm saturates −1·−1, which wraps here. */
packed("pmulhrsw", "38 0B", (b, x, y) => {
  const least = lanes(b, 16, [0x8000]);
  const both = b.op("v128.and", b.op("i16x8.eq", x, least), b.op("i16x8.eq", y, least));
  return b.op("v128.xor", b.op("i16x8.q15mulr_sat_s", x, y), both);
});
packed("pmaddubsw", "38 04", (b, x, y) => {
  const products = b.op("i16x8.mul", b.op("i16x8.extend_low_i8x16_u", x), b.op("i16x8.extend_low_i8x16_s", y));
  return b.op("i16x8.add_sat_s", shuffle(b, 16, products, products, [0, 2, 4, 6, 0, 2, 4, 6]), shuffle(b, 16, products, products, [1, 3, 5, 7, 1, 3, 5, 7]));
});
packed("psadbw", "F6", (b, x, y) => {
  const distance = b.op("v128.or", b.op("i8x16.sub_sat_u", x, y), b.op("i8x16.sub_sat_u", y, x));
  const dwords = b.op("i32x4.extadd_pairwise_i16x8_u", b.op("i16x8.extadd_pairwise_i8x16_u", distance));
  return b.op("i64x2.add", b.op("v128.and", dwords, lanes(b, 64, [0xffffffffn])), b.op("i64x2.shr_u", dwords, b.constant(32, 32)));
});
for (const [mnemonic, opcode, width, operator] of [
  ["phaddw", "01", 16, "i16x8.add"], ["phaddd", "02", 32, "i32x4.add"], ["phaddsw", "03", 16, "i16x8.add_sat_s"],
  ["phsubw", "05", 16, "i16x8.sub"], ["phsubd", "06", 32, "i32x4.sub"], ["phsubsw", "07", 16, "i16x8.sub_sat_s"],
] as const) {
  const even = Array.from({ length: 128 / width }, (_, i) => (2 * i) % (128 / width));
  packed(mnemonic, `38 ${opcode}`, (b, x, y) => {
    const both = join(b, x, y);
    return b.op(operator, shuffle(b, width, both, both, even), shuffle(b, width, both, both, even.map((n) => n + 1)));
  });
}
for (const [letter, width, sign, magnitude] of [["b", 8, "08", "1C"], ["w", 16, "09", "1D"], ["d", 32, "0A", "1E"]] as const) {
  const s = shape(width);
  packed(`psign${letter}`, `38 ${sign}`, (b, x, y) => {
    const negative = b.op(`${s}.shr_s`, y, b.constant(32, width - 1));
    const signed = b.op(`${s}.sub`, b.op("v128.xor", x, negative), negative);
    return b.op("v128.and", signed, b.op(`${s}.ne`, y, zeroVector(b)));
  });
  packed(`pabs${letter}`, `38 ${magnitude}`, (b, _x, y) => b.op(`${s}.abs`, y));
}

// ---- packing and shuffling -----------------------------------------------------------------------------------------------------

for (const [mnemonic, opcode, operator] of [
  ["packsswb", "63", "i8x16.narrow_i16x8_s"], ["packuswb", "67", "i8x16.narrow_i16x8_u"], ["packssdw", "6B", "i16x8.narrow_i32x4_s"],
]) {
  packed(mnemonic, opcode, (b, x, y) => {
    const both = join(b, x, y);
    return b.op(operator, both, both);
  });
}
/** The low or high lanes of x and y, alternating; lanes of y count from the vector's width on. The low forms read 32 bits of memory. */
function interleave(width: 8 | 16 | 32, half: "low" | "high"): Combine {
  const count = 64 / width, first = half === "low" ? 0 : count / 2;
  const order = Array.from({ length: 2 * count }, (_, i) => first + ((i >> 1) % (count / 2)) + ((i & 1) === 1 ? 2 * count : 0));
  return (b, x, y) => shuffle(b, width, x, y, order);
}
for (const [suffix, width, lowOpcode, highOpcode] of [["bw", 8, "60", "68"], ["wd", 16, "61", "69"], ["dq", 32, "62", "6A"]] as const) {
  packed(`punpckl${suffix}`, lowOpcode, interleave(width, "low"), "mmm32");
  packed(`punpckh${suffix}`, highOpcode, interleave(width, "high"));
}
/** Index bit 7 gives zero, else three bits select. */
packed("pshufb", "38 00", (b, x, y) => b.op("i8x16.swizzle", x, b.op("v128.and", y, lanes(b, 8, [0x87]))));

instruction("pshufw", ["NP 0F 70 /r   mm, mmm64, i8"], {}, (b, dst, src, imm) => {
  deliverPending(b);
  const y = lowVector(b, src), order = immediate(b, imm);
  enterMmx(b);
  let result = zeroVector(b);
  for (let i = 0; i < 4; i++) {
    result = b.lane("i16x8.replace_lane", [i], result, extractLane(b, 16, y, field(b, order, 2 * i, 2)));
  }
  writeMmx(b, dst, lowHalf(b, result));
});
/** Eight bytes of x:y from byte imm8 on; what lies beyond x is zero: swizzle gives that for indices above 15. */
instruction("palignr", ["NP 0F 3A 0F /r   mm, mmm64, i8"], {}, (b, dst, src, imm) => {
  deliverPending(b);
  const y = lowVector(b, src), both = join(b, y, lowVector(b, dst));
  const from = splat(b, 8, atMost(b, immediate(b, imm), 16));
  enterMmx(b);
  writeMmx(b, dst, lowHalf(b, b.op("i8x16.swizzle", both, b.op("i8x16.add", iota(b, 8), from))));
});

// ---- shifts --------------------------------------------------------------------------------------------------------------------

type Shift = "shl" | "shr_u" | "shr_s";
/** Counts from the lane's width on give 0, or the sign. */
function shiftLanes(b: Builder, width: 16 | 32 | 64, operation: Shift, x: Value, count: Value): Value {
  const inside = b.ltU(count, b.constant(count.width, width));
  const small = count.width === 64 ? b.trunc(count, 32) : count;
  const name = `${shape(width)}.${operation}`;
  if (operation === "shr_s") return b.op(name, x, b.select(inside, small, b.constant(32, width - 1)));
  return b.select(inside, b.op(name, x, small), zeroVector(b));
}
const shifts: readonly (readonly [mnemonic: string, width: 16 | 32 | 64, op: Shift, byRegister: string, byImmediate: string])[] = [
  ["psrlw", 16, "shr_u", "D1", "71 /2"], ["psraw", 16, "shr_s", "E1", "71 /4"], ["psllw", 16, "shl", "F1", "71 /6"],
  ["psrld", 32, "shr_u", "D2", "72 /2"], ["psrad", 32, "shr_s", "E2", "72 /4"], ["pslld", 32, "shl", "F2", "72 /6"],
  ["psrlq", 64, "shr_u", "D3", "73 /2"], ["psllq", 64, "shl", "F3", "73 /6"],
];
for (const [mnemonic, width, operation, byRegister, byImmediate] of shifts) {
  packed(mnemonic, byRegister, (b, x, y) => shiftLanes(b, width, operation, x, lowHalf(b, y)));
  instruction(mnemonic, [`NP 0F ${byImmediate}   mmr, i8`], {}, (b, dst, imm) => {
    deliverPending(b);
    const result = shiftLanes(b, width, operation, lowVector(b, dst), immediate(b, imm));
    enterMmx(b);
    writeMmx(b, dst, lowHalf(b, result));
  });
}

// ---- moves ---------------------------------------------------------------------------------------------------------------------

function loadMmx(b: Builder, dst: Operand, src: Operand): void {
  deliverPending(b);
  const value = b.zext(b.read(src), 64);
  enterMmx(b);
  writeMmx(b, dst, value);
}
instruction("movd", ["NP 0F 6E /r   mm, rmy"], {}, loadMmx);
instruction("movq", ["NP 0F 6F /r   mm, mmm64"], {}, loadMmx);

/** To memory or a general register: the write may fault, so it comes before the stack changes. */
function storeMmx(b: Builder, dst: Operand, src: Operand): void {
  deliverPending(b);
  b.write(dst, b.trunc(b.read(src), dst.width));
  enterMmx(b);
}
instruction("movd", ["NP 0F 7E /r   rmy, mm"], {}, storeMmx);
instruction("movntq", ["NP 0F E7 /r   m64, mm"], {}, storeMmx);
instruction("movq", ["NP 0F 7F /r   mmm64, mm"], {}, (b, dst, src) => {
  if (dst.isMemory) storeMmx(b, dst, src);
  else loadMmx(b, dst, src);
});
instruction("movq2dq", ["F3 0F D6 /r   x, mmr"], {}, (b, dst, src) => {
  deliverPending(b);
  b.writeZeroExtended(dst, b.read(src));
  enterMmx(b);
});
instruction("movdq2q", ["F2 0F D6 /r   mm, xx"], {}, (b, dst, src) => {
  deliverPending(b);
  const value = b.read(low(src, 64));
  enterMmx(b);
  writeMmx(b, dst, value);
});
instruction("pmovmskb", ["NP 0F D7 /r   r32, mmr"], {}, (b, dst, src) => {
  deliverPending(b);
  b.write(dst, b.and(b.op("i8x16.bitmask", lowVector(b, src)), b.constant(32, 0xff)));
  enterMmx(b);
});
instruction("pextrw", ["NP 0F C5 /r   r32, mmr, i8"], {}, (b, dst, src, which) => {
  deliverPending(b);
  b.write(dst, extractLane(b, 16, lowVector(b, src), field(b, immediate(b, which), 0, 2)));
  enterMmx(b);
});
instruction("pinsrw", ["NP 0F C4 /r   mm, rr32, i8", "NP 0F C4 /r   mm, m16, i8"], {}, (b, dst, src, which) => {
  deliverPending(b);
  const word = b.zext(b.read(src), 32);
  const result = replaceLane(b, 16, lowVector(b, dst), field(b, immediate(b, which), 0, 2), word);
  enterMmx(b);
  writeMmx(b, dst, lowHalf(b, result));
});
/** Stores the bytes whose mask byte is negative to [rDI]. All eight must be writable, as processors ask (see maskmovdqu). */
instruction("maskmovq", ["NP 0F F7 /r   mm, mmr, dsdi"], {}, (b, data, mask, place) => {
  deliverPending(b);
  const address = b.linearAddress(place), bytes = lowVector(b, data), selected = b.op("i8x16.bitmask", lowVector(b, mask));
  b.checkWritable(address, 8);
  for (let i = 0; i < 8; i++) {
    b.if(b.isNonZero(b.and(selected, b.constant(32, 1 << i))), () => {
      b.storeAt(b.add(address, b.constant(64, i)), b.trunc(b.lane("i8x16.extract_lane_u", [i], bytes), 8));
    });
  }
  enterMmx(b);
});
/** Leaves MMX: all registers empty. Processors also put the top at 0. */
instruction("emms", ["NP 0F 77"], {}, (b) => {
  deliverPending(b);
  b.setState(X87_TOP, b.constant(16, 0), "i32.store16");
  b.setState(X87_VALID, b.constant(16, 0), "i32.store16");
});

// ---- conversions ---------------------------------------------------------------------------------------------------------------

/** Runs a packed helper on 64 bits (or an XMM value) and leaves on an unmasked exception. */
function convert(b: Builder, helper: string, x: Value): Value {
  if (x.width === 128) {
    b.setState(SCRATCH_A, b.lane("i64x2.extract_lane", [0], x));
    b.setState(SCRATCH_A + 8, b.lane("i64x2.extract_lane", [1], x));
  } else {
    b.setState(SCRATCH_A, x);
  }
  b.helperVoid(helper);
  b.floatGuard();
  return b.getState(SCRATCH_C);
}
// Integers from memory touch no MMX register: the stack stays as it is, and what is pending stays pending.
instruction("cvtpi2ps", ["NP 0F 2A /r   x, mmm64"], {}, (b, dst, src) => {
  if (!src.isMemory) deliverPending(b);
  const result = convert(b, "i32x2_to_f32x2", b.read(src));
  b.write(low(dst, 64), result);
  if (!src.isMemory) enterMmx(b);
});
instruction("cvtpi2pd", ["66 0F 2A /r   x, mmm64"], {}, (b, dst, src) => {
  if (!src.isMemory) deliverPending(b);
  b.write(dst, b.op("f64x2.convert_low_i32x4_s", lowVector(b, src)));
  if (!src.isMemory) enterMmx(b);
});
function toMmx(mnemonic: string, row: string, helper: string): void {
  instruction(mnemonic, [row], {}, (b, dst, src) => {
    deliverPending(b);
    const result = convert(b, helper, b.read(src.width === 64 ? low(src, 64) : src));
    enterMmx(b);
    writeMmx(b, dst, result);
  });
}
toMmx("cvtps2pi", "NP 0F 2D /r   mm, xm64", "f32x2_to_i32x2");
toMmx("cvttps2pi", "NP 0F 2C /r   mm, xm64", "f32x2_to_i32x2_truncate");
toMmx("cvtpd2pi", "66 0F 2D /r   mm, xm128", "f64x2_to_i32x2");
toMmx("cvttpd2pi", "66 0F 2C /r   mm, xm128", "f64x2_to_i32x2_truncate");
