/* Numbers from text: strtol and family, strtod and family (C17 7.22.1), correctly rounded. */
#include "decimal.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Reads an integer's magnitude; *negative and *overflow tell the rest. Without digits *end is `text`. */
static unsigned long parse_integer(const char *text, char **end, int base, int *negative, int *overflow) {
  const char *at = text;
  while (isspace((unsigned char)*at)) at++;
  *negative = *at == '-';
  *overflow = 0;
  if (*at == '-' || *at == '+') at++;
  if ((base == 0 || base == 16) && at[0] == '0' && (at[1] | 32) == 'x' && isxdigit((unsigned char)at[2])) at += 2, base = 16;
  else if (base == 0) base = *at == '0' ? 8 : 10;
  unsigned long value = 0;
  const char *first = at;
  for (;; at++) {
    int c = (unsigned char)*at;
    int digit = isdigit(c) ? c - '0' : isalpha(c) ? (c | 32) - 'a' + 10 : 99;
    if (digit >= base) break;
    if (__builtin_mul_overflow(value, (unsigned long)base, &value) || __builtin_add_overflow(value, (unsigned long)digit, &value))
      *overflow = 1;
  }
  if (end) *end = (char *)(at == first ? text : at);
  return value;
}

long strtol(const char *restrict text, char **restrict end, int base) {
  int negative, overflow;
  unsigned long value = parse_integer(text, end, base, &negative, &overflow);
  unsigned long limit = negative ? (unsigned long)LONG_MAX + 1 : LONG_MAX;
  if (overflow || value > limit) {
    errno = ERANGE;
    return negative ? LONG_MIN : LONG_MAX;
  }
  return negative ? (long)-value : (long)value;
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base) {
  int negative, overflow;
  unsigned long value = parse_integer(text, end, base, &negative, &overflow);
  if (overflow) {
    errno = ERANGE;
    return ULONG_MAX;
  }
  return negative ? -value : value;
}

long long strtoll(const char *restrict text, char **restrict end, int base) { return strtol(text, end, base); }
unsigned long long strtoull(const char *restrict text, char **restrict end, int base) { return strtoul(text, end, base); }
int atoi(const char *text) { return (int)strtol(text, NULL, 10); }
long atol(const char *text) { return strtol(text, NULL, 10); }
double atof(const char *text) { return strtod(text, NULL); }

typedef struct {
  int bits, least, most; /* significand bits; exponents of the smallest and the largest normal number's unit bit */
} format_t;

/* significand × 2^exponent rounded to the format, half to even. Bit 63 of the significand is set, or all of it is 0;
 * `guard` is the bit after the last one and `sticky` tells whether anything follows that. */
static long double assemble(uint64_t significand, int exponent, int guard, int sticky, const format_t *format) {
  if (significand == 0) return 0;
  int unit = exponent + 63; /* exponent of the leading bit */
  int dropped = 64 - format->bits;
  if (unit < format->least) dropped += format->least - unit;
  if (dropped > 64) {
    errno = ERANGE;
    return 0;
  }
  uint64_t kept = dropped == 64 ? 0 : significand >> dropped;
  int scale = exponent + dropped;
  if (dropped == 0) {
    if (guard && (sticky || (kept & 1)) && ++kept == 0) kept = 1ULL << 63, scale++;
  } else {
    sticky |= guard;
    uint64_t half = 1ULL << (dropped - 1);
    uint64_t tail = dropped == 64 ? significand : significand & ((half << 1) - 1);
    if (tail > half || (tail == half && (sticky || (kept & 1)))) kept++;
    if (unit < format->least && (tail || sticky)) errno = ERANGE;
  }
  if (kept != 0 && scale + 63 - __builtin_clzl(kept) > format->most) {
    errno = ERANGE;
    return __builtin_infl();
  }
  if (kept == 0) return 0;
  struct {
    uint64_t significand;
    uint16_t top;
  } raw;
  int shift = __builtin_clzl(kept), top = scale + 63 - shift + 16383;
  if (top <= 0) shift -= 1 - top, top = 0; /* a denormal long double */
  raw.significand = kept << shift;
  raw.top = (uint16_t)top;
  long double value = 0;
  memcpy(&value, &raw, 10);
  return value;
}

static long double parse_hexadecimal(const char *at, char **end, const format_t *format) {
  unsigned __int128 value = 0; /* two words, so that the guard bit of a 64-bit significand is among them */
  int exponent = 0, sticky = 0, point = 0;
  for (;; at++) {
    if (*at == '.' && !point) {
      point = 1;
      continue;
    }
    if (!isxdigit((unsigned char)*at)) break;
    unsigned digit = isdigit((unsigned char)*at) ? (unsigned)(*at - '0') : (unsigned)((*at | 32) - 'a' + 10);
    if (value >> 124) {
      sticky |= digit != 0;
      exponent += 4;
    } else {
      value = value << 4 | digit;
    }
    if (point) exponent -= 4;
  }
  if ((*at | 32) == 'p') {
    char *after;
    const char *digits = at + 1 + (at[1] == '-' || at[1] == '+');
    if (isdigit((unsigned char)*digits)) {
      long power = strtol(at + 1, &after, 10);
      exponent += power > 100000 ? 100000 : power < -100000 ? -100000 : (int)power;
      at = after;
    }
  }
  *end = (char *)at;
  if (value == 0) return 0;
  while (!(value >> 127)) value <<= 1, exponent--;
  uint64_t low = (uint64_t)value;
  return assemble((uint64_t)(value >> 64), exponent + 64, (int)(low >> 63), sticky || low << 1 != 0, format);
}

/* Decimal text to the nearest number: take the digits exactly, scale by powers of two until the integer part has 64
 * bits, and round once. Digits beyond 2,000 only matter as a sticky bit. */
static long double parse_decimal(const char *at, char **end, const format_t *format) {
  static decimal_t number;
  static char digits[2008];
  int count = 0, sticky = 0, point_seen = 0;
  long exponent = 0; /* value = 0.digits × 10^exponent */
  for (;; at++) {
    if (*at == '.' && !point_seen) {
      point_seen = 1;
      continue;
    }
    if (!isdigit((unsigned char)*at)) break;
    if (!point_seen && (count > 0 || *at != '0')) exponent++;
    if (point_seen && count == 0 && *at == '0') exponent--;
    if (count == 0 && *at == '0') continue;
    if (count < 2000) digits[count++] = *at;
    else sticky |= *at != '0';
  }
  if ((*at | 32) == 'e') {
    const char *power = at + 1 + (at[1] == '-' || at[1] == '+');
    if (isdigit((unsigned char)*power)) {
      char *after;
      long value = strtol(at + 1, &after, 10);
      exponent += value > 100000 ? 100000 : value < -100000 ? -100000 : value;
      at = after;
    }
  }
  *end = (char *)at;
  if (count == 0) return 0;
  if (exponent > 5000) {
    errno = ERANGE;
    return __builtin_infl();
  }
  if (exponent < -5000) {
    errno = ERANGE;
    return 0;
  }
  /* Align the digits to limbs of nine: pad in front so that the point falls between limbs. */
  int pad = (int)(((-exponent) % 9 + 9) % 9);
  number.first = 600;
  number.count = (pad + count + 8) / 9;
  number.point = (int)((exponent + pad) / 9);
  for (int i = 0; i < number.count; i++) {
    uint32_t limb = 0;
    for (int j = 0; j < 9; j++) {
      int index = i * 9 + j - pad;
      limb = limb * 10 + (uint32_t)(index >= 0 && index < count ? digits[index] - '0' : 0);
    }
    number.limb[number.first + i] = limb;
  }
  int scale = 0;
  decimal_scale(&number, 0);
  while (number.point < 3 || (number.point == 3 && number.limb[number.first] < 9)) decimal_scale(&number, 29), scale -= 29;
  while (number.point > 3 || (number.point == 3 && number.limb[number.first] >= 18)) {
    int bits = number.point > 4 ? 9 : 1;
    decimal_scale(&number, -bits), scale += bits;
  }
  /* Now 9e18 ≤ integer part < 18e18 < 2^64; doubling once where needed sets bit 63. */
  uint64_t integer = 0;
  for (int i = 0; i < 3; i++) integer = integer * DECIMAL_BASE + (i < number.count ? number.limb[number.first + i] : 0);
  if (!(integer >> 63)) {
    decimal_scale(&number, 1), scale--;
    integer = 0;
    for (int i = 0; i < 3; i++) integer = integer * DECIMAL_BASE + (i < number.count ? number.limb[number.first + i] : 0);
  }
  uint32_t fraction = number.count > 3 ? number.limb[number.first + 3] : 0;
  int guard = fraction >= DECIMAL_BASE / 2;
  sticky |= number.count > 4 || fraction % (DECIMAL_BASE / 2) != 0;
  return assemble(integer, scale, guard, sticky, format);
}

static long double parse_float(const char *text, char **end, const format_t *format) {
  const char *at = text;
  char *after;
  while (isspace((unsigned char)*at)) at++;
  int negative = *at == '-';
  if (*at == '-' || *at == '+') at++;
  long double value;
  if (strncasecmp(at, "inf", 3) == 0) {
    value = __builtin_infl();
    after = (char *)at + (strncasecmp(at, "infinity", 8) == 0 ? 8 : 3);
  } else if (strncasecmp(at, "nan", 3) == 0) {
    value = __builtin_nanl("");
    after = (char *)at + 3;
  } else if (at[0] == '0' && (at[1] | 32) == 'x' && (isxdigit((unsigned char)at[2]) || (at[2] == '.' && isxdigit((unsigned char)at[3])))) {
    value = parse_hexadecimal(at + 2, &after, format);
  } else if (isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1]))) {
    value = parse_decimal(at, &after, format);
  } else {
    value = 0;
    negative = 0;
    after = (char *)text;
  }
  if (end) *end = after;
  return negative ? -value : value;
}

float strtof(const char *restrict text, char **restrict end) {
  static const format_t format = {24, -126, 127};
  return (float)parse_float(text, end, &format);
}

double strtod(const char *restrict text, char **restrict end) {
  static const format_t format = {53, -1022, 1023};
  return (double)parse_float(text, end, &format);
}

long double strtold(const char *restrict text, char **restrict end) {
  static const format_t format = {64, -16382, 16383};
  return parse_float(text, end, &format);
}
