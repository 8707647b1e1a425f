/* Random system calls with hostile arguments: fuzz SEED CHILDREN CALLS. Each child makes its own sequence and may do to itself
 * whatever it likes; the parent kills those that hang and ends with 0. For our kernel only: a host would not enjoy it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;
static uint64_t next(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state * 0x2545f4914f6cdd1dull;
}

static char *memory, *readonly, *edge;
static const char *names[] = {"/tmp/a", "/tmp/b", "/tmp", "/", "/dev/null", "/dev/zero", "/proc/self/maps", "/proc/self/fd/3", "x", "", "/tmp/d/e", "."};

static uint64_t hostile(void) {
  static const uint64_t values[] = {
    0, 1, 2, 3, 7, 8, 9, 10, 16, 31, 64, 100, 255, 256, 1023, 1024, 4095, 4096, 4097, 65536, 0x7fffffff, 0x80000000u, 0xffffffffu, 0x7ffff000,
    0x100000000ull, 0x7ffffffff000ull, 0x7fffffffffffull, 0x800000000000ull, 0x7fffffffffffffffull, 0x8000000000000000ull, -1ull, -2ull, -100ull, -4096ull,
  };
  return values[next() % (sizeof values / sizeof *values)];
}
static uint64_t argument(void) {
  switch (next() % 12) {
    case 0: case 1: return next() % 12;                        /* descriptors, small numbers */
    case 2: return hostile();
    case 3: case 4: return (uint64_t)memory + next() % 8192;
    case 5: return (uint64_t)edge - next() % 64;               /* runs into a hole */
    case 6: return (uint64_t)readonly + next() % 4096;
    case 7: return (uint64_t)names[next() % (sizeof names / sizeof *names)];
    case 8: return 1ull << (next() % 64);
    case 9: return next() % 4096;
    case 10: return next();
    default: return (uint32_t)next();
  }
}
static int excluded(long number) {
  switch (number) {
    case SYS_exit: case SYS_exit_group: case SYS_pause: case SYS_fork: case SYS_vfork: case SYS_clone: case 435 /* clone3 */:
    case SYS_rt_sigreturn: case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo:
    case SYS_setpgid: case SYS_setsid: case SYS_unlink: case SYS_unlinkat: case SYS_clock_settime: case SYS_settimeofday:
      return 1;
    default: return 0;
  }
}

static void child(uint64_t seed, int calls) {
  state = seed * 0x9e3779b97f4a7c15ull | 1;
  memory = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  readonly = mmap(0, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  edge = (char *)mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4096;
  munmap(edge, 4096);
  int pair[2];
  open("/tmp/a", O_RDWR | O_CREAT, 0600);
  pipe2(pair, O_NONBLOCK);
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
  socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
  for (int call = 0; call < calls; call++) {
    for (int word = 0; word < 64; word++) if (next() % 4 == 0) ((uint64_t *)memory)[word] = argument();
    long number = next() % 453;
    if (excluded(number)) continue;
    uint64_t a = argument(), b = argument();
    /* No processor time at all ends the child before it can show anything. */
    if ((number == SYS_setrlimit && (int)a == 0) || (number == SYS_prlimit64 && (int)b == 0)) continue;
    syscall(number, a, b, argument(), argument(), argument(), argument());
    /* Descriptors 0 to 2 may be gone; nothing is printed from here. */
  }
  _exit(0);
}

int main(int argc, char **argv) {
  uint64_t seed = strtoull(argv[1], 0, 10);
  int children = atoi(argv[2]), calls = atoi(argv[3]);
  for (int index = 0; index < children; index++) {
    pid_t pid = fork();
    if (pid == 0) child(seed * 1000 + index + 1, calls);
    int status;
    for (int waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited++) {
      struct timespec pause = {0, 1000000};
      nanosleep(&pause, 0);
      if (waited == 20) kill(pid, SIGKILL);
    }
  }
  return 0;
}
