// class: integer. Calls and returns: fib and ackermann.
#include "bench.h"
static __attribute__((noinline)) long fib(long n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static __attribute__((noinline)) long ackermann(long m, long n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
int main(int argc, char **argv) {
  long n = scale_of(argc, argv, 30);
  printf("recursion %016lx\n", mix(mix(1, fib(n)), ackermann(2, n * 20)));
}
