// Files: open flags, offsets, pread and pwrite, readv and writev, truncate, append, holes, errors.
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#define P "/tmp/guest.rw"
int main(void) {
  char b[100] = "";
  struct stat s;
  unlink(P);
  SHOW(open(P, O_RDONLY));
  int fd = open(P, O_RDWR | O_CREAT | O_EXCL, 0640);
  FACT(fd >= 0);
  SHOW(open(P, O_RDWR | O_CREAT | O_EXCL, 0640));
  SHOW(write(fd, "0123456789", 10));
  SHOW(lseek(fd, -3, SEEK_END));
  SHOW(read(fd, b, 100)); printf("%s\n", b);
  SHOW(pread(fd, b, 4, 2)); printf("%.4s\n", b);
  SHOW(pwrite(fd, "XY", 2, 4));
  SHOW(lseek(fd, 0, SEEK_CUR));
  SHOW(pread(fd, b, 10, 0)); printf("%.10s\n", b);
  SHOW(lseek(fd, 5000, SEEK_SET)); SHOW(write(fd, "end", 3));
  fstat(fd, &s);
  SHOW(s.st_size); printf("mode %o links %d\n", s.st_mode, (int)s.st_nlink);
  SHOW(pread(fd, b, 5, 3000)); printf("%d%d%d\n", b[0], b[2], b[4]);
  SHOW(ftruncate(fd, 4)); SHOW(ftruncate(fd, 8));
  SHOW(pread(fd, b, 100, 0)); printf("%.4s %d %d\n", b, b[4], b[7]);
  int ap = open(P, O_WRONLY | O_APPEND);
  SHOW(write(ap, "append", 6)); SHOW(lseek(ap, 0, SEEK_CUR)); SHOW(pwrite(ap, "!", 1, 0)); /* appends all the same */
  fstat(fd, &s); SHOW(s.st_size);
  struct iovec v[3] = {{b, 3}, {b + 10, 0}, {b + 20, 7}};
  lseek(fd, 0, SEEK_SET);
  SHOW(readv(fd, v, 3)); printf("%.3s\n", b);
  struct iovec w[2] = {{"one", 3}, {"two", 3}};
  SHOW(writev(ap, w, 2)); SHOW(pwritev(fd, w, 2, 1)); SHOW(preadv(fd, v, 3, 1)); printf("%.3s\n", b);
  SHOW(writev(ap, w, -1)); SHOW(readv(fd, (void *)1, 1));
  SHOW(read(ap, b, 1)); SHOW(write(77, b, 1)); SHOW(lseek(fd, -1, SEEK_SET)); SHOW(lseek(fd, 0, 9)); SHOW(read(fd, (void *)1, 1));
  SHOW(open("/tmp", O_WRONLY)); SHOW(open("/tmp/none/x", O_RDONLY)); SHOW(open(P "/x", O_RDONLY)); SHOW(open(P, O_RDONLY | O_DIRECTORY));
  SHOW(open("", O_RDONLY)); SHOW(open((char *)1, O_RDONLY));
  char name[300]; memset(name, 'n', 299); name[299] = 0; memcpy(name, "/tmp/", 5);
  SHOW(open(name, O_RDONLY));
  SHOW(truncate(P, 3)); stat(P, &s); SHOW(s.st_size); SHOW(truncate(P, -1)); SHOW(truncate("/tmp", 0));
  int tr = open(P, O_WRONLY | O_TRUNC); fstat(tr, &s); SHOW(s.st_size);
  SHOW(fallocate(fd, 0, 0, 10000)); fstat(fd, &s); SHOW(s.st_size);
  SHOW(fsync(fd)); SHOW(fdatasync(fd));
  int d = open("/tmp", O_RDONLY | O_DIRECTORY); FACT(openat(d, "guest.rw", O_RDONLY) >= 0); SHOW(read(d, b, 1)); SHOW(openat(fd, "x", O_RDONLY));
  SHOW(access(P, R_OK | W_OK)); SHOW(access(P, X_OK)); SHOW(access("/none", F_OK));
  int path = open(P, O_PATH); SHOW(read(path, b, 1)); SHOW(fstat(path, &s));
  SHOW(unlink(P)); SHOW(unlink(P)); SHOW(write(fd, "still", 5)); fstat(fd, &s); SHOW(s.st_nlink);
  return 0;
}
