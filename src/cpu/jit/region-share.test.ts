import { afterEach, expect, test } from "vitest";
import { RegionShare } from "./region-share.ts";

let held: { readonly share: RegionShare; count: number }[] = [];
/** Takes regions until the machine is full. */
function fill(share = new RegionShare()): number {
  let count = 0;
  for (; !share.isUsedUp; count++) share.take();
  held.push({ share, count });
  return count;
}
afterEach(() => {
  for (const { share, count } of held) for (let i = 0; i < count; i++) share.give();
  held = [];
});

test("one machine, or three, keep 3,000 regions each", () => {
  expect([fill(), fill(), fill()]).toEqual([3000, 3000, 3000]);
});

test("more machines keep less each", () => {
  const counts = Array.from({ length: 6 }, () => fill());
  expect(counts[3]).toBe(2250);
  expect(counts[5]).toBe(1500);
});

test("hundreds of machines that stand still with what they have stay below what V8 bears", () => {
  const total = Array.from({ length: 150 }, () => fill()).reduce((sum, count) => sum + count, 0);
  expect(total).toBeLessThan(31_000);
  expect(fill()).toBe(100);
});

test("what was dropped is there for others", () => {
  for (let i = 0; i < 6; i++) fill();
  for (const { share, count } of held) for (let i = 0; i < count; i++) share.give();
  held = [];
  expect(fill()).toBe(3000);
});
