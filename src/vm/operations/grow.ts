/** Growth of a grow-down region towards a faulting address (Linux expand_downwards).
 *
 *  Linux does not look at rsp: any access below the region grows it, however far, unless a limit or a neighbour says no. */
import { PROT_NONE } from "../../abi/linux/mman.ts";
import { pageFloor } from "../../base/bits.ts";
import type { AddressSpace } from "../address-space.ts";
import { prepareAnon } from "../backing/anon-group.ts";
import { MMAP_MIN, STACK_GUARD, USER_END } from "../layout.ts";
import { REGION_ACCOUNT, REGION_GROWSDOWN, REGION_LOCKED, type Region } from "../region.ts";

/** The region that contains `address` after growth, or undefined: nothing above grows down, or it may not. */
export function growDown(space: AddressSpace, address: number): Region | undefined {
  if (address < MMAP_MIN || address >= USER_END) return undefined;
  const { regions, limits, context } = space;
  const region = regions.after(address);
  if (region === undefined || (region.flags & REGION_GROWSDOWN) === 0) return undefined;
  const start = pageFloor(address);
  const below = region.previous;
  if (below !== undefined && (below.flags & REGION_GROWSDOWN) === 0 && below.prot !== PROT_NONE && start - below.end < STACK_GUARD) {
    return undefined;
  }
  // Linux prepares the anon_vma before it asks the limits, so a refused growth leaves it behind.
  prepareAnon(space, region);
  const growth = (region.start - start) / 4096;
  if (region.end - start > limits.stack()) return undefined;
  if ((space.virtualPages + growth) * 4096 > limits.addressSpace()) return undefined;
  if ((region.flags & REGION_LOCKED) !== 0) {
    if ((space.lockedPages + growth) * 4096 > limits.locked()) return undefined;
  }
  if ((region.flags & REGION_ACCOUNT) !== 0 && !context.commit.charge(growth)) return undefined;
  if ((region.flags & REGION_LOCKED) !== 0) space.lockedPages += growth;
  space.virtualPages += growth;
  region.start = start;
  region.pageOffset -= growth;
  return region;
}
