/** The lines that strace writes natively for a program, and those that we write for it, are the same text. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { MemoryProvider } from "../../fs/providers/memory.ts";
import { nodeHost } from "../../host/node/clock.ts";
import { nodeCpuModules } from "../../host/node/modules.ts";
import { Machine } from "../../machine.ts";
import { Strace } from "../../trace/strace.ts";

const traces = fileURLToPath(new URL("./traces/", import.meta.url));

test("calls print as strace prints them", async () => {
  const program = join(mkdtempSync(join(tmpdir(), "menios-trace-")), "calls");
  execFileSync("gcc", ["-O1", "-static", "-w", "-o", program, `${traces}calls.c`]);
  const lines: string[] = [];
  const machine = await Machine.create({
    host: nodeHost, modules: nodeCpuModules(), memory: 64 << 20, program: "/program", deterministic: true,
    files: { root: new MemoryProvider({ program: { content: readFileSync(program), mode: 0o755 } }) }, sinks: [new Strace((line) => void lines.push(line.trimEnd()))],
  });
  await machine.run();
  const expected = readFileSync(`${traces}calls.strace`, "utf8").trimEnd().split("\n");
  const from = lines.findIndex((line) => line.startsWith(expected[0]));
  expect(lines.slice(from, from + expected.length)).toEqual(expected);
});
