// Sessions and process groups, signals to a group, setpgid rules.
#include "check.h"
#include <sys/wait.h>
static volatile int got;
static void on(int s) { got = s; }
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  int status;
  if (fork() == 0) {
    FACT(setsid() == getpid());
    SHOW(setsid());
    FACT(getpgrp() == getpid() && getsid(0) == getpid());
    pid_t a = fork();
    if (a == 0) { for (;;) pause(); }
    pid_t b = fork();
    if (b == 0) { signal(SIGTERM, SIG_IGN); setpgid(0, 0); for (;;) pause(); }
    SHOW(setpgid(a, a));
    FACT(getpgid(a) == a);
    SHOW(setpgid(b, b));
    SHOW(setpgid(a, b)); /* b leads a group already, a may join */
    FACT(getpgid(a) == b);
    SHOW(setpgid(a, 99999));
    SHOW(setpgid(99999, 0));
    SHOW(setpgid(a, -1));
    SHOW(setpgid(0, 0));
    SHOW(kill(-b, SIGKILL));
    int n = 0;
    while (wait(&status) > 0) n += WTERMSIG(status) == SIGKILL;
    printf("killed %d\n", n);
    SHOW(kill(-b, 0));
    signal(SIGUSR1, on);
    SHOW(kill(0, SIGUSR1));
    printf("own group %d\n", got == SIGUSR1);
    _exit(0);
  }
  wait(&status);
  printf("status %d\n", status);
  SHOW(getpgid(99999));
  SHOW(kill(99999, 0));
  return 0;
}
