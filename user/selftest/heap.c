/* The heap: brk and sbrk over mappings, and malloc on top of them. */
#include "selftest.h"

TEST(heap_grow_and_shrink) {
  char *base = sbrk(0);
  EXPECT(base != (char *)-1);
  EXPECT(sbrk(3 * 4096 + 100) == base);
  EXPECT(sbrk(0) == base + 3 * 4096 + 100);
  base[3 * 4096 + 99] = 'h';
  EXPECT(sbrk(-200) == base + 3 * 4096 + 100);
  EXPECT(brk(base) == 0);
  EXPECT(sbrk(0) == base);
  provoke(read_byte, (char *)(((uintptr_t)base + PAGE - 1) & ~(PAGE - 1)) + 3 * PAGE);
  EXPECT(fault.count == 1);
  EXPECT(sbrk(4 * 4096) == base);
  EXPECT(base[3 * 4096 + 99] == 0); /* what was given back comes again as zero */
  return NULL;
}

TEST(heap_grow_shrink_stress) {
  char *base = sbrk(0);
  unsigned state = 1;
  for (int cycle = 0; cycle < 300; cycle++) {
    state = state * 1103515245 + 12345;
    size_t size = (state >> 8) % (400 * PAGE) + 1;
    EXPECT(sbrk((intptr_t)size) == base);
    for (size_t i = 0; i < size; i += PAGE) {
      EXPECT(base[i] == 0);
      base[i] = (char)cycle + 1;
    }
    EXPECT(brk(base) == 0);
    EXPECT(resident_pages(base, 400 * PAGE) <= 1); /* base need not be at a page's start */
    if ((uintptr_t)base % PAGE) memset(base, 0, PAGE - (uintptr_t)base % PAGE);
  }
  return NULL;
}

TEST(heap_window_is_lazy) {
  char *base = (char *)(((uintptr_t)sbrk(64 << 20) + PAGE - 1) & ~(PAGE - 1));
  EXPECT(resident_pages(base, 1024 * PAGE) == 0);
  base[512 * PAGE] = 1;
  EXPECT(resident_pages(base, 1024 * PAGE) == 1);
  return NULL;
}

TEST(heap_window_limit) {
  char *base = sbrk(0);
  errno = 0;
  EXPECT(sbrk(2L << 30) == (void *)-1);
  EXPECT(errno == ENOMEM);
  EXPECT(sbrk(-(1L << 40)) == (void *)-1);
  EXPECT(sbrk(0) == base);
  return NULL;
}

TEST(heap_malloc_gives_back) {
  enum { COUNT = 4000 };
  static char *block[COUNT];
  void *seed = malloc(100);
  char *before = sbrk(0);
  for (int i = 0; i < COUNT; i++) memset(block[i] = malloc(1000), i, 1000);
  EXPECT((char *)sbrk(0) - before >= COUNT * 1000 - 65536);
  for (int i = 0; i < COUNT; i++) free(block[i]);
  EXPECT((char *)sbrk(0) - before <= 256 << 10);
  char *large = malloc(3 << 20);
  memset(large, 1, 3 << 20);
  free(large);
  provoke(read_byte, large);
  EXPECT(fault.count == 1); /* a large block is a mapping of its own */
  free(seed);
  return NULL;
}

TEST(heap_malloc_stress) {
  enum { SLOTS = 200 };
  static unsigned char *slot[SLOTS];
  static size_t size[SLOTS];
  unsigned state = 7;
  for (int i = 0; i < 20000; i++) {
    state = state * 1103515245 + 12345;
    unsigned s = (state >> 16) % SLOTS;
    state = state * 1103515245 + 12345;
    size_t wanted = (state >> 8) % ((state >> 28) ? 300 : 60000);
    for (size_t j = 0; j < size[s]; j += 64) EXPECT(slot[s][j] == (unsigned char)(s ^ j));
    if (state & 0x40) {
      slot[s] = realloc(slot[s], wanted + 1);
      for (size_t j = 0; j < size[s] && j < wanted; j += 64) EXPECT(slot[s][j] == (unsigned char)(s ^ j));
    } else {
      free(slot[s]);
      slot[s] = malloc(wanted + 1);
    }
    EXPECT(slot[s] != NULL && (uintptr_t)slot[s] % 16 == 0);
    size[s] = wanted;
    for (size_t j = 0; j < wanted; j += 64) slot[s][j] = (unsigned char)(s ^ j);
  }
  for (int s = 0; s < SLOTS; s++) free(slot[s]);
  return NULL;
}
