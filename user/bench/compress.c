// class: crypto. An LZ77 compressor and decompressor of our own, with hash chains, on generated text.
#include "bench.h"
enum { SIZE = 1 << 17, HASH = 1 << 13, NONE = -1 };
static unsigned char text[SIZE], packed[SIZE * 2], back[SIZE];
static int head[HASH], chain[SIZE];
static unsigned hash3(const unsigned char *p) { return (p[0] * 2654435761u ^ p[1] * 40503u ^ p[2] * 65599u) >> 7 & (HASH - 1); }
static long pack(void) {
  long out = 0;
  for (int i = 0; i < HASH; i++) head[i] = NONE;
  for (int at = 0; at < SIZE;) {
    int best = 0, from = 0;
    if (at + 3 < SIZE) {
      unsigned h = hash3(text + at);
      for (int c = head[h], tries = 16; c != NONE && tries-- && at - c < 65536; c = chain[c]) {
        int n = 0;
        while (n < 255 && at + n < SIZE && text[c + n] == text[at + n]) n++;
        if (n > best) best = n, from = c;
      }
    }
    int step = best >= 5 ? best : 1;
    if (best >= 5) { packed[out++] = 255; packed[out++] = best; packed[out++] = at - from; packed[out++] = (at - from) >> 8; }
    else if (text[at] == 255) { packed[out++] = 255; packed[out++] = 0; }
    else packed[out++] = text[at];
    for (; step > 0; step--, at++)
      if (at + 3 < SIZE) { unsigned h = hash3(text + at); chain[at] = head[h]; head[h] = at; }
  }
  return out;
}
static int unpack(long length) {
  int at = 0;
  for (long i = 0; i < length;) {
    if (packed[i] != 255) { back[at++] = packed[i++]; continue; }
    if (packed[i + 1] == 0) { back[at++] = 255; i += 2; continue; }
    int n = packed[i + 1], distance = packed[i + 2] | packed[i + 3] << 8;
    for (; n > 0; n--, at++) back[at] = back[at - distance];
    i += 4;
  }
  return at;
}
int main(int argc, char **argv) {
  uint64_t hash = 1;
  for (long r = scale_of(argc, argv, 8); r > 0; r--) {
    static char words[64][12];
    for (int i = 0; i < 64; i++) for (int j = 0, n = 2 + next_random() % 9; j < 12; j++) words[i][j] = j < n ? 'a' + next_random() % 26 : 0;
    for (int at = 0; at < SIZE;) { const char *w = words[(next_random() & next_random()) % 64]; while (*w && at < SIZE) text[at++] = *w++; if (at < SIZE) text[at++] = ' '; }
    long length = pack();
    int restored = unpack(length);
    hash = mix(mix(hash, length), restored == SIZE && memcmp(text, back, SIZE) == 0);
    for (long i = 0; i < length; i += 31) hash = mix(hash, packed[i]);
  }
  printf("compress %016lx\n", hash);
}
