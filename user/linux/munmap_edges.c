// munmap: middle, head, tail, across regions, holes, errors; contents beside the hole stay.
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
static sigjmp_buf back;
static void on_fault(int signal, siginfo_t *info, void *context) { siglongjmp(back, info->si_code); }
static char state(volatile char *p) {
  int code = sigsetjmp(back, 1);
  if (code) return code == SEGV_MAPERR ? '.' : code == SEGV_ACCERR ? '-' : '?';
  return *p ? *p : '0';
}
static void picture(const char *title, char *p, int pages) {
  printf("%-20s ", title);
  for (int i = 0; i < pages; i++) putchar(state(p + i * PAGE));
  putchar('\n');
}
static char *fresh(int pages) {
  char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < pages; i++) p[i * PAGE] = 'a' + i;
  return p;
}
int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  char *p = fresh(10);
  picture("start", p, 10);
  munmap(p + 4 * PAGE, 2 * PAGE); picture("middle", p, 10);
  munmap(p, PAGE); picture("head", p, 10);
  munmap(p + 9 * PAGE, PAGE); picture("tail", p, 10);
  munmap(p + 2 * PAGE, 5 * PAGE); picture("across the hole", p, 10);
  CALL(munmap(p, 10 * PAGE)); picture("all", p, 10);
  CALL(munmap(p, 10 * PAGE));
  p = fresh(8);
  mprotect(p + 2 * PAGE, 2 * PAGE, PROT_NONE);
  mprotect(p + 4 * PAGE, 2 * PAGE, PROT_READ);
  picture("three kinds", p, 8);
  munmap(p + 3 * PAGE, 2 * PAGE); picture("across kinds", p, 8);
  CALL(munmap(p + 1, PAGE));
  CALL(munmap(p, 0));
  CALL(munmap(p, -PAGE));
  CALL(munmap((void *)(1UL << 47), PAGE));
  CALL(munmap(p, 1)); picture("one byte", p, 8);
  CALL(munmap(p + PAGE, 1UL << 20)); /* more than there is */
  return 0;
}
