/* See decimal.h. A number grows to the left when multiplied and to the right when divided. */
#include "decimal.h"
#include <string.h>

/* Where the first limb of a fresh number lies: 549 limbs to the left hold 2^16384, the rest 2^-16445 and more. */
#define ORIGIN 600

static const uint32_t powers[10] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

static void strip(decimal_t *number) {
  while (number->count > 0 && number->limb[number->first] == 0) number->first++, number->count--, number->point--;
  while (number->count > 0 && number->limb[number->first + number->count - 1] == 0) number->count--;
  if (number->count == 0) number->point = 0;
}

void decimal_set(decimal_t *number, uint64_t value) {
  number->first = ORIGIN;
  number->count = number->point = 3;
  for (int i = 2; i >= 0; i--, value /= DECIMAL_BASE) number->limb[ORIGIN + i] = (uint32_t)(value % DECIMAL_BASE);
  strip(number);
}

static void double_times(decimal_t *number, int bits) { /* bits ≤ 32 */
  uint64_t carry = 0;
  for (int i = number->first + number->count - 1; i >= number->first; i--) {
    uint64_t product = ((uint64_t)number->limb[i] << bits) + carry;
    number->limb[i] = (uint32_t)(product % DECIMAL_BASE);
    carry = product / DECIMAL_BASE;
  }
  while (carry > 0) {
    number->limb[--number->first] = (uint32_t)(carry % DECIMAL_BASE);
    number->count++, number->point++;
    carry /= DECIMAL_BASE;
  }
  strip(number);
}

static void halve_times(decimal_t *number, int bits) { /* bits ≤ 9, because 2^9 divides 10^9 */
  uint32_t mask = (1u << bits) - 1, unit = DECIMAL_BASE >> bits, carry = 0;
  for (int i = number->first; i < number->first + number->count; i++) {
    uint32_t limb = number->limb[i];
    number->limb[i] = (limb >> bits) + carry;
    carry = (limb & mask) * unit;
  }
  if (carry > 0) number->limb[number->first + number->count++] = carry;
  strip(number);
}

void decimal_scale(decimal_t *number, int bits) {
  while (bits > 0) {
    int part = bits < 29 ? bits : 29;
    double_times(number, part);
    bits -= part;
  }
  while (bits < 0) {
    int part = bits > -9 ? -bits : 9;
    halve_times(number, part);
    bits += part;
  }
  strip(number);
}

/* Index of the limb that holds a place, and the power of ten of the digit in it. */
static int limb_index(const decimal_t *number, int place, int *power) {
  int offset = place >= 0 ? place / 9 : -((-place + 8) / 9);
  *power = 8 - (place - offset * 9);
  return number->point + offset;
}

int decimal_digit(const decimal_t *number, int place) {
  int power, index = limb_index(number, place, &power);
  if (index < 0 || index >= number->count) return 0;
  return (int)(number->limb[number->first + index] / powers[power] % 10);
}

int decimal_leading(const decimal_t *number) {
  if (number->count == 0) return 0;
  int digits = 1;
  for (uint32_t limb = number->limb[number->first]; limb >= 10; limb /= 10) digits++;
  return -number->point * 9 + (9 - digits);
}

int decimal_last(const decimal_t *number) {
  if (number->count == 0) return 0;
  int zeros = 0;
  for (uint32_t limb = number->limb[number->first + number->count - 1]; limb % 10 == 0; limb /= 10) zeros++;
  return (number->count - number->point) * 9 - 1 - zeros;
}

void decimal_round(decimal_t *number, int place) {
  int power, index = limb_index(number, place, &power); /* the first digit that goes */
  if (index >= number->count || number->count == 0) return;
  if (index < 0) { /* everything goes, and it is below half: the first limb lies at least one place lower */
    decimal_set(number, 0);
    return;
  }
  uint32_t *limb = &number->limb[number->first + index];
  uint32_t unit = powers[power + 1], tail = *limb % unit, half = unit / 2;
  int sticky = index + 1 < number->count;
  int odd = power == 8 ? (index > 0 ? (int)(limb[-1] & 1) : 0) : (int)(*limb / unit % 10 & 1);
  int up = tail > half || (tail == half && (sticky || odd));
  *limb -= tail;
  number->count = index + 1;
  if (up) {
    uint64_t sum = (uint64_t)*limb + unit;
    for (int i = number->first + index;;) {
      number->limb[i] = (uint32_t)(sum % DECIMAL_BASE);
      if (sum < DECIMAL_BASE) break;
      if (i == number->first) {
        number->limb[--number->first] = 1;
        number->count++, number->point++;
        break;
      }
      sum = (uint64_t)number->limb[--i] + 1;
    }
  }
  strip(number);
}
