// class: integer. Quicksort of our own on random integers.
#include "bench.h"
static void sort(int *a, long low, long high) {
  while (low < high) {
    int pivot = a[low + (high - low) / 2];
    long i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i <= j) { int t = a[i]; a[i++] = a[j]; a[j--] = t; }
    }
    if (j - low < high - i) { sort(a, low, j); low = i; } else { sort(a, i, high); high = j; }
  }
}
int main(int argc, char **argv) {
  long n = scale_of(argc, argv, 1000000);
  int *a = malloc(n * sizeof *a);
  for (long i = 0; i < n; i++) a[i] = (int)next_random();
  sort(a, 0, n - 1);
  uint64_t hash = 1;
  for (long i = 0; i < n; i += 97) hash = mix(hash, (uint32_t)a[i]);
  printf("quicksort %016lx\n", hash);
}
