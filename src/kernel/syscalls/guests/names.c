/* Unix sockets with names: bind, listen, connect, accept, abstract names, full backlogs, large transfers. */
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
  int s[2], val;
  socklen_t l;
  char b[300];
  struct sockaddr_un un;
  int ls = socket(AF_UNIX, SOCK_STREAM, 0);
  printf("%x\n", ready(ls));
  memset(&un, 0, sizeof un);
  un.sun_family = AF_UNIX;
  strcpy(un.sun_path, "sock");
  SHOW(listen(ls, 5));
  SHOW(recv(ls, b, 1, 0));
  SHOW(send(ls, b, 1, 0));
  SHOW(getpeername(ls, (void*)&un, &l));
  SHOW(bind(ls, (void*)&un, sizeof un));
  SHOW(bind(ls, (void*)&un, sizeof un));
  int l2 = socket(AF_UNIX, SOCK_STREAM, 0);
  SHOW(bind(l2, (void*)&un, sizeof un));
  int cl = socket(AF_UNIX, SOCK_STREAM, 0);
  SHOW(connect(cl, (void*)&un, sizeof un));
  SHOW(listen(ls, 1));
  struct stat st;
  stat("sock", &st);
  printf("%o\n", st.st_mode);
  SHOW(connect(cl, (void*)&un, sizeof un));
  SHOW(connect(cl, (void*)&un, sizeof un));
  printf("%x %x\n", ready(ls), ready(cl));
  SHOW(open("sock", O_RDWR));
  strcpy(un.sun_path, "nix");
  SHOW(connect(l2, (void*)&un, sizeof un));
  close(open("reg", O_CREAT|O_WRONLY, 0600));
  strcpy(un.sun_path, "reg");
  SHOW(connect(l2, (void*)&un, sizeof un));
  SHOW(connect(l2, (void*)&un, 2));
  SHOW(connect(l2, BAD, 50));
  SHOW(connect(l2, (void*)&un, 200));
  un.sun_family = 2;
  SHOW(connect(l2, (void*)&un, 50));
  un.sun_family = 1;
  strcpy(un.sun_path, "sock");
  int dg = socket(AF_UNIX, SOCK_DGRAM, 0);
  SHOW(connect(dg, (void*)&un, sizeof un));
  l = sizeof un;
  int sv;
  SHOW((sv = accept(ls, (void*)&un, &l))>0);
  printf("%d\n", l);
  SHOW(accept4(ls, 0, 0, 99));
  fcntl(ls, F_SETFL, O_NONBLOCK);
  SHOW(accept(ls, 0, 0));
  SHOW(accept(cl, 0, 0));
  SHOW(accept(dg, 0, 0));
  write(cl, "abc", 3);
  SHOW(read(sv, b, 10));
  memset(&un, 0, sizeof un);
  l = sizeof un;
  SHOW(getpeername(cl, (void*)&un, &l));
  printf("%d %s\n", l, un.sun_path);
  close(cl);
  SHOW(read(sv, b, 10));
  printf("%x\n", ready(sv));
  l = 4;
  SHOW(getsockopt(ls, SOL_SOCKET, SO_ACCEPTCONN, &val, &l));
  printf("%d\n", val);
  cl = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0);
  int c2 = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0), c3 = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0);
  un.sun_family = 1;
  strcpy(un.sun_path, "sock");
  SHOW(connect(cl, (void*)&un, sizeof un));
  SHOW(connect(c2, (void*)&un, sizeof un));
  SHOW(connect(c3, (void*)&un, sizeof un));
  close(ls);
  printf("%x\n", ready(cl));
  SHOW(read(cl, b, 1));
  SHOW(read(cl, b, 1));
  SHOW(connect(c3, (void*)&un, sizeof un));
  int as = socket(AF_UNIX, SOCK_DGRAM, 0);
  memcpy(un.sun_path, "\0abs1", 5);
  SHOW(bind(as, (void*)&un, offsetof(struct sockaddr_un, sun_path)+5));
  l = sizeof un;
  SHOW(getsockname(as, (void*)&un, &l));
  printf("%d\n", l);
  int ac = socket(AF_UNIX, SOCK_DGRAM, 0);
  SHOW(sendto(ac, "dg", 2, 0, (void*)&un, l));
  struct sockaddr_un fr;
  l = sizeof fr;
  SHOW(recvfrom(as, b, 10, 0, (void*)&fr, &l));
  printf("%d\n", l);
  un.sun_family = 1;
  SHOW(bind(ac, (void*)&un, 2));
  l = sizeof fr;
  getsockname(ac, (void*)&fr, &l);
  printf("%d\n", l);
  memcpy(un.sun_path, "\0abs1", 5);
  SHOW(connect(ac, (void*)&un, 7));
  SHOW(send(ac, "yo", 2, 0));
  l = sizeof fr;
  SHOW(recvfrom(as, b, 10, 0, (void*)&fr, &l));
  printf("%d\n", l);
  SHOW(sendto(as, "re", 2, 0, (void*)&fr, l));
  SHOW(recv(ac, b, 10, 0));
  close(as);
  SHOW(send(ac, "x", 1, 0));
  SHOW(send(ac, "x", 1, 0));
  SHOW(sendto(ac, "x", 1, 0, (void*)&un, 7));
  un.sun_family = 0;
  SHOW(connect(ac, (void*)&un, 7));
  SHOW(send(ac, "x", 1, 0));
  int st2[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, st2);
  un.sun_family = 1;
  SHOW(sendto(st2[0], "x", 1, 0, (void*)&un, 7));
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  if (!fork()) {
    close(s[0]);
    long n, t = 0, sum = 0;
    while ((n = read(s[1], big, 7777))>0) {
      t += n;
      for (int i = 0;i<n;i++)sum = sum*31+big[i];
    }
    printf("child %ld %lx\n", t, sum);
    _exit(0);
  }
  close(s[1]);
  for (int i = 0;i<400000;i++)big[i] = i*7;
  long sum = 0;
  for (int i = 0;i<400000;i++)sum = sum*31+big[i];
  SHOW(write(s[0], big, 400000));
  close(s[0]);
  wait(0);
  printf("parent %lx\n", sum);
  socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0, s);
  long n, t = 0;
  while ((n = write(s[0], big, 100000))>0)t += n;
  printf("full %d %s %x\n", t >= 150000 && t<600000, strerrorname_np(errno), ready(s[0]));
  return 0;
}
