// futex(2) without a library on top: wait, wake, timeouts, requeue, bitsets, between processes.
#include "check.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET };
#define ADD_5_IF_EQ_0 (1 << 28 | 0 << 24 | 5 << 12 | 0) /* FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0) */
static long futex(volatile int *a, int op, int v, const void *t, volatile int *b, int w) { return syscall(SYS_futex, a, op, v, t, b, w); }
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  volatile int *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct timespec soon = {0, 10000000}, bad = {0, 2000000000};
  SHOW(futex(w, FUTEX_WAIT, 1, NULL, NULL, 0));
  SHOW(futex(w, FUTEX_WAIT, 0, &soon, NULL, 0));
  SHOW(futex(w, FUTEX_WAIT, 0, &bad, NULL, 0));
  SHOW(futex(w, FUTEX_WAKE, 1, NULL, NULL, 0));
  SHOW(futex((int *)((char *)w + 1), FUTEX_WAKE, 1, NULL, NULL, 0));
  SHOW(futex((int *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
  SHOW(futex(w, 99, 0, NULL, NULL, 0));
  SHOW(futex(w, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
  for (int i = 0; i < 3; i++)
    if (fork() == 0) { w[1 + i] = 1; long r = futex(w, FUTEX_WAIT, 0, NULL, NULL, 0); _exit(r == 0 ? 10 + i : 1); }
  while (w[1] + w[2] + w[3] < 3) usleep(1000);
  usleep(30000);
  SHOW(futex(w, FUTEX_WAKE, 1, NULL, NULL, 0));
  SHOW(futex(w, FUTEX_REQUEUE, 0, (void *)1, w + 8, 0));
  SHOW(futex(w + 8, FUTEX_WAKE, 9, NULL, NULL, 0));
  SHOW(futex(w, FUTEX_CMP_REQUEUE, 0, (void *)1, w + 8, 5));
  SHOW(futex(w, FUTEX_CMP_REQUEUE, 1, (void *)1, w + 8, 0));
  int status, sum = 0;
  while (wait(&status) > 0) sum += WEXITSTATUS(status);
  printf("sum %d\n", sum);
  for (int i = 0; i < 2; i++) {
    w[1 + i] = 0;
    if (fork() == 0) { w[1 + i] = 1; _exit(futex(w, FUTEX_WAIT_BITSET, 0, NULL, NULL, 1 << i) == 0 ? 20 + i : 1); }
  }
  while (w[1] + w[2] < 2) usleep(1000);
  usleep(30000);
  SHOW(futex(w, FUTEX_WAKE_BITSET, 9, NULL, NULL, 2));
  wait(&status);
  printf("woken %d\n", WEXITSTATUS(status));
  SHOW(futex(w, FUTEX_WAKE_BITSET, 9, NULL, NULL, 4));
  SHOW(futex(w, FUTEX_WAKE_BITSET, 9, NULL, NULL, 1));
  wait(&status);
  printf("woken %d\n", WEXITSTATUS(status));
  w[0] = 3;
  SHOW(futex(w, FUTEX_WAKE_OP, 1, (void *)1, w + 4, ADD_5_IF_EQ_0));
  printf("op %d\n", w[4]);
  return 0;
}
