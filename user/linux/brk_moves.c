// brk and sbrk: growth, zero fill after a shrink, limits.
#include "check.h"
#include <sys/resource.h>
#include <sys/syscall.h>
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  char *base = (char *)syscall(SYS_brk, 0);
  char *aligned = (char *)(((uintptr_t)base + PAGE - 1) & ~(PAGE - 1));
  FACT((char *)syscall(SYS_brk, aligned + 10 * PAGE) == aligned + 10 * PAGE);
  for (int i = 0; i < 10; i++) aligned[i * PAGE] = 'a' + i;
  FACT((char *)syscall(SYS_brk, aligned + 3 * PAGE + 1) == aligned + 3 * PAGE + 1);
  FACT(aligned[3 * PAGE] == 'd'); /* the page that is partly inside stays */
  FACT((char *)syscall(SYS_brk, aligned + 10 * PAGE) == aligned + 10 * PAGE);
  for (int i = 0; i < 10; i++) putchar(aligned[i * PAGE] ? aligned[i * PAGE] : '0');
  putchar('\n');
  FACT((char *)syscall(SYS_brk, 1) == aligned + 10 * PAGE); /* below the start: unchanged */
  FACT((char *)syscall(SYS_brk, -1UL) == aligned + 10 * PAGE);
  FACT((char *)syscall(SYS_brk, 1UL << 47) == aligned + 10 * PAGE);
  struct rlimit limit = {64 << 20, 64 << 20};
  SHOW(setrlimit(RLIMIT_DATA, &limit));
  FACT((char *)syscall(SYS_brk, aligned + (256UL << 20)) == aligned + 10 * PAGE);
  FACT((char *)syscall(SYS_brk, aligned + (1UL << 20)) == aligned + (1UL << 20));
  for (int cycle = 0; cycle < 50; cycle++) {
    if ((char *)syscall(SYS_brk, aligned + (cycle % 7 + 1) * 100 * PAGE) != aligned + (cycle % 7 + 1) * 100 * PAGE) printf("cycle %d failed\n", cycle);
    memset(aligned + 3 * PAGE, cycle, (cycle % 7 + 1) * 100 * PAGE - 3 * PAGE);
    syscall(SYS_brk, aligned + 3 * PAGE);
  }
  printf("cycles done %c\n", aligned[2 * PAGE]);
  return 0;
}
