/** A machine in a worker thread is asked for, fed and ended like one in this thread. */
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { HostInput, HostOutput } from "../../src/host/host.ts";
import { nodeHost } from "../../src/host/node/clock.ts";
import { nodeCpuModules } from "../../src/host/node/modules.ts";
import { workerEnd } from "../../src/host/node/worker-end.ts";
import { StartError } from "../../src/machine.ts";
import { type RunningMachine, type RunOptions, runHere, runInWorker } from "../../src/worker/index.ts";
import { CAT, CHATTER, SPIN, tinyElf } from "./elf.ts";

const MEMORY = 32 << 20;

function inWorker(options: RunOptions): RunningMachine {
  return runInWorker(workerEnd(new Worker(new URL("worker-entry.mjs", import.meta.url))), options);
}
const inThread = (options: RunOptions): RunningMachine => runHere({ host: nodeHost }, options);

function guest(content: Uint8Array, more: Partial<RunOptions> = {}): RunOptions {
  return { modules: nodeCpuModules(), memory: MEMORY, program: "/guest", files: { guest: { content, mode: 0o755 } }, ...more };
}

class Text implements HostOutput {
  text = "";
  write(bytes: Uint8Array): boolean {
    this.text += Buffer.from(bytes).toString("latin1");
    return true;
  }
  drained(resume: () => void): void {
    resume();
  }
}

/** Gives the pieces one by one, each a turn of the event loop after it was asked for. */
function pieces(...texts: readonly string[]): HostInput {
  const left = texts.map((text) => new Uint8Array(Buffer.from(text)));
  return { pull: (deliver) => void setImmediate(() => deliver(left.shift() ?? null)) };
}

describe.each([["a worker", inWorker], ["this thread", inThread]] as const)("in %s", (_, start) => {
  test("the demo says the same and has the same figures", async () => {
    const stdout = new Text();
    const content = readFileSync(new URL("../../user/bin/demo", import.meta.url));
    const options: RunOptions = { modules: nodeCpuModules(), program: "/bin/demo", files: { "bin/demo": { content, mode: 0o755 } }, deterministic: true };
    const machine = start({ ...options, stdout });
    const result = await machine.result;
    expect(result).toMatchObject({ status: 0, reason: "exit", leaks: [] });
    expect(await machine.stats()).toEqual(result.stats);
    const expected = new Text();
    const other = await runHere({ host: nodeHost }, { ...options, stdout: expected }).result;
    expect(stdout.text).toBe(expected.text);
    expect(stdout.text).toContain("address space");
    expect(result.stats).toEqual(other.stats);
  });

  test("input reaches the guest and its output comes back, in order", async () => {
    const stdout = new Text();
    const result = await start(guest(CAT, { stdin: pieces("one ", "two ", "three"), stdout })).result;
    expect(stdout.text).toBe("one two three");
    expect(result).toMatchObject({ status: 7, reason: "exit", leaks: [] });
  });

  test("figures can be read while it runs, and AbortSignal ends it", async () => {
    const abort = new AbortController();
    const machine = start(guest(SPIN, { signal: abort.signal }));
    const first = await machine.stats();
    let later = await machine.stats();
    for (let tries = 0; tries < 2000 && later.instructions === first.instructions; tries++) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      later = await machine.stats();
    }
    expect(later.instructions).toBeGreaterThan(first.instructions);
    abort.abort();
    expect(await machine.result).toMatchObject({ reason: "aborted", status: 137, leaks: [] });
  });

  test("a signal reaches the first process", async () => {
    const machine = start(guest(SPIN));
    while ((await machine.stats()).instructions === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
    machine.signal(15);
    expect(await machine.result).toMatchObject({ reason: "exit", status: 143, signal: 15 });
  });

  test("a reader that takes nothing stops the guest, one that goes on sets it going again", async () => {
    let held = 0;
    let resume: (() => void) | undefined;
    const slow: HostOutput = {
      write: (bytes) => {
        held += bytes.length;
        return false;
      },
      drained: (again) => {
        resume = again;
      },
    };
    const machine = start(guest(CHATTER, { stdout: slow }));
    const steady = async (): Promise<number> => {
      for (;;) {
        const before = (await machine.stats()).instructions;
        await new Promise<void>((resolve) => void setTimeout(resolve, 100));
        if ((await machine.stats()).instructions === before && before > 0) return held;
      }
    };
    const stopped = await steady();
    expect(stopped).toBeGreaterThan(0);
    expect(stopped).toBeLessThan(2 << 20);
    resume?.();
    for (let tries = 0; tries < 200 && held === stopped; tries++) await new Promise<void>((resolve) => void setTimeout(resolve, 10));
    machine.kill();
    expect((await machine.result).reason).toBe("killed");
  });

  test("a program that cannot be started is a StartError with its errno", async () => {
    const machine = start(guest(SPIN, { program: "/missing" }));
    const error = await machine.result.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StartError);
    expect((error as StartError).errno).toBe(2);
    expect((error as Error).message).toContain("/missing");
  });

  test("an impossible memory size is a RangeError", async () => {
    await expect(start(guest(SPIN, { memory: 1 })).result).rejects.toThrow(RangeError);
  });

  test("a fault that ends the program is reported", async () => {
    let report = "";
    // mov byte [0], 0
    const content = tinyElf([0xc6, 0x04, 0x25, 0x00, 0x00, 0x00, 0x00, 0x00]);
    const result = await start(guest(content, { onFaultReport: (text) => void (report += text) })).result;
    expect(result).toMatchObject({ status: 139, signal: 11 });
    expect(report).not.toBe("");
  });
});

test("a worker that dies rejects the result", async () => {
  const worker = new Worker("setTimeout(() => process.exit(3), 10)", { eval: true });
  await expect(runInWorker(workerEnd(worker), guest(SPIN)).result).rejects.toThrow("code 3");
});
