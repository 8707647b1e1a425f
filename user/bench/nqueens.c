// class: integer. N queens by bit masks.
#include "bench.h"
static __attribute__((noinline)) long place(unsigned all, unsigned columns, unsigned left, unsigned right) {
  if (columns == all) return 1;
  long count = 0;
  for (unsigned open = all & ~(columns | left | right); open; open &= open - 1) {
    unsigned bit = open & -open;
    count += place(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}
int main(int argc, char **argv) {
  long n = scale_of(argc, argv, 10);
  printf("nqueens %016lx\n", mix(1, place((1u << n) - 1, 0, 0, 0)));
}
