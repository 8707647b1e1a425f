/* Exact decimal numbers for printf and strtod.
 *
 * A number is limbs of nine decimal digits, most significant first, with `point` limbs before the decimal point.
 * Every binary floating-point value is a finite decimal, so multiplying and dividing by powers of two loses nothing;
 * the capacity holds any long double (16,445 bits on either side of the point, nine digits a limb). */
#ifndef DECIMAL_H
#define DECIMAL_H
#include <stdint.h>

#define DECIMAL_BASE 1000000000u
#define DECIMAL_LIMBS 3200

typedef struct {
  uint32_t limb[DECIMAL_LIMBS];
  int first, count; /* limbs in use are limb[first … first + count) */
  int point;        /* limbs of the integer part; may be 0, or negative for leading zeros after the point */
} decimal_t;

void decimal_set(decimal_t *number, uint64_t value);
/* Multiplies by 2^bits; bits may be negative. */
void decimal_scale(decimal_t *number, int bits);
/* The digit `place` places after the point (0 is the first after it, -1 the unit). */
int decimal_digit(const decimal_t *number, int place);
/* Place of the first digit that is not zero, or 0 for zero: value = d.ddd × 10^-(place + 1). */
int decimal_leading(const decimal_t *number);
/* Rounds half to even after `place` digits behind the point (may be negative). */
void decimal_round(decimal_t *number, int place);
/* Place of the last digit that is not zero. */
int decimal_last(const decimal_t *number);
#endif
