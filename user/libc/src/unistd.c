/* POSIX calls that are one gate call each, and the few that are made from others. */
#include "gate.h"
#include <errno.h>
#include <fcntl.h>
#include <menios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

ssize_t read(int fd, void *buffer, size_t count) { return CALL3(SYS_read, fd, buffer, count); }
ssize_t write(int fd, const void *buffer, size_t count) { return CALL3(SYS_write, fd, buffer, count); }
int close(int fd) { return (int)CALL1(SYS_close, fd); }
off_t lseek(int fd, off_t offset, int whence) { return CALL3(SYS_lseek, fd, offset, whence); }
int pipe(int ends[2]) { return (int)CALL1(SYS_pipe, ends); }
int dup(int fd) { return (int)CALL1(SYS_dup, fd); }
int dup2(int fd, int target) { return (int)CALL2(SYS_dup2, fd, target); }
int chdir(const char *path) { return (int)CALL1(SYS_chdir, path); }

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
  va_end(arguments);
  return (int)CALL3(SYS_open, path, flags, mode);
}

int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  long value = va_arg(arguments, long);
  va_end(arguments);
  return (int)CALL3(SYS_fcntl, fd, command, value);
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *value = va_arg(arguments, void *);
  va_end(arguments);
  return (int)CALL3(SYS_ioctl, fd, request, value);
}

int isatty(int fd) {
  char termios[64];
  return ioctl(fd, TCGETS, termios) == 0;
}

char *getcwd(char *buffer, size_t size) {
  if (buffer) return CALL2(SYS_getcwd, buffer, size) < 0 ? NULL : buffer;
  char path[MENIOS_PATH_MAX];
  return CALL2(SYS_getcwd, path, sizeof path) < 0 ? NULL : strdup(path);
}

/* Resolves "." and ".." by text: the gate has no symbolic links to follow. */
char *realpath(const char *path, char *resolved) {
  char whole[2 * MENIOS_PATH_MAX];
  if (*path == '/') whole[0] = 0;
  else if (!getcwd(whole, MENIOS_PATH_MAX)) return NULL;
  size_t length = strlen(whole);
  while (*path) {
    size_t part = strcspn(path, "/");
    if (part == 2 && path[0] == '.' && path[1] == '.') {
      while (length > 0 && whole[--length] != '/') continue;
    } else if (part > 0 && !(part == 1 && path[0] == '.')) {
      if (length > 0 && whole[length - 1] == '/') length--;
      if (length + part + 2 > MENIOS_PATH_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
      }
      whole[length++] = '/';
      memcpy(whole + length, path, part);
      length += part;
    }
    path += part + (path[part] == '/');
  }
  if (length == 0) whole[length++] = '/';
  whole[length] = 0;
  return resolved ? strcpy(resolved, whole) : strdup(whole);
}

void _exit(int status) {
  for (;;) gate3(SYS_exit, status, 0, 0);
}

static pid_t known_pid;

pid_t fork(void) {
  pid_t child = (pid_t)CALL0(SYS_fork);
  if (child == 0) known_pid = 0;
  return child;
}

int execve(const char *path, char *const argv[], char *const envp[]) { return (int)CALL3(SYS_execve, path, argv, envp); }
int execv(const char *path, char *const argv[]) { return execve(path, argv, environ); }

int execvp(const char *name, char *const argv[]) {
  if (strchr(name, '/')) return execv(name, argv);
  const char *path = getenv("PATH");
  if (!path) path = "/bin:/usr/bin";
  int best = ENOENT;
  for (;;) {
    size_t length = strcspn(path, ":");
    char whole[MENIOS_PATH_MAX];
    if (snprintf(whole, sizeof whole, "%.*s%s%s", (int)length, path, length ? "/" : "", name) < (int)sizeof whole) {
      execv(whole, argv);
      if (errno != ENOENT && errno != ENOTDIR) best = errno;
      if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return -1;
    }
    if (!path[length]) break;
    path += length + 1;
  }
  errno = best;
  return -1;
}

pid_t waitpid(pid_t pid, int *status, int options) { return (pid_t)CALL4(SYS_waitpid, pid, status, options, 0); }
pid_t wait(int *status) { return waitpid(-1, status, 0); }

/* Field `index` (from 0) of /proc/self/stat; the name in parentheses is one field (proc(5)). */
static long stat_field(int index) {
  char text[512];
  int before = errno, fd = open("/proc/self/stat", O_RDONLY);
  if (fd < 0) return -1;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  errno = before;
  if (length <= 0) return -1;
  text[length] = 0;
  if (index == 0) return atol(text);
  char *at = strrchr(text, ')');
  for (int field = 1; at && field < index; field++) at = strchr(at + 1, ' ');
  return at ? atol(at + 1) : -1;
}

pid_t getpid(void) {
  if (known_pid == 0) known_pid = (pid_t)stat_field(0);
  return known_pid;
}

pid_t getppid(void) {
  return (pid_t)stat_field(3);
}

int getpagesize(void) {
  long size = gate3(SYS_getpagesize, 0, 0, 0);
  return size > 0 ? (int)size : 4096;
}

long sysconf(int name) {
  switch (name) {
    case _SC_PAGESIZE: return getpagesize();
    case _SC_NPROCESSORS_ONLN: return 1;
    default: errno = EINVAL; return -1;
  }
}

ssize_t listdir(const char *path, char *buffer, size_t size) { return CALL3(SYS_listdir, path, buffer, size); }
int stdin_poll(void) { return (int)CALL0(SYS_stdin_poll); }
int proc_kill(pid_t pid, int status) { return (int)CALL2(SYS_proc_kill, pid, status); }
ssize_t proc_list(char *buffer, size_t size) { return CALL2(SYS_proc_list, buffer, size); }
int yield(void) { return (int)CALL0(SYS_yield); }
int sleep_us(unsigned long microseconds) { return (int)CALL1(SYS_sleep, microseconds); }

int shmget(key_t key, size_t size, int flags) { return (int)CALL3(SYS_shmget, key, size, flags); }
void *shmat(int id, const void *address, int flags) { return (void *)CALL3(SYS_shmat, id, address, flags); }
int shmdt(const void *address) { return (int)CALL1(SYS_shmdt, address); }
int shmctl(int id, int command, struct shmid_ds *buffer) { return (int)CALL3(SYS_shmctl, id, command, buffer); }
