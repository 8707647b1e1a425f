// Floating-point printing and reading: exact digits, rounding, round trips, special values.
#include "check.h"
#include <float.h>
#include <math.h>
static uint64_t state = 88172645463325252u;
static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; return state ^= state << 17; }
int main(void) {
  double values[] = {0.0, -0.0, 1.0, 0.1, 0.5, 1.5, 2.5, 123456789.125, 1e22, 1e23, 5e-324, DBL_MAX, DBL_MIN, 1.0 / 3, 2.0 / 3e10, M_PI, INFINITY, -INFINITY, 999999.5, 9.9999995};
  for (int i = 0; i < 20; i++) printf("%g %e %f %a %.0f %.3g %#.0f %+.1e % g %010.2f|%-10.3e|\n", values[i], values[i], values[i], values[i], values[i], values[i], values[i], values[i], values[i], values[i], values[i]);
  unsigned long bad = 0, sum = 0;
  char text[2000];
  for (int i = 0; i < 6000; i++) {
    uint64_t bits = next(); double d, back; memcpy(&d, &bits, 8);
    if (d != d) continue;
    snprintf(text, sizeof text, "%.17g", d); back = strtod(text, NULL); bad += memcmp(&d, &back, 8) != 0;
    for (char *c = text; *c; c++) sum = sum * 31 + *c;
    snprintf(text, sizeof text, "%.*f", (int)(bits % 30), d * 1e-200); for (char *c = text; *c; c++) sum = sum * 31 + *c;
    float f = (float)d, g; snprintf(text, sizeof text, "%.9g", f); g = strtof(text, NULL); bad += memcmp(&f, &g, 4) != 0;
  }
  printf("bad %lu sum %lx\n", bad, sum);
  printf("%.1100f\n", 5e-324); printf("%.0f\n", DBL_MAX);
  printf("%.20Lg %.30Lg %La %Lf\n", 1.0L / 3, LDBL_MAX, LDBL_MIN, 1e20L);
  return 0;
}
