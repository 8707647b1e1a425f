/** Some hundreds of machines one after the other in one process, as a service runs them: without a turn of the event loop of the
 *  embedder's own, and without help for the garbage collector. Address space is what shows first that machines are not
 *  released: each WebAssembly.Memory takes some 10 GiB of it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ColdCpu } from "../../src/cpu/index.ts";
import { MemoryProvider } from "../../src/fs/providers/memory.ts";
import { nodeHost } from "../../src/host/node/clock.ts";
import { nodeCpuModules } from "../../src/host/node/modules.ts";
import { Machine, type MachineOptions, type MachineResult, StartError } from "../../src/machine.ts";
import { Ram } from "../../src/memory/ram.ts";
import { musl } from "./run.ts";

const MIB = 1 << 20;
const GIB = 1 << 30;
const hello = readFileSync(new URL("../../user/bin/hello", import.meta.url));
const forkMany = readFileSync(await musl(new URL("fork-many.c", import.meta.url)));

async function make(content: Uint8Array, more: Partial<MachineOptions> = {}): Promise<Machine> {
  const root = new MemoryProvider({ guest: { content, mode: 0o755 } });
  return Machine.create({ host: nodeHost, modules: nodeCpuModules(), program: "/guest", files: { root }, ...more });
}
async function run(content: Uint8Array, more: Partial<MachineOptions> = {}): Promise<MachineResult> {
  return (await make(content, more)).run();
}

/** Bytes of address space, bytes in memory, and mappings of this process. */
function footprint(): { space: number; resident: number; mappings: number } {
  const status = readFileSync("/proc/self/status", "latin1");
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  return { space: field("VmSize"), resident: field("VmRSS"), mappings: readFileSync("/proc/self/maps", "latin1").split("\n").length };
}

/** What `count` machines have added to the process, once the first few have set up what all share. */
async function grown(count: number, one: (index: number) => Promise<void>): Promise<ReturnType<typeof footprint>> {
  for (let index = 0; index < 20; index++) await one(index);
  const before = footprint();
  for (let index = 0; index < count; index++) await one(index);
  const after = footprint();
  return { space: after.space - before.space, resident: after.resident - before.resident, mappings: after.mappings - before.mappings };
}

describe.runIf(process.platform === "linux")("one machine after the other", () => {
  test("costs the process a bounded amount", async () => {
    const { space, resident, mappings } = await grown(300, async (index) => {
      if (index % 10 === 9) await expect(run(new Uint8Array(100))).rejects.toBeInstanceOf(StartError);
      else expect(await run(hello)).toMatchObject({ status: 0, leaks: [] });
    });
    expect(space).toBeLessThan(200 * GIB);
    expect(resident).toBeLessThan(300 * MIB);
    expect(mappings).toBeLessThan(600);
  }, 60_000);

  test("costs a bounded amount, too, when memories cannot be used again", async () => {
    const cpu: MachineOptions["cpu"] = (ram, mmu, modules) => Object.defineProperty(new ColdCpu(ram, mmu, modules), "recordsEnd", { value: undefined });
    const { space, resident, mappings } = await grown(120, async () => {
      expect(await run(hello, { cpu })).toMatchObject({ status: 0, leaks: [] });
    });
    expect(space).toBeLessThan(600 * GIB);
    expect(resident).toBeLessThan(300 * MIB);
    expect(mappings).toBeLessThan(600);
  }, 60_000);
});

test("what a guest left in RAM is gone when another machine gets it", async () => {
  const memory = 48 * MIB;
  const eager: MachineOptions["cpu"] = (ram, mmu, modules) => new ColdCpu(ram, mmu, modules, { engine: "jit", translateEagerly: true });
  const guests: [Uint8Array, Partial<MachineOptions>][] = [
    [hello, {}], [forkMany, { argv: ["guest", "40"] }], [forkMany, { argv: ["guest", "10"], cpu: eager }], [forkMany, { limits: { instructions: 20_000 } }], [new Uint8Array(200), {}],
  ];
  for (const [content, options] of guests) {
    const machine = await make(content, { memory, ...options });
    const used = machine.kernel.ram.memory;
    await machine.run().catch(() => {});
    const next = new Ram(memory);
    expect(next.memory).toBe(used);
    expect(next.u32.findIndex((word) => word !== 0)).toBe(-1);
    expect(machine.kernel.ram.u8.length).toBe(0);
  }
});

test("a signal that outlives its machines does not hold them", async () => {
  let listeners = 0;
  const signal = { aborted: false, addEventListener: () => void listeners++, removeEventListener: () => void listeners-- };
  for (let count = 0; count < 3; count++) await run(hello, { signal });
  await expect(run(new Uint8Array(100), { signal })).rejects.toBeInstanceOf(StartError);
  expect(listeners).toBe(0);
});
