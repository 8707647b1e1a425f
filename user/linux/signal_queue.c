// Real-time signals queue with values in order; sigtimedwait, sigwaitinfo, signalfd.
#include "check.h"
#include <sys/signalfd.h>
#include <time.h>
static void on(int s, siginfo_t *i, void *c) { printf("handler %d code %d value %d mine %d\n", s - SIGRTMIN, i->si_code, i->si_value.sival_int, i->si_pid == getpid()); }
int main(void) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < 3; i++) sigaddset(&set, SIGRTMIN + i);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < 3; i++) { union sigval v = {.sival_int = 100 + i}; sigqueue(getpid(), SIGRTMIN + 2 - i, v); sigqueue(getpid(), SIGRTMIN + 1, v); }
  siginfo_t info;
  struct timespec zero = {0, 0};
  FACT(sigtimedwait(&set, &info, &zero) == SIGRTMIN);
  printf("code %d value %d\n", info.si_code, info.si_value.sival_int);
  FACT(sigwaitinfo(&set, &info) == SIGRTMIN + 1);
  printf("value %d\n", info.si_value.sival_int);
  struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
  for (int i = 0; i < 3; i++) sigaction(SIGRTMIN + i, &a, NULL);
  sigset_t two;
  sigemptyset(&two);
  sigaddset(&two, SIGRTMIN + 1);
  sigprocmask(SIG_UNBLOCK, &two, NULL);
  FACT(sigtimedwait(&set, &info, &zero) == SIGRTMIN + 2);
  SHOW(sigtimedwait(&set, &info, &zero));
  struct timespec some = {0, 20000000};
  SHOW(sigtimedwait(&set, &info, &some));
  int fd = signalfd(-1, &set, SFD_NONBLOCK);
  struct signalfd_siginfo s;
  SHOW(read(fd, &s, sizeof s));
  raise(SIGUSR1);
  union sigval v = {.sival_int = 7};
  sigqueue(getpid(), SIGRTMIN, v);
  SHOW(read(fd, &s, sizeof s) == sizeof s);
  printf("signalfd %d\n", s.ssi_signo);
  SHOW(read(fd, &s, sizeof s) == sizeof s);
  printf("signalfd %d value %d\n", s.ssi_signo - SIGRTMIN, s.ssi_int);
  SHOW(read(fd, &s, 10));
  int number;
  raise(SIGUSR1);
  SHOW(sigwait(&set, &number));
  FACT(number == SIGUSR1);
  return 0;
}
