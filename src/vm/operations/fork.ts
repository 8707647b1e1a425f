/** fork(2)'s copy of an address space. Every frame is shared; private pages lose W on both sides, so that whoever writes first
 *  makes a copy. Tables are copied, regions too, reservations are not: each side places its own copies.
 *
 *  On failure the half-made child is destroyed; the parent has then lost some W bits, which costs it a fault each and no more. */
import { ENOMEM } from "../../abi/linux/errno.ts";
import { Removal } from "../../memory/page-table.ts";
import { AddressSpace } from "../address-space.ts";
import type { MemoryLimits } from "../limits.ts";
import { REGION_ACCOUNT, REGION_DONTFORK, REGION_LOCK_MASK, REGION_WIPEONFORK, type Region } from "../region.ts";

const copied = new Removal();

export function cloneSpace(parent: AddressSpace, limits: MemoryLimits): AddressSpace | number {
  const { context } = parent;
  const child = AddressSpace.create(context, limits, parent.mmapBase);
  if (typeof child === "number") return child;
  child.brkStart = parent.brkStart;
  child.brkEnd = parent.brkEnd;
  child.stackStart = parent.stackStart;
  for (const region of parent.regions) {
    if ((region.flags & REGION_DONTFORK) !== 0) continue;
    if (!cloneRegion(parent, child, region)) {
      context.mmu.dropWrites(parent.root);
      child.destroy();
      return -ENOMEM;
    }
  }
  context.mmu.dropWrites(parent.root);
  for (const range of parent.lazyFree) child.lazyFree.push({ ...range });
  child.peakVirtualPages = child.virtualPages;
  context.events?.cloned(parent, child);
  return child;
}

function cloneRegion(parent: AddressSpace, child: AddressSpace, region: Region): boolean {
  const { context } = parent;
  if ((region.flags & REGION_ACCOUNT) !== 0 && !context.commit.charge(region.pages)) return false;
  const copy = region.slice(region.start, region.end, region.pageOffset);
  // Memory locks are not inherited (mlock(2)).
  copy.flags &= ~REGION_LOCK_MASK;
  const wiped = (region.flags & REGION_WIPEONFORK) !== 0;
  if (region.anon !== undefined) {
    // A child's pages get a group of their own, which Linux hesitates to merge (anon_vma_fork).
    copy.anon = wiped ? undefined : { id: context.anonId() };
    copy.inherited = !wiped;
  }
  if (copy.backing !== undefined) child.attachBacking(copy.backing);
  child.regions.insert(copy);
  child.virtualPages += copy.pages;
  // Anonymous memory that was only read holds nothing but zeros: the child faults for itself (Linux vma_needs_copy).
  if (wiped || (region.backing === undefined && region.anon === undefined)) return true;
  copied.clear();
  let done = false;
  do {
    // Pages copied by an attempt that ran out of frames are found again only if they are taken back first.
    if (copied.privatePages + copied.objectPages + copied.zeroPages > 0) {
      context.tables.unmapRange(child.root, copy.start, copy.end, new Removal());
      copied.clear();
    }
    done = context.tables.copyRange(parent.root, child.root, region.start, region.end, region.shared ? "shared" : "copy-on-write", copied);
  } while (!done && context.makeRoom());
  child.privatePages += copied.privatePages;
  child.countObjectPages(copy, copied.objectPages);
  return done;
}
