// class: float. Matrix product, doubles.
#include "bench.h"
int main(int argc, char **argv) {
  int n = (int)scale_of(argc, argv, 160);
  double *a = malloc(n * n * sizeof *a), *b = malloc(n * n * sizeof *b), *c = calloc(n * n, sizeof *c);
  for (int i = 0; i < n * n; i++) a[i] = (double)(next_random() >> 40) / 4096, b[i] = (double)(int)next_random() / 65536;
  for (int i = 0; i < n; i++) for (int k = 0; k < n; k++) { double x = a[i * n + k]; for (int j = 0; j < n; j++) c[i * n + j] += x * b[k * n + j]; }
  uint64_t hash = 1;
  for (int i = 0; i < n * n; i += 7) { uint64_t w; memcpy(&w, &c[i], 8); hash = mix(hash, w); }
  printf("matmul %016lx\n", hash);
}
