/* Pipes when full, empty and broken; sendfile, splice, copy_file_range. */
#include "show.h"
#include <sys/sendfile.h>

static char big[1 << 20];

int main(void) {
  enter_directory();
  char b[256];
  int fd = open("f", O_RDWR | O_CREAT, 0600);
  int p[2];
  pipe(p);
  signal(SIGPIPE, count_signal);
  SHOW(fcntl(p[0], F_GETPIPE_SZ));
  fcntl(p[1], F_SETFL, O_NONBLOCK);
  long n, t = 0;
  while ((n = write(p[1], big, 1000))>0)t += n;
  printf("filled %ld %d\n", t, errno == EAGAIN);
  int av;
  ioctl(p[0], FIONREAD, &av);
  printf("%d\n", av);
  SHOW(write(p[1], big, 1));
  while (read(p[0], big, sizeof big)>0 && ioctl(p[0], FIONREAD, &av) == 0 && av);
  SHOW(lseek(p[0], 0, 0));
  SHOW(pread(p[0], b, 1, 0));
  fcntl(p[0], F_SETFL, O_NONBLOCK);
  SHOW(read(p[0], b, 1));
  signals = 0;
  close(p[0]);
  SHOW(write(p[1], "x", 1));
  printf("got %d\n", signals);
  SHOW(pipe2(p, 99));
  SHOW(pipe(BAD));
  SHOW(fcntl(p[1], F_SETPIPE_SZ, -1));
  close(p[1]);
  pipe(p);
  SHOW(write(p[1], "hello world", 11));
  int out = open("o", O_RDWR|O_CREAT|O_TRUNC, 0600);
  SHOW(splice(p[0], 0, out, 0, 5, 0));
  SHOW(sendfile(out, p[0], 0, 5));
  off_t of = 1;
  SHOW(sendfile(p[1], out, &of, 3));
  printf("of %ld\n", (long)of);
  SHOW(read(p[0], b, 100));
  b[9] = 0;
  printf("%s\n", b);
  of = 0;
  loff_t o2 = 2;
  SHOW(copy_file_range(out, &of, out, &o2, 2, 0));
  SHOW(copy_file_range(out, &of, out, &o2, 2, 1));
  o2 = 20;
  of = 0;
  SHOW(copy_file_range(out, &of, out, &o2, 3, 0));
  printf("%ld %ld\n", (long)of, (long)o2);
  SHOW(splice(out, 0, fd, 0, 1, 0));
  of = 0;
  SHOW(splice(p[0], &of, out, 0, 1, 0));
  SHOW(sendfile(out, 99, 0, 1));
  return 0;
}
