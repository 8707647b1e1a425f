/* How the guest programs print: the expression and what came of it. No addresses, process ids or times, so that the
 * native run's output is the expected one. */
#ifndef CHECK_H
#define CHECK_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096UL

static inline const char *errno_name(int number) {
  static char other[16];
#define NAME(e) if (number == e) return #e;
  NAME(EPERM) NAME(ENOENT) NAME(ESRCH) NAME(EINTR) NAME(EIO) NAME(E2BIG) NAME(ENOEXEC) NAME(EBADF) NAME(ECHILD) NAME(EAGAIN)
  NAME(ENOMEM) NAME(EACCES) NAME(EFAULT) NAME(EBUSY) NAME(EEXIST) NAME(EXDEV) NAME(ENODEV) NAME(ENOTDIR) NAME(EISDIR) NAME(EINVAL)
  NAME(EMFILE) NAME(ENOTTY) NAME(ETXTBSY) NAME(EFBIG) NAME(ENOSPC) NAME(ESPIPE) NAME(EROFS) NAME(EPIPE) NAME(ERANGE) NAME(EDEADLK)
  NAME(ENAMETOOLONG) NAME(ENOSYS) NAME(ENOTEMPTY) NAME(ELOOP) NAME(EOVERFLOW) NAME(EOPNOTSUPP) NAME(ETIMEDOUT) NAME(ENXIO)
#undef NAME
  snprintf(other, sizeof other, "E%d", number);
  return other;
}

/* Prints an integer result, or the error's name. */
#define SHOW(expression)                                                                        \
  do {                                                                                          \
    errno = 0;                                                                                  \
    long result_ = (long)(expression);                                                          \
    if (result_ == -1 && errno) printf("%s: %s\n", #expression, errno_name(errno));             \
    else printf("%s: %ld\n", #expression, result_);                                             \
  } while (0)

/* Prints whether a call went well; for results that differ from run to run. */
#define CALL(expression)                                                                        \
  do {                                                                                          \
    errno = 0;                                                                                  \
    long result_ = (long)(expression);                                                          \
    printf("%s: %s\n", #expression, result_ == -1 ? errno_name(errno) : "ok");                  \
  } while (0)

/* Prints whether something holds. */
#define FACT(expression) printf("%s: %s\n", #expression, (expression) ? "yes" : "no")
#endif
