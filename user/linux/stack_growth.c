// Stack growth: deep recursion, far writes, the limit read at fault time, the guard gap.
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
static sigjmp_buf back;
static char spare[65536];
static void on_fault(int signal, siginfo_t *info, void *context) { siglongjmp(back, info->si_code); }
static const char *poke(volatile char *at) {
  int code = sigsetjmp(back, 1);
  if (code) return code == SEGV_MAPERR ? "maperr" : code == SEGV_ACCERR ? "accerr" : "other";
  *at = 1;
  return "fine";
}
static __attribute__((noinline)) int recurse(int n) {
  volatile char frame[2000];
  frame[1000] = n;
  return n ? recurse(n - 1) + (frame[1000] == (char)n) : 0;
}
int main(void) {
  stack_t alternate = {.ss_sp = spare, .ss_size = sizeof spare};
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaltstack(&alternate, NULL);
  sigaction(SIGSEGV, &action, NULL);
  struct rlimit limit = {8 << 20, RLIM_INFINITY};
  setrlimit(RLIMIT_STACK, &limit);
  char *here = (char *)((uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1));
  printf("recursion %d\n", recurse(2500));
  printf("6 MiB below: %s\n", poke(here - (6 << 20)));
  printf("9 MiB below: %s\n", poke(here - (9 << 20)));
  limit.rlim_cur = 16 << 20;
  setrlimit(RLIMIT_STACK, &limit);
  printf("9 MiB below with a 16 MiB limit: %s\n", poke(here - (9 << 20)));
  limit.rlim_cur = 4 << 20;
  setrlimit(RLIMIT_STACK, &limit);
  printf("8 MiB below with a 4 MiB limit, but there already: %s\n", poke(here - (8 << 20)));
  printf("10 MiB below: %s\n", poke(here - (10 << 20)));
  limit.rlim_cur = 64 << 20;
  setrlimit(RLIMIT_STACK, &limit);
  char *wall = here - (20 << 20);
  mmap(wall, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("within the guard gap: %s\n", poke(wall + (1 << 20)));
  printf("above it: %s\n", poke(wall + (1 << 20) + 2 * PAGE));
  mprotect(wall, PAGE, PROT_NONE);
  printf("within the gap above PROT_NONE: %s\n", poke(wall + (1 << 19)));
  return 0;
}
