// class: integer. Multiplication, shifts and a data-dependent loop.
#include "bench.h"
int main(int argc, char **argv) {
  long limit = scale_of(argc, argv, 100000);
  uint64_t hash = 1, longest = 0;
  for (long i = 1; i < limit; i++) {
    uint64_t n = i, steps = 0;
    while (n != 1) n = n & 1 ? 3 * n + 1 : n >> 1, steps++;
    if (steps > longest) longest = steps, hash = mix(hash, i);
  }
  printf("collatz %016lx\n", mix(hash, longest));
}
