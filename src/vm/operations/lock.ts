/** mlock(2), munlock(2), mlockall(2). Nothing is ever paged out here, so a lock means presence: the pages are faulted in. */
import { EAGAIN, EINVAL, ENOMEM } from "../../abi/linux/errno.ts";
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT } from "../../abi/linux/mman.ts";
import { pageCeil, pageFloor } from "../../base/bits.ts";
import type { AddressSpace } from "../address-space.ts";
import { mergeAround, splitAt } from "../mapping.ts";
import { MAX_MAP_COUNT } from "../layout.ts";
import { REGION_LOCKED, REGION_LOCKONFAULT, REGION_LOCK_MASK, REGION_SPECIAL, type Region } from "../region.ts";
import { USER_BLOCKED } from "../user-blocked.ts";

export function lock(space: AddressSpace, address: number, length: number, when: "now" | "on-fault"): number {
  const start = pageFloor(address);
  const end = start + pageCeil(length + (address - start));
  const wanted = (end - start) / 4096 - lockedIn(space, start, end);
  if ((space.lockedPages + wanted) * 4096 > space.limits.locked()) return -ENOMEM;
  const error = setLock(space, start, end, when === "now" ? REGION_LOCKED : REGION_LOCKED | REGION_LOCKONFAULT);
  if (error !== 0 || when === "on-fault") return error;
  return lockResult(space.populate(start, end));
}

export function unlock(space: AddressSpace, address: number, length: number): number {
  const start = pageFloor(address);
  return setLock(space, start, start + pageCeil(length + (address - start)), 0);
}

export function lockAll(space: AddressSpace, flags: number): number {
  if (flags === 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || flags === MCL_ONFAULT) return -EINVAL;
  if ((flags & MCL_CURRENT) !== 0 && space.virtualPages * 4096 > space.limits.locked()) return -ENOMEM;
  const bits = (flags & MCL_ONFAULT) !== 0 ? REGION_LOCKED | REGION_LOCKONFAULT : REGION_LOCKED;
  space.defaultFlags = (flags & MCL_FUTURE) !== 0 ? bits : 0;
  if ((flags & MCL_CURRENT) === 0) return 0;
  for (const region of [...space.regions]) setRegionLock(space, region, bits);
  if ((flags & MCL_ONFAULT) !== 0) return 0;
  // mlockall ignores pages that cannot be brought in (mm_populate's result is dropped).
  for (const region of [...space.regions]) if (space.populate(region.start, region.end) === USER_BLOCKED) return USER_BLOCKED;
  return 0;
}

export function unlockAll(space: AddressSpace): number {
  space.defaultFlags = 0;
  for (const region of [...space.regions]) setRegionLock(space, region, 0);
  return 0;
}

/** Gives the regions of [start, end) other lock bits (Linux apply_vma_lock_flags). */
function setLock(space: AddressSpace, start: number, end: number, bits: number): number {
  if (!(end >= start) || end > 2 ** 63) return -EINVAL;
  if (end === start) return 0;
  const { regions } = space;
  let at = start;
  while (at < end) {
    const region = regions.find(at);
    if (region === undefined) return -ENOMEM;
    const stop = Math.min(region.end, end);
    if ((region.flags & REGION_LOCK_MASK) !== bits && (region.flags & REGION_SPECIAL) === 0) {
      if (regions.count + 2 > MAX_MAP_COUNT && (region.start < at || region.end > stop)) return -ENOMEM;
      splitAt(space, at);
      splitAt(space, stop);
      setRegionLock(space, regions.find(at) as Region, bits);
    }
    at = stop;
  }
  return 0;
}

function setRegionLock(space: AddressSpace, region: Region, bits: number): void {
  if ((region.flags & REGION_SPECIAL) !== 0 || region.start === region.end) return;
  // A region that a merge has absorbed meanwhile is not in the map any more.
  if (space.regions.find(region.start) !== region) return;
  const was = (region.flags & REGION_LOCKED) !== 0;
  const is = (bits & REGION_LOCKED) !== 0;
  if (was !== is) space.lockedPages += is ? region.pages : -region.pages;
  region.flags = (region.flags & ~REGION_LOCK_MASK) | bits;
  mergeAround(space, region);
}

/** Pages of [start, end) that are locked already (count_mm_mlocked_page_nr). */
function lockedIn(space: AddressSpace, start: number, end: number): number {
  let pages = 0;
  for (let region = space.regions.after(start); ; region = region.next) {
    if (region === undefined || region.start >= end) return pages;
    if ((region.flags & REGION_LOCKED) !== 0) pages += (Math.min(region.end, end) - Math.max(region.start, start)) / 4096;
  }
}

/** __mlock_posix_error_return: what could not be brought in is ENOMEM, what there was no memory for EAGAIN. */
function lockResult(result: number): number {
  if (result === 0 || result === USER_BLOCKED) return result;
  return result === -ENOMEM ? -EAGAIN : -ENOMEM;
}
