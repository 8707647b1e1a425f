/** The few steps that every verb of an address space is made of: split, insert, merge, remove regions, and empty pages.
 *
 *  They keep together what must not come apart: regions and page tables, references on backings, commit charges, resident
 *  figures, reservations, cached translations. */
import { assert } from "../base/assert.ts";
import { Removal } from "../memory/page-table.ts";
import type { AddressSpace } from "./address-space.ts";
import { mergeable, REGION_ACCOUNT, REGION_LOCKED, type Region } from "./region.ts";

const removal = new Removal();

/** Empties the pages of [start, end) that lie in `region`; they fault again afterwards. Reservations stay. */
export function clearPages(space: AddressSpace, region: Region, start: number, end: number): void {
  const { mmu, tables } = space.context;
  mmu.dropTranslations(space.root, start, end);
  if (region.executable) mmu.executableChanged(space.root);
  removal.clear();
  // User leaves are 4 KiB, so no split can fail.
  tables.unmapRange(space.root, start, end, removal);
  space.countRemoved(region, removal);
}

/** Adds a region and merges it with its neighbours where Linux would. Returns the region that now covers it. */
export function insertRegion(space: AddressSpace, region: Region): Region {
  insertApart(space, region);
  return mergeAround(space, region);
}

/** Adds a region and leaves its neighbours alone. */
export function insertApart(space: AddressSpace, region: Region): void {
  assert(region.start < region.end && region.start % 4096 === 0 && region.end % 4096 === 0, "bad region bounds", { start: region.start, end: region.end });
  if (region.backing !== undefined) space.attachBacking(region.backing);
  if ((region.flags & REGION_LOCKED) !== 0) space.lockedPages += region.pages;
  space.virtualPages += region.pages;
  space.regions.insert(region);
}

/** Moves the end of a region up by `length`; nothing is mapped there. The caller has charged the pages. */
export function extend(space: AddressSpace, region: Region, length: number): void {
  region.end += length;
  space.virtualPages += length / 4096;
  if ((region.flags & REGION_LOCKED) !== 0) space.lockedPages += length / 4096;
}

/** Merges `region` with the region before and the region after it, if they fit. Returns what covers it afterwards. */
export function mergeAround(space: AddressSpace, region: Region): Region {
  let result = region;
  const left = region.previous;
  if (left !== undefined && mergeable(left, region)) {
    absorb(space, left, region);
    result = left;
  }
  mergeRight(space, result);
  return result;
}

/** Merges `region` with the region after it, if they fit. */
export function mergeRight(space: AddressSpace, region: Region): void {
  const right = region.next;
  if (right !== undefined && mergeable(region, right)) absorb(space, region, right);
}

/** Order: the right one leaves the map → the left one takes its place. */
function absorb(space: AddressSpace, left: Region, right: Region): void {
  space.regions.remove(right);
  left.end = right.end;
  if (left.anon === undefined) {
    left.anon = right.anon;
    left.inherited = right.inherited;
  }
  if (right.backing !== undefined) space.detachBacking(right.backing);
}

/** Makes `address` a region boundary if it lies inside a region. */
export function splitAt(space: AddressSpace, address: number): void {
  const region = space.regions.find(address);
  if (region === undefined || region.start === address) return;
  const right = region.slice(address, region.end, region.pageAt(address));
  region.end = address;
  if (right.backing !== undefined) space.attachBacking(right.backing);
  space.regions.insert(right);
}

/** Takes every region and page of [start, end) away. Boundaries are split first. */
export function removeRange(space: AddressSpace, start: number, end: number): void {
  const { regions, context } = space;
  splitAt(space, start);
  splitAt(space, end);
  let region = regions.after(start);
  if (region === undefined || region.start >= end) return;
  while (region !== undefined && region.start < end) {
    const { next }: Region = region;
    clearPages(space, region, region.start, region.end);
    if ((region.flags & REGION_ACCOUNT) !== 0) context.commit.uncharge(region.pages);
    if ((region.flags & REGION_LOCKED) !== 0) space.lockedPages -= region.pages;
    space.virtualPages -= region.pages;
    if (region.backing !== undefined) space.detachBacking(region.backing);
    regions.remove(region);
    region = next;
  }
  space.placement.release(start / 4096, end / 4096);
  space.gapChanged(end);
}

/** Pages of [start, end) that lie in regions, and how many of them are charged. */
export function countMapped(space: AddressSpace, start: number, end: number): { mapped: number; charged: number } {
  let mapped = 0;
  let charged = 0;
  for (let region = space.regions.after(start); ; region = region.next) {
    if (region === undefined || region.start >= end) return { mapped, charged };
    const pages = (Math.min(region.end, end) - Math.max(region.start, start)) / 4096;
    mapped += pages;
    if ((region.flags & REGION_ACCOUNT) !== 0) charged += pages;
  }
}
