// vfork with exec and with _exit, posix_spawn, system, popen, exec of a script, exec errors.
#include "check.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (argc > 1) {
    printf("program started with %d arguments:", argc - 1);
    for (int i = 1; i < argc; i++) printf(" [%s]", argv[i]);
    printf(" MARK=%s\n", getenv("MARK") ? getenv("MARK") : "none");
    return 40 + argc;
  }
  int status;
  volatile int shared = 1;
  pid_t pid = vfork();
  if (pid == 0) { shared = 2; _exit(5); }
  waitpid(pid, &status, 0);
  printf("vfork child wrote %d, status %d\n", shared, WEXITSTATUS(status));
  pid = vfork();
  if (pid == 0) {
    char *args[] = {"me", "one", "two words", NULL}, *env[] = {"MARK=vfork", NULL};
    execve("/proc/self/exe", args, env);
    _exit(99);
  }
  waitpid(pid, &status, 0);
  printf("status %d\n", WEXITSTATUS(status));
  char *args[] = {"me", "spawned", NULL};
  int spawned = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, args, environ);
  waitpid(pid, &status, 0);
  printf("spawned %d status %d\n", spawned, WEXITSTATUS(status));
  SHOW(posix_spawn(&pid, "/no/such", NULL, NULL, args, environ) == ENOENT);
  char self[256] = "";
  readlink("/proc/self/exe", self, 255);
  FILE *f = fopen("/tmp/guest.script", "w");
  fprintf(f, "#!%s interpreted\nnever read\n", self);
  fclose(f);
  SHOW(chmod("/tmp/guest.script", 0755));
  if ((pid = fork()) == 0) { execl("/tmp/guest.script", "script", "arg", NULL); _exit(98); }
  waitpid(pid, &status, 0);
  printf("script status %d\n", WEXITSTATUS(status));
  char *none[] = {"x", NULL};
  SHOW(execve("/no/such", none, environ));
  SHOW(execve("/tmp", none, environ));
  SHOW(execve("", none, environ));
  SHOW(execve((char *)1, none, environ));
  SHOW(execve("/proc/self/exe", (char **)1, environ));
  chmod("/tmp/guest.script", 0644);
  SHOW(execve("/tmp/guest.script", none, environ));
  f = fopen("/tmp/guest.text", "w"); fputs("just text\n", f); fclose(f); chmod("/tmp/guest.text", 0755);
  SHOW(execve("/tmp/guest.text", none, environ));
  f = fopen("/tmp/guest.text", "w"); fputs("#!/no/such/interpreter\n", f); fclose(f);
  SHOW(execve("/tmp/guest.text", none, environ));
  SHOW(execve("/tmp/guest.text/x", none, environ));
  char *huge = malloc(200000);
  memset(huge, 'h', 199999); huge[199999] = 0;
  char *large[] = {"x", huge, NULL};
  SHOW(execve("/proc/self/exe", large, environ));
  unlink("/tmp/guest.text"); unlink("/tmp/guest.script");
  return 0;
}
