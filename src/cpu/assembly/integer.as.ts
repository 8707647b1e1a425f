// Integer operations that are too long to repeat in every handler: 128-by-64-bit division and CRC-32C.

/** Quotient of high:low / divisor, for divisor > high, so that it fits into 64 bits (Knuth, TAOCP 2, 4.3.1 algorithm D with two
 *  digits of 32 bits). */
export function u128_divide(high: u64, low: u64, divisor: u64): u64 {
  const shift = clz<u64>(divisor);
  const d = divisor << shift;
  const dHigh = d >> 32;
  const dLow = d & 0xffffffff;
  // Shifts by 64 − shift in two steps: a shift by 64 would be a shift by 0.
  const top = (high << shift) | ((low >> 1) >> (63 - shift));
  const rest = low << shift;
  const first = digit(top, rest >> 32, dHigh, dLow);
  const middle = ((top << 32) | (rest >> 32)) - first * d;
  const second = digit(middle, rest & 0xffffffff, dHigh, dLow);
  return (first << 32) | second;
}

/** One 32-bit digit of (remainder · 2^32 + next) / (dHigh · 2^32 + dLow). The first guess is at most 2 too large. */
// @ts-ignore: decorator
@inline
function digit(remainder: u64, next: u64, dHigh: u64, dLow: u64): u64 {
  let guess = remainder / dHigh;
  let left = remainder - guess * dHigh;
  while (guess >> 32 != 0 || guess * dLow > ((left << 32) | next)) {
    guess--;
    left += dHigh;
    if (left >> 32 != 0) break;
  }
  return guess;
}

/** CRC-32C of each half byte, polynomial 0x11EDC6F41 with bits reflected (SDM 2A, CRC32). */
const NIBBLES: StaticArray<u32> = [
  0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
  0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
];

/** Adds the low `bytes` bytes of `data` to a CRC-32C without the usual inversions. */
export function crc32c(crc: u32, data: u64, bytes: i32): u32 {
  for (let i = 0; i < bytes; i++) {
    crc ^= <u32>data & 0xff;
    crc = (crc >> 4) ^ unchecked(NIBBLES[crc & 15]);
    crc = (crc >> 4) ^ unchecked(NIBBLES[crc & 15]);
    data >>= 8;
  }
  return crc;
}
