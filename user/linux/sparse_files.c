// Sparse files: SEEK_DATA and SEEK_HOLE at page granularity, blocks, copy_file_range and sendfile.
#include "check.h"
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
int main(void) {
  int fd = open("/tmp/guest.sparse", O_RDWR | O_CREAT | O_TRUNC, 0600), out = open("/tmp/guest.copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
  struct stat s;
  char c[10];
  pwrite(fd, "start", 5, 0);
  pwrite(fd, "far", 3, 1L << 30);
  fstat(fd, &s);
  SHOW(s.st_size);
  FACT(s.st_blocks * 512 < 1 << 20);
  SHOW(pread(fd, c, 3, 500000000)); printf("%d%d%d\n", c[0], c[1], c[2]);
  SHOW(lseek(fd, 0, SEEK_END));
  SHOW(lseek(fd, 0, SEEK_HOLE) > 0);
  SHOW(lseek(fd, 1 << 20, SEEK_DATA) > (1 << 20));
  SHOW(lseek(fd, 2L << 30, SEEK_DATA));
  SHOW(ftruncate(fd, 100));
  SHOW(lseek(fd, 0, SEEK_SET));
  SHOW(sendfile(out, fd, NULL, 3));
  off_t at = 1;
  SHOW(sendfile(out, fd, &at, 1000)); SHOW(at);
  fstat(out, &s); SHOW(s.st_size);
  pread(out, c, 8, 0); printf("%.3s%.4s\n", c, c + 3);
  unlink("/tmp/guest.sparse"); unlink("/tmp/guest.copy");
  return 0;
}
