// stat fields, times set and read back, chmod, access, statx, statfs, umask, device files.
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>
#define P "/tmp/guest.stat"
int main(void) {
  struct stat s;
  umask(027);
  unlink(P);
  int fd = open(P, O_RDWR | O_CREAT, 0666);
  fstat(fd, &s);
  printf("%o %d %d %d\n", s.st_mode, (int)s.st_nlink, (int)s.st_size, (int)s.st_blksize);
  struct timespec t[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
  SHOW(utimensat(AT_FDCWD, P, t, 0));
  stat(P, &s);
  printf("%ld.%09ld %ld.%09ld\n", s.st_atim.tv_sec, s.st_atim.tv_nsec, s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
  t[0].tv_nsec = UTIME_OMIT; t[1].tv_nsec = UTIME_NOW;
  SHOW(futimens(fd, t));
  fstat(fd, &s);
  FACT(s.st_atim.tv_sec == 1000000000); FACT(time(NULL) - s.st_mtim.tv_sec < 100);
  struct timeval v[2] = {{5, 6}, {7, 8}};
  SHOW(utimes(P, v)); stat(P, &s); printf("%ld.%09ld %ld.%09ld\n", s.st_atim.tv_sec, s.st_atim.tv_nsec, s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
  write(fd, "x", 1); fstat(fd, &s); FACT(s.st_mtim.tv_sec > 1000000000);
  SHOW(utimensat(AT_FDCWD, "/none", t, 0));
  SHOW(stat("/dev/null", &s)); FACT(S_ISCHR(s.st_mode)); printf("%d:%d\n", major(s.st_rdev), minor(s.st_rdev));
  SHOW(stat("/dev/zero", &s)); printf("%d:%d\n", major(s.st_rdev), minor(s.st_rdev));
  SHOW(stat("/tmp", &s)); FACT(S_ISDIR(s.st_mode)); FACT(s.st_mode & S_ISVTX);
  int p[2]; pipe(p); fstat(p[0], &s); FACT(S_ISFIFO(s.st_mode));
  SHOW(stat("/proc/self/exe", &s)); FACT(S_ISREG(s.st_mode)); SHOW(lstat("/proc/self/exe", &s)); FACT(S_ISLNK(s.st_mode));
  SHOW(stat("/none/x", &s)); SHOW(stat(P "/x", &s)); SHOW(fstat(99, &s)); SHOW(stat("", &s));
  SHOW(mkfifo("/tmp/guest.fifo", 0666)); SHOW(stat("/tmp/guest.fifo", &s)); printf("%o\n", s.st_mode); SHOW(unlink("/tmp/guest.fifo"));
  struct statfs f; SHOW(statfs("/tmp", &f)); FACT(f.f_bsize > 0); SHOW(fstatfs(fd, &f));
  printf("umask %o\n", umask(0));
  SHOW(chmod(P, 04755)); stat(P, &s); printf("%o\n", s.st_mode);
  SHOW(chown(P, getuid(), getgid())); SHOW(unlink(P));
  return 0;
}
