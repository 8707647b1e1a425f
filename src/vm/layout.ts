/** One canonical layout of a user address space, as Linux lays out an x86-64 process without randomisation.
 *
 *   0x0000_0000_0000   null guard, nothing below MMAP_MIN is ever mapped
 *   0x0000_0040_0000   where ET_EXEC programs usually ask to be
 *   0x5555_5555_4000   PIE_BASE, then the program break (heap) growing up
 *        ...
 *   0x7fff_f7ff_f000   mmapBase: mappings are placed below it, highest first
 *        gap           the stack's limit, at least 128 MiB (arch/x86/mm/mmap.c, mmap_base)
 *   0x7fff_ffff_f000   STACK_TOP = USER_END; the page above is never mapped (SYSRET and canonical-address bugs)
 *
 *  A grow-down region keeps STACK_GUARD free below it (Linux stack_guard_gap, 256 pages). */
import { pageFloor } from "../base/bits.ts";

/** End of mappable user addresses (TASK_SIZE). */
export const USER_END = 0x7fff_ffff_f000;
/** vm.mmap_min_addr. */
export const MMAP_MIN = 0x1_0000;
export const PIE_BASE = 0x5555_5555_4000;
export const STACK_TOP = USER_END;
export const STACK_GUARD = 0x10_0000;
/** Bottom-up search starts here when the area below mmapBase is full (TASK_UNMAPPED_BASE). */
export const UNMAPPED_BASE = 0x2aaa_aaaa_a000;
/** Window of MAP_32BIT. */
export const LOW_BEGIN = 0x4000_0000;
export const LOW_END = 0x8000_0000;
/** vm.max_map_count. */
export const MAX_MAP_COUNT = 65530;
export const DEFAULT_STACK_LIMIT = 8 * 1024 * 1024;

const GAP_MIN = 128 * 1024 * 1024;
const GAP_MAX = Math.floor(USER_END / 6) * 5;

/** Top of the mmap area for a stack limit in bytes. Fixed when the image is set up, as Linux does at execve. An unlimited
 *  stack leaves no top: mappings then go upwards from UNMAPPED_BASE (mmap_is_legacy). */
export function mmapBase(stackLimit: number): number {
  if (stackLimit === Infinity) return UNMAPPED_BASE;
  const gap = Math.min(Math.max(stackLimit + STACK_GUARD, GAP_MIN), GAP_MAX);
  return pageFloor(USER_END - gap);
}
