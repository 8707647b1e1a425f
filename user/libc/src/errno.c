/* errno and its messages. One thread, so one variable. */
#include "gate.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int last_error;

int *__errno_location(void) {
  return &last_error;
}

long __result(long value) {
  if ((unsigned long)value < -4095UL) return value;
  last_error = (int)-value;
  return -1;
}

static const char *const messages[] = {
  [0] = "Success", [EPERM] = "Operation not permitted", [ENOENT] = "No such file or directory", [ESRCH] = "No such process",
  [EINTR] = "Interrupted system call", [EIO] = "Input/output error", [ENXIO] = "No such device or address",
  [E2BIG] = "Argument list too long", [ENOEXEC] = "Exec format error", [EBADF] = "Bad file descriptor",
  [ECHILD] = "No child processes", [EAGAIN] = "Resource temporarily unavailable", [ENOMEM] = "Cannot allocate memory",
  [EACCES] = "Permission denied", [EFAULT] = "Bad address", [ENOTBLK] = "Block device required",
  [EBUSY] = "Device or resource busy", [EEXIST] = "File exists", [EXDEV] = "Invalid cross-device link",
  [ENODEV] = "No such device", [ENOTDIR] = "Not a directory", [EISDIR] = "Is a directory", [EINVAL] = "Invalid argument",
  [ENFILE] = "Too many open files in system", [EMFILE] = "Too many open files", [ENOTTY] = "Inappropriate ioctl for device",
  [ETXTBSY] = "Text file busy", [EFBIG] = "File too large", [ENOSPC] = "No space left on device", [ESPIPE] = "Illegal seek",
  [EROFS] = "Read-only file system", [EMLINK] = "Too many links", [EPIPE] = "Broken pipe",
  [EDOM] = "Numerical argument out of domain", [ERANGE] = "Numerical result out of range",
  [EDEADLK] = "Resource deadlock avoided", [ENAMETOOLONG] = "File name too long", [ENOLCK] = "No locks available",
  [ENOSYS] = "Function not implemented", [ENOTEMPTY] = "Directory not empty", [ELOOP] = "Too many levels of symbolic links",
  [EIDRM] = "Identifier removed", [EOVERFLOW] = "Value too large for defined data type",
  [EILSEQ] = "Invalid or incomplete multibyte or wide character", [EOPNOTSUPP] = "Operation not supported",
  [ETIMEDOUT] = "Connection timed out",
};

char *strerror(int number) {
  static char unknown[32];
  if (number >= 0 && number < (int)(sizeof messages / sizeof *messages) && messages[number]) return (char *)messages[number];
  snprintf(unknown, sizeof unknown, "Unknown error %d", number);
  return unknown;
}

void perror(const char *prefix) {
  const char *message = strerror(last_error);
  if (prefix && *prefix) fprintf(stderr, "%s: %s\n", prefix, message);
  else fprintf(stderr, "%s\n", message);
}
