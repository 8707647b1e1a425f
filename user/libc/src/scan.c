/* sscanf (C17 7.21.6.2): d i u o x X n c s [ e f g a p and %, with widths, `*` and the length modifiers. */
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void store_integer(va_list arguments, int bytes, uint64_t value) {
  void *target = va_arg(arguments, void *);
  memcpy(target, &value, (size_t)bytes);
}

/* Whether `byte` is in the set whose text starts after '['; *after is moved past the closing bracket. */
static int in_set(const char *set, int byte, const char **after) {
  int inverted = *set == '^', found = 0;
  const char *at = set + inverted;
  do {
    if (at[1] == '-' && at[2] && at[2] != ']') {
      found |= byte >= (unsigned char)at[0] && byte <= (unsigned char)at[2];
      at += 3;
    } else {
      found |= byte == (unsigned char)*at++;
    }
  } while (*at && *at != ']');
  if (after) *after = *at ? at + 1 : at;
  return found != inverted;
}

int vsscanf(const char *restrict text, const char *format, va_list list) {
  const char *at = text;
  int assigned = 0;
  va_list arguments;
  va_copy(arguments, list);
  for (; *format; format++) {
    if (isspace((unsigned char)*format)) {
      while (isspace((unsigned char)*at)) at++;
      continue;
    }
    if (*format != '%') {
      if (*at != *format) goto done;
      at++;
      continue;
    }
    format++;
    int skip = *format == '*', width = 0, bytes = 4;
    format += skip;
    for (; isdigit((unsigned char)*format); format++) width = width * 10 + (*format - '0');
    int is_long_double = 0;
    for (;; format++) {
      if (*format == 'h') bytes = bytes == 2 ? 1 : 2;
      else if (*format == 'l' || *format == 'j' || *format == 'z' || *format == 't') bytes = 8;
      else if (*format == 'L') is_long_double = 1;
      else break;
    }
    char conversion = *format;
    if (!conversion) break;
    if (conversion == 'n') {
      if (!skip) store_integer(arguments, bytes, (uint64_t)(at - text));
      continue;
    }
    if (conversion != 'c' && conversion != '[') while (isspace((unsigned char)*at)) at++;
    if (conversion == '%') {
      if (*at++ != '%') goto done;
      continue;
    }
    if (!*at) {
      if (assigned == 0) assigned = EOF;
      goto done;
    }
    if (conversion == 'c' || conversion == 's' || conversion == '[') {
      const char *set = format + 1, *first = at;
      int limit = width ? width : conversion == 'c' ? 1 : INT32_MAX;
      if (conversion == '[') in_set(set, 0, &format), format--;
      for (; limit > 0 && *at; limit--, at++) {
        if (conversion == 's' && isspace((unsigned char)*at)) break;
        if (conversion == '[' && !in_set(set, (unsigned char)*at, NULL)) break;
      }
      if (at == first) goto done;
      if (!skip) {
        char *target = va_arg(arguments, char *);
        memcpy(target, first, (size_t)(at - first));
        if (conversion != 'c') target[at - first] = 0;
        assigned++;
      }
      continue;
    }
    char field[512]; /* the number's text, cut to the width */
    size_t length = strnlen(at, width > 0 && width < 511 ? (size_t)width : 511);
    memcpy(field, at, length);
    field[length] = 0;
    char *end;
    if (strchr("eEfFgGaA", conversion)) {
      long double value = strtold(field, &end);
      if (end == field) goto done;
      if (!skip) {
        if (is_long_double) *va_arg(arguments, long double *) = value;
        else if (bytes == 8) *va_arg(arguments, double *) = strtod(field, &end);
        else *va_arg(arguments, float *) = strtof(field, &end);
      }
    } else {
      int base = conversion == 'd' || conversion == 'u' ? 10 : conversion == 'o' ? 8 : conversion == 'i' ? 0 : 16;
      if (conversion == 'p') bytes = 8;
      uint64_t value = conversion == 'd' || conversion == 'i' ? (uint64_t)strtol(field, &end, base) : strtoul(field, &end, base);
      if (end == field) goto done;
      if (!skip) store_integer(arguments, bytes, value);
    }
    at += end - field;
    if (!skip) assigned++;
  }
done:
  va_end(arguments);
  return assigned;
}

int sscanf(const char *restrict text, const char *restrict format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int result = vsscanf(text, format, arguments);
  va_end(arguments);
  return result;
}
