/** Where pages go in RAM: runs of frames stay together as regions grow, are forked and share blocks; kept frames are given up. */
import { describe, expect, test } from "vitest";
import { MAP_SHARED } from "../abi/linux/mman.ts";
import { type READ, WRITE } from "../memory/access.ts";
import type { AddressSpace } from "./address-space.ts";
import { SharedObject } from "./backing/shared.ts";
import { checkAll, cloneOf, makeContext, makeSpace, PAGE, PRIVATE, poke, RW } from "./testing.ts";

const MIB = 0x10_0000;

function anonymous(space: AddressSpace, length: number): number {
  return space.map({ hint: 0, length, prot: RW, flags: PRIVATE });
}
function frameOf(space: AddressSpace, address: number): number {
  const { tables, ram } = space.context;
  return ram.u32[tables.findSlot(space.root, address)] >>> 12;
}
function touch(space: AddressSpace, start: number, end: number, access: typeof READ | typeof WRITE = WRITE): void {
  space.activate();
  for (let page = start; page < end; page += PAGE) space.context.mmu.translate(page, access);
}
/** Pages of [start, end) whose frame does not follow their predecessor's. */
function breaks(space: AddressSpace, start: number, end: number): number {
  let count = 0;
  for (let page = start + PAGE; page < end; page += PAGE) if (frameOf(space, page) !== frameOf(space, page - PAGE) + 1) count++;
  return count;
}

describe("contiguity", () => {
  test("of a long region, touched in any order", () => {
    const space = makeSpace(makeContext(64));
    const at = anonymous(space, 12 * MIB);
    for (let i = 0; i < 3072; i++) poke(space, at + ((i * 1031) % 3072) * PAGE, 1);
    expect(breaks(space, at, at + 12 * MIB)).toBe(0);
    checkAll(space.context);
  });

  test("of two regions that are touched in turn", () => {
    const space = makeSpace(makeContext(64));
    const a = anonymous(space, 8 * MIB);
    space.map({ hint: 0, length: PAGE, prot: 0, flags: PRIVATE });
    const b = anonymous(space, 8 * MIB);
    for (let offset = 0; offset < 8 * MIB; offset += PAGE) {
      poke(space, a + offset, 1);
      poke(space, b + offset, 1);
    }
    expect(breaks(space, a, a + 8 * MIB) + breaks(space, b, b + 8 * MIB)).toBeLessThanOrEqual(2);
    checkAll(space.context);
  });

  test("of a heap that grows page by page while the stack grows down", () => {
    const space = makeSpace(makeContext(64));
    space.setBreakStart(0x60_1000);
    const top = 0x7fff_ffff_f000;
    space.mapStack(top, 0x2_0000, RW);
    for (let i = 0; i < 1500; i++) {
      space.brk(0x60_1000 + (i + 1) * PAGE);
      poke(space, 0x60_1000 + i * PAGE, 1);
      poke(space, top - (i + 1) * PAGE, 1);
    }
    expect(breaks(space, 0x60_1000, 0x60_1000 + 1500 * PAGE)).toBe(0);
    expect(breaks(space, top - 1500 * PAGE, top)).toBe(0);
    checkAll(space.context);
  });

  test("of a program that follows others in used memory", () => {
    const context = makeContext(64);
    for (let round = 0; round < 4; round++) {
      const space = makeSpace(context);
      const at = anonymous(space, 16 * MIB);
      touch(space, at, at + 16 * MIB);
      expect(breaks(space, at, at + 16 * MIB)).toBe(0);
      space.destroy();
    }
    checkAll(context);
  });

  test("of mappings made one below the other", () => {
    const space = makeSpace(makeContext(64));
    let low = 0;
    let high = 0;
    for (let i = 0; i < 12; i++) {
      low = anonymous(space, MIB);
      if (high === 0) high = low + MIB;
      touch(space, low, low + MIB);
    }
    expect(breaks(space, low, high)).toBeLessThanOrEqual(1);
  });

  test("of shared memory", () => {
    const context = makeContext(64);
    const space = makeSpace(context);
    const object = SharedObject.create(context, 2048, "charged") as SharedObject;
    const at = space.map({ hint: 0, length: 8 * MIB, prot: RW, flags: MAP_SHARED, backing: object });
    object.closeHandle();
    for (let i = 0; i < 2048; i++) {
      poke(space, at + i * PAGE, 1);
      context.frames.alloc();
      if (i % 2 === 0) space.unmap(anonymous(space, PAGE), PAGE);
    }
    expect(breaks(space, at, at + 8 * MIB)).toBe(0);
    space.destroy();
    context.frames.check();
  });
});

describe("after fork", () => {
  test("the child's copies are contiguous, and so are the parent's", () => {
    const context = makeContext(64);
    const parent = makeSpace(context);
    const at = anonymous(parent, 8 * MIB);
    touch(parent, at, at + 8 * MIB);
    const child = cloneOf(parent);
    touch(child, at, at + 8 * MIB);
    expect(breaks(child, at, at + 8 * MIB)).toBe(0);
    const second = cloneOf(parent);
    touch(parent, at, at + 8 * MIB);
    expect(breaks(parent, at, at + 8 * MIB)).toBe(0);
    checkAll(context);
    // Now the parent's first place is the second child's alone.
    touch(second, at, at + 8 * MIB);
    expect(breaks(second, at, at + 8 * MIB)).toBe(0);
    second.destroy();
    child.destroy();
    checkAll(context);
    parent.destroy();
    checkAll(context);
  });

  test("a parent that forks often has two places for its pages, not more", () => {
    const context = makeContext(64);
    const parent = makeSpace(context);
    const at = anonymous(parent, 2 * MIB);
    touch(parent, at, at + 2 * MIB);
    const kept = (): number => [...context.frames.reservations.all()].length;
    const before = kept();
    for (let i = 0; i < 40; i++) {
      const child = cloneOf(parent);
      poke(parent, at, i);
      poke(parent, at + 5 * PAGE, i);
      child.destroy();
    }
    expect(kept()).toBe(before + 1);
    checkAll(context);
  });
});

describe("under pressure", () => {
  test("kept frames are given up, unused blocks first, until every frame is in use", () => {
    const context = makeContext(16);
    const { frames } = context;
    const space = makeSpace(context);
    const idle = anonymous(space, 2 * MIB);
    poke(space, idle, 1);
    space.unmap(idle, PAGE);
    const sparse = anonymous(space, 10 * MIB);
    const rest = anonymous(space, 8 * MIB);
    // Most of what is reserved is not used.
    for (let page = sparse; page < sparse + 10 * MIB; page += 16 * PAGE) expect(poke(space, page, 1)).toBe(true);
    expect(frames.reservations.kept).toBeGreaterThan(frames.total / 2);
    for (let page = sparse; page < sparse + 10 * MIB; page += PAGE) expect(poke(space, page, 1)).toBe(true);
    let page = rest;
    while (poke(space, page, 1)) page += PAGE;
    expect(frames.free).toBe(0);
    frames.check();
    space.destroy();
    frames.check();
    expect(frames.reservations.kept).toBe(0);
  });

  test("with nine tenths of memory in use, new regions are still contiguous in large pieces", () => {
    const context = makeContext(256);
    const { frames } = context;
    const space = makeSpace(context);
    const length = Math.floor((frames.total * 0.9 * PAGE) / MIB) * MIB;
    const ballast = anonymous(space, length);
    touch(space, ballast, ballast + length);
    const at = anonymous(space, 8 * MIB);
    touch(space, at, at + 8 * MIB);
    expect(breaks(space, at, at + 8 * MIB)).toBeLessThanOrEqual(3);
    checkAll(context);
  });
});
