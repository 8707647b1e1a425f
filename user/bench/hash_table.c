// class: integer. Open addressing: insert, find, delete.
#include "bench.h"
int main(int argc, char **argv) {
  long operations = scale_of(argc, argv, 2000000);
  enum { SIZE = 1 << 16 };
  static uint64_t key[SIZE];
  static uint32_t value[SIZE];
  long used = 0, found = 0;
  for (long i = 0; i < operations; i++) {
    uint64_t k = next_random() % 60000 + 1;
    uint64_t slot = (k * 0x9e3779b97f4a7c15u) >> 48;
    while (key[slot] && key[slot] != k) slot = (slot + 1) % SIZE;
    if (key[slot] == k) {
      found++;
      value[slot] += i;
      if (i % 5 == 0) { /* delete, moving later entries of the run back */
        uint64_t hole = slot, at = slot;
        key[hole] = 0, used--;
        for (;;) {
          at = (at + 1) % SIZE;
          if (!key[at]) break;
          uint64_t home = (key[at] * 0x9e3779b97f4a7c15u) >> 48;
          if (((at - home) % SIZE) >= ((at - hole) % SIZE)) key[hole] = key[at], value[hole] = value[at], key[at] = 0, hole = at;
        }
      }
    } else if (used < SIZE * 7 / 10) {
      key[slot] = k, value[slot] = i, used++;
    }
  }
  uint64_t hash = mix(used, found);
  for (int i = 0; i < SIZE; i++) if (key[i]) hash = mix(hash, key[i] * value[i]);
  printf("hash_table %016lx\n", hash);
}
