import { expect, test } from "vitest";
import { KernelPanic } from "../base/assert.ts";
import { FrameAllocator } from "./frames.ts";
import { PAGE_SIZE, RECORD_BASE } from "./physical-map.ts";
import { MIN_RAM_BYTES, Ram } from "./ram.ts";
import { giveBack } from "./ram-pool.ts";

const MIB = 1 << 20;
const isZero = (ram: Ram): boolean => ram.u32.every((word) => word === 0);

/** A machine's life: takes `pages` frames, fills them, releases half of them, and ends. */
function live(ram: Ram, pages: number): void {
  const frames = new FrameAllocator(ram);
  for (let i = 0; i < pages; i++) {
    const frame = i % 3 === 0 ? frames.allocTable() : frames.alloc();
    ram.u8.fill(0xa5, frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
    if (i % 2 === 0) frames.release(frame);
  }
  // What a caller says of a frame is for its next user on the same machine only.
  const mistaken = frames.alloc();
  ram.u8[mistaken * PAGE_SIZE] = 1;
  frames.noteZero(mistaken);
  frames.release(mistaken);
  ram.u8.fill(0xa5, 0, RECORD_BASE + 2 * MIB);
  giveBack(ram, frames, RECORD_BASE + 2 * MIB);
}

test("a memory is used again, and nothing is left in it", () => {
  const first = new Ram(24 * MIB);
  const { memory } = first;
  live(first, 100);
  const second = new Ram(24 * MIB);
  expect(second.memory).toBe(memory);
  expect(isZero(second)).toBe(true);
  const third = new Ram(24 * MIB);
  expect(third.memory).not.toBe(memory);
});

test("a memory of another size is not used", () => {
  const first = new Ram(MIN_RAM_BYTES);
  const { memory } = first;
  live(first, 10);
  expect(new Ram(MIN_RAM_BYTES + 65_536).memory).not.toBe(memory);
  expect(new Ram(MIN_RAM_BYTES).memory).toBe(memory);
});

test("whoever comes late reaches nobody's memory", () => {
  const first = new Ram(25 * MIB);
  live(first, 1);
  const second = new Ram(25 * MIB);
  first.u8[RECORD_BASE] = 7;
  first.zeroFrame(0x600);
  expect(first.u8.length).toBe(0);
  expect(isZero(second)).toBe(true);
  expect(() => first.memory).toThrow(KernelPanic);
  expect(() => first.u8.set([1], RECORD_BASE)).toThrow(RangeError);
});

test("what was written in a memory over all its lives is bounded", () => {
  const lives = (pages: number): number => {
    let ram = new Ram(40 * MIB);
    const { memory } = ram;
    for (let count = 1; ; count++) {
      live(ram, pages);
      ram = new Ram(40 * MIB);
      if (ram.memory !== memory) return count;
    }
  };
  expect(lives(8000)).toBe(1);
  // Each life also writes 2 MiB of records: seven make 14 MiB, and the frames come on top.
  expect(lives(10)).toBe(8);
  expect(lives(2000)).toBeLessThan(5);
});
