// class: float. Interval arithmetic that looks at the exception flags in its loop.
// flags: -frounding-math
#include "bench.h"
#include <fenv.h>
int main(int argc, char **argv) {
  long n = scale_of(argc, argv, 200000), exact = 0;
  uint64_t hash = 1;
  volatile double x = 1, y;
  feclearexcept(FE_ALL_EXCEPT);
  for (long i = 1; i <= n; i++) {
    x = (double)(next_random() >> 44);
    y = x / (double)((next_random() & 63) + 1);
    if (fetestexcept(FE_INEXACT)) feclearexcept(FE_INEXACT); else exact++;
    if (i % 1000 == 0) {
      volatile double low, high;
      fesetround(FE_DOWNWARD); low = x / 3; fesetround(FE_UPWARD); high = x / 3; fesetround(FE_TONEAREST);
      uint64_t a, b; double l = low, h = high;
      memcpy(&a, &l, 8); memcpy(&b, &h, 8);
      hash = mix(hash, b - a);
      feclearexcept(FE_INEXACT);
    }
    hash = mix(hash, (uint64_t)(int64_t)y);
    if (fetestexcept(FE_INEXACT)) feclearexcept(FE_INEXACT);
  }
  printf("fp_flags %016lx %ld\n", hash, exact);
}
