/* execve and its limits, waiting, pipes. */
#include "selftest.h"
#include <menios/abi.h>

#pragma GCC diagnostic ignored "-Wstringop-overread" /* bad pointers are passed on purpose */

/* What the program does when a test executes it: checks what it was given; the exit status tells. */
int exec_child(int argc, char **argv) {
  if (strcmp(argv[2], "arguments") == 0) {
    const char *value = getenv("SELFTEST");
    return argc == 5 && strcmp(argv[3], "") == 0 && strcmp(argv[4], "two words") == 0 && value && strcmp(value, "yes=1") == 0 ? 42 : 1;
  }
  if (strcmp(argv[2], "count") == 0) return argc;
  if (strcmp(argv[2], "descriptors") == 0) {
    int kept = atoi(argv[3]), closed = atoi(argv[4]);
    return fcntl(kept, F_GETFD) == 0 && fcntl(closed, F_GETFD) == -1 && errno == EBADF ? 42 : 1;
  }
  if (strcmp(argv[2], "signals") == 0) {
    struct sigaction action;
    sigset_t blocked;
    sigaction(SIGUSR1, NULL, &action);
    int reset = action.sa_handler == SIG_DFL;
    sigaction(SIGUSR2, NULL, &action);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    return reset && action.sa_handler == SIG_IGN && sigismember(&blocked, SIGTERM) ? 42 : 1;
  }
  if (strcmp(argv[2], "memory") == 0) {
    char *base = (char *)strtoul(argv[3], NULL, 16);
    provoke(read_byte, base); /* the old image's mapping is gone */
    return fault.count == 1 ? 42 : 1;
  }
  return 2;
}

/* Executes this program with arguments; its exit status, or -errno. */
static int exec_self_status(char *const arguments[], char *const variables[]) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    execve(self_path, arguments, variables);
    _exit(100 + errno);
  }
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1000;
  return WEXITSTATUS(status) >= 100 ? 100 - WEXITSTATUS(status) : WEXITSTATUS(status);
}

TEST(exec_failure) {
  char *const arguments[] = {"x", NULL};
  char *base = map_pages(2, PROT_READ | PROT_WRITE);
  strcpy(base, "still here");
  int fd = open("/tmp/selftest.text", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  EXPECT(fd >= 0 && write(fd, "no program at all\n", 18) == 18);
  int second = open("/tmp/selftest.broken", O_RDWR | O_CREAT | O_TRUNC, 0755);
  EXPECT(second >= 0 && write(second, "\177ELF\2\1\1", 7) == 7);
  close(second);
  static const struct {
    const char *path;
    int error;
  } cases[] = {{"/no/such/program", ENOENT}, {"/tmp", EACCES}, {"", ENOENT}, {"/tmp/selftest.broken", ENOEXEC}};
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    errno = 0;
    EXPECT(execve(cases[i].path, arguments, environ) == -1);
    EXPECT(errno == cases[i].error);
  }
  EXPECT(execve((char *)1, arguments, environ) == -1 && errno == EFAULT);
  EXPECT(execve(self_path, (char **)1, environ) == -1 && errno == EFAULT);
  EXPECT(strcmp(base, "still here") == 0);
  EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC); /* not even close-on-exec happened */
  return NULL;
}

TEST(exec_self) {
  char *const arguments[] = {"selftest", "--exec-child", "arguments", "", "two words", NULL};
  char *const variables[] = {"SELFTEST=yes=1", NULL};
  EXPECT(exec_self_status(arguments, variables) == 42);
  char address[24];
  snprintf(address, sizeof address, "%lx", (unsigned long)map_pages(1, PROT_READ | PROT_WRITE));
  char *const memory[] = {"selftest", "--exec-child", "memory", address, NULL};
  EXPECT(exec_self_status(memory, variables) == 42);
  return NULL;
}

TEST(exec_close_on_exec) {
  char kept[8], closed[8];
  int a = dup(1), b = dup(1);
  EXPECT(fcntl(b, F_SETFD, FD_CLOEXEC) == 0);
  snprintf(kept, sizeof kept, "%d", a);
  snprintf(closed, sizeof closed, "%d", b);
  char *const arguments[] = {"selftest", "--exec-child", "descriptors", kept, closed, NULL};
  EXPECT(exec_self_status(arguments, environ) == 42);
  return NULL;
}

TEST(exec_resets_signals) {
  sigset_t set = 1UL << (SIGTERM - 1);
  signal(SIGUSR1, (void (*)(int))(uintptr_t)exec_child);
  signal(SIGUSR2, SIG_IGN);
  sigprocmask(SIG_BLOCK, &set, NULL);
  char *const arguments[] = {"selftest", "--exec-child", "signals", NULL};
  EXPECT(exec_self_status(arguments, environ) == 42);
  return NULL;
}

TEST(exec_limits) {
#ifndef MENIOS_GATE_LINUX
  static char *arguments[70] = {"selftest", "--exec-child", "count"};
  static char long_one[5000];
  char *const none[] = {NULL};
  for (int i = 3; i < MENIOS_EXEC_ARGUMENTS; i++) arguments[i] = "a";
  EXPECT(exec_self_status(arguments, none) == MENIOS_EXEC_ARGUMENTS);
  arguments[MENIOS_EXEC_ARGUMENTS] = "a";
  EXPECT(exec_self_status(arguments, none) == -E2BIG);
  arguments[4] = NULL;
  static char *variables[70];
  for (int i = 0; i < MENIOS_EXEC_VARIABLES; i++) variables[i] = "V=1";
  EXPECT(exec_self_status(arguments, variables) == 4);
  variables[MENIOS_EXEC_VARIABLES] = "V=1";
  EXPECT(exec_self_status(arguments, variables) == -E2BIG);
  memset(long_one, 'x', 4000);
  arguments[3] = long_one;
  EXPECT(exec_self_status(arguments, none) == 4);
  memset(long_one, 'x', 4100);
  EXPECT(exec_self_status(arguments, none) == -E2BIG);
#endif
  return NULL;
}

TEST(path_limits) {
#ifndef MENIOS_GATE_LINUX
  static char path[400];
  for (int i = 0; i < 300; i++) path[i] = "/x"[i % 2];
  errno = 0;
  EXPECT(open(path, O_RDONLY) == -1 && errno == ENAMETOOLONG);
  path[MENIOS_PATH_MAX] = 0;
  EXPECT(open(path, O_RDONLY) == -1 && errno == ENAMETOOLONG);
  EXPECT(chdir(path) == -1 && errno == ENAMETOOLONG);
  path[MENIOS_PATH_MAX - 1] = 0;
  EXPECT(open(path, O_RDONLY) == -1 && errno == ENOENT);
  char *const arguments[] = {"x", NULL};
  path[MENIOS_PATH_MAX - 1] = '/';
  EXPECT(execve(path, arguments, environ) == -1 && errno == ENAMETOOLONG);
#endif
  return NULL;
}

TEST(wait_status) {
  int status;
  for (int code = 0; code < 256; code += 51) {
    IN_CHILD(status, _exit(code));
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == code);
  }
  IN_CHILD(status, _exit(0x1234));
  EXPECT(WEXITSTATUS(status) == 0x34);
  return NULL;
}

TEST(wait_nohang) {
  int go[2], status;
  EXPECT(pipe(go) == 0);
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(go[1]);
    read(go[0], &byte, 1);
    _exit(5);
  }
  EXPECT(waitpid(child, &status, WNOHANG) == 0);
  close(go[1]);
  EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
  return NULL;
}

TEST(wait_order) {
  pid_t child[5];
  int status;
  for (int i = 0; i < 5; i++)
    if ((child[i] = fork()) == 0) _exit(i);
  EXPECT(waitpid(child[3], &status, 0) == child[3] && WEXITSTATUS(status) == 3);
  int seen = 0;
  for (int i = 0; i < 4; i++) {
    pid_t pid = wait(&status);
    EXPECT(pid == child[WEXITSTATUS(status)]);
    seen |= 1 << WEXITSTATUS(status);
  }
  EXPECT(seen == 0x17);
  return NULL;
}

TEST(wait_no_children) {
  int status;
  errno = 0;
  EXPECT(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
  IN_CHILD(status, EXPECT(waitpid(getppid(), &status, 0) == -1 && errno == ECHILD));
  EXPECT(waitpid(getpid(), &status, WNOHANG) == -1 && errno == ECHILD);
  return NULL;
}

TEST(wait_signaled) {
  int status;
  IN_CHILD(status, abort());
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  IN_CHILD(status, raise(SIGKILL));
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  return NULL;
}

TEST(orphan) {
  /* A grandchild whose parent ends goes on and is reaped by somebody else. */
  int news[2], status;
  char byte = 0;
  EXPECT(pipe(news) == 0);
  IN_CHILD(status, {
    pid_t parent = getpid();
    if (fork() == 0) {
      for (int i = 0; i < 1000 && getppid() == parent; i++) yield(), usleep(1000);
      write(news[1], getppid() != parent ? "y" : "n", 1);
      _exit(0);
    }
  });
  EXPECT(read(news[0], &byte, 1) == 1 && byte == 'y');
  return NULL;
}

TEST(pipe_round_trip) {
  int to[2], from[2], status;
  EXPECT(pipe(to) == 0 && pipe(from) == 0);
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(to[1]);
    while (read(to[0], &byte, 1) == 1) byte++, write(from[1], &byte, 1);
    _exit(0);
  }
  for (int i = 0; i < 200; i++) {
    unsigned char byte = (unsigned char)i;
    EXPECT(write(to[1], &byte, 1) == 1 && read(from[0], &byte, 1) == 1);
    EXPECT(byte == (unsigned char)(i + 1));
  }
  close(to[1]);
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  return NULL;
}

TEST(pipe_larger_than_buffer) {
  enum { BYTES = 1 << 20 };
  int ends[2], status;
  EXPECT(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    char *data = malloc(BYTES);
    for (int i = 0; i < BYTES; i++) data[i] = (char)(i * 7);
    close(ends[0]);
    _exit(write(ends[1], data, BYTES) == BYTES ? 0 : 1);
  }
  close(ends[1]);
  static char part[5000];
  long total = 0, wrong = 0;
  for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0; total += got)
    for (ssize_t i = 0; i < got; i++) wrong += part[i] != (char)((total + i) * 7);
  EXPECT(total == BYTES);
  EXPECT(wrong == 0);
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  return NULL;
}

TEST(pipe_end_of_file) {
  int ends[2];
  char text[8];
  EXPECT(pipe(ends) == 0);
  EXPECT(write(ends[1], "abc", 3) == 3);
  close(ends[1]);
  EXPECT(read(ends[0], text, 8) == 3);
  EXPECT(read(ends[0], text, 8) == 0);
  return NULL;
}

TEST(pipe_broken) {
  int ends[2], status;
  EXPECT(pipe(ends) == 0);
  close(ends[0]);
  IN_CHILD(status, write(ends[1], "x", 1));
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
  signal(SIGPIPE, SIG_IGN);
  errno = 0;
  EXPECT(write(ends[1], "x", 1) == -1 && errno == EPIPE);
  return NULL;
}

TEST(dup_shares_offset) {
  int fd = open("/tmp/selftest.dup", O_RDWR | O_CREAT | O_TRUNC, 0600), status;
  EXPECT(fd >= 0);
  int other = dup(fd);
  EXPECT(other >= 0 && other != fd);
  EXPECT(write(fd, "abc", 3) == 3);
  EXPECT(lseek(other, 0, SEEK_CUR) == 3);
  EXPECT(dup2(fd, 50) == 50 && lseek(50, 1, SEEK_SET) == 1);
  IN_CHILD(status, write(fd, "X", 1));
  EXPECT(lseek(fd, 0, SEEK_CUR) == 2); /* descriptions are shared across fork */
  EXPECT(dup2(99, 3) == -1 && errno == EBADF);
  return NULL;
}
