/** Whole programs whose speed depends on regions with several entries: what they print, and that they run translated. */
import { expect, test } from "vitest";
import { buildAllLinux } from "../../scripts/build-user.mjs";
import { runGuest, runNative } from "../guests/harness.ts";

const programs = (await buildAllLinux("bench")).filter(({ libc }) => libc === "musl");

test.each([
  ["bytecode", "200000", "an interpreter: handlers that only an indirect jump reaches"],
  ["core_mix", "400", "a state machine, lists that are sorted by recursion"],
  ["recursion", "18", "functions that call themselves"],
  ["binary_trees", "13", "trees made and dropped by functions that call malloc and free"],
  ["quicksort", "300000", "recursion around loops"],
])("%s %s (%s)", async (name, scale) => {
  const { path } = programs.find((program) => program.name === name) as { path: string };
  const args = [scale];
  const guest = await runGuest({ program: path, args, engine: { engine: "jit" } });
  expect(guest.stdout).toBe(runNative({ program: path, args }).stdout);
  const jit = guest.engine?.jit;
  expect(jit?.regions.translated).toBeGreaterThan(0);
  // A region per function, not one per return address.
  expect(jit?.regions.translated).toBeLessThan(40);
  expect(jit?.share).toBeGreaterThan(0.3);
  expect(guest.leaks).toEqual([]);
});
