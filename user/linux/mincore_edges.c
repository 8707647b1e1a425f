// mincore: which pages are there, before and after touching, for private, shared and unmapped ranges.
#include "check.h"
#include <sys/mman.h>
static void show(const char *title, void *p, int pages) {
  unsigned char v[64];
  memset(v, 0xee, sizeof v);
  int result = mincore(p, pages * PAGE, v);
  printf("%-10s ", title);
  if (result) { printf("%s\n", errno_name(errno)); return; }
  for (int i = 0; i < pages; i++) putchar('0' + (v[i] & 1));
  printf(" %s\n", v[pages] == 0xee ? "" : "wrote too much");
}
int main(void) {
  char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  show("untouched", p, 16);
  for (int i = 0; i < 16; i += 3) p[i * PAGE] = 1;
  show("written", p, 16);
  madvise(p + 6 * PAGE, 4 * PAGE, MADV_DONTNEED);
  show("dontneed", p, 16);
  munmap(p + 8 * PAGE, PAGE);
  show("hole", p, 16);
  show("before it", p, 8);
  char *s = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  show("shared", s, 4);
  s[PAGE] = 1;
  show("shared", s, 4);
  unsigned char v[16];
  SHOW(mincore(p + 1, PAGE, v));
  SHOW(mincore(p, PAGE, (unsigned char *)1));
  SHOW(mincore(p, 0, v));
  SHOW(mincore(p, -1UL, v));
  return 0;
}
