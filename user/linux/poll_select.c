// poll, ppoll, select, pselect on pipes, regular files, closed descriptors.
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
static void show(const char *title, struct pollfd *f, int n, int ms) {
  int r = poll(f, n, ms);
  printf("%s: %d", title, r);
  for (int i = 0; i < n; i++) printf(" %x", f[i].revents);
  putchar('\n');
}
static volatile int got;
static void on(int s) { got++; }
int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  int p[2], q[2];
  pipe(p); pipe(q);
  struct pollfd f[3] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {q[0], POLLIN | POLLPRI, 0}};
  show("empty", f, 3, 0);
  show("timeout", f, 1, 20);
  write(q[1], "x", 1);
  show("data", f, 3, -1);
  close(q[1]);
  show("data and hang up", f, 3, -1);
  char c[10];
  read(q[0], c, 10);
  show("hang up", f, 3, -1);
  close(p[0]);
  f[0].fd = -1;
  show("reader gone", f, 3, -1);
  f[0].fd = 77;
  show("bad descriptor", f, 3, -1);
  int fd = open("/proc/self/exe", O_RDONLY);
  f[0] = (struct pollfd){fd, POLLIN | POLLOUT, 0};
  show("regular file", f, 1, -1);
  SHOW(poll((void *)1, 1, 0));
  pipe(p);
  fd_set r, w;
  struct timeval t = {0, 20000};
  FD_ZERO(&r); FD_SET(p[0], &r); FD_ZERO(&w); FD_SET(p[1], &w);
  SHOW(select(p[1] + 1, &r, &w, NULL, &t));
  printf("%d %d\n", FD_ISSET(p[0], &r) != 0, FD_ISSET(p[1], &w) != 0);
  FD_ZERO(&r); FD_SET(p[0], &r);
  SHOW(select(p[0] + 1, &r, NULL, NULL, &t));
  printf("time used up %d\n", t.tv_sec == 0 && t.tv_usec == 0);
  if (fork() == 0) { usleep(20000); write(p[1], "z", 1); _exit(0); }
  FD_ZERO(&r); FD_SET(p[0], &r);
  SHOW(select(p[0] + 1, &r, NULL, NULL, NULL));
  wait(NULL);
  SHOW(select(-1, NULL, NULL, NULL, NULL));
  FD_ZERO(&r); FD_SET(40, &r);
  SHOW(select(41, &r, NULL, NULL, NULL));
  struct sigaction a = {.sa_handler = on};
  sigaction(SIGUSR1, &a, NULL);
  sigset_t block, none;
  sigemptyset(&none); sigemptyset(&block); sigaddset(&block, SIGUSR1);
  sigprocmask(SIG_BLOCK, &block, NULL);
  raise(SIGUSR1);
  read(p[0], c, 1);
  struct timespec ts = {5, 0};
  f[0] = (struct pollfd){p[0], POLLIN, 0};
  SHOW(ppoll(f, 1, &ts, &none)); /* the pending signal ends it at once */
  SHOW(got);
  raise(SIGUSR1);
  FD_ZERO(&r); FD_SET(p[0], &r);
  SHOW(pselect(p[0] + 1, &r, NULL, NULL, &ts, &none));
  SHOW(got);
  return 0;
}
