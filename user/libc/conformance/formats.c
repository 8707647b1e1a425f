/* printf, strtod, strtol and sscanf over seeded random values. Portable C: the host's libc gives the expected output. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static double any_double(void) {
  uint64_t bits = next();
  switch (next() % 6) {
    case 0: break;                                              /* any bit pattern */
    case 1: bits &= 0x800fffffffffffff; break;                  /* denormal */
    case 2: return (double)(int64_t)(bits % 2000001) / 1000 - 1000; /* few digits */
    case 3: bits = (bits & 0x800fffffffffffff) | (uint64_t)(1023 - 40 + next() % 100) << 52; break;
    case 4: return (double)(bits % 100) * 0.5;                  /* ties */
    default: bits = (uint64_t)(next() % 2047) << 52; break;     /* powers of two */
  }
  double value;
  memcpy(&value, &bits, 8);
  return value;
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 20000;
  static const char flags[] = "-+ #0", conversions[] = "eEfFgGaA", integers[] = "diouxX";
  char format[32], text[8192];
  for (int i = 0; i < rounds; i++) {
    char *at = format;
    *at++ = '%';
    for (int f = 0; f < 5; f++) if (next() % 4 == 0) *at++ = flags[f];
    if (next() % 2) at += sprintf(at, "%d", (int)(next() % 40));
    if (next() % 2) at += sprintf(at, ".%d", (int)(next() % (next() % 16 ? 25 : 400)));
    double value = any_double();
    int length;
    if (next() % 4 == 0) {
      at += sprintf(at, "L%c", conversions[next() % 8]);
      length = snprintf(text, sizeof text, format, (long double)value / 3);
    } else if (next() % 3 == 0) {
      static const char *const sizes[] = {"hh", "h", "", "l", "ll", "j", "z"};
      at += sprintf(at, "%s%c", sizes[next() % 7], integers[next() % 6]);
      length = snprintf(text, sizeof text, format, next() % 5 ? next() >> next() % 64 : 0);
    } else {
      at += sprintf(at, "%c", conversions[next() % 8]);
      length = snprintf(text, sizeof text, format, value);
    }
    printf("%s|%d|%s|\n", format, length, text);
  }
  for (int i = 0; i < rounds; i++) {
    double value = any_double(), back;
    char *end;
    snprintf(text, sizeof text, "%.*e", (int)(next() % 25), value);
    if (next() % 8 == 0) snprintf(text, sizeof text, "%.*f", (int)(next() % 1100), value);
    if (next() % 8 == 0) snprintf(text, sizeof text, "%a", value);
    if (next() % 16 == 0) strcat(text, "e5");
    errno = 0;
    back = strtod(text, &end);
    printf("%a %d", back, (int)(end - text));
    printf(" %a", strtof(text, NULL));
    printf(" %La\n", strtold(text, &end));
  }
  static const char *const odd[] = {"inf", "-INFINITY", "nan", "  +1.5e", "1e+", ".5", ".", "-", "0x", "0x.8p1", "0x1p-1080", "1e400",
                                    "-1e-400", "4.9406564584124654e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
                                    "1.7976931348623159e308", "1e4932", "1.19e4932", "3.6e-4951", "1e-5000", "1e5000", "9007199254740993",
                                    "9007199254740992.999999999999999999999999", "00000000000000000000000000000000001.0"};
  for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
    char *end;
    double value = strtod(odd[i], &end);
    printf("%s: %a %d %La %a\n", odd[i], value, (int)(end - odd[i]), strtold(odd[i], NULL), strtof(odd[i], NULL));
  }
  static const char *const whole[] = {"0", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
                                      "-9223372036854775809", "18446744073709551616", "0x7f", "077", "0x", "zz", " 12abc", "+-3", ""};
  for (unsigned i = 0; i < sizeof whole / sizeof *whole; i++)
    for (int base = 0; base <= 36; base += base ? 4 : 8) {
      char *end;
      errno = 0;
      long value = strtol(whole[i], &end, base);
      printf("%s/%d: %ld %d %d", whole[i], base, value, (int)(end - whole[i]), errno);
      errno = 0;
      unsigned long other = strtoul(whole[i], &end, base);
      printf(" %lu %d\n", other, errno);
    }
  int a = 0, b = 0, c = 0;
  unsigned u = 0;
  char word[32] = "", set[32] = "", letter = 0;
  double d = 0;
  float f = 0;
  long double e = 0;
  c = sscanf("12 0x1f hello,x 3.25 7 1e3 abc-def:9", "%d %x %5s,%c %lf %*d %f %[a-z-]:%Lf", &a, &u, word, &letter, &d, &f, set, &e);
  printf("%d: %d %x %s %c %g %g %s %Lg\n", c, a, u, word, letter, d, (double)f, set, e);
  c = sscanf("  -5%17", "%i%%%2d%n", &a, &b, &c) * 100 + c;
  printf("%d: %d %d\n", c, a, b);
  printf("%d %d\n", sscanf("", "%d", &a), sscanf("x", "%d", &a));
  printf("%5s|%-5s|%.2s|%c|%%|%p|%s\n", "ab", "cd", "xyz", 'q', (void *)0, (char *)0);
  return 0;
}
