// Copy on write while a read range is live: read, write and read again inside one translated loop.
#include "check.h"
/* For each step: old word, new word through another register, old place again, all in one turn of the loop. Returns a mix of both. */
static __attribute__((noinline)) uint64_t read_write_read(const char *from, char *to, size_t bytes, size_t step, uint64_t add) {
  uint64_t mix = 0;
  for (size_t i = 0; i < bytes; i += step) {
    uint64_t before, after;
    asm volatile("mov (%[from]), %[before]\n lea (%[before],%[add]), %[after]\n mov %[after], (%[to])\n mov (%[from]), %[after]"
                 : [before] "=&r"(before), [after] "=&r"(after) : [from] "r"(from + i), [to] "r"(to + i), [add] "r"(add) : "memory");
    mix = mix * 31 + before * 7 + after;
    if (after != before + add) { printf("stale at %#lx: %lu, not %lu\n", i, after, before + add); exit(1); }
  }
  return mix;
}
/* The same by reads, modifies and writes in one instruction. */
static __attribute__((noinline)) void bump(char *to, size_t bytes, size_t step) {
  for (size_t i = 0; i < bytes; i += step) asm volatile("incq (%0)" : : "r"(to + i) : "memory", "cc");
}
static void in_both(const char *what, size_t step) {
  int order[2];
  fflush(stdout);
  if (pipe(order) != 0) exit(1);
  pid_t pid = fork();
  if (pid == 0) {
    printf("%s, child, step %lu: %016lx\n", what, step, read_write_read(area, area, LENGTH, step, 3));
    bump(area, LENGTH, step);
    try_sum("child afterwards", area, LENGTH);
    fflush(stdout);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  printf("%s, parent, step %lu: %016lx\n", what, step, read_write_read(area, area, LENGTH, step, 5));
  try_sum("parent afterwards", area, LENGTH);
  close(order[0]), close(order[1]);
}
/* The parent goes on writing right after the fork; the child looks only then. */
static void parent_first(void) {
  for (int round = 0; round < 4; round++) {
    int done[2];
    char byte;
    if (pipe(done) != 0) exit(1);
    warm(area);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
      read(done[0], &byte, 1);
      printf("child, after the parent has written: %016lx\n", sum(area, LENGTH));
      fflush(stdout);
      _exit(0);
    }
    fill(area, LENGTH, 1000 + round);
    write(done[1], "x", 1);
    waitpid(pid, NULL, 0);
    printf("parent: %016lx\n", sum(area, LENGTH));
    close(done[0]), close(done[1]);
  }
}
int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  catch_faults();
  area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  warm(area);
  for (int i = 0; i < 4; i++) read_write_read(area, area, LENGTH, 8, 1);
  in_both("anonymous", 8);
  in_both("anonymous", PAGE);
  in_both("anonymous", 3 * PAGE + 8);
  parent_first();
  munmap(area, LENGTH);

  area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  try_sum("never written", area, LENGTH);
  printf("first write: %016lx\n", read_write_read(area, area, LENGTH, 512, 9));
  munmap(area, LENGTH);

  int fd = temporary_file();
  char *shared = map_area(MAP_SHARED, fd);
  fill(shared, LENGTH, 100);
  area = map_area(MAP_PRIVATE, fd);
  try_sum("private file", area, LENGTH);
  printf("private file: %016lx\n", read_write_read(area, area, LENGTH, 2 * PAGE, 11));
  try_sum("the file is as it was", shared, LENGTH);
  fill(shared, LENGTH, 200); /* seen where the page was not copied */
  try_sum("private file, others' pages changed", area, LENGTH);
  printf("two mappings: %016lx\n", read_write_read(shared, shared, LENGTH, 24, 13));
  char *alias = map_area(MAP_SHARED, fd);
  printf("through an alias: %016lx\n", read_write_read(alias, shared, LENGTH, 40, 17));

  /* A grandchild of a grandchild, so that a page is shared by several before it is copied. */
  for (int depth = 0; depth < 4; depth++) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0) {
      waitpid(pid, NULL, 0);
      bump(area, LENGTH, PAGE / 2);
      printf("depth %d: %016lx\n", depth, sum(area, LENGTH));
      fflush(stdout);
      _exit(0);
    }
    bump(area + depth * PAGE, LENGTH - depth * PAGE, PAGE);
  }
}
