/* printf (C17 7.21.6.1) with every conversion but wide characters: d i o u x X c s p n % e f g a and their capitals,
 * long double included. Digits are exact at any precision (decimal.h). */
#include "decimal.h"
#include "file.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  int left, plus, space, alternate, zero;
  int width, precision; /* precision -1: not given */
} spec_t;

typedef struct {
  FILE *file;
  long count;
  int failed;
} sink_t;

static void put(sink_t *sink, const char *text, size_t length) {
  if (length > 0 && __file_put(sink->file, text, length) != 0) sink->failed = 1;
  sink->count += (long)length;
}

static void repeat(sink_t *sink, char byte, long count) {
  char run[32];
  memset(run, byte, sizeof run);
  for (; count > 0; count -= (long)sizeof run) put(sink, run, count < (long)sizeof run ? (size_t)count : sizeof run);
}

/* prefix (sign or 0x), zeros, body, within the field; `zeros` belong between prefix and body. */
static void put_field(sink_t *sink, const spec_t *spec, const char *prefix, long zeros, const char *body, size_t length) {
  long padding = spec->width - (long)strlen(prefix) - zeros - (long)length;
  if (padding < 0) padding = 0;
  if (!spec->left && !spec->zero) repeat(sink, ' ', padding);
  put(sink, prefix, strlen(prefix));
  if (!spec->left && spec->zero) repeat(sink, '0', padding);
  repeat(sink, '0', zeros);
  put(sink, body, length);
  if (spec->left) repeat(sink, ' ', padding);
}

static void put_integer(sink_t *sink, spec_t *spec, uint64_t value, int negative, int is_signed, char conversion) {
  char digits[24], *at = digits + sizeof digits;
  unsigned base = conversion == 'o' ? 8 : (conversion | 32) == 'x' ? 16 : 10;
  const char *alphabet = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  for (uint64_t rest = value; rest > 0; rest /= base) *--at = alphabet[rest % base];
  long length = digits + sizeof digits - at;
  const char *prefix = "";
  if (is_signed) prefix = negative ? "-" : spec->plus ? "+" : spec->space ? " " : "";
  if (spec->alternate && base == 16 && value != 0) prefix = conversion == 'X' ? "0X" : "0x";
  long wanted = spec->precision < 0 ? 1 : spec->precision;
  if (spec->alternate && base == 8 && wanted <= length) wanted = length + 1;
  if (spec->precision >= 0) spec->zero = 0; /* 7.21.6.1: the 0 flag is ignored when a precision is given */
  put_field(sink, spec, prefix, wanted > length ? wanted - length : 0, at, (size_t)length);
}

/* The parts of a long double: value = significand × 2^exponent. */
typedef struct {
  int negative, special; /* special: 1 infinity, 2 NaN */
  uint64_t significand;
  int exponent;
} parts_t;

static parts_t split(long double value) {
  struct {
    uint64_t significand;
    uint16_t top;
  } raw = {0, 0};
  memcpy(&raw, &value, 10);
  parts_t parts = {.negative = raw.top >> 15, .significand = raw.significand};
  int exponent = raw.top & 0x7fff;
  if (exponent == 0x7fff) parts.special = raw.significand << 1 == 0 ? 1 : 2;
  parts.exponent = (exponent == 0 ? 1 : exponent) - 16383 - 63;
  return parts;
}

static void put_hexadecimal(sink_t *sink, spec_t *spec, parts_t parts, const char *sign, int upper, int is_long) {
  char body[64], prefix[4];
  const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  uint64_t bits = parts.significand; /* bit 63 is the unit unless denormal */
  int exponent = parts.exponent + 63, fraction_digits;
  if (bits == 0) exponent = 0;
  else if (!is_long && exponent < -1022) bits >>= -1022 - exponent, exponent = -1022; /* a denormal double */
  /* A long double shows four bits before the point, a double one: that is what the x86-64 C library prints. */
  int unit_bits = is_long ? 4 : 1;
  if (is_long && bits) exponent -= 3;
  unsigned lead = (unsigned)(bits >> (64 - unit_bits));
  uint64_t fraction = bits << unit_bits;
  int most = is_long ? 15 : 13;
  if (spec->precision >= 0 && spec->precision < most) {
    int kept = spec->precision * 4;
    uint64_t tail = kept == 0 ? fraction : fraction << kept;
    uint64_t high = kept == 0 ? 0 : fraction >> (64 - kept);
    int odd = kept == 0 ? lead & 1 : high & 1;
    if (tail > 1ULL << 63 || (tail == 1ULL << 63 && odd)) {
      if (kept == 0 || ++high >> kept) high = 0, lead++;
      if (kept == 0) high = 0;
    }
    fraction = kept == 0 ? 0 : high << (64 - kept);
    if (lead >= 16) lead >>= 4, exponent += 4;
    fraction_digits = spec->precision;
  } else {
    fraction_digits = spec->precision;
    if (fraction_digits < 0) {
      fraction_digits = 0;
      for (uint64_t rest = fraction; rest; rest <<= 4) fraction_digits++;
    }
  }
  char *at = body;
  *at++ = alphabet[lead];
  if (fraction_digits > 0 || spec->alternate) *at++ = '.';
  int stored = fraction_digits < 16 ? fraction_digits : 16;
  for (int i = 0; i < stored; i++) *at++ = alphabet[fraction >> (60 - 4 * i) & 15];
  char tail[16];
  int tail_length = snprintf(tail, sizeof tail, "%c%+d", upper ? 'P' : 'p', exponent);
  strcpy(prefix, sign);
  strcat(prefix, upper ? "0X" : "0x");
  long zeros = fraction_digits - stored, length = at - body;
  long padding = spec->width - (long)strlen(prefix) - length - zeros - tail_length;
  if (!spec->left && !spec->zero) repeat(sink, ' ', padding);
  put(sink, prefix, strlen(prefix));
  if (!spec->left && spec->zero) repeat(sink, '0', padding);
  put(sink, body, (size_t)length);
  repeat(sink, '0', zeros);
  put(sink, tail, (size_t)tail_length);
  if (spec->left) repeat(sink, ' ', padding);
}

/* Digits from place `from` to place `to`, both included, places as decimal_digit counts them. */
static void put_digits(sink_t *sink, const decimal_t *number, int from, int to) {
  char run[64];
  while (from <= to) {
    int part = to - from + 1 < (int)sizeof run ? to - from + 1 : (int)sizeof run;
    for (int i = 0; i < part; i++) run[i] = (char)('0' + decimal_digit(number, from + i));
    put(sink, run, (size_t)part);
    from += part;
  }
}

static void put_float(sink_t *sink, spec_t *spec, long double value, char conversion, int is_long) {
  parts_t parts = split(value);
  char style = conversion | 32;
  int upper = conversion != style;
  const char *sign = parts.negative ? "-" : spec->plus ? "+" : spec->space ? " " : "";
  if (parts.special) {
    const char *name = parts.special == 1 ? (upper ? "INF" : "inf") : upper ? "NAN" : "nan";
    spec->zero = 0;
    put_field(sink, spec, sign, 0, name, 3);
    return;
  }
  if (style == 'a') {
    put_hexadecimal(sink, spec, parts, sign, upper, is_long);
    return;
  }
  static decimal_t number; /* 10 KiB: too much for a small stack, and there is one thread */
  decimal_set(&number, parts.significand);
  decimal_scale(&number, parts.exponent);
  int precision = spec->precision < 0 ? 6 : spec->precision, trim = 0;
  if (style == 'g') {
    if (precision == 0) precision = 1;
    decimal_round(&number, decimal_leading(&number) + precision);
    int exponent = number.count == 0 ? 0 : -decimal_leading(&number) - 1;
    trim = !spec->alternate;
    if (exponent < -4 || exponent >= precision) style = 'e', precision -= 1;
    else style = 'f', precision -= exponent + 1;
  } else if (style == 'e') {
    decimal_round(&number, decimal_leading(&number) + precision + 1);
  } else {
    decimal_round(&number, precision);
  }
  int leading = number.count == 0 ? -1 : decimal_leading(&number);
  int unit = style == 'e' ? leading : -1; /* place of the digit before the point */
  if (trim) {
    int last = number.count == 0 ? unit : decimal_last(&number);
    if (last < unit) last = unit;
    if (last - unit < precision) precision = last - unit;
  }
  int first = style == 'f' && leading < -1 ? leading : unit;
  char tail[16] = "";
  int tail_length = 0;
  if (style == 'e') tail_length = snprintf(tail, sizeof tail, "%c%+.2d", upper ? 'E' : 'e', number.count == 0 ? 0 : -leading - 1);
  int point = precision > 0 || spec->alternate;
  long padding = spec->width - (long)strlen(sign) - (unit - first + 1) - point - precision - tail_length;
  if (!spec->left && !spec->zero) repeat(sink, ' ', padding);
  put(sink, sign, strlen(sign));
  if (!spec->left && spec->zero) repeat(sink, '0', padding);
  put_digits(sink, &number, first, unit);
  if (point) put(sink, ".", 1);
  put_digits(sink, &number, unit + 1, unit + precision);
  put(sink, tail, (size_t)tail_length);
  if (spec->left) repeat(sink, ' ', padding);
}

static const char *parse_flags(const char *at, spec_t *spec) {
  for (;; at++) {
    if (*at == '-') spec->left = 1;
    else if (*at == '+') spec->plus = 1;
    else if (*at == ' ') spec->space = 1;
    else if (*at == '#') spec->alternate = 1;
    else if (*at == '0') spec->zero = 1;
    else return at;
  }
}

static const char *parse_number(const char *at, int *value) {
  long number = 0;
  for (; *at >= '0' && *at <= '9'; at++)
    if (number < INT_MAX) number = number * 10 + (*at - '0');
  *value = number > INT_MAX ? INT_MAX : (int)number;
  return at;
}

int vfprintf(FILE *restrict file, const char *restrict format, va_list arguments) {
  sink_t sink = {.file = file};
  for (const char *at = format; *at;) {
    const char *plain = at;
    while (*at && *at != '%') at++;
    put(&sink, plain, (size_t)(at - plain));
    if (!*at) break;
    spec_t spec = {.precision = -1};
    at = parse_flags(at + 1, &spec);
    if (*at == '*') {
      spec.width = va_arg(arguments, int);
      if (spec.width < 0) spec.left = 1, spec.width = -spec.width;
      at++;
    } else {
      at = parse_number(at, &spec.width);
    }
    if (*at == '.') {
      if (*++at == '*') {
        spec.precision = va_arg(arguments, int);
        if (spec.precision < 0) spec.precision = -1;
        at++;
      } else {
        at = parse_number(at, &spec.precision);
      }
    }
    int bytes = 4, is_long = 0; /* size of the integer argument */
    for (;; at++) {
      if (*at == 'h') bytes = bytes == 2 ? 1 : 2;
      else if (*at == 'l' || *at == 'j' || *at == 'z' || *at == 't') bytes = 8;
      else if (*at == 'L') is_long = 1, bytes = 8;
      else break;
    }
    char conversion = *at;
    if (conversion) at++;
    switch (conversion) {
      case 'd':
      case 'i': {
        int64_t value = bytes == 8 ? va_arg(arguments, long) : va_arg(arguments, int);
        if (bytes == 2) value = (int16_t)value;
        if (bytes == 1) value = (int8_t)value;
        put_integer(&sink, &spec, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 1, 'd');
        break;
      }
      case 'o':
      case 'u':
      case 'x':
      case 'X': {
        uint64_t value = bytes == 8 ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
        if (bytes == 2) value = (uint16_t)value;
        if (bytes == 1) value = (uint8_t)value;
        put_integer(&sink, &spec, value, 0, 0, conversion);
        break;
      }
      case 'p': {
        uint64_t value = (uint64_t)va_arg(arguments, void *);
        spec.alternate = 1;
        if (value) put_integer(&sink, &spec, value, 0, 0, 'x');
        else put_field(&sink, &spec, "", 0, "(nil)", 5);
        break;
      }
      case 'c': {
        char byte = (char)va_arg(arguments, int);
        spec.zero = 0;
        put_field(&sink, &spec, "", 0, &byte, 1);
        break;
      }
      case 's': {
        const char *text = va_arg(arguments, const char *);
        if (!text) text = spec.precision >= 0 && spec.precision < 6 ? "" : "(null)";
        spec.zero = 0;
        put_field(&sink, &spec, "", 0, text, spec.precision < 0 ? strlen(text) : strnlen(text, (size_t)spec.precision));
        break;
      }
      case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'a': case 'A': {
        long double value = is_long ? va_arg(arguments, long double) : (long double)va_arg(arguments, double);
        put_float(&sink, &spec, value, conversion, is_long);
        break;
      }
      case 'm': {
        const char *text = strerror(errno);
        put_field(&sink, &spec, "", 0, text, strlen(text));
        break;
      }
      case 'n':
        if (bytes == 8) *va_arg(arguments, long *) = sink.count;
        else *va_arg(arguments, int *) = (int)sink.count;
        break;
      case '%': put(&sink, "%", 1); break;
      default: errno = EINVAL; return -1;
    }
  }
  return sink.failed ? -1 : (int)sink.count;
}

int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments) {
  FILE memory = {.fd = -1, .flags = FILE_STRING, .buffer = (unsigned char *)to, .size = size ? size - 1 : 0, .pushed = EOF};
  int count = vfprintf(&memory, format, arguments);
  if (size > 0) to[memory.start < size - 1 ? memory.start : size - 1] = 0;
  return count;
}

int vsprintf(char *restrict to, const char *restrict format, va_list arguments) {
  return vsnprintf(to, INT_MAX, format, arguments);
}

int vdprintf(int fd, const char *restrict format, va_list arguments) {
  unsigned char buffer[512];
  FILE file = {.fd = fd, .flags = FILE_WRITE, .mode = _IOFBF, .buffer = buffer, .size = sizeof buffer, .pushed = EOF};
  int count = vfprintf(&file, format, arguments);
  return fflush(&file) == 0 ? count : -1;
}

int vasprintf(char **restrict to, const char *restrict format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  *to = length < 0 ? NULL : malloc((size_t)length + 1);
  int result = *to ? vsnprintf(*to, (size_t)length + 1, format, again) : -1;
  va_end(again);
  return result;
}

int vprintf(const char *restrict format, va_list arguments) {
  return vfprintf(stdout, format, arguments);
}

#define FORWARD(call)           \
  va_list arguments;            \
  va_start(arguments, format);  \
  int result = call;            \
  va_end(arguments);            \
  return result

int printf(const char *restrict format, ...) {
  FORWARD(vfprintf(stdout, format, arguments));
}
int fprintf(FILE *restrict file, const char *restrict format, ...) {
  FORWARD(vfprintf(file, format, arguments));
}
int dprintf(int fd, const char *restrict format, ...) {
  FORWARD(vdprintf(fd, format, arguments));
}
int sprintf(char *restrict to, const char *restrict format, ...) {
  FORWARD(vsprintf(to, format, arguments));
}
int snprintf(char *restrict to, size_t size, const char *restrict format, ...) {
  FORWARD(vsnprintf(to, size, format, arguments));
}
int asprintf(char **restrict to, const char *restrict format, ...) {
  FORWARD(vasprintf(to, format, arguments));
}
