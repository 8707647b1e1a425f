/** Where things live in RAM, in bytes. RAM is one WebAssembly.Memory; generated code uses these as constants.
 *
 *   0x00000  null guard, never used: physical address 0 means "no address"
 *   0x01000  CPU register file and mailbox        (cpu/state.ts gives the fields)
 *   0x02000  TLB, read entries                    (memory/tlb.ts)
 *   0x06000  TLB, write entries
 *   0x0a000  TLB, execute entries
 *   0x0e000  free
 *   0x20000  static data of the helper module     (cpu/assembly)
 *   0x40000  range translation slots              (memory/ranges.ts)
 *   0x50000  jump cache: rip → decoded record     (cpu/cold)
 *   0x90000  decoded record arena                 (cpu/cold), a share of RAM
 *   ......   guest frames up to the end of RAM    (memory/frames.ts)
 */
export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
export const LARGE_PAGE_SHIFT = 21;
export const LARGE_PAGE_SIZE = 0x20_0000;

export const STATE_BASE = 0x1000;
export const TLB_READ_BASE = 0x2000;
export const TLB_WRITE_BASE = 0x6000;
export const TLB_EXECUTE_BASE = 0xa000;
export const HELPER_DATA_BASE = 0x2_0000;
export const RANGE_BASE = 0x4_0000;
export const JUMP_CACHE_BASE = 0x5_0000;
export const RECORD_BASE = 0x9_0000;
/** Wasm pages that every RAM has, up to the records. Constant addresses inside of what a module says its memory has at least are reached
 *  without a trap handler, so V8 takes them as operands of the instructions that want them. */
export const FIXED_PAGES = RECORD_BASE / 0x1_0000;

/** Bytes of the decoded record arena for a RAM of `ramBytes`: one sixteenth, at least 2 MiB and at most 64 MiB. */
export function recordArenaBytes(ramBytes: number): number {
  const share = Math.floor(ramBytes / 16);
  return Math.min(Math.max(share, 0x20_0000), 0x400_0000) & ~(PAGE_SIZE - 1);
}

/** First byte that the frame allocator may hand out, 2 MiB aligned so that buddy blocks align physically. */
export function firstFrameAddress(ramBytes: number): number {
  const end = RECORD_BASE + recordArenaBytes(ramBytes);
  return Math.ceil(end / LARGE_PAGE_SIZE) * LARGE_PAGE_SIZE;
}
