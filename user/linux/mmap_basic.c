// mmap: placement, zero fill, flags and their errors.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
int main(void) {
  char *p = mmap(NULL, 3 * PAGE + 5, PROT_READ | PROT_WRITE, ANON, -1, 0);
  FACT((uintptr_t)p % PAGE == 0);
  int zero = 1;
  for (size_t i = 0; i < 4 * PAGE; i++) zero &= p[i] == 0;
  FACT(zero);
  p[4 * PAGE - 1] = 1;
  CALL(mmap(NULL, 0, PROT_READ, ANON, -1, 0));
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 77, 0));
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 0, 17));
  CALL(mmap((void *)123, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0));
  CALL(mmap(NULL, 1UL << 47, PROT_READ, ANON, -1, 0));
  CALL(mmap(NULL, -1UL, PROT_READ, ANON, -1, 0));
  CALL(mmap(NULL, -PAGE, PROT_READ, ANON, -1, 0));
  CALL(mmap((void *)(1UL << 47), PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0));
  CALL(mmap(NULL, PAGE, 8 | PROT_READ, ANON, -1, 0));
  FACT(mmap(p + PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) == p + PAGE);
  CALL(mmap(p + PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  munmap(p + PAGE, PAGE);
  FACT(mmap(p + PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + PAGE);
  munmap(p, 4 * PAGE);
  FACT(mmap(p, 2 * PAGE, PROT_READ, ANON, -1, 0) == p); /* a free hint is taken */
  FACT(mmap(p, 2 * PAGE, PROT_READ, ANON, -1, 0) != p); /* a taken one is not */
  FACT(mmap(p + 8 * PAGE + 123, PAGE, PROT_READ, ANON, -1, 0) != MAP_FAILED);
  int fd = open("/dev/null", O_RDONLY), writer = open("/dev/null", O_WRONLY);
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writer, 0));
  int zeros = open("/dev/zero", O_RDWR);
  char *z = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zeros, 0);
  FACT(z != MAP_FAILED && z[100] == 0);
  int dir = open("/", O_RDONLY);
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0));
  char *big = mmap(NULL, 1UL << 36, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
  FACT(big != MAP_FAILED);
  CALL(munmap(big, 1UL << 36));
  char *populated = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_POPULATE, -1, 0);
  unsigned char vector[8] = {0};
  CALL(mincore(populated, 8 * PAGE, vector));
  int present = 0;
  for (int i = 0; i < 8; i++) present += vector[i] & 1;
  FACT(present == 8);
  return 0;
}
