// class: memory. A random cycle through memory larger than caches.
#include "bench.h"
int main(int argc, char **argv) {
  long steps = scale_of(argc, argv, 3000000);
  enum { N = 1 << 18 };
  static uint32_t next[N][4]; /* 4 MiB, 16 bytes a node */
  static uint32_t order[N];
  for (int i = 0; i < N; i++) order[i] = i;
  for (int i = N - 1; i > 0; i--) { int j = next_random() % i; uint32_t t = order[i]; order[i] = order[j]; order[j] = t; }
  for (int i = 0; i < N; i++) next[order[i]][0] = order[(i + 1) % N];
  uint32_t at = 0;
  uint64_t hash = 1;
  for (long i = 0; i < steps; i++) { at = next[at][0]; if ((i & 0xfff) == 0) hash = mix(hash, at); }
  printf("pointer_chase %016lx\n", mix(hash, at));
}
