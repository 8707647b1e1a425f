/** mremap(2): resize in place, move, or duplicate a shared mapping. Checks in Linux's order (mm/mremap.c).
 *
 *  A move is: new region made → leaves moved, frames and all → old range unmapped. Since the frames move, contents, A and D
 *  bits, copy-on-write state and residency move with them. */
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../../abi/linux/errno.ts";
import { MAP_FIXED, MAP_SHARED, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from "../../abi/linux/mman.ts";
import { isPageAligned, pageCeil } from "../../base/bits.ts";
import type { AddressSpace } from "../address-space.ts";
import { MAX_MAP_COUNT, USER_END } from "../layout.ts";
import { clearPages, extend, insertRegion, mergeRight, removeRange } from "../mapping.ts";
import { REGION_ACCOUNT, REGION_LOCKED, REGION_LOCK_MASK, REGION_SPECIAL, type Region } from "../region.ts";
import { choosePlace } from "./place.ts";
import { populateIfPossible } from "./populate.ts";
import { wouldExceedMapCount } from "./unmap.ts";

export function remap(space: AddressSpace, address: number, oldSize: number, newSize: number, flags: number, newAddress: number): number {
  if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) !== 0 || !isPageAligned(address)) return -EINVAL;
  const oldLength = pageCeil(oldSize);
  const newLength = pageCeil(newSize);
  if (newLength === 0 || newLength > USER_END) return -EINVAL;
  const placed = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (placed) {
    if (newAddress > USER_END - newLength || newAddress < 0 || !isPageAligned(newAddress)) return -EINVAL;
    if ((flags & MREMAP_DONTUNMAP) !== 0 && oldLength !== newLength) return -EINVAL;
    if ((flags & MREMAP_MAYMOVE) === 0) return -EINVAL;
    if (address + oldLength > newAddress && newAddress + newLength > address) return -EINVAL;
    if (space.regions.count + 2 >= MAX_MAP_COUNT - 3) return -ENOMEM;
  }
  if ((flags & MREMAP_FIXED) !== 0 && oldLength === newLength) return moveMany(space, address, oldLength, flags, newAddress);
  const region = space.regions.find(address);
  if (region === undefined) return -EFAULT;
  const error = checkRegion(space, region, address, oldLength, newLength, flags);
  if (error !== 0) return error;
  if (placed) return moveTo(space, address, oldLength, newLength, flags, newAddress);
  if (newLength === oldLength) return address;
  if (newLength < oldLength) {
    const shrunk = shrink(space, address, oldLength, newLength);
    return shrunk === 0 ? address : shrunk;
  }
  return expand(space, region, address, oldLength, newLength, flags);
}

/** Linux check_prep_vma: what the region itself forbids. */
function checkRegion(space: AddressSpace, region: Region, address: number, oldLength: number, newLength: number, flags: number): number {
  const placed = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (newLength <= oldLength && !placed) return 0;
  // Length 0 asks for a second mapping of the same pages, which only shared memory can have.
  if (oldLength === 0 && !region.shared) return -EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && (region.flags & REGION_SPECIAL) !== 0) return -EINVAL;
  const kept = Math.min(oldLength, newLength);
  if (kept > region.end - address) return -EFAULT;
  if (newLength <= oldLength) return 0;
  if ((region.flags & REGION_SPECIAL) !== 0) return -EFAULT;
  const growth = newLength - oldLength;
  if ((region.flags & REGION_LOCKED) !== 0 && space.lockedPages * 4096 + growth > space.limits.locked()) return -EAGAIN;
  if (space.virtualPages * 4096 + growth > space.limits.addressSpace()) return -ENOMEM;
  if (region.writable && !region.shared && space.overDataLimit(growth / 4096)) return -ENOMEM;
  return 0;
}

function shrink(space: AddressSpace, address: number, oldLength: number, newLength: number): number {
  const start = address + newLength;
  const end = address + oldLength;
  if (end > USER_END) return -EINVAL;
  if (wouldExceedMapCount(space, start, end)) return -ENOMEM;
  if (!space.regions.overlaps(start, end)) return 0;
  removeRange(space, start, end);
  space.context.events?.unmapped(space, start, end - start);
  return 0;
}

function expand(space: AddressSpace, region: Region, address: number, oldLength: number, newLength: number, flags: number): number {
  const growth = newLength - oldLength;
  const { next } = region;
  const room = region.end + growth <= USER_END && (next === undefined || region.end + growth <= next.start);
  if (region.end - address === oldLength && room) {
    const error = charge(space, region, growth / 4096);
    if (error !== 0) return error;
    const from = region.end;
    extend(space, region, growth);
    mergeRight(space, region);
    space.context.events?.mapped(space, from, growth, region.prot, 0);
    if ((region.flags & REGION_LOCKED) !== 0) populateIfPossible(space, from, from + growth);
    return address;
  }
  if ((flags & MREMAP_MAYMOVE) === 0) return -ENOMEM;
  const place = choosePlace(space, 0, newLength, region.shared ? MAP_SHARED : 0, region.backing === undefined);
  if (place < 0) return place;
  return move(space, region, address, oldLength, newLength, flags, place);
}

/** A move to a wanted place (Linux mremap_to). The region has been checked. */
function moveTo(space: AddressSpace, address: number, oldLength: number, newLength: number, flags: number, newAddress: number): number {
  let length = oldLength;
  if ((flags & MREMAP_FIXED) !== 0) {
    if (wouldExceedMapCount(space, newAddress, newAddress + newLength)) return -ENOMEM;
    if (space.regions.overlaps(newAddress, newAddress + newLength)) {
      removeRange(space, newAddress, newAddress + newLength);
      space.context.events?.unmapped(space, newAddress, newLength);
    }
  }
  if (newLength < oldLength) {
    const shrunk = shrink(space, address, oldLength, newLength);
    if (shrunk !== 0) return shrunk;
    length = newLength;
  }
  // Unmapping the target cannot have taken the source, which does not overlap it, but may have split its region.
  const region = space.regions.find(address);
  if (region === undefined) return -EFAULT;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && space.virtualPages * 4096 + length > space.limits.addressSpace()) return -ENOMEM;
  const place = choosePlace(space, newAddress, newLength, (flags & MREMAP_FIXED) !== 0 ? MAP_FIXED : region.shared ? MAP_SHARED : 0, region.backing === undefined);
  if (place < 0) return place;
  return move(space, region, address, length, newLength, flags, place);
}

/** MREMAP_FIXED without a change of size moves every region of the range, holes and all (Linux 6.17 remap_move). */
function moveMany(space: AddressSpace, address: number, length: number, flags: number, newAddress: number): number {
  const end = address + length;
  const first = space.regions.find(address);
  if (first === undefined) return -EFAULT;
  if (first.end >= end) {
    const error = checkRegion(space, first, address, length, length, flags);
    return error !== 0 ? error : moveTo(space, address, length, length, flags, newAddress);
  }
  let at = address;
  for (;;) {
    const region = space.regions.after(at);
    // With MREMAP_DONTUNMAP the last region stays whole and may reach beyond the end.
    if (region === undefined || region.start >= end || at >= end) return newAddress;
    const start = Math.max(region.start, at);
    const stop = Math.min(region.end, end);
    const target = newAddress + (start - address);
    const error = checkRegion(space, region, start, stop - start, stop - start, flags);
    if (error !== 0) return error;
    const moved = moveTo(space, start, stop - start, stop - start, flags, target);
    if (moved < 0) return moved;
    at = stop;
  }
}

/** Makes the region at `to`, moves the pages and unmaps the source (Linux move_vma). */
function move(space: AddressSpace, region: Region, address: number, oldLength: number, newLength: number, flags: number, to: number): number {
  const { context, root } = space;
  if (space.regions.count >= MAX_MAP_COUNT - 3) return -ENOMEM;
  const error = charge(space, region, newLength / 4096);
  if (error !== 0) return error;
  // Anonymous memory nobody has written yet takes the offset of its new place, so that it can merge there (copy_vma).
  const fresh = region.backing === undefined && region.anon === undefined;
  const target = region.slice(to, to + newLength, fresh ? to / 4096 : region.pageAt(address));
  const keep = (flags & MREMAP_DONTUNMAP) !== 0;
  const populateFrom = (region.flags & REGION_LOCKED) !== 0 ? to + oldLength : to + newLength;
  // Each side counts its own regions while the leaves are in between.
  const covering = insertRegion(space, target);
  const moved = moveLeaves(space, region, address, to, Math.min(oldLength, newLength));
  if (!moved) {
    moveLeaves(space, covering, to, address, Math.min(oldLength, newLength));
    removeRange(space, to, to + newLength);
    return -ENOMEM;
  }
  context.mmu.dropTranslations(root, to, to + newLength);
  space.placement.release(address / 4096, (address + oldLength) / 4096);
  if (!keep) {
    if (oldLength > 0) removeRange(space, address, address + oldLength);
  } else {
    const left = space.regions.find(address) as Region;
    // Nothing is left there but empty tables.
    clearPages(space, left, address, address + oldLength);
    // The whole old region is unlocked, however little of it moved (dontunmap_complete).
    if ((left.flags & REGION_LOCKED) !== 0) space.lockedPages -= left.pages;
    left.flags &= ~REGION_LOCK_MASK;
    if (left !== covering && left.start === address && left.end === address + oldLength) {
      left.anon = undefined;
      left.inherited = false;
    }
  }
  context.events?.moved(space, address, to, oldLength);
  if (populateFrom < to + newLength) populateIfPossible(space, populateFrom, to + newLength);
  return to;
}

function moveLeaves(space: AddressSpace, region: Region, from: number, to: number, length: number): boolean {
  const { context, root } = space;
  if (length === 0) return true;
  context.mmu.dropTranslations(root, from, from + length);
  if (region.executable) context.mmu.executableChanged(root);
  let done = context.tables.moveRange(root, from, to, length);
  while (!done && context.makeRoom()) done = context.tables.moveRange(root, from, to, length);
  return done;
}

/** Promises `pages` more if the region's pages are promised at all. */
function charge(space: AddressSpace, region: Region, pages: number): number {
  if ((region.flags & REGION_ACCOUNT) === 0) return 0;
  return space.context.commit.charge(pages) ? 0 : -ENOMEM;
}
