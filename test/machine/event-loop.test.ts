/** A guest that never stops must not stop its embedder: slices, AbortSignal, limits. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { MemoryProvider } from "../../src/fs/providers/memory.ts";
import type { HostOutput } from "../../src/host/host.ts";
import { nodeHost } from "../../src/host/node/clock.ts";
import { nodeCpuModules } from "../../src/host/node/modules.ts";
import { Machine, type MachineOptions } from "../../src/machine.ts";
import { CHATTER, SPIN } from "./elf.ts";

const MEMORY = 16 << 20;

function create(program: Uint8Array, options: Partial<MachineOptions> = {}): Promise<Machine> {
  return Machine.create({
    host: nodeHost, modules: nodeCpuModules(), memory: MEMORY, program: "/guest",
    files: { root: new MemoryProvider({ guest: { content: program, mode: 0o755 } }) }, ...options,
  });
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** How late timers are and how long a turn of the event loop takes: medians, which move only when most turns are slow. */
async function lateness(): Promise<{ timer: number; turn: number }> {
  const timers: number[] = [];
  const turns: number[] = [];
  for (let count = 0; count < 40; count++) {
    const started = performance.now();
    await sleep(1);
    timers.push(performance.now() - started - 1);
    const asked = performance.now();
    await new Promise<void>((resolve) => void setImmediate(resolve));
    turns.push(performance.now() - asked);
  }
  return { timer: median(timers), turn: median(turns) };
}

/** Keeps this thread busy as a machine does; the returned function ends it. */
function spinInSlices(milliseconds: number): () => void {
  let going = true;
  const slice = (): void => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
    if (going) setImmediate(slice);
  };
  setImmediate(slice);
  return () => {
    going = false;
  };
}

test("a spinning guest delays the embedder's event loop by about a slice at most", async () => {
  const abort = new AbortController();
  const machine = await create(SPIN, { signal: abort.signal, limits: { milliseconds: 50_000 } });
  const ended = machine.run();
  await sleep(50);
  const before = machine.stats().instructions;
  const late = await lateness();
  // It was really at work all the time: a loop of one instruction retires far more than this in a slice.
  expect(machine.stats().instructions - before).toBeGreaterThan(1_000_000);
  abort.abort();
  expect(await ended).toMatchObject({ reason: "aborted", leaks: [] });
  // What slices of 10 ms cost when nothing but a clock ends them, on this host with this load.
  const stop = spinInSlices(10);
  const usual = await lateness();
  stop();
  expect(late.timer).toBeLessThan(50 + usual.timer);
  expect(late.turn).toBeLessThan(50 + usual.turn);
});

test("a signal that is aborted beforehand ends the machine before the guest gets far", async () => {
  const machine = await create(SPIN, { signal: AbortSignal.abort() });
  const result = await machine.run();
  expect(result).toMatchObject({ reason: "aborted", status: 137, signal: 9, leaks: [] });
  expect(result.stats.instructions).toBe(0);
});

test("kill ends a spinning guest", async () => {
  const machine = await create(SPIN);
  setTimeout(() => machine.kill(), 20);
  expect(await machine.run()).toMatchObject({ reason: "killed", status: 137, leaks: [] });
});

test("a limit on instructions ends the guest at exactly that many", async () => {
  const machine = await create(SPIN, { limits: { instructions: 123_457 } });
  const result = await machine.run();
  expect(result).toMatchObject({ reason: "instructions", leaks: [] });
  expect(result.stats.instructions).toBe(123_457);
});

test("a limit on time ends the guest", async () => {
  const machine = await create(SPIN, { limits: { milliseconds: 30 } });
  expect(await machine.run()).toMatchObject({ reason: "timeout", leaks: [] });
});

test("a limit on output ends the guest, and nothing beyond it comes out", async () => {
  let bytes = 0;
  const stdout: HostOutput = {
    write: (piece) => {
      bytes += piece.length;
      return true;
    },
    drained: (resume) => resume(),
  };
  const machine = await create(CHATTER, { stdout, limits: { outputBytes: 10_000 } });
  expect(await machine.run()).toMatchObject({ reason: "output", leaks: [] });
  expect(bytes).toBeGreaterThan(9_000);
  expect(bytes).toBeLessThanOrEqual(10_000);
});
