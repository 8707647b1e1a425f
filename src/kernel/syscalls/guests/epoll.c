/* epoll: level, edge and one-shot entries, nesting, closed files, errors. */
#include "show.h"
#include <sys/epoll.h>

int main(void) {
  enter_directory();
  int p[2];
  pipe(p);
  SHOW(epoll_create(0));
  SHOW(epoll_create1(99));
  int ep = epoll_create1(0);
  struct epoll_event ev = {EPOLLIN, {.u64 = 77}}, o[5];
  SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
  SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
  SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, p[1], &ev));
  SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[1], &ev));
  SHOW(epoll_ctl(ep, 99, p[0], &ev));
  SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev));
  SHOW(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev));
  SHOW(epoll_ctl(99, EPOLL_CTL_ADD, p[1], &ev));
  int f = open("f", O_RDWR|O_CREAT, 0600);
  SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, f, &ev));
  SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], 0));
  SHOW(epoll_wait(ep, o, 0, 0));
  SHOW(epoll_wait(ep, BAD, 1, 0));
  SHOW(epoll_wait(ep, o, 5, 0));
  SHOW(epoll_wait(ep, o, 5, 5));
  SHOW(epoll_wait(p[0], o, 5, 5));
  write(p[1], "abc", 3);
  SHOW(epoll_wait(ep, o, 5, -1));
  printf("%x %ld\n", o[0].events, (long)o[0].data.u64);
  SHOW(epoll_wait(ep, o, 5, -1));
  ev.events = EPOLLIN|EPOLLET;
  epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev);
  SHOW(epoll_wait(ep, o, 5, 0));
  SHOW(epoll_wait(ep, o, 5, 0));
  write(p[1], "d", 1);
  SHOW(epoll_wait(ep, o, 5, 0));
  SHOW(epoll_wait(ep, o, 5, 0));
  ev.events = EPOLLIN|EPOLLONESHOT;
  epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev);
  SHOW(epoll_wait(ep, o, 5, 0));
  SHOW(epoll_wait(ep, o, 5, 0));
  epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev);
  SHOW(epoll_wait(ep, o, 5, 0));
  ev.events = EPOLLIN;
  epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev);
  int ep2 = epoll_create1(0);
  ev.data.u64 = 5;
  SHOW(epoll_ctl(ep2, EPOLL_CTL_ADD, ep, &ev));
  SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ep2, &ev));
  SHOW(epoll_wait(ep2, o, 5, 0));
  int d = dup(p[0]);
  close(p[0]);
  SHOW(epoll_wait(ep, o, 5, 0));
  close(d);
  SHOW(epoll_wait(ep, o, 5, 0));
  return 0;
}
