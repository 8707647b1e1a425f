// Pipes: capacity, atomicity, partial writes, non-blocking, end of file, SIGPIPE, FIONREAD, splice-free.
#include "check.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
static volatile int got;
static void on(int s) { got++; }
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  int p[2], n;
  static char block[70000];
  SHOW(pipe2(p, O_NONBLOCK | O_CLOEXEC));
  SHOW(fcntl(p[0], F_GETFL) == (O_RDONLY | O_NONBLOCK));
  SHOW(fcntl(p[0], F_GETFD));
  SHOW(read(p[0], block, 10));
  SHOW(write(p[1], "hello", 5));
  SHOW(ioctl(p[0], FIONREAD, &n));
  SHOW(n);
  SHOW(read(p[0], block, 3));
  SHOW(read(p[0], block, 10));
  long total = 0;
  for (long r; (r = write(p[1], block, 4096)) > 0;) total += r;
  printf("capacity %ld then %s\n", total, errno_name(errno));
  SHOW(read(p[0], block, 100));
  SHOW(write(p[1], block, 4096)); /* atomic: not enough room for all of it */
  SHOW(read(p[0], block, 5000));
  SHOW(write(p[1], block, 4096));
  SHOW(write(p[1], block, 20000)); /* more than PIPE_BUF may be cut */
  long drained = 0;
  for (long r; (r = read(p[0], block, sizeof block)) > 0;) drained += r;
  printf("drained %ld\n", drained);
  SHOW(read(p[1], block, 1));
  SHOW(write(p[0], block, 1));
  SHOW(lseek(p[0], 0, SEEK_CUR));
  write(p[1], "last", 4);
  close(p[1]);
  SHOW(read(p[0], block, 10));
  SHOW(read(p[0], block, 10));
  pipe(p);
  close(p[0]);
  signal(SIGPIPE, on);
  SHOW(write(p[1], "x", 1));
  SHOW(got);
  close(p[1]);
  pipe(p);
  if (fork() == 0) {
    close(p[0]);
    for (int i = 0; i < 50; i++) { memset(block, 'a' + i % 26, sizeof block); write(p[1], block, 10000); }
    _exit(0);
  }
  if (fork() == 0) {
    close(p[0]);
    for (int i = 0; i < 100; i++) { memset(block, '0' + i % 10, 512); write(p[1], block, 512); }
    _exit(0);
  }
  close(p[1]);
  long letters = 0, digits = 0;
  for (long r; (r = read(p[0], block, 3000)) > 0;) for (int i = 0; i < r; i++) if (block[i] >= 'a') letters++; else digits++;
  printf("letters %ld digits %ld\n", letters, digits);
  while (wait(NULL) > 0) continue;
  SHOW(pipe((int *)8));
  SHOW(pipe2(p, 0x77777777));
  return 0;
}
