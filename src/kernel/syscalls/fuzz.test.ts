/** Random calls with hostile arguments: whatever a guest asks for, the machine goes on, ends, and keeps nothing. The seeds are
 *  fixed; more of them with `MENIOS_FUZZ_SEEDS=from,to`. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { DelayedProvider } from "../../fs/providers/delayed.ts";
import { MemoryProvider } from "../../fs/providers/memory.ts";
import { nodeHost } from "../../host/node/clock.ts";
import { nodeCpuModules } from "../../host/node/modules.ts";
import { Machine } from "../../machine.ts";

const CHILDREN = 25, CALLS = 200;
const [from, to] = (process.env.MENIOS_FUZZ_SEEDS ?? "1,5").split(",").map(Number);

function build(): Uint8Array {
  const program = join(mkdtempSync(join(tmpdir(), "menios-fuzz-")), "fuzz");
  execFileSync("gcc", ["-O1", "-w", "-static", "-o", program, fileURLToPath(new URL("./fuzz.c", import.meta.url))]);
  return readFileSync(program);
}
const content = build();

test.each(Array.from({ length: to - from }, (_, index) => from + index))("seed %i: random calls harm nothing", async (seed) => {
  const files = new MemoryProvider({ program: { content, mode: 0o755 } });
  const machine = await Machine.create({
    host: nodeHost, modules: nodeCpuModules(), memory: 64 << 20, program: "/program", argv: ["/program", String(seed), String(CHILDREN), String(CALLS)],
    deterministic: true, files: { root: seed % 2 === 0 ? files : new DelayedProvider(files) }, limits: { milliseconds: 50_000 },
  });
  const result = await machine.run();
  expect(result).toMatchObject({ status: 0, reason: "exit", leaks: [] });
  expect(result.stats.syscalls).toBeGreaterThan(CHILDREN * 20);
});
