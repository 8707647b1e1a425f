// class: float. Escape times of the Mandelbrot set.
#include "bench.h"
int main(int argc, char **argv) {
  int n = (int)scale_of(argc, argv, 200);
  uint64_t hash = 1;
  for (int y = 0; y < n; y++) for (int x = 0; x < n; x++) {
    double cr = 3.0 * x / n - 2.2, ci = 2.4 * y / n - 1.2, r = 0, i = 0;
    int k = 0;
    for (; k < 200 && r * r + i * i < 4; k++) { double t = r * r - i * i + cr; i = 2 * r * i + ci; r = t; }
    hash = mix(hash, k);
  }
  printf("mandelbrot %016lx\n", hash);
}
