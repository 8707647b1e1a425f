// madvise: DONTNEED zeroes private memory and keeps shared memory, errors, advice without effect.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#define RW (PROT_READ | PROT_WRITE)
int main(void) {
  char *p = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(p, 'p', 8 * PAGE);
  SHOW(madvise(p + 2 * PAGE, 3 * PAGE, MADV_DONTNEED));
  for (int i = 0; i < 8; i++) putchar(p[i * PAGE] ? p[i * PAGE] : '0');
  putchar('\n');
  char *s = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  memset(s, 's', 2 * PAGE);
  SHOW(madvise(s, 2 * PAGE, MADV_DONTNEED));
  printf("shared keeps %c%c\n", s[0], s[PAGE]);
  char path[] = "/tmp/guest.madvise";
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (int i = 0; i < 2048; i++) write(fd, "file", 4);
  char *f = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
  f[0] = 'F';
  f[PAGE] = 'G';
  SHOW(madvise(f, PAGE, MADV_DONTNEED));
  printf("private file page returns to %c, the other stays %c\n", f[0], f[PAGE]);
  SHOW(madvise(p, PAGE, MADV_NORMAL));
  SHOW(madvise(p, PAGE, MADV_RANDOM));
  SHOW(madvise(p, PAGE, MADV_SEQUENTIAL));
  SHOW(madvise(p, PAGE, MADV_WILLNEED));
  SHOW(madvise(p, PAGE, MADV_FREE));
  SHOW(madvise(s, PAGE, MADV_FREE));
  SHOW(madvise(p, PAGE, 12345));
  SHOW(madvise(p + 1, PAGE, MADV_DONTNEED));
  SHOW(madvise(p, 0, MADV_DONTNEED));
  SHOW(madvise(p, -1UL, MADV_DONTNEED));
  SHOW(madvise(p + 7 * PAGE, 100, MADV_DONTNEED));
  printf("rounded up: %d\n", p[8 * PAGE - 1]);
  memset(p, 'q', 8 * PAGE);
  munmap(p + 3 * PAGE, PAGE);
  SHOW(madvise(p + PAGE, 5 * PAGE, MADV_DONTNEED)); /* ENOMEM for the hole, but applied around it */
  printf("%c %d %d %c\n", p[0], p[PAGE], p[5 * PAGE], p[6 * PAGE]);
  unlink(path);
  return 0;
}
