/** Runs a program natively and under meniOS and compares: standard output, standard error, exit status, byte for byte, and
 *  nothing leaked. One machine per run, all in this process. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { expect } from "vitest";
import type { HostInput, HostOutput } from "../../src/host/host.ts";
import { NodeDirectory } from "../../src/host/node/files.ts";
import { ColdCpu, type CpuOptions } from "../../src/cpu/cold/engine.ts";
import "../../src/cpu/instructions/index.ts";
import { nodeHost } from "../../src/host/node/clock.ts";
import { nodeCpuModules } from "../../src/host/node/modules.ts";
import { Machine, type MachineOptions, StartError } from "../../src/machine.ts";
import { holdPagesBack, PAGES, type Pages, providerFor } from "../machine/late-pages.ts";
import type { EngineStats, GuestStats } from "../../src/trace/stats.ts";

export interface GuestRun {
  /** Absolute path on the host; the guest finds it at the same place. */
  readonly program: string;
  readonly args?: readonly string[];
  /** argv[0]; the program's path by default. */
  readonly argv0?: string;
  readonly stdin?: string | Uint8Array;
  /** The whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Further host files or directories that the guest sees at their own places. */
  readonly visible?: readonly string[];
  /** A host directory that is the guest's "/"; the program's path is then looked up in it. */
  readonly root?: string;
  readonly memory?: number;
  readonly abi?: "linux" | "menios";
  readonly deterministic?: boolean;
  readonly milliseconds?: number;
  /** Which engine runs it; by default what MENIOS_ENGINE says (interp, jit, auto, or eager: jit with threshold 1), else the cold engine. */
  readonly engine?: CpuOptions;
  /** Whether memory and files are there at once or every first access blocks; what MENIOS_PAGES says by default. */
  readonly pages?: Pages;
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** As a shell says it: exit code, or 128 + signal. */
  readonly status: number;
}

export interface GuestOutcome extends Outcome {
  readonly signal: number;
  readonly stats: GuestStats;
  readonly leaks: readonly string[];
  readonly engine: EngineStats | undefined;
}

/** glibc picks code by cpuid; what it may pick natively is limited to what the guest's processor has (x86-64-v2). */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/usr/bin:/bin", HOME: "/tmp", LC_ALL: "C",
  GLIBC_TUNABLES: "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-FMA,-FMA4,-BMI1,-BMI2,-LZCNT,-MOVBE,-ERMS,-FSRM",
};
const TIME_LIMIT = 60_000;

/** Bytes as a string of the same length, so that differences are readable. */
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

export function runNative(run: GuestRun): Outcome {
  const child = spawnSync(run.program, [...(run.args ?? [])], {
    argv0: run.argv0 ?? run.program, cwd: run.cwd ?? "/", env: { ...(run.env ?? ENVIRONMENT) }, input: run.stdin ?? "",
    timeout: TIME_LIMIT, maxBuffer: 1 << 28,
  });
  if (child.error !== undefined && child.status === null && child.signal === null) throw child.error;
  const signal = child.signal === null ? 0 : SIGNALS[child.signal] ?? 0;
  return { stdout: text(child.stdout), stderr: text(child.stderr), status: child.status ?? 128 + signal };
}
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11,
  SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15,
};

export async function runGuest(run: GuestRun): Promise<GuestOutcome> {
  const stdout = new Collector();
  const stderr = new Collector();
  const pages = run.pages ?? PAGES;
  const visible = run.root === undefined ? [run.program, ...(run.visible ?? [])] : [];
  const machine = await Machine.create({
    host: nodeHost, modules: nodeCpuModules(), program: run.program, argv: [run.argv0 ?? run.program, ...(run.args ?? [])],
    env: Object.entries(run.env ?? ENVIRONMENT).map(([key, value]) => `${key}=${value}`), cwd: run.cwd ?? "/",
    files: {
      root: run.root === undefined ? null : providerFor(pages, new NodeDirectory(run.root)),
      grafts: visible.filter((path) => existsSync(path)).map((path) => ({
        path, provider: providerFor(pages, new NodeDirectory(dirname(path))), source: basename(path),
      })),
    },
    stdin: once(run.stdin ?? ""), stdout, stderr, limits: { milliseconds: run.milliseconds ?? TIME_LIMIT, outputBytes: 1 << 28 },
    ...((run.engine ?? ENGINE) === undefined ? {} : { cpu: engineOf((run.engine ?? ENGINE) as CpuOptions) }),
    ...(run.memory === undefined ? {} : { memory: run.memory }),
    ...(run.abi === undefined ? {} : { abi: run.abi }),
    ...(run.deterministic === undefined ? {} : { deterministic: run.deterministic }),
  });
  if (pages === "later") holdPagesBack(machine);
  const result = await machine.run();
  if (result.reason !== "exit") stderr.write(Buffer.from(`\n[the machine ended: ${result.reason}]\n`));
  return { stdout: stdout.text, stderr: stderr.text, status: result.status, signal: result.signal, stats: result.stats, leaks: result.leaks, engine: result.engine };
}

const ENGINE = engineNamed(process.env["MENIOS_ENGINE"]);
function engineNamed(name: string | undefined): CpuOptions | undefined {
  if (name === undefined) return undefined;
  if (name === "eager") return { engine: "jit", translateEagerly: true };
  if (name === "interp" || name === "jit" || name === "auto") return { engine: name };
  throw new Error(`MENIOS_ENGINE=${name}: interp, auto, jit or eager`);
}

function engineOf(options: CpuOptions): NonNullable<MachineOptions["cpu"]> {
  return (ram, mmu, modules) => new ColdCpu(ram, mmu, modules, options);
}

/** Runs both and compares. Returns the guest's outcome for further questions. */
export async function expectSame(run: GuestRun): Promise<GuestOutcome> {
  const native = runNative(run);
  const guest = await runGuest(run);
  expect({ stdout: guest.stdout, stderr: guest.stderr, status: guest.status }).toEqual(native);
  expect(guest.leaks).toEqual([]);
  return guest;
}

/** Bytes of a child, kept. */
class Collector implements HostOutput {
  readonly #parts: Uint8Array[] = [];
  write(bytes: Uint8Array): boolean {
    this.#parts.push(bytes.slice());
    return true;
  }
  drained(resume: () => void): void {
    resume();
  }
  get text(): string {
    return text(Buffer.concat(this.#parts));
  }
}

function once(input: string | Uint8Array): HostInput {
  let rest: Uint8Array | null = typeof input === "string" ? Buffer.from(input, "latin1") : input;
  if (rest.length === 0) rest = null;
  return {
    pull(deliver) {
      const bytes = rest;
      rest = null;
      deliver(bytes);
    },
  };
}

export { StartError };
