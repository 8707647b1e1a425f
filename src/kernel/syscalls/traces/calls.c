/* Calls whose line in strace is the same on every run; calls.strace is what strace prints of them, from the first access on. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <linux/openat2.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

int main(void) {
  char b[4096];
  syscall(SYS_close_range, 3, ~0u, 0);
  char place[] = "/tmp/traced";
  mkdir(place, 0755);
  chdir(place);
  access("/nothing", R_OK);
  int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
  write(fd, "hello\n\1\2\0017\"\\", 12);
  struct iovec out[2] = {{"ab", 2}, {"cd", 2}}, in[2] = {{b, 4}, {b + 10, 20}};
  writev(fd, out, 2);
  lseek(fd, 0, SEEK_SET);
  readv(fd, in, 2);
  preadv2(fd, in, 2, 0, RWF_HIPRI);
  preadv(fd, in, 2, 1);
  pread(fd, b, 3, 2);
  memset(b, 'x', 100);
  pwrite(fd, b, 100, 0);
  struct stat st;
  syscall(SYS_stat, "f", &st);
  lstat("/dev/null", &st);
  fstat(fd, &st);
  syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK | X_OK, AT_EACCESS);
  fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND);
  fcntl(fd, F_DUPFD_CLOEXEC, 30);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  struct flock lock = {F_WRLCK, SEEK_SET, 0, 0, 0};
  fcntl(fd, F_SETLK, &lock);
  fcntl(fd, F_GETLK, &lock);
  flock(fd, LOCK_EX | LOCK_NB);
  fcntl(fd, F_SETFL, 0);
  int p[2];
  pipe2(p, O_CLOEXEC);
  fcntl(p[0], F_SETPIPE_SZ, 4096);
  int value;
  ioctl(p[0], FIONREAD, &value);
  value = 1;
  ioctl(p[0], FIONBIO, &value);
  ioctl(p[0], TIOCGWINSZ, NULL);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {EPOLLIN | EPOLLET, {.fd = 77}}, events[4];
  epoll_ctl(epoll, EPOLL_CTL_ADD, p[0], &event);
  write(p[1], "x", 1);
  epoll_wait(epoll, events, 4, -1);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGRTMIN);
  epoll_pwait(epoll, events, 4, 0, &set);
  epoll_ctl(epoll, EPOLL_CTL_DEL, p[0], NULL);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  struct itimerspec setting = {{0, 0}, {1000, 5}}, old;
  timerfd_settime(timer, 0, &setting, &old);
  timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0);
  int counter = eventfd(3, EFD_SEMAPHORE);
  read(counter, b, 8);
  int s[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  struct msghdr m = {.msg_iov = out, .msg_iovlen = 2};
  sendmsg(s[0], &m, MSG_NOSIGNAL);
  m.msg_iov = in;
  recvmsg(s[1], &m, 0);
  send(s[0], "q", 1, 0);
  recv(s[1], b, 10, MSG_PEEK | MSG_DONTWAIT);
  shutdown(s[0], SHUT_WR);
  char control[CMSG_SPACE(8)];
  m.msg_iov = out;
  m.msg_control = control;
  m.msg_controllen = CMSG_LEN(8);
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(8);
  memcpy(CMSG_DATA(c), p, 8);
  sendmsg(s[1], &m, 0);
  m.msg_iov = in;
  m.msg_controllen = sizeof control;
  recvmsg(s[0], &m, 0);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un name = {AF_UNIX, "socket"};
  bind(listener, (void *)&name, sizeof name);
  listen(listener, 5);
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  connect(client, (void *)&name, sizeof name);
  accept4(listener, NULL, NULL, SOCK_NONBLOCK);
  value = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value);
  socklen_t length = sizeof value;
  getsockopt(listener, SOL_SOCKET, SO_TYPE, &value, &length);
  madvise(NULL, 0, MADV_DONTNEED);
  mlockall(MCL_CURRENT | MCL_FUTURE);
  munlockall();
  mlock(NULL, 0);
  munmap(NULL, 0);
  syscall(SYS_mmap, 0, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  syscall(SYS_mprotect, 4096, 4096, PROT_READ | PROT_EXEC);
  int memory = memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  struct timespec time;
  syscall(SYS_clock_getres, CLOCK_REALTIME, &time);
  syscall(SYS_nanosleep, &(struct timespec){0, 10}, NULL);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){0, 10}, NULL);
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
  mkdir("d", 0755);
  syscall(SYS_mkdirat, AT_FDCWD, "d", 0007);
  symlink("abc", "l");
  readlink("l", b, 100);
  readlinkat(AT_FDCWD, "l", b, 2);
  link("f", "g");
  linkat(AT_FDCWD, "f", AT_FDCWD, "g", AT_SYMLINK_FOLLOW);
  rename("g", "h");
  syscall(SYS_renameat2, AT_FDCWD, "h", AT_FDCWD, "i", RENAME_NOREPLACE);
  unlink("i");
  unlinkat(AT_FDCWD, "l", 0);
  chmod("f", 0600);
  fchmod(fd, 04755);
  syscall(SYS_fchmodat, AT_FDCWD, "f", 0);
  syscall(SYS_chown, "f", -1, -1);
  syscall(SYS_fchownat, AT_FDCWD, "f", -1, -1, AT_SYMLINK_NOFOLLOW);
  utimensat(AT_FDCWD, "f", NULL, 0);
  struct timespec times[2] = {{5, 6}, {0, UTIME_NOW}};
  utimensat(AT_FDCWD, "f", times, AT_SYMLINK_NOFOLLOW);
  times[0].tv_nsec = UTIME_OMIT;
  utimensat(AT_FDCWD, "f", times, 0);
  syscall(SYS_utimes, "f", (struct timeval[2]){{1, 2}, {3, 4}});
  syscall(SYS_mknod, "fifo", S_IFIFO | 0644, 0);
  truncate("f", 3);
  ftruncate(fd, 5);
  fsync(fd);
  fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10);
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  syscall(SYS_getcwd, b, 100);
  dup2(1, 50);
  dup3(1, 51, O_CLOEXEC);
  syscall(SYS_close_range, 50, 60, 0);
  struct open_how how = {O_RDONLY, 0, RESOLVE_BENEATH};
  syscall(SYS_openat2, AT_FDCWD, "x", &how, sizeof how);
  close(fd);
  close(fd);
  unlink("f");
  unlink("fifo");
  unlink("socket");
  rmdir("d");
  rmdir(place);
  access("/end", F_OK);
  return 0;
}
