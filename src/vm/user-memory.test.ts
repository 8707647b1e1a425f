import { expect, test } from "vitest";
import { EFAULT, ENAMETOOLONG } from "../abi/linux/errno.ts";
import { MAP_FIXED, MAP_PRIVATE, PROT_EXEC, PROT_READ } from "../abi/linux/mman.ts";
import { STACK_TOP } from "./layout.ts";
import { cloneOf, makeContext, makeSpace, PAGE, peekByte, poke, PRIVATE, RW, TestFile } from "./testing.ts";
import { clearUser, compareExchangeU32, copyIn, copyInString, copyOut, peek, readU32, readU64, USER_BLOCKED, writeU32, writeU64 } from "./user-memory.ts";

const BASE = 0x1000_0000;

function setup(pages = 2) {
  const context = makeContext();
  const space = makeSpace(context);
  space.map({ hint: BASE, length: pages * PAGE, prot: RW, flags: PRIVATE | MAP_FIXED });
  return { context, space };
}

test("copies cross pages and work on a space that is not active", () => {
  const { space, context } = setup();
  const other = makeSpace(context);
  other.activate();
  const bytes = new Uint8Array(5000).map((_, i) => i * 7);
  expect(copyOut(space, BASE + 100, bytes)).toBe(5000);
  const back = new Uint8Array(5000);
  expect(copyIn(space, BASE + 100, back)).toBe(5000);
  expect(back).toEqual(bytes);
  expect(context.mmu.root).toBe(other.root);
  expect(copyIn(other, BASE, back)).toBe(-EFAULT);
});

test("a fault after n bytes gives n, a fault at once EFAULT", () => {
  const { space } = setup(1);
  const bytes = new Uint8Array(100);
  expect(copyOut(space, BASE + PAGE - 40, bytes)).toBe(40);
  expect(copyIn(space, BASE + PAGE - 40, bytes)).toBe(40);
  expect(copyIn(space, BASE + PAGE, bytes)).toBe(-EFAULT);
  expect(copyIn(space, -4096, bytes)).toBe(-EFAULT);
  expect(copyIn(space, BASE + PAGE, bytes, 0, 0)).toBe(0);
  expect(clearUser(space, BASE + PAGE - 1, 2)).toBe(1);
});

test("a copy waits for pages that are on their way", () => {
  const { space, context } = setup();
  const file = new TestFile(context, 2 * PAGE);
  file.pending.add(1);
  const at = space.map({ hint: 0, length: 2 * PAGE, prot: RW, flags: MAP_PRIVATE, backing: file });
  const bytes = new Uint8Array(2 * PAGE);
  expect(copyIn(space, at, bytes)).toBe(USER_BLOCKED);
  expect(space.copied).toBe(PAGE);
  file.arrive(1);
  expect(copyIn(space, at, bytes)).toBe(2 * PAGE);
  expect(bytes[PAGE]).toBe(2);
});

test("storing grows the stack and splits shared pages", () => {
  const { space } = setup();
  space.mapStack(STACK_TOP, PAGE, RW);
  expect(writeU32(space, STACK_TOP - 100 * PAGE, 7)).toBe(0);
  expect(readU32(space, STACK_TOP - 100 * PAGE)).toBe(7);
  poke(space, BASE, 1);
  const child = cloneOf(space);
  expect(copyOut(child, BASE, new Uint8Array([2]))).toBe(1);
  expect(peekByte(space, BASE)).toBe(1);
});

test("strings end at NUL, and are too long or unreadable otherwise", () => {
  const { space } = setup();
  copyOut(space, BASE + PAGE - 3, new TextEncoder().encode("hello\0"));
  const target = new Uint8Array(16);
  expect(copyInString(space, BASE + PAGE - 3, target)).toBe(5);
  expect(new TextDecoder().decode(target.subarray(0, 5))).toBe("hello");
  expect(copyInString(space, BASE + PAGE - 3, new Uint8Array(4))).toBe(-ENAMETOOLONG);
  copyOut(space, BASE + 2 * PAGE - 2, new Uint8Array([65, 66]));
  expect(copyInString(space, BASE + 2 * PAGE - 2, target)).toBe(-EFAULT);
});

test("words are little endian, aligned or not", () => {
  const { space } = setup();
  for (const at of [BASE, BASE + 3, BASE + PAGE - 3]) {
    expect(writeU64(space, at, 0x1234_5678_9abc)).toBe(0);
    expect(readU64(space, at)).toBe(0x1234_5678_9abc);
    expect(readU32(space, at)).toBe(0x5678_9abc);
    expect(writeU64(space, at, -2)).toBe(0);
    expect(readU32(space, at + 4)).toBe(0xffff_ffff);
  }
  expect(readU64(space, BASE - 8)).toBe(-EFAULT);
  writeU32(space, BASE, 5);
  expect(compareExchangeU32(space, BASE, 4, 6)).toBe(0);
  expect(compareExchangeU32(space, BASE, 5, 6)).toBe(1);
  expect(readU32(space, BASE)).toBe(6);
});

test("peeking changes nothing", () => {
  const { space } = setup();
  expect(peek(space, BASE, 8)).toBeUndefined();
  expect(space.residentPages).toBe(0);
  poke(space, BASE + 1, 3);
  expect(peek(space, BASE, 4)).toEqual(new Uint8Array([0, 3, 0, 0]));
});

test("storing to decoded bytes tells the cpu", () => {
  const { space, context } = setup();
  space.map({ hint: BASE, length: PAGE, prot: RW | PROT_EXEC, flags: PRIVATE | MAP_FIXED });
  poke(space, BASE, 1);
  const frame = space.probe(BASE, 0) >>> 12;
  const told: number[] = [];
  context.codeGuard.listener = { codeWritten: (f, offset, length) => told.push(f - frame, offset, length), codeReleased: () => told.push(-1), executableMappingChanged: () => {} };
  context.codeGuard.mark(frame, 0, 64);
  copyOut(space, BASE + 64, new Uint8Array(8));
  expect(told).toEqual([]);
  copyOut(space, BASE + 60, new Uint8Array(8));
  expect(told).toEqual([0, 60, 8]);
  space.unmap(BASE, PAGE);
  expect(told.at(-1)).toBe(-1);
  expect(context.codeGuard.isMarked(frame)).toBe(false);
});

test("a read-only page cannot be stored to", () => {
  const { space } = setup();
  space.protect(BASE, PAGE, PROT_READ);
  expect(writeU32(space, BASE, 1)).toBe(-EFAULT);
});
