/* Limits, timers, shared futexes, what exec keeps and resets, scripts, orphaned groups. */
#include "guest.h"
#include <linux/resource.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

struct limit { unsigned long soft, hard; };
struct interval { long every_s, every_us, left_s, left_us; };
static volatile int hits[65];
static void hit(int signal, info_t *info, context_t *context) { hits[signal]++; }
static void report(const char *what, int status) {
  if ((status & 0x7f) == 0) say("%s: exited %d\n", what, (long)(status >> 8 & 0xff));
  else say("%s: killed %d\n", what, (long)(status & 0x7f));
}
static long deep(long n) {
  volatile char room[4096];
  room[0] = (char)n;
  return n == 0 ? room[0] : deep(n - 1) + room[0];
}
static void make(const char *path, const char *text, int mode) {
  long fd = CALL(open, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  CALL(write, fd, text, length_of(text));
  CALL(close, fd);
}

static long after_exec(char **argv) {
  struct action now;
  unsigned long mask;
  CALL(rt_sigaction, USR1, 0, &now, 8);
  say("handler after exec %d", (long)now.handler);
  CALL(rt_sigaction, USR2, 0, &now, 8);
  CALL(rt_sigprocmask, 0, 0, &mask, 8);
  say(" ignored %d mask %x pending %x", (long)now.handler, mask, pending());
  long first = CALL(fcntl, 20, F_GETFD), second = CALL(fcntl, 21, F_GETFD);
  say(" kept fd %d closed fd %d\n", first, second);
  return 4;
}

long guest(int argc, char **argv, char **envp) {
  int status;
  long child, result;
  if (argc > 1 && argv[1][0] == 'x') return after_exec(argv);
  if (argc > 1) {
    say("argc %d", (long)argc);
    for (int i = 1; i < argc; i++) say(" [%s]", argv[i]);
    say("\n");
    return 0;
  }

  struct limit limit;
  CALL(prlimit64, 0, 7, 0, &limit);
  limit.soft = 10;
  say("setrlimit %d\n", CALL(setrlimit, 7, &limit));
  long fd = CALL(open, "/dev/null", O_RDONLY), last = fd;
  while (last >= 0 && last < 100) fd = last, last = CALL(dup, fd);
  say("dup to %d then %d dup2 %d\n", fd, last, CALL(dup2, 0, 10));
  for (long i = 3; i < 10; i++) CALL(close, i);
  limit.soft = limit.hard;
  limit.hard = limit.soft - 1;
  say("soft above hard %d bad %d\n", CALL(setrlimit, 7, &limit), CALL(getrlimit, 99, &limit));
  CALL(getrlimit, 7, &limit);
  limit.soft = 100;
  CALL(setrlimit, 7, &limit);

  make("file-size", "x", 0600);
  child = fork_();
  if (child == 0) {
    struct limit size = {100, 100};
    CALL(setrlimit, 1, &size);
    fd = CALL(open, "file-size", O_WRONLY);
    CALL(lseek, fd, 90, 0);
    result = CALL(write, fd, "12345678901234567890", 20);
    act(25, hit, 0, 0);
    long again = CALL(write, fd, "1", 1);
    say("at the limit: %d then %d signals %d\n", result, again, (long)hits[25]);
    act(25, 0, 0, 0);
    CALL(write, fd, "1", 1);
    leave(0);
  }
  wait_(child, &status, 0);
  report("file size", status);
  CALL(unlink, "file-size");

  child = fork_();
  if (child == 0) {
    struct limit stack = {256 * 1024, 256 * 1024};
    CALL(setrlimit, 3, &stack);
    deep(20);
    say("deep enough\n");
    deep(200);
    leave(0);
  }
  wait_(child, &status, 0);
  report("stack limit", status);

  child = fork_();
  if (child == 0) {
    struct limit space = {64 << 20, 64 << 20};
    CALL(setrlimit, 9, &space);
    say("address space %d\n", CALL(mmap, 0, 128 << 20, 3, 0x22, -1, 0));
    leave(0);
  }
  wait_(child, &status, 0);

  /* Timers. */
  act(ALRM, hit, 0, 0);
  struct interval timer = {0, 20000, 0, 20000}, old;
  CALL(setitimer, 0, &timer, 0);
  while (hits[ALRM] < 3) CALL(pause);
  timer.every_us = timer.left_us = 0;
  CALL(setitimer, 0, &timer, &old);
  say("interval kept %d left %d\n", old.every_us, (long)(old.left_us > 0 && old.left_us <= 20000));
  act(26, hit, 0, 0);
  timer.left_us = 30000;
  CALL(setitimer, 1, &timer, 0);
  while (hits[26] == 0) continue;
  say("virtual timer %d\n", (long)hits[26]);

  /* A futex in memory that two processes share, at different addresses. */
  long pages = CALL(mmap, 0, 8192, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  volatile int *word = (volatile int *)pages;
  child = fork_();
  if (child == 0) {
    long elsewhere = CALL(mremap, pages, 8192, 8192, 3, 0x700000000000);
    word = (volatile int *)elsewhere;
    result = CALL(futex, word, FUTEX_WAIT, 0, 0);
    leave(result == 0 && *word == 9 ? 11 : 12);
  }
  nap(30);
  *word = 9;
  say("woke across processes %d private finds %d\n", CALL(futex, word, FUTEX_WAKE, 10), CALL(futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10));
  wait_(child, &status, 0);
  report("futex", status);

  /* exec: handlers, masks, descriptors. */
  CALL(dup2, 1, 20);
  CALL(dup3, 1, 21, O_CLOEXEC);
  child = fork_();
  if (child == 0) {
    act(USR1, hit, 0, 0);
    act(USR2, (handler_t)1, 0, 0);
    block(0, BIT(TERM) | BIT(RT));
    CALL(kill, self(), RT);
    char *arguments[] = {argv[0], "x", 0};
    CALL(execve, argv[0], arguments, 0);
    leave(99);
  }
  wait_(child, &status, 0);
  report("exec", status);

  /* Scripts. */
  char line[256];
  size_t at = 0;
  line[at++] = '#', line[at++] = '!';
  for (char *c = argv[0]; *c; c++) line[at++] = *c;
  memcpy(line + at, " one two  \nrest", 16);
  make("script", line, 0755);
  make("not-executable", line, 0644);
  make("nonsense", "just text", 0755);
  child = fork_();
  if (child == 0) {
    char *arguments[] = {"zero", "last", 0};
    CALL(execve, "./script", arguments, 0);
    leave(99);
  }
  wait_(child, &status, 0);
  report("script", status);
  char *arguments[] = {"zero", 0};
  long denied = CALL(execve, "./not-executable", arguments, 0), garbage = CALL(execve, "./nonsense", arguments, 0);
  say("not executable %d nonsense %d\n", denied, garbage);
  CALL(unlink, "script"), CALL(unlink, "not-executable"), CALL(unlink, "nonsense");

  static char big[200000];
  memset(big, 'a', sizeof big - 1);
  char *too_big[] = {"zero", big, 0};
  say("too big %d\n", CALL(execve, argv[0], too_big, 0));

  /* The death of a parent as a signal. */
  int ends[2];
  char byte;
  CALL(pipe, ends);
  child = fork_();
  if (child == 0) {
    if (fork_() == 0) {
      act(USR1, hit, 0, 0);
      CALL(prctl, 1, USR1, 0, 0, 0);
      CALL(write, ends[1], "r", 1);
      while (hits[USR1] == 0) CALL(pause);
      CALL(write, ends[1], "d", 1);
      leave(0);
    }
    CALL(read, ends[0], &byte, 1);
    leave(0);
  }
  wait_(child, &status, 0);
  CALL(read, ends[0], &byte, 1);
  say("parent death: %d\n", (long)byte);

  /* A stopped group that becomes orphaned gets SIGHUP and SIGCONT. */
  child = fork_();
  if (child == 0) {
    long grandchild = fork_();
    if (grandchild == 0) {
      act(HUP, hit, 0, 0);
      CALL(setpgid, 0, 0);
      CALL(write, ends[1], "g", 1);
      CALL(kill, self(), STOP);
      nap(1);
      byte = hits[HUP] > 0 ? 'h' : 'n';
      CALL(write, ends[1], &byte, 1);
      leave(0);
    }
    CALL(read, ends[0], &byte, 1);
    CALL(wait4, grandchild, &status, 2, 0);
    leave(0);
  }
  wait_(child, &status, 0);
  CALL(read, ends[0], &byte, 1);
  say("orphaned group: %d\n", (long)byte);

  struct { struct { long s, us; } user, system; long max, rest[3], minor, major, more[9]; } usage;
  CALL(getrusage, 0, &usage);
  say("usage: resident %d faults %d\n", (long)(usage.max > 0), (long)(usage.minor > 0));
  say("affinity %d ids %d\n", (long)(CALL(sched_getaffinity, 0, 128, line) > 0), CALL(setuid, -1));
  return 0;
}
