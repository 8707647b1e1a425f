// class: crypto. CRC-32 by one table, and bit by bit.
#include "bench.h"
int main(int argc, char **argv) {
  long rounds = scale_of(argc, argv, 100);
  static uint32_t table[256];
  static unsigned char data[65536];
  for (uint32_t i = 0; i < 256; i++) { uint32_t c = i; for (int b = 0; b < 8; b++) c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0); table[i] = c; }
  for (unsigned i = 0; i < sizeof data; i++) data[i] = next_random();
  uint32_t crc = 0xffffffff;
  for (long r = 0; r < rounds; r++) {
    for (unsigned i = 0; i < sizeof data; i++) crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
    data[r % sizeof data] ^= crc;
  }
  for (int i = 0; i < 2000; i++) { crc ^= data[i]; for (int b = 0; b < 8; b++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0); }
  printf("crc32 %08x\n", ~crc);
}
