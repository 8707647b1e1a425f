/* For programs that change memory under code that is translated: loops that get hot, and tries that say where they faulted. */
#ifndef JIT_CHECK_H
#define JIT_CHECK_H
#include "../linux/check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAGES = 64, LENGTH = PAGES * 4096 };

static sigjmp_buf back;
/* What faults are told relative to. */
static char *area;
static volatile int fault_signal, fault_code;
static volatile long fault_offset;

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  fault_signal = number;
  fault_code = info->si_code;
  fault_offset = (char *)info->si_addr - area;
  siglongjmp(back, 1);
}
static void catch_faults(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}
static void tell_fault(const char *what) {
  printf("%s: %s code %d at %#lx\n", what, fault_signal == SIGSEGV ? "SIGSEGV" : "SIGBUS", fault_code, fault_offset);
}

/* A word at a time, so that a fault's address is the word's. */
static __attribute__((noinline, optimize("no-tree-vectorize"))) uint64_t sum(const char *from, size_t bytes) {
  uint64_t total = 0;
  for (size_t i = 0; i < bytes; i += 8) total = total * 31 + *(const uint64_t *)(from + i);
  return total;
}
static __attribute__((noinline, optimize("no-tree-vectorize"))) void fill(char *to, size_t bytes, uint64_t seed) {
  for (size_t i = 0; i < bytes; i += 8) *(uint64_t *)(to + i) = seed + i;
}
static void try_sum(const char *what, const char *from, size_t bytes) {
  if (sigsetjmp(back, 1) == 0) printf("%s: sum %016lx\n", what, sum(from, bytes));
  else tell_fault(what);
}
static void try_fill(const char *what, char *to, size_t bytes, uint64_t seed) {
  if (sigsetjmp(back, 1) == 0) {
    fill(to, bytes, seed);
    printf("%s: filled\n", what);
  } else tell_fault(what);
}
static char *map_area(int flags, int fd) {
  char *found = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (found == MAP_FAILED) { printf("mmap: %s\n", errno_name(errno)); exit(1); }
  return found;
}
/* Gets both loops hot on `to`, with their ranges filled. */
static void warm(char *to) {
  for (int round = 0; round < 6; round++) fill(to, LENGTH, round), sum(to, LENGTH);
}
static int temporary_file(void) {
  char name[] = "/tmp/jit-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  if (ftruncate(fd, LENGTH) != 0) exit(1);
  return fd;
}
#endif
