// class: crypto. SHA-256 (FIPS 180-4).
#include "bench.h"
static uint32_t k[64], h[8];
static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }
/* The first 32 bits of the fractional part of the square or cube root of a prime, found by bisection on integers. */
static uint32_t root_bits(unsigned prime, int power) {
  unsigned __int128 low = 0, high = (unsigned __int128)1 << 37; /* root × 2^32 */
  while (high - low > 1) {
    unsigned __int128 middle = (low + high) / 2, p = middle * middle;
    int above = power == 2 ? p > (unsigned __int128)prime << 64 : p * middle > (unsigned __int128)prime << 96;
    if (above) high = middle; else low = middle;
  }
  return (uint32_t)low;
}
static void constants(void) {
  int n = 0;
  for (unsigned p = 2; n < 64; p++) {
    int prime = 1;
    for (unsigned d = 2; d * d <= p; d++) prime &= p % d != 0;
    if (!prime) continue;
    if (n < 8) h[n] = root_bits(p, 2);
    k[n++] = root_bits(p, 3);
  }
}
static void block(uint32_t *state, const unsigned char *data) {
  uint32_t w[64], a[8];
  for (int i = 0; i < 16; i++) w[i] = (uint32_t)data[i * 4] << 24 | data[i * 4 + 1] << 16 | data[i * 4 + 2] << 8 | data[i * 4 + 3];
  for (int i = 16; i < 64; i++) w[i] = w[i - 16] + w[i - 7] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) + (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
  memcpy(a, state, sizeof a);
  for (int i = 0; i < 64; i++) {
    uint32_t t1 = a[7] + (rotate(a[4], 6) ^ rotate(a[4], 11) ^ rotate(a[4], 25)) + ((a[4] & a[5]) ^ (~a[4] & a[6])) + k[i] + w[i];
    uint32_t t2 = (rotate(a[0], 2) ^ rotate(a[0], 13) ^ rotate(a[0], 22)) + ((a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]));
    for (int j = 7; j > 0; j--) a[j] = a[j - 1];
    a[4] += t1;
    a[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) state[i] += a[i];
}
int main(int argc, char **argv) {
  long blocks = scale_of(argc, argv, 60000);
  constants();
  uint32_t state[8];
  unsigned char data[64] = "abc\x80";
  data[63] = 24;
  memcpy(state, h, sizeof state);
  block(state, data); /* the standard's one-block example */
  printf("sha256 abc %08x%08x ", state[0], state[7]);
  for (long i = 0; i < blocks; i++) { memcpy(data, state, 32); data[40] = (unsigned char)i; block(state, data); }
  printf("%08x%08x\n", state[0], state[7]);
}
