/* Sockets that are sent through themselves and each other and then forgotten: nothing may be left of them. */
#include "show.h"
#include <sys/socket.h>

static void pass(int through, int what) {
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec iv = {"x", 1};
  struct msghdr m = {.msg_iov = &iv, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(sizeof(int))};
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(c), &what, sizeof what);
  SHOW(sendmsg(through, &m, 0));
}

int main(void) {
  enter_directory();
  for (int round = 0; round < 3; round++) {
    int a[2], b[2], p[2];
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
    SHOW(socketpair(AF_UNIX, SOCK_DGRAM, 0, b));
    SHOW(pipe(p));
    pass(a[0], a[1]);
    pass(a[0], a[0]);
    pass(a[0], b[0]);
    pass(b[1], a[1]);
    pass(b[1], p[1]);
    close(p[1]);
    for (int i = 0; i < 2; i++) close(a[i]), close(b[i]);
    /* Its only writer was in a message that nobody can read. */
    char c;
    SHOW(read(p[0], &c, 1));
    close(p[0]);
  }
  /* One that somebody still holds must survive. */
  int a[2], b[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, a);
  socketpair(AF_UNIX, SOCK_STREAM, 0, b);
  pass(a[0], b[0]);
  close(b[0]);
  SHOW(write(b[1], "kept", 4));
  socketpair(AF_UNIX, SOCK_STREAM, 0, b);
  close(b[0]);
  close(b[1]);
  char control[CMSG_SPACE(sizeof(int))], byte;
  struct iovec iv = {&byte, 1};
  struct msghdr m = {.msg_iov = &iv, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  SHOW(recvmsg(a[1], &m, 0));
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
  char text[8] = "";
  SHOW(read(fd, text, 8));
  puts(text);
  return 0;
}
