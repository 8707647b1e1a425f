/* String functions at every alignment, sorting, malloc under random load, streams, setjmp, calendar. Portable C. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static uint64_t state = 1234567;
static unsigned next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33);
}

static int sign(int value) {
  return (value > 0) - (value < 0);
}

static void strings(void) {
  unsigned long sum = 0;
  char a[96], b[96];
  for (int i = 0; i < 40000; i++) {
    for (int j = 0; j < 96; j++) a[j] = (char)("abcab\0xyzAB\xff"[next() % 12]), b[j] = next() % 3 ? a[j] : (char)next();
    a[95] = b[95] = 0;
    unsigned x = next() % 40, y = next() % 40, n = next() % 50;
    char *p = a + x, *q = b + y, *r;
    switch (next() % 22) {
      case 0: memcpy(p, q, n); break;
      case 1: memmove(a + x, a + y, n); break;
      case 2: memset(p, (int)next(), n); break;
      case 3: sum += (unsigned)sign(memcmp(p, q, n)); break;
      case 4: sum += (unsigned)sign(strcmp(p, q)); break;
      case 5: sum += (unsigned)sign(strncmp(p, q, n)); break;
      case 6: sum += (unsigned)sign(strcasecmp(p, q)); break;
      case 7: sum += strlen(p) * 3 + strnlen(q, n); break;
      case 8: r = memchr(p, 'x', n); sum += r ? (unsigned)(r - a) : 99; break;
      case 9: r = strchr(p, 'c'); sum += r ? (unsigned)(r - a) : 99; break;
      case 10: r = strrchr(p, 'b'); sum += r ? (unsigned)(r - a) : 99; break;
      case 11: q[2] = 0; r = strstr(p, q); sum += r ? (unsigned)(r - a) : 99; break;
      case 12: sum += strspn(p, "abc") * 7 + strcspn(p, "xz"); break;
      case 13: r = strpbrk(p, "AB"); sum += r ? (unsigned)(r - a) : 99; break;
      case 14: strncpy(p, q, n); break;
      case 15: q[strnlen(q, 20)] = 0; p[strnlen(p, 20)] = 0; strcat(p, q); break;
      case 16: q[strnlen(q, 9)] = 0; r = stpcpy(p, q); sum += (unsigned)(r - a); break;
      case 17: r = memmem(p, 40, q, next() % 3); sum += r ? (unsigned)(r - a) : 99; break;
      case 18: p[strnlen(p, 20)] = 0; strncat(p, q, n % 20); break;
      case 19: r = memrchr(p, 'a', n); sum += r ? (unsigned)(r - a) : 99; break;
      case 20: for (char *save = NULL, *t = strtok_r(p, "xy", &save); t; t = strtok_r(NULL, "xy", &save)) sum = sum * 5 + strlen(t); break;
      default: sum += (unsigned)sign(strncasecmp(p, q, n)); break;
    }
    for (int j = 0; j < 96; j++) sum = sum * 31 + (unsigned char)a[j];
  }
  printf("strings %lx\n", sum);
  for (int c = -1; c < 256; c++) {
    printf("%d%d%d%d%d%d%d%d%d%d%d", !!isdigit(c), !!isalpha(c), !!isalnum(c), !!isspace(c), !!isupper(c), !!islower(c), !!ispunct(c),
           !!isprint(c), !!isgraph(c), !!iscntrl(c), !!isxdigit(c));
    printf("%c%d,%d", c % 8 ? ' ' : '\n', toupper(c), tolower(c));
  }
  printf("\n");
  for (int e = 0; e < 41; e++) printf("%s\n", strerror(e));
}

static int compare(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

static void sorting(void) {
  enum { COUNT = 5000 };
  static int values[COUNT];
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < COUNT; i++) values[i] = round == 0 ? (int)next() : round == 1 ? i : round == 2 ? COUNT - i : (int)(next() % 5);
    qsort(values, COUNT, sizeof *values, compare);
    unsigned long sum = 0;
    for (int i = 0; i < COUNT; i++) sum = sum * 131 + (unsigned)values[i];
    int key = values[COUNT / 3], *found = bsearch(&key, values, COUNT, sizeof key, compare);
    int missing = -77, *none = bsearch(&missing, values, COUNT, sizeof key, compare);
    printf("sort %d: %lx %d %d\n", round, sum, found && *found == key, none != NULL);
  }
}

static void heap(void) {
  enum { SLOTS = 300 };
  static unsigned char *slot[SLOTS];
  static size_t size[SLOTS];
  unsigned long errors = 0;
  for (int i = 0; i < 60000; i++) {
    unsigned s = next() % SLOTS;
    size_t wanted = next() % 100 == 0 ? next() % 700000 : next() % 16 == 0 ? next() % 40000 : next() % 400;
    for (size_t j = 0; j < size[s]; j += 97) errors += slot[s][j] != (unsigned char)(s + j);
    if (next() % 3 == 0 && slot[s]) {
      unsigned char *moved = realloc(slot[s], wanted + 1);
      for (size_t j = 0; j < size[s] && j < wanted; j += 97) errors += moved[j] != (unsigned char)(s + j);
      slot[s] = moved;
    } else {
      free(slot[s]);
      if (next() % 4 == 0) {
        size_t alignment = 16u << next() % 10;
        void *block = NULL;
        errors += (unsigned)posix_memalign(&block, alignment, wanted + 1);
        slot[s] = block;
        errors += (uintptr_t)block % alignment != 0;
      } else if (next() % 4 == 0) {
        slot[s] = calloc(1, wanted + 1);
        for (size_t j = 0; j <= wanted; j += 61) errors += slot[s][j] != 0;
      } else {
        slot[s] = malloc(wanted + 1);
      }
    }
    errors += (uintptr_t)slot[s] % 16 != 0;
    size[s] = wanted;
    for (size_t j = 0; j < wanted; j += 97) slot[s][j] = (unsigned char)(s + j);
  }
  for (int s = 0; s < SLOTS; s++) free(slot[s]);
  volatile size_t huge = (size_t)-1 / 2;
  errno = 0;
  void *none = malloc(huge);
  printf("heap %lu %d %d", errors, none == NULL, errno == ENOMEM);
  none = calloc(huge, 4);
  printf(" %d\n", none == NULL);
}

static jmp_buf target;
static void jump(int depth) {
  if (depth == 0) longjmp(target, 42);
  jump(depth - 1);
}

static void streams(const char *path) {
  FILE *file = fopen(path, "w+");
  if (!file) {
    perror(path);
    return;
  }
  for (int i = 0; i < 3000; i++) fprintf(file, "line %d %x\n", i, i * i);
  printf("at %ld", ftell(file));
  fseek(file, 100, SEEK_SET);
  char line[64] = "";
  fgets(line, sizeof line, file);
  printf(" %s", line);
  fgets(line, sizeof line, file);
  printf("%ld %s", ftell(file), line);
  fseek(file, -20, SEEK_END);
  size_t got = fread(line, 1, sizeof line, file);
  printf("%zu %d %d\n", got, feof(file) != 0, ferror(file) != 0);
  rewind(file);
  int c = fgetc(file);
  ungetc('X', file);
  printf("%c %c %c %ld\n", c, fgetc(file), fgetc(file), ftell(file));
  fclose(file);
  file = fopen(path, "a");
  fputs("tail\n", file);
  fclose(file);
  file = fopen(path, "r");
  char *text = NULL;
  size_t capacity = 0;
  unsigned long sum = 0;
  int lines = 0;
  for (ssize_t n; (n = getline(&text, &capacity, file)) >= 0; lines++) sum = sum * 31 + (unsigned long)n + (unsigned char)text[n / 2];
  printf("%d lines %lx %s", lines, sum, text);
  free(text);
  printf("%d", fputc('x', file) == EOF);
  fclose(file);
  printf(" %d %d\n", fopen("/no/such/file", "r") == NULL, errno == ENOENT);
}

int main(int argc, char **argv) {
  strings();
  sorting();
  heap();
  int value = setjmp(target);
  if (value == 0) jump(10);
  printf("setjmp %d\n", value);
  static const time_t moments[] = {0, 86399, 951782400, 951868800, 1700000000, 4102444800, -1, -62135596800};
  for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++) {
    struct tm t;
    gmtime_r(&moments[i], &t);
    printf("%d-%d-%d %d:%d:%d %d %d %d\n", t.tm_year, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_wday, t.tm_yday,
           timegm(&t) == moments[i]);
  }
  streams(argc > 1 ? argv[1] : "/tmp/conformance.tmp");
  setenv("MENIOS_TEST", "one", 1);
  setenv("MENIOS_TEST", "two", 0);
  printf("%s", getenv("MENIOS_TEST"));
  setenv("MENIOS_TEST", "three", 1);
  printf(" %s", getenv("MENIOS_TEST"));
  unsetenv("MENIOS_TEST");
  printf(" %d\n", getenv("MENIOS_TEST") == NULL);
  return 0;
}
