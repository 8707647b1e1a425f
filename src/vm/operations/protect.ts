/** mprotect(2). Works region by region: a hole or a refused right ends the call, and what came before stays changed. */
import { EACCES, EINVAL, ENOMEM } from "../../abi/linux/errno.ts";
import { PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_NONE, PROT_READ, PROT_SEM, PROT_WRITE } from "../../abi/linux/mman.ts";
import { isPageAligned, pageCeil } from "../../base/bits.ts";
import { WRITE } from "../../memory/access.ts";
import { PTE_HELD, PTE_HIGH_NX, PTE_PRESENT, PTE_PRIVATE, PTE_WRITABLE } from "../../memory/pte.ts";
import type { AddressSpace } from "../address-space.ts";
import { mergeAround, splitAt } from "../mapping.ts";
import { MAX_MAP_COUNT } from "../layout.ts";
import { REGION_ACCOUNT, REGION_GROWSDOWN, REGION_LOCKED, REGION_NORESERVE, REGION_SHARED, type Region } from "../region.ts";
import { faultInRange } from "./populate.ts";

const RIGHTS = PROT_READ | PROT_WRITE | PROT_EXEC;

export function protect(space: AddressSpace, address: number, length: number, prot: number): number {
  const grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  const wanted = prot & ~(PROT_GROWSDOWN | PROT_GROWSUP);
  if (grows === (PROT_GROWSDOWN | PROT_GROWSUP)) return -EINVAL;
  if (!isPageAligned(address)) return -EINVAL;
  if (length === 0) return 0;
  let start = address;
  const end = start + pageCeil(length);
  // Lengths that wrap past the top of the address space round to zero or below.
  if (!(end > start) || end > 2 ** 63) return -ENOMEM;
  if ((wanted & ~(RIGHTS | PROT_SEM)) !== 0) return -EINVAL;
  const rights = wanted & RIGHTS;

  const { regions, context } = space;
  let region = regions.after(start);
  if (region === undefined || region.start >= end) return -ENOMEM;
  if (grows === PROT_GROWSDOWN) {
    start = region.start;
    if ((region.flags & REGION_GROWSDOWN) === 0) return -EINVAL;
  } else {
    if (region.start > start) return -ENOMEM;
    // Nothing grows up on x86.
    if (grows === PROT_GROWSUP) return -EINVAL;
  }
  let at = start;
  while (at < end) {
    region = regions.find(at);
    if (region === undefined) return -ENOMEM;
    if ((rights & ~region.maxProt) !== 0) return -EACCES;
    const stop = Math.min(region.end, end);
    const error = protectPart(space, region, at, stop, rights);
    if (error !== 0) return error;
    context.events?.protected(space, at, stop - at, rights);
    at = stop;
  }
  return 0;
}

/** One region's share of the range (Linux mprotect_fixup). */
function protectPart(space: AddressSpace, region: Region, start: number, end: number, rights: number): number {
  if (region.prot === rights) return 0;
  const { context, regions } = space;
  const pages = (end - start) / 4096;
  const splits = (region.start < start ? 1 : 0) + (region.end > end ? 1 : 0);
  if (splits > 0 && regions.count + splits > MAX_MAP_COUNT) return -ENOMEM;
  let flags = region.flags;
  if ((rights & PROT_WRITE) !== 0) {
    if (!region.shared && !region.writable && space.overDataLimit(pages)) return -ENOMEM;
    // Private memory that becomes writable is promised now.
    if ((flags & (REGION_ACCOUNT | REGION_SHARED | REGION_NORESERVE)) === 0 && !region.writable) {
      if (!context.commit.charge(pages)) return -ENOMEM;
      flags |= REGION_ACCOUNT;
    }
  } else if ((flags & REGION_ACCOUNT) !== 0 && region.backing === undefined && region.anon === undefined) {
    context.commit.uncharge(pages);
    flags &= ~REGION_ACCOUNT;
  }
  splitAt(space, start);
  splitAt(space, end);
  const part = regions.find(start) as Region;
  const wasExecutable = part.executable;
  const becomesWritable = !part.writable && (rights & PROT_WRITE) !== 0;
  part.prot = rights;
  part.flags = flags;
  rewriteLeaves(space, part);
  if (wasExecutable && (rights & PROT_EXEC) === 0) context.mmu.executableChanged(space.root);
  mergeAround(space, part);
  // Locked private memory has its copies made now rather than at the first write.
  if (becomesWritable && (flags & (REGION_LOCKED | REGION_SHARED)) === REGION_LOCKED) faultInRange(space, start, end, WRITE);
  return 0;
}

/** Gives the present pages of a region the rights it has now. */
export function rewriteLeaves(space: AddressSpace, region: Region): void {
  const { tables, mmu, frames } = space.context;
  const { refs } = frames;
  mmu.dropTranslations(space.root, region.start, region.end);
  const none = region.prot === PROT_NONE;
  const high = region.executable ? 0 : PTE_HIGH_NX;
  // A private page may be written without a fault only by its sole owner, and not before the region has its anon group.
  const privateWritable = region.writable && !region.shared && region.anon !== undefined;
  const sharedWritable = region.writable && region.shared && region.backing?.inMemory === true;
  tables.protectRange(space.root, region.start, region.end, (low, frame) => {
    if (none) return (low & ~(PTE_PRESENT | PTE_WRITABLE)) | PTE_HELD;
    const open = (low & ~(PTE_HELD | PTE_WRITABLE)) | PTE_PRESENT;
    if (sharedWritable || (privateWritable && (low & PTE_PRIVATE) !== 0 && refs[frame] === 1)) return open | PTE_WRITABLE;
    return open;
  }, high);
}
