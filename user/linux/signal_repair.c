// Handlers that repair the fault: mapping the page, changing registers in the ucontext, skipping the instruction.
#include "check.h"
#include <sys/mman.h>
#include <ucontext.h>
static volatile int calls;
static void map_it(int signal, siginfo_t *info, void *context) {
  calls++;
  mprotect((void *)((uintptr_t)info->si_addr & ~(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE);
}
static void skip_it(int signal, siginfo_t *info, void *context) {
  ucontext_t *u = context;
  calls++;
  u->uc_mcontext.gregs[REG_RIP] += 3; /* the three bytes of the access below */
  u->uc_mcontext.gregs[REG_RAX] = 4711;
}
static void redirect(int signal, siginfo_t *info, void *context) {
  ucontext_t *u = context;
  calls++;
  u->uc_mcontext.gregs[REG_RDI] = u->uc_mcontext.gregs[REG_RBX]; /* a good address instead */
}
static void details(int signal, siginfo_t *info, void *context) {
  ucontext_t *u = context;
  printf("signal %d code %d trap %d error %d cr2 matches %d\n", signal, info->si_code, (int)u->uc_mcontext.gregs[REG_TRAPNO],
         (int)u->uc_mcontext.gregs[REG_ERR], u->uc_mcontext.gregs[REG_CR2] == (long)info->si_addr);
  u->uc_mcontext.gregs[REG_RIP] += 3;
}
static void install(void (*f)(int, siginfo_t *, void *)) {
  struct sigaction a = {.sa_sigaction = f, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &a, NULL);
  sigaction(SIGBUS, &a, NULL);
}
int main(void) {
  char *p = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  install(map_it);
  for (int i = 0; i < 10; i++) p[i * PAGE + i] = i;
  printf("mapped %d pages on demand, %d\n", calls, p[9 * PAGE + 9]);
  calls = 0;
  memset(p + 10 * PAGE + 100, 7, 5 * PAGE);
  printf("memset needed %d\n", calls);
  calls = 0;
  char *from = p + 20 * PAGE + 50, *to = p + 30 * PAGE + 77;
  size_t n = 3 * PAGE;
  __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) : : "memory"); /* both sides fault */
  printf("rep movsb needed %d, left %zu\n", calls, n);
  calls = 0;
  *(uint64_t *)(p + 41 * PAGE - 4) = 0x1122334455667788; /* one store over two pages */
  printf("a split store needed %d: %lx\n", calls, *(uint64_t *)(p + 41 * PAGE - 4));
  calls = 0;
  install(skip_it);
  long rax = 0;
  __asm__ volatile("movq (%1), %0" : "=a"(rax) : "D"(p + 60 * PAGE) : "memory");
  printf("skipped: %ld after %d\n", rax, calls);
  install(redirect);
  static long good = 99;
  calls = 0;
  long bad = (long)(p + 60 * PAGE);
  __asm__ volatile("movq (%1), %0" : "=a"(rax), "+D"(bad) : "b"(&good) : "memory");
  printf("redirected: %ld after %d\n", rax, calls);
  install(details);
  __asm__ volatile("movq (%1), %0" : "=a"(rax) : "D"(p + 60 * PAGE) : "memory");
  __asm__ volatile("movq %0, (%1)" : : "a"(rax), "D"(p + 60 * PAGE) : "memory");
  munmap(p + 61 * PAGE, PAGE);
  __asm__ volatile("movq (%1), %0" : "=a"(rax) : "D"(p + 61 * PAGE) : "memory");
  __asm__ volatile("movq %0, (%1)" : : "a"(rax), "D"(p + 61 * PAGE) : "memory");
  __asm__ volatile("movq (%1), %0" : "=a"(rax) : "D"(0xffff800000000000) : "memory");
  struct sigaction a = {.sa_sigaction = details, .sa_flags = SA_SIGINFO};
  __asm__ volatile("movq (%1), %0" : "=a"(rax) : "D"(0UL) : "memory");
  return 0;
}
