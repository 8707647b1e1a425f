/** One page-table entry (Intel SDM 3A §4.5, tables 4-15 to 4-20), read and written as two u32 halves.
 *
 *   63 62      52 51                             12 11  9  8 7 6 5 4 3 2 1 0
 *  +--+----------+---------------------------------+-----+-+-+-+-+-+-+-+-+-+
 *  |NX| ignored  |        frame number             |avail|G|S|D|A|C|T|U|W|P|
 *  +--+----------+---------------------------------+-----+-+-+-+-+-+-+-+-+-+
 *   P present   W writable   U user   T write-through   C cache-disable   A accessed
 *   D dirty (leaf)   S 1 in a directory entry = 2 MiB leaf   G global   NX no execution
 *   avail: 9 = PRIVATE (the frame belongs to the process, not to a file), 10 = HELD (see below)
 *
 *  RAM is below 4 GiB, so a frame number fits the low half and the high half is NX or zero. With P clear the manual
 *  leaves every other bit to the system: HELD marks a page of a PROT_NONE region, whose frame is kept but not reachable. */

export const PTE_PRESENT = 1 << 0;
export const PTE_WRITABLE = 1 << 1;
export const PTE_USER = 1 << 2;
export const PTE_ACCESSED = 1 << 5;
export const PTE_DIRTY = 1 << 6;
/** In a page-directory entry: this is a 2 MiB leaf. */
export const PTE_LARGE = 1 << 7;
export const PTE_GLOBAL = 1 << 8;
/** Software: an anonymous page or a private copy. The frame has no other owner than mappings like this one. */
export const PTE_PRIVATE = 1 << 9;
/** Software, with P clear: the entry keeps its frame while the region forbids every access. */
export const PTE_HELD = 1 << 10;
/** Bit 63, as a bit of the high half. */
export const PTE_HIGH_NX = 0x8000_0000 | 0;

/** Frame number bits of the low half, as a signed word mask. */
export const PTE_FRAME_MASK = ~0xfff;
export const PTE_LARGE_FRAME_MASK = ~0x1f_ffff;
/** Bits 32…51: physical address bits that this machine does not have, so a set one is a reserved-bit violation. */
export const PTE_HIGH_RESERVED = 0x000f_ffff;

/** A non-leaf user entry: rights are decided by leaves alone, as Linux's _PAGE_TABLE does. */
export const PTE_TABLE_USER = PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED;
/** A non-leaf entry of the kernel half: no user bit. */
export const PTE_TABLE_KERNEL = PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED;

/** Frame of a 4 KiB leaf or a table entry. @hot */
export function pteFrame(low: number): number {
  return low >>> 12;
}
