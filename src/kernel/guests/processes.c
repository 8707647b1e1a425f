/* fork, wait in all its forms, exit statuses, groups, orphans, vfork and exec. */
#include "guest.h"

static void report(const char *what, int status) {
  if ((status & 0x7f) == 0) say("%s: exited %d\n", what, (long)(status >> 8 & 0xff));
  else if ((status & 0xff) == 0x7f) say("%s: stopped %d\n", what, (long)(status >> 8 & 0xff));
  else if (status == 0xffff) say("%s: continued\n", what);
  else say("%s: killed %d\n", what, (long)(status & 0x7f));
}

static int shared_by_vfork;

/* The vector above the environment agrees with what it describes. */
static void check_vector(char **argv, char **envp) {
  unsigned long values[64] = {0}, present = 0;
  while (*envp) envp++;
  for (unsigned long *entry = (unsigned long *)(envp + 1); entry[0]; entry += 2)
    if (entry[0] < 64) values[entry[0]] = entry[1], present |= 1ul << entry[0];
  unsigned a = 1, b, c, d;
  __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
  const char *name = (const char *)values[31], *platform = (const char *)values[15];
  say("vector: hwcap %d page %d ticks %d entry %d phdr %d phent %d base %d secure %d random %d name %d platform %s\n", (long)(values[16] == d),
      (long)values[6], (long)values[17], (long)(values[9] != 0), (long)(*(int *)values[3] != 0), (long)values[4], (long)values[7], (long)values[23],
      (long)(*(unsigned long *)values[25] != 0), (long)(length_of(name) == length_of(argv[0])), platform);
}

long guest(int argc, char **argv, char **envp) {
  int status;
  if (argc > 1) {
    say("exec: argc %d", (long)argc);
    for (int i = 1; i < argc; i++) say(" [%s]", argv[i]);
    for (char **variable = envp; *variable; variable++) say(" {%s}", *variable);
    say("\n");
    return 42;
  }
  long child = fork_();
  if (child == 0) leave(300);
  say("wait %d\n", (long)(wait_(-1, &status, 0) == child));
  report("exit", status);
  child = fork_();
  if (child == 0) CALL(kill, self(), TERM);
  wait_(child, &status, 0);
  report("kill", status);
  child = fork_();
  if (child == 0)
    for (;;) CALL(pause);
  say("nohang %d\n", wait_(child, &status, 1));
  CALL(kill, child, STOP);
  wait_(child, &status, 2);
  report("stop", status);
  say("only once %d\n", wait_(child, &status, 3));
  CALL(kill, child, CONT);
  wait_(child, &status, 8);
  report("continue", status);
  CALL(kill, child, STOP);
  wait_(child, &status, 2);
  CALL(kill, child, KILL);
  info_t info;
  memset(&info, 0, sizeof info);
  say("waitid nowait %d", CALL(waitid, 1, child, &info, 4 | 0x1000000, 0));
  say(" code %d status %d signo %d\n", (long)info.code, (long)info.status, (long)info.signo);
  wait_(child, &status, 0);
  report("after", status);
  say("echild %d einval %d\n", wait_(-1, &status, 0), wait_(-1, &status, 0x100000));
  say("no such process %d\n", CALL(kill, child, 0));

  child = CALL(vfork);
  if (child == 0) {
    shared_by_vfork = 7;
    CALL(exit, 3);
  }
  wait_(child, &status, 0);
  report("vfork", status);
  say("shared %d\n", (long)shared_by_vfork);

  check_vector(argv, envp);
  char *arguments[] = {"self", "one", "two words", "", 0}, *variables[] = {"A=b", "C=", 0};
  child = CALL(vfork);
  if (child == 0) {
    CALL(execve, argv[0], arguments, variables);
    CALL(exit, 9);
  }
  wait_(child, &status, 0);
  report("exec", status);
  say("exec errors %d %d %d %d\n", CALL(execve, "/nowhere", arguments, variables), CALL(execve, "/", arguments, variables),
      CALL(execve, 8, arguments, variables), CALL(execve, argv[0], 8, variables));

  /* Groups. */
  child = fork_();
  if (child == 0)
    for (;;) CALL(pause);
  say("setpgid %d", CALL(setpgid, child, child));
  say(" own group %d session kept %d\n", (long)(CALL(getpgid, child) == child), (long)(CALL(getsid, child) == CALL(getsid, 0)));
  say("setpgid again into nothing %d\n", CALL(setpgid, child, 99999999));
  CALL(kill, -child, TERM);
  wait_(-child, &status, 0);
  report("group", status);
  child = fork_();
  if (child == 0) {
    long session = CALL(setsid);
    say("setsid %d twice %d\n", (long)(session == self()), CALL(setsid));
    leave(0);
  }
  wait_(child, &status, 0);

  /* SIGCHLD: ignored children vanish. */
  act(CHLD, (handler_t)1, 0, 0);
  child = fork_();
  if (child == 0) leave(5);
  say("ignored children %d\n", wait_(child, &status, 0));
  act(CHLD, 0, 0, 0);

  /* An orphan goes to the subreaper. */
  CALL(prctl, 36, 1, 0, 0, 0);
  child = fork_();
  if (child == 0) {
    if (fork_() == 0) {
      nap(30);
      leave(77);
    }
    leave(1);
  }
  wait_(child, &status, 0);
  report("middle", status);
  say("grandchild %d\n", (long)(wait_(-1, &status, 0) > 0));
  report("grandchild", status);
  return 17;
}
