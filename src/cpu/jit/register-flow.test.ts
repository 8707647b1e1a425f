/** What ways in load and ways out store, on graphs of a few blocks. */
import { expect, test } from "vitest";
import type { Block } from "./region.ts";
import { flowOfRegisters, type RegisterUse } from "./register-flow.ts";

const A = 1, B = 2, C = 4, ALL = A | B | C;
const NOTHING: RegisterUse = { reads: 0, writes: 0, exposed: 0 };

/** Blocks by number: what each does, and where it goes on. */
function flow(blocks: readonly (Partial<RegisterUse> & { readonly to?: readonly number[]; readonly loads?: boolean })[]) {
  const order = blocks.map((_, index) => ({ index }) as Block);
  return flowOfRegisters(
    { order, next: ({ index }) => (blocks[index].to ?? []).map((target) => order[target]), loads: ({ index }) => blocks[index].loads === true },
    (index) => ({ ...NOTHING, ...blocks[index] }),
  );
}

test("what is read before it is written is live, what is written first is not", () => {
  const { live } = flow([{ writes: A, to: [1] }, { reads: A | B }]);
  expect(live(0)).toBe(B);
});

test("a register is changed behind a write, on every way from there", () => {
  const { changed } = flow([{ writes: A, to: [1, 2] }, { writes: B, to: [3] }, { to: [3] }, {}]);
  expect([0, 1, 2, 3].map(changed)).toEqual([0, A, A, A | B]);
});

test("who may leave stores what is changed on some way, so on the others it must be loaded", () => {
  // 0 branches to 1, which writes A, or straight to 2, which may be left.
  const { live } = flow([{ to: [1, 2] }, { writes: A, to: [2] }, { exposed: ALL }]);
  expect(live(0)).toBe(A);
  expect(live(1)).toBe(0);
});

test("who may be left before anything is written stores nothing and needs nothing loaded", () => {
  const { changed, live } = flow([{ exposed: ALL, writes: A, to: [1] }, {}]);
  expect(changed(0)).toBe(0);
  expect(live(0)).toBe(0);
});

test("what one turn of a loop changes is changed in all of it, and live if a turn may be left", () => {
  const { changed, live } = flow([{ to: [1] }, { exposed: ALL, to: [2] }, { writes: B, to: [1, 3] }, { reads: C }]);
  expect([1, 2, 3].map(changed)).toEqual([B, B, B]);
  expect(live(0)).toBe(B | C);
});

test("behind a call nothing is changed and everything wanted is loaded there, not before", () => {
  // 0 writes A and B and calls; 1 is where the call comes back to, and reads A and C.
  const { changed, live } = flow([{ writes: A | B, exposed: 0, to: [1] }, { reads: A | C, loads: true }]);
  expect(changed(1)).toBe(0);
  expect(live(1)).toBe(A | C);
  expect(live(0)).toBe(0);
});
