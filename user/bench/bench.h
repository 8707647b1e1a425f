/* Shared by the benchmark programs: PROGRAM [SCALE] prints one checksum line, the same everywhere for a given scale. */
#ifndef BENCH_H
#define BENCH_H
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline long scale_of(int argc, char **argv, long usual) {
  return argc > 1 ? atol(argv[1]) : usual;
}

/* xorshift64*: Marsaglia's generator with Vigna's multiplier. */
static uint64_t random_state = 88172645463325252u;
static inline uint64_t next_random(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * 2685821657736338717u;
}

static inline uint64_t mix(uint64_t hash, uint64_t value) {
  return (hash ^ value) * 1099511628211u;
}

/* BENCH_MODE=fresh|child|parent|full prints on standard error what main took by the monotonic clock, and says where main runs: in a
   new process, in a forked child, in the parent of a child that lives on, or with nine tenths of the memory in use (at most 1 GiB is
   taken, so that a host does not suffer). The pages of the program's data and of some stack are written before the fork, so that
   both sides have to copy them. */
enum { BENCH_PAGE = 4096, BENCH_STACK = 1 << 17 };
static const char *bench_mode;
static struct timespec bench_begin;
extern char __bss_start[], _end[];

static void bench_write_pages(volatile char *from, volatile char *to) {
  for (; from < to; from += BENCH_PAGE) *from = *from;
}
static void bench_fill_memory(void) {
  struct sysinfo info;
  const size_t chunk = 1 << 20;
  for (size_t taken = 0; taken < (size_t)4 << 30; taken += chunk) {
    if (sysinfo(&info) != 0 || info.freeram <= info.totalram / 10) return;
    char *memory = mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    bench_write_pages(memory, memory + chunk);
  }
}
static void bench_fork(int work_in_child) {
  int alive[2];
  char stack[BENCH_STACK];
  bench_write_pages(stack, stack + sizeof stack);
  bench_write_pages(__bss_start, _end);
  if (pipe(alive) != 0) exit(1);
  pid_t pid = fork();
  if (pid < 0) exit(1);
  if (work_in_child && pid != 0) {
    int status;
    waitpid(pid, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  if (!work_in_child && pid == 0) { /* until the parent is gone and its end of the pipe with it */
    close(alive[1]);
    close(1);
    close(2);
    _exit(read(alive[0], stack, 1) != 0);
  }
  close(alive[0]);
}
__attribute__((constructor)) static void bench_prepare(void) {
  bench_mode = getenv("BENCH_MODE");
  if (bench_mode == NULL) return;
  if (strcmp(bench_mode, "child") == 0) bench_fork(1);
  else if (strcmp(bench_mode, "parent") == 0) bench_fork(0);
  else if (strcmp(bench_mode, "full") == 0) bench_fill_memory();
  clock_gettime(CLOCK_MONOTONIC, &bench_begin);
}
__attribute__((destructor)) static void bench_finish(void) {
  struct timespec now;
  if (bench_mode == NULL) return;
  clock_gettime(CLOCK_MONOTONIC, &now);
  fprintf(stderr, "work %lld ns\n", (now.tv_sec - bench_begin.tv_sec) * 1000000000LL + now.tv_nsec - bench_begin.tv_nsec);
}
#endif
