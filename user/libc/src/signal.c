/* Signals. The handler's return address is __sigreturn, given to the kernel as the restorer. */
#include "gate.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

void __sigreturn(void);

int kill(pid_t pid, int signal) { return (int)CALL2(SYS_kill, pid, signal); }
int raise(int signal) { return kill(getpid(), signal); }

int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  struct sigaction with_restorer;
  if (action) {
    with_restorer = *action;
    with_restorer.sa_flags |= SA_RESTORER;
    with_restorer.sa_restorer = __sigreturn;
    action = &with_restorer;
  }
  return (int)CALL4(SYS_sigaction, signal, action, old, sizeof(sigset_t));
}

void (*signal(int signal, void (*handler)(int)))(int) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
  return sigaction(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
  return (int)CALL4(SYS_sigprocmask, how, set, old, sizeof(sigset_t));
}

static int change(sigset_t *set, int signal, int add) {
  if (signal < 1 || signal >= NSIG) {
    errno = EINVAL;
    return -1;
  }
  if (add) *set |= 1UL << (signal - 1);
  else *set &= ~(1UL << (signal - 1));
  return 0;
}

int sigemptyset(sigset_t *set) { return *set = 0, 0; }
int sigfillset(sigset_t *set) { return *set = ~0UL, 0; }
int sigaddset(sigset_t *set, int signal) { return change(set, signal, 1); }
int sigdelset(sigset_t *set, int signal) { return change(set, signal, 0); }
int sigismember(const sigset_t *set, int signal) { return (int)(*set >> (signal - 1) & 1); }

int __sigsetjmp_mask(sigjmp_buf environment, int save) {
  environment->saved = save;
  return save ? sigprocmask(SIG_BLOCK, NULL, &environment->mask) : 0;
}

void siglongjmp(sigjmp_buf environment, int value) {
  if (environment->saved) sigprocmask(SIG_SETMASK, &environment->mask, NULL);
  longjmp(environment->registers, value);
}
