// class: float. Power iteration with -Ofast: loops are vectorised, FTZ and DAZ are set.
// flags: -Ofast
#include "bench.h"
#include <immintrin.h>
#include <math.h>
static double element(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }
static void times(int n, const double *v, double *out) { for (int i = 0; i < n; i++) { double s = 0; for (int j = 0; j < n; j++) s += element(i, j) * v[j]; out[i] = s; } }
static void transposed(int n, const double *v, double *out) { for (int i = 0; i < n; i++) { double s = 0; for (int j = 0; j < n; j++) s += element(j, i) * v[j]; out[i] = s; } }
int main(int argc, char **argv) {
  _mm_setcsr(_mm_getcsr() | 0x8040); /* what crtfastmath.o does; not every gcc links it to static programs */
  int n = (int)scale_of(argc, argv, 250);
  double *u = malloc(n * sizeof *u), *v = malloc(n * sizeof *v), *t = malloc(n * sizeof *t);
  for (int i = 0; i < n; i++) u[i] = 1;
  for (int i = 0; i < 10; i++) { times(n, u, t); transposed(n, t, v); times(n, v, t); transposed(n, t, u); }
  double uv = 0, vv = 0;
  for (int i = 0; i < n; i++) uv += u[i] * v[i], vv += v[i] * v[i];
  volatile double tiny = 1e-300;
  double norm = sqrt(uv / vv), flushed = tiny * tiny * 1e300;
  uint64_t w;
  memcpy(&w, &norm, 8);
  printf("spectral_norm %016lx %.9f %g\n", w, norm, flushed);
}
