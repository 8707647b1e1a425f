/** Shuffles, unpacks and blends of XMM registers (Intel SDM 2A/2B: PSHUF*, SHUFP*, PUNPCK*, UNPCK*, PALIGNR, BLEND*, PBLEND*).
 *  With a known immediate each is one static Wasm shuffle; otherwise byte indices are computed for i8x16.swizzle. */
import type { Builder, Value } from "../builder.ts";
import { instruction } from "./define.ts";
import {
  atMost, byteIndices, extractLane, field, immediate, iota, known, laneMask, lanes, readBoth, shape, shuffle, splat, zeroVector,
} from "./sse-operands.ts";

// ---- by an immediate ------------------------------------------------------------------------------------------------------

/** The four two-bit fields of an immediate. */
function fields(constant: number): number[] {
  return [0, 2, 4, 6].map((shift) => (constant >> shift) & 3);
}
/** The same as lanes of `width` bits, in the lanes where `weights` (64, 16, 4, 1) are; other lanes become 0. */
function fieldLanes(b: Builder, width: 16 | 32, control: Value, weights: readonly number[]): Value {
  const s = width === 16 ? "i16x8" : "i32x4";
  // Multiplying by 64, 16, 4 or 1 moves the field to bits 7:6.
  const moved = b.op(`${s}.mul`, splat(b, width, control), lanes(b, width, weights));
  return b.op("v128.and", b.op(`${s}.shr_u`, moved, b.constant(32, 6)), lanes(b, width, [3]));
}
/** Byte indices that gather four dwords. */
function dwordIndices(b: Builder, control: Value): Value {
  return byteIndices(b, 32, fieldLanes(b, 32, control, [64, 16, 4, 1]));
}

instruction("pshufd", ["66 0F 70 /r   x, xm128, i8"], {}, (b, dst, src, imm) => {
  const x = b.read(src), control = immediate(b, imm), constant = known(control);
  if (constant !== undefined) b.write(dst, shuffle(b, 32, x, x, fields(constant)));
  else b.write(dst, b.op("i8x16.swizzle", x, dwordIndices(b, control)));
});
instruction("pshuflw", ["F2 0F 70 /r   x, xm128, i8"], {}, (b, dst, src, imm) => {
  const x = b.read(src), control = immediate(b, imm), constant = known(control);
  if (constant !== undefined) return b.write(dst, shuffle(b, 16, x, x, [...fields(constant), 4, 5, 6, 7]));
  const chosen = fieldLanes(b, 16, control, [64, 16, 4, 1, 0, 0, 0, 0]);
  b.write(dst, b.op("i8x16.swizzle", x, byteIndices(b, 16, b.op("i16x8.add", chosen, lanes(b, 16, [0, 0, 0, 0, 4, 5, 6, 7])))));
});
instruction("pshufhw", ["F3 0F 70 /r   x, xm128, i8"], {}, (b, dst, src, imm) => {
  const x = b.read(src), control = immediate(b, imm), constant = known(control);
  if (constant !== undefined) return b.write(dst, shuffle(b, 16, x, x, [0, 1, 2, 3, ...fields(constant).map((f) => f + 4)]));
  const chosen = fieldLanes(b, 16, control, [0, 0, 0, 0, 64, 16, 4, 1]);
  b.write(dst, b.op("i8x16.swizzle", x, byteIndices(b, 16, b.op("i16x8.add", chosen, lanes(b, 16, [0, 1, 2, 3, 4, 4, 4, 4])))));
});
/** Two dwords of the destination, then two of the source. */
instruction("shufps", ["NP 0F C6 /r   x, xm128, i8"], {}, (b, dst, src, imm) => {
  const [x, y] = readBoth(b, dst, src), control = immediate(b, imm), constant = known(control);
  if (constant !== undefined) return b.write(dst, shuffle(b, 32, x, y, fields(constant).map((f, i) => (i < 2 ? f : f + 4))));
  const indices = dwordIndices(b, control);
  b.write(dst, shuffle(b, 32, b.op("i8x16.swizzle", x, indices), b.op("i8x16.swizzle", y, indices), [0, 1, 6, 7]));
});
instruction("shufpd", ["66 0F C6 /r   x, xm128, i8"], {}, (b, dst, src, imm) => {
  const [x, y] = readBoth(b, dst, src), control = immediate(b, imm), constant = known(control);
  if (constant !== undefined) return b.write(dst, shuffle(b, 64, x, y, [constant & 1, 2 + ((constant >> 1) & 1)]));
  const lower = extractLane(b, 64, x, field(b, control, 0, 1)), upper = extractLane(b, 64, y, field(b, control, 1, 1));
  b.write(dst, b.lane("i64x2.replace_lane", [1], b.op("i64x2.splat", lower), upper));
});

/** Bytes imm8…imm8+15 of destination above source. Beyond either register swizzle gives 0. */
instruction("palignr", ["66 0F 3A 0F /r   x, xm128, i8"], {}, (b, dst, src, imm) => {
  const [x, y] = readBoth(b, dst, src), control = immediate(b, imm), constant = known(control);
  if (constant !== undefined && constant <= 16) {
    return b.write(dst, shuffle(b, 8, y, x, Array.from({ length: 16 }, (_, i) => i + constant)));
  }
  const indices = b.op("i8x16.add", iota(b, 8), splat(b, 8, atMost(b, control, 32)));
  const above = b.op("i8x16.sub", indices, lanes(b, 8, [16]));
  b.write(dst, b.op("v128.or", b.op("i8x16.swizzle", y, indices), b.op("i8x16.swizzle", x, above)));
});

// ---- by a vector ----------------------------------------------------------------------------------------------------------

/** Bit 7 of a selector clears its byte, the upper bits of the others are ignored: keep 8f, and 80…8f is beyond swizzle's range. */
instruction("pshufb", ["66 0F 38 00 /r   x, xm128"], {}, (b, dst, src) => {
  const [x, selectors] = readBoth(b, dst, src);
  b.write(dst, b.op("i8x16.swizzle", x, b.op("v128.and", selectors, lanes(b, 8, [0x8f]))));
});

// ---- fixed ----------------------------------------------------------------------------------------------------------------

function fixed(mnemonic: string, row: string, width: 8 | 16 | 32 | 64, order: readonly number[]): void {
  instruction(mnemonic, [`${row} /r   x, xm128`], {}, (b, dst, src) => {
    const [x, y] = readBoth(b, dst, src);
    b.write(dst, shuffle(b, width, x, y, order));
  });
}
/** Lanes of x and y by turns, from lane `first` on. */
function interleaved(width: 8 | 16 | 32 | 64, half: "low" | "high"): number[] {
  const count = 128 / width, first = half === "low" ? 0 : count / 2;
  return Array.from({ length: count }, (_, i) => first + (i >> 1) + (i & 1) * count);
}
fixed("punpcklbw", "66 0F 60", 8, interleaved(8, "low"));
fixed("punpcklwd", "66 0F 61", 16, interleaved(16, "low"));
fixed("punpckldq", "66 0F 62", 32, interleaved(32, "low"));
fixed("punpcklqdq", "66 0F 6C", 64, interleaved(64, "low"));
fixed("punpckhbw", "66 0F 68", 8, interleaved(8, "high"));
fixed("punpckhwd", "66 0F 69", 16, interleaved(16, "high"));
fixed("punpckhdq", "66 0F 6A", 32, interleaved(32, "high"));
fixed("punpckhqdq", "66 0F 6D", 64, interleaved(64, "high"));
fixed("unpcklps", "NP 0F 14", 32, interleaved(32, "low"));
fixed("unpcklpd", "66 0F 14", 64, interleaved(64, "low"));
fixed("unpckhps", "NP 0F 15", 32, interleaved(32, "high"));
fixed("unpckhpd", "66 0F 15", 64, interleaved(64, "high"));

// ---- blends ---------------------------------------------------------------------------------------------------------------

function blendImmediate(mnemonic: string, opcode: string, width: 16 | 32 | 64): void {
  instruction(mnemonic, [`66 0F 3A ${opcode} /r   x, xm128, i8`], {}, (b, dst, src, imm) => {
    const [x, y] = readBoth(b, dst, src);
    b.write(dst, b.op("v128.bitselect", y, x, laneMask(b, width, immediate(b, imm))));
  });
}
blendImmediate("blendps", "0C", 32);
blendImmediate("blendpd", "0D", 64);
blendImmediate("pblendw", "0E", 16);

/** Takes the source's lanes where the sign bits of XMM0's are set. */
function blendVariable(mnemonic: string, opcode: string, width: 8 | 32 | 64): void {
  instruction(mnemonic, [`66 0F 38 ${opcode} /r   x, xm128`], {}, (b, dst, src) => {
    const [x, y] = readBoth(b, dst, src);
    const mask = b.op(`${shape(width)}.lt_s`, b.vectorRegister(0), zeroVector(b));
    b.write(dst, b.op("v128.bitselect", y, x, mask));
  });
}
blendVariable("pblendvb", "10", 8);
blendVariable("blendvps", "14", 32);
blendVariable("blendvpd", "15", 64);
