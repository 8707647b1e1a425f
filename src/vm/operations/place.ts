/** Where a mapping goes when its caller leaves that open (Linux mm/mmap.c __get_unmapped_area, arch/x86/kernel/sys_x86_64.c).
 *
 *  Top-down below mmapBase: the highest gap that is long enough; when there is none, bottom-up from UNMAPPED_BASE. Grow-down
 *  regions keep STACK_GUARD free below them. */
import { EINVAL, ENOMEM, EPERM } from "../../abi/linux/errno.ts";
import { MAP_32BIT, MAP_FIXED, MAP_SHARED, MAP_TYPE } from "../../abi/linux/mman.ts";
import { isPageAligned, pageCeil, pageFloor } from "../../base/bits.ts";
import type { AddressSpace } from "../address-space.ts";
import { LOW_BEGIN, LOW_END, MMAP_MIN, STACK_GUARD, UNMAPPED_BASE, USER_END } from "../layout.ts";
import { REGION_GROWSDOWN, type Region } from "../region.ts";

/** Anonymous mappings of whole huge pages are aligned to them when nothing else is asked (thp_get_unmapped_area). */
const HUGE = 0x20_0000;

/** First byte that a mapping below `region` may not touch (vm_start_gap). */
export function guardedStart(region: Region): number {
  return (region.flags & REGION_GROWSDOWN) !== 0 ? Math.max(region.start - STACK_GUARD, 0) : region.start;
}

/** Address for `length` bytes (page-aligned) under mmap's flags, or -errno. `anonymous` is private or shared memory without a file. */
export function choosePlace(space: AddressSpace, hint: number, length: number, flags: number, anonymous: boolean): number {
  if (length > USER_END - MMAP_MIN) return -ENOMEM;
  let address: number;
  if ((flags & MAP_FIXED) !== 0) address = hint;
  else {
    const alignHuge = anonymous && hint === 0 && (flags & MAP_TYPE) !== MAP_SHARED && length % HUGE === 0;
    address = alignHuge ? searchHuge(space, length, flags) : search(space, hint, length, flags);
    if (address < 0) return address;
  }
  if (address > USER_END - length) return -ENOMEM;
  if (!isPageAligned(address)) return -EINVAL;
  // Linux lets CAP_SYS_RAWIO map below mmap_min_addr; here nobody may (the null guard).
  return address < MMAP_MIN ? -EPERM : address;
}

/** The hint as mmap(2) reads it without MAP_FIXED (round_hint_to_min). */
export function roundHint(hint: number): number {
  const floor = pageFloor(hint);
  return floor !== 0 && floor < MMAP_MIN ? MMAP_MIN : floor;
}

function search(space: AddressSpace, hint: number, length: number, flags: number): number {
  if ((flags & MAP_32BIT) !== 0) return bottomUp(space, LOW_BEGIN, LOW_END, hint, length);
  if (space.mmapBase === UNMAPPED_BASE) return bottomUp(space, UNMAPPED_BASE, USER_END, hint, length);
  if (hint !== 0) {
    const at = pageFloor(hint);
    const region = space.regions.after(at);
    if (at <= USER_END - length && at >= MMAP_MIN && (region === undefined || at + length <= guardedStart(region))) return at;
  }
  const found = topDown(space, length);
  return found >= 0 ? found : bottomUp(space, UNMAPPED_BASE, USER_END, 0, length);
}

function searchHuge(space: AddressSpace, length: number, flags: number): number {
  const padded = search(space, 0, length + HUGE, flags);
  if (padded < 0) return search(space, 0, length, flags);
  const rest = padded & (HUGE - 1);
  return rest === 0 ? padded + HUGE : padded + (HUGE - rest);
}

/** Highest free `length` bytes below mmapBase, or -ENOMEM. A gap that is long enough but reaches into the guard of the region
 *  above it lowers the limit of the whole search to the start of that guard, as Linux does (unmapped_area_topdown). */
function topDown(space: AddressSpace, length: number): number {
  const { regions, fullAbove, mmapBase } = space;
  // What was searched in vain before need not be searched again for as much or more.
  let limit = length >= fullAbove.length && fullAbove.length > 0 ? fullAbove.below : mmapBase;
  let above = regions.after(limit);
  let below = above === undefined ? regions.last : above.previous;
  let guards = 0;
  for (;;) {
    const start = Math.max(below === undefined ? 0 : below.end, MMAP_MIN);
    let end = above === undefined ? limit : Math.min(above.start, limit);
    if (end - start >= length && above !== undefined && guardedStart(above) < end) {
      limit = guardedStart(above);
      guards++;
      end = limit;
    }
    if (end - start >= length) {
      if (guards === 0 && (length <= fullAbove.length || fullAbove.length === 0 || fullAbove.below === mmapBase)) {
        fullAbove.length = length;
        fullAbove.below = end;
      }
      return end - length;
    }
    if (below === undefined || below.end <= MMAP_MIN) return -ENOMEM;
    above = below;
    below = below.previous;
  }
}

/** Lowest free `length` bytes in [low, high), the hint first. */
function bottomUp(space: AddressSpace, low: number, high: number, hint: number, length: number): number {
  const { regions } = space;
  if (length > high - low) return -ENOMEM;
  if (hint !== 0) {
    const at = pageCeil(hint);
    const region = regions.after(at);
    if (at <= high - length && (region === undefined || at + length <= guardedStart(region))) return at;
  }
  let start = low;
  for (let region = regions.after(low); ; region = region.next) {
    const end = region === undefined ? high : Math.min(guardedStart(region), high);
    if (end - start >= length) return start;
    if (region === undefined || region.end >= high) return -ENOMEM;
    start = Math.max(start, region.end);
  }
}
