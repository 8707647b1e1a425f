/** Arithmetic on addresses and sizes. Addresses are below 2^53, so `&` on them sees their low 32 bits, which is all that
 *  page arithmetic needs. Import-free leaf. */

const PAGE = 4096;
const PAGE_MASK = PAGE - 1;

/** Start of the page that holds `address`. @hot */
export function pageFloor(address: number): number {
  return address - (address & PAGE_MASK);
}
/** First page boundary at or after `address`. @hot */
export function pageCeil(address: number): number {
  const rest = address & PAGE_MASK;
  return rest === 0 ? address : address + (PAGE - rest);
}
export function isPageAligned(address: number): boolean {
  return (address & PAGE_MASK) === 0;
}
/** Number of the page that holds `address`. @hot */
export function pageOf(address: number): number {
  return Math.floor(address / PAGE);
}
/** Largest multiple of `alignment` (a power of two, at most 2^31) not above `value`. */
export function alignDown(value: number, alignment: number): number {
  return value - (value & (alignment - 1));
}
/** Smallest multiple of `alignment` (a power of two, at most 2^31) not below `value`. */
export function alignUp(value: number, alignment: number): number {
  return alignDown(value + alignment - 1, alignment);
}
/** Largest `n` with 2^n <= value; value >= 1. */
export function log2Floor(value: number): number {
  return 31 - Math.clz32(value);
}
/** Smallest `n` with 2^n >= value; value >= 1. */
export function log2Ceil(value: number): number {
  return value <= 1 ? 0 : 32 - Math.clz32(value - 1);
}
/** Number of one bits in a 32-bit word. */
export function popcount(word: number): number {
  let w = word - ((word >>> 1) & 0x5555_5555);
  w = (w & 0x3333_3333) + ((w >>> 2) & 0x3333_3333);
  return Math.imul((w + (w >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Zero for a field that will hold numbers beyond 31 bits. V8 keeps small integers and other numbers differently and takes a
 *  field's first value for the kind to come; a change of kind gives the object another shape, and all code that was compiled
 *  for the old one is thrown away. Minus zero is the zero of the other kind. */
export const WIDE_ZERO = -0;
