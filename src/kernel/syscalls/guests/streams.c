/* Socket pairs as streams: readiness, shutdown, end of file, reset. */
#include "show.h"
#include <sys/socket.h>
#include <sys/un.h>

static int ready(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP};
  poll(&p, 1, 0);
  return p.revents;
}

int main(void) {
  enter_directory();
  char b[300];
  signal(SIGPIPE, count_signal);
  int s[2];
  SHOW(socketpair(AF_UNIX, 99, 0, s));
  SHOW(socketpair(99, SOCK_STREAM, 0, s));
  SHOW(socketpair(AF_UNIX, SOCK_STREAM, 7, s));
  SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  SHOW(socket(AF_UNIX, SOCK_RDM, 0));
  SHOW(socket(AF_UNIX, SOCK_STREAM|0x40000, 0));
  SHOW(socket(-1, 1, 0));
  printf("%x\n", ready(s[0]));
  SHOW(write(s[0], "hello", 5));
  printf("%x\n", ready(s[1]));
  int av;
  ioctl(s[1], FIONREAD, &av);
  printf("%d\n", av);
  SHOW(recv(s[1], b, 3, MSG_PEEK));
  SHOW(recv(s[1], b, 2, 0));
  SHOW(write(s[0], "world", 5));
  SHOW(recv(s[1], b, 100, MSG_DONTWAIT));
  b[8] = 0;
  printf("%s\n", b);
  SHOW(recv(s[1], b, 100, MSG_DONTWAIT));
  SHOW(recv(s[1], b, 0, MSG_DONTWAIT));
  SHOW(send(s[0], "x", 1, MSG_OOB) == 1 || 1);
  SHOW(read(s[1], BAD, 0));
  SHOW(lseek(s[0], 0, 0));
  SHOW(getsockname(99, 0, 0));
  SHOW(getsockname(0, 0, 0));
  struct sockaddr_un un;
  socklen_t l = sizeof un;
  SHOW(getsockname(s[0], (void*)&un, &l));
  printf("%d %d\n", l, un.sun_family);
  l = 1;
  SHOW(getpeername(s[0], (void*)&un, &l));
  printf("%d\n", l);
  l = -1;
  SHOW(getpeername(s[0], (void*)&un, &l));
  SHOW(shutdown(s[0], SHUT_WR));
  printf("%x %x\n", ready(s[0]), ready(s[1]));
  while (recv(s[1], b, 100, MSG_DONTWAIT)>0);
  SHOW(read(s[1], b, 10));
  signals = 0;
  SHOW(write(s[0], "x", 1));
  printf("sig %d\n", signals);
  SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
  printf("sig %d\n", signals);
  SHOW(write(s[1], "back", 4));
  SHOW(read(s[0], b, 10));
  SHOW(shutdown(s[0], 9));
  close(s[1]);
  printf("%x\n", ready(s[0]));
  SHOW(read(s[0], b, 10));
  close(s[0]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  write(s[0], "unread", 6);
  close(s[1]);
  printf("%x\n", ready(s[0]));
  SHOW(read(s[0], b, 10));
  SHOW(read(s[0], b, 10));
  SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
  close(s[0]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  write(s[0], "tail", 4);
  close(s[0]);
  printf("%x\n", ready(s[1]));
  SHOW(read(s[1], b, 10));
  SHOW(read(s[1], b, 10));
  close(s[1]);
  return 0;
}
