// Stack overflow handled on an alternate stack; nesting; SS_ONSTACK, errors of sigaltstack.
#include "check.h"
#include <setjmp.h>
#include <sys/resource.h>
static char area[65536];
static jmp_buf back;
static int on_area(void *p) { return (char *)p >= area && (char *)p < area + sizeof area; }
static void overflow(int signal, siginfo_t *info, void *context) {
  int local;
  stack_t now;
  sigaltstack(NULL, &now);
  printf("signal %d on alternate stack %d, flags say %d\n", signal, on_area(&local), now.ss_flags);
  stack_t other = {.ss_sp = area, .ss_size = sizeof area};
  SHOW(sigaltstack(&other, NULL)); /* EPERM while in use */
  longjmp(back, 1);
}
static int depth;
static __attribute__((noinline)) long eat(long n) {
  volatile char frame[4096];
  frame[0] = n;
  depth++;
  return eat(n + 1) + frame[0];
}
static void plain(int signal) { int local; printf("plain handler on alternate stack %d\n", on_area(&local)); }
int main(void) {
  struct rlimit limit = {1 << 20, RLIM_INFINITY};
  setrlimit(RLIMIT_STACK, &limit);
  stack_t s = {.ss_sp = area, .ss_size = sizeof area}, old;
  SHOW(sigaltstack(&s, &old));
  printf("before: flags %d\n", old.ss_flags);
  struct sigaction a = {.sa_sigaction = overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &a, NULL);
  for (int round = 0; round < 3; round++) {
    depth = 0;
    if (setjmp(back) == 0) eat(round);
    printf("round %d overflowed after %s frames\n", round, depth > 150 && depth < 260 ? "about 240" : "an odd number of");
  }
  a.sa_handler = plain;
  a.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR1, &a, NULL);
  raise(SIGUSR1);
  a.sa_flags = 0;
  sigaction(SIGUSR1, &a, NULL);
  raise(SIGUSR1);
  s.ss_size = 100;
  SHOW(sigaltstack(&s, NULL));
  s.ss_size = sizeof area;
  s.ss_flags = 77;
  SHOW(sigaltstack(&s, NULL));
  s.ss_flags = SS_DISABLE;
  SHOW(sigaltstack(&s, NULL));
  SHOW(sigaltstack(NULL, &old));
  printf("disabled: flags %d\n", old.ss_flags);
  return 0;
}
