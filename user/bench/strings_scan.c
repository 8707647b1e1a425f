// class: memory. strlen, strchr and strcmp of the C library, and a byte loop of our own.
#include "bench.h"
int main(int argc, char **argv) {
  long rounds = scale_of(argc, argv, 40);
  enum { SIZE = 1 << 18 };
  static char text[SIZE + 1];
  for (int i = 0; i < SIZE; i++) text[i] = next_random() % 61 ? 'a' + next_random() % 26 : 0;
  uint64_t hash = 1;
  for (long r = 0; r < rounds; r++) {
    for (char *p = text; p < text + SIZE;) { size_t n = strlen(p); hash = mix(hash, n); char *e = strchr(p, 'e'); if (e) hash += e - p; p += n + 1; }
    unsigned words = 0, vowels = 0;
    for (int i = 0; i < SIZE; i++) { char c = text[i]; words += c == 0; vowels += c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }
    hash = mix(hash, words * 1000003u + vowels);
    text[next_random() % SIZE] = 'e';
  }
  printf("strings_scan %016lx\n", hash);
}
