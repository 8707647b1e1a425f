/** One program on one machine in this process, without a test framework around it: for oracles and machine tests alike. */
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildLinux } from "../../scripts/build-user.mjs";
import type { HostInput, HostOutput } from "../../src/host/host.ts";
import { nodeHost } from "../../src/host/node/clock.ts";
import { NodeDirectory } from "../../src/host/node/files.ts";
import { nodeCpuModules } from "../../src/host/node/modules.ts";
import { Machine, type MachineOptions, type MachineResult } from "../../src/machine.ts";
import { holdPagesBack, PAGES, providerFor } from "./late-pages.ts";

export interface ProgramOutcome extends MachineResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the host's `program` with `args`. `more` adds or replaces options of the machine. */
export async function runProgram(program: string, args: readonly string[] = [], more: Partial<MachineOptions> = {}): Promise<ProgramOutcome> {
  const stdout = new Kept();
  const stderr = new Kept();
  const machine = await Machine.create({
    host: nodeHost, modules: nodeCpuModules(), program, argv: [program, ...args], env: ["LC_ALL=C"], stdin: NOTHING, stdout, stderr,
    files: { grafts: [{ path: program, provider: providerFor(PAGES, new NodeDirectory(dirname(program))), source: basename(program) }] },
    ...more,
  });
  if (PAGES === "later") holdPagesBack(machine);
  const result = await machine.run();
  return { ...result, stdout: stdout.text, stderr: stderr.text };
}

/** Path of the static musl program built from `source`, a URL; built only when nothing with the same inputs is there. */
export async function musl(source: URL): Promise<string> {
  return (await buildLinux("musl", fileURLToPath(source))) as string;
}

/** Today's seed unless MENIOS_SEED names one, so that every day tries something else and any day can be repeated. */
export function seedOfToday(): number {
  const given = process.env["MENIOS_SEED"];
  return given === undefined ? Number(new Date().toISOString().slice(0, 10).replaceAll("-", "")) : Number(given);
}

export class Kept implements HostOutput {
  readonly #parts: Uint8Array[] = [];
  write(bytes: Uint8Array): boolean {
    this.#parts.push(bytes.slice());
    return true;
  }
  drained(resume: () => void): void {
    resume();
  }
  get text(): string {
    return Buffer.concat(this.#parts).toString("latin1");
  }
}

const NOTHING: HostInput = { pull: (deliver) => deliver(null) };
