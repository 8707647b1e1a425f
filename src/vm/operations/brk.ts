/** The program break: a heap that grows up, one lazily filled region (Linux mm/mmap.c sys_brk, do_brk_flags).
 *
 *  The call never fails; it answers the break that holds afterwards. */
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/linux/mman.ts";
import { pageCeil } from "../../base/bits.ts";
import type { AddressSpace } from "../address-space.ts";
import { MAX_MAP_COUNT, USER_END } from "../layout.ts";
import { extend, insertApart, removeRange } from "../mapping.ts";
import { REGION_ACCOUNT, REGION_LOCKED, REGION_LOCK_MASK, mergeable, Region } from "../region.ts";
import { guardedStart } from "./place.ts";
import { populateIfPossible } from "./populate.ts";

export function brk(space: AddressSpace, wish: number): number {
  const { regions, context, limits } = space;
  if (!(wish >= space.brkStart)) return space.brkEnd;
  if (wish - space.brkStart > limits.data()) return space.brkEnd;
  const oldEnd = pageCeil(space.brkEnd);
  const newEnd = pageCeil(wish);
  if (newEnd === oldEnd) {
    space.brkEnd = wish;
    return wish;
  }
  if (wish <= space.brkEnd) {
    // Shrinking stops at a mapping that took the heap's place.
    const region = regions.after(newEnd);
    if (region === undefined || region.start >= oldEnd) return space.brkEnd;
    space.brkEnd = wish;
    removeRange(space, newEnd, oldEnd);
    context.events?.unmapped(space, newEnd, oldEnd - newEnd);
    return wish;
  }
  if (newEnd > USER_END || !mayGrow(space, oldEnd, newEnd)) return space.brkEnd;
  const pages = (newEnd - oldEnd) / 4096;
  if (!context.commit.charge(pages)) return space.brkEnd;
  const region = new Region({
    start: oldEnd, end: newEnd, prot: PROT_READ | PROT_WRITE, maxProt: PROT_READ | PROT_WRITE | PROT_EXEC,
    flags: REGION_ACCOUNT | (space.defaultFlags & REGION_LOCK_MASK), pageOffset: oldEnd / 4096, backing: undefined, file: undefined, type: "heap", name: "",
  });
  space.brkEnd = wish;
  // The heap grows the region that is the heap; the program's bss before it stays apart (vma_prev_limit(start_brk)), and so
  // does whatever lies behind it.
  const heap = regions.find(oldEnd - 1);
  if (heap !== undefined && heap.end > space.brkStart && mergeable(heap, region)) extend(space, heap, newEnd - oldEnd);
  else insertApart(space, region);
  context.events?.mapped(space, oldEnd, newEnd - oldEnd, region.prot, 0);
  if ((region.flags & REGION_LOCKED) !== 0) populateIfPossible(space, oldEnd, newEnd);
  return wish;
}

function mayGrow(space: AddressSpace, oldEnd: number, newEnd: number): boolean {
  const { regions, limits } = space;
  const growth = newEnd - oldEnd;
  if ((space.defaultFlags & REGION_LOCKED) !== 0 && space.lockedPages * 4096 + growth > limits.locked()) return false;
  // One page stays free above the heap, and a stack's guard below the stack.
  const next = regions.after(oldEnd);
  if (next !== undefined && newEnd + 4096 > guardedStart(next)) return false;
  if (space.virtualPages * 4096 + growth > limits.addressSpace()) return false;
  if (space.overDataLimit(growth / 4096)) return false;
  return regions.count <= MAX_MAP_COUNT;
}
