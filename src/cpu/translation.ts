/** The TLB's shape as generated code sees it; memory/tlb.ts owns the contents.
 *  An array of 1,024 entries of 16 bytes: entry offset = (address >> 8) & 0x3ff0. */
export const RAM_TLB_INDEX_SHIFT = 8;
export const RAM_TLB_INDEX_MASK = 0x3ff0;

/** What a range miss asks for: the size of the access in bytes; whether the region may be left and the instruction begun again, which
 *  it must not when it has stored already; and, added on the way, that the range has missed often enough to be filled anew.
 *  Accesses that share one question (jit/addresses.ts) add how many bytes before this one they begin, and how many they are. */
export const RANGE_ACCESS_SIZE = 0xff;
export const RANGE_MAY_LEAVE = 0x100;
export const RANGE_MISSES_OFTEN = 0x200;
/** The access itself reads, though the question is for writing: it faults as a read. */
export const RANGE_READS = 0x400;
export const RANGE_BEFORE_SHIFT = 12;
export const RANGE_BEFORE_MASK = 0x7f;
export const RANGE_LENGTH_SHIFT = 20;
