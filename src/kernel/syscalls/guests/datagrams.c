/* Socket pairs of datagrams and sequenced packets: message borders, truncation, refused peers. */
#include "show.h"
#include <sys/socket.h>
#include <sys/un.h>

static int ready(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP};
  poll(&p, 1, 0);
  return p.revents;
}
static char big[400000];

int main(void) {
  enter_directory();
  signal(SIGPIPE, count_signal);
  int s[2], av;
  char b[300];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  SHOW(send(s[0], "one", 3, 0));
  SHOW(send(s[0], "", 0, 0));
  SHOW(send(s[0], "three", 5, 0));
  ioctl(s[1], FIONREAD, &av);
  printf("%d\n", av);
  SHOW(recv(s[1], b, 2, MSG_TRUNC|MSG_PEEK));
  SHOW(recv(s[1], b, 2, 0));
  SHOW(recv(s[1], b, 10, 0));
  SHOW(recv(s[1], b, 10, MSG_DONTWAIT));
  SHOW(recv(s[1], b, 10, MSG_DONTWAIT));
  SHOW(send(s[0], big, 300000, 0));
  close(s[1]);
  SHOW(send(s[0], "x", 1, 0));
  SHOW(send(s[0], "x", 1, 0));
  printf("%x\n", ready(s[0]));
  close(s[0]);
  socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s);
  SHOW(send(s[0], "one", 3, 0));
  SHOW(send(s[0], "twoo", 4, 0));
  struct iovec iv = {b, 2};
  struct msghdr m = {0};
  m.msg_iov = &iv;
  m.msg_iovlen = 1;
  SHOW(recvmsg(s[1], &m, 0));
  printf("%x\n", m.msg_flags);
  iv.iov_len = 50;
  SHOW(recvmsg(s[1], &m, 0));
  printf("%x\n", m.msg_flags);
  close(s[0]);
  SHOW(recv(s[1], b, 10, 0));
  signals = 0;
  SHOW(send(s[1], "x", 1, 0));
  printf("sig %d\n", signals);
  close(s[1]);
  return 0;
}
