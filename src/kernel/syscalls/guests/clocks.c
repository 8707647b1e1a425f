/* POSIX timers, clocks and interval timers. */
#include "show.h"

static long ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(void) {
  enter_directory();
  sigset_t ss, none;
  sigemptyset(&ss);
  struct itimerval iv = {{0}};
  timer_t ti;
  struct sigevent se = {0};
  se.sigev_notify = SIGEV_SIGNAL;
  se.sigev_signo = SIGUSR2;
  se.sigev_value.sival_int = 42;
  sigaddset(&ss, SIGUSR2);
  sigprocmask(SIG_BLOCK, &ss, 0);
  SHOW(timer_create(99, &se, &ti));
  SHOW(timer_create(CLOCK_MONOTONIC, &se, &ti));
  struct itimerspec it = {{0, 1000000}, {0, 1000000}};
  SHOW(timer_settime(ti, 0, &it, 0));
  usleep(10500);
  siginfo_t inf;
  sigemptyset(&none);
  sigaddset(&none, SIGUSR2);
  SHOW(sigwaitinfo(&none, &inf));
  printf("%d %d %d %d\n", inf.si_signo, inf.si_code, inf.si_value.sival_int, inf.si_overrun >= 8);
  SHOW(timer_getoverrun(ti) >= 8);
  SHOW(timer_delete(ti));
  SHOW(syscall(SYS_timer_delete, 5));
  SHOW(syscall(SYS_timer_settime, 5, 0, &it, 0));
  se.sigev_signo = 99;
  SHOW(timer_create(CLOCK_MONOTONIC, &se, &ti));
  struct timespec ts;
  SHOW(syscall(SYS_clock_gettime, 99, &ts));
  SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, BAD));
  SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC_COARSE, &ts));
  printf("%ld\n", (long)ts.tv_nsec);
  SHOW(syscall(SYS_clock_getres, CLOCK_PROCESS_CPUTIME_ID, &ts));
  printf("%ld\n", (long)ts.tv_nsec);
  clockid_t cc;
  clock_getcpuclockid(0, &cc);
  SHOW(clock_gettime(cc, &ts));
  clock_getcpuclockid(getpid(), &cc);
  SHOW(clock_gettime(cc, &ts));
  SHOW(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts));
  SHOW(syscall(SYS_gettimeofday, BAD, 0));
  SHOW(syscall(SYS_time, BAD));
  SHOW(getitimer(9, &iv));
  iv.it_value.tv_usec = 1000000;
  SHOW(setitimer(0, &iv, 0));
  SHOW(setitimer(9, &iv, 0));
  SHOW(alarm(5));
  SHOW(alarm(0));
  SHOW(getitimer(0, BAD));
  long a = ms();
  SHOW(usleep(30000));
  printf("%d\n", ms()-a >= 30);
  return 0;
}
