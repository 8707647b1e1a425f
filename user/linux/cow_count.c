// Copy on write, counted by minor faults and by pagemap's exclusive bit.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
static long faults(void) { struct rusage u; getrusage(RUSAGE_SELF, &u); return u.ru_minflt; }
static int pagemap;
static int exclusive(char *p, int pages) {
  uint64_t e[64];
  pread(pagemap, e, pages * 8, (uintptr_t)p / PAGE * 8);
  int n = 0;
  for (int i = 0; i < pages; i++) n += e[i] >> 63 && e[i] >> 56 & 1;
  return n;
}
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  char *p = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  faults();
  long before = faults();
  for (int i = 0; i < 32; i++) p[i * PAGE] = i;
  printf("first touch: %ld faults\n", faults() - before);
  before = faults();
  for (int i = 0; i < 32; i++) p[i * PAGE] += i;
  printf("second touch: %ld faults\n", faults() - before);
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  printf("exclusive %d\n", exclusive(p, 32));
  int status;
  if (fork() == 0) {
    close(pagemap);
    pagemap = open("/proc/self/pagemap", O_RDONLY);
    faults();
    printf("child: exclusive %d\n", exclusive(p, 32));
    before = faults();
    int sum = 0;
    for (int i = 0; i < 32; i++) sum += p[i * PAGE];
    printf("child: reading %d: %ld faults\n", sum, faults() - before);
    before = faults();
    for (int i = 0; i < 10; i++) p[i * PAGE] = 1;
    printf("child: writing 10: %ld faults, exclusive %d\n", faults() - before, exclusive(p, 32));
    _exit(0);
  }
  wait(&status);
  printf("parent: exclusive %d\n", exclusive(p, 32));
  faults(); /* the stack page that getrusage fills may be shared with the child still: its fault is not one of those counted */
  before = faults();
  for (int i = 0; i < 32; i++) p[i * PAGE] = 2; /* the last owner takes its pages back without a copy, one fault each */
  printf("parent: writing: %ld faults\n", faults() - before);
  char *z = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  before = faults();
  int sum = 0;
  for (int i = 0; i < 4; i++) sum += z[i * PAGE];
  long reads = faults() - before;
  before = faults();
  for (int i = 0; i < 4; i++) z[i * PAGE] = 1;
  printf("read of fresh pages: %d\n", sum);
  return 0;
}
