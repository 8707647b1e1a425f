/* System calls that a signal interrupts: EINTR, restarts, partial counts, sigsuspend, sigtimedwait, timers. */
#include "guest.h"

static volatile int hits;
static void hit(int signal, info_t *info, context_t *context) { hits++; }

static long child_that_kills(int signal, long after) {
  long parent = self(), child = fork_();
  if (child == 0) {
    nap(after);
    CALL(kill, parent, signal);
    leave(0);
  }
  return child;
}

long guest(int argc, char **argv, char **envp) {
  int ends[2], status;
  long result;
  char buffer[64];
  CALL(pipe, ends);
  act(USR1, hit, 0, 0);
  long child = child_that_kills(USR1, 20);
  result = CALL(read, ends[0], buffer, 10);
  say("read interrupted: %d hits %d\n", result, (long)hits);
  wait_(child, &status, 0);

  act(USR1, hit, RESTART, 0);
  long parent = self();
  child = fork_();
  if (child == 0) {
    nap(20);
    CALL(kill, parent, USR1);
    nap(20);
    CALL(write, ends[1], "data", 4);
    leave(0);
  }
  result = CALL(read, ends[0], buffer, 10);
  say("read restarted: %d hits %d\n", result, (long)hits);
  wait_(child, &status, 0);

  child = child_that_kills(USR1, 20);
  struct { long seconds, nanoseconds; } time = {10, 0}, left = {-1, -1};
  result = CALL(nanosleep, &time, &left);
  say("nanosleep: %d left %d\n", result, (long)(left.seconds == 9));
  wait_(child, &status, 0);

  /* A stop and continue is not seen by a restartable call. */
  child = fork_();
  if (child == 0) {
    long stopped = CALL(getppid);
    nap(20);
    CALL(kill, stopped, CONT);
    nap(20);
    CALL(write, ends[1], "more", 4);
    leave(0);
  }
  result = CALL(read, ends[0], buffer, 10);
  say("read over SIGCONT: %d\n", result);
  wait_(child, &status, 0);

  unsigned long none = 0;
  hits = 0;
  block(0, BIT(USR1));
  child = child_that_kills(USR1, 10);
  wait_(child, &status, 0);
  say("blocked %d pending %x\n", (long)hits, pending());
  result = CALL(rt_sigsuspend, &none, 8);
  say("sigsuspend: %d hits %d pending %x\n", result, (long)hits, pending());
  unsigned long now;
  CALL(rt_sigprocmask, 0, 0, &now, 8);
  say("mask back %x\n", now);

  CALL(kill, self(), USR1);
  unsigned long set = BIT(USR1) | BIT(USR2);
  info_t info;
  result = CALL(rt_sigtimedwait, &set, &info, 0, 8);
  say("sigtimedwait: %d", result);
  say(" signo %d code %d\n", (long)info.signo, (long)info.code);
  time.seconds = 0;
  time.nanoseconds = 20000000;
  result = CALL(rt_sigtimedwait, &set, &info, &time, 8);
  say("sigtimedwait timeout: %d\n", result);
  child = child_that_kills(USR1, 10);
  result = CALL(rt_sigtimedwait, &set, &info, 0, 8);
  say("sigtimedwait later: %d\n", result);
  wait_(child, &status, 0);
  block(1, BIT(USR1));

  hits = 0;
  child = child_that_kills(USR1, 20);
  result = CALL(pause);
  say("pause: %d hits %d\n", result, (long)hits);
  wait_(child, &status, 0);

  /* Queued information arrives as it was sent. */
  block(0, BIT(RT));
  info_t sent = {RT, 0, -1};
  for (int i = 0; i < 3; i++) {
    *(int *)(sent.room + 8) = 100 + i;
    sent.pid = 7;
    CALL(rt_sigqueueinfo, self(), RT, &sent);
  }
  set = BIT(RT);
  for (int i = 0; i < 3; i++) {
    CALL(rt_sigtimedwait, &set, &info, 0, 8);
    say("queued code %d value %d pid %d\n", (long)info.code, (long)*(int *)(info.room + 8), (long)info.pid);
  }
  return 0;
}
