import { describe, expect, test } from "vitest";
import { EACCES, EAGAIN, EEXIST, EFAULT, EINVAL, ENOMEM, EPERM } from "../../abi/linux/errno.ts";
import {
  MADV_DONTFORK, MADV_DONTNEED, MADV_FREE, MADV_POPULATE_WRITE, MADV_WIPEONFORK, MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN,
  MAP_HUGETLB, MAP_LOCKED, MAP_NORESERVE, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, MS_ASYNC, MS_SYNC, PROT_EXEC,
  PROT_GROWSDOWN, PROT_GROWSUP, PROT_NONE, PROT_READ,
} from "../../abi/linux/mman.ts";
import { checkAddressSpace } from "../check.ts";
import { COMMIT_NEVER } from "../commit.ts";
import { VmContext } from "../context.ts";
import { Ram } from "../../memory/ram.ts";
import { mmapBase, MMAP_MIN, STACK_GUARD, USER_END } from "../layout.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { cloneOf, makeContext, makeSpace, mapsText, PAGE, peekByte, poke, PRIVATE, RW, TestFile, checkAll } from "../testing.ts";

const BASE = 0x1000_0000;
const TOP = mmapBase(8 << 20);

function setup(limits = DEFAULT_LIMITS, megabytes = 32) {
  const context = makeContext(megabytes);
  const boot = context.frames.used;
  const space = makeSpace(context, limits);
  const anon = (hint: number, pages: number, prot = RW, flags = 0) =>
    space.map({ hint, length: pages * PAGE, prot, flags: PRIVATE | (hint !== 0 ? MAP_FIXED : 0) | flags });
  return { context, space, boot, anon };
}

describe("map", () => {
  test("mappings are placed top-down below the stack gap and merge", () => {
    const { space, anon } = setup();
    expect(anon(0, 2)).toBe(TOP - 2 * PAGE);
    expect(anon(0, 1)).toBe(TOP - 3 * PAGE);
    expect(mapsText(space)).toEqual([`${(TOP - 3 * PAGE).toString(16)}-${TOP.toString(16)} rw-p 0`]);
    expect(anon(0, 1, PROT_READ)).toBe(TOP - 4 * PAGE);
    expect(space.regions.count).toBe(2);
    checkAddressSpace(space);
  });

  test("freed address space is found again", () => {
    const { space, anon } = setup();
    const first = anon(0, 4);
    anon(0, 4, PROT_READ);
    anon(0, 4, RW, MAP_NORESERVE);
    expect(space.unmap(first, 4 * PAGE)).toBe(0);
    expect(anon(0, 3)).toBe(first + PAGE);
    expect(anon(0, 1, PROT_READ)).toBe(first);
  });

  test("a hint is taken when it is free, else ignored", () => {
    const { space } = setup();
    const at = space.map({ hint: BASE + 5, length: PAGE, prot: RW, flags: PRIVATE });
    expect(at).toBe(BASE);
    expect(space.map({ hint: BASE, length: PAGE, prot: RW, flags: PRIVATE })).toBe(TOP - PAGE);
    expect(space.map({ hint: 1, length: PAGE, prot: RW, flags: PRIVATE })).toBe(TOP - 2 * PAGE);
    expect(space.map({ hint: 0x2000, length: PAGE, prot: RW, flags: PRIVATE })).toBe(MMAP_MIN);
  });

  test("fixed mappings replace, noreplace ones refuse", () => {
    const { space, anon } = setup();
    anon(BASE, 4);
    poke(space, BASE + PAGE, 7);
    expect(anon(BASE + PAGE, 1, PROT_READ)).toBe(BASE + PAGE);
    expect(peekByte(space, BASE + PAGE)).toBe(0);
    expect(space.regions.count).toBe(3);
    expect(space.map({ hint: BASE, length: PAGE, prot: RW, flags: PRIVATE | MAP_FIXED_NOREPLACE })).toBe(-EEXIST);
    checkAddressSpace(space);
  });

  test("errors come in Linux's order", () => {
    const { space } = setup();
    const map = (hint: number, length: number, flags: number, offset = 0) => space.map({ hint, length, prot: RW, flags, backingOffset: offset });
    expect(map(0, 0, PRIVATE)).toBe(-EINVAL);
    expect(map(0, PAGE, PRIVATE, 5)).toBe(-EINVAL);
    expect(map(0, 2 ** 50, PRIVATE)).toBe(-ENOMEM);
    expect(map(1, PAGE, PRIVATE | MAP_FIXED)).toBe(-EINVAL);
    expect(map(USER_END, PAGE, PRIVATE | MAP_FIXED)).toBe(-ENOMEM);
    expect(map(0x1000, PAGE, PRIVATE | MAP_FIXED)).toBe(-EPERM);
    expect(map(0, PAGE, MAP_ANONYMOUS)).toBe(-EINVAL);
    expect(map(0, PAGE, MAP_ANONYMOUS | MAP_SHARED | MAP_GROWSDOWN)).toBe(-EINVAL);
    expect(map(0, PAGE, PRIVATE | MAP_HUGETLB)).toBe(-ENOMEM);
    expect(map(0, 2 ** 40, PRIVATE)).toBe(-ENOMEM);
    expect(map(0, 2 ** 40, PRIVATE | MAP_NORESERVE)).toBeGreaterThan(0);
  });

  test("placement honours a grow-down region's gap", () => {
    const { space, anon } = setup();
    const stack = anon(TOP - 4 * PAGE, 1, RW, MAP_GROWSDOWN);
    expect(anon(0, 3)).toBe(TOP - 3 * PAGE);
    expect(anon(0, 1)).toBe(stack - STACK_GUARD - PAGE);
    expect(space.map({ hint: stack - PAGE, length: PAGE, prot: RW, flags: PRIVATE })).toBe(stack - STACK_GUARD - 2 * PAGE);
  });

  test("whole huge pages are aligned to them", () => {
    const { anon } = setup();
    expect(anon(0, 512) % 0x20_0000).toBe(0);
    expect(anon(0, 1024) % 0x20_0000).toBe(0);
  });

  test("populate makes pages resident at once", () => {
    const { space, anon } = setup();
    const at = anon(0, 8, RW, MAP_POPULATE);
    expect(space.residentPages).toBe(8);
    const residency = new Uint8Array(8);
    expect(space.mincore(at, 8 * PAGE, residency)).toBe(0);
    expect([...residency]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test("limits refuse: address space, data, locked", () => {
    const { space, anon } = setup({ ...DEFAULT_LIMITS, addressSpace: () => 8 * PAGE, data: () => 4 * PAGE, locked: () => PAGE });
    expect(anon(0, 9, PROT_READ)).toBe(-ENOMEM);
    expect(anon(0, 5)).toBe(-ENOMEM);
    expect(anon(0, 4)).toBeGreaterThan(0);
    expect(anon(0, 2, PROT_READ, MAP_LOCKED)).toBe(-EAGAIN);
    expect(space.lockedPages).toBe(0);
  });

  test("a shared anonymous mapping is one object for parent and child", () => {
    const { space, context, boot } = setup();
    const at = space.map({ hint: 0, length: 3 * PAGE, prot: RW, flags: MAP_SHARED | MAP_ANONYMOUS });
    poke(space, at, 1);
    const child = cloneOf(space);
    poke(child, at, 2);
    poke(child, at + PAGE, 3);
    expect(peekByte(space, at)).toBe(2);
    expect(peekByte(space, at + PAGE)).toBe(3);
    expect(mapsText(space)[0]).toContain("rw-s 0 /dev/zero (deleted)");
    space.destroy();
    expect(peekByte(child, at)).toBe(2);
    child.destroy();
    expect(context.frames.used).toBe(boot);
    expect(context.commit.committed).toBe(0);
    checkAll(context);
  });
});

describe("unmap", () => {
  test("a hole in the middle leaves two regions, and its pages read as nothing", () => {
    const { space, anon } = setup();
    anon(BASE, 8);
    for (let i = 0; i < 8; i++) poke(space, BASE + i * PAGE, i + 1);
    expect(space.unmap(BASE + 2 * PAGE, 2 * PAGE)).toBe(0);
    expect(mapsText(space)).toEqual(["10000000-10002000 rw-p 0", "10004000-10008000 rw-p 0"]);
    expect(peekByte(space, BASE + PAGE)).toBe(2);
    expect(peekByte(space, BASE + 2 * PAGE)).toBeUndefined();
    expect(peekByte(space, BASE + 4 * PAGE)).toBe(5);
    expect(space.residentPages).toBe(6);
    checkAddressSpace(space);
  });

  test("errors: length 0, unaligned, outside; a range without mappings is fine", () => {
    const { space } = setup();
    expect(space.unmap(BASE, 0)).toBe(-EINVAL);
    expect(space.unmap(BASE + 1, PAGE)).toBe(-EINVAL);
    expect(space.unmap(USER_END, PAGE)).toBe(-EINVAL);
    expect(space.unmap(BASE, PAGE)).toBe(0);
  });

  test("the hole is filled again and merges back", () => {
    const { space, anon } = setup();
    anon(BASE, 4);
    space.unmap(BASE + PAGE, PAGE);
    anon(BASE + PAGE, 1);
    expect(space.regions.count).toBe(1);
  });
});

describe("protect", () => {
  test("splits, changes and merges back", () => {
    const { space, anon } = setup();
    anon(BASE, 4);
    for (let i = 0; i < 4; i++) poke(space, BASE + i * PAGE, i + 1);
    expect(space.protect(BASE + PAGE, 2 * PAGE, PROT_READ)).toBe(0);
    expect(space.regions.count).toBe(3);
    expect(poke(space, BASE + PAGE, 9)).toBe(false);
    expect(space.denied).toEqual({ signal: 11, code: 2, address: BASE + PAGE });
    checkAddressSpace(space);
    expect(space.protect(BASE + PAGE, 2 * PAGE, RW)).toBe(0);
    expect(space.regions.count).toBe(1);
    expect(poke(space, BASE + PAGE, 9)).toBe(true);
    expect(peekByte(space, BASE + 2 * PAGE)).toBe(3);
    checkAddressSpace(space);
  });

  test("PROT_NONE keeps the contents out of reach", () => {
    const { space, anon } = setup();
    anon(BASE, 1);
    poke(space, BASE, 5);
    space.protect(BASE, PAGE, PROT_NONE);
    expect(peekByte(space, BASE)).toBeUndefined();
    expect(space.denied.code).toBe(2);
    expect(space.context.mmu.lastFault.errorCode & 1).toBe(0);
    checkAddressSpace(space);
    space.protect(BASE, PAGE, PROT_READ);
    expect(peekByte(space, BASE)).toBe(5);
  });

  test("a hole ends the call with ENOMEM after changing what came before", () => {
    const { space, anon } = setup();
    anon(BASE, 1);
    anon(BASE + 2 * PAGE, 1);
    expect(space.protect(BASE, 3 * PAGE, PROT_READ)).toBe(-ENOMEM);
    expect(mapsText(space)).toEqual(["10000000-10001000 r--p 0", "10002000-10003000 rw-p 0"]);
    expect(space.protect(BASE - PAGE, 2 * PAGE, RW)).toBe(-ENOMEM);
    expect(space.protect(BASE + 1, PAGE, RW)).toBe(-EINVAL);
    expect(space.protect(BASE, 0, RW)).toBe(0);
    expect(space.protect(BASE, PAGE, 0x40)).toBe(-EINVAL);
    expect(space.protect(BASE, PAGE, RW | PROT_GROWSDOWN | PROT_GROWSUP)).toBe(-EINVAL);
    expect(space.protect(BASE, PAGE, RW | PROT_GROWSDOWN)).toBe(-EINVAL);
  });

  test("growsdown reaches to the start of the region", () => {
    const { space, anon } = setup();
    anon(BASE, 4, RW, MAP_GROWSDOWN);
    expect(space.protect(BASE + 2 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN)).toBe(0);
    expect(mapsText(space)).toEqual(["10000000-10003000 r--p 0", "10003000-10004000 rw-p 0"]);
  });

  test("a right the mapping may not have is EACCES", () => {
    const { space, context } = setup();
    const file = new TestFile(context, PAGE);
    const at = space.map({ hint: 0, length: PAGE, prot: PROT_READ, flags: MAP_SHARED, backing: file, maxProt: PROT_READ | PROT_EXEC });
    expect(space.protect(at, PAGE, RW)).toBe(-EACCES);
    expect(space.protect(at, PAGE, PROT_READ | PROT_EXEC)).toBe(0);
  });

  test("making memory writable promises it", () => {
    const context = new VmContext(new Ram(16 << 20), { commitMode: COMMIT_NEVER, commitRatio: 10 });
    const space = makeSpace(context);
    const limit = context.commit.limit * PAGE;
    const at = space.map({ hint: 0, length: limit * 2, prot: PROT_READ, flags: PRIVATE });
    expect(at).toBeGreaterThan(0);
    expect(space.protect(at, limit * 2, RW)).toBe(-ENOMEM);
    expect(space.protect(at, limit, RW)).toBe(0);
    expect(context.commit.committed).toBe(context.commit.limit);
    expect(space.map({ hint: 0, length: PAGE, prot: RW, flags: PRIVATE })).toBe(-ENOMEM);
    space.destroy();
    expect(context.commit.committed).toBe(0);
  });

  test("a page that fork shares stays write-protected whatever mprotect says", () => {
    const { space, anon } = setup();
    anon(BASE, 1);
    poke(space, BASE, 1);
    const child = cloneOf(space);
    child.protect(BASE, PAGE, PROT_READ);
    child.protect(BASE, PAGE, RW);
    checkAddressSpace(child);
    poke(child, BASE, 2);
    expect(peekByte(space, BASE)).toBe(1);
  });
});

describe("remap", () => {
  test("grows in place when there is room, else moves with its contents", () => {
    const { space, anon } = setup();
    anon(BASE, 2);
    poke(space, BASE, 1);
    poke(space, BASE + PAGE, 2);
    expect(space.remap(BASE, 2 * PAGE, 4 * PAGE, 0, 0)).toBe(BASE);
    anon(BASE + 4 * PAGE, 1, PROT_READ);
    expect(space.remap(BASE, 4 * PAGE, 8 * PAGE, 0, 0)).toBe(-ENOMEM);
    const moved = space.remap(BASE, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0);
    expect(moved).toBe(TOP - 8 * PAGE);
    expect(peekByte(space, moved)).toBe(1);
    expect(peekByte(space, moved + PAGE)).toBe(2);
    expect(peekByte(space, moved + 7 * PAGE)).toBe(0);
    expect(peekByte(space, BASE)).toBeUndefined();
    checkAddressSpace(space);
    checkAll(space.context);
  });

  test("shrinks, even across regions", () => {
    const { space, anon } = setup();
    anon(BASE, 4);
    anon(BASE + 4 * PAGE, 2, PROT_READ);
    expect(space.remap(BASE, 6 * PAGE, 2 * PAGE, 0, 0)).toBe(BASE);
    expect(mapsText(space)).toEqual(["10000000-10002000 rw-p 0"]);
  });

  test("errors: EINVAL, EFAULT", () => {
    const { space, anon } = setup();
    anon(BASE, 2);
    expect(space.remap(BASE + 1, PAGE, PAGE, 0, 0)).toBe(-EINVAL);
    expect(space.remap(BASE, PAGE, 0, 0, 0)).toBe(-EINVAL);
    expect(space.remap(BASE, PAGE, PAGE, 8, 0)).toBe(-EINVAL);
    expect(space.remap(BASE, PAGE, PAGE, MREMAP_FIXED, BASE * 2)).toBe(-EINVAL);
    expect(space.remap(BASE, 2 * PAGE, 2 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, BASE + PAGE)).toBe(-EINVAL);
    expect(space.remap(BASE + 4 * PAGE, PAGE, 2 * PAGE, 0, 0)).toBe(-EFAULT);
    expect(space.remap(BASE, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0)).toBe(-EFAULT);
    expect(space.remap(BASE, 0, PAGE, MREMAP_MAYMOVE, 0)).toBe(-EINVAL);
  });

  test("fixed moves replace the target; several regions move together", () => {
    const { space, anon } = setup();
    anon(BASE, 2);
    anon(BASE + 3 * PAGE, 1, PROT_READ);
    anon(BASE * 2, 8);
    poke(space, BASE + PAGE, 3);
    poke(space, BASE * 2 + 2 * PAGE, 9);
    expect(space.remap(BASE, 4 * PAGE, 4 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, BASE * 2)).toBe(BASE * 2);
    expect(peekByte(space, BASE * 2 + PAGE)).toBe(3);
    expect(peekByte(space, BASE * 2 + 2 * PAGE)).toBe(9);
    expect(peekByte(space, BASE * 2 + 3 * PAGE)).toBe(0);
    expect(poke(space, BASE * 2 + 3 * PAGE, 1)).toBe(false);
    expect(peekByte(space, BASE)).toBeUndefined();
    checkAll(space.context);
  });

  test("DONTUNMAP leaves an empty mapping behind", () => {
    const { space, anon } = setup();
    anon(BASE, 2);
    poke(space, BASE, 4);
    const moved = space.remap(BASE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    expect(peekByte(space, moved)).toBe(4);
    expect(peekByte(space, BASE)).toBe(0);
    checkAll(space.context);
  });

  test("length 0 duplicates a shared mapping", () => {
    const { space } = setup();
    const at = space.map({ hint: 0, length: PAGE, prot: RW, flags: MAP_SHARED | MAP_ANONYMOUS });
    const twin = space.remap(at, 0, PAGE, MREMAP_MAYMOVE, 0);
    poke(space, at, 6);
    expect(peekByte(space, twin)).toBe(6);
    space.unmap(at, PAGE);
    expect(peekByte(space, twin)).toBe(6);
  });
});

describe("brk", () => {
  test("grows lazily, shrinks, and what was given up reads as zero again", () => {
    const { space } = setup();
    space.setBreakStart(BASE + 10);
    expect(space.brk(0)).toBe(BASE + PAGE);
    expect(space.brk(BASE + 3 * PAGE + 5)).toBe(BASE + 3 * PAGE + 5);
    expect(space.residentPages).toBe(0);
    expect(mapsText(space)).toEqual(["10001000-10004000 rw-p 0 [heap]"]);
    poke(space, BASE + 3 * PAGE, 1);
    expect(space.brk(BASE + 2 * PAGE)).toBe(BASE + 2 * PAGE);
    expect(peekByte(space, BASE + 3 * PAGE)).toBeUndefined();
    expect(space.brk(BASE + 4 * PAGE)).toBe(BASE + 4 * PAGE);
    expect(peekByte(space, BASE + 3 * PAGE)).toBe(0);
    expect(space.brk(BASE)).toBe(BASE + 4 * PAGE);
  });

  test("stops below the next mapping, one page short", () => {
    const { space, anon } = setup();
    space.setBreakStart(BASE);
    anon(BASE + 4 * PAGE, 1);
    expect(space.brk(BASE + 4 * PAGE)).toBe(BASE);
    expect(space.brk(BASE + 3 * PAGE)).toBe(BASE + 3 * PAGE);
  });

  test("a refused promise leaves the break alone", () => {
    const { space, context } = setup();
    space.setBreakStart(BASE);
    expect(space.brk(BASE + (context.frames.total + 1) * PAGE)).toBe(BASE);
  });
});

describe("advise", () => {
  test("DONTNEED empties private pages and keeps shared ones", () => {
    const { space, anon } = setup();
    anon(BASE, 2);
    const shared = space.map({ hint: 0, length: PAGE, prot: RW, flags: MAP_SHARED | MAP_ANONYMOUS });
    poke(space, BASE, 1);
    poke(space, shared, 2);
    expect(space.advise(BASE, 2 * PAGE, MADV_DONTNEED)).toBe(0);
    expect(space.advise(shared, PAGE, MADV_DONTNEED)).toBe(0);
    expect(peekByte(space, BASE)).toBe(0);
    expect(peekByte(space, shared)).toBe(2);
  });

  test("holes give ENOMEM and the rest is done", () => {
    const { space, anon } = setup();
    anon(BASE, 1);
    anon(BASE + 2 * PAGE, 1);
    poke(space, BASE + 2 * PAGE, 1);
    expect(space.advise(BASE, 3 * PAGE, MADV_DONTNEED)).toBe(-ENOMEM);
    expect(peekByte(space, BASE + 2 * PAGE)).toBe(0);
    expect(space.advise(BASE, PAGE, 77)).toBe(-EINVAL);
    expect(space.advise(BASE + 1, PAGE, MADV_DONTNEED)).toBe(-EINVAL);
    expect(space.advise(BASE, 0, MADV_DONTNEED)).toBe(0);
  });

  test("FREE keeps contents until memory runs short, and a write takes a page back", () => {
    const { space, anon, context } = setup();
    anon(BASE, 2);
    poke(space, BASE, 1);
    poke(space, BASE + PAGE, 2);
    expect(space.advise(BASE, 2 * PAGE, MADV_FREE)).toBe(0);
    expect(peekByte(space, BASE)).toBe(1);
    poke(space, BASE + PAGE + 1, 3);
    expect(context.makeRoom()).toBe(true);
    expect(peekByte(space, BASE)).toBe(0);
    expect(peekByte(space, BASE + PAGE)).toBe(2);
    expect(context.makeRoom()).toBe(false);
    checkAll(context);
  });

  test("DONTFORK and WIPEONFORK decide what a child sees", () => {
    const { space, anon } = setup();
    anon(BASE, 3);
    for (let i = 0; i < 3; i++) poke(space, BASE + i * PAGE, i + 1);
    space.advise(BASE, PAGE, MADV_DONTFORK);
    space.advise(BASE + PAGE, PAGE, MADV_WIPEONFORK);
    const child = cloneOf(space);
    expect(peekByte(child, BASE)).toBeUndefined();
    expect(peekByte(child, BASE + PAGE)).toBe(0);
    expect(peekByte(child, BASE + 2 * PAGE)).toBe(3);
    checkAll(space.context);
  });

  test("POPULATE_WRITE faults in or says why not", () => {
    const { space, anon } = setup();
    anon(BASE, 2);
    expect(space.advise(BASE, 2 * PAGE, MADV_POPULATE_WRITE)).toBe(0);
    expect(space.residentPages).toBe(2);
    anon(BASE, 1, PROT_READ);
    expect(space.advise(BASE, 2 * PAGE, MADV_POPULATE_WRITE)).toBe(-EINVAL);
  });
});

describe("fork", () => {
  test("a child's write leaves the parent's page unchanged, and the other way round", () => {
    const { space, context, boot, anon } = setup();
    anon(BASE, 4);
    for (let i = 0; i < 4; i++) poke(space, BASE + i * PAGE, 10 + i);
    const used = context.frames.used;
    const child = cloneOf(space);
    expect(context.frames.used - used).toBe(4);
    poke(child, BASE, 99);
    poke(space, BASE + PAGE, 88);
    expect(peekByte(space, BASE)).toBe(10);
    expect(peekByte(child, BASE + PAGE)).toBe(11);
    expect(peekByte(child, BASE)).toBe(99);
    checkAll(context);
    child.destroy();
    // The parent is the sole owner again: its next write copies nothing.
    const copies = space.faultCounts[4];
    poke(space, BASE + 2 * PAGE, 1);
    expect(space.faultCounts[4]).toBe(copies);
    checkAll(context);
    space.destroy();
    expect(context.frames.used).toBe(boot);
    checkAll(context);
  });

  test("a partially committed region is cloned as it is", () => {
    const { space, anon, context } = setup();
    anon(BASE, 100);
    poke(space, BASE + 50 * PAGE, 1);
    const child = cloneOf(space);
    expect(child.residentPages).toBe(1);
    expect(mapsText(child)).toEqual(mapsText(space));
    expect(peekByte(child, BASE + 50 * PAGE)).toBe(1);
    expect(peekByte(child, BASE + 51 * PAGE)).toBe(0);
    checkAll(context);
  });

  test("a writer's copies are contiguous in RAM", () => {
    const { space, anon, context } = setup(DEFAULT_LIMITS, 128);
    const at = anon(0, 512);
    for (let i = 511; i >= 0; i--) poke(space, at + i * PAGE, 1);
    const frameOf = (s: typeof space, i: number) => s.probe(at + i * PAGE, 0) / PAGE;
    for (let i = 1; i < 512; i++) expect(frameOf(space, i)).toBe(frameOf(space, 0) + i);
    const child = cloneOf(space);
    for (let i = 63; i >= 0; i--) poke(child, at + i * PAGE, 2);
    for (let i = 1; i < 64; i++) expect(frameOf(child, i)).toBe(frameOf(child, 0) + i);
    checkAll(context);
  });

  test("no frames: the clone fails cleanly", () => {
    const context = makeContext(8);
    const space = makeSpace(context);
    const at = space.map({ hint: 0, length: 100 * PAGE, prot: RW, flags: PRIVATE });
    for (let i = 0; i < 100; i++) poke(space, at + i * PAGE, i);
    const hoard: number[] = [];
    while (context.frames.free > 2) hoard.push(context.frames.alloc());
    expect(space.clone()).toBe(-ENOMEM);
    for (const frame of hoard) context.frames.release(frame);
    for (let i = 0; i < 100; i++) expect(peekByte(space, at + i * PAGE)).toBe(i);
    checkAll(context);
  });
});

describe("lock and sync", () => {
  test("mlock makes pages present, and locked memory cannot be given up", () => {
    const { space, anon } = setup();
    anon(BASE, 4);
    expect(space.lock(BASE + 10, PAGE)).toBe(0);
    expect(space.residentPages).toBe(2);
    expect(space.lockedPages).toBe(2);
    expect(space.regions.count).toBe(2);
    expect(space.advise(BASE, PAGE, MADV_DONTNEED)).toBe(-EINVAL);
    expect(space.lock(BASE, 8 * PAGE)).toBe(-ENOMEM);
    expect(space.unlock(BASE, 4 * PAGE)).toBe(0);
    expect(space.lockedPages).toBe(0);
    expect(space.regions.count).toBe(1);
    checkAddressSpace(space);
  });

  test("msync checks its arguments and reports holes", () => {
    const { space, anon } = setup();
    anon(BASE, 1);
    expect(space.sync(BASE, PAGE, MS_SYNC)).toBe(0);
    expect(space.sync(BASE, PAGE, MS_SYNC | MS_ASYNC)).toBe(-EINVAL);
    expect(space.sync(BASE + 1, PAGE, MS_SYNC)).toBe(-EINVAL);
    expect(space.sync(BASE, 2 * PAGE, MS_SYNC)).toBe(-ENOMEM);
  });

  test("mincore: ENOMEM over a hole", () => {
    const { space, anon } = setup();
    anon(BASE, 2);
    poke(space, BASE + PAGE, 1);
    const residency = new Uint8Array(3);
    expect(space.mincore(BASE, 2 * PAGE, residency)).toBe(0);
    expect([...residency]).toEqual([0, 1, 0]);
    expect(space.mincore(BASE, 3 * PAGE, residency)).toBe(-ENOMEM);
  });
});

test("map populates through MAP_PRIVATE of a file only as far as the file goes", () => {
  const { space, context } = setup();
  const file = new TestFile(context, PAGE + 10);
  const at = space.map({ hint: 0, length: 4 * PAGE, prot: RW, flags: MAP_PRIVATE | MAP_POPULATE, backing: file, name: "/f" });
  expect(at).toBeGreaterThan(0);
  expect(space.residentPages).toBe(2);
  checkAll(context, file.visit);
});
