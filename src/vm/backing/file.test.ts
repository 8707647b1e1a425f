/** Fault-around: a read or fetch of a file's page maps its neighbours that are in memory anyway. */
import { describe, expect, test } from "vitest";
import { MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ } from "../../abi/linux/mman.ts";
import { EXECUTE, READ, WRITE } from "../../memory/access.ts";
import { PTE_ACCESSED, PTE_DIRTY, PTE_PRIVATE, PTE_WRITABLE } from "../../memory/pte.ts";
import type { AddressSpace } from "../address-space.ts";
import { FAULT_FILE } from "../fault-kind.ts";
import { checkAll, makeContext, makeSpace, PAGE, peekByte, poke, RW, TestFile } from "../testing.ts";

class CachedFile extends TestFile {
  readonly cached = new Set<number>();
  resident(index: number): boolean {
    return this.cached.has(index);
  }
}
const HINT = 0x5_0000_0000;

function setup(pages: number, cached: number, prot = PROT_READ, flags = MAP_PRIVATE) {
  const context = makeContext();
  const space = makeSpace(context);
  const file = new CachedFile(context, pages * PAGE);
  for (let index = 0; index < cached; index++) file.cached.add(index);
  const at = space.map({ hint: HINT, length: pages * PAGE, prot, flags, backing: file });
  space.activate();
  return { context, space, file, at };
}
function entry(space: AddressSpace, address: number): number {
  const { tables, ram } = space.context;
  const slot = tables.findSlot(space.root, address);
  return slot === 0 ? 0 : ram.i32[slot];
}
function present(space: AddressSpace, at: number, pages: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < pages; i++) if (entry(space, at + i * PAGE) !== 0) found.push(i);
  return found;
}

describe("fault-around", () => {
  test("maps the aligned 64 KiB around a read, read-only and without A", () => {
    const { context, space, file, at } = setup(48, 48, RW);
    expect(at).toBe(HINT);
    peekByte(space, at + 20 * PAGE);
    expect(present(space, at, 48)).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
    expect(entry(space, at + 20 * PAGE) & PTE_ACCESSED).not.toBe(0);
    expect(entry(space, at + 21 * PAGE) & (PTE_ACCESSED | PTE_DIRTY | PTE_WRITABLE | PTE_PRIVATE)).toBe(0);
    expect(space.filePages).toBe(16);
    expect(space.faultCounts[FAULT_FILE]).toBe(1);
    // The neighbours take no fault of their own; a write is still a copy.
    expect(peekByte(space, at + 31 * PAGE)).toBe(32);
    expect(space.faultCounts[FAULT_FILE]).toBe(1);
    expect(poke(space, at + 30 * PAGE, 7)).toBe(true);
    expect(peekByte(space, at + 30 * PAGE)).toBe(7);
    expect([space.filePages, space.privatePages]).toEqual([15, 1]);
    checkAll(context, file.visit);
  });

  test("maps code that can be executed", () => {
    const { context, space, file, at } = setup(16, 16, PROT_READ | PROT_EXEC);
    expect(context.mmu.translate(at, EXECUTE)).toBeGreaterThan(0);
    for (let i = 1; i < 16; i++) expect(space.probe(at + i * PAGE, EXECUTE)).toBeGreaterThan(0);
    checkAll(context, file.visit);
  });

  test("leaves out what is not in memory, what lies in another region, and what is mapped", () => {
    const { context, space, file, at } = setup(16, 16);
    file.cached.delete(3);
    space.protect(at + 8 * PAGE, 8 * PAGE, RW);
    peekByte(space, at + PAGE);
    expect(present(space, at, 16)).toEqual([0, 1, 2, 4, 5, 6, 7]);
    expect(peekByte(space, at + 3 * PAGE)).toBe(4);
    poke(space, at + 9 * PAGE, 77);
    peekByte(space, at + 8 * PAGE);
    expect(present(space, at, 16)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(peekByte(space, at + 9 * PAGE)).toBe(77);
    checkAll(context, file.visit);
  });

  test("comes with reads only, and leaves shared pages to be announced when written", () => {
    const { context, space, file, at } = setup(16, 16, RW, MAP_SHARED);
    expect(context.mmu.translate(at + 5 * PAGE, WRITE)).toBeGreaterThan(0);
    expect(present(space, at, 16)).toEqual([5]);
    expect(context.mmu.translate(at, READ)).toBeGreaterThan(0);
    expect(present(space, at, 16).length).toBe(16);
    expect(file.dirty).toEqual(new Set([5]));
    poke(space, at + 7 * PAGE, 1);
    expect(file.dirty).toEqual(new Set([5, 7]));
    checkAll(context, file.visit);
  });
});
