/** WebAssembly operators by their text-format names (WebAssembly Core Specification 2.0, appendix "Index of Instructions").
 *  Only operators that the builder emits. An operator's result type follows from its name, so rows give just code and arity. */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
/** By name in the text format. */
export const WASM_TYPES = { i32: I32, i64: I64, f32: F32, f64: F64 } as const;
export type ValueType = 0x7f | 0x7e | 0x7d | 0x7c | 0x7b;

export interface Operator {
  readonly name: string;
  /** One-byte opcode, or the index after prefix 0xfc or 0xfd. */
  readonly code: number;
  /** 0 = none, else 0xfc or 0xfd. */
  readonly prefix: number;
  readonly arity: number;
  readonly result: ValueType;
  /** Number of lane-index immediates (16 for i8x16.shuffle). */
  readonly lanes: number;
}

const operators = new Map<string, Operator>();

/** The operator called `name`; throws when the table lacks it. */
export function operator(name: string): Operator {
  const found = operators.get(name);
  if (found === undefined) throw new Error(`no WebAssembly operator ${name}`);
  return found;
}

/** Every operator of the table. */
export function allOperators(): Iterable<Operator> {
  return operators.values();
}

function define(names: string, firstCode: number, prefix: number, arity: number, result: ValueType, lanes = 0): void {
  let code = firstCode;
  for (const name of names.trim().split(/\s+/)) {
    if (name !== "-") operators.set(name, { name, code, prefix, arity, result, lanes });
    code++;
  }
}

define("i32.eqz", 0x45, 0, 1, I32);
define("i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u", 0x46, 0, 2, I32);
define("i64.eqz", 0x50, 0, 1, I32);
define("i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u", 0x51, 0, 2, I32);
define("f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge", 0x5b, 0, 2, I32);
define("i32.clz i32.ctz i32.popcnt", 0x67, 0, 1, I32);
define("i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr", 0x6a, 0, 2, I32);
define("i64.clz i64.ctz i64.popcnt", 0x79, 0, 1, I64);
define("i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr", 0x7c, 0, 2, I64);
define("f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt", 0x8b, 0, 1, F32);
define("f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign", 0x92, 0, 2, F32);
define("f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt", 0x99, 0, 1, F64);
define("f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign", 0xa0, 0, 2, F64);
define("i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u", 0xa7, 0, 1, I32);
define("i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u", 0xac, 0, 1, I64);
define("f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64", 0xb2, 0, 1, F32);
define("f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32", 0xb7, 0, 1, F64);
define("i32.reinterpret_f32", 0xbc, 0, 1, I32);
define("i64.reinterpret_f64", 0xbd, 0, 1, I64);
define("f32.reinterpret_i32", 0xbe, 0, 1, F32);
define("f64.reinterpret_i64", 0xbf, 0, 1, F64);
define("i32.extend8_s i32.extend16_s", 0xc0, 0, 1, I32);
define("i64.extend8_s i64.extend16_s i64.extend32_s", 0xc2, 0, 1, I64);
define("i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u", 0, 0xfc, 1, I32);
define("i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u", 4, 0xfc, 1, I64);

define("i8x16.shuffle", 0x0d, 0xfd, 2, V128, 16);
define("i8x16.swizzle", 0x0e, 0xfd, 2, V128);
define("i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat", 0x0f, 0xfd, 1, V128);
define("i8x16.extract_lane_s i8x16.extract_lane_u", 0x15, 0xfd, 1, I32, 1);
define("i8x16.replace_lane", 0x17, 0xfd, 2, V128, 1);
define("i16x8.extract_lane_s i16x8.extract_lane_u", 0x18, 0xfd, 1, I32, 1);
define("i16x8.replace_lane", 0x1a, 0xfd, 2, V128, 1);
define("i32x4.extract_lane", 0x1b, 0xfd, 1, I32, 1);
define("i32x4.replace_lane", 0x1c, 0xfd, 2, V128, 1);
define("i64x2.extract_lane", 0x1d, 0xfd, 1, I64, 1);
define("i64x2.replace_lane", 0x1e, 0xfd, 2, V128, 1);
define("f32x4.extract_lane", 0x1f, 0xfd, 1, F32, 1);
define("f32x4.replace_lane", 0x20, 0xfd, 2, V128, 1);
define("f64x2.extract_lane", 0x21, 0xfd, 1, F64, 1);
define("f64x2.replace_lane", 0x22, 0xfd, 2, V128, 1);
define("i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u", 0x23, 0xfd, 2, V128);
define("i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u", 0x2d, 0xfd, 2, V128);
define("i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u", 0x37, 0xfd, 2, V128);
define("f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge", 0x41, 0xfd, 2, V128);
define("v128.not", 0x4d, 0xfd, 1, V128);
define("v128.and v128.andnot v128.or v128.xor", 0x4e, 0xfd, 2, V128);
define("v128.bitselect", 0x52, 0xfd, 3, V128);
define("v128.any_true", 0x53, 0xfd, 1, I32);
define("f32x4.demote_f64x2_zero f64x2.promote_low_f32x4", 0x5e, 0xfd, 1, V128);
define("i8x16.abs i8x16.neg i8x16.popcnt", 0x60, 0xfd, 1, V128);
define("i8x16.all_true i8x16.bitmask", 0x63, 0xfd, 1, I32);
define("i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u", 0x65, 0xfd, 2, V128);
define("i8x16.shl i8x16.shr_s i8x16.shr_u i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u", 0x6b, 0xfd, 2, V128);
define("i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u", 0x76, 0xfd, 2, V128);
define("i8x16.avgr_u", 0x7b, 0xfd, 2, V128);
define("i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u i16x8.abs i16x8.neg", 0x7c, 0xfd, 1, V128);
define("i16x8.q15mulr_sat_s", 0x82, 0xfd, 2, V128);
define("i16x8.all_true i16x8.bitmask", 0x83, 0xfd, 1, I32);
define("i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u", 0x85, 0xfd, 2, V128);
define("i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u", 0x87, 0xfd, 1, V128);
define("i16x8.shl i16x8.shr_s i16x8.shr_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u", 0x8b, 0xfd, 2, V128);
define("i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u", 0x95, 0xfd, 2, V128);
define("i16x8.avgr_u i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u", 0x9b, 0xfd, 2, V128);
define("i32x4.abs i32x4.neg", 0xa0, 0xfd, 1, V128);
define("i32x4.all_true i32x4.bitmask", 0xa3, 0xfd, 1, I32);
define("i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u", 0xa7, 0xfd, 1, V128);
define("i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add", 0xab, 0xfd, 2, V128);
define("i32x4.sub", 0xb1, 0xfd, 2, V128);
define("i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s", 0xb5, 0xfd, 2, V128);
define("i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u", 0xbc, 0xfd, 2, V128);
define("i64x2.abs i64x2.neg", 0xc0, 0xfd, 1, V128);
define("i64x2.all_true i64x2.bitmask", 0xc3, 0xfd, 1, I32);
define("i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u", 0xc7, 0xfd, 1, V128);
define("i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add", 0xcb, 0xfd, 2, V128);
define("i64x2.sub", 0xd1, 0xfd, 2, V128);
define("i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u", 0xd5, 0xfd, 2, V128);
define("f32x4.abs f32x4.neg", 0xe0, 0xfd, 1, V128);
define("f32x4.sqrt", 0xe3, 0xfd, 1, V128);
define("f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax", 0xe4, 0xfd, 2, V128);
define("f64x2.abs f64x2.neg", 0xec, 0xfd, 1, V128);
define("f64x2.sqrt", 0xef, 0xfd, 1, V128);
define("f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax", 0xf0, 0xfd, 2, V128);
define("i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u", 0xf8, 0xfd, 1, V128);

/** Loads and stores: opcode, prefix and natural alignment (log2), which is only a hint. */
export interface MemoryOperator { readonly code: number; readonly prefix: number; readonly align: number; readonly type: ValueType }
export const LOADS: Readonly<Record<string, MemoryOperator>> = {
  "i32.load": { code: 0x28, prefix: 0, align: 2, type: I32 },
  "i64.load": { code: 0x29, prefix: 0, align: 3, type: I64 },
  "f32.load": { code: 0x2a, prefix: 0, align: 2, type: F32 },
  "f64.load": { code: 0x2b, prefix: 0, align: 3, type: F64 },
  "i32.load8_s": { code: 0x2c, prefix: 0, align: 0, type: I32 },
  "i32.load8_u": { code: 0x2d, prefix: 0, align: 0, type: I32 },
  "i32.load16_s": { code: 0x2e, prefix: 0, align: 1, type: I32 },
  "i32.load16_u": { code: 0x2f, prefix: 0, align: 1, type: I32 },
  "i64.load8_u": { code: 0x31, prefix: 0, align: 0, type: I64 },
  "i64.load16_u": { code: 0x33, prefix: 0, align: 1, type: I64 },
  "i64.load32_s": { code: 0x34, prefix: 0, align: 2, type: I64 },
  "i64.load32_u": { code: 0x35, prefix: 0, align: 2, type: I64 },
  "v128.load": { code: 0x00, prefix: 0xfd, align: 4, type: V128 },
  "v128.load32_zero": { code: 0x5c, prefix: 0xfd, align: 2, type: V128 },
  "v128.load64_zero": { code: 0x5d, prefix: 0xfd, align: 3, type: V128 },
};
export const STORES: Readonly<Record<string, MemoryOperator>> = {
  "i32.store": { code: 0x36, prefix: 0, align: 2, type: I32 },
  "i64.store": { code: 0x37, prefix: 0, align: 3, type: I64 },
  "f32.store": { code: 0x38, prefix: 0, align: 2, type: F32 },
  "f64.store": { code: 0x39, prefix: 0, align: 3, type: F64 },
  "i32.store8": { code: 0x3a, prefix: 0, align: 0, type: I32 },
  "i32.store16": { code: 0x3b, prefix: 0, align: 1, type: I32 },
  "i64.store32": { code: 0x3e, prefix: 0, align: 2, type: I64 },
  "v128.store": { code: 0x0b, prefix: 0xfd, align: 4, type: V128 },
};
