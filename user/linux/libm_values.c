// libm: bits of every function over a grid; the library's own code runs, so the bits are the machine's only where it computes.
#include "check.h"
#include <math.h>
static unsigned long hash;
static void take(double d) { uint64_t b; if (d != d) d = NAN; memcpy(&b, &d, 8); if (d != d) b = 0x7ff8; hash = (hash ^ b) * 1099511628211u; }
static void takef(float d) { uint32_t b; if (d != d) b = 1; else memcpy(&b, &d, 4); hash = (hash ^ b) * 1099511628211u; }
static double grid[64];
#define F1(fn) do { hash = 14695981039346656037u; for (int i = 0; i < 64; i++) take(fn(grid[i])); for (int i = 0; i < 64; i++) takef(fn##f(grid[i])); printf("%-10s %016lx  %.17g\n", #fn, hash, fn(0.7)); } while (0)
#define F2(f) do { hash = 14695981039346656037u; for (int i = 0; i < 64; i++) for (int j = 0; j < 64; j++) take(f(grid[i], grid[j])); printf("%-10s %016lx  %.17g\n", #f, hash, f(0.7, 2.3)); } while (0)
int main(void) {
  uint64_t s = 1;
  for (int i = 0; i < 64; i++) { s = s * 6364136223846793005u + 1442695040888963407u; grid[i] = i < 16 ? (i - 8) * 0.5 : i < 40 ? ((double)(s >> 33) / (1u << 30) - 1) * 10 : ldexp((double)(s >> 33), (int)(s >> 20) % 60 - 50); }
  grid[0] = 0; grid[1] = -0.0; grid[2] = INFINITY; grid[3] = NAN; grid[4] = 1e300; grid[5] = 1e-310;
  F1(sin); F1(cos); F1(tan); F1(asin); F1(acos); F1(atan); F1(sinh); F1(cosh); F1(tanh); F1(asinh); F1(acosh); F1(atanh); F1(exp); F1(exp2); F1(expm1); F1(log); F1(log2); F1(log10); F1(log1p); F1(sqrt); F1(cbrt); F1(erf); F1(erfc); F1(lgamma); F1(tgamma);
  F1(floor); F1(ceil); F1(trunc); F1(round); F1(rint); F1(nearbyint); F1(fabs); F1(logb);
  F2(pow); F2(atan2); F2(hypot); F2(fmod); F2(remainder); F2(fmin); F2(fmax); F2(fdim); F2(copysign); F2(nextafter);
  hash = 0; for (int i = 0; i < 64; i++) for (int j = 0; j < 64; j++) take(fma(grid[i], grid[j], grid[(i + j) & 63])); printf("fma %016lx\n", hash);
  hash = 0; for (int i = 0; i < 64; i++) { int e; take(frexp(grid[i], &e)); hash += isfinite(grid[i]) ? e : 0; double ip; take(modf(grid[i], &ip)); take(ip); take(ldexp(grid[i], i - 32)); if (fabs(grid[i]) < 1e9) hash += lrint(grid[i]) + lround(grid[i]); hash += ilogb(1 + fabs(sin(i))); } printf("parts %016lx\n", hash);
  hash = 0; for (int i = 0; i < 64; i++) { take(j0(grid[i])); take(j1(grid[i])); take(y0(fabs(grid[i]))); } printf("bessel %016lx\n", hash);
  return 0;
}
