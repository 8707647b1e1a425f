// class: float. 80-bit arithmetic: a series, Newton's method, a dot product.
#include "bench.h"
#include <math.h>
int main(int argc, char **argv) {
  long n = scale_of(argc, argv, 300000);
  long double e = 0, term = 1, root = 1, dot = 0;
  for (int i = 1; i < 30; i++) e += term, term /= i;
  for (long i = 1; i <= n; i++) {
    if (i % 100 == 0) { long double x = i; root = x; for (int k = 0; k < 12; k++) root = (root + x / root) / 2; dot += root * 1e-3L; }
    dot += (long double)(int)next_random() * (1.0L / i);
  }
  uint64_t hash = 1, w[2] = {0};
  memcpy(w, &dot, 10); hash = mix(mix(hash, w[0]), w[1] & 0xffff);
  memcpy(w, &root, 10); hash = mix(mix(hash, w[0]), w[1] & 0xffff);
  memcpy(w, &e, 10); hash = mix(hash, w[0]);
  printf("long_double %016lx %.18Lf\n", hash, e);
}
