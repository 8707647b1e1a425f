/** Whatever takes away, narrows, moves or rewrites memory while translated code holds it in a range or was made from it, and calls whose
 *  returns go elsewhere: the programs of user/jit print the same natively, on the cold engine, with hot code translated and with everything translated at once. */
import { beforeAll, describe, expect, test } from "vitest";
import { buildAllLinux } from "../../scripts/build-user.mjs";
import type { CpuOptions } from "../../src/cpu/cold/engine.ts";
import { type Outcome, runGuest, runNative } from "../guests/harness.ts";

const ENGINES: Readonly<Record<string, CpuOptions>> = { interp: { engine: "interp" }, jit: { engine: "jit" }, "jit, threshold 1": { engine: "jit", translateEagerly: true }, "jit, no direct calls": { engine: "jit", translateEagerly: true, directCalls: 0 } };
/** Guest RAM so small that reservations are broken up while ranges over them are live. */
const SMALL_MEMORY = 8 << 20;

const programs = await buildAllLinux("jit");
const native = new Map<string, Outcome>();

beforeAll(() => {
  for (const { path } of programs) native.set(path, runNative({ program: path }));
});

test("every kind of change has its program", () => {
  expect(programs.filter((program) => program.libc === "musl").map((program) => program.name)).toEqual(["calls", "copies", "flags", "images", "narrowing", "others", "pressure", "rewriting", "truncation", "turns"]);
});

describe.each(Object.keys(ENGINES))("%s", (name) => {
  const engine = ENGINES[name];
  test.each(programs.map(({ name: program, libc, path }) => [program, libc, path]))("%s, %s", async (_program, _libc, path) => {
    const guest = await runGuest({ program: path, engine });
    const { stdout, stderr, status } = guest;
    expect({ stdout, stderr, status }).toEqual(native.get(path));
    expect(guest.leaks).toEqual([]);
    if (engine.engine === "jit") expect(guest.engine?.jit?.regions.translated).toBeGreaterThan(0);
  });

  test.each(["copies", "narrowing", "images", "pressure"])("%s with little memory", async (wanted) => {
    const { path } = programs.find((program) => program.libc === "musl" && program.name === wanted)!;
    const guest = await runGuest({ program: path, engine, memory: SMALL_MEMORY });
    expect({ stdout: guest.stdout, stderr: guest.stderr, status: guest.status }).toEqual(native.get(path));
    expect(guest.leaks).toEqual([]);
  });
});

test.each(programs.filter((program) => program.libc === "musl").map(({ name, path }) => [name, path]))(
  "%s: guest figures are the same on every engine when the machine is deterministic", async (_name, path) => {
    const [first, ...others] = await Promise.all(Object.values(ENGINES).map((engine) => runGuest({ program: path, engine, deterministic: true })));
    for (const other of others) {
      expect(other.stdout).toBe(first.stdout);
      expect(other.stats).toEqual(first.stats);
    }
  },
);
