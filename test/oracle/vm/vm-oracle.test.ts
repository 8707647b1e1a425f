/** A seeded part of the VM oracle; `npm run oracle:vm` runs a million operations. */
import { expect, test } from "vitest";
import { seedOfToday } from "../../machine/run.ts";
import { buildOracle, compareVm } from "./compare.ts";

const seed = seedOfToday();
const program = await buildOracle();

for (const offset of [0, 1, 2, 3]) {
  test(`the address space answers as the host's kernel does (MENIOS_SEED=${seed + offset})`, async () => {
    expect(await compareVm(program, seed + offset, 4_000)).toBeUndefined();
  });
}
