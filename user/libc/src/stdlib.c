/* The rest of <stdlib.h>: ending, environment, sorting, small arithmetic. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_FUNCTIONS 64
static void (*exit_functions[EXIT_FUNCTIONS])(void);
static int exit_count;

int atexit(void (*function)(void)) {
  if (exit_count == EXIT_FUNCTIONS) return -1;
  exit_functions[exit_count++] = function;
  return 0;
}

void exit(int status) {
  while (exit_count > 0) exit_functions[--exit_count]();
  fflush(NULL);
  _exit(status);
}

void _Exit(int status) {
  _exit(status);
}

void abort(void) {
  sigset_t set = 1UL << (SIGABRT - 1);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  raise(SIGABRT);
  signal(SIGABRT, SIG_DFL); /* a handler returned: POSIX asks that the process ends all the same */
  raise(SIGABRT);
  for (;;) __asm__ volatile("ud2");
}

void __assert_fail(const char *text, const char *file, int line, const char *function) {
  fflush(stdout);
  fprintf(stderr, "%s:%d: %s: assertion `%s' failed\n", file, line, function, text);
  abort();
}

/* Index of NAME= in the environment, or of its closing null. */
static size_t find_variable(const char *name, size_t length) {
  size_t i = 0;
  while (environ[i] && !(strncmp(environ[i], name, length) == 0 && environ[i][length] == '=')) i++;
  return i;
}

char *getenv(const char *name) {
  size_t length = strlen(name), i = find_variable(name, length);
  return environ[i] ? environ[i] + length + 1 : NULL;
}

int setenv(const char *name, const char *value, int overwrite) {
  size_t length = strlen(name);
  if (length == 0 || strchr(name, '=')) {
    errno = EINVAL;
    return -1;
  }
  size_t i = find_variable(name, length);
  if (environ[i] && !overwrite) return 0;
  char *entry;
  if (asprintf(&entry, "%s=%s", name, value) < 0) return -1;
  if (!environ[i]) {
    static char **own; /* the vector on the entry stack cannot grow */
    char **larger = realloc(environ == own ? own : NULL, (i + 2) * sizeof *larger);
    if (!larger) {
      free(entry);
      return -1;
    }
    if (environ != own) memcpy(larger, environ, i * sizeof *larger);
    environ = own = larger;
    environ[i + 1] = NULL;
  }
  environ[i] = entry;
  return 0;
}

int unsetenv(const char *name) {
  size_t i = find_variable(name, strlen(name));
  for (; environ[i]; i++) environ[i] = environ[i + 1];
  return 0;
}

static void swap(char *a, char *b, size_t size) {
  for (; size > 0; size--, a++, b++) {
    char byte = *a;
    *a = *b;
    *b = byte;
  }
}

static void sift_down(char *base, size_t root, size_t count, size_t size, int (*compare)(const void *, const void *)) {
  for (size_t child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0) child++;
    if (compare(base + root * size, base + child * size) >= 0) return;
    swap(base + root * size, base + child * size, size);
  }
}

/* Heapsort: in place, no recursion, n log n in every case. */
void qsort(void *array, size_t count, size_t size, int (*compare)(const void *, const void *)) {
  char *base = array;
  for (size_t root = count / 2; root-- > 0;) sift_down(base, root, count, size, compare);
  for (size_t last = count; last-- > 1;) {
    swap(base, base + last * size, size);
    sift_down(base, 0, last, size, compare);
  }
}

void *bsearch(const void *key, const void *base, size_t count, size_t size, int (*compare)(const void *, const void *)) {
  const char *low = base;
  while (count > 0) {
    const char *middle = low + count / 2 * size;
    int order = compare(key, middle);
    if (order == 0) return (void *)middle;
    if (order > 0) low = middle + size, count -= count / 2 + 1;
    else count /= 2;
  }
  return NULL;
}

int abs(int value) { return value < 0 ? -value : value; }
long labs(long value) { return value < 0 ? -value : value; }
long long llabs(long long value) { return value < 0 ? -value : value; }
div_t div(int numerator, int denominator) { return (div_t){numerator / denominator, numerator % denominator}; }
ldiv_t ldiv(long numerator, long denominator) { return (ldiv_t){numerator / denominator, numerator % denominator}; }

/* The linear congruential generator of Knuth's MMIX; the high bits are the good ones. */
static uint64_t random_state = 1;
static int next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (int)(*state >> 33);
}
int rand(void) { return next_random(&random_state); }
void srand(unsigned seed) { random_state = seed; }
int rand_r(unsigned *seed) {
  uint64_t state = *seed;
  int value = next_random(&state);
  *seed = (unsigned)(state >> 32);
  return value;
}
