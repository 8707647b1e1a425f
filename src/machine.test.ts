/** The public API: results, limits, other providers, back-pressure, and the embedder's event loop. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ENOENT } from "./abi/linux/errno.ts";
import { DelayedProvider } from "./fs/providers/delayed.ts";
import { MemoryProvider } from "./fs/providers/memory.ts";
import type { FileProvider } from "./fs/provider.ts";
import { nodeHost } from "./host/node/clock.ts";
import { nodeCpuModules } from "./host/node/modules.ts";
import { Machine, type MachineOptions, StartError } from "./machine.ts";
import { program } from "./kernel/loader/test-program.ts";
import { Recorder } from "./trace/recorder.ts";
import { Strace } from "./trace/strace.ts";
import { PerfettoTrace } from "./trace/perfetto.ts";

const SPIN = program(0xeb, 0xfe);
/** mov eax, 60; mov edi, 42; syscall */
const EXIT_42 = program(0xb8, 60, 0, 0, 0, 0xbf, 42, 0, 0, 0, 0x0f, 0x05);
/** mov eax, 1; mov edi, 1; lea rsi, [rip]; mov edx, 4096; syscall; jmp to the start */
const WRITE_FOREVER = program(0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0x48, 0x8d, 0x35, 0, 0, 0, 0, 0xba, 0, 2, 0, 0, 0x0f, 0x05, 0xeb, 0xe6);
const user = (name: string): Uint8Array => readFileSync(fileURLToPath(new URL(`../user/bin/${name}`, import.meta.url)));

function files(content: Uint8Array, wrap: (inner: FileProvider) => FileProvider = (inner) => inner): MachineOptions["files"] {
  return { root: wrap(new MemoryProvider({ program: { content, mode: 0o755 } })) };
}

async function run(content: Uint8Array, options: Partial<MachineOptions> = {}) {
  let output = "";
  const take = { write: (bytes: Uint8Array) => ((output += Buffer.from(bytes).toString("latin1")), true), drained: (resume: () => void) => resume() };
  const machine = await Machine.create({
    host: nodeHost, modules: nodeCpuModules(), memory: 64 << 20, program: "/program", files: files(content)!, stdout: take, stderr: take, ...options,
  });
  return { result: await machine.run(), output, machine };
}

test("a program's exit status comes back, and nothing is left behind", async () => {
  const { result } = await run(EXIT_42);
  expect(result).toMatchObject({ status: 42, signal: 0, reason: "exit", leaks: [] });
  expect(result.stats.instructions).toBe(3);
});

test("what cannot be started says why", async () => {
  const missing = run(EXIT_42, { program: "/nothing" });
  await expect(missing).rejects.toBeInstanceOf(StartError);
  await expect(missing).rejects.toMatchObject({ errno: ENOENT, message: "/nothing: No such file or directory (ENOENT)" });
  await expect(run(EXIT_42, { memory: 1 })).rejects.toBeInstanceOf(RangeError);
});

describe("limits", () => {
  test("of instructions end the machine exactly", async () => {
    const { result } = await run(SPIN, { limits: { instructions: 100_003 } });
    expect(result).toMatchObject({ reason: "instructions", status: 137, leaks: [] });
    expect(result.stats.instructions).toBe(100_003);
  });
  test("of time", async () => {
    expect((await run(SPIN, { limits: { milliseconds: 50 } })).result).toMatchObject({ reason: "timeout", status: 137, leaks: [] });
  });
  test("of output", async () => {
    const { result, output } = await run(WRITE_FOREVER, { limits: { outputBytes: 10_000 } });
    expect(result).toMatchObject({ reason: "output", leaks: [] });
    expect(output.length).toBeLessThanOrEqual(10_000);
  });
  test("an AbortSignal ends it", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 30);
    expect((await run(SPIN, { signal: abort.signal })).result).toMatchObject({ reason: "aborted", leaks: [] });
  });
});

test("a spinning guest lets the embedder's timers run", async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await run(SPIN, { limits: { milliseconds: 300 } });
  clearInterval(timer);
  // One turn of the event loop after each slice of 10 ms; a loaded test machine may miss most of them.
  expect(ticks).toBeGreaterThan(5);
});

test("output that is not taken makes the guest wait", async () => {
  let resume: (() => void) | undefined;
  let written = 0;
  const stdout = {
    write: (bytes: Uint8Array) => {
      written += bytes.length;
      return written < 4096;
    },
    drained: (callback: () => void) => void (resume = callback),
  };
  const machine = await Machine.create({ host: nodeHost, modules: nodeCpuModules(), memory: 64 << 20, program: "/program", files: files(WRITE_FOREVER)!, stdout });
  const end = machine.run();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const paused = written;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(written).toBe(paused);
  written = 0;
  resume!();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(written).toBeGreaterThanOrEqual(4096);
  machine.kill();
  expect((await end).reason).toBe("killed");
});

test("a provider that always answers later changes nothing but time", async () => {
  for (const name of ["hello", "demo"]) {
    const plain = await run(user(name), { deterministic: true });
    const blocked = await run(user(name), { deterministic: true, files: files(user(name), (inner) => new DelayedProvider(inner))! });
    expect(blocked.output).toBe(plain.output);
    expect(blocked.result).toMatchObject({ status: plain.result.status, leaks: [] });
  }
});

test("a deterministic machine repeats itself: output, figures, every event", async () => {
  const once = async () => {
    const recorder = new Recorder();
    const { output, result } = await run(user("demo"), { deterministic: true, sinks: [recorder] });
    const events = recorder.events().map((event) => `${event.instructions} ${event.time} ${event.tid} ${event.type}`);
    return { output, stats: result.stats, events };
  };
  const first = await once();
  expect(first.events.length).toBeGreaterThan(100);
  expect(await once()).toEqual(first);
});

test("strace lines and a Perfetto file come out of the same run", async () => {
  let lines = "";
  let json = "";
  const perfetto = new PerfettoTrace((text) => (json += text));
  await run(EXIT_42, { sinks: [new Strace((line) => (lines += line)), perfetto], env: ["A=b"] });
  perfetto.finish();
  expect(lines).toBe(
    'execve("/program", ["/program"], [/* 1 var */]) = 0\nexit(42)                                = ?\n+++ exited with 42 +++\n',
  );
  const names = (JSON.parse(json) as { traceEvents: { name?: string }[] }).traceEvents.map((entry) => entry.name);
  expect(names).toContain("exit");
  expect(names).toContain("fault: file");
});
