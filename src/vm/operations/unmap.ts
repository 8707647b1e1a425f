/** munmap(2): takes pages away anywhere, splitting regions at the edges. A range without mappings is fine. */
import { EINVAL, ENOMEM } from "../../abi/linux/errno.ts";
import { isPageAligned, pageCeil } from "../../base/bits.ts";
import type { AddressSpace } from "../address-space.ts";
import { MAX_MAP_COUNT, USER_END } from "../layout.ts";
import { removeRange } from "../mapping.ts";

export function unmap(space: AddressSpace, address: number, length: number): number {
  if (!isPageAligned(address) || address < 0 || address > USER_END || length > USER_END - address) return -EINVAL;
  const end = address + pageCeil(length);
  if (end === address) return -EINVAL;
  if (wouldExceedMapCount(space, address, end)) return -ENOMEM;
  if (!space.regions.overlaps(address, end)) return 0;
  removeRange(space, address, end);
  space.context.events?.unmapped(space, address, end - address);
  return 0;
}

/** True when the range is a hole in the middle of one region and no region may be added (vms_gather_munmap_vmas). */
export function wouldExceedMapCount(space: AddressSpace, start: number, end: number): boolean {
  if (space.regions.count < MAX_MAP_COUNT) return false;
  const region = space.regions.find(start);
  return region !== undefined && region.start < start && region.end > end;
}
