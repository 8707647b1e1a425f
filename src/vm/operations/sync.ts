/** msync(2): hands the dirty pages of shared file mappings back to their file. */
import { EBUSY, EINVAL, ENOMEM } from "../../abi/linux/errno.ts";
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC } from "../../abi/linux/mman.ts";
import { isPageAligned, pageCeil } from "../../base/bits.ts";
import type { AddressSpace } from "../address-space.ts";
import { REGION_LOCKED } from "../region.ts";

export function sync(space: AddressSpace, address: number, length: number, flags: number): number {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0 || !isPageAligned(address)) return -EINVAL;
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) return -EINVAL;
  const end = address + pageCeil(length);
  if (!(end >= address) || end > 2 ** 63) return -ENOMEM;
  if (end === address) return 0;
  let holes = 0;
  let at = address;
  while (at < end) {
    const region = space.regions.after(at);
    if (region === undefined) return -ENOMEM;
    if (region.start > at) {
      if (region.start >= end) return -ENOMEM;
      holes = -ENOMEM;
      at = region.start;
    }
    if ((flags & MS_INVALIDATE) !== 0 && (region.flags & REGION_LOCKED) !== 0) return -EBUSY;
    const stop = Math.min(region.end, end);
    if ((flags & MS_SYNC) !== 0 && region.shared && region.backing?.sync !== undefined) {
      const first = region.pageAt(at);
      const error = region.backing.sync(first, first + (stop - at) / 4096);
      if (error !== 0) return error;
    }
    at = stop;
  }
  return holes;
}
