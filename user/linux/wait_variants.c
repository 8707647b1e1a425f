// wait, waitpid, waitid, wait4: states, options, stop and continue, rusage, ECHILD.
#include "check.h"
#include <sys/resource.h>
#include <sys/wait.h>
static void show(int r, siginfo_t *i) {
  if (r) printf("waitid: %s\n", errno_name(errno));
  else printf("waitid: signo %d code %d status %d\n", i->si_signo, i->si_code, i->si_status);
}
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  int status;
  siginfo_t info;
  pid_t pid = fork();
  if (pid == 0) _exit(12);
  memset(&info, 0, sizeof info);
  show(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), &info);
  show(waitid(P_PID, pid, &info, WEXITED), &info);
  show(waitid(P_PID, pid, &info, WEXITED), &info);
  if ((pid = fork()) == 0) { raise(SIGSTOP); for (;;) pause(); }
  FACT(waitpid(pid, &status, WUNTRACED) == pid);
  printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
  SHOW(waitpid(pid, &status, WNOHANG));
  kill(pid, SIGCONT);
  FACT(waitpid(pid, &status, WCONTINUED) == pid);
  printf("continued %d\n", WIFCONTINUED(status));
  kill(pid, SIGTERM);
  FACT(waitpid(pid, &status, 0) == pid);
  printf("ended by %d\n", WTERMSIG(status));
  if ((pid = fork()) == 0) { raise(SIGSTOP); _exit(0); }
  show(waitid(P_PID, pid, &info, WSTOPPED), &info);
  kill(pid, SIGKILL);
  show(waitid(P_ALL, 0, &info, WEXITED), &info);
  if ((pid = fork()) == 0) abort();
  struct rusage usage;
  FACT(wait4(pid, &status, 0, &usage) == pid);
  printf("signal %d\n", WTERMSIG(status));
  FACT(usage.ru_minflt > 0);
  SHOW(wait(&status));
  SHOW(waitpid(getpid(), &status, 0));
  SHOW(waitpid(-1, &status, 0x1000));
  SHOW(waitid(P_ALL, 0, &info, 0));
  SHOW(waitid(99, 0, &info, WEXITED));
  signal(SIGCHLD, SIG_IGN); /* children vanish by themselves */
  if ((pid = fork()) == 0) _exit(1);
  SHOW(waitpid(pid, &status, 0));
  signal(SIGCHLD, SIG_DFL);
  pid_t many[10];
  for (int i = 0; i < 10; i++) if ((many[i] = fork()) == 0) _exit(i);
  for (int i = 9; i >= 0; i--) { waitpid(many[i], &status, 0); printf("%d ", WEXITSTATUS(status)); }
  printf("\n");
  return 0;
}
