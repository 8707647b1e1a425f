// SSE2, SSSE3, SSE4.1 and SSE4.2 integer intrinsics over random vectors, hashed by instruction.
// flags: -msse4.2 -mpopcnt
#include "check.h"
#include <immintrin.h>
static uint64_t state = 42;
static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; return state ^= state << 17; }
static __m128i a[64], b[64];
static unsigned long hash;
static void take(__m128i v) { uint64_t w[2]; _mm_storeu_si128((__m128i *)w, v); hash = (hash ^ w[0]) * 1099511628211u; hash = (hash ^ w[1]) * 1099511628211u; }
#define OP(name, e) do { hash = 1469598103934665603u; for (int i = 0; i < 64; i++) { __m128i x = a[i], y = b[i]; (void)y; take(e); } printf("%-14s %016lx\n", name, hash); } while (0)
#define B(op) OP(#op, _mm_##op(x, y))
#define U(op) OP(#op, _mm_##op(x))
int main(void) {
  for (int i = 0; i < 64; i++) { a[i] = _mm_set_epi64x(next(), next()); b[i] = _mm_set_epi64x(next(), next()); if (i % 8 == 0) b[i] = a[i]; if (i % 8 == 1) b[i] = _mm_set1_epi8(0x80); if (i % 8 == 2) a[i] = _mm_set1_epi16(0x7fff); if (i % 8 == 3) b[i] = _mm_set1_epi64x(next() % 70); }
  B(add_epi8); B(add_epi16); B(add_epi32); B(add_epi64); B(adds_epi8); B(adds_epi16); B(adds_epu8); B(adds_epu16); B(sub_epi8); B(sub_epi16); B(sub_epi32); B(sub_epi64); B(subs_epi8); B(subs_epi16); B(subs_epu8); B(subs_epu16);
  B(avg_epu8); B(avg_epu16); B(sad_epu8); B(madd_epi16); B(mulhi_epi16); B(mulhi_epu16); B(mullo_epi16); B(mul_epu32); B(mul_epi32); B(mullo_epi32); B(max_epi16); B(max_epu8); B(min_epi16); B(min_epu8); B(max_epi8); B(max_epi32); B(max_epu16); B(max_epu32); B(min_epi8); B(min_epi32); B(min_epu16); B(min_epu32);
  B(and_si128); B(andnot_si128); B(or_si128); B(xor_si128); B(cmpeq_epi8); B(cmpeq_epi16); B(cmpeq_epi32); B(cmpeq_epi64); B(cmpgt_epi8); B(cmpgt_epi16); B(cmpgt_epi32); B(cmpgt_epi64);
  B(packs_epi16); B(packs_epi32); B(packus_epi16); B(packus_epi32); B(unpackhi_epi8); B(unpackhi_epi16); B(unpackhi_epi32); B(unpackhi_epi64); B(unpacklo_epi8); B(unpacklo_epi16); B(unpacklo_epi32); B(unpacklo_epi64);
  B(sll_epi16); B(sll_epi32); B(sll_epi64); B(srl_epi16); B(srl_epi32); B(srl_epi64); B(sra_epi16); B(sra_epi32); OP("slli16", _mm_slli_epi16(x, 5)); OP("srai32", _mm_srai_epi32(x, 31)); OP("srli64", _mm_srli_epi64(x, 40)); OP("slldq", _mm_slli_si128(x, 7)); OP("srldq", _mm_srli_si128(x, 13)); OP("slldq16", _mm_slli_si128(x, 16));
  OP("shuffle32", _mm_shuffle_epi32(x, 0x1b)); OP("shufflelo", _mm_shufflelo_epi16(x, 0xc6)); OP("shufflehi", _mm_shufflehi_epi16(x, 0x93)); B(shuffle_epi8); B(hadd_epi16); B(hadd_epi32); B(hadds_epi16); B(hsub_epi16); B(hsub_epi32); B(hsubs_epi16); B(maddubs_epi16); B(mulhrs_epi16); B(sign_epi8); B(sign_epi16); B(sign_epi32); U(abs_epi8); U(abs_epi16); U(abs_epi32); OP("alignr", _mm_alignr_epi8(x, y, 5)); OP("alignr20", _mm_alignr_epi8(x, y, 20));
  OP("blendv", _mm_blendv_epi8(x, y, a[(i + 1) & 63])); OP("blend16", _mm_blend_epi16(x, y, 0x5a)); OP("mpsadbw", _mm_mpsadbw_epu8(x, y, 5)); OP("phminpos", _mm_minpos_epu16(x)); U(cvtepi8_epi16); U(cvtepi8_epi32); U(cvtepi8_epi64); U(cvtepi16_epi32); U(cvtepi16_epi64); U(cvtepi32_epi64); U(cvtepu8_epi16); U(cvtepu8_epi32); U(cvtepu8_epi64); U(cvtepu16_epi32); U(cvtepu16_epi64); U(cvtepu32_epi64);
  OP("insert8", _mm_insert_epi8(x, i * 37, 11)); OP("insert32", _mm_insert_epi32(x, i * 77777, 2)); OP("insert64", _mm_insert_epi64(x, i * 77777777777, 1)); OP("insert16", _mm_insert_epi16(x, i * 777, 6)); OP("extract", _mm_set_epi64x(_mm_extract_epi64(x, 1), _mm_extract_epi8(y, 3) + _mm_extract_epi32(x, 3) + _mm_extract_epi16(y, 5))); OP("movemask", _mm_set1_epi32(_mm_movemask_epi8(x))); OP("test", _mm_set_epi32(0, _mm_testz_si128(x, y), _mm_testc_si128(x, y), _mm_testnzc_si128(x, y)));
  OP("cmpistri", _mm_set_epi32(_mm_cmpistri(x, y, 0), _mm_cmpistri(x, y, 0x4c), _mm_cmpistri(x, y, 0x0d), _mm_cmpistrc(x, y, 0x18))); OP("cmpistrm", _mm_cmpistrm(x, y, 0x40)); OP("cmpestri", _mm_set_epi32(_mm_cmpestri(x, i % 18, y, 9, 0x0), _mm_cmpestri(x, 7, y, -3, 0x44), _mm_cmpestrz(x, i, y, i, 8), _mm_cmpestrs(x, 5, y, 5, 8))); OP("cmpestrm", _mm_cmpestrm(x, 12, y, i % 20, 0x79));
  unsigned crc = 0xffffffff; for (int i = 0; i < 64; i++) { crc = _mm_crc32_u64(crc, _mm_cvtsi128_si64(a[i])); crc = _mm_crc32_u32(crc, i * 31); crc = _mm_crc32_u16(crc, i); crc = _mm_crc32_u8(crc, i); } printf("crc %08x popcnt %d %d\n", crc, (int)_mm_popcnt_u64(crc * 0x123456789ul), _mm_popcnt_u32(crc));
  char buffer[32] = "untouched untouched untouched!"; _mm_maskmoveu_si128(a[5], b[6], buffer + 3); hash = 0; for (int i = 0; i < 32; i++) hash = hash * 31 + (unsigned char)buffer[i]; printf("maskmov %lx\n", hash); _mm_stream_si128(&a[0], b[1]); _mm_stream_si32((int *)&a[1], 99); _mm_sfence(); printf("stream %d\n", _mm_cvtsi128_si32(a[1])); OP("loadl", _mm_loadl_epi64(&b[i])); OP("lddqu", _mm_lddqu_si128((void *)((char *)b + i))); OP("movntdqa", _mm_stream_load_si128(&b[i]));
  return 0;
}
