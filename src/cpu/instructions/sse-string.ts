/** SSE4.2 text comparison: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (Intel SDM 1 §12.10.4, 2B §4.1).
 *
 *    imm8   6          5:4                 3:2                          1:0
 *           lsb/msb    polarity            aggregation                  elements
 *           bit/lane   + − + masked −      any, ranges, each, ordered   u8 u16 s8 s16
 *
 *  The first operand is the set, the ranges or the needle; the second the text. A result bit belongs to an element of the text.
 *  Results and valid elements are kept as bit masks of 16 (8 for words) in an i32. Memory operands need no alignment. */
import type { Builder, Operand, Value } from "../builder.ts";
import { RAX, RCX, RDX } from "../state.ts";
import { instruction } from "./define.ts";
import { bit, byteIndices, field, immediate, lanes, shape, splat } from "./sse-operands.ts";

/** Element widths in bits. */
type ElementWidth = 8 | 16;
type Lengths = "explicit32" | "explicit64" | "implicit";

interface Comparison {
  /** IntRes2 of the manual: the result bits after polarity. */
  readonly bits: Value;
  /** Number of elements: 16 or 8. */
  readonly count: Value;
  /** Lengths of both operands, at most `count`. */
  readonly length1: Value;
  readonly length2: Value;
}

const number = (b: Builder, value: number): Value => b.constant(32, value);

/** Lane i all ones or zeros → bit i. */
function toMask(b: Builder, width: ElementWidth, vector: Value): Value {
  return b.ofNode(b.op(`${shape(width)}.bitmask`, vector).node, 32);
}
/** Element `index` of x in every lane. */
function spread(b: Builder, width: ElementWidth, x: Value, index: Value): Value {
  const selector = splat(b, width, index);
  return b.op("i8x16.swizzle", x, width === 8 ? selector : byteIndices(b, 16, selector));
}
/** The low `length` bits set. */
function lowBits(b: Builder, length: Value): Value {
  return b.sub(b.shl(number(b, 1), length), number(b, 1));
}

/** Elements before the first zero. */
function implicitLength(b: Builder, width: ElementWidth, x: Value): Value {
  const zeros = toMask(b, width, b.op(`${shape(width)}.eq`, x, lanes(b, width, [0])));
  return b.ctz(b.or(zeros, number(b, 1 << (128 / width))));
}
/** Magnitude of a length register, at most the number of elements. */
function explicitLength(b: Builder, width: ElementWidth, register: number, bits: 32 | 64): Value {
  const length = b.reg(register, bits), count = 128 / width;
  const magnitude = b.select(b.isNegative(length), b.neg(length), length);
  return b.select(b.ltU(magnitude, b.constant(bits, count)), b.trunc(magnitude, 32), number(b, count));
}

/** Runs `body` for 0, step, 2·step … while index + step ≤ length. */
function forEach(b: Builder, length: Value, step: number, body: (index: Value) => void): void {
  const index = b.variable(number(b, 0));
  b.block((done) => {
    b.loop((again) => {
      const i = b.get(index), next = b.add(i, number(b, step));
      b.breakTo(done, b.ltU(length, next));
      body(i);
      b.set(index, next);
      b.breakTo(again);
    });
  });
}

/** IntRes1: what the aggregation says about each element of the text `y`. */
function aggregate(b: Builder, width: ElementWidth, x: Value, y: Value, control: Value, length1: Value, length2: Value): Value {
  const s = shape(width), every = number(b, 2 ** (128 / width) - 1);
  const valid1 = lowBits(b, length1), valid2 = lowBits(b, length2);
  const result = b.variable(number(b, 0));
  const mode = field(b, control, 2, 2);
  const isMode = (code: number): Value => b.eq(mode, number(b, code));
  const equals = (index: Value): Value => toMask(b, width, b.op(`${s}.eq`, y, spread(b, width, x, index)));

  b.if(isMode(0), () => {
    forEach(b, length1, 1, (i) => b.set(result, b.or(b.get(result), b.and(equals(i), valid2))));
  });
  b.if(isMode(1), () => {
    // Flipping the sign bits makes signed elements compare as unsigned ones.
    const flip = splat(b, width, b.select(bit(b, control, 1), number(b, 2 ** (width - 1)), number(b, 0)));
    const bounds = b.op("v128.xor", x, flip), text = b.op("v128.xor", y, flip);
    forEach(b, length1, 2, (i) => {
      const least = spread(b, width, bounds, i), most = spread(b, width, bounds, b.add(i, number(b, 1)));
      const inside = b.op("v128.and", b.op(`${s}.ge_u`, text, least), b.op(`${s}.le_u`, text, most));
      b.set(result, b.or(b.get(result), b.and(toMask(b, width, inside), valid2)));
    });
  });
  b.if(isMode(2), () => {
    // Two invalid elements are equal, a valid and an invalid one differ.
    const same = toMask(b, width, b.op(`${s}.eq`, x, y));
    const bothValid = b.and(valid1, valid2), noneValid = b.xor(b.or(valid1, valid2), every);
    b.set(result, b.or(b.and(same, bothValid), noneValid));
  });
  b.if(isMode(3), () => {
    // The needle matches at i when its every element j equals y[i + j]; what lies beyond the register counts as equal.
    b.set(result, every);
    forEach(b, length1, 1, (j) => {
      const found = b.shrU(b.and(equals(j), valid2), j);
      const beyond = b.not(b.shrU(every, j));
      b.set(result, b.and(b.get(result), b.or(found, beyond)));
    });
  });
  return b.and(b.get(result), every);
}

/** IntRes2: bit 4 of imm8 inverts, bit 5 spares elements beyond the end of the text. */
function polarize(b: Builder, width: ElementWidth, bits: Value, control: Value, length2: Value): Value {
  const every = number(b, 2 ** (128 / width) - 1), zero = number(b, 0);
  const inverted = b.select(bit(b, control, 5), lowBits(b, length2), every);
  return b.xor(bits, b.select(bit(b, control, 4), inverted, zero));
}

function compare(b: Builder, x: Value, y: Value, control: Value, lengths: Lengths): Comparison {
  const outputs = [b.variable(number(b, 0)), b.variable(number(b, 0)), b.variable(number(b, 0))] as const;
  const as = (width: ElementWidth) => (): void => {
    const bits = lengths === "explicit64" ? 64 : 32;
    const length = (register: number, v: Value): Value =>
      lengths === "implicit" ? implicitLength(b, width, v) : explicitLength(b, width, register, bits);
    const length1 = length(RAX, x), length2 = length(RDX, y);
    const result = polarize(b, width, aggregate(b, width, x, y, control, length1, length2), control, length2);
    for (const [i, v] of [result, length1, length2].entries()) b.set(outputs[i], v);
  };
  b.if(bit(b, control, 0), as(16), as(8));
  const [bits, length1, length2] = outputs.map((v) => b.ofNode(b.get(v).node, 32));
  return { bits, length1, length2, count: b.shrU(number(b, 16), field(b, control, 0, 1)) };
}

/** CF: some bit; ZF, SF: the second, first operand ends inside the register; OF: bit 0. */
function setFlags(b: Builder, { bits, count, length1, length2 }: Comparison): void {
  const no = b.truth(number(b, 0).node);
  b.flags.replaceAll();
  b.flags.carry(b.isNonZero(bits));
  b.flags.zero(b.ltU(length2, count));
  b.flags.sign(b.ltU(length1, count));
  b.flags.overflow(b.truth(b.and(bits, number(b, 1)).node));
  b.flags.adjust(no);
  b.flags.parity(no);
}

/** Index of the first or last result bit into ECX; the number of elements when there is none. */
function toIndex(b: Builder, comparison: Comparison, control: Value): void {
  const { bits, count } = comparison;
  const last = b.sub(number(b, 31), b.clz(bits));
  const index = b.select(bit(b, control, 6), last, b.ctz(bits));
  const result = b.select(b.isZero(bits), count, index);
  setFlags(b, comparison);
  b.setReg(RCX, result);
}

/** Result bits into XMM0, as they are or each spread over its element. */
function toVector(b: Builder, comparison: Comparison, control: Value): void {
  const { bits } = comparison;
  const wide = (width: ElementWidth): Value => {
    const weights = Array.from({ length: 128 / width }, (_, i) => 1 << (i & 7));
    // Lane i looks at bit i: bytes 8…15 take theirs from the second byte.
    const source = width === 16 ? splat(b, 16, bits)
      : b.op("i8x16.swizzle", splat(b, 32, bits), lanes(b, 8, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]));
    const one = lanes(b, width, weights);
    return b.op(`${shape(width)}.eq`, b.op("v128.and", source, one), one);
  };
  const expanded = b.select(bit(b, control, 0), wide(16), wide(8));
  const plain = b.lane("i32x4.replace_lane", [0], lanes(b, 32, [0]), bits);
  const result = b.select(bit(b, control, 6), expanded, plain);
  setFlags(b, comparison);
  b.setVectorRegister(0, result);
}

type Output = (b: Builder, comparison: Comparison, control: Value) => void;
function text(lengths: Lengths, output: Output) {
  return (b: Builder, first: Operand, second: Operand, imm: Operand): void => {
    const y = b.read(second), x = b.read(first), control = immediate(b, imm);
    output(b, compare(b, x, y, control, lengths), control);
  };
}
instruction("pcmpestrm", ["66 W0 0F 3A 60 /r   x, xmu128, i8"], {}, text("explicit32", toVector));
instruction("pcmpestrm", ["66 REX.W 0F 3A 60 /r   x, xmu128, i8"], {}, text("explicit64", toVector));
instruction("pcmpestri", ["66 W0 0F 3A 61 /r   x, xmu128, i8"], {}, text("explicit32", toIndex));
instruction("pcmpestri", ["66 REX.W 0F 3A 61 /r   x, xmu128, i8"], {}, text("explicit64", toIndex));
instruction("pcmpistrm", ["66 0F 3A 62 /r   x, xmu128, i8"], {}, text("implicit", toVector));
instruction("pcmpistri", ["66 0F 3A 63 /r   x, xmu128, i8"], {}, text("implicit", toIndex));
