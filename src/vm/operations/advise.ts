/** madvise(2). Applied region by region; a hole makes the result ENOMEM but does not stop the rest. */
import { EACCES, EINVAL, ENOMEM, EOPNOTSUPP } from "../../abi/linux/errno.ts";
import {
  MADV_COLD, MADV_DODUMP, MADV_DOFORK, MADV_DONTDUMP, MADV_DONTFORK, MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE, MADV_HUGEPAGE,
  MADV_KEEPONFORK, MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_NORMAL, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_RANDOM,
  MADV_REMOVE, MADV_SEQUENTIAL, MADV_UNMERGEABLE, MADV_WILLNEED, MADV_WIPEONFORK, PROT_READ, PROT_WRITE,
} from "../../abi/linux/mman.ts";
import { isPageAligned, pageCeil } from "../../base/bits.ts";
import { READ, WRITE } from "../../memory/access.ts";
import { PTE_ACCESSED, PTE_DIRTY, PTE_PRIVATE } from "../../memory/pte.ts";
import type { AddressSpace } from "../address-space.ts";
import { clearPages, mergeAround, splitAt } from "../mapping.ts";
import { MAX_MAP_COUNT } from "../layout.ts";
import {
  REGION_DONTDUMP, REGION_DONTFORK, REGION_HUGEPAGE, REGION_LOCKED, REGION_MERGEABLE, REGION_NOHUGEPAGE, REGION_RANDOM, REGION_SEQUENTIAL,
  REGION_SPECIAL, REGION_WIPEONFORK, type Region,
} from "../region.ts";
import { faultInRange } from "./populate.ts";

/** Ranges remembered for MADV_FREE; more are given up at once. */
const MAX_LAZY_RANGES = 256;

export function advise(space: AddressSpace, address: number, length: number, advice: number): number {
  if (!isKnown(advice) || !isPageAligned(address)) return -EINVAL;
  const end = address + pageCeil(length);
  if (!(end >= address) || end > 2 ** 63) return -EINVAL;
  if (end === address) return 0;
  if (advice === MADV_POPULATE_READ || advice === MADV_POPULATE_WRITE) return populateNow(space, address, end, advice);
  let holes = 0;
  let at = address;
  while (at < end) {
    const region = space.regions.after(at);
    if (region === undefined) return -ENOMEM;
    if (region.start > at) {
      holes = -ENOMEM;
      at = region.start;
      if (at >= end) break;
    }
    const stop = Math.min(region.end, end);
    const error = advisePart(space, region, at, stop, advice);
    if (error !== 0) return error;
    at = stop;
  }
  return holes;
}

function advisePart(space: AddressSpace, region: Region, start: number, end: number, advice: number): number {
  const { flags } = region;
  switch (advice) {
    case MADV_NORMAL: return setFlags(space, region, start, end, flags & ~(REGION_RANDOM | REGION_SEQUENTIAL));
    case MADV_RANDOM: return setFlags(space, region, start, end, (flags & ~REGION_SEQUENTIAL) | REGION_RANDOM);
    case MADV_SEQUENTIAL: return setFlags(space, region, start, end, (flags & ~REGION_RANDOM) | REGION_SEQUENTIAL);
    case MADV_DONTFORK: return setFlags(space, region, start, end, flags | REGION_DONTFORK);
    case MADV_DOFORK: return (flags & REGION_SPECIAL) !== 0 ? -EINVAL : setFlags(space, region, start, end, flags & ~REGION_DONTFORK);
    case MADV_DONTDUMP: return setFlags(space, region, start, end, flags | REGION_DONTDUMP);
    case MADV_DODUMP: return (flags & REGION_SPECIAL) !== 0 ? -EINVAL : setFlags(space, region, start, end, flags & ~REGION_DONTDUMP);
    case MADV_WIPEONFORK:
      if (region.backing !== undefined || region.shared) return -EINVAL;
      return setFlags(space, region, start, end, flags | REGION_WIPEONFORK);
    case MADV_KEEPONFORK: return setFlags(space, region, start, end, flags & ~REGION_WIPEONFORK);
    case MADV_HUGEPAGE: return setFlags(space, region, start, end, (flags & ~REGION_NOHUGEPAGE) | REGION_HUGEPAGE);
    case MADV_NOHUGEPAGE: return setFlags(space, region, start, end, (flags & ~REGION_HUGEPAGE) | REGION_NOHUGEPAGE);
    // ksm_madvise silently skips what it cannot merge: shared memory.
    case MADV_MERGEABLE: return region.shared ? 0 : setFlags(space, region, start, end, flags | REGION_MERGEABLE);
    case MADV_UNMERGEABLE: return setFlags(space, region, start, end, flags & ~REGION_MERGEABLE);
    case MADV_WILLNEED: return readAhead(region, start, end);
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
      if ((flags & REGION_SPECIAL) !== 0 || (advice === MADV_DONTNEED && (flags & REGION_LOCKED) !== 0)) return -EINVAL;
      clearPages(space, region, start, end);
      return 0;
    case MADV_FREE:
      if ((flags & (REGION_LOCKED | REGION_SPECIAL)) !== 0 || region.backing !== undefined) return -EINVAL;
      freeLazily(space, region, start, end);
      return 0;
    case MADV_COLD:
    case MADV_PAGEOUT:
      if ((flags & (REGION_LOCKED | REGION_SPECIAL)) !== 0) return -EINVAL;
      // There is nowhere to page out to; the pages just count as not recently used.
      return forgetMarks(space, start, end, PTE_ACCESSED);
    case MADV_REMOVE: return punch(region, start, end);
    default: return -EINVAL;
  }
}

function isKnown(advice: number): boolean {
  switch (advice) {
    case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL: case MADV_WILLNEED: case MADV_DONTNEED: case MADV_FREE: case MADV_REMOVE:
    case MADV_DONTFORK: case MADV_DOFORK: case MADV_MERGEABLE: case MADV_UNMERGEABLE: case MADV_HUGEPAGE: case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP: case MADV_DODUMP: case MADV_WIPEONFORK: case MADV_KEEPONFORK: case MADV_COLD: case MADV_PAGEOUT:
    case MADV_POPULATE_READ: case MADV_POPULATE_WRITE: case MADV_DONTNEED_LOCKED:
      return true;
    default:
      return false;
  }
}

/** Splits as needed, sets the flags and merges (Linux madvise_update_vma). */
function setFlags(space: AddressSpace, region: Region, start: number, end: number, flags: number): number {
  if (region.flags === flags) return 0;
  const splits = (region.start < start ? 1 : 0) + (region.end > end ? 1 : 0);
  if (splits > 0 && space.regions.count + splits > MAX_MAP_COUNT) return -ENOMEM;
  splitAt(space, start);
  splitAt(space, end);
  const part = space.regions.find(start) as Region;
  part.flags = flags;
  mergeAround(space, part);
  return 0;
}

/** MADV_WILLNEED: starts bringing file pages in; those that must be awaited arrive in their own time. */
function readAhead(region: Region, start: number, end: number): number {
  const { backing } = region;
  // Memory without a file behind it has nothing to read.
  if (backing === undefined || backing.inMemory === true) return 0;
  const first = region.pageAt(start);
  const last = Math.min(first + (end - start) / 4096, Math.ceil(backing.size / 4096));
  for (let index = first; index < last; index++) if (backing.resident?.(index) !== true) backing.page(index);
  return 0;
}

/** MADV_FREE: the pages keep their contents until memory runs short; a write takes a page back (it sets D again). */
function freeLazily(space: AddressSpace, region: Region, start: number, end: number): void {
  const { lazyFree } = space;
  const last = lazyFree[lazyFree.length - 1];
  if (last !== undefined && last.end === start) last.end = end;
  else if (lazyFree.length < MAX_LAZY_RANGES) lazyFree.push({ start, end });
  else {
    clearPages(space, region, start, end);
    return;
  }
  forgetMarks(space, start, end, PTE_ACCESSED | PTE_DIRTY);
}

/** Takes the clean private pages of MADV_FREE ranges that nobody shares; returns how many. They refill with zeros. */
export function reclaimLazyFree(space: AddressSpace): number {
  if (space.lazyFree.length === 0) return 0;
  const { context, root } = space;
  const { refs } = context.frames;
  let freed = 0;
  for (const range of space.lazyFree) {
    const clean: number[] = [];
    context.tables.forEachLeaf(root, range.start, range.end, (slot, address) => {
      const entry = context.ram.i32[slot];
      if ((entry & (PTE_PRIVATE | PTE_DIRTY)) === PTE_PRIVATE && refs[entry >>> 12] === 1) clean.push(address);
    });
    for (const address of clean) {
      const region = space.regions.find(address) as Region;
      clearPages(space, region, address, address + 4096);
    }
    freed += clean.length;
  }
  space.lazyFree.length = 0;
  return freed;
}

function forgetMarks(space: AddressSpace, start: number, end: number, marks: number): number {
  const { context, root } = space;
  const words = context.ram.i32;
  context.mmu.dropTranslations(root, start, end);
  context.tables.forEachLeaf(root, start, end, (slot) => {
    words[slot] &= ~marks;
  });
  return 0;
}

/** MADV_REMOVE: frees the pages of the object itself. */
function punch(region: Region, start: number, end: number): number {
  if ((region.flags & REGION_LOCKED) !== 0 || region.backing === undefined) return -EINVAL;
  if (!region.shared || !region.writable) return -EACCES;
  if (region.backing.punchPages === undefined) return -EOPNOTSUPP;
  const first = region.pageAt(start);
  return region.backing.punchPages(first, first + (end - start) / 4096);
}

/** MADV_POPULATE_READ and _WRITE: faults pages in and says why one could not be (madvise(2)). */
function populateNow(space: AddressSpace, start: number, end: number, advice: number): number {
  let at = start;
  while (at < end) {
    const region = space.regions.find(at);
    if (region === undefined) return -ENOMEM;
    const right = advice === MADV_POPULATE_WRITE ? PROT_WRITE : PROT_READ;
    if ((region.flags & REGION_SPECIAL) !== 0 || (region.prot & right) === 0) return -EINVAL;
    const stop = Math.min(region.end, end);
    const result = faultInRange(space, at, stop, advice === MADV_POPULATE_WRITE ? WRITE : READ);
    if (result !== 0) return result;
    at = stop;
  }
  return 0;
}
