/* The entry stack and its growth. */
#include "selftest.h"

TEST(start_stack_top_page_only) {
  EXPECT(pages_of_stack >= 1);
#ifndef MENIOS_GATE_LINUX /* Linux builds the arguments elsewhere and moves the pages, which may leave one more */
  EXPECT(pages_of_stack <= 2); /* a second one when arguments and environment need it */
  EXPECT(pages_below_stack == 0);
#endif
  return NULL;
}

TEST(start_stack_is_aligned) {
  EXPECT((uintptr_t)(start_arguments - 1) % 16 == 0); /* argc lies there (System V ABI, figure 3.9) */
  return NULL;
}

TEST(start_registers_and_vectors) {
  char **at = environ;
  while (*at) at++;
  long *auxv = (long *)(at + 1);
  int page_size = 0, entry = 0, random = 0;
  for (; auxv[0] != 0; auxv += 2) {
    if (auxv[0] == 6) page_size = (int)auxv[1];  /* AT_PAGESZ */
    if (auxv[0] == 9) entry = auxv[1] != 0;      /* AT_ENTRY */
    if (auxv[0] == 25) random = auxv[1] != 0;    /* AT_RANDOM */
  }
  EXPECT(page_size == 4096);
  EXPECT(entry);
  EXPECT(random);
  unsigned mxcsr;
  unsigned short control;
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  __asm__ volatile("fnstcw %0" : "=m"(control));
  EXPECT((mxcsr & ~0x3fu) == 0x1f80);
  EXPECT(control == 0x37f);
  return NULL;
}

static __attribute__((noinline)) long recurse(int depth) {
  volatile long frame[500];
  frame[0] = depth;
  frame[499] = depth * 3;
  long below = depth > 0 ? recurse(depth - 1) : 0;
  return below + frame[0] + frame[499];
}

TEST(stack_expands_by_recursion) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1);
  EXPECT(resident_pages((void *)(here - 1000 * PAGE), 900 * PAGE) == 0);
  EXPECT(recurse(1500) == 4L * 1500 * 1501 / 2);
  EXPECT(resident_pages((void *)(here - 1000 * PAGE), 900 * PAGE) == 900);
  return NULL;
}

static __attribute__((noinline)) int use_alloca(size_t size) {
  volatile char *block = __builtin_alloca(size);
  block[0] = 1; /* the far end first: the pages between stay away */
  block[size - 1] = 2;
  return block[0] + block[size - 1];
}

TEST(stack_expands_by_alloca) {
  EXPECT(use_alloca(6UL << 20) == 3);
  uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1);
  EXPECT(resident_pages((void *)(here - (5UL << 20)), 4UL << 20) == 0);
  return NULL;
}

TEST(stack_write_far_below) {
  volatile char *far = (char *)__builtin_frame_address(0) - (4UL << 20);
  *far = 7; /* no check against the stack pointer (Linux since 4.20) */
  EXPECT(*far == 7);
  return NULL;
}

TEST(stack_ends_at_its_limit) {
  provoke(write_byte, (char *)__builtin_frame_address(0) - (9UL << 20));
  EXPECT(fault.count == 1);
  EXPECT(fault.signal == SIGSEGV);
  EXPECT(fault.code == SEGV_MAPERR);
  return NULL;
}

TEST(stack_guard_above_a_mapping) {
  /* Growth keeps 1 MiB away from a mapping below (mmap(2), "stack guard gap"). */
  uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1);
  char *below = (char *)(here - (3UL << 20));
  EXPECT(mmap(below, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == below);
  provoke(write_byte, below + (1UL << 20));
  EXPECT(fault.count == 1 && fault.code == SEGV_MAPERR);
  provoke(write_byte, below + (1UL << 20) + 2 * PAGE);
  EXPECT(fault.count == 0);
  return NULL;
}

TEST(stack_grows_for_the_kernel) {
  int ends[2];
  EXPECT(pipe(ends) == 0);
  EXPECT(write(ends[1], "kernel", 6) == 6);
  char *far = (char *)__builtin_frame_address(0) - (2UL << 20);
  EXPECT(read(ends[0], far, 6) == 6); /* the copy out grows the stack like a write of our own */
  EXPECT(memcmp(far, "kernel", 6) == 0);
  return NULL;
}
