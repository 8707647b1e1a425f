// Blocking calls that a signal interrupts: EINTR, SA_RESTART, and those that never restart.
#include "check.h"
#include <poll.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
static volatile int hits;
static void hit(int s) { hits++; }
static void arm(int restart, int ms) {
  struct sigaction a = {.sa_handler = hit, .sa_flags = restart ? SA_RESTART : 0};
  sigaction(SIGALRM, &a, NULL);
  struct itimerval t = {{0, 0}, {0, ms * 1000}};
  hits = 0;
  setitimer(ITIMER_REAL, &t, NULL);
}
static int late_writer(int fd, int ms) {
  fflush(stdout);
  int pid = fork();
  if (pid == 0) { usleep(ms * 1000); write(fd, "x", 1); _exit(3); }
  return pid;
}
int main(void) {
  for (int restart = 0; restart < 2; restart++) {
    int p[2], status;
    char c;
    pipe(p);
    printf("restart %d\n", restart);
    arm(restart, 30); late_writer(p[1], 120);
    SHOW(read(p[0], &c, 1));
    SHOW(hits);
    wait(NULL);
    int pid = late_writer(p[1], 100);
    arm(restart, 30);
    SHOW(waitpid(pid, &status, 0) == pid);
    while (wait(NULL) > 0 || errno == EINTR) continue;
    arm(restart, 30);
    struct timespec t = {0, 100000000}, left = {9, 9};
    SHOW(nanosleep(&t, &left));
    FACT(left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec < 100000000);
    arm(restart, 30);
    struct pollfd f = {.fd = 0, .events = 0};
    SHOW(poll(NULL, 0, 100));
    arm(restart, 30);
    SHOW(pause());
    arm(restart, 30);
    SHOW(usleep(100000));
    SHOW(hits);
  }
  struct timespec whole;
  clock_gettime(CLOCK_MONOTONIC, &whole);
  whole.tv_nsec += 50000000;
  if (whole.tv_nsec >= 1000000000) whole.tv_sec++, whole.tv_nsec -= 1000000000;
  arm(1, 10);
  SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &whole, NULL));
  SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &whole, NULL));
  return 0;
}
