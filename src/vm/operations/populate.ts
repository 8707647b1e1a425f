/** Faulting pages in before they are touched: MAP_POPULATE, mlock(2), MADV_POPULATE_*. Pages are not marked accessed. */
import { EFAULT, ENOMEM } from "../../abi/linux/errno.ts";
import { PROT_NONE } from "../../abi/linux/mman.ts";
import { SIGKILL } from "../../abi/linux/signal.ts";
import { type Access, BLOCKED, DENIED, READ, WRITE } from "../../memory/access.ts";
import type { AddressSpace } from "../address-space.ts";
import { USER_BLOCKED } from "../user-blocked.ts";

/** Brings in [start, end): for writing where a private region is writable (Linux populate_vma_page_range), so that no copy is
 *  left to make. */
export function populate(space: AddressSpace, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const region = space.regions.find(at);
    if (region === undefined) return -ENOMEM;
    if (region.prot === PROT_NONE) return -EFAULT;
    const stop = Math.min(region.end, end);
    const result = faultInRange(space, at, stop, region.writable && !region.shared ? WRITE : READ);
    if (result !== 0) return result;
    at = stop;
  }
  return 0;
}

/** For verbs that succeed whether or not the pages can be had (mmap(2), MAP_POPULATE): what must be awaited is left in
 *  `space.unpopulated` for the caller, who may go on with `populate` when it is there. */
export function populateIfPossible(space: AddressSpace, start: number, end: number): void {
  if (populate(space, start, end) !== USER_BLOCKED) return;
  space.unpopulated.start = start;
  space.unpopulated.end = end;
}

/** Faults in every page of [start, end) for one kind of access: 0, -EFAULT (also for SIGBUS), -ENOMEM or USER_BLOCKED. */
export function faultInRange(space: AddressSpace, start: number, end: number, access: Access): number {
  for (let page = start; page < end; page += 4096) {
    if (space.probe(page, access) >= 0) continue;
    const outcome = space.faultIn(page, access);
    if (outcome === BLOCKED) return USER_BLOCKED;
    if (outcome === DENIED) return space.denied.signal === SIGKILL ? -ENOMEM : -EFAULT;
  }
  return 0;
}
