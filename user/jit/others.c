// Another thread narrows and replaces a mapping that this one has ranges over.
// flags: -pthread
#include "check.h"
#include <pthread.h>
#include <sched.h>
static _Atomic int phase, faults, stop;
static _Atomic long turns;
static void hold(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  long offset = (char *)info->si_addr - area;
  if (offset < 0 || offset >= LENGTH) _exit(9);
  faults++;
  while (phase == 1) sched_yield(); /* then the instruction runs again */
}
static void *writer(void *unused) {
  (void)unused;
  for (uint64_t n = 1; !stop; n++) {
    fill(area, LENGTH, n);
    turns++;
  }
  return NULL;
}
static void wait_turns(long count) {
  for (long until = turns + count; turns < until;) sched_yield();
}
int main(void) {
  struct sigaction action = {.sa_sigaction = hold, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  area = map_area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  pthread_t thread;
  pthread_create(&thread, NULL, writer, NULL);
  wait_turns(3);
  int still = 0, faulted = 0;
  for (int round = 0; round < 6; round++) {
    int before = faults;
    phase = 1;
    mprotect(area, LENGTH, PROT_READ);
    while (faults == before) sched_yield(); /* it must fault: it only writes */
    uint64_t now = sum(area, LENGTH);
    for (int i = 0; i < 50; i++) sched_yield();
    still += sum(area, LENGTH) == now;
    phase = 0;
    mprotect(area, LENGTH, PROT_READ | PROT_WRITE);
    wait_turns(2);
    faulted += faults > before;
  }
  printf("nothing was written while nothing could be: %d of 6, faults in %d of 6\n", still, faulted);
  for (int round = 0; round < 6; round++) {
    int before = faults;
    phase = 1;
    munmap(area + 10 * PAGE, 30 * PAGE);
    while (faults == before) sched_yield();
    mmap(area + 10 * PAGE, 30 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    phase = 0;
    wait_turns(2);
  }
  int fresh = 0;
  for (int round = 0; round < 6; round++) { /* replaced in one step: nothing faults, and everything is written again */
    mmap(area, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    wait_turns(2);
    fresh += *(volatile uint64_t *)(area + LENGTH - 8) != 0;
  }
  stop = 1;
  pthread_join(thread, NULL);
  uint64_t first = *(uint64_t *)area;
  int whole = 1;
  for (size_t i = 0; i < LENGTH; i += 8) whole &= *(uint64_t *)(area + i) == first + i;
  printf("replaced pages were written: %d of 6, the last turn is whole: %d\n", fresh, whole);
}
