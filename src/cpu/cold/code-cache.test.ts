/** Jump targets of a page come back with its first block, and only while they are what the page holds. */
import { beforeEach, expect, test } from "vitest";
import { CodeGuard } from "../../memory/code-guard.ts";
import { FrameAllocator } from "../../memory/frames.ts";
import { Mmu } from "../../memory/mmu.ts";
import { PageTables } from "../../memory/page-table.ts";
import { JUMP_CACHE_BASE, PAGE_SIZE, RANGE_BASE, RECORD_BASE } from "../../memory/physical-map.ts";
import { PTE_PRESENT, PTE_USER } from "../../memory/pte.ts";
import { Ram } from "../../memory/ram.ts";
import { RANGE_SLOT_BYTES, RANGE_SLOTS } from "../../memory/ranges.ts";
import { Tlb } from "../../memory/tlb.ts";
import { Decoder } from "../decode/decoder.ts";
import { HandlerTable } from "./handler-table.ts";
import { buildColdModule } from "./handlers.ts";
import { CodeCache } from "./code-cache.ts";
import { JUMP_CACHE_ENTRIES } from "./jump-cache.ts";
import { instructionTables } from "./tables.ts";
import "../instructions/index.ts";

const CODE = 0x40_0000;
const ELSEWHERE = 0x7fff_0000_0000;
const RET = 0xc3;
const tables = instructionTables(new WebAssembly.Module(buildColdModule(new HandlerTable())));

let ram: Ram, frames: FrameAllocator, pages: PageTables, mmu: Mmu, code: CodeCache;
let first: number, second: number, frame: number;

beforeEach(() => {
  ram = new Ram(0x200_0000);
  frames = new FrameAllocator(ram);
  pages = new PageTables(ram, frames);
  const tlb = new Tlb(ram);
  const guard = new CodeGuard(frames, tlb);
  mmu = new Mmu(ram, frames, tlb, guard);
  code = new CodeCache(ram, mmu, guard, new Decoder(tables.opcodes), tables);
  const dropFrame = (marked: number) => code.drop(marked);
  guard.listener = { codeWritten: dropFrame, codeReleased: dropFrame, executableMappingChanged: () => code.dropJumps() };
  first = pages.createRoot();
  second = pages.createRoot();
  frame = frames.allocZeroed();
  ram.u8.fill(RET, frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
  pages.map(first, CODE, frame, PTE_PRESENT | PTE_USER, 0);
  mmu.activate(first, undefined);
});

/** Addresses that the jump cache knows. */
function known(): number[] {
  const found: number[] = [];
  for (let i = 0; i < JUMP_CACHE_ENTRIES; i++) {
    const at = JUMP_CACHE_BASE / 4 + i * 4;
    if (ram.i32[at + 1] < 0x8000) found.push(ram.u32[at] + ram.u32[at + 1] * 2 ** 32);
  }
  return found.sort((a, b) => a - b);
}
function jumpTo(...addresses: number[]): void {
  for (const address of addresses) expect(code.findForJump(address, 0)).not.toBe(0);
}

test("after a switch the first block of a page brings back its other jump targets", () => {
  jumpTo(CODE, CODE + 16, CODE + 48);
  frames.retain(frame);
  pages.map(second, CODE, frame, PTE_PRESENT | PTE_USER, 0);
  mmu.activate(second, undefined);
  expect(known()).toEqual([]);
  jumpTo(CODE + 16);
  expect(known()).toEqual([CODE, CODE + 16, CODE + 48]);
  const decoded = code.instructionsDecoded;
  jumpTo(CODE, CODE + 48);
  expect(code.instructionsDecoded).toBe(decoded);
});

test("a page that maps another frame has its own jump targets", () => {
  jumpTo(CODE, CODE + 16);
  const other = frames.allocZeroed();
  ram.u8.fill(RET, other * PAGE_SIZE, (other + 1) * PAGE_SIZE);
  pages.map(second, CODE, other, PTE_PRESENT | PTE_USER, 0);
  mmu.activate(second, undefined);
  jumpTo(CODE + 32);
  expect(known()).toEqual([CODE + 32]);
});

test("the same frame at another address has its own jump targets", () => {
  jumpTo(CODE, CODE + 16);
  frames.retain(frame);
  pages.map(second, ELSEWHERE, frame, PTE_PRESENT | PTE_USER, 0);
  mmu.activate(second, undefined);
  jumpTo(ELSEWHERE + 16);
  expect(known()).toEqual([ELSEWHERE + 16]);
  mmu.activate(first, undefined);
  jumpTo(CODE);
  expect(known()).toEqual([CODE, CODE + 16]);
});

test("jump targets are forgotten when the frame is written", () => {
  jumpTo(CODE, CODE + 16);
  mmu.codeGuard.written(frame, 0, 1);
  code.dropJumps();
  jumpTo(CODE + 32);
  expect(known()).toEqual([CODE + 32]);
});

test("a block that reaches into the next page is looked up each time: it depends on that page too", () => {
  const next = frames.allocZeroed();
  pages.map(first, CODE + PAGE_SIZE, next, PTE_PRESENT | PTE_USER, 0);
  const crossing = CODE + PAGE_SIZE - 1;
  ram.u8[(frame + 1) * PAGE_SIZE - 1] = 0x48; // rex.w nop
  ram.u8[next * PAGE_SIZE] = 0x90;
  jumpTo(CODE, crossing);
  code.dropJumps();
  jumpTo(CODE);
  expect(known()).toEqual([CODE]);
});

test("range slots and jump cache end before what comes behind them in RAM", () => {
  expect(RANGE_BASE + RANGE_SLOTS * RANGE_SLOT_BYTES).toBeLessThanOrEqual(JUMP_CACHE_BASE);
  expect(JUMP_CACHE_BASE + JUMP_CACHE_ENTRIES * 16).toBeLessThanOrEqual(RECORD_BASE);
});
