// class: system. Prints nanoseconds per operation; times differ from run to run, so nothing here is compared.
//   system_calls                  all of them with their usual counts
//   system_calls NAME [COUNT [MIB]]
#include "bench.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }
static char *map(size_t bytes) {
  char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(p, bytes, MADV_NOHUGEPAGE);
  return p;
}
static void touch(volatile char *p, size_t bytes) { for (size_t i = 0; i < bytes; i += PAGE) p[i] = 1; }

static double first_touch(long count, long mib) {
  char *p = map(count * PAGE);
  double start = now();
  touch(p, count * PAGE);
  double spent = now() - start;
  munmap(p, count * PAGE);
  return spent / count;
}
static double cow_fault(long count, long mib) {
  char *p = map(count * PAGE);
  int report[2];
  double spent = 0;
  touch(p, count * PAGE);
  pipe(report);
  if (fork() == 0) {
    double start = now();
    touch(p, count * PAGE);
    spent = now() - start;
    write(report[1], &spent, sizeof spent);
    _exit(0);
  }
  read(report[0], &spent, sizeof spent);
  wait(NULL);
  munmap(p, count * PAGE);
  return spent / count;
}
/* The same in memory that the host, too, has given before: the least of some rounds. */
static double again(double (*run)(long, long), long count, long mib) {
  double least = run(count, mib);
  for (int round = 1; round < 5; round++) {
    double spent = run(count, mib);
    if (spent < least) least = spent;
  }
  return least;
}
static double touch_again(long count, long mib) { return again(first_touch, count, mib); }
static double cow_again(long count, long mib) { return again(cow_fault, count, mib); }
static double map_unmap(long count, long mib) {
  double start = now();
  for (long i = 0; i < count; i++) {
    char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p, 16 * PAGE);
  }
  return (now() - start) / count;
}
static double map_touch_unmap(long count, long mib) {
  double start = now();
  for (long i = 0; i < count; i++) {
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *p = 1;
    munmap(p, PAGE);
  }
  return (now() - start) / count;
}
static double fork_exit_wait(long count, long mib) {
  size_t bytes = (size_t)mib << 20;
  char *p = map(bytes);
  touch(p, bytes);
  double start = now();
  for (long i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
  }
  double spent = now() - start;
  munmap(p, bytes);
  return spent / count;
}
static double fork_exec(long count, long mib) {
  char *const arguments[] = {"system_calls", "nothing", NULL}, *const none[] = {NULL};
  double start = now();
  for (long i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) { execve("/proc/self/exe", arguments, none); _exit(1); }
    waitpid(child, NULL, 0);
  }
  return (now() - start) / count;
}
static double get_pid(long count, long mib) {
  double start = now();
  for (long i = 0; i < count; i++) syscall(SYS_getpid);
  return (now() - start) / count;
}
static double pipe_round_trip(long count, long mib) {
  int to[2], from[2];
  char byte = 'x';
  pipe(to); pipe(from);
  pid_t child = fork();
  if (child == 0) { close(to[1]); while (read(to[0], &byte, 1) == 1) write(from[1], &byte, 1); _exit(0); }
  double start = now();
  for (long i = 0; i < count; i++) { write(to[1], &byte, 1); read(from[0], &byte, 1); }
  double spent = now() - start;
  close(to[1]);
  waitpid(child, NULL, 0);
  return spent / count;
}
static const struct { const char *name; double (*run)(long, long); long count, mib; } all[] = {
  {"first_touch", first_touch, 8192, 0}, {"cow_fault", cow_fault, 8192, 0}, {"touch_again", touch_again, 8192, 0}, {"cow_again", cow_again, 8192, 0}, {"map_unmap", map_unmap, 20000, 0}, {"map_touch_unmap", map_touch_unmap, 20000, 0},
  {"fork_exit_wait", fork_exit_wait, 200, 1}, {"fork_exit_wait", fork_exit_wait, 50, 64}, {"fork_exec", fork_exec, 100, 0}, {"getpid", get_pid, 200000, 0}, {"pipe_round_trip", pipe_round_trip, 5000, 0},
};
int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "nothing") == 0) return 0;
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    if (argc > 1 && strcmp(argv[1], all[i].name) != 0) continue;
    long count = argc > 2 ? atol(argv[2]) : all[i].count, mib = argc > 3 ? atol(argv[3]) : all[i].mib;
    printf("%s", all[i].name);
    if (all[i].run == fork_exit_wait) printf(" %ldMiB", mib);
    fflush(stdout);
    printf(" %.0f ns\n", all[i].run(count, mib));
    fflush(stdout);
    if (argc > 1) break;
  }
  return 0;
}
