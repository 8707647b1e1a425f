/** The TLB's shape as generated code sees it; memory/tlb.ts owns the contents.
 *  An array of 1,024 entries of 16 bytes: entry offset = (address >> 8) & 0x3ff0. */
export const RAM_TLB_INDEX_SHIFT = 8;
export const RAM_TLB_INDEX_MASK = 0x3ff0;

/** What a range miss asks for: the size of the access in bytes; whether the region may be left and the instruction begun again, which
 *  only its first access may say; and, added on the way, that the range has missed often enough to be filled anew. */
export const RANGE_ACCESS_SIZE = 0xff;
export const RANGE_MAY_LEAVE = 0x100;
export const RANGE_MISSES_OFTEN = 0x200;
