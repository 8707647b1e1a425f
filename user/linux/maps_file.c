// /proc/self/maps shows splits and merges of regions.
#include "check.h"
#include <sys/mman.h>
static char *base;
static void show(const char *title) {
  printf("%s:", title);
  FILE *f = fopen("/proc/self/maps", "r");
  char line[512];
  while (fgets(line, sizeof line, f)) {
    unsigned long start, end;
    char prot[8];
    sscanf(line, "%lx-%lx %7s", &start, &end, prot);
    if (start >= (unsigned long)base && end <= (unsigned long)base + 32 * PAGE)
      printf(" %lu-%lu:%s", (start - (unsigned long)base) / PAGE, (end - (unsigned long)base) / PAGE, prot);
  }
  fclose(f);
  putchar('\n');
}
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
int main(void) {
  base = mmap(NULL, 34 * PAGE, PROT_NONE, ANON, -1, 0);
  munmap(base, PAGE);
  munmap(base + 33 * PAGE, PAGE);
  base += PAGE;
  show("reserved");
  mprotect(base + 4 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE); show("protect middle");
  mprotect(base + 8 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE); show("protect neighbour");
  mprotect(base + 6 * PAGE, PAGE, PROT_READ); show("split");
  mprotect(base + 6 * PAGE, PAGE, PROT_READ | PROT_WRITE); show("merged");
  munmap(base + 5 * PAGE, PAGE); show("hole");
  mmap(base + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0); show("hole filled");
  mmap(base + 20 * PAGE, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0); show("shared");
  mmap(base + 22 * PAGE, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0); show("two shared objects");
  mprotect(base, 32 * PAGE, PROT_READ | PROT_EXEC); show("all");
  munmap(base + 1 * PAGE, 29 * PAGE); show("unmapped");
  return 0;
}
