/** SSE floating-point arithmetic, comparison and logic (Intel SDM 2A/2B: ADDPS … XORPD). The arithmetic itself is in float.ts and
 *  float-packed.ts.
 *  Scalar forms change the low lane only; with a memory operand they need no alignment. */
import { instruction } from "./define.ts";
import {
  type Arithmetic, type FloatWidth, readSubject, readSubjects, scalarApproximation, scalarArithmetic, scalarCompare, scalarExtreme, scalarFlags,
  scalarRound, scalarSquareRoot,
} from "./float.ts";
import {
  packedArithmetic, packedCompare, packedDot, packedExtreme, packedHelper, packedRound, packedSquareRoot, readVector, readVectors,
} from "./float-packed.ts";
import { immediate, lanes, readBoth, shuffle, zeroVector } from "./sse-operands.ts";

interface Kind { readonly width: FloatWidth; readonly prefix: string; readonly suffix: string; readonly operand: string }
const scalars: readonly Kind[] = [
  { width: 32, prefix: "F3", suffix: "ss", operand: "xm32" },
  { width: 64, prefix: "F2", suffix: "sd", operand: "xm64" },
];
const vectors: readonly Kind[] = [
  { width: 32, prefix: "NP", suffix: "ps", operand: "xm128" },
  { width: 64, prefix: "66", suffix: "pd", operand: "xm128" },
];
const shapeOf = (width: FloatWidth): string => (width === 32 ? "f32x4" : "f64x2");

// ---- arithmetic -----------------------------------------------------------------------------------------------------------

const arithmetic: readonly (readonly [Arithmetic, string])[] = [["add", "58"], ["mul", "59"], ["sub", "5C"], ["div", "5E"]];
for (const [name, opcode] of arithmetic) {
  for (const { width, prefix, suffix, operand } of scalars) {
    instruction(`${name}${suffix}`, [`${prefix} 0F ${opcode} /r   x, ${operand}`], {}, (b, dst, src) => {
      const [x, y] = readSubjects(b, dst, src, width);
      b.write(dst, scalarArithmetic(b, name, x, y));
    });
  }
  for (const { width, prefix, suffix } of vectors) {
    instruction(`${name}${suffix}`, [`${prefix} 0F ${opcode} /r   x, xm128`], {}, (b, dst, src) => {
      const [x, y] = readVectors(b, dst, src, width);
      b.write(dst, packedArithmetic(b, name, width, x, y, () => packedHelper(b, `${shapeOf(width)}_${name}`, x.v, y.v)));
    });
  }
}
for (const [name, opcode] of [["min", "5D"], ["max", "5F"]] as const) {
  for (const { width, prefix, suffix, operand } of scalars) {
    instruction(`${name}${suffix}`, [`${prefix} 0F ${opcode} /r   x, ${operand}`], {}, (b, dst, src) => {
      const [x, y] = readSubjects(b, dst, src, width);
      b.write(dst, scalarExtreme(b, name, x, y));
    });
  }
  for (const { width, prefix, suffix } of vectors) {
    instruction(`${name}${suffix}`, [`${prefix} 0F ${opcode} /r   x, xm128`], {}, (b, dst, src) => {
      const [x, y] = readVectors(b, dst, src, width);
      b.write(dst, packedExtreme(b, name, width, x, y));
    });
  }
}
for (const { prefix, suffix, operand } of scalars) {
  instruction(`sqrt${suffix}`, [`${prefix} 0F 51 /r   x, ${operand}`], {}, (b, dst, src) => {
    b.write(dst, scalarSquareRoot(b, readSubject(b, src)));
  });
}
for (const { width, prefix, suffix } of vectors) {
  instruction(`sqrt${suffix}`, [`${prefix} 0F 51 /r   x, xm128`], {}, (b, dst, src) => {
    b.write(dst, packedSquareRoot(b, width, readVector(b, src, width)));
  });
}
for (const [mnemonic, opcode, name] of [["rcp", "53", "reciprocal"], ["rsqrt", "52", "reciprocal_sqrt"]] as const) {
  instruction(`${mnemonic}ss`, [`F3 0F ${opcode} /r   x, xm32`], {}, (b, dst, src) => {
    b.write(dst, scalarApproximation(b, name, b.readFloat(src)));
  });
  instruction(`${mnemonic}ps`, [`NP 0F ${opcode} /r   x, xm128`], {}, (b, dst, src) => {
    b.write(dst, packedHelper(b, `f32x4_${name}`, b.read(src)));
  });
}

// ---- across lanes ---------------------------------------------------------------------------------------------------------

const horizontals: readonly (readonly [FloatWidth, string, string])[] = [[64, "66", "pd"], [32, "F2", "ps"]];
for (const [width, prefix, suffix] of horizontals) {
  const shape = shapeOf(width), numbers = Array.from({ length: 128 / width }, (_, i) => 2 * i);
  for (const [mnemonic, opcode, name] of [["hadd", "7C", "add"], ["hsub", "7D", "sub"]] as const) {
    instruction(`${mnemonic}${suffix}`, [`${prefix} 0F ${opcode} /r   x, xm128`], {}, (b, dst, src) => {
      const [x, y] = readVectors(b, dst, src, width), areTame = x.areTame && y.areTame, areFinite = x.areFinite && y.areFinite;
      const even = { v: shuffle(b, width, x.v, y.v, numbers), areTame, areFinite };
      const odd = { v: shuffle(b, width, x.v, y.v, numbers.map((n) => n + 1)), areTame, areFinite };
      b.write(dst, packedArithmetic(b, name, width, even, odd, () => packedHelper(b, `${shape}_${mnemonic}`, x.v, y.v)));
    });
  }
  /** Even lanes subtract: add the source with their signs turned. NaNs, which have no sign to turn, go to the helper. */
  instruction(`addsub${suffix}`, [`${prefix} 0F D0 /r   x, xm128`], {}, (b, dst, src) => {
    const [x, y] = readVectors(b, dst, src, width);
    const turned = { ...y, v: b.op("v128.xor", y.v, lanes(b, width, [1n << BigInt(width - 1), 0])) };
    b.write(dst, packedArithmetic(b, "add", width, x, turned, () => packedHelper(b, `${shape}_addsub`, x.v, y.v)));
  });
}
for (const [mnemonic, opcode, width] of [["dpps", "40", 32], ["dppd", "41", 64]] as const) {
  instruction(mnemonic, [`66 0F 3A ${opcode} /r   x, xm128, i8`], {}, (b, dst, src, imm) => {
    const [x, y] = readVectors(b, dst, src, width);
    b.write(dst, packedDot(b, width, x, y, immediate(b, imm)));
  });
}

// ---- rounding -------------------------------------------------------------------------------------------------------------

for (const [opcode, { suffix, operand }] of [["0A", scalars[0]], ["0B", scalars[1]]] as const) {
  instruction(`round${suffix}`, [`66 0F 3A ${opcode} /r   x, ${operand}, i8`], {}, (b, dst, src, imm) => {
    b.write(dst, scalarRound(b, readSubject(b, src), immediate(b, imm)));
  });
}
for (const [opcode, { width, suffix }] of [["08", vectors[0]], ["09", vectors[1]]] as const) {
  instruction(`round${suffix}`, [`66 0F 3A ${opcode} /r   x, xm128, i8`], {}, (b, dst, src, imm) => {
    b.write(dst, packedRound(b, width, readVector(b, src, width), immediate(b, imm)));
  });
}

// ---- comparisons ----------------------------------------------------------------------------------------------------------

for (const [name, opcode] of [["ucomis", "2E"], ["comis", "2F"]] as const) {
  for (const [width, prefix, letter] of [[32, "NP", "s"], [64, "66", "d"]] as const) {
    instruction(`${name}${letter}`, [`${prefix} 0F ${opcode} /r   x, xm${width}`], {}, (b, left, right) => {
      const [x, y] = readSubjects(b, left, right, width);
      scalarFlags(b, name, x, y);
    });
  }
}
for (const { width, prefix, suffix, operand } of scalars) {
  instruction(`cmp${suffix}`, [`${prefix} 0F C2 /r   x, ${operand}, i8`], {}, (b, dst, src, imm) => {
    const [x, y] = readSubjects(b, dst, src, width);
    b.write(dst, scalarCompare(b, x, y, immediate(b, imm)));
  });
}
for (const { width, prefix, suffix } of vectors) {
  instruction(`cmp${suffix}`, [`${prefix} 0F C2 /r   x, xm128, i8`], {}, (b, dst, src, imm) => {
    const [x, y] = readVectors(b, dst, src, width);
    b.write(dst, packedCompare(b, width, x, y, immediate(b, imm)));
  });
}

// ---- logic ----------------------------------------------------------------------------------------------------------------

for (const { prefix, suffix } of vectors) {
  for (const [mnemonic, opcode, operator] of [["and", "54", "v128.and"], ["or", "56", "v128.or"], ["xor", "57", "v128.xor"]]) {
    instruction(`${mnemonic}${suffix}`, [`${prefix} 0F ${opcode} /r   x, xm128`], {}, (b, dst, src) => {
      const [x, y] = readBoth(b, dst, src);
      b.write(dst, operator === "v128.xor" && b.areSame(dst, src) ? zeroVector(b) : b.op(operator, x, y));
    });
  }
  instruction(`andn${suffix}`, [`${prefix} 0F 55 /r   x, xm128`], {}, (b, dst, src) => {
    const [x, y] = readBoth(b, dst, src);
    b.write(dst, b.op("v128.andnot", y, x));
  });
}
