/** Small programs that run on the host's kernel and on ours: the same output, the same end, and nothing left behind. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ColdCpu } from "../cpu/cold/engine.ts";
import "../cpu/instructions/index.ts";
import { nodeCpuModules } from "../host/node/modules.ts";
import { TestWorld } from "./test-world.ts";

const guests = fileURLToPath(new URL("./guests/", import.meta.url));
const built = mkdtempSync(join(tmpdir(), "menios-guests-"));

function build(name: string): string {
  const program = join(built, name);
  execFileSync("gcc", ["-O1", "-nostdlib", "-static", "-fno-stack-protector", "-fno-builtin", "-w", "-I", guests, "-o", program, join(guests, `${name}.c`)]);
  return program;
}

function onHost(program: string): { output: string; status: number } {
  const { stdout, status, signal } = spawnSync(program, [], { encoding: "latin1", env: {} });
  if (signal !== null) throw new Error(`killed by ${signal} on the host`);
  return { output: stdout, status: status ?? -1 };
}

export function onMenios(program: string): { output: string; status: number; leaks: string[]; frames: number } {
  const world = new TestWorld((ram, mmu) => new ColdCpu(ram, mmu, nodeCpuModules()));
  world.write("/program", readFileSync(program));
  const before = world.kernel.frames.used;
  const started = world.start("/program", ["/program"]);
  if (typeof started === "number") throw new Error(`start: ${started}`);
  const word = world.run();
  // The program's pages stay in the root filesystem, which is memory; nothing else may.
  return { output: world.output, status: word >> 8, leaks: world.kernel.leakReport(), frames: world.kernel.frames.used - before };
}

for (const name of ["signals", "interrupt", "processes", "threads"]) {
  test(`${name}: prints and ends as on the host, and leaves nothing behind`, () => {
    const program = build(name);
    const expected = onHost(program);
    const actual = onMenios(program);
    expect(actual.output.split("\n")).toEqual(expected.output.split("\n"));
    expect(actual.status).toBe(expected.status);
    expect(actual.leaks).toEqual([]);
    expect(actual.frames).toBe(0);
  });
}
