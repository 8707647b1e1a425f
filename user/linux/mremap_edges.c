// mremap: grow in place, move, shrink, fixed, dontunmap, errors.
#include "check.h"
#include <sys/mman.h>
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
static char *fresh(int pages) {
  char *p = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);
  for (int i = 0; i < pages; i++) p[i * PAGE] = 'a' + i;
  return p;
}
static void show(const char *title, char *p, int pages) {
  printf("%s ", title);
  if (p == MAP_FAILED) { printf("%s\n", errno_name(errno)); return; }
  for (int i = 0; i < pages; i++) putchar(p[i * PAGE] ? p[i * PAGE] : '0');
  putchar('\n');
}
int main(void) {
  char *area = mmap(NULL, 64 * PAGE, PROT_NONE, ANON, -1, 0);
  munmap(area, 64 * PAGE);
  char *p = mmap(area, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
  for (int i = 0; i < 4; i++) p[i * PAGE] = 'a' + i;
  char *q = mremap(p, 4 * PAGE, 8 * PAGE, 0);
  FACT(q == p);
  show("grown in place", q, 8);
  q = mremap(p, 8 * PAGE, 3 * PAGE, 0);
  FACT(q == p);
  show("shrunk", q, 3);
  unsigned char vector[8];
  SHOW(mincore(p + 3 * PAGE, PAGE, vector));
  char *wall = mmap(p + 3 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0);
  errno = 0;
  show("no room, may not move:", mremap(p, 3 * PAGE, 6 * PAGE, 0), 6);
  q = mremap(p, 3 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
  FACT(q != p);
  show("moved", q, 6);
  SHOW(mincore(p, PAGE, vector));
  char *target = mmap(NULL, 10 * PAGE, RW, ANON, -1, 0);
  memset(target, 'x', 10 * PAGE);
  char *r = mremap(q, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 2 * PAGE);
  FACT(r == target + 2 * PAGE);
  show("fixed", target, 10);
  q = mremap(target + 2 * PAGE, 2 * PAGE, 1 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 20 * PAGE);
  show("fixed and shrunk", q, 1);
  SHOW(mincore(target + 3 * PAGE, PAGE, vector));
  p = fresh(3);
  q = mremap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
  show("dontunmap new", q, 3);
  show("dontunmap old", p, 3);
  p = fresh(3);
  FACT(mremap(p, 3 * PAGE, 3 * PAGE, 0) == p);
  CALL(mremap(p + 1, PAGE, PAGE, 0));
  CALL(mremap(p, PAGE, 0, 0));
  CALL(mremap(p, PAGE, PAGE, 8));
  CALL(mremap(p, PAGE, PAGE, MREMAP_FIXED, p + PAGE));
  CALL(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE));
  CALL(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 17));
  CALL(mremap(p, 0, PAGE, MREMAP_MAYMOVE)); /* only for shared mappings */
  CALL(mremap(p, PAGE, 1UL << 46, MREMAP_MAYMOVE));
  munmap(p + PAGE, PAGE);
  CALL(mremap(p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE)); /* over a hole */
  CALL(mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
  char *s = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  s[0] = 's';
  char *twin = mremap(s, 0, 2 * PAGE, MREMAP_MAYMOVE); /* a second view of the same pages */
  FACT(twin != MAP_FAILED && twin != s);
  s[PAGE] = 't';
  printf("twin %c%c\n", twin[0], twin[PAGE]);
  p = fresh(2);
  for (int n = 2; n < 512; n *= 2) { p = mremap(p, n * PAGE, 2 * n * PAGE, MREMAP_MAYMOVE); p[(2 * n - 1) * PAGE] = 'z'; }
  show("after growth", p, 2);
  return 0;
}
