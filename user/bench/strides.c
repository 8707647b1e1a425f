// class: memory. Sums over a matrix by rows, by columns and by blocks: page-crossing access.
#include "bench.h"
int main(int argc, char **argv) {
  long rounds = scale_of(argc, argv, 6);
  enum { N = 1024 };
  static uint32_t m[N][N];
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) m[i][j] = i * 7919 + j * 104729;
  uint64_t hash = 1;
  for (long r = 0; r < rounds; r++) {
    uint64_t sum = 0;
    for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) sum += m[i][j] ^ j;
    for (int j = 0; j < N; j++) for (int i = 0; i < N; i++) sum = sum * 3 + m[i][j];
    for (int i = 0; i < N; i += 8) for (int j = 0; j < N; j += 8) for (int y = 0; y < 8; y++) for (int x = 0; x < 8; x++) sum ^= (uint64_t)m[i + y][j + x] << (x * 4);
    hash = mix(hash, sum);
    m[r % N][(r * 37) % N]++;
  }
  printf("strides %016lx\n", hash);
}
