/** Engine figures: what they say of a program with a hot loop, and that they stay apart from the guest's. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { buildLinux } from "../../scripts/build-user.mjs";
import { engineText } from "../../src/trace/stats.ts";
import { runGuest } from "../guests/harness.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = (await buildLinux("musl", `${root}user/bench/crc32.c`)) as string;

test("the cold engine has no figures of a JIT", async () => {
  const { engine } = await runGuest({ program, args: ["1"], engine: { engine: "interp" } });
  expect(engine?.jit).toBeUndefined();
  expect(engine?.decoded).toBeGreaterThan(100);
  expect(engine?.walks).toBeGreaterThan(0);
  expect(engine?.tlbMisses).toBeGreaterThan(0);
  expect(engineText(engine!)).not.toContain("regions");
});

test("a hot loop is translated, runs in regions, and its ranges are counted", async () => {
  const { engine } = await runGuest({ program, args: ["100"], engine: { engine: "jit" } });
  const jit = engine?.jit;
  expect(jit?.regions.translated).toBeGreaterThan(0);
  expect(jit?.regions.live).toBe(jit!.regions.translated - jit!.regions.dropped);
  expect(jit?.codeBytes).toBeGreaterThan(100);
  expect(jit?.instructions).toBeGreaterThan(3);
  expect(jit?.share).toBeGreaterThan(0);
  expect(jit?.share).toBeLessThanOrEqual(1);
  expect(jit?.rangeRefills).toBeGreaterThan(0);
  expect(jit?.rangeMisses).toBeGreaterThanOrEqual(jit!.rangeRefills);
  expect(engineText(engine!)).toMatch(/^retired in regions +about \d+\.\d%$/m);
});

test("guest figures are the same on every engine, and --deterministic prints nothing else", async () => {
  const figures = async (engine: "interp" | "jit") => {
    const { stats } = await runGuest({ program, args: ["20"], deterministic: true, engine: { engine } });
    return stats;
  };
  expect(await figures("jit")).toEqual(await figures("interp"));
});

test("a machine that ended says the same of its engine as text", () => {
  const text = engineText({
    decoded: 1200, recordBytes: 64_000, flushes: 0, tlbMisses: 7, walks: 30, faults: 5,
    jit: { regions: { translated: 4, live: 3, dropped: 1 }, instructions: 900, codeBytes: 12_345, share: 0.987, rangeMisses: 10, rangeRefills: 9, rangeDrops: 2 },
  });
  expect(text).toBe(`decoded instructions     1,200, 64,000 bytes of records now, flushed 0 times
TLB misses               7 by data
page table walks         30, 5 to the fault handler
regions                  4 translated, 3 live, 1 dropped
translated code          900 guest instructions, 12,345 bytes of Wasm
retired in regions       about 98.7%
range misses             10 not covered by the TLB either
ranges                   9 filled, emptied 2 times
`);
});

test.each([[[], true], [["--deterministic"], false]])("the command with --stats and %j prints engine figures: %j", (extra, wanted) => {
  const { stderr, status } = spawnSync(process.execPath, ["--import", "tsx", `${root}src/cli/main.ts`, "run", "--stats", ...extra, program, "1"], { encoding: "utf8" });
  expect(status).toBe(0);
  expect(stderr).toMatch(/^instructions +[\d,]+$/m);
  expect(/^decoded instructions/m.test(stderr)).toBe(wanted);
});
