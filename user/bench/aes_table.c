// class: crypto. AES-128 (FIPS 197) by tables that the program computes.
#include "bench.h"
static uint8_t sbox[256];
static uint32_t table[4][256];
static uint8_t twice(uint8_t x) { return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0)); }
static void prepare(void) {
  uint8_t p = 1, q = 1;
  do { /* p runs through all powers of 3, q through their inverses */
    p = p ^ twice(p);
    q ^= q << 1; q ^= q << 2; q ^= q << 4; q ^= q & 0x80 ? 9 : 0;
    uint8_t x = q ^ (uint8_t)(q << 1 | q >> 7) ^ (uint8_t)(q << 2 | q >> 6) ^ (uint8_t)(q << 3 | q >> 5) ^ (uint8_t)(q << 4 | q >> 4);
    sbox[p] = x ^ 0x63;
  } while (p != 1);
  sbox[0] = 0x63;
  for (int i = 0; i < 256; i++) {
    uint8_t s = sbox[i], d = twice(s);
    uint32_t w = (uint32_t)d << 24 | s << 16 | s << 8 | (uint8_t)(s ^ d);
    for (int t = 0; t < 4; t++) table[t][i] = w >> (8 * t) | (t ? w << (32 - 8 * t) : 0);
  }
}
static void expand(const uint8_t *key, uint32_t *w) {
  for (int i = 0; i < 4; i++) w[i] = (uint32_t)key[4 * i] << 24 | key[4 * i + 1] << 16 | key[4 * i + 2] << 8 | key[4 * i + 3];
  uint8_t round = 1;
  for (int i = 4; i < 44; i++) {
    uint32_t t = w[i - 1];
    if (i % 4 == 0) {
      t = (uint32_t)sbox[t >> 16 & 255] << 24 | sbox[t >> 8 & 255] << 16 | sbox[t & 255] << 8 | sbox[t >> 24];
      t ^= (uint32_t)round << 24;
      round = twice(round);
    }
    w[i] = w[i - 4] ^ t;
  }
}
static void encrypt_block(const uint32_t *w, uint32_t *s) {
  uint32_t t[4];
  for (int i = 0; i < 4; i++) s[i] ^= w[i];
  for (int r = 1; r < 10; r++) {
    for (int i = 0; i < 4; i++) t[i] = table[0][s[i] >> 24] ^ table[1][s[(i + 1) & 3] >> 16 & 255] ^ table[2][s[(i + 2) & 3] >> 8 & 255] ^ table[3][s[(i + 3) & 3] & 255] ^ w[4 * r + i];
    memcpy(s, t, sizeof t);
  }
  for (int i = 0; i < 4; i++) t[i] = ((uint32_t)sbox[s[i] >> 24] << 24 | sbox[s[(i + 1) & 3] >> 16 & 255] << 16 | sbox[s[(i + 2) & 3] >> 8 & 255] << 8 | sbox[s[(i + 3) & 3] & 255]) ^ w[40 + i];
  memcpy(s, t, sizeof t);
}
int main(int argc, char **argv) {
  long blocks = scale_of(argc, argv, 300000);
  uint8_t key[16];
  uint32_t w[44], s[4] = {0x00112233, 0x44556677, 0x8899aabb, 0xccddeeff};
  for (int i = 0; i < 16; i++) key[i] = i;
  prepare();
  expand(key, w);
  encrypt_block(w, s); /* FIPS 197 appendix C.1: 69c4e0d8 6a7b0430 d8cdb780 70b4c55a */
  printf("aes_table %08x%08x ", s[0], s[3]);
  for (long i = 0; i < blocks; i++) { s[i & 3] ^= (uint32_t)i; encrypt_block(w, s); }
  printf("%08x%08x\n", s[0], s[3]);
}
