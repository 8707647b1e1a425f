// Masks, pending sets, order of delivery, nesting, SA_NODEFER, SA_RESETHAND, sigsuspend.
#include "check.h"
static char log_text[200];
static volatile int at; /* raise() is declared not to call back, so the compiler would keep it in a register */
static void note(int s) { at += snprintf(log_text + at, sizeof log_text - at, " %d", s); }
static void flush_log(const char *title) { printf("%s:%s\n", title, log_text); at = 0; log_text[0] = 0; }
static void raise_other(int s) { note(s); raise(SIGUSR2); note(-s); }
static void show(const char *title, sigset_t *set) {
  printf("%s:", title);
  for (int i = 1; i < 32; i++) if (sigismember(set, i)) printf(" %d", i);
  putchar('\n');
}
static void on(int s, void (*f)(int), int flags, int blocked) {
  struct sigaction a = {.sa_handler = f, .sa_flags = flags};
  sigemptyset(&a.sa_mask);
  if (blocked) sigaddset(&a.sa_mask, blocked);
  sigaction(s, &a, NULL);
}
int main(void) {
  sigset_t set, old;
  int all[] = {SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGTERM, SIGALRM, SIGCHLD};
  sigemptyset(&set);
  for (int i = 0; i < 7; i++) { on(all[i], note, 0, 0); sigaddset(&set, all[i]); }
  SHOW(sigprocmask(SIG_BLOCK, &set, &old));
  show("old mask", &old);
  for (int i = 6; i >= 0; i--) { raise(all[i]); raise(all[i]); }
  flush_log("while blocked");
  sigpending(&old);
  show("pending", &old);
  sigdelset(&set, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  flush_log("unblocked");
  sigpending(&old);
  show("pending", &old);
  sigemptyset(&set);
  SHOW(sigsuspend(&set));
  flush_log("suspend");
  sigprocmask(SIG_BLOCK, NULL, &old);
  show("mask", &old);
  sigprocmask(SIG_SETMASK, &set, NULL);
  on(SIGUSR1, raise_other, 0, 0);
  raise(SIGUSR1); flush_log("nested");
  on(SIGUSR1, raise_other, 0, SIGUSR2);
  raise(SIGUSR1); flush_log("held back");
  static int depth;
  on(SIGUSR1, raise_other, SA_RESETHAND, 0);
  raise(SIGUSR1); flush_log("reset");
  struct sigaction a;
  sigaction(SIGUSR1, NULL, &a);
  FACT(a.sa_handler == SIG_DFL);
  SHOW(sigaction(SIGKILL, &a, NULL));
  SHOW(sigaction(SIGSTOP, &a, NULL));
  SHOW(sigaction(65, &a, NULL));
  sigfillset(&set);
  SHOW(sigprocmask(SIG_SETMASK, &set, NULL));
  sigprocmask(SIG_SETMASK, NULL, &old);
  FACT(sigismember(&old, SIGKILL));
  FACT(sigismember(&old, SIGSTOP));
  SHOW(sigprocmask(9, &set, NULL));
  SHOW(kill(getpid(), 0));
  SHOW(kill(getpid(), 100));
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  sigpending(&old);
  FACT(sigismember(&old, SIGUSR1));
  return 0;
}
