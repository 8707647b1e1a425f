// What survives execve: pid, cwd, ignored signals, mask, open descriptors; what does not: handlers, mappings, close-on-exec.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
static void handler(int s) {}
int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (argc > 1) {
    struct sigaction a;
    sigset_t m;
    char cwd[100];
    FACT(atoi(argv[1]) == getpid());
    FACT(strcmp(getcwd(cwd, 100), "/tmp") == 0);
    sigaction(SIGUSR1, NULL, &a); FACT(a.sa_handler == SIG_DFL);
    sigaction(SIGUSR2, NULL, &a); FACT(a.sa_handler == SIG_IGN);
    sigprocmask(SIG_BLOCK, NULL, &m);
    FACT(sigismember(&m, SIGTERM));
    sigpending(&m);
    FACT(sigismember(&m, SIGTERM));
    SHOW(fcntl(50, F_GETFD));
    SHOW(fcntl(51, F_GETFD));
    unsigned char v;
    SHOW(mincore((void *)0x700000000, PAGE, &v));
    FACT(getenv("ONLY") && strcmp(getenv("ONLY"), "this") == 0);
    extern char **environ;
    SHOW(environ[1] == NULL);
    FACT(alarm(0) > 50);
    SHOW(umask(0));
    return 0;
  }
  char pid[16], *args[] = {"again", pid, NULL}, *env[] = {"ONLY=this", NULL};
  snprintf(pid, 16, "%d", getpid());
  chdir("/tmp");
  signal(SIGUSR1, handler);
  signal(SIGUSR2, SIG_IGN);
  sigset_t m;
  sigemptyset(&m);
  sigaddset(&m, SIGTERM);
  sigprocmask(SIG_BLOCK, &m, NULL);
  raise(SIGTERM);
  dup2(1, 50);
  dup3(1, 51, O_CLOEXEC);
  mmap((void *)0x700000000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  alarm(100);
  umask(027);
  SHOW(execve("/no/such", args, env)); /* nothing of this is lost when it fails */
  execve("/proc/self/exe", args, env);
  return 1;
}
