/* What a signal handler's arrival does to a sleeping call, with SA_RESTART and without: EINTR, a partial count, or going on. */
#include "show.h"
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static char big[300000];
static int feed = -1, drain = -1;

/* The second alarm lets a restarted call finish. */
static void on_alarm(int signal) {
  (void)signal;
  signals++;
  if (signals == 2 && feed >= 0) write(feed, "12345678", 8);
  if (signals == 2 && drain >= 0) while (read(drain, big, sizeof big) > 0) {}
}
static void alarms(int flags) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
  sigaction(SIGALRM, &action, NULL);
  signals = 0;
  struct itimerval timer = {{0, 100000}, {0, 20000}}; /* far apart: a host that stalls must not make one alarm two */
  setitimer(ITIMER_REAL, &timer, NULL);
}
static void quiet(void) {
  struct itimerval timer = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &timer, NULL);
  printf("  after %s\n", signals == 1 ? "one signal" : signals == 2 ? "two signals" : "some signals");
}
#define BOTH(call)                \
  do {                            \
    alarms(0);                    \
    SHOW(call);                   \
    quiet();                      \
    alarms(SA_RESTART);           \
    SHOW(call);                   \
    quiet();                      \
  } while (0)

int main(void) {
  enter_directory();
  int p[2], s[2];
  char b[64];
  pipe(p);
  feed = p[1];
  BOTH(read(p[0], b, 8));
  BOTH(poll(&(struct pollfd){p[0], POLLIN, 0}, 1, 70));
  while (poll(&(struct pollfd){p[0], POLLIN, 0}, 1, 0) > 0) read(p[0], b, 64);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(p[0], &set);
  alarms(SA_RESTART);
  SHOW(select(p[0] + 1, &set, NULL, NULL, &(struct timeval){1, 0}));
  quiet();
  int epoll = epoll_create1(0);
  struct epoll_event event = {EPOLLIN, {0}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, p[0], &event);
  alarms(SA_RESTART);
  SHOW(epoll_wait(epoll, &event, 1, -1));
  quiet();
  int counter = eventfd(0, 0);
  feed = counter;
  BOTH(read(counter, b, 8));
  feed = -1;
  alarms(SA_RESTART);
  struct timespec left = {0, 0};
  SHOW(nanosleep(&(struct timespec){2, 0}, &left));
  quiet();
  printf("left %d\n", left.tv_sec == 1 && left.tv_nsec > 0);
  alarms(SA_RESTART);
  SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){2, 0}, &left));
  quiet();
  int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  timerfd_settime(timer, 0, &(struct itimerspec){{0, 0}, {0, 70000000}}, NULL);
  alarms(0);
  SHOW(read(timer, b, 8));
  quiet();

  /* A write that has begun ends with what it has done. */
  alarms(0);
  SHOW(write(p[1], big, sizeof big));
  quiet();
  fcntl(p[0], F_SETFL, O_NONBLOCK);
  drain = p[0];
  alarms(SA_RESTART);
  SHOW(write(p[1], big, 10));
  quiet();
  drain = -1;

  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  feed = s[1];
  BOTH(read(s[0], b, 8));
  BOTH(recv(s[0], b, 8, 0));
  alarms(0);
  SHOW(recv(s[0], b, 64, MSG_WAITALL));
  quiet();
  struct timeval patience = {1, 0};
  setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  while (recv(s[0], b, 64, MSG_DONTWAIT) > 0) {}
  alarms(SA_RESTART);
  SHOW(recv(s[0], b, 8, 0));
  quiet();
  feed = -1;
  alarms(0);
  long sent = write(s[1], big, sizeof big);
  quiet();
  printf("partial %d\n", sent > 0 && sent < (long)sizeof big);

  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un name = {AF_UNIX, "listen"};
  bind(listener, (void *)&name, sizeof name);
  listen(listener, 1);
  alarms(0);
  SHOW(accept(listener, NULL, NULL));
  quiet();

  /* The other end of a FIFO, a lock that a child holds. */
  mkfifo("fifo", 0600);
  alarms(0);
  SHOW(open("fifo", O_RDONLY));
  quiet();
  int file = open("file", O_RDWR | O_CREAT, 0600);
  int ready[2];
  pipe(ready);
  pid_t child = fork();
  if (child == 0) {
    int own = open("file", O_RDWR);
    struct flock lock = {F_WRLCK, SEEK_SET, 0, 10, 0};
    fcntl(own, F_SETLK, &lock);
    flock(own, LOCK_EX);
    write(ready[1], "x", 1);
    for (;;) pause();
  }
  read(ready[0], b, 1);
  struct flock lock = {F_WRLCK, SEEK_SET, 5, 10, 0};
  alarms(0);
  SHOW(fcntl(file, F_SETLKW, &lock));
  quiet();
  alarms(0);
  SHOW(flock(file, LOCK_EX));
  quiet();
  kill(child, SIGKILL);
  SHOW(fcntl(file, F_SETLKW, &lock));
  SHOW(flock(file, LOCK_EX));
  waitpid(child, NULL, 0);
  return 0;
}
