// class: memory. The sieve of Eratosthenes, a byte a number.
#include "bench.h"
int main(int argc, char **argv) {
  long limit = scale_of(argc, argv, 4000000), count = 0;
  char *composite = calloc(limit + 1, 1);
  uint64_t hash = 1;
  for (long i = 2; i <= limit; i++) {
    if (composite[i]) continue;
    if (++count % 1000 == 0) hash = mix(hash, i);
    for (long j = i * i; j <= limit; j += i) composite[j] = 1;
  }
  printf("sieve %016lx\n", mix(hash, count));
}
