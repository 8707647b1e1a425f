// Programs that make code: mmap RWX, W^X by mprotect, self-modifying code, two mappings of one page, code across pages.
#include "check.h"
#include <sys/mman.h>
#include <sys/wait.h>
typedef int (*function)(int);
static unsigned char add_n[] = {0x8d, 0x87, 0, 0, 0, 0, 0xc3}; /* lea n(%rdi), %eax; ret */
static void emit(unsigned char *at, int n) { memcpy(at, add_n, sizeof add_n); memcpy(at + 2, &n, 4); }
int main(void) {
  unsigned char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long sum = 0;
  for (int i = 0; i < 3000; i++) { emit(p, i); sum += ((function)p)(i); } printf("rewritten %ld\n", sum);
  unsigned char *edge = p + PAGE - 3; for (int i = 0; i < 200; i++) { emit(edge, i * 5); sum += ((function)edge)(1); } printf("over a page edge %ld\n", sum);
  for (int i = 0; i < 100; i++) { mprotect(p, PAGE, PROT_READ | PROT_WRITE); emit(p, i * 1000); mprotect(p, PAGE, PROT_READ | PROT_EXEC); sum += ((function)p)(i); } printf("w^x %ld\n", sum);
  int fd = memfd_create("code", 0); ftruncate(fd, PAGE); unsigned char *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  for (int i = 0; i < 200; i++) { emit(w + 64, i); sum += ((function)(x + 64))(7); } printf("two views %ld\n", sum);
  unsigned char *q = p + 2 * PAGE; /* a loop that patches its own immediate: mov $imm, %eax; add %eax, %esi; incl patch; dec %edi; jnz; mov %esi, %eax; ret */
  unsigned char loop[] = {0x31, 0xf6, 0xb8, 1, 0, 0, 0, 0x01, 0xc6, 0xff, 0x05, 0xf4, 0xff, 0xff, 0xff, 0xff, 0xcf, 0x75, 0xef, 0x89, 0xf0, 0xc3}; memcpy(q, loop, sizeof loop); printf("self modifying %d\n", ((function)q)(100));
  munmap(p, PAGE); unsigned char *again = mmap(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); emit(again, 77); printf("new page, old address %d\n", ((function)again)(0));
  fflush(stdout); if (fork() == 0) { emit(again, 88); printf("child %d\n", ((function)again)(0)); fflush(stdout); _exit(0); } int status; wait(&status); printf("parent %d\n", ((function)again)(0));
  for (int i = 0; i < 500; i++) emit(q + i * 7, i); for (int r = 0; r < 20; r++) for (int i = 0; i < 500; i++) sum += ((function)(q + i * 7))(r); printf("many %ld\n", sum); q[7 * 100 + 2] = 1; q[7 * 100 + 3] = 2; printf("patched %d\n", ((function)(q + 700))(0)); read(0, q, 0); pread(fd, q, 7, 64); printf("read by the kernel %d\n", ((function)q)(0));
  return 0;
}
