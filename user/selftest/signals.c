/* Signals, timers, shared memory segments. */
#include "selftest.h"
#include <sys/shm.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static volatile int seen[65], order[8], order_count;
static void count(int signal) {
  seen[signal]++;
  if (order_count < 8) order[order_count++] = signal;
}

static int handle(int signal, unsigned long flags, sigset_t mask) {
  struct sigaction action = {.sa_handler = count, .sa_flags = flags, .sa_mask = mask};
  return sigaction(signal, &action, NULL);
}

TEST(signal_mask) {
  sigset_t set = 1UL << (SIGUSR1 - 1) | 1UL << (SIGUSR2 - 1), old;
  EXPECT(handle(SIGUSR1, 0, 0) == 0 && handle(SIGUSR2, 0, 0) == 0);
  EXPECT(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  raise(SIGUSR1);
  raise(SIGUSR1); /* an ordinary signal is pending once */
  raise(SIGUSR2);
  EXPECT(seen[SIGUSR1] == 0 && seen[SIGUSR2] == 0);
  EXPECT(sigprocmask(SIG_UNBLOCK, &set, &old) == 0);
  EXPECT((old & set) == set);
  EXPECT(seen[SIGUSR1] == 1 && seen[SIGUSR2] == 1);
  set = ~0UL;
  EXPECT(sigprocmask(SIG_SETMASK, &set, NULL) == 0 && sigprocmask(SIG_BLOCK, NULL, &set) == 0);
  EXPECT(!sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP) && sigismember(&set, SIGTERM));
  return NULL;
}

static siginfo_t got;
static volatile int on_alternate;
static void keep(int signal, siginfo_t *info, void *context) {
  (void)signal;
  got = *info;
  on_alternate = ((ucontext_t *)context)->uc_sigmask != 0;
}

TEST(signal_siginfo) {
  struct sigaction action = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO};
  EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
  kill(getpid(), SIGUSR1);
  EXPECT(got.si_signo == SIGUSR1 && got.si_code == SI_USER && got.si_pid == getpid());
  EXPECT(sigaction(SIGCHLD, &action, NULL) == 0);
  int status;
  IN_CHILD(status, _exit(9));
  EXPECT(got.si_signo == SIGCHLD && got.si_status == 9);
  EXPECT(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL);
  return NULL;
}

static void clobber(int signal) {
  (void)signal;
  __asm__ volatile(
    "pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm15, %%xmm15; fld1; std; cld; xorl %%r8d, %%r8d; xorl %%ecx, %%ecx; xorl %%edx, %%edx; fstp %%st(0)"
    ::: "xmm0", "xmm15", "r8", "rcx", "rdx", "memory");
  seen[0]++;
}

TEST(signal_keeps_registers) {
  struct sigaction action = {.sa_handler = clobber};
  EXPECT(sigaction(SIGSEGV, &action, NULL) == 0);
  struct itimerval every = {{0, 500}, {0, 500}};
  action.sa_handler = clobber;
  EXPECT(sigaction(SIGALRM, &action, NULL) == 0);
  EXPECT(setitimer(ITIMER_REAL, &every, NULL) == 0);
  unsigned long integer = 1, period = 0;
  double value = 1;
  long double extended = 1;
  /* Sums that go wrong when any handler leaks a register, a flag or x87 state into them. */
  for (long i = 0; seen[0] < 5 && i < 400000000; i++) {
    integer = integer * 3 + 1;
    value = value * 1.0000001 + 1e-9;
    extended = extended * 1.0000001L + 1e-9L;
    if ((i & 0xffff) == 0xffff) {
      if (period != 0 && period != integer) return "an integer register changed";
      period = integer;
      integer = 1, value = 1, extended = 1;
    }
    double difference = value - (double)extended;
    if (difference > 1e-9 || difference < -1e-9) return "floating-point state changed";
  }
  EXPECT(seen[0] >= 5);
  return NULL;
}

static void outer(int signal) {
  count(signal);
  raise(SIGUSR2);
}

TEST(signal_nested) {
  struct sigaction action = {.sa_handler = outer, .sa_mask = 0};
  EXPECT(sigaction(SIGUSR1, &action, NULL) == 0 && handle(SIGUSR2, 0, 0) == 0);
  raise(SIGUSR1);
  EXPECT(order_count == 2 && order[0] == SIGUSR1 && order[1] == SIGUSR2);
  order_count = seen[SIGUSR2] = 0;
  action.sa_mask = 1UL << (SIGUSR2 - 1); /* now it waits until the outer handler returned */
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  EXPECT(order_count == 2 && seen[SIGUSR2] == 1);
  return NULL;
}

static const char *interrupted_read(unsigned long flags, ssize_t wanted) {
  int ends[2], status;
  EXPECT(pipe(ends) == 0);
  EXPECT(handle(SIGUSR1, flags, 0) == 0);
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    usleep(20000);
    kill(parent, SIGUSR1);
    usleep(20000);
    write(ends[1], "z", 1);
    _exit(0);
  }
  char byte;
  errno = 0;
  ssize_t result = read(ends[0], &byte, 1);
  EXPECT(seen[SIGUSR1] == 1);
  EXPECT(result == wanted);
  EXPECT(result == 1 || errno == EINTR);
  EXPECT(waitpid(child, &status, 0) == child);
  return NULL;
}

TEST(signal_interrupts) { return interrupted_read(0, -1); }
TEST(signal_restarts) { return interrupted_read(SA_RESTART, 1); }

TEST(signal_reset_hand) {
  int status;
  EXPECT(handle(SIGUSR1, SA_RESETHAND, 0) == 0);
  IN_CHILD(status, { raise(SIGUSR1); if (seen[SIGUSR1] == 1) raise(SIGUSR1); });
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
  return NULL;
}

TEST(signal_ignored) {
  EXPECT(signal(SIGTERM, SIG_IGN) == SIG_DFL);
  raise(SIGTERM);
  EXPECT(signal(SIGTERM, SIG_DFL) == SIG_IGN);
  EXPECT(kill(getpid(), 0) == 0);
  EXPECT(kill(999999, 0) == -1 && errno == ESRCH);
  EXPECT(kill(getpid(), 99) == -1 && errno == EINVAL);
  return NULL;
}

TEST(signal_to_child) {
  int status;
  pid_t child = fork();
  if (child == 0)
    for (;;) yield();
  EXPECT(kill(child, SIGTERM) == 0);
  EXPECT(waitpid(child, &status, 0) == child);
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  EXPECT(kill(child, SIGTERM) == -1 && errno == ESRCH);
  return NULL;
}

TEST(alarm_fires) {
  EXPECT(handle(SIGALRM, 0, 0) == 0);
  EXPECT(alarm(100) == 0);
  unsigned left = alarm(1);
  EXPECT(left == 100 || left == 99);
  struct timespec long_time = {10, 0};
  errno = 0;
  EXPECT(nanosleep(&long_time, &long_time) == -1 && errno == EINTR);
  EXPECT(seen[SIGALRM] == 1);
  EXPECT(long_time.tv_sec == 8 || (long_time.tv_sec == 9 && long_time.tv_nsec < 100000000));
  EXPECT(alarm(0) == 0);
  return NULL;
}

TEST(timer_repeats) {
  struct itimerval timer = {{0, 5000}, {0, 5000}}, now;
  EXPECT(handle(SIGALRM, SA_RESTART, 0) == 0);
  EXPECT(setitimer(ITIMER_REAL, &timer, NULL) == 0);
  EXPECT(getitimer(ITIMER_REAL, &now) == 0);
  EXPECT(now.it_interval.tv_usec == 5000 && now.it_value.tv_usec <= 5000);
  for (long i = 0; seen[SIGALRM] < 4 && i < 2000; i++) usleep(1000);
  EXPECT(seen[SIGALRM] >= 4);
  timer = (struct itimerval){0};
  EXPECT(setitimer(ITIMER_REAL, &timer, NULL) == 0);
  int stopped = seen[SIGALRM];
  usleep(20000);
  EXPECT(seen[SIGALRM] == stopped);
  return NULL;
}

TEST(shm_shared) {
  int id = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0600), status;
  EXPECT(id >= 0);
  volatile char *one = shmat(id, NULL, 0);
  EXPECT(one != (void *)-1);
  one[0] = 'a';
  EXPECT(one[2 * PAGE] == 0);
  IN_CHILD(status, {
    if (one[0] != 'a') _exit(1);
    volatile char *two = shmat(id, NULL, 0);
    if (two == one || two[0] != 'a') _exit(2);
    two[2 * PAGE] = 'b';
    if (shmdt((void *)two) != 0) _exit(3);
  });
  EXPECT(status == 0);
  EXPECT(one[2 * PAGE] == 'b');
  provoke(write_byte, shmat(id, NULL, SHM_RDONLY));
  EXPECT(fault.count == 1 && fault.code == SEGV_ACCERR);
  EXPECT(shmctl(id, IPC_RMID, NULL) == 0);
  EXPECT(one[0] == 'a'); /* lives until the last detach */
  EXPECT(shmdt((void *)one) == 0);
  EXPECT(shmdt((void *)one) == -1 && errno == EINVAL);
  return NULL;
}

TEST(shm_control) {
  int id = shmget(0x5e1f, 5000, IPC_CREAT | IPC_EXCL | 0600);
  EXPECT(id >= 0);
  EXPECT(shmget(0x5e1f, 5000, IPC_CREAT | IPC_EXCL | 0600) == -1 && errno == EEXIST);
  EXPECT(shmget(0x5e1f, 0, 0) == id);
  EXPECT(shmget(0x5e1f, 50000, 0) == -1 && errno == EINVAL);
  void *one = shmat(id, NULL, 0), *two = shmat(id, NULL, 0);
  struct shmid_ds info;
  EXPECT(shmctl(id, IPC_STAT, &info) == 0);
  EXPECT(info.shm_segsz == 5000 && info.shm_nattch == 2 && info.shm_cpid == getpid());
  EXPECT(shmdt(one) == 0 && shmdt(two) == 0);
  EXPECT(shmctl(id, IPC_RMID, NULL) == 0);
  EXPECT(shmctl(id, IPC_STAT, &info) == -1 && (errno == EINVAL || errno == EIDRM));
  EXPECT(shmget(0x5e1f, 0, 0) == -1 && errno == ENOENT);
  EXPECT(shmat(id, NULL, 0) == (void *)-1 && (errno == EINVAL || errno == EIDRM));
  return NULL;
}
