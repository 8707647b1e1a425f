// Exec and fork with ranges live: the next image lies at the same addresses and must find its own pages.
#include "check.h"
static char data[LENGTH] __attribute__((aligned(4096)));
static char initialised[LENGTH] __attribute__((aligned(4096))) = {1, 2, 3};
int main(int argc, char **argv) {
  int generation = argc > 1 ? atoi(argv[1]) : 0;
  char next[16];
  setvbuf(stdout, NULL, _IOFBF, 8192);
  printf("generation %d: bss %016lx, data %016lx\n", generation, sum(data, LENGTH), sum(initialised, LENGTH));
  warm(data);
  warm(initialised);
  printf("generation %d, written: bss %016lx, data %016lx\n", generation, sum(data, LENGTH), sum(initialised, LENGTH));
  fflush(stdout);
  if (generation == 6) return 0;
  snprintf(next, sizeof next, "%d", generation + 1);
  if (generation % 2 == 0) execl(argv[0], argv[0], next, NULL);
  pid_t pid = generation % 4 == 1 ? vfork() : fork();
  if (pid == 0) {
    execl(argv[0], argv[0], next, NULL);
    _exit(1);
  }
  int status;
  waitpid(pid, &status, 0);
  printf("generation %d, after its child: bss %016lx, data %016lx, status %d\n", generation, sum(data, LENGTH), sum(initialised, LENGTH), status);
}
