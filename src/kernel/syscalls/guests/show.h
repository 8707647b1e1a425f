/* SHOW(call) prints the call as it is written, its result and the name of its errno, so that a run on the host's kernel and one
 * on ours can be compared line by line. Nothing that differs from run to run is printed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOW(call)                                                                       \
  do {                                                                                   \
    errno = 0;                                                                           \
    long result_ = (long)(call);                                                         \
    int error_ = errno;                                                                  \
    printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(error_) : ""); \
  } while (0)
#define BAD ((void *)1)

static volatile int signals;
static void count_signal(int signal) { (void)signal, signals++; }

/* A fresh, empty working directory. */
static void enter_directory(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  char name[] = "/tmp/calls-XXXXXX";
  if (!mkdtemp(name) || chdir(name)) exit(99);
}
