/* Random address-space operations with a log of every outcome. Run natively and under meniOS: the logs must be equal.
 *
 *   vm-oracle SEED OPERATIONS [verbose]
 *
 * Works in an arena at a fixed address, so that addresses compare exactly, and beside it with addresses the kernel chooses, which are
 * logged relative to the first one it chose. Prints one line per 100 operations (hash of the log so far), or the log itself when verbose,
 * and at times the arena's part of /proc/self/maps. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define ARENA 0x100000000000UL
#define ARENA_PAGES 96
#define FREE_SLOTS 12

static uint64_t state;
static uint32_t rnd(void) {
  state += 0x9e3779b97f4a7c15UL;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
  return (uint32_t)((z ^ (z >> 31)) >> 16);
}
static uint32_t below(uint32_t n) { return rnd() % n; }

static int verbose;
static uint64_t hash = 0xcbf29ce484222325UL;
static void note(const char *format, ...) {
  char line[512];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  for (int i = 0; i < length; i++) hash = (hash ^ (unsigned char)line[i]) * 0x100000001b3UL;
  if (verbose) {
    line[length] = '\n';
    if (write(1, line, length + 1) < 0) _exit(3);
  }
}

static sigjmp_buf escape;
static volatile int fault_signal, fault_code;
static volatile uintptr_t fault_address;
static int repair;
static void on_fault(int signal, siginfo_t *info, void *context) {
  (void)context;
  fault_signal = signal;
  fault_code = info->si_code;
  fault_address = (uintptr_t)info->si_addr;
  if (repair) { /* mend the page and let the access run again */
    repair = 0;
    if (mmap((void *)(fault_address & ~(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) return;
  }
  siglongjmp(escape, 1);
}

static uintptr_t chosen_base; /* first address the kernel chose */
static struct { char *at; size_t length; } chosen[FREE_SLOTS];
static char *const arena = (char *)ARENA;
static char *break_start;

static long relative(void *p) {
  uintptr_t v = (uintptr_t)p;
  if (v >= ARENA && v < ARENA + ARENA_PAGES * PAGE) return (long)(v - ARENA);
  if (chosen_base != 0) return (long)(v - chosen_base);
  return 0;
}

static const int protections[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC, PROT_WRITE };
static int some_protection(void) { return protections[below(sizeof protections / sizeof *protections)]; }
static size_t some_length(void) {
  switch (below(8)) {
    case 0: return 1 + below(PAGE * 3);
    case 1: return PAGE * (1 + below(32));
    case 2: return 0;
    default: return PAGE * (1 + below(6));
  }
}
static char *some_address(void) {
  char *p = arena + PAGE * below(ARENA_PAGES);
  if (below(20) == 0) p += 1 + below(PAGE - 1);
  return p;
}

static void touch(char *p, int write_it, unsigned char value) {
  if (sigsetjmp(escape, 1) == 0) {
    if (write_it) {
      *(volatile unsigned char *)p = value;
      note("w %lx %02x", relative(p), value);
    } else {
      unsigned char seen = *(volatile unsigned char *)p;
      note("r %lx %02x", relative(p), seen);
    }
  } else {
    note("%c %lx signal %d code %d at %lx", write_it ? 'w' : 'r', relative(p), fault_signal, fault_code, relative((void *)fault_address));
  }
}

static int file_fd = -1;
static int shared_fd = -1;

static void map_some(void) {
  size_t length = some_length();
  int prot = some_protection(), flags, fd = -1;
  off_t offset = 0;
  char *hint = some_address();
  switch (below(8)) {
    case 0: flags = MAP_SHARED | MAP_ANONYMOUS; break;
    case 1: flags = MAP_PRIVATE; fd = file_fd; offset = PAGE * below(12); prot &= ~PROT_EXEC; break;
    case 2: flags = MAP_SHARED; fd = shared_fd; offset = PAGE * below(12); prot &= ~PROT_EXEC; break;
    case 3: flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE; break;
    default: flags = MAP_PRIVATE | MAP_ANONYMOUS; break;
  }
  if (below(30) == 0) offset += 7;
  if (below(40) == 0) flags &= ~(MAP_PRIVATE | MAP_SHARED);
  int how = below(4);
  if (how == 0) flags |= MAP_FIXED_NOREPLACE;
  else flags |= MAP_FIXED;
  if (fd < 0 && below(10) == 0) flags |= MAP_POPULATE;
  /* never reach outside the arena */
  if (hint + length > arena + ARENA_PAGES * PAGE) length = arena + ARENA_PAGES * PAGE - hint;
  void *p = mmap(hint, length, prot, flags, fd, offset);
  if (p == MAP_FAILED) note("mmap %lx %lx prot %d flags %x errno %d", relative(hint), length, prot, flags, errno);
  else note("mmap %lx %lx prot %d flags %x -> %lx", relative(hint), length, prot, flags, relative(p));
}

static void map_chosen(void) {
  int slot = below(FREE_SLOTS);
  if (chosen[slot].at != NULL) {
    size_t pages = (chosen[slot].length + PAGE - 1) / PAGE;
    int result = munmap(chosen[slot].at, chosen[slot].length);
    note("munmap chosen %lx %lx %d", relative(chosen[slot].at), pages, result);
    chosen[slot].at = NULL;
    return;
  }
  size_t length = PAGE * (1 + below(24));
  void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) {
    note("mmap chosen %lx errno %d", length, errno);
    return;
  }
  if (chosen_base == 0) chosen_base = (uintptr_t)p;
  chosen[slot].at = p;
  chosen[slot].length = length;
  note("mmap chosen %lx -> %lx", length, relative(p));
  touch((char *)p + below(length), 1, below(256));
}

static void remap_some(void) {
  size_t old_length = PAGE * below(8), new_length = PAGE * below(12);
  char *from = some_address();
  if (from + old_length > arena + ARENA_PAGES * PAGE) old_length = PAGE;
  int flags = 0;
  void *to = NULL;
  void *p;
  switch (below(3)) {
    case 0:
      p = mremap(from, old_length, new_length, 0);
      break;
    default: {
      flags = MREMAP_MAYMOVE | MREMAP_FIXED;
      char *target = some_address();
      if (target + new_length > arena + ARENA_PAGES * PAGE) new_length = PAGE;
      if (below(6) == 0 && old_length == new_length) flags |= MREMAP_DONTUNMAP;
      to = target;
      p = mremap(from, old_length, new_length, flags, target);
    }
  }
  if (p == MAP_FAILED) note("mremap %lx %lx %lx %x to %lx errno %d", relative(from), old_length, new_length, flags, to ? relative(to) : 0, errno);
  else note("mremap %lx %lx %lx %x -> %lx", relative(from), old_length, new_length, flags, relative(p));
}

static void advise_some(void) {
  static const int advices[] = { MADV_DONTNEED, MADV_DONTNEED, MADV_NORMAL, MADV_WILLNEED, MADV_SEQUENTIAL, MADV_RANDOM, MADV_DONTFORK, MADV_DOFORK, 9999 };
  int advice = advices[below(sizeof advices / sizeof *advices)];
  char *p = some_address();
  size_t length = some_length();
  int result = madvise(p, length, advice);
  note("madvise %lx %lx %d %d errno %d", relative(p), length, advice, result, result < 0 ? errno : 0);
}

/* The call itself: musl's sbrk refuses to move the break. */
static char *break_to(char *wish) { return (char *)syscall(SYS_brk, wish); }
static void brk_some(void) {
  long move = (long)below(20 * PAGE) - 8 * (long)PAGE;
  char *now = break_to(NULL);
  if (now + move < break_start) move = break_start - now;
  char *end = break_to(now + move);
  note("brk %ld -> %ld", move, (long)(end - break_start));
  if (end <= break_start) return;
  char *p = break_start + below(end - break_start);
  if (sigsetjmp(escape, 1) == 0) {
    unsigned char seen = *(volatile unsigned char *)p;
    *(volatile unsigned char *)p = seen + 1;
    note("heap %ld %02x", (long)(p - break_start), seen);
  } else note("heap fault");
}

static void fork_some(void) {
  int n = 1 + below(6);
  uint64_t seed = state ^ 0x5555;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    verbose = 0;
    state = seed;
    for (int i = 0; i < n; i++) touch(some_address(), rnd() & 1, below(256));
    if (below(3) == 0) map_some();
    _exit((int)(hash & 0x7f));
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child) note("fork failed");
  else note("child %x", status);
}

static void residency(void) {
  unsigned char vector[16];
  char *p = arena + PAGE * below(ARENA_PAGES - 16);
  int result = mincore(p, 16 * PAGE, vector);
  if (result < 0) note("mincore %lx errno %d", relative(p), errno);
  else note("mincore %lx ok", relative(p));
}

static void show_maps(void) {
  static char buffer[1 << 18];
  int fd = open("/proc/self/maps", O_RDONLY);
  size_t filled = 0;
  ssize_t got;
  while (fd >= 0 && filled < sizeof buffer - 1 && (got = read(fd, buffer + filled, sizeof buffer - 1 - filled)) > 0) filled += got;
  if (fd >= 0) close(fd);
  buffer[filled] = 0;
  for (char *line = buffer; *line;) {
    char *end = strchr(line, '\n');
    if (end == NULL) break;
    *end = 0;
    unsigned long from, to, offset;
    char rights[5];
    if (sscanf(line, "%lx-%lx %4s %lx", &from, &to, rights, &offset) == 4 && from >= ARENA && to <= ARENA + ARENA_PAGES * PAGE) {
      note("map %lx-%lx %s %lx %s", from - ARENA, to - ARENA, rights, offset, strchr(line, '/') ? "file" : "");
    }
    line = end + 1;
  }
}

static void guarded_touch(void) {
  repair = below(8) == 0;
  touch(some_address(), rnd() & 1, below(256));
  repair = 0;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  state = strtoull(argv[1], NULL, 0);
  long operations = atol(argv[2]);
  verbose = argc > 3;
  struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  file_fd = memfd_create("private", 0);
  shared_fd = memfd_create("shared", 0);
  unsigned char page[PAGE];
  for (int i = 0; i < 8; i++) {
    memset(page, 0x10 + i, sizeof page);
    if (write(file_fd, page, i == 7 ? 1000 : sizeof page) < 0 || write(shared_fd, page, i == 7 ? 1000 : sizeof page) < 0) return 2;
  }
  break_start = break_to(NULL);
  for (long i = 0; i < operations; i++) {
    switch (below(32)) {
      case 0: case 1: case 2: case 3: map_some(); break;
      case 4: case 5: {
        char *p = some_address();
        size_t length = some_length();
        if (p + length > arena + ARENA_PAGES * PAGE) length = PAGE;
        int result = munmap(p, length);
        note("munmap %lx %lx %d errno %d", relative(p), length, result, result < 0 ? errno : 0);
        break;
      }
      case 6: case 7: case 8: {
        char *p = some_address();
        size_t length = some_length();
        int prot = some_protection(), result = mprotect(p, length, prot);
        note("mprotect %lx %lx %d %d errno %d", relative(p), length, prot, result, result < 0 ? errno : 0);
        break;
      }
      case 9: case 10: remap_some(); break;
      case 11: case 12: advise_some(); break;
      case 13: brk_some(); break;
      case 14: if (below(4) == 0) fork_some(); break;
      case 15: residency(); break;
      case 16: map_chosen(); break;
      case 17: {
        if (below(10) == 0) {
          off_t size = PAGE * below(10) + below(3000);
          int result = ftruncate(shared_fd, size);
          note("truncate %ld %d", (long)size, result);
        }
        break;
      }
      default: guarded_touch();
    }
    if (i % 500 == 499) show_maps();
    if (i % 100 == 99 && !verbose) printf("%ld %016lx\n", i + 1, hash);
  }
  show_maps();
  printf("end %016lx\n", hash);
  return 0;
}
