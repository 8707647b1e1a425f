// Rounding modes and exception flags, SSE and x87: fesetround, fetestexcept, feholdexcept, feupdateenv.
// flags: -frounding-math
#include "check.h"
#include <fenv.h>
#include <math.h>
static void flags(const char *t) { int f = fetestexcept(FE_ALL_EXCEPT); printf("%s:%s%s%s%s%s\n", t, f & FE_INVALID ? " invalid" : "", f & FE_DIVBYZERO ? " divbyzero" : "", f & FE_OVERFLOW ? " overflow" : "", f & FE_UNDERFLOW ? " underflow" : "", f & FE_INEXACT ? " inexact" : ""); feclearexcept(FE_ALL_EXCEPT); }
static volatile double one = 1, three = 3, zero = 0, big = 1e308, tiny = 1e-308, half = 0.5, neg = -1, two = 2;
static volatile float f1 = 1, f3 = 3; static volatile long double l1 = 1, l3 = 3, lbig = 1e4932L;
int main(void) {
  int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  for (int m = 0; m < 4; m++) {
    printf("mode %d set %d get %d\n", m, fesetround(modes[m]), fegetround() == modes[m]);
    printf("%a %a %a %a\n", one / three, -one / three, one + tiny, big * 1.0000001); printf("%a %La %La\n", f1 / f3, l1 / l3, -l1 / l3);
    printf("%.1f %.1f %.1f %ld %ld %ld %d\n", rint(2.5), rint(-2.5), nearbyint(half), lrint(1.5 * one), lrint(-1.5 * one), lrintf(0.7f * f1), (int)(one * 1.9));
    printf("%a %a %a\n", sqrt(two), (double)(float)(one / three), (double)(l1 / l3)); printf("%a %a\n", (float)16777217, (double)(9007199254740993LL * (long)one)); printf("%g %g\n", strtod("0.1", NULL), big + big);
  }
  fesetround(FE_TONEAREST); feclearexcept(FE_ALL_EXCEPT);
  volatile double r; volatile long double lr; volatile int n; volatile float fr;
  r = one / three; flags("1/3"); r = one + two; flags("1+2"); r = one / zero; flags("1/0"); r = zero / zero; flags("0/0"); r = big * big; flags("overflow"); r = tiny * tiny; flags("underflow"); r = tiny / 16; flags("exact denormal"); r = tiny / three; flags("inexact denormal"); r = sqrt(neg); flags("sqrt(-1)"); n = (int)big; flags("int conversion"); n = (int)(one * 1.5); flags("inexact conversion"); n = one < NAN; flags("ordered compare"); n = one == NAN; flags("equality compare"); fr = (float)big; flags("narrowing"); fr = (float)(one / three); flags("narrowing inexact");
  lr = l1 / l3; flags("x87 1/3"); lr = l1 / (long double)zero; flags("x87 1/0"); lr = lbig * lbig; flags("x87 overflow"); r = (double)lbig; flags("x87 narrowing"); lr = sqrtl((long double)neg); flags("x87 sqrt(-1)"); r = rint(half); flags("rint"); r = nearbyint(half); flags("nearbyint");
  fenv_t e; feholdexcept(&e); r = one / zero; printf("held %d\n", fetestexcept(FE_DIVBYZERO) != 0); feupdateenv(&e); flags("after update");
  feraiseexcept(FE_OVERFLOW); flags("raised"); fexcept_t f; feraiseexcept(FE_INVALID); fegetexceptflag(&f, FE_ALL_EXCEPT); feclearexcept(FE_ALL_EXCEPT); fesetexceptflag(&f, FE_ALL_EXCEPT); flags("restored");
  unsigned csr; __asm__ volatile("stmxcsr %0" : "=m"(csr)); csr |= 0x8040; __asm__ volatile("ldmxcsr %0" : : "m"(csr)); r = tiny / 16; printf("ftz %g daz %g\n", r, 1e-310 * one * 1e10); csr &= ~0x8040; __asm__ volatile("ldmxcsr %0" : : "m"(csr));
  return 0;
}
