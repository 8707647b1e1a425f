/** Entry of the helper module: its exports are the names in cpu/helpers.ts, no more and no less. */
export {
  mxcsr_write,
} from "./sse-format.as";
export {
  f64_add, f64_sub, f64_mul, f64_div, f64_min, f64_max, f64_sqrt, f32_add, f32_sub, f32_mul, f32_div, f32_min, f32_max, f32_sqrt,
} from "./sse-arithmetic.as";
export {
  settle_f64_add, settle_f64_sub, settle_f64_mul, settle_f64_div, settle_f64_sqrt, settle_f64_min, settle_f64_max, settle_f64_comis,
  settle_f64_ucomis, settle_f64_compare, settle_f64_round, settle_f64_to_f32, settle_f32_add, settle_f32_sub, settle_f32_mul,
  settle_f32_div, settle_f32_sqrt, settle_f32_min, settle_f32_max, settle_f32_comis, settle_f32_ucomis, settle_f32_compare,
  settle_f32_round, settle_f32_to_f64,
} from "./sse-settle.as";
export {
  f64_comis, f64_ucomis, f32_comis, f32_ucomis, f64_compare, f32_compare,
} from "./sse-compare.as";
export {
  i32_to_f64, i64_to_f64, i32_to_f32, i64_to_f32, f64_to_i32, f64_to_i64, f32_to_i32, f32_to_i64, f64_to_i32_truncate,
  f64_to_i64_truncate, f32_to_i32_truncate, f32_to_i64_truncate, f32_to_f64, f64_to_f32, f64_round, f32_round,
} from "./sse-convert.as";
export {
  f32_reciprocal, f32_reciprocal_sqrt,
} from "./sse-approximate.as";
export {
  f64x2_add, f64x2_sub, f64x2_mul, f64x2_div, f64x2_min, f64x2_max, f64x2_sqrt, f64x2_round, f64x2_compare, f64x2_addsub, f64x2_hadd,
  f64x2_hsub, f32x4_add, f32x4_sub, f32x4_mul, f32x4_div, f32x4_min, f32x4_max, f32x4_sqrt, f32x4_round, f32x4_compare, f32x4_addsub,
  f32x4_hadd, f32x4_hsub, f64x2_dot, f32x4_dot, f32x4_reciprocal, f32x4_reciprocal_sqrt, i32x4_to_f32x4, i32x2_to_f32x2, i32x2_to_f64x2,
  f32x4_to_i32x4, f32x4_to_i32x4_truncate, f32x2_to_i32x2, f32x2_to_i32x2_truncate, f64x2_to_i32x2, f64x2_to_i32x2_truncate,
  f64x2_to_f32x2, f32x2_to_f64x2,
} from "./sse-packed.as";
export {
  x87_arithmetic, x87_arithmetic_f32, x87_arithmetic_f64, x87_arithmetic_integer, x87_sqrt, x87_round, x87_scale, x87_extract,
  x87_remainder, x87_change_sign, x87_absolute,
} from "./x87-arithmetic.as";
export {
  x87_push_f32, x87_push_f64, x87_push_f80, x87_push_integer, x87_push_register, x87_push_bcd, x87_push_constant,
} from "./x87-load.as";
export {
  x87_store_f32, x87_store_f64, x87_store_f80, x87_store_integer, x87_store_bcd,
} from "./x87-store.as";
export {
  x87_compare, x87_compare_f32, x87_compare_f64, x87_compare_integer, x87_compare_flags, x87_test, x87_examine,
} from "./x87-compare.as";
export {
  x87_move, x87_conditional_move, x87_exchange, x87_free, x87_rotate, x87_init, x87_clear_exceptions, x87_set_control,
  x87_set_status, x87_tag_word, x87_set_environment, x87_get_register, x87_set_register,
} from "./x87-control.as";
export {
  x87_exp2m1, x87_log2x, x87_log2p1, x87_sin, x87_cos, x87_sincos, x87_tan, x87_atan,
} from "./x87-transcendental.as";
export {
  x87_sum, x87_product, x87_quotient, x87_narrow_f32, x87_narrow_f64, x87_order,
} from "./x87-values.as";
export {
  u128_divide, crc32c,
} from "./integer.as";
