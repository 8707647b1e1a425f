/** Programs that mean harm, and very many processes: they harm nothing but themselves. The machine ends cleanly, gives
 *  everything back, and the host pays for no more than the guest's RAM. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { MachineOptions } from "../../src/machine.ts";
import { musl, type ProgramOutcome, runProgram } from "./run.ts";

const MIB = 1 << 20;
const RAM = 64 * MIB;
/** What a machine may cost beyond its RAM: JavaScript's heap before it is collected, and code. */
const HOST_SLACK = 512 * MIB;

const [hostile, forkLoop, forkMany, manyMaps] = await Promise.all(["hostile.c", "fork-loop.c", "fork-many.c", "many-maps.c"].map((name) => musl(new URL(name, import.meta.url))));

/** Runs it, checks what holds for every hostile program, and returns the rest. */
async function contained(what: string, more: Partial<MachineOptions> = {}): Promise<ProgramOutcome> {
  const before = process.memoryUsage().rss;
  const outcome = await runProgram(hostile, [what], { memory: RAM, ...more });
  expect(outcome.leaks).toEqual([]);
  expect(process.memoryUsage().rss - before).toBeLessThan(RAM + HOST_SLACK);
  return outcome;
}

describe("hostile programs", () => {
  test("exhausting memory ends the program that does it", async () => {
    const { signal, stats } = await contained("exhaust");
    expect(signal).toBe(9);
    expect(stats.frames.peak).toBeLessThanOrEqual(stats.frames.total);
  });
  test("a child that exhausts memory dies alone", async () => {
    const { stdout, status } = await contained("exhaust_child");
    expect({ stdout, status }).toEqual({ stdout: "child ended by 9, parent goes on with 1\n", status: 0 });
  });
  test("a file filled from /dev/zero ends with ENOSPC, and deleting it gives the room back", async () => {
    const { stdout, status } = await contained("fill");
    expect({ stdout, status }).toEqual({ stdout: "No space left on device after more than a MiB: 1, again: 1\n", status: 0 });
  });
  test("a file of an absurd size costs nothing", async () => {
    const { status, stats } = await contained("huge_file");
    expect(status).toBe(0);
    expect(stats.frames.peak).toBeLessThan(2000);
  });
  test("forking without end is refused with EAGAIN and leaves nobody behind", async () => {
    const { stdout, status } = await contained("fork_bomb", { limits: { tasks: 200 } });
    expect({ stdout, status }).toEqual({ stdout: "refused: Resource temporarily unavailable\n", status: 0 });
  });
  test("forking without end and without a limit on processes ends, too", async () => {
    const { reason, status, signal } = await contained("fork_bomb", { limits: { milliseconds: 10_000 } });
    expect([reason === "timeout", status === 0, signal === 9]).toContain(true);
  });
  test("kernel addresses answer as natively", async () => {
    const { stdout, status } = await contained("kernel_addresses");
    const native = spawnSync(hostile, ["kernel_addresses"], { encoding: "latin1" });
    // The last user page is the vsyscall's business natively, and the null page depends on vm.mmap_min_addr.
    expect({ lines: stdout.split("\n"), status }).toEqual({ lines: native.stdout.split("\n"), status: native.status });
  });
  test("endless recursion is SIGSEGV", async () => {
    expect((await contained("overflow")).signal).toBe(11);
  });
  test("endless output meets the embedder's limit", async () => {
    // The limit on instructions is a net below: a machine that never came back would hang the suite.
    const { reason, stdout } = await contained("shout", { limits: { outputBytes: 4 * MIB, instructions: 200_000 } });
    expect(reason).toBe("output");
    expect(stdout.length).toBeLessThanOrEqual(4 * MIB);
  });
  test("an endless loop meets the limits on instructions and on time", async () => {
    expect((await contained("spin", { limits: { instructions: 3_000_000 } })).reason).toBe("instructions");
    expect((await contained("spin", { limits: { milliseconds: 200, instructions: 1e9 } })).reason).toBe("timeout");
  });
  test("hoarding descriptors and mappings ends with EMFILE and ENOMEM", async () => {
    const { stdout, status } = await contained("hoard");
    expect({ stdout, status }).toEqual({ stdout: "No file descriptors available after 1, Out of memory after many: 1\n", status: 0 });
  }, 120_000);
});

describe("very many processes", () => {
  test("5,000 forks, one after the other", async () => {
    const { stdout, leaks, stats } = await runProgram(forkLoop, ["5000"], { memory: RAM });
    expect(stdout).toBe("5000 forks, 0 wrong\n");
    expect(leaks).toEqual([]);
    expect(stats.processes).toBe(5001);
    expect(stats.frames.peak).toBeLessThan(1000);
  });
  test("500 processes alive at once", async () => {
    const { stdout, leaks, stats } = await runProgram(forkMany, ["500"], { memory: 128 * MIB });
    expect(stdout).toBe("500 alive, sum 124750, 0 failed\n");
    expect(leaks).toEqual([]);
    expect(stats.processes).toBe(501);
  });
});

test("as many mappings as Linux allows, each apart, listed, inherited, unmapped and mapped again", async () => {
  const { stdout, leaks } = await runProgram(manyMaps, [], { memory: 512 * MIB });
  expect(stdout).toBe("mapped more than 65000: 1, listed: 1\nchild: 0\nholes filled: 1, listed: 1\n");
  expect(leaks).toEqual([]);
});
