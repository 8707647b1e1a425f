/* Does one hostile thing: PROGRAM WHAT. What it survives it reports in one line. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1UL << 20)

/* Touches more memory than there is, in pieces that are each promised. */
static int exhaust(void) {
  for (;;) {
    char *p = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return 3;
    memset(p, 0xa5, 8 * MIB);
  }
}
/* The same in a child: its parent goes on. */
static int exhaust_child(void) {
  pid_t child = fork();
  if (child == 0) _exit(exhaust());
  int status = 0;
  waitpid(child, &status, 0);
  char *p = malloc(4 * MIB);
  memset(p, 1, 4 * MIB);
  printf("child ended by %d, parent goes on with %d\n", WTERMSIG(status), p[MIB]);
  return 0;
}
/* Copies /dev/zero into a file until nothing more goes in, deletes it, and can write again. */
static int fill(void) {
  static char buffer[65536];
  int from = open("/dev/zero", O_RDONLY), to = open("/tmp/full", O_RDWR | O_CREAT | O_TRUNC, 0600);
  uint64_t written = 0;
  ssize_t n;
  while ((n = read(from, buffer, sizeof buffer)) > 0) {
    n = write(to, buffer, n);
    if (n <= 0) break;
    written += n;
  }
  int why = errno;
  close(to);
  unlink("/tmp/full");
  to = open("/tmp/again", O_WRONLY | O_CREAT, 0600);
  int again = write(to, buffer, sizeof buffer) == sizeof buffer;
  printf("%s after more than a MiB: %d, again: %d\n", strerror(why), written > MIB, again);
  return 0;
}
/* A byte far out in a file, and the largest size there is. */
static int huge_file(void) {
  int to = open("/tmp/huge", O_RDWR | O_CREAT, 0600);
  int sparse = pwrite(to, "x", 1, (off_t)1 << 50) == 1;
  int truncated = ftruncate(to, INT64_MAX) == 0;
  printf("huge file: %s, %s\n", sparse ? "written" : "refused", truncated ? "truncated" : "refused");
  return 0;
}
/* Forks without end, the children too. Whoever can no more waits; the first one says why it could not, and ends. */
static int fork_bomb(void) {
  pid_t first = getpid();
  while (fork() >= 0) ;
  int why = errno;
  if (getpid() != first) for (;;) pause();
  printf("refused: %s\n", strerror(why));
  return 0;
}

static sigjmp_buf escape;
static volatile int seen_code;
static volatile uintptr_t seen_address;
static void on_fault(int signal, siginfo_t *info, void *context) {
  seen_code = info->si_code;
  seen_address = (uintptr_t)info->si_addr;
  siglongjmp(escape, signal);
}
/* Reads and writes the kernel's half, what is no address at all, and lets system calls do it. */
static int kernel_addresses(void) {
  static const uintptr_t addresses[] = {
    0xffff800000000000, 0xffff888000000000, 0xffffffff80000000, 0xfffffffffffff000, 0xffffffffffffffff, 0x800000000000, 0x8000000000000000, 0x7ffffffff000, 0,
  };
  struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
  sigaction(SIGSEGV, &action, NULL);
  for (unsigned i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    volatile char *p = (volatile char *)addresses[i];
    for (int write_it = 0; write_it < 2; write_it++) {
      int signal = sigsetjmp(escape, 1);
      if (signal == 0) {
        if (write_it) *p = 1;
        else (void)*p;
        printf("%lx reached\n", addresses[i]);
      } else printf("%lx %d code %d at %lx\n", addresses[i], signal, seen_code, seen_address);
    }
    int fd = open("/dev/zero", O_RDONLY);
    long got = syscall(SYS_read, fd, p, 4096L);
    printf("read there: %s\n", got < 0 ? strerror(errno) : "done");
    got = syscall(SYS_write, 1, p, 4096L);
    printf("write from there: %s\n", got < 0 ? strerror(errno) : "done");
    close(fd);
    if (addresses[i] != 0) {
      void *mapped = mmap((void *)(addresses[i] & ~4095UL), 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      printf("mmap there: %s\n", mapped == MAP_FAILED ? strerror(errno) : "done");
    }
  }
  return 0;
}
/* Endless recursion ends as natively: SIGSEGV. */
__attribute__((noinline)) static int recurse(volatile int *depth) {
  volatile char room[1024];
  room[0] = (char)*depth;
  ++*depth;
  return recurse(depth) + room[0];
}
static int overflow(void) {
  volatile int depth = 0;
  return recurse(&depth);
}
/* Output without end: the embedder's limit ends it. */
static int shout(void) {
  static char buffer[65536];
  memset(buffer, 'x', sizeof buffer);
  for (;;) if (write(1, buffer, sizeof buffer) < 0) return 4;
}
static int spin(void) {
  for (;;) __asm__ volatile("");
}
/* Descriptors, pipes and mappings without end; the errors that stop each. */
static int hoard(void) {
  int fds = 0, pipes[2], why_fd, why_map, maps = 0;
  while (pipe(pipes) == 0) fds += 2;
  why_fd = errno;
  for (;; maps++) {
    int prot = maps & 1 ? PROT_READ : PROT_NONE;
    if (mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
  }
  why_map = errno;
  printf("%s after %d, %s after many: %d\n", strerror(why_fd), fds > 900, strerror(why_map), maps > 60000);
  return 0;
}

int main(int argc, char **argv) {
  static const struct { const char *name; int (*run)(void); } all[] = {
    {"exhaust", exhaust}, {"exhaust_child", exhaust_child}, {"fill", fill}, {"huge_file", huge_file}, {"fork_bomb", fork_bomb},
    {"kernel_addresses", kernel_addresses}, {"overflow", overflow}, {"shout", shout}, {"spin", spin}, {"hoard", hoard},
  };
  for (unsigned i = 0; argc > 1 && i < sizeof all / sizeof *all; i++) if (strcmp(argv[1], all[i].name) == 0) return all[i].run();
  return 2;
}
