// class: crypto. SSE integer intrinsics: byte sums, pixel blending, a population count by shuffles.
// flags: -mssse3
#include "bench.h"
#include <tmmintrin.h>
int main(int argc, char **argv) {
  long rounds = scale_of(argc, argv, 300);
  enum { N = 4096 };
  static __m128i a[N], b[N];
  for (int i = 0; i < N; i++) a[i] = _mm_set_epi64x(next_random(), next_random()), b[i] = _mm_set_epi64x(next_random(), next_random());
  const __m128i counts = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4), low = _mm_set1_epi8(15), zero = _mm_setzero_si128();
  __m128i total = zero;
  uint64_t hash = 1;
  for (long r = 0; r < rounds; r++) {
    __m128i weight = _mm_set1_epi16(r & 255), other = _mm_set1_epi16(256 - (r & 255));
    for (int i = 0; i < N; i++) {
      __m128i x = a[i], y = b[i];
      __m128i pop = _mm_add_epi8(_mm_shuffle_epi8(counts, _mm_and_si128(x, low)), _mm_shuffle_epi8(counts, _mm_and_si128(_mm_srli_epi16(x, 4), low)));
      total = _mm_add_epi64(total, _mm_sad_epu8(pop, zero));
      __m128i lo = _mm_add_epi16(_mm_mullo_epi16(_mm_unpacklo_epi8(x, zero), weight), _mm_mullo_epi16(_mm_unpacklo_epi8(y, zero), other));
      __m128i hi = _mm_add_epi16(_mm_mullo_epi16(_mm_unpackhi_epi8(x, zero), weight), _mm_mullo_epi16(_mm_unpackhi_epi8(y, zero), other));
      a[i] = _mm_packus_epi16(_mm_srli_epi16(lo, 8), _mm_srli_epi16(hi, 8));
      b[i] = _mm_xor_si128(_mm_alignr_epi8(x, y, 3), _mm_max_epu8(x, y));
    }
    hash = mix(hash, _mm_cvtsi128_si64(total) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(a[r % N], b[r % N])));
  }
  printf("simd_integer %016lx\n", hash);
}
