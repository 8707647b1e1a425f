// long double arithmetic on the x87: precision, rounding, comparisons, conversions, special values.
#include "check.h"
#include <float.h>
#include <math.h>
static void show(const char *t, long double v) { unsigned char b[16] = {0}; memcpy(b, &v, 10); printf("%s ", t); for (int i = 9; i >= 0; i--) printf("%02x", b[i]); printf(" %.21Lg\n", v); }
int main(void) {
  volatile long double a = 1, b = 3, c = 1e4000L, z = 0, d = 1e-4940L;
  show("1/3", a / b); show("sum", a / b + a / b + a / b); show("big", c * c); show("tiny", d / 1e9L); show("0/0", z / z); show("1/0", a / z); show("-1/0", -a / z);
  show("sqrt2", sqrtl(2)); show("fma-ish", (a / b) * b - a); show("eps", LDBL_EPSILON); show("1+eps", 1 + LDBL_EPSILON); show("1+eps/2", 1 + LDBL_EPSILON / 2);
  volatile long long n = -9007199254740993LL; show("int64", (long double)n); show("uint64", (long double)(unsigned long long)-1); volatile double e = 0.1; show("double", e); volatile float f = 0.1f; show("float", f);
  long double vals[] = {2.5L, -2.5L, 1e18L, 3.999999999999999999L, -0.5L, 1.5L};
  for (int i = 0; i < 6; i++) printf("%lld %d %ld %.0Lf %.1Lf %.1Lf %.1Lf %.1Lf %g %g\n", (long long)vals[i], (int)(vals[i] < 1e9 ? vals[i] : 0), lrintl(vals[i]), vals[i], floorl(vals[i]), ceill(vals[i]), truncl(vals[i]), rintl(vals[i]), (double)vals[i], (float)vals[i]);
  show("fmod", fmodl(1e30L, 7.1L)); show("remainder", remainderl(10, 3)); int q; show("remquo", remquol(29.5L, 4, &q)); printf("%d\n", q & 7); show("frexp", frexpl(100, &q)); printf("%d\n", q); show("ldexp", ldexpl(0.75L, -16440)); show("scalb", scalbnl(3, 16380)); show("logb", logbl(1e-4940L)); show("next", nextafterl(1, 2));
  volatile long double nan = NAN; printf("%d%d%d%d%d %d%d%d\n", nan == nan, nan < 1, nan > 1, nan != nan, isunordered(nan, a), a < b, a > b, a == a);
  long double sum = 0; for (int i = 1; i < 20000; i++) sum += 1.0L / i / i; show("basel", sum);
  show("abs", fabsl(-1.5L)); show("copysign", copysignl(1, -0.0L)); printf("%d %d %d\n", fpclassify(c) == FP_NORMAL, fpclassify(d / 1e10L) == FP_SUBNORMAL, isinf(c * c) != 0); show("modf", modfl(-3.75L, (long double *)&a)); show("int part", a);
  long double m = 1; for (int i = 0; i < 64; i++) m = m * 1.0000001L - 1e-19L; show("chain", m); show("strtold", strtold("0.1", NULL)); show("strtold", strtold("1e-4950", NULL));
  return 0;
}
