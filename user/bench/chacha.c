// class: crypto. ChaCha20 (RFC 8439) with SSE2 rotations.
#include "bench.h"
#include <emmintrin.h>
#define ROTATE(v, n) _mm_or_si128(_mm_slli_epi32(v, n), _mm_srli_epi32(v, 32 - n))
#define QUARTER                                                                   \
  a = _mm_add_epi32(a, b), d = ROTATE(_mm_xor_si128(d, a), 16);                   \
  c = _mm_add_epi32(c, d), b = ROTATE(_mm_xor_si128(b, c), 12);                   \
  a = _mm_add_epi32(a, b), d = ROTATE(_mm_xor_si128(d, a), 8);                    \
  c = _mm_add_epi32(c, d), b = ROTATE(_mm_xor_si128(b, c), 7)
int main(int argc, char **argv) {
  long blocks = scale_of(argc, argv, 200000);
  __m128i constants = _mm_setr_epi32(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574), sum = _mm_setzero_si128();
  __m128i key1 = _mm_setr_epi32(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c), key2 = _mm_setr_epi32(0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c);
  uint32_t first = 0;
  for (long i = 1; i <= blocks; i++) {
    __m128i nonce = _mm_setr_epi32((int)i, 0x09000000, 0x4a000000, 0), a = constants, b = key1, c = key2, d = nonce;
    for (int round = 0; round < 10; round++) {
      QUARTER;
      b = _mm_shuffle_epi32(b, 0x39), c = _mm_shuffle_epi32(c, 0x4e), d = _mm_shuffle_epi32(d, 0x93);
      QUARTER;
      b = _mm_shuffle_epi32(b, 0x93), c = _mm_shuffle_epi32(c, 0x4e), d = _mm_shuffle_epi32(d, 0x39);
    }
    a = _mm_add_epi32(a, constants);
    if (i == 1) first = _mm_cvtsi128_si32(a); /* RFC 8439 section 2.3.2: e4e7f110 */
    sum = _mm_add_epi32(sum, _mm_xor_si128(_mm_xor_si128(a, _mm_add_epi32(b, key1)), _mm_xor_si128(_mm_add_epi32(c, key2), _mm_add_epi32(d, nonce))));
  }
  printf("chacha %08x %016lx\n", first, mix(_mm_cvtsi128_si64(sum), _mm_cvtsi128_si64(_mm_srli_si128(sum, 8))));
}
