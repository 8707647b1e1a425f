/** What empties range translations and what does not (memory/ranges.ts), through the verbs that change mappings. */
import { describe, expect, test } from "vitest";
import { MADV_COLD, MADV_DONTNEED, MADV_FREE, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MREMAP_MAYMOVE, PROT_NONE, PROT_READ } from "../abi/linux/mman.ts";
import { READ, WRITE } from "../memory/access.ts";
import { RANGE_BASE } from "../memory/physical-map.ts";
import { FIRST_WRITE_RANGE, RANGE_SLOT_BYTES } from "../memory/ranges.ts";
import type { AddressSpace } from "./address-space.ts";
import { SharedObject } from "./backing/shared.ts";
import { checkAll, cloneOf, makeContext, makeSpace, PAGE, PRIVATE, poke, peekByte, RW, TestFile } from "./testing.ts";

const READ_SLOT = RANGE_BASE;
const WRITE_SLOT = RANGE_BASE + FIRST_WRITE_RANGE * RANGE_SLOT_BYTES;

function setup(pages = 16) {
  const context = makeContext(64);
  const space = makeSpace(context);
  const at = space.map({ hint: 0, length: pages * PAGE, prot: RW, flags: PRIVATE });
  return { context, space, at, ranges: context.mmu.ranges };
}
/** Accesses [at, at + pages) and fills both slots from the first page. */
function fill(space: AddressSpace, at: number, pages: number, access: typeof READ | typeof WRITE = WRITE): void {
  for (let i = 0; i < pages; i++) {
    if (access === WRITE) poke(space, at + i * PAGE, i);
    else peekByte(space, at + i * PAGE);
  }
  const { mmu } = space.context;
  mmu.ranges.refill(READ_SLOT, space.root, at);
  if (access === WRITE) mmu.ranges.refill(WRITE_SLOT, space.root, at);
}
function covered(space: AddressSpace, access: "read" | "write"): { base: number; pages: number } | undefined {
  let found: { base: number; pages: number } | undefined;
  space.context.mmu.ranges.forEach((base, pages, _frame, kind) => {
    if (kind === access) found ??= { base, pages };
  });
  return found;
}
/** True when `change` told running code that its copies are stale. */
function drops(space: AddressSpace, change: () => void): boolean {
  const { ranges } = space.context.mmu;
  const before = ranges.drops;
  change();
  checkAll(space.context);
  return ranges.drops !== before;
}

describe("what only adds leaves ranges alone", () => {
  test("zero-fill of the next page", () => {
    const { space, at } = setup();
    fill(space, at, 4);
    expect(drops(space, () => poke(space, at + 4 * PAGE, 1))).toBe(false);
    expect(covered(space, "write")).toEqual({ base: at, pages: 4 });
    space.context.mmu.ranges.refill(WRITE_SLOT, space.root, at + 4 * PAGE);
    expect(covered(space, "write")).toEqual({ base: at, pages: 5 });
  });

  test("page-in of a file's page, and the first write to a shared one", () => {
    const { context, space } = setup();
    const file = new TestFile(context, 8 * PAGE);
    const at = space.map({ hint: 0, length: 8 * PAGE, prot: RW, flags: MAP_SHARED, backing: file });
    fill(space, at, 2, READ);
    const change = (): void => {
      peekByte(space, at + 3 * PAGE);
      poke(space, at + 5 * PAGE, 1);
    };
    const before = context.mmu.ranges.drops;
    change();
    expect(context.mmu.ranges.drops).toBe(before);
    checkAll(context, file.visit);
  });

  test("A, D and W of a page set later", () => {
    const { context, space, at } = setup();
    fill(space, at, 2);
    expect(space.faultIn(at + 2 * PAGE, WRITE)).toBe(0);
    expect(drops(space, () => peekByte(space, at + 2 * PAGE))).toBe(false);
    expect(drops(space, () => poke(space, at + 2 * PAGE, 1))).toBe(false);
    // The child goes: its pages are the parent's alone again and W comes back without a copy.
    const child = cloneOf(space);
    child.destroy();
    space.activate();
    context.mmu.ranges.refill(READ_SLOT, space.root, at);
    expect(drops(space, () => poke(space, at + PAGE, 1))).toBe(false);
  });

  test("changes elsewhere, and of a space that is not running", () => {
    const { context, space, at } = setup();
    const other = space.map({ hint: 0, length: 8 * PAGE, prot: RW, flags: PRIVATE });
    poke(space, other, 1);
    fill(space, at, 4);
    expect(drops(space, () => space.protect(other, PAGE, PROT_READ))).toBe(false);
    expect(drops(space, () => space.unmap(other, 8 * PAGE))).toBe(false);
    expect(drops(space, () => space.protect(at + 4 * PAGE, PAGE, PROT_READ))).toBe(false);
    const idle = makeSpace(context);
    const theirs = idle.map({ hint: at, length: 4 * PAGE, prot: RW, flags: PRIVATE });
    idle.faultIn(theirs, WRITE);
    expect(drops(space, () => idle.unmap(theirs, 4 * PAGE))).toBe(false);
  });
});

describe("what narrows a page empties the slots that cover it", () => {
  const narrowings: [string, (space: AddressSpace, page: number) => void][] = [
    ["munmap", (space, page) => space.unmap(page, PAGE)],
    ["mprotect to read-only", (space, page) => space.protect(page, PAGE, PROT_READ)],
    ["mprotect to nothing", (space, page) => space.protect(page, PAGE, PROT_NONE)],
    ["MADV_DONTNEED", (space, page) => space.advise(page, PAGE, MADV_DONTNEED)],
    ["MADV_FREE, which clears D", (space, page) => space.advise(page, PAGE, MADV_FREE)],
    ["MADV_COLD, which clears A", (space, page) => space.advise(page, PAGE, MADV_COLD)],
    ["mremap", (space, page) => space.remap(page, PAGE, 16 * PAGE, MREMAP_MAYMOVE, 0)],
  ];
  test.each(narrowings)("%s", (_name, narrow) => {
    const { space, at } = setup();
    fill(space, at, 8);
    expect(drops(space, () => narrow(space, at + 3 * PAGE))).toBe(true);
    expect(covered(space, "read")).toBeUndefined();
    expect(covered(space, "write")).toBeUndefined();
    fill(space, at, 1);
    expect(covered(space, "write")).toEqual({ base: at, pages: 3 });
  });

  test("a shrunk heap", () => {
    const { space } = setup();
    space.setBreakStart(0x60_0000);
    space.brk(0x61_0000);
    fill(space, 0x60_0000, 16);
    expect(drops(space, () => space.brk(0x60_4000))).toBe(true);
    expect(covered(space, "read")).toBeUndefined();
  });

  test("fork takes the write ranges, a copy the read range over the page", () => {
    const { context, space, at } = setup();
    fill(space, at, 8);
    const child = cloneOf(space);
    expect(covered(space, "write")).toBeUndefined();
    expect(covered(space, "read")).toEqual({ base: at, pages: 8 });
    expect(drops(space, () => poke(space, at + 2 * PAGE, 9))).toBe(true);
    expect(covered(space, "read")).toBeUndefined();
    expect(peekByte(child, at + 2 * PAGE)).toBe(2);
    expect(covered(child, "read")).toBeUndefined();
    checkAll(context);
  });

  test("truncation, hole punching and write-back of a mapped file", () => {
    const { context, space } = setup();
    const file = new TestFile(context, 8 * PAGE);
    const at = space.map({ hint: 0, length: 8 * PAGE, prot: RW, flags: MAP_SHARED, backing: file });
    fill(space, at, 8);
    const { ranges } = context.mmu;
    let before = ranges.drops;
    for (const mapping of file.mappings) mapping.writeProtect(0, 8);
    expect(ranges.drops).not.toBe(before);
    fill(space, at, 8);
    before = ranges.drops;
    file.truncate(4 * PAGE);
    expect(ranges.drops).not.toBe(before);
    expect(covered(space, "read")).toBeUndefined();
    checkAll(context, file.visit);

    const object = SharedObject.create(context, 4, "charged") as SharedObject;
    const shared = space.map({ hint: 0, length: 4 * PAGE, prot: RW, flags: MAP_SHARED, backing: object });
    object.closeHandle();
    fill(space, shared, 4);
    before = ranges.drops;
    object.punchPages(0, 1);
    expect(ranges.drops).not.toBe(before);
    checkAll(context, file.visit, (visit) => object.forEachFrame(visit));
  });

  test("a private copy of a file's page", () => {
    const { context, space } = setup();
    const file = new TestFile(context, 4 * PAGE);
    const at = space.map({ hint: 0, length: 4 * PAGE, prot: RW, flags: MAP_PRIVATE, backing: file });
    fill(space, at, 4, READ);
    const before = context.mmu.ranges.drops;
    poke(space, at, 1);
    expect(context.mmu.ranges.drops).not.toBe(before);
    checkAll(context, file.visit);
  });

  test("a page of an MADV_FREE range that is taken when memory runs short", () => {
    const { context, space, at } = setup();
    fill(space, at, 8);
    space.advise(at, 8 * PAGE, MADV_FREE);
    fill(space, at, 8, READ);
    expect(covered(space, "read")).toEqual({ base: at, pages: 8 });
    expect(drops(space, () => context.makeRoom())).toBe(true);
    expect(covered(space, "read")).toBeUndefined();
  });

  test("decoded code takes write ranges that reach its frame, and no others", () => {
    const { context, space, at } = setup();
    fill(space, at, 8);
    const frame = context.tables.ram.u32[context.tables.findSlot(space.root, at + 5 * PAGE)] >>> 12;
    expect(drops(space, () => context.codeGuard.mark(frame, 0, 16))).toBe(true);
    expect(covered(space, "read")).toEqual({ base: at, pages: 8 });
    fill(space, at, 8);
    expect(covered(space, "write")).toEqual({ base: at, pages: 5 });
    expect(drops(space, () => context.codeGuard.mark(frame + 1, 0, 16))).toBe(false);
    context.codeGuard.unmark(frame);
    context.codeGuard.unmark(frame + 1);
  });

  test("another address space", () => {
    const { context, space, at } = setup();
    fill(space, at, 8);
    const other = makeSpace(context);
    expect(drops(space, () => other.activate())).toBe(true);
    expect(covered(space, "read")).toBeUndefined();
  });
});

describe("long runs", () => {
  test("go on across page tables", () => {
    const { space, at } = setup(2048);
    fill(space, at, 2048);
    const { ranges, root } = { ranges: space.context.mmu.ranges, root: space.root };
    // One refill looks at a bounded number of entries; the next goes on from what it has found.
    for (let i = 0; i < 2048; i += 256) ranges.refill(WRITE_SLOT, root, at + i * PAGE);
    expect(covered(space, "write")).toEqual({ base: at, pages: 2048 });
    checkAll(space.context);
    expect(drops(space, () => space.protect(at + 1500 * PAGE, PAGE, PROT_READ))).toBe(true);
    ranges.refill(WRITE_SLOT, root, at + 1499 * PAGE);
    expect(covered(space, "write")).toEqual({ base: at, pages: 1500 });
    ranges.refill(READ_SLOT, root, at);
    ranges.refill(READ_SLOT, root, at + 1024 * PAGE);
    expect(covered(space, "read")).toEqual({ base: at, pages: 2048 });
    checkAll(space.context);
  });

  test("go on from a program's data into the zeroed data behind it, though something else was touched in between", () => {
    const { context, space, ranges } = setup();
    const file = new TestFile(context, 8 * PAGE);
    const data = 0x5f_0000, zeroed = 0x5f_8000, end = 0x9f_8000;
    space.map({ hint: data, length: zeroed - data, prot: RW, flags: MAP_PRIVATE | MAP_FIXED, backing: file });
    space.map({ hint: zeroed, length: end - zeroed, prot: RW, flags: PRIVATE | MAP_FIXED });
    poke(space, data, 1);
    poke(space, space.map({ hint: 0, length: 64 * PAGE, prot: RW, flags: PRIVATE }), 1);
    for (let at = end - PAGE; at >= zeroed; at -= PAGE) poke(space, at, 1);
    for (let at = zeroed; at < end; at += 512 * PAGE) ranges.refill(WRITE_SLOT, space.root, at);
    expect(covered(space, "write")).toEqual({ base: zeroed, pages: (end - zeroed) / PAGE });
  });

  test("grow with the pages of a heap that is touched page by page", () => {
    const { space, ranges } = setup();
    space.setBreakStart(0x80_0000);
    space.brk(0x80_0000);
    for (let i = 0; i < 1024; i++) {
      space.brk(0x80_0000 + (i + 1) * PAGE);
      poke(space, 0x80_0000 + i * PAGE, 1);
      ranges.refill(WRITE_SLOT, space.root, 0x80_0000 + i * PAGE);
    }
    expect(covered(space, "write")?.pages).toBeGreaterThanOrEqual(512);
    checkAll(space.context);
  });
});
