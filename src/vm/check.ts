/** Proof that an address space is what DESIGN section 4 says, by looking at every region and every table entry. For tests: it
 *  throws a KernelPanic that names the first thing wrong. */
import { PROT_EXEC, PROT_NONE, PROT_WRITE } from "../abi/linux/mman.ts";
import { assert } from "../base/assert.ts";
import { EXECUTE, WRITE } from "../memory/access.ts";
import { FRAME_CODE } from "../memory/frame-flags.ts";
import { KERNEL_ENTRY } from "../memory/page-table.ts";
import { LARGE_PAGE_SIZE } from "../memory/physical-map.ts";
import {
  PTE_ACCESSED, PTE_DIRTY, PTE_FRAME_MASK, PTE_HELD, PTE_HIGH_NX, PTE_LARGE, PTE_PRESENT, PTE_PRIVATE, PTE_USER, PTE_WRITABLE,
} from "../memory/pte.ts";
import type { AddressSpace } from "./address-space.ts";
import type { VmContext } from "./context.ts";
import { MMAP_MIN, USER_END } from "./layout.ts";
import { REGION_ACCOUNT, REGION_LOCKED } from "./region.ts";

/** What a page has that a read range, or a write range, covers. */
const RANGE_READ = PTE_PRESENT | PTE_USER | PTE_ACCESSED;
const RANGE_WRITE = RANGE_READ | PTE_WRITABLE | PTE_DIRTY;

/** Called for every frame a holder has a reference on. */
export type FrameVisitor = (frame: number) => void;

/** Every invariant of one space. */
export function checkAddressSpace(space: AddressSpace): void {
  checkRegions(space);
  checkLeaves(space);
  checkTables(space, () => {});
  if (space.context.mmu.root === space.root) {
    checkTlb(space);
    checkRanges(space);
  }
}

/** Every space, and that every frame's count equals its users: leaves, tables, the kernel template, and `holders` (page caches,
 *  shared objects, pipes), each of which visits the frames it has references on. */
export function checkFrames(context: VmContext, ...holders: ((visit: FrameVisitor) => void)[]): void {
  const { frames, tables } = context;
  const expected = new Uint32Array(frames.end);
  const visit = (frame: number): void => {
    expected[frame]++;
  };
  visit(tables.zeroFrame);
  visitTable(context, tables.kernelRoot >>> 12, 4, 0, 512, visit, () => {});
  let committed = 0;
  for (const space of context.spaces) {
    checkAddressSpace(space);
    checkTables(space, visit);
    for (const region of space.regions) if ((region.flags & REGION_ACCOUNT) !== 0) committed += region.pages;
    tables.forEachLeaf(space.root, 0, USER_END, (slot) => visit(context.ram.u32[slot] >>> 12));
  }
  for (const holder of holders) holder(visit);
  for (let frame = frames.first; frame < frames.end; frame++) {
    assert(frames.refs[frame] === expected[frame], "frame's count is not the number of its users", {
      frame, count: frames.refs[frame], users: expected[frame],
    });
  }
  assert(context.commit.committed >= committed, "fewer pages committed than regions say", { committed: context.commit.committed, regions: committed });
  frames.check();
}

function checkRegions(space: AddressSpace): void {
  let end = MMAP_MIN;
  let virtual = 0;
  let locked = 0;
  for (const region of space.regions) {
    const state = { start: region.start, end: region.end };
    assert(region.start % 4096 === 0 && region.end % 4096 === 0 && region.start < region.end, "region has bad bounds", state);
    assert(region.start >= end && region.end <= USER_END, "regions overlap or leave the layout", state);
    assert((region.prot & ~region.maxProt) === 0, "region has a right it may not have", state);
    end = region.end;
    virtual += region.pages;
    if ((region.flags & REGION_LOCKED) !== 0) locked += region.pages;
  }
  assert(virtual === space.virtualPages, "virtual size miscounted", { counted: space.virtualPages, found: virtual });
  assert(locked === space.lockedPages, "locked pages miscounted", { counted: space.lockedPages, found: locked });
}

function checkLeaves(space: AddressSpace): void {
  const { context, root } = space;
  const { ram, frames, tables } = context;
  let privatePages = 0;
  let filePages = 0;
  let sharedPages = 0;
  tables.forEachLeaf(root, 0, USER_END, (slot, address) => {
    const low = ram.i32[slot];
    const high = ram.i32[slot + 1];
    const frame = low >>> 12;
    const region = space.regions.find(address);
    const state = { address, low: low >>> 0, refs: frames.refs[frame] };
    assert(region !== undefined, "leaf outside every region", state);
    assert(frames.refs[frame] > 0, "leaf names a free frame", state);
    assert((low & PTE_USER) !== 0, "user leaf without U", state);
    const none = region.prot === PROT_NONE;
    assert(((low & PTE_PRESENT) === 0) === none && ((low & PTE_HELD) !== 0) === none, "leaf's presence contradicts its region", state);
    assert(((high === PTE_HIGH_NX) as boolean) === ((region.prot & PROT_EXEC) === 0) && (high & ~PTE_HIGH_NX) === 0, "leaf's NX contradicts its region", state);
    if ((low & PTE_WRITABLE) !== 0) {
      assert((region.prot & PROT_WRITE) !== 0, "leaf is writable, its region is not", state);
      if (!region.shared) assert((low & PTE_PRIVATE) !== 0 && frames.refs[frame] === 1 && region.anon !== undefined, "writable private page is shared", state);
    }
    if ((low & PTE_PRIVATE) !== 0) {
      assert(!region.shared, "private copy in shared memory", state);
      privatePages++;
    } else if (frame === tables.zeroFrame) assert(region.backing === undefined && !region.shared, "zero page under a backing", state);
    else {
      assert(region.backing !== undefined, "anonymous page is nobody's", state);
      if (region.backing.inMemory === true) sharedPages++;
      else filePages++;
    }
  });
  assert(privatePages === space.privatePages, "private pages miscounted", { counted: space.privatePages, found: privatePages });
  assert(filePages === space.filePages, "file pages miscounted", { counted: space.filePages, found: filePages });
  assert(sharedPages === space.sharedPages, "shared pages miscounted", { counted: space.sharedPages, found: sharedPages });
}

function checkTables(space: AddressSpace, visit: FrameVisitor): void {
  const { context, root } = space;
  const { ram, tables } = context;
  visitTable(context, root >>> 12, 4, 0, KERNEL_ENTRY, visit, (slot, level) => {
    const low = ram.i32[slot];
    assert((low & PTE_PRESENT) !== 0 && (low & PTE_LARGE) === 0 && (low & PTE_USER) !== 0, "bad table entry", { slot, level, low: low >>> 0 });
  });
  for (let entry = KERNEL_ENTRY; entry < 512; entry++) {
    for (let half = 0; half < 2; half++) {
      const word = ram.u32[(root >>> 2) + entry * 2 + half];
      assert(word === ram.u32[(tables.kernelRoot >>> 2) + entry * 2 + half], "kernel half differs from the template", { entry });
      if (half === 0) assert((word & PTE_USER) === 0, "user bit in the kernel half", { entry });
    }
  }
}

/** Visits a table's frame and, below it, every table; proves `used`. */
function visitTable(
  context: VmContext, frame: number, level: number, first: number, end: number, visit: FrameVisitor, entry: (slot: number, level: number) => void,
): void {
  const { ram, tables } = context;
  visit(frame);
  let used = 0;
  for (let i = first; i < end; i++) {
    const slot = frame * 1024 + i * 2;
    const low = ram.i32[slot];
    if (low === 0) {
      assert(ram.i32[slot + 1] === 0, "half an entry", { slot });
      continue;
    }
    used++;
    if (level === 1) continue;
    entry(slot, level);
    if ((low & PTE_LARGE) === 0) visitTable(context, (low & PTE_FRAME_MASK) >>> 12, level - 1, 0, 512, visit, entry);
  }
  assert(used === tables.used[frame], "table miscounts its entries", { frame, level, counted: tables.used[frame], found: used });
  // A root may be empty; other tables go when they are.
  assert(used > 0 || level === 4, "empty table kept", { frame, level });
}

function checkTlb(space: AddressSpace): void {
  const { mmu, ram, tables, frames } = space.context;
  mmu.tlb.forEach((address, frame, access) => {
    const slot = tables.findSlot(space.root, address);
    const low = slot === 0 ? 0 : ram.i32[slot];
    const state = { address, frame, access, low: low >>> 0 };
    assert((low & PTE_PRESENT) !== 0 && low >>> 12 === frame, "TLB entry contradicts the tables", state);
    assert((low & PTE_ACCESSED) !== 0, "TLB entry for a page without A", state);
    if (access === WRITE) {
      assert((low & (PTE_WRITABLE | PTE_DIRTY)) === (PTE_WRITABLE | PTE_DIRTY), "write entry without W and D", state);
      assert((frames.flags[frame] & FRAME_CODE) === 0, "write entry for a frame with code", state);
    }
    if (access === EXECUTE) assert(ram.i32[slot + 1] >= 0, "execute entry for an NX page", state);
  });
}

/** Every page of a filled range slot, and what the ranges remember of whole tables, against the tables. */
function checkRanges(space: AddressSpace): void {
  const { mmu, ram, tables } = space.context;
  mmu.ranges.forEach((base, pages, frame, access) => {
    for (let i = 0; i < pages; i++) checkRangePage(space, tables.findSlot(space.root, base + i * 4096), frame + i, access, base + i * 4096);
  });
  for (let at = 0; ;) {
    const directory = tables.nextDirectorySlot(space.root, at, USER_END);
    if (directory === 0) return;
    at = tables.foundAddress - (tables.foundAddress % LARGE_PAGE_SIZE);
    const table = ram.i32[directory] >>> 12;
    const known = mmu.ranges.remembered(table);
    if (known !== "nothing") {
      for (let i = 0; i < 512; i++) checkRangePage(space, table * 1024 + i * 2, (ram.i32[table * 1024] >>> 12) + i, known, at + i * 4096);
    }
    at += LARGE_PAGE_SIZE;
  }
}

function checkRangePage(space: AddressSpace, slot: number, frame: number, access: "read" | "write", address: number): void {
  const { ram, frames } = space.context;
  const low = slot === 0 ? 0 : ram.i32[slot];
  const state = { address, frame, access, low: low >>> 0 };
  const need = access === "read" ? RANGE_READ : RANGE_WRITE;
  assert((low & need) === need && low >>> 12 === frame, "range contradicts the tables", state);
  if (access === "write") assert((frames.flags[frame] & FRAME_CODE) === 0, "write range over a frame with code", state);
}
