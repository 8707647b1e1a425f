// epoll level and edge triggered, one shot, modification, eventfd, timerfd.
// needs: epoll
#include "check.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
static int ep;
static void show(const char *title) {
  struct epoll_event e[8];
  int n = epoll_wait(ep, e, 8, 0);
  printf("%s: %d", title, n);
  for (int i = 0; i < n; i++) printf(" %d:%x", (int)e[i].data.u32, e[i].events);
  putchar('\n');
}
static void ctl(int op, int fd, unsigned events, int tag) {
  struct epoll_event e = {.events = events, .data.u32 = tag};
  errno = 0;
  int r = epoll_ctl(ep, op, fd, &e);
  if (r) printf("epoll_ctl %d %d: %s\n", op, tag, errno_name(errno));
}
int main(void) {
  int p[2], q[2];
  char c[100];
  pipe2(p, O_NONBLOCK); pipe(q);
  ep = epoll_create1(EPOLL_CLOEXEC);
  ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
  ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
  ctl(EPOLL_CTL_ADD, q[0], EPOLLIN | EPOLLET, 2);
  ctl(EPOLL_CTL_ADD, 99, EPOLLIN, 3);
  ctl(EPOLL_CTL_ADD, ep, EPOLLIN, 3);
  ctl(EPOLL_CTL_MOD, 0 + p[1], EPOLLOUT, 4);
  int file = open("/proc/self/exe", O_RDONLY);
  ctl(EPOLL_CTL_ADD, file, EPOLLIN, 5);
  show("nothing");
  write(p[1], "ab", 2);
  write(q[1], "cd", 2);
  show("both");
  show("level stays, edge is gone");
  write(q[1], "e", 1);
  show("new edge");
  read(p[0], c, 100);
  show("drained");
  ctl(EPOLL_CTL_MOD, q[0], EPOLLIN | EPOLLONESHOT, 6);
  show("one shot");
  show("spent");
  ctl(EPOLL_CTL_MOD, q[0], EPOLLIN, 7);
  show("armed");
  ctl(EPOLL_CTL_DEL, q[0], 0, 7);
  show("deleted");
  ctl(EPOLL_CTL_DEL, q[0], 0, 7);
  int ev = eventfd(3, EFD_NONBLOCK);
  ctl(EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLOUT, 8);
  show("eventfd");
  uint64_t v;
  SHOW(read(ev, &v, 8)); SHOW(v); SHOW(read(ev, &v, 8));
  v = 5; SHOW(write(ev, &v, 8)); SHOW(write(ev, &v, 8)); SHOW(read(ev, &v, 8)); SHOW(v);
  v = -1; SHOW(write(ev, &v, 8)); SHOW(write(ev, &v, 4));
  int sem = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  SHOW(read(sem, &v, 8)); SHOW(v); SHOW(read(sem, &v, 8)); SHOW(read(sem, &v, 8));
  ctl(EPOLL_CTL_DEL, ev, 0, 8);
  int tf = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec t = {{0, 5000000}, {0, 20000000}}, now;
  SHOW(read(tf, &v, 8));
  SHOW(timerfd_settime(tf, 0, &t, NULL));
  ctl(EPOLL_CTL_ADD, tf, EPOLLIN, 9);
  show("before");
  struct epoll_event e;
  SHOW(epoll_wait(ep, &e, 1, 1000));
  usleep(12000);
  SHOW(read(tf, &v, 8)); FACT(v >= 2 && v < 60);
  SHOW(timerfd_gettime(tf, &now)); FACT(now.it_interval.tv_nsec == 5000000);
  ctl(EPOLL_CTL_DEL, tf, 0, 9);
  SHOW(epoll_wait(ep, &e, 1, 20));
  SHOW(epoll_wait(ep, &e, 0, 0));
  close(p[1]);
  show("hang up");
  close(p[0]);
  show("closed descriptors leave");
  return 0;
}
