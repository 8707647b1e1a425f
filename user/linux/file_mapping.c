// Mapped files: demand loading, private copies, truncation and SIGBUS, offsets, the last partial page.
#include "check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
static sigjmp_buf back;
static void on_fault(int signal, siginfo_t *info, void *context) { siglongjmp(back, signal * 10 + info->si_code); }
static int peek(volatile char *at) {
  int code = sigsetjmp(back, 1);
  return code ? -code : *at;
}
int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  const char *path = "/tmp/guest.filemap";
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (int i = 0; i < 5; i++) { char page[PAGE]; memset(page, 'A' + i, PAGE); write(fd, page, i == 4 ? 100 : PAGE); }
  char *p = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  printf("%d %d %d %d\n", peek(p), peek(p + 4 * PAGE + 99), peek(p + 4 * PAGE + 100), peek(p + 5 * PAGE));
  p[PAGE] = 'x';
  char c;
  pread(fd, &c, 1, PAGE);
  printf("file keeps %c, mapping has %c\n", c, p[PAGE]);
  pwrite(fd, "y", 1, 2 * PAGE);
  printf("an untouched private page shows the file: %c\n", p[2 * PAGE]);
  char *q = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 3 * PAGE);
  printf("offset %d %d\n", peek(q), peek(q + PAGE));
  SHOW(ftruncate(fd, 3 * PAGE + 10));
  printf("after truncation %d %d %d\n", peek(q), peek(q + 10), peek(q + PAGE));
  printf("private page behind the end %d, copied page %c\n", peek(p + 4 * PAGE), p[PAGE]);
  SHOW(ftruncate(fd, 6 * PAGE));
  printf("grown again %d %d %d\n", peek(q), peek(q + 10), peek(q + PAGE));
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100));
  int readonly = open(path, O_RDONLY), writeonly = open(path, O_WRONLY);
  CALL(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, readonly, 0));
  CALL(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, readonly, 0));
  CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writeonly, 0));
  char *r = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, readonly, 0);
  SHOW(mprotect(r, PAGE, PROT_READ | PROT_WRITE));
  close(fd);
  unlink(path);
  printf("unlinked and closed, still there: %d\n", peek(p));
  return 0;
}
