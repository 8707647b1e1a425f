// Long double library functions where the x87 computes exactly: sqrt, fmod, rint, scale; transcendental ones to 15 digits.
#include "check.h"
#include <math.h>
int main(void) {
  for (int i = 1; i < 12; i++) {
    long double x = i * 0.37L - 1.1L;
    printf("%.15Lg %.15Lg %.15Lg %.15Lg %.15Lg %.15Lg %.15Lg %.15Lg\n", sinl(x), cosl(x), tanl(x), atanl(x), expl(x), logl(fabsl(x)), powl(fabsl(x), 1.7L), atan2l(x, 2));
    printf("%.21Lg %.21Lg %.21Lg %.21Lg\n", sqrtl(fabsl(x)), fmodl(x * 100, 0.7L), rintl(x * 10), scalbnl(x, 100));
    printf("%.15Lg %.15Lg %.15Lg %.15Lg %.15Lg %.15Lg\n", sinhl(x), tanhl(x), exp2l(x), log2l(fabsl(x)), log10l(fabsl(x)), log1pl(x / 4));
  }
  return 0;
}
