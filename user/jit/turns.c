// Loops that go through memory evenly, of one block and of several: forwards, backwards, by several strides, several at once, up to where a mapping
// ends, over pages that lie anywhere in RAM, and over memory that changes from turn to turn.
#include "check.h"
#define LOOP __attribute__((noinline, noclone, optimize("no-tree-vectorize", "no-unroll-loops", "no-tree-loop-distribute-patterns", "no-ivopts")))

static LOOP uint64_t bytes_up(const volatile unsigned char *at, long count) { uint64_t x = 1; do x = x * 31 + *at++; while (--count); return x; }
static LOOP uint64_t bytes_down(const volatile unsigned char *at, long count) { uint64_t x = 1; do x = x * 31 + *--at; while (--count); return x; }
static LOOP uint64_t strided(const char *at, long count, long stride) { uint64_t x = 1; do { x = x * 31 + *(const volatile uint32_t *)at; at += stride; } while (--count); return x; }
static LOOP uint64_t by_24(const char *at, long count) { uint64_t x = 1; do { x += *(const volatile uint64_t *)at ^ *(const volatile uint64_t *)(at + 16); at += 24; } while (--count); return x; }
static LOOP uint64_t by_minus_12(const char *at, long count) { uint64_t x = 1; do { at -= 12; x = x * 3 + *(const volatile uint32_t *)at; } while (--count); return x; }
static LOOP uint64_t indexed(const volatile uint32_t *a, const volatile uint64_t *b, long count) { uint64_t x = 0; for (long i = 0; i < count; i++) x = x * 5 + a[i] + b[i]; return x; }
static LOOP void add_to(volatile uint64_t *to, const volatile uint64_t *from, long count) { for (long i = 0; i < count; i++) to[i] += from[i] * 3; }
static LOOP void scattered(volatile uint32_t *to, const volatile unsigned char *which, long count) { for (long i = 0; i < count; i++) to[which[i]] += i; }
static LOOP void every_page(volatile char *at, long count) { do { *at = *at + 1; at += 4096; } while (--count); }
/* The same word again and again, which the loop changes itself. */
static LOOP uint64_t fixed(volatile uint64_t *at, long count) { uint64_t x = 7; do { x += *at; *at = x ^ count; } while (--count); return x; }
/* Several ways round, which come together, or go back by themselves; which access other things; and which move a pointer by different distances. */
static LOOP uint64_t chosen(volatile uint32_t *to, const volatile uint32_t *a, const volatile uint64_t *b, long count) {
  uint64_t x = 0;
  for (long i = 0; i < count; i++) { if (a[i] & 1) x = x * 3 + b[i]; else to[i] += x; x += a[i] >> 7; }
  return x;
}
static LOOP uint64_t passed_over(const volatile unsigned char *at, long count, volatile uint64_t *odd) {
  uint64_t x = 5;
  for (long i = 0; i < count; i++) {
    unsigned char c = at[i];
    if (c < 60) continue;
    x = x * 7 + c;
    if (c & 1) { *odd += x; if (x % 4099 == 0) break; }
  }
  return x;
}
static LOOP uint64_t uneven(const volatile unsigned char *at, long count) { uint64_t x = 1; do { x = x * 31 + *at; if (x & 64) at += 8; else at += 3; } while (--count); return x; }

static uint64_t total = 1;
static void note(const char *what, uint64_t x) { total = total * 31 + x; printf("%s %016lx\n", what, total); }
static void all(const char *what, char *at) {
  uint64_t x = 0;
  for (int round = 0; round < 20; round++) {
    long from = round * 997 % 5000;
    x += bytes_up((unsigned char *)at + from, 30000) ^ bytes_down((unsigned char *)at + LENGTH - from, 30000);
    x = x * 7 + strided(at + from, 9000, 7) + strided(at + LENGTH - 4 - from, 5000, -24) + strided(at + from, 60, 4096) + strided(at + from, 3000, 0);
    x = x * 7 + by_24(at + from, 5000) + by_minus_12(at + LENGTH - from, 9000);
    x = x * 7 + indexed((uint32_t *)(at + 4000), (uint64_t *)(at + from / 8 * 8), 15000);
    add_to((uint64_t *)(at + 8192), (uint64_t *)(at + from / 8 * 8), 12000); /* the two overlap */
    scattered((uint32_t *)(at + 4096 * 3 - 200), (unsigned char *)at, 9000);
    every_page(at + round * 4 + 1, PAGES);
    x += fixed((uint64_t *)(at + 8 * round), 2000);
    x += bytes_up((unsigned char *)at + from, 1 + round);
    x = x * 7 + chosen((uint32_t *)(at + 12288), (uint32_t *)(at + 4000), (uint64_t *)(at + from / 8 * 8), 9000);
    x = x * 7 + passed_over((unsigned char *)at + from, 40000, (uint64_t *)(at + 256)) + uneven((unsigned char *)at + from, 6000);
  }
  note(what, x);
}

int main(void) {
  catch_faults();
  area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  fill(area, LENGTH, 3);
  all("one mapping", area);

  /* Pages from two mappings in turn, so that no two lie together in RAM. */
  char *mixed = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *between = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < PAGES; i++) {
    mmap(mixed + i * 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mixed[i * 4096] = between[i * 4096] = i;
    if (i % 3 == 0) mmap(mixed + i * 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
  fill(mixed, LENGTH, 5);
  all("pages anywhere", mixed);

  /* Up to where nothing is mapped, or nothing may be written. */
  for (int round = 0; round < 12; round++) {
    mprotect(area + LENGTH - 4096 * (1 + round % 3), 4096, round % 2 ? PROT_NONE : PROT_READ);
    volatile uint64_t x = 0;
    if (sigsetjmp(back, 1) == 0) { x = bytes_up((unsigned char *)area + round, LENGTH - round); printf("read all %016lx\n", x); } else tell_fault("read");
    if (sigsetjmp(back, 1) == 0) { add_to((uint64_t *)(area + 8 * round), (uint64_t *)area, LENGTH / 8); puts("wrote all"); } else tell_fault("wrote");
    mprotect(area + 4096 * (round % 2), 4096, PROT_NONE);
    if (sigsetjmp(back, 1) == 0) { x = by_minus_12(area + LENGTH - 4096 * 4, LENGTH); printf("read down %016lx\n", x); } else tell_fault("read down");
    mprotect(area, LENGTH, PROT_READ | PROT_WRITE);
    note("left", bytes_up((unsigned char *)area, LENGTH));
  }

  /* A child's copy and its parent's. */
  for (int round = 0; round < 4; round++) {
    fflush(stdout);
    pid_t child = fork();
    add_to((uint64_t *)area, (uint64_t *)(area + 4096), 9000);
    every_page(area + 5, PAGES);
    if (child == 0) { note("child", bytes_up((unsigned char *)area, LENGTH)); fflush(stdout); _exit(0); }
    waitpid(child, NULL, 0);
    note("parent", bytes_up((unsigned char *)area, LENGTH));
  }
}
