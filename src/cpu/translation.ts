/** The TLB's shape as generated code sees it; memory/tlb.ts owns the contents.
 *  An array of 1,024 entries of 16 bytes: entry offset = (address >> 8) & 0x3ff0. */
export const RAM_TLB_INDEX_SHIFT = 8;
export const RAM_TLB_INDEX_MASK = 0x3ff0;
