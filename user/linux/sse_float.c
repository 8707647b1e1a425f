// SSE, SSE2, SSE3, SSE4.1 floating-point intrinsics: arithmetic, comparisons, conversions, shuffles, dot products, rounding.
// flags: -msse4.2
#include "check.h"
#include <immintrin.h>
#include <math.h>
static uint64_t state = 99;
static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; return state ^= state << 17; }
static __m128 a[64], b[64]; static __m128d p[64], q[64];
static unsigned long hash;
static void take(const void *v) { uint64_t w[2]; memcpy(w, v, 16); hash = (hash ^ w[0]) * 1099511628211u; hash = (hash ^ w[1]) * 1099511628211u; }
#define PS(name, e) do { hash = 1469598103934665603u; for (int i = 0; i < 64; i++) { __m128 x = a[i], y = b[i]; (void)y; __m128 r = e; take(&r); } printf("%-14s %016lx\n", name, hash); } while (0)
#define PD(name, e) do { hash = 1469598103934665603u; for (int i = 0; i < 64; i++) { __m128d x = p[i], y = q[i]; (void)y; __m128d r = e; take(&r); } printf("%-14s %016lx\n", name, hash); } while (0)
#define PI(name, e) do { hash = 1469598103934665603u; for (int i = 0; i < 64; i++) { __m128 x = a[i], y = b[i]; __m128d u = p[i], v = q[i]; (void)x; (void)y; (void)u; (void)v; __m128i r = e; take(&r); } printf("%-14s %016lx\n", name, hash); } while (0)
#define S(op) PS(#op, _mm_##op(x, y))
#define D(op) PD(#op, _mm_##op(x, y))
int main(void) {
  for (int i = 0; i < 64; i++) {
    float f[8]; double d[4];
    for (int j = 0; j < 8; j++) { uint32_t w = next(); if (i < 40) f[j] = (int32_t)w / 65536.0f; else memcpy(&f[j], &w, 4); }
    for (int j = 0; j < 4; j++) { uint64_t w = next(); if (i < 40) d[j] = (int64_t)w / 1e15; else memcpy(&d[j], &w, 8); }
    if (i == 10) f[0] = NAN, f[5] = NAN, d[0] = NAN; if (i == 11) f[1] = INFINITY, f[6] = -INFINITY, d[1] = INFINITY; if (i == 12) f[2] = 0, f[7] = -0.0f, d[3] = -0.0, d[1] = 0;
    a[i] = _mm_loadu_ps(f); b[i] = i % 7 ? _mm_loadu_ps(f + 4) : a[i]; p[i] = _mm_loadu_pd(d); q[i] = i % 7 ? _mm_loadu_pd(d + 2) : p[i];
  }
  S(add_ps); S(sub_ps); S(mul_ps); S(div_ps); S(min_ps); S(max_ps); S(add_ss); S(sub_ss); S(mul_ss); S(div_ss); S(min_ss); S(max_ss); PS("sqrt_ps", _mm_sqrt_ps(x)); PS("sqrt_ss", _mm_sqrt_ss(x)); S(and_ps); S(andnot_ps); S(or_ps); S(xor_ps); S(unpackhi_ps); S(unpacklo_ps); S(movehl_ps); S(movelh_ps); S(move_ss); S(addsub_ps); S(hadd_ps); S(hsub_ps); PS("movehdup", _mm_movehdup_ps(x)); PS("moveldup", _mm_moveldup_ps(x)); PS("shuffle", _mm_shuffle_ps(x, y, 0x9c));
  S(cmpeq_ps); S(cmplt_ps); S(cmple_ps); S(cmpunord_ps); S(cmpneq_ps); S(cmpnlt_ps); S(cmpnle_ps); S(cmpord_ps); S(cmpeq_ss); S(cmplt_ss);
  D(add_pd); D(sub_pd); D(mul_pd); D(div_pd); D(min_pd); D(max_pd); D(add_sd); D(sub_sd); D(mul_sd); D(div_sd); D(min_sd); D(max_sd); PD("sqrt_pd", _mm_sqrt_pd(x)); PD("sqrt_sd", _mm_sqrt_sd(x, y)); D(and_pd); D(andnot_pd); D(or_pd); D(xor_pd); D(unpackhi_pd); D(unpacklo_pd); D(move_sd); D(addsub_pd); D(hadd_pd); D(hsub_pd); PD("movedup", _mm_movedup_pd(x)); PD("shuffle_pd", _mm_shuffle_pd(x, y, 1)); D(cmpeq_pd); D(cmplt_pd); D(cmple_pd); D(cmpunord_pd); D(cmpneq_pd); D(cmpnlt_pd); D(cmpnle_pd); D(cmpord_pd);
  PI("cvtps_epi32", _mm_cvtps_epi32(x)); PI("cvttps_epi32", _mm_cvttps_epi32(x)); PI("cvtpd_epi32", _mm_cvtpd_epi32(u)); PI("cvttpd_epi32", _mm_cvttpd_epi32(u)); PS("cvtepi32_ps", _mm_cvtepi32_ps(_mm_castps_si128(x))); PD("cvtepi32_pd", _mm_cvtepi32_pd(_mm_castpd_si128(x))); PD("cvtps_pd", _mm_cvtps_pd(a[i])); PS("cvtpd_ps", _mm_cvtpd_ps(p[i])); PS("cvtsd_ss", _mm_cvtsd_ss(x, p[i])); PD("cvtss_sd", _mm_cvtss_sd(x, a[i])); PI("cvtss_si", _mm_set_epi64x(_mm_cvtss_si64(x), _mm_cvtss_si32(y))); PI("cvttss_si", _mm_set_epi64x(_mm_cvttss_si64(x), _mm_cvttss_si32(y))); PI("cvtsd_si", _mm_set_epi64x(_mm_cvtsd_si64(u), _mm_cvtsd_si32(v))); PI("cvttsd_si", _mm_set_epi64x(_mm_cvttsd_si64(u), _mm_cvttsd_si32(v))); PS("cvtsi32_ss", _mm_cvtsi32_ss(x, i * -7777)); PS("cvtsi64_ss", _mm_cvtsi64_ss(x, (long)i * -777777777777)); PD("cvtsi64_sd", _mm_cvtsi64_sd(x, (long)i * 7777777777777777)); PD("cvtsi32_sd", _mm_cvtsi32_sd(x, i - 30));
  PI("comi", _mm_set_epi32(_mm_comieq_ss(x, y) + 2 * _mm_comilt_ss(x, y), _mm_comile_sd(u, v), _mm_ucomigt_ss(x, y), _mm_ucomineq_sd(u, v))); PI("movmsk", _mm_set_epi32(0, 0, _mm_movemask_ps(x), _mm_movemask_pd(u))); PS("dp_ps", _mm_dp_ps(x, y, 0xf5)); PS("dp_ps2", _mm_dp_ps(x, y, 0x3a)); PD("dp_pd", _mm_dp_pd(x, y, 0x31)); PS("blend", _mm_blend_ps(x, y, 6)); PD("blendpd", _mm_blend_pd(x, y, 2)); PS("blendv", _mm_blendv_ps(x, y, a[(i + 3) & 63])); PD("blendvpd", _mm_blendv_pd(x, y, p[(i + 3) & 63])); PS("insert", _mm_insert_ps(x, y, 0x9a)); PI("extract", _mm_set1_epi32(_mm_extract_ps(x, 2)));
  PS("round0", _mm_round_ps(x, 8)); PS("round1", _mm_round_ps(x, 9)); PS("round2", _mm_round_ps(x, 10)); PS("round3", _mm_round_ps(x, 11)); PD("roundpd1", _mm_round_pd(x, 9)); PD("roundpd4", _mm_round_pd(x, 4)); PS("roundss", _mm_round_ss(x, y, 10)); PD("roundsd", _mm_round_sd(x, y, 11));
  double worst = 0; for (int i = 1; i < 200; i++) { float f = i * 0.37f, r = _mm_cvtss_f32(_mm_rcp_ss(_mm_set_ss(f))), s = _mm_cvtss_f32(_mm_rsqrt_ss(_mm_set_ss(f))); double e = fabs(r * (double)f - 1), g = fabs(s * sqrt(f) - 1); if (e > worst) worst = e; if (g > worst) worst = g; } FACT(worst < 1.5 / 4096);
  float out[8]; _mm_storeu_ps(out, a[1]); _mm_storeh_pi((__m64 *)(out + 4), a[2]); _mm_storel_pi((__m64 *)(out + 6), a[2]); hash = 0; take(out); take(out + 4); printf("stores %lx\n", hash); PS("loadh", _mm_loadh_pi(x, (__m64 *)out)); PS("loadl", _mm_loadl_pi(x, (__m64 *)(out + 2)));
  return 0;
}
