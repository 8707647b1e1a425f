import { describe, expect, test } from "vitest";
import { BLOCKED, DENIED, EXECUTE, PF_FETCH, PF_PRESENT, PF_USER, PF_WRITE, READ, RESOLVED, WRITE } from "./access.ts";
import { CodeGuard } from "./code-guard.ts";
import { FrameAllocator } from "./frames.ts";
import { Mmu, TRANSLATE_BLOCKED, TRANSLATE_DENIED } from "./mmu.ts";
import { DIRECT_MAP_BASE, PageTables, Removal } from "./page-table.ts";
import {
  PTE_ACCESSED, PTE_DIRTY, PTE_GLOBAL, PTE_HIGH_NX, PTE_LARGE, PTE_PRESENT, PTE_USER, PTE_WRITABLE,
} from "./pte.ts";
import { Ram } from "./ram.ts";
import { Tlb } from "./tlb.ts";

function machine(megabytes = 16) {
  const ram = new Ram(megabytes * 0x10_0000);
  const frames = new FrameAllocator(ram);
  const tlb = new Tlb(ram);
  const guard = new CodeGuard(frames, tlb);
  const tables = new PageTables(ram, frames);
  const mmu = new Mmu(ram, frames, tlb, guard);
  return { ram, frames, tlb, guard, tables, mmu };
}
const USER_RW = PTE_PRESENT | PTE_USER | PTE_WRITABLE;

describe("frames", () => {
  test("every frame can be taken once and comes back", () => {
    const { frames } = machine(8);
    const boot = frames.used;
    const taken: number[] = [];
    for (let frame = frames.alloc(); frame !== 0; frame = frames.alloc()) taken.push(frame);
    expect(new Set(taken).size).toBe(taken.length);
    expect(frames.free).toBe(0);
    frames.check();
    for (const frame of taken) frames.release(frame);
    expect(frames.used).toBe(boot);
    expect(frames.peak).toBe(frames.total);
    frames.check();
  });

  test("a released frame is cleared before it is given out as zeroed", () => {
    const { frames, ram } = machine();
    const first = frames.alloc();
    ram.u8[first * 4096 + 5] = 7;
    frames.release(first);
    const second = frames.allocZeroed();
    expect(second).toBe(first);
    expect(ram.u8[second * 4096 + 5]).toBe(0);
  });

  test("references are counted, and releasing once too often is our bug", () => {
    const { frames } = machine();
    const frame = frames.alloc();
    frames.retain(frame);
    frames.release(frame);
    expect(frames.refs[frame]).toBe(1);
    frames.release(frame);
    expect(() => frames.release(frame)).toThrow("released too often");
    expect(() => frames.retain(frame + 1)).toThrow("free frame");
  });

  test("runs are contiguous and end exactly where asked", () => {
    const { frames } = machine();
    const free = frames.free;
    const base = frames.allocRun(100);
    expect(frames.free).toBe(free - 100);
    for (let i = 0; i < 100; i++) expect(frames.refs[base + i]).toBe(1);
    expect(frames.refs[base + 100]).toBe(0);
    frames.check();
    for (let i = 0; i < 100; i++) frames.release(base + i);
    frames.check();
  });

  test("tables come from blocks of their own, so data stays in large pieces", () => {
    const { frames } = machine();
    const tables: number[] = [];
    const data: number[] = [];
    for (let i = 0; i < 100; i++) {
      tables.push(frames.allocTable());
      data.push(frames.alloc());
    }
    const tableBlocks = new Set(tables.map((frame) => frame >>> 4));
    expect(tableBlocks.size).toBeLessThan(9);
    for (const frame of data) expect(tableBlocks.has(frame >>> 4)).toBe(false);
    frames.check();
    for (const frame of [...tables, ...data]) frames.release(frame);
    frames.check();
  });

  test("a reservation keeps neighbours together and counts as free until taken", () => {
    const { frames } = machine();
    const free = frames.free;
    const reservation = frames.reservations.reserve(0x1000, 4);
    expect(reservation).toBeDefined();
    if (reservation === undefined) return;
    expect(frames.free).toBe(free);
    const third = frames.allocIn(reservation, 0x1003, "zeroed");
    const first = frames.allocIn(reservation, 0x1000, "zeroed");
    expect(third - first).toBe(3);
    expect(frames.allocIn(reservation, 0x1003, "any")).toBe(0);
    frames.check();
    frames.release(third);
    expect(frames.allocIn(reservation, 0x1003, "any")).toBe(third);
    frames.reservations.drop(reservation);
    frames.check();
    frames.release(third);
    frames.release(first);
    expect(frames.free).toBe(free);
    frames.check();
  });

  test("reservations break under pressure", () => {
    const { frames } = machine(8);
    const reservation = frames.reservations.reserve(0x200, 9);
    if (reservation === undefined) throw new Error("no block");
    const kept = frames.allocIn(reservation, 0x200, "any");
    let count = 0;
    while (frames.alloc() !== 0) count++;
    expect(count).toBeGreaterThan(500);
    expect(reservation.live).toBe(false);
    expect(frames.refs[kept]).toBe(1);
    expect(frames.free).toBe(0);
    frames.check();
  });
});

describe("page tables", () => {
  test("the kernel half maps RAM for the supervisor in 2 MiB leaves, the same in every root", () => {
    const { tables, ram } = machine();
    const a = tables.createRoot();
    const b = tables.createRoot();
    for (let i = 256; i < 512; i++) {
      expect(ram.u32[a / 4 + i * 2]).toBe(ram.u32[tables.kernelRoot / 4 + i * 2]);
      expect(ram.u32[b / 4 + i * 2]).toBe(ram.u32[a / 4 + i * 2]);
      expect(ram.u32[a / 4 + i * 2] & PTE_USER).toBe(0);
    }
    const pdpt = ram.u32[a / 4 + 512] >>> 12;
    const directory = ram.u32[pdpt * 1024] >>> 12;
    const leaf = ram.u32[directory * 1024 + 2];
    expect(leaf >>> 0).toBe((0x20_0000 | PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED | PTE_DIRTY | PTE_LARGE | PTE_GLOBAL) >>> 0);
    expect(ram.i32[directory * 1024 + 3]).toBe(PTE_HIGH_NX);
  });

  test("an odd end of RAM is mapped in 4 KiB leaves", () => {
    const ram = new Ram(9 * 0x10_0000);
    const tables = new PageTables(ram, new FrameAllocator(ram));
    const pdpt = ram.u32[tables.kernelRoot / 4 + 512] >>> 12;
    const directory = ram.u32[pdpt * 1024] >>> 12;
    const last = ram.u32[directory * 1024 + 4 * 2];
    expect(last & PTE_LARGE).toBe(0);
    const table = last >>> 12;
    expect(ram.u32[table * 1024 + 255 * 2] >>> 12).toBe(9 * 256 - 1);
    expect(ram.u32[table * 1024 + 256 * 2]).toBe(0);
  });

  test("mapping makes tables and unmapping the last page frees them", () => {
    const { tables, frames } = machine();
    const root = tables.createRoot();
    const before = frames.used;
    const frame = frames.alloc();
    expect(tables.map(root, 0x7fff_ffff_e000, frame, USER_RW, PTE_HIGH_NX)).toBe(true);
    expect(frames.used).toBe(before + 4);
    expect(tables.countTables(root)).toBe(4);
    const removed = new Removal();
    tables.unmapRange(root, 0, 2 ** 47, removed);
    expect(removed.objectPages).toBe(1);
    expect(frames.used).toBe(before);
    tables.destroyRoot(root);
    frames.check();
  });

  test("a 2 MiB leaf splits into 512 that say the same", () => {
    const { tables, frames, ram, mmu } = machine();
    const root = tables.createRoot();
    const base = frames.allocRun(512);
    expect(base % 512).toBe(0);
    expect(tables.mapLarge(root, 0x4000_0000, base, USER_RW | PTE_ACCESSED, PTE_HIGH_NX)).toBe(true);
    mmu.activate(root, undefined);
    expect(mmu.translate(0x4012_3456, READ)).toBe(base * 4096 + 0x12_3456);
    const removed = new Removal();
    expect(tables.unmapRange(root, 0x4000_1000, 0x4000_2000, removed)).toBe(true);
    mmu.dropTranslations(root, 0x4000_0000, 0x4020_0000);
    expect(mmu.translate(0x4000_1000, READ)).toBe(TRANSLATE_DENIED);
    expect(mmu.translate(0x4012_3456, READ)).toBe(base * 4096 + 0x12_3456);
    const slot = tables.findSlot(root, 0x4012_3000);
    expect(ram.u32[slot] & 0xfff).toBe(USER_RW | PTE_ACCESSED);
    expect(ram.i32[slot + 1]).toBe(PTE_HIGH_NX);
    tables.unmapRange(root, 0, 2 ** 47, removed);
    tables.destroyRoot(root);
    frames.check();
  });

  test("a table that runs out of frames half-way leaves nothing behind", () => {
    const { tables, frames } = machine(8);
    const root = tables.createRoot();
    const hoard: number[] = [];
    for (let f = frames.alloc(); f !== 0; f = frames.alloc()) hoard.push(f);
    frames.release(hoard.pop() as number);
    frames.release(hoard.pop() as number);
    const free = frames.free;
    expect(tables.makeSlot(root, 0x1234_5000)).toBe(0);
    expect(frames.free).toBe(free);
    expect(tables.countTables(root)).toBe(1);
  });
});

describe("translation", () => {
  function mapped(bits: number, high = PTE_HIGH_NX) {
    const m = machine();
    const root = m.tables.createRoot();
    const frame = m.frames.alloc();
    m.tables.map(root, 0x40_0000, frame, bits, high);
    m.mmu.activate(root, undefined);
    const slot = m.tables.findSlot(root, 0x40_0000);
    return { ...m, root, frame, slot };
  }

  test("a read sets A, a write sets A and D, and the TLB follows", () => {
    const { mmu, ram, slot, frame, tlb } = mapped(USER_RW);
    expect(mmu.probe(0x40_0123, WRITE)).toBe(frame * 4096 + 0x123);
    expect(ram.u32[slot] & (PTE_ACCESSED | PTE_DIRTY)).toBe(0);
    expect(mmu.translate(0x40_0123, READ)).toBe(frame * 4096 + 0x123);
    expect(ram.u32[slot] & (PTE_ACCESSED | PTE_DIRTY)).toBe(PTE_ACCESSED);
    expect(tlb.find(0x40_0fff, READ)).toBe(frame * 4096 + 0xfff);
    expect(tlb.find(0x40_0fff, WRITE)).toBe(-1);
    expect(mmu.translate(0x40_0123, WRITE)).toBe(frame * 4096 + 0x123);
    expect(ram.u32[slot] & PTE_DIRTY).toBe(PTE_DIRTY);
    expect(tlb.find(0x40_0fff, WRITE)).toBe(frame * 4096 + 0xfff);
    expect(tlb.find(0x40_0fff, EXECUTE)).toBe(-1);
  });

  test("failed walks give the manual's error codes", () => {
    const { mmu } = mapped(PTE_PRESENT | PTE_USER);
    expect(mmu.translate(0x40_0000, WRITE)).toBe(TRANSLATE_DENIED);
    expect(mmu.lastFault).toEqual({ address: 0x40_0000, errorCode: PF_USER | PF_WRITE | PF_PRESENT });
    mmu.translate(0x40_0010, EXECUTE);
    expect(mmu.lastFault.errorCode).toBe(PF_USER | PF_FETCH | PF_PRESENT);
    mmu.translate(0x50_0000, READ);
    expect(mmu.lastFault.errorCode).toBe(PF_USER);
    mmu.translate(DIRECT_MAP_BASE + 4096, READ);
    expect(mmu.lastFault).toEqual({ address: DIRECT_MAP_BASE + 4096, errorCode: PF_USER | PF_PRESENT });
    mmu.translate(-4096, WRITE);
    expect(mmu.lastFault.errorCode).toBe(PF_USER | PF_WRITE);
  });

  test("the resolver is asked once and the walk made again", () => {
    const m = machine();
    const root = m.tables.createRoot();
    const asked: number[] = [];
    m.mmu.activate(root, {
      resolveFault(address, errorCode) {
        asked.push(address, errorCode);
        if (address === 0x5000) return BLOCKED;
        if (address === 0x6000) return DENIED;
        m.tables.map(root, address - (address % 4096), m.frames.allocZeroed(), USER_RW, 0);
        return RESOLVED;
      },
    });
    expect(m.mmu.translate(0x1_0008, WRITE)).toBeGreaterThan(0);
    expect(asked).toEqual([0x1_0008, PF_USER | PF_WRITE]);
    expect(m.mmu.translate(0x1_0010, READ)).toBeGreaterThan(0);
    expect(asked.length).toBe(2);
    expect(m.mmu.translate(0x5000, READ)).toBe(TRANSLATE_BLOCKED);
    expect(m.mmu.translate(0x6000, READ)).toBe(TRANSLATE_DENIED);
  });

  test("a frame with translations is never in a write entry, and stores to its lines are told", () => {
    const { mmu, guard, frame, tlb, ram } = mapped(USER_RW, 0);
    const told: string[] = [];
    guard.listener = {
      codeWritten: (f, offset, length) => told.push(`written ${f === frame} ${offset} ${length}`),
      codeReleased: (f) => told.push(`released ${f === frame}`),
      executableMappingChanged: () => told.push("changed"),
    };
    mmu.translate(0x40_0000, WRITE);
    expect(tlb.find(0x40_0000, WRITE)).toBeGreaterThan(0);
    guard.mark(frame, 0x100, 16);
    expect(tlb.find(0x40_0000, WRITE)).toBe(-1);
    mmu.translate(0x40_0000, WRITE);
    expect(tlb.find(0x40_0000, WRITE)).toBe(-1);
    const bytes = new Uint8Array([1, 2, 3, 4]);
    expect(mmu.writeBytes(0x40_0200, bytes, 0, 4)).toBe(0);
    expect(told).toEqual([]);
    expect(mmu.writeBytes(0x40_00fe, bytes, 0, 4)).toBe(0);
    expect(told).toEqual(["written true 254 4"]);
    expect(ram.u8[frame * 4096 + 0x101]).toBe(4);
  });

  test("a store across pages is made only when both are writable", () => {
    const { mmu, tables, frames, root, ram, frame } = mapped(USER_RW);
    const second = frames.alloc();
    tables.map(root, 0x40_1000, second, PTE_PRESENT | PTE_USER, PTE_HIGH_NX);
    ram.zeroFrame(frame);
    const bytes = new Uint8Array([9, 9, 9, 9]);
    expect(mmu.writeBytes(0x40_0ffe, bytes, 0, 4)).toBe(TRANSLATE_DENIED);
    expect(mmu.lastFault.address).toBe(0x40_1000);
    expect(ram.u8[frame * 4096 + 0xffe]).toBe(0);
    const slot = tables.findSlot(root, 0x40_1000);
    ram.u32[slot] |= PTE_WRITABLE;
    expect(mmu.writeBytes(0x40_0ffe, bytes, 0, 4)).toBe(0);
    expect(ram.u8[frame * 4096 + 0xfff]).toBe(9);
    expect(ram.u8[second * 4096 + 1]).toBe(9);
  });
});

describe("TLB", () => {
  test("dropping forgets what it should and nothing else", () => {
    const { tlb, frames } = machine();
    const frame = frames.first;
    tlb.fill(0x7fff_1234_5000, frame, READ);
    tlb.fill(0x7fff_1234_5000, frame, WRITE);
    tlb.fill(0x7fff_1234_6000, frame + 1, READ);
    expect(tlb.find(0x7fff_1234_5678, READ)).toBe(frame * 4096 + 0x678);
    // Same index, other tag.
    expect(tlb.find(0x7ffe_1234_5678, READ)).toBe(-1);
    tlb.dropWrites();
    expect(tlb.find(0x7fff_1234_5000, WRITE)).toBe(-1);
    expect(tlb.find(0x7fff_1234_5000, READ)).toBe(frame * 4096);
    tlb.dropPage(0x7fff_1234_5000);
    expect(tlb.find(0x7fff_1234_5000, READ)).toBe(-1);
    expect(tlb.find(0x7fff_1234_6000, READ)).toBe((frame + 1) * 4096);
    tlb.dropAll();
    expect(tlb.find(0x7fff_1234_6000, READ)).toBe(-1);
  });

  test("a stack's last pages and the first mappings' do not take each other's entries", () => {
    const { tlb, frames } = machine();
    for (let page = 0; page < 8; page++) {
      tlb.fill(0x7fff_ffff_f000 - page * 4096, frames.first + page, READ);
      tlb.fill(0x7fff_f7ff_f000 - page * 4096, frames.first + 8 + page, READ);
    }
    for (let page = 0; page < 8; page++) {
      expect(tlb.find(0x7fff_ffff_f000 - page * 4096, READ)).toBe((frames.first + page) * 4096);
      expect(tlb.find(0x7fff_f7ff_f000 - page * 4096, READ)).toBe((frames.first + 8 + page) * 4096);
    }
  });

  test("more fills than the log remembers are dropped too", () => {
    const { tlb, frames } = machine();
    for (let i = 0; i < 3000; i++) tlb.fill(i * 4096, frames.first + (i % 100), i % 2 === 0 ? READ : WRITE);
    tlb.dropWrites();
    const left: number[] = [];
    const visit = (_address: number, _frame: number, access: number): void => {
      left.push(access);
    };
    tlb.forEach(visit);
    expect(left.length).toBeGreaterThan(0);
    expect(left.every((access) => access === READ)).toBe(true);
    tlb.dropAll();
    left.length = 0;
    tlb.forEach(visit);
    expect(left).toEqual([]);
  });
});
