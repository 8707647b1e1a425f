/** Conversions between integers, binary32 and binary64 (Intel SDM 2A: CVT*).
 *
 *  What cannot be inexact needs no question about MXCSR. Conversions to integers do not report denormal operands, and give the
 *  "integer indefinite" 80…0 with IE for NaNs and what does not fit: the helpers' work. */
import type { Builder, Value } from "../builder.ts";
import { instruction } from "./define.ts";
import { all, type FloatWidth, narrow, readSubject, settle, toBits, toFloat, widen } from "./float.ts";
import { anyLane, denormalLanes, isFastWithout, nanLanes, orLanes, packedHelper } from "./float-packed.ts";
import { is, lanes, lowVector, zeroVector } from "./sse-operands.ts";

type IntegerWidth = 32 | 64;

function f32Constant(b: Builder, value: number): Value {
  return toFloat(b, b.constant(32, new Uint32Array(new Float32Array([value]).buffer)[0]));
}
function f64Bits(value: number): bigint {
  return new BigUint64Array(new Float64Array([value]).buffer)[0];
}
function f64Constant(b: Builder, value: number): Value {
  return toFloat(b, b.constant(64, f64Bits(value)));
}

// ---- integers to floats ---------------------------------------------------------------------------------------------------

/** Exact when |x| is at most 2^24 or 2^53, or when 32 bits become binary64. */
function fromInteger(b: Builder, to: FloatWidth, x: Value): Value {
  const from = x.width as IntegerWidth;
  const native = b.op(`f${to}.convert_i${from}_s`, x);
  if (to === 64 && from === 32) return native;
  const most = to === 64 ? 2n ** 53n : 2n ** 24n;
  const isExact = (): Value => b.leU(b.add(x, b.constant(from, most)), b.constant(from, 2n * most));
  return settle(b, [b.isZero(b.fastMask())], isExact, native, () => toFloat(b, b.helper(`i${from}_to_f${to}`, x)));
}
instruction("cvtsi2ss", ["F3 0F 2A /r   x, rmy"], {}, (b, dst, src) => b.write(dst, fromInteger(b, 32, b.read(src))));
instruction("cvtsi2sd", ["F2 0F 2A /r   x, rmy"], {}, (b, dst, src) => b.write(dst, fromInteger(b, 64, b.read(src))));

instruction("cvtdq2pd", ["F3 0F E6 /r   x, xm64"], {}, (b, dst, src) => {
  b.write(dst, b.op("f64x2.convert_low_i32x4_s", lowVector(b, src)));
});
instruction("cvtdq2ps", ["NP 0F 5B /r   x, xm128"], {}, (b, dst, src) => {
  const x = b.read(src);
  const isExact = (): Value => b.not(anyLane(b, b.op("i32x4.gt_u", b.op("i32x4.abs", x), lanes(b, 32, [2 ** 24]))));
  const native = b.op("f32x4.convert_i32x4_s", x);
  b.write(dst, settle(b, [b.isZero(b.fastMask())], isExact, native, () => packedHelper(b, "i32x4_to_f32x4", x)));
});

// ---- floats to integers ---------------------------------------------------------------------------------------------------

type Rounding = "" | "_truncate";

/** The integer fits when the rounded magnitude is below 2^31 or 2^63 (the negative limit itself is left to the helper). */
function toInteger(b: Builder, to: IntegerWidth, f: Value, rounding: Rounding): Value {
  const from = f.width as FloatWidth, scalar = `f${from}`;
  const rounded = rounding === "_truncate" ? f : b.op(`${scalar}.nearest`, f);
  const native = b.op(`i${to}.trunc_sat_${scalar}_s`, rounded);
  const bound = 2 ** (to - 1);
  const fits = is(b, `${scalar}.lt`, b.op(`${scalar}.abs`, rounded), from === 64 ? f64Constant(b, bound) : f32Constant(b, bound));
  // An operand that is integral converts exactly, whatever MXCSR says.
  const isExact = (): Value => all(b, fits, is(b, `${scalar}.eq`, b.op(`${scalar}.convert_i${to}_s`, native), f));
  return settle(b, [b.not(fits), b.isZero(b.fastMask())], isExact, native, () => b.helper(`${scalar}_to_i${to}${rounding}`, toBits(b, f)));
}
for (const [mnemonic, opcode, rounding] of [["cvt", "2D", ""], ["cvtt", "2C", "_truncate"]] as const) {
  instruction(`${mnemonic}ss2si`, [`F3 0F ${opcode} /r   ry, xm32`], {}, (b, dst, src) => {
    b.write(dst, toInteger(b, dst.width as IntegerWidth, b.readFloat(src), rounding));
  });
  instruction(`${mnemonic}sd2si`, [`F2 0F ${opcode} /r   ry, xm64`], {}, (b, dst, src) => {
    b.write(dst, toInteger(b, dst.width as IntegerWidth, b.readFloat(src), rounding));
  });
}

/** Rounds lanes to integral values, to nearest even: adding and subtracting 2^23 (2^52) does it for magnitudes below that, and
 *  larger ones are integral. The sign of a zero is lost, which no integer shows. */
function nearestLanes(b: Builder, width: FloatWidth, x: Value): Value {
  const shape = width === 32 ? "f32x4" : "f64x2";
  const big = lanes(b, width, [width === 32 ? 0x4b000000 : f64Bits(2 ** 52)]);
  const sign = b.op("v128.and", x, lanes(b, width, [1n << BigInt(width - 1)]));
  const magnitude = b.op(`${shape}.abs`, x);
  const rounded = b.op(`${shape}.sub`, b.op(`${shape}.add`, magnitude, big), big);
  return b.op("v128.bitselect", b.op("v128.or", rounded, sign), x, b.op(`${shape}.lt`, magnitude, big));
}
function packedToInteger(b: Builder, width: FloatWidth, x: Value, rounding: Rounding): Value {
  const shape = width === 32 ? "f32x4" : "f64x2";
  const rounded = rounding === "_truncate" ? x : nearestLanes(b, width, x);
  const bound = lanes(b, width, [width === 32 ? 0x4f000000 : f64Bits(2 ** 31)]);
  const outside = b.op("v128.not", b.op(`${shape}.lt`, b.op(`${shape}.abs`, rounded), bound));
  const native = b.op(width === 32 ? "i32x4.trunc_sat_f32x4_s" : "i32x4.trunc_sat_f64x2_s_zero", rounded);
  const helper = width === 32 ? "f32x4_to_i32x4" : "f64x2_to_i32x2";
  return settle(b, [b.not(isFastWithout(b, outside))], undefined, native, () => packedHelper(b, helper + rounding, x));
}
const packedToIntegers: readonly (readonly [mnemonic: string, row: string, FloatWidth, Rounding])[] = [
  ["cvtps2dq", "66 0F 5B", 32, ""], ["cvttps2dq", "F3 0F 5B", 32, "_truncate"],
  ["cvtpd2dq", "F2 0F E6", 64, ""], ["cvttpd2dq", "66 0F E6", 64, "_truncate"],
];
for (const [mnemonic, row, width, rounding] of packedToIntegers) {
  instruction(mnemonic, [`${row} /r   x, xm128`], {}, (b, dst, src) => b.write(dst, packedToInteger(b, width, b.read(src), rounding)));
}

// ---- between the float formats --------------------------------------------------------------------------------------------

instruction("cvtss2sd", ["F3 0F 5A /r   x, xm32"], {}, (b, dst, src) => b.write(dst, widen(b, readSubject(b, src))));
instruction("cvtsd2ss", ["F2 0F 5A /r   x, xm64"], {}, (b, dst, src) => b.write(dst, narrow(b, readSubject(b, src))));
instruction("cvtps2pd", ["NP 0F 5A /r   x, xm64"], {}, (b, dst, src) => {
  const x = lowVector(b, src), native = b.op("f64x2.promote_low_f32x4", x);
  // A denormal binary32 is a normal binary64, so look at the operand; its upper lanes do not count.
  const special = b.op("v128.and", orLanes(b, nanLanes(b, 32, x), denormalLanes(b, 32, x)), b.vectorConstant(-1n, 0n));
  b.write(dst, settle(b, [anyLane(b, special)], undefined, native, () => packedHelper(b, "f32x2_to_f64x2", x)));
});
/** Magnitudes in [2^-125, 2^127) neither overflow nor underflow as binary32; zeros are exact. */
instruction("cvtpd2ps", ["66 0F 5A /r   x, xm128"], {}, (b, dst, src) => {
  const x = b.read(src), native = b.op("f32x4.demote_f64x2_zero", x), magnitude = b.op("f64x2.abs", x);
  const small = b.op("v128.andnot", b.op("f64x2.lt", magnitude, lanes(b, 64, [f64Bits(2 ** -125)])), b.op("f64x2.eq", x, zeroVector(b)));
  const large = b.op("v128.not", b.op("f64x2.lt", magnitude, lanes(b, 64, [f64Bits(2 ** 127)])));
  const doubt = b.not(isFastWithout(b, orLanes(b, small, large)));
  b.write(dst, settle(b, [doubt], undefined, native, () => packedHelper(b, "f64x2_to_f32x2", x)));
});
