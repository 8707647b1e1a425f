/* eventfd, timerfd and signalfd. */
#include "show.h"
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

int main(void) {
  enter_directory();
  int f = open("f", O_RDWR | O_CREAT, 0600);
  int p[2];
  pipe(p);
  sigset_t ss;
  SHOW(eventfd(0, 99));
  int e = eventfd(5, EFD_NONBLOCK);
  unsigned long v;
  SHOW(read(e, &v, 4));
  SHOW(read(e, &v, 8));
  printf("%lu\n", v);
  SHOW(read(e, &v, 8));
  v = ~0UL;
  SHOW(write(e, &v, 8));
  v = ~0UL-1;
  SHOW(write(e, &v, 8));
  v = 1;
  SHOW(write(e, &v, 8));
  SHOW(write(e, &v, 7));
  SHOW(lseek(e, 0, 0));
  struct pollfd pe = {e, POLLIN|POLLOUT};
  SHOW(poll(&pe, 1, 0));
  printf("%x\n", pe.revents);
  SHOW(read(e, &v, 8));
  printf("%lx\n", v);
  SHOW(timerfd_create(99, 0));
  SHOW(timerfd_create(CLOCK_MONOTONIC, 99));
  int tf = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec its = {{0, 0}, {0, 5000000}}, old;
  SHOW(read(tf, &v, 8));
  SHOW(timerfd_settime(tf, 99, &its, 0));
  SHOW(timerfd_settime(tf, 0, BAD, 0));
  SHOW(timerfd_settime(p[1], 0, &its, 0));
  SHOW(timerfd_settime(tf, 0, &its, &old));
  printf("%ld %ld\n", (long)old.it_value.tv_sec, (long)old.it_value.tv_nsec);
  struct pollfd pt = {tf, POLLIN};
  SHOW(poll(&pt, 1, 1000));
  SHOW(read(tf, &v, 4));
  SHOW(read(tf, &v, 8));
  printf("%lu\n", v);
  its.it_interval.tv_nsec = 2000000;
  timerfd_settime(tf, 0, &its, 0);
  usleep(20000);
  SHOW(read(tf, &v, 8));
  printf("%d\n", v >= 6 && v<200);
  its.it_value.tv_nsec = 0;
  timerfd_settime(tf, 0, &its, 0);
  SHOW(timerfd_gettime(tf, &old));
  printf("%ld %ld\n", (long)old.it_value.tv_nsec, (long)old.it_interval.tv_nsec);
  clock_gettime(CLOCK_REALTIME, &its.it_value);
  timerfd_settime(timerfd_create(CLOCK_REALTIME, 0), TFD_TIMER_ABSTIME, &its, 0);
  sigemptyset(&ss);
  sigaddset(&ss, SIGUSR1);
  sigaddset(&ss, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ss, 0);
  int sf = signalfd(-1, &ss, SFD_NONBLOCK);
  SHOW(signalfd(f, &ss, 0));
  SHOW(signalfd(99, &ss, 0));
  struct signalfd_siginfo si;
  SHOW(read(sf, &si, sizeof si));
  SHOW(read(sf, &si, 10));
  kill(getpid(), SIGUSR1);
  struct pollfd ps = {sf, POLLIN};
  SHOW(poll(&ps, 1, 0));
  SHOW(read(sf, &si, sizeof si));
  printf("%d %d %d\n", si.ssi_signo, si.ssi_code, si.ssi_pid == getpid());
  if (!fork())_exit(7);
  fcntl(sf, F_SETFL, 0);
  SHOW(read(sf, &si, sizeof si));
  printf("%d %d %d\n", si.ssi_signo, si.ssi_code, si.ssi_status);
  wait(0);
  return 0;
}
