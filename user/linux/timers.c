// Clocks and timers: order and rough length only. setitimer, timer_create, alarm, nanosleep, clock_getres.
// flags: -lrt
#include "check.h"
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
static volatile int hits, last;
static void hit(int s) { hits++; last = s; }
static double now(int clock) { struct timespec t; clock_gettime(clock, &t); return t.tv_sec + t.tv_nsec / 1e9; }
int main(void) {
  signal(SIGALRM, hit); signal(SIGVTALRM, hit); signal(SIGPROF, hit); signal(SIGUSR1, hit);
  double a = now(CLOCK_MONOTONIC), b;
  struct timespec t = {0, 30000000};
  SHOW(nanosleep(&t, NULL)); b = now(CLOCK_MONOTONIC); FACT(b - a >= 0.03); FACT(b - a < 2);
  // Blocked until sigsuspend, so that a slow machine does not miss it.
  sigset_t alarms, none; sigemptyset(&none); sigemptyset(&alarms); sigaddset(&alarms, SIGALRM); sigprocmask(SIG_BLOCK, &alarms, NULL);
  struct itimerval i = {{0, 0}, {0, 100000}}, old;
  SHOW(setitimer(ITIMER_REAL, &i, NULL)); SHOW(getitimer(ITIMER_REAL, &old)); FACT(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 100000);
  sigsuspend(&none); sigprocmask(SIG_UNBLOCK, &alarms, NULL); i.it_value.tv_usec = 10000; SHOW(hits); SHOW(last);
  hits = 0; SHOW(setitimer(ITIMER_VIRTUAL, &i, NULL)); while (!hits) continue; SHOW(last);
  hits = 0; SHOW(setitimer(ITIMER_PROF, &i, NULL)); while (!hits) continue; SHOW(last);
  SHOW(setitimer(99, &i, NULL)); i.it_value.tv_usec = 2000000; SHOW(setitimer(ITIMER_REAL, &i, NULL));
  timer_t id; struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1}; struct itimerspec s = {{0, 5000000}, {0, 5000000}}, left;
  hits = 0; SHOW(timer_create(CLOCK_MONOTONIC, &e, &id)); SHOW(timer_settime(id, 0, &s, NULL)); while (hits < 3) pause(); SHOW(timer_gettime(id, &left)); FACT(left.it_interval.tv_nsec == 5000000);
  SHOW(timer_delete(id)); hits = 0; SHOW(timer_gettime(id, &left)); t.tv_nsec = 20000000; nanosleep(&t, NULL); SHOW(hits);
  SHOW(alarm(50)); FACT(alarm(0) >= 49);
  FACT(now(CLOCK_REALTIME) > 1.6e9); FACT(now(CLOCK_PROCESS_CPUTIME_ID) > 0); FACT(now(CLOCK_THREAD_CPUTIME_ID) > 0); FACT(now(CLOCK_BOOTTIME) > 0);
  struct timespec r; SHOW(clock_getres(CLOCK_MONOTONIC, &r)); FACT(r.tv_sec == 0 && r.tv_nsec > 0); SHOW(clock_gettime(77, &r));
  t.tv_nsec = 1000000000; SHOW(nanosleep(&t, NULL)); t.tv_nsec = -1; SHOW(nanosleep(&t, NULL)); SHOW(nanosleep((void *)1, NULL));
  struct tms m; FACT(times(&m) != (clock_t)-1); FACT(clock() > 0); FACT(time(NULL) > 1600000000);
  double prev = now(CLOCK_MONOTONIC); int backward = 0; for (int k = 0; k < 1000; k++) { double x = now(CLOCK_MONOTONIC); backward += x < prev; prev = x; } SHOW(backward);
  return 0;
}
