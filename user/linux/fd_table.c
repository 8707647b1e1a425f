// Descriptors: dup family, lowest number, close-on-exec, fcntl, shared offsets, locks, close_range.
#include "check.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
int main(void) {
  int fd = open("/tmp/guest.fd", O_RDWR | O_CREAT | O_TRUNC, 0600), base = fd;
  printf("next %d\n", dup(fd) - base);
  close(base + 1);
  SHOW(dup(fd) - base); SHOW(dup2(fd, 60)); SHOW(dup2(60, 60)); SHOW(dup3(60, 60, 0)); SHOW(dup3(60, 61, O_CLOEXEC)); SHOW(dup2(99, 5)); SHOW(dup2(fd, -1)); SHOW(dup(99));
  SHOW(fcntl(61, F_GETFD)); SHOW(fcntl(60, F_GETFD)); SHOW(fcntl(60, F_SETFD, FD_CLOEXEC)); SHOW(fcntl(60, F_GETFD)); SHOW(fcntl(fd, F_GETFD));
  SHOW(fcntl(fd, F_DUPFD, 100)); SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 100)); SHOW(fcntl(101, F_GETFD)); SHOW(fcntl(fd, F_DUPFD, -1));
  printf("%x\n", fcntl(fd, F_GETFL) & ~0100000); SHOW(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK)); printf("%x %x\n", fcntl(fd, F_GETFL) & ~0100000, fcntl(100, F_GETFL) & ~0100000);
  SHOW(fcntl(fd, F_SETFL, 0)); SHOW(fcntl(fd, 9999)); SHOW(fcntl(99, F_GETFD));
  SHOW(write(fd, "abcdef", 6)); SHOW(lseek(100, 2, SEEK_SET)); SHOW(lseek(fd, 0, SEEK_CUR));
  int other = open("/tmp/guest.fd", O_RDWR); SHOW(lseek(other, 0, SEEK_CUR));
  fflush(stdout);
  if (fork() == 0) { lseek(fd, 4, SEEK_SET); close(60); _exit(0); }
  wait(NULL);
  SHOW(lseek(fd, 0, SEEK_CUR)); SHOW(fcntl(60, F_GETFD));
  SHOW(flock(fd, LOCK_EX)); SHOW(flock(other, LOCK_EX | LOCK_NB)); SHOW(flock(100, LOCK_UN)); SHOW(flock(other, LOCK_SH | LOCK_NB)); SHOW(flock(fd, LOCK_SH | LOCK_NB)); SHOW(flock(fd, 16));
  struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 3};
  SHOW(fcntl(fd, F_SETLK, &l));
  fflush(stdout);
  if (fork() == 0) { struct flock q = l; SHOW(fcntl(fd, F_SETLK, &q)); q = l; SHOW(fcntl(fd, F_GETLK, &q)); FACT(q.l_pid == getppid()); q.l_type = F_WRLCK; q.l_start = 3; SHOW(fcntl(fd, F_SETLK, &q)); fflush(stdout); _exit(0); }
  wait(NULL);
  SHOW(close(base)); SHOW(close(base)); SHOW(close(-1));
  return 0;
}
