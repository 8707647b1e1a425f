// socketpair: streams, datagrams, shutdown, passing a descriptor, credentials of an end.
// needs: sockets
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
int main(void) {
  int s[2], p[2];
  char b[100] = "";
  SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
  SHOW(read(s[0], b, 10)); SHOW(write(s[0], "hello", 5)); SHOW(send(s[0], " there", 6, 0)); SHOW(recv(s[1], b, 5, MSG_PEEK)); SHOW(read(s[1], b, 100)); printf("%s\n", b);
  SHOW(write(s[1], "back", 4)); SHOW(recv(s[0], b, 100, 0)); SHOW(shutdown(s[0], SHUT_WR)); SHOW(read(s[1], b, 10)); SHOW(write(s[1], "x", 1)); SHOW(send(s[0], "y", 1, MSG_NOSIGNAL));
  struct pollfd f = {s[1], POLLIN | POLLOUT, 0}; SHOW(poll(&f, 1, 0)); printf("%x\n", f.revents & (POLLIN | POLLOUT | POLLHUP));
  close(s[1]); SHOW(read(s[0], b, 10)); SHOW(read(s[0], b, 10)); close(s[0]);
  SHOW(socketpair(AF_UNIX, SOCK_DGRAM, 0, s)); SHOW(write(s[0], "one", 3)); SHOW(write(s[0], "second", 6)); SHOW(read(s[1], b, 2)); SHOW(read(s[1], b, 100)); printf("%.6s\n", b); close(s[0]); close(s[1]);
  SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, s)); pipe(p);
  fflush(stdout);
  if (fork() == 0) {
    char c[CMSG_SPACE(sizeof(int))]; struct iovec v = {"F", 1}; struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof c};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m); h->cmsg_level = SOL_SOCKET; h->cmsg_type = SCM_RIGHTS; h->cmsg_len = CMSG_LEN(sizeof(int)); memcpy(CMSG_DATA(h), &p[1], sizeof(int));
    _exit(sendmsg(s[1], &m, 0) == 1 ? 0 : 1);
  }
  close(p[1]);
  char c[CMSG_SPACE(sizeof(int))]; struct iovec v = {b, 1}; struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof c};
  SHOW(recvmsg(s[0], &m, 0));
  int got; memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof got); wait(NULL);
  SHOW(write(got, "through", 7)); SHOW(read(p[0], b, 100)); printf("%.7s\n", b);
  int type; socklen_t len = sizeof type; SHOW(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &type, &len)); SHOW(type); SHOW(socketpair(AF_UNIX, 99, 0, s));
  return 0;
}
