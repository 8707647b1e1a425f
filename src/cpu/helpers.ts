/** The floating-point helpers: what dist/helpers.wasm exports (source in cpu/assembly), and how to instantiate it.
 *
 *  Generated code imports the exports directly, Wasm to Wasm. Operands and results are raw bits: f32 in an i32, f64 in
 *  an i64. What is wider goes through the slots SCRATCH_A…SCRATCH_D of cpu/state.ts.
 *  An SSE helper honours MXCSR (rounding, FTZ, DAZ), sets its sticky flags and keeps FP_FAST right. When an exception
 *  that is not masked occurs it sets NOTICE_EXCEPTION, and the caller must not write the destination.
 *  Functions that JavaScript calls are those without an i64 in their signature. */
import type { Ram } from "../memory/ram.ts";

export type WasmType = "i32" | "i64" | "f32" | "f64";
/** Parameters and result of one helper. */
export interface HelperSignature {
  readonly params: readonly WasmType[];
  readonly result: WasmType | undefined;
}

const sig = (result: WasmType | undefined, ...params: WasmType[]): HelperSignature => ({ params, result });

const sseHelpers = {
  /** Writes MXCSR and derives FP_FAST. Reserved bits are the caller's check (#GP). */
  mxcsr_write: sig(undefined, "i32"),

  f64_add: sig("i64", "i64", "i64"),
  f64_sub: sig("i64", "i64", "i64"),
  f64_mul: sig("i64", "i64", "i64"),
  f64_div: sig("i64", "i64", "i64"),
  f64_min: sig("i64", "i64", "i64"),
  f64_max: sig("i64", "i64", "i64"),
  f64_sqrt: sig("i64", "i64"),
  f32_add: sig("i32", "i32", "i32"),
  f32_sub: sig("i32", "i32", "i32"),
  f32_mul: sig("i32", "i32", "i32"),
  f32_div: sig("i32", "i32", "i32"),
  f32_min: sig("i32", "i32", "i32"),
  f32_max: sig("i32", "i32", "i32"),
  f32_sqrt: sig("i32", "i32"),

  /** ZF, PF, CF at their RFLAGS places: greater 0, less 0x01, equal 0x40, unordered 0x45. OF, SF, AF become 0. */
  f64_comis: sig("i32", "i64", "i64"),
  f64_ucomis: sig("i32", "i64", "i64"),
  f32_comis: sig("i32", "i32", "i32"),
  f32_ucomis: sig("i32", "i32", "i32"),
  /** (a, b, predicate 0…7) → all ones or zero. */
  f64_compare: sig("i64", "i64", "i64", "i32"),
  f32_compare: sig("i32", "i32", "i32", "i32"),

  /** Integer to floating point, rounded as MXCSR says. */
  i32_to_f64: sig("i64", "i32"),
  i64_to_f64: sig("i64", "i64"),
  i32_to_f32: sig("i32", "i32"),
  i64_to_f32: sig("i32", "i64"),
  /** Floating point to integer: rounded as MXCSR says, or truncated. Out of range: 0x80…0 and IE. */
  f64_to_i32: sig("i32", "i64"),
  f64_to_i64: sig("i64", "i64"),
  f32_to_i32: sig("i32", "i32"),
  f32_to_i64: sig("i64", "i32"),
  f64_to_i32_truncate: sig("i32", "i64"),
  f64_to_i64_truncate: sig("i64", "i64"),
  f32_to_i32_truncate: sig("i32", "i32"),
  f32_to_i64_truncate: sig("i64", "i32"),
  f32_to_f64: sig("i64", "i32"),
  f64_to_f32: sig("i32", "i64"),

  /** ROUNDSD/ROUNDSS: (a, imm8). */
  f64_round: sig("i64", "i64", "i32"),
  f32_round: sig("i32", "i32", "i32"),
  /** RCPSS, RSQRTSS: a fixed approximation, no flags. */
  f32_reciprocal: sig("i32", "i32"),
  f32_reciprocal_sqrt: sig("i32", "i32"),

  // The scalar ones for translated code.
  settle_f64_add: sig("f64", "f64", "f64"),
  settle_f64_sub: sig("f64", "f64", "f64"),
  settle_f64_mul: sig("f64", "f64", "f64"),
  settle_f64_div: sig("f64", "f64", "f64"),
  settle_f64_sqrt: sig("f64", "f64"),
  settle_f64_min: sig("f64", "f64", "f64"),
  settle_f64_max: sig("f64", "f64", "f64"),
  settle_f64_comis: sig("i32", "f64", "f64"),
  settle_f64_ucomis: sig("i32", "f64", "f64"),
  settle_f64_compare: sig("f64", "f64", "f64", "i32"),
  settle_f64_round: sig("f64", "f64", "i32"),
  settle_f64_to_f32: sig("f32", "f64"),
  settle_f32_add: sig("f32", "f32", "f32"),
  settle_f32_sub: sig("f32", "f32", "f32"),
  settle_f32_mul: sig("f32", "f32", "f32"),
  settle_f32_div: sig("f32", "f32", "f32"),
  settle_f32_sqrt: sig("f32", "f32"),
  settle_f32_min: sig("f32", "f32", "f32"),
  settle_f32_max: sig("f32", "f32", "f32"),
  settle_f32_comis: sig("i32", "f32", "f32"),
  settle_f32_ucomis: sig("i32", "f32", "f32"),
  settle_f32_compare: sig("f32", "f32", "f32", "i32"),
  settle_f32_round: sig("f32", "f32", "i32"),
  settle_f32_to_f64: sig("f64", "f32"),

  // Packed: operands in SCRATCH_A and SCRATCH_B (first operand = destination register = A), result in SCRATCH_C.
  f64x2_add: sig(undefined),
  f64x2_sub: sig(undefined),
  f64x2_mul: sig(undefined),
  f64x2_div: sig(undefined),
  f64x2_min: sig(undefined),
  f64x2_max: sig(undefined),
  f32x4_add: sig(undefined),
  f32x4_sub: sig(undefined),
  f32x4_mul: sig(undefined),
  f32x4_div: sig(undefined),
  f32x4_min: sig(undefined),
  f32x4_max: sig(undefined),
  f64x2_addsub: sig(undefined),
  f32x4_addsub: sig(undefined),
  f64x2_hadd: sig(undefined),
  f32x4_hadd: sig(undefined),
  f64x2_hsub: sig(undefined),
  f32x4_hsub: sig(undefined),
  /** (predicate 0…7) */
  f64x2_compare: sig(undefined, "i32"),
  f32x4_compare: sig(undefined, "i32"),
  /** DPPD, DPPS: (imm8) */
  f64x2_dot: sig(undefined, "i32"),
  f32x4_dot: sig(undefined, "i32"),

  // Packed with one operand: SCRATCH_A → SCRATCH_C.
  f64x2_sqrt: sig(undefined),
  f32x4_sqrt: sig(undefined),
  /** (imm8) */
  f64x2_round: sig(undefined, "i32"),
  f32x4_round: sig(undefined, "i32"),
  f32x4_reciprocal: sig(undefined),
  f32x4_reciprocal_sqrt: sig(undefined),
  /** Conversions. Those of two lanes read and write the low lanes; those to 32 bits clear the high half of SCRATCH_C. */
  i32x4_to_f32x4: sig(undefined),
  i32x2_to_f32x2: sig(undefined),
  i32x2_to_f64x2: sig(undefined),
  f32x4_to_i32x4: sig(undefined),
  f32x4_to_i32x4_truncate: sig(undefined),
  f32x2_to_i32x2: sig(undefined),
  f32x2_to_i32x2_truncate: sig(undefined),
  f64x2_to_i32x2: sig(undefined),
  f64x2_to_i32x2_truncate: sig(undefined),
  f64x2_to_f32x2: sig(undefined),
  f32x2_to_f64x2: sig(undefined),
} as const satisfies Record<string, HelperSignature>;

/** x87, on the state of cpu/state.ts. A waiting instruction looks at ES (bit 7 of X87_STATUS) first and takes #MF when it is set;
 *  the helpers set flags, ES and B but never FP_NOTICE. `pops` is 0, 1 or 2; register numbers count from the top. */
const x87Helpers = {
  /** (operation, dst, src, pops): ST(dst) = ST(dst) op ST(src), operations by the /digit of D8: 0 add, 1 mul, 4 sub, 5 subr, 6 div, 7 divr. */
  x87_arithmetic: sig(undefined, "i32", "i32", "i32", "i32"),
  /** (operation, operand): ST(0) = ST(0) op operand. */
  x87_arithmetic_f32: sig(undefined, "i32", "i32"),
  x87_arithmetic_f64: sig(undefined, "i32", "i64"),
  x87_arithmetic_integer: sig(undefined, "i32", "i32"),
  x87_sqrt: sig(undefined),
  x87_round: sig(undefined),
  x87_scale: sig(undefined),
  x87_extract: sig(undefined),
  /** (0 for FPREM, 1 for FPREM1) */
  x87_remainder: sig(undefined, "i32"),
  x87_change_sign: sig(undefined),
  x87_absolute: sig(undefined),

  /** F2XM1, FYL2X, FYL2XP1, FSIN, FCOS, FSINCOS, FPTAN, FPATAN. */
  x87_exp2m1: sig(undefined),
  x87_log2x: sig(undefined),
  x87_log2p1: sig(undefined),
  x87_sin: sig(undefined),
  x87_cos: sig(undefined),
  x87_sincos: sig(undefined),
  x87_tan: sig(undefined),
  x87_atan: sig(undefined),

  x87_push_f32: sig(undefined, "i32"),
  x87_push_f64: sig(undefined, "i64"),
  /** 10 bytes at SCRATCH_A. */
  x87_push_f80: sig(undefined),
  x87_push_bcd: sig(undefined),
  x87_push_integer: sig(undefined, "i64"),
  x87_push_register: sig(undefined, "i32"),
  /** FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ for 0…6. */
  x87_push_constant: sig(undefined, "i32"),

  /** Stores compute the value and leave in SCRATCH_D (u32) whether memory is to be written (and popped); f80 and bcd give 10 bytes at
   *  SCRATCH_A. Check first that memory is writable. */
  x87_store_f32: sig("i32"),
  x87_store_f64: sig("i64"),
  x87_store_f80: sig(undefined),
  /** (bits 16, 32 or 64; 1 to truncate) */
  x87_store_integer: sig("i64", "i32", "i32"),
  x87_store_bcd: sig(undefined),

  /** (i, 1 for FCOM or 0 for FUCOM, pops) */
  x87_compare: sig(undefined, "i32", "i32", "i32"),
  x87_compare_f32: sig(undefined, "i32", "i32"),
  x87_compare_f64: sig(undefined, "i64", "i32"),
  x87_compare_integer: sig(undefined, "i32", "i32"),
  /** (i, 1 for FCOMI or 0 for FUCOMI, pops) → ZF PF CF at their RFLAGS places. */
  x87_compare_flags: sig("i32", "i32", "i32", "i32"),
  x87_test: sig(undefined),
  x87_examine: sig(undefined),

  /** (i, pops) */
  x87_move: sig(undefined, "i32", "i32"),
  /** (i, condition 0 or 1) */
  x87_conditional_move: sig(undefined, "i32", "i32"),
  x87_exchange: sig(undefined, "i32"),
  x87_free: sig(undefined, "i32", "i32"),
  /** (+1 for FINCSTP, -1 for FDECSTP) */
  x87_rotate: sig(undefined, "i32"),
  x87_init: sig(undefined),
  x87_clear_exceptions: sig(undefined),
  x87_set_control: sig(undefined, "i32"),
  x87_set_status: sig(undefined, "i32"),
  /** The full tag word, derived from contents. */
  x87_tag_word: sig("i32"),
  /** (control word, status word, full tag word) */
  x87_set_environment: sig(undefined, "i32", "i32", "i32"),
  /** ST(i) to or from SCRATCH_A (10 bytes), tags untouched. */
  x87_get_register: sig(undefined, "i32"),
  x87_set_register: sig(undefined, "i32"),

  // For translated code that keeps the stack itself, in plain modes and for usual numbers: (significand, sign and exponent) of each.
  /** 1 and the result in SCRATCH_A, or 0. */
  x87_sum: sig("i32", "i64", "i32", "i64", "i32"),
  x87_product: sig("i32", "i64", "i32", "i64", "i32"),
  x87_quotient: sig("i32", "i64", "i32", "i64", "i32"),
  /** Bits; SCRATCH_D says whether there is a result. */
  x87_narrow_f32: sig("i32", "i64", "i32"),
  x87_narrow_f64: sig("i64", "i64", "i32"),
  /** −1, 0, 1; or 2 for no result. */
  x87_order: sig("i32", "i64", "i32", "i64", "i32"),
} as const satisfies Record<string, HelperSignature>;

const integerHelpers = {
  /** (high, low, divisor) → quotient, for divisor > high. */
  u128_divide: sig("i64", "i64", "i64", "i64"),
  /** (crc, data, bytes) → crc. */
  crc32c: sig("i32", "i32", "i64", "i32"),
} as const satisfies Record<string, HelperSignature>;

/** Every helper by export name. */
export const helperSignatures = { ...sseHelpers, ...x87Helpers, ...integerHelpers };
export type HelperName = keyof typeof helperSignatures;

type ValueOf<T extends WasmType | undefined> = T extends "i64" ? bigint : T extends WasmType ? number : undefined;
type ParamsOf<P extends readonly WasmType[]> = { -readonly [I in keyof P]: ValueOf<P[I]> };
/** The exports as JavaScript sees them (i64 as bigint: tests only). */
export type Helpers = {
  readonly [Name in HelperName]: (
    ...args: ParamsOf<(typeof helperSignatures)[Name]["params"]>
  ) => ValueOf<(typeof helperSignatures)[Name]["result"]>;
};

/** Instantiates the compiled helper module over `ram`. */
export function instantiateHelpers(module: WebAssembly.Module, ram: Ram): Helpers {
  const instance = new WebAssembly.Instance(module, { env: { memory: ram.memory } });
  return instance.exports as unknown as Helpers;
}
