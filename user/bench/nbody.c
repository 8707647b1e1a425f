// class: float. Five bodies under gravity: square roots and divisions.
#include "bench.h"
#include <math.h>
typedef struct { double p[3], v[3], mass; } body;
static body bodies[5] = {{{0, 0, 0}, {0, 0, 0}, 39.5}, {{4.8, -1.2, -0.1}, {0.6, 2.8, -0.02}, 0.038}, {{8.3, 4.1, -0.4}, {-1.0, 1.8, 0.008}, 0.011}, {{12.9, -15.1, -0.2}, {1.1, 0.87, -0.01}, 0.0017}, {{15.4, -25.9, 0.2}, {0.98, 0.6, -0.03}, 0.002}};
static double energy(void) {
  double e = 0;
  for (int i = 0; i < 5; i++) {
    body *b = &bodies[i];
    e += 0.5 * b->mass * (b->v[0] * b->v[0] + b->v[1] * b->v[1] + b->v[2] * b->v[2]);
    for (int j = i + 1; j < 5; j++) { double d = 0; for (int k = 0; k < 3; k++) { double x = b->p[k] - bodies[j].p[k]; d += x * x; } e -= b->mass * bodies[j].mass / sqrt(d); }
  }
  return e;
}
int main(int argc, char **argv) {
  for (long step = scale_of(argc, argv, 200000); step > 0; step--) {
    for (int i = 0; i < 5; i++) for (int j = i + 1; j < 5; j++) {
      double d[3], r2 = 0;
      for (int k = 0; k < 3; k++) d[k] = bodies[i].p[k] - bodies[j].p[k], r2 += d[k] * d[k];
      double f = 0.001 / (r2 * sqrt(r2));
      for (int k = 0; k < 3; k++) bodies[i].v[k] -= d[k] * bodies[j].mass * f, bodies[j].v[k] += d[k] * bodies[i].mass * f;
    }
    for (int i = 0; i < 5; i++) for (int k = 0; k < 3; k++) bodies[i].p[k] += 0.001 * bodies[i].v[k];
  }
  double e = energy();
  uint64_t w;
  memcpy(&w, &e, 8);
  printf("nbody %016lx %.9f\n", w, e);
}
