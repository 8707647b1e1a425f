/* What the self-tests share. A test returns null when it holds, or the reason why not; it runs in a process of its own. */
#ifndef SELFTEST_H
#define SELFTEST_H
#include "../common/memory_view.h"
#include <errno.h>
#include <menios.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

typedef const char *(*test_t)(void);

#define TEST(name) const char *name(void)
#define EXPECT(condition) do { if (!(condition)) return #condition; } while (0)

/* The program's path, for tests that execute it again. */
extern const char *self_path;
/* argv as it lies on the entry stack. */
extern char **start_arguments;
/* Pages present below the stack pointer's page, and the sum of those from it to the stack's end, when main began. */
extern long pages_below_stack, pages_of_stack;

/* Anonymous private memory; exits the test process when there is none. */
static inline char *map_pages(size_t pages, int protection) {
  void *base = mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) _exit(99);
  return base;
}

/* Forks, runs `body` in the child and returns its wait status. */
#define IN_CHILD(status, ...)              \
  do {                                     \
    pid_t child_ = fork();                 \
    if (child_ == 0) {                     \
      __VA_ARGS__;                         \
      _exit(0);                            \
    }                                      \
    if (child_ < 0) return "fork failed";  \
    if (waitpid(child_, &(status), 0) != child_) return "waitpid failed"; \
  } while (0)

/* The last fault a test provoked with `provoke`. */
typedef struct {
  int count, signal, code;
  uintptr_t address;
} fault_t;
extern fault_t fault;
/* Runs `access(argument)`; a SIGSEGV or SIGBUS in it is recorded in `fault` and ends the access. */
void provoke(void (*access)(char *), char *argument);
void read_byte(char *at);
void write_byte(char *at);
#endif
