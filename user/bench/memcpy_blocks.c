// class: memory. memcpy, memmove and memset of mixed sizes.
#include "bench.h"
int main(int argc, char **argv) {
  long rounds = scale_of(argc, argv, 30000);
  enum { SIZE = 1 << 20 };
  static unsigned char a[SIZE], b[SIZE];
  for (int i = 0; i < SIZE; i++) a[i] = i * 31 >> 3;
  for (long i = 0; i < rounds; i++) {
    size_t n = next_random() % (i % 16 ? 500 : 50000), x = next_random() % (SIZE - n), y = next_random() % (SIZE - n);
    switch (i % 4) {
      case 0: memcpy(b + x, a + y, n); break;
      case 1: memmove(a + x, a + y, n); break;
      case 2: memcpy(a + x, b + y, n); break;
      default: memset(b + x, (int)i, n / 4);
    }
  }
  uint64_t hash = 1;
  for (int i = 0; i < SIZE; i += 61) hash = mix(hash, a[i] * 256 + b[i]);
  printf("memcpy_blocks %016lx\n", hash);
}
