// Resource limits that have an effect: NOFILE, FSIZE, AS, CORE, and the rules for changing them.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
static volatile int got;
static void on(int s) { got = s; }
static void limit(int what, long soft, long hard) { struct rlimit l = {soft, hard}; SHOW(setrlimit(what, &l)); }
int main(void) {
  struct rlimit l;
  limit(RLIMIT_NOFILE, 10, 20);
  int n = 0;
  while (dup(0) >= 0) n++;
  printf("%d descriptors more, then %s\n", n, errno_name(errno));
  limit(RLIMIT_NOFILE, 15, 20);
  n = 0;
  while (dup(0) >= 0) n++;
  printf("%d more\n", n);
  SHOW(fcntl(0, F_DUPFD, 30));
  SHOW(dup2(0, 100));
  limit(RLIMIT_NOFILE, 20, 10);
  close(9);
  signal(SIGXFSZ, on);
  int fd = open("/tmp/guest.fsize", O_RDWR | O_CREAT | O_TRUNC, 0600);
  limit(RLIMIT_FSIZE, 1000, 2000);
  char block[900];
  memset(block, 1, 900);
  SHOW(write(fd, block, 900));
  SHOW(write(fd, block, 900));
  SHOW(write(fd, block, 900));
  FACT(got == SIGXFSZ);
  SHOW(ftruncate(fd, 5000));
  getrlimit(RLIMIT_AS, &l);
  limit(RLIMIT_AS, 256 << 20, l.rlim_max);
  CALL(mmap(NULL, 512 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  CALL(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  SHOW(getrlimit(99, &l));
  SHOW(getrlimit(RLIMIT_STACK, (void *)1));
  struct rlimit old;
  SHOW(prlimit(0, RLIMIT_CORE, NULL, &old));
  getrlimit(RLIMIT_NOFILE, &l);
  printf("%d %d\n", (int)l.rlim_cur, (int)l.rlim_max);
  unlink("/tmp/guest.fsize");
  return 0;
}
