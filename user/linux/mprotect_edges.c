// mprotect: every access under every protection, ranges over holes, errors.
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
static sigjmp_buf back;
static void on_fault(int signal, siginfo_t *info, void *context) { siglongjmp(back, info->si_code); }
static char *p;
static const char *try_read(volatile char *at) {
  int code = sigsetjmp(back, 1);
  if (code) return code == SEGV_MAPERR ? "maperr" : "accerr";
  (void)*at;
  return "fine";
}
static const char *try_write(volatile char *at) {
  int code = sigsetjmp(back, 1);
  if (code) return code == SEGV_MAPERR ? "maperr" : "accerr";
  *at = (char)0xc3;
  return "fine";
}
static const char *try_run(char *at) {
  int code = sigsetjmp(back, 1);
  if (code) return code == SEGV_MAPERR ? "maperr" : "accerr";
  ((void (*)(void))at)();
  return "fine";
}
int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  p[0] = (char)0xc3;
  for (int prot = 0; prot < 8; prot++) {
    CALL(mprotect(p, PAGE, prot));
    printf("prot %d: read %s", prot, try_read(p));
    printf(" write %s", try_write(p));
    printf(" execute %s\n", try_run(p));
  }
  for (int prot = 0; prot < 8; prot++) { /* the same for pages nobody touched */
    char *q = mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("fresh %d: write %s", prot, try_write(q));
    printf(" read %s\n", try_read(q));
    munmap(q, PAGE);
  }
  munmap(p + 3 * PAGE, PAGE);
  SHOW(mprotect(p + PAGE, 5 * PAGE, PROT_READ)); /* ENOMEM at the hole; what lies before it is changed */
  printf("before hole %s, after hole %s\n", try_write(p + 2 * PAGE), try_write(p + 4 * PAGE));
  SHOW(mprotect(p + 3 * PAGE, PAGE, PROT_READ));
  SHOW(mprotect(p + 1, PAGE, PROT_READ));
  SHOW(mprotect(p, 0, PROT_READ));
  SHOW(mprotect(p, -PAGE, PROT_READ));
  SHOW(mprotect(p, PAGE, 0x100));
  SHOW(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP));
  SHOW(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN));
  SHOW(mprotect(p + 4 * PAGE, 10, PROT_NONE));
  printf("rounded up: %s, next %s\n", try_read(p + 5 * PAGE - 1), try_read(p + 5 * PAGE));
  mprotect(p + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE);
  printf("back again: %s %d\n", try_write(p + 4 * PAGE), p[4 * PAGE + 1]);
  return 0;
}
