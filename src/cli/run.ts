/** `menios run`: one machine for one command line. */
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { ENOENT, ENOTDIR } from "../abi/linux/errno.ts";
import { byteStringOf } from "../fs/names.ts";
import type { Graft, MountRequest } from "../fs/namespace.ts";
import { nodeHost } from "../host/node/clock.ts";
import { NodeDirectory } from "../host/node/files.ts";
import { compileNodeCpuModules } from "../host/node/modules.ts";
import { StreamInput, StreamOutput } from "../host/node/streams.ts";
import { ColdCpu } from "../cpu/cold/engine.ts";
import type { Region } from "../cpu/jit/region.ts";
import { Machine, type MachineFiles, type MachineOptions, StartError } from "../machine.ts";
import type { Sink } from "../trace/event.ts";
import { PerfettoTrace } from "../trace/perfetto.ts";
import { engineText, statsText } from "../trace/stats.ts";
import { Strace } from "../trace/strace.ts";
import type { RunOptions } from "./options.ts";

export const STATUS_OWN_FAILURE = 125;
export const STATUS_TIMEOUT = 124;

/** A failure of ours, told in one line. */
export class CliError extends Error {
  readonly status: number;
  constructor(message: string, status = STATUS_OWN_FAILURE) {
    super(message);
    this.status = status;
  }
}

/** Runs the program; resolves to the exit status. */
export async function run(options: RunOptions): Promise<number> {
  const modules = compileNodeCpuModules();
  // What fails before they are awaited is told instead of their failure.
  modules.catch(() => {});
  const outputs = new Outputs();
  const stdin = new StreamInput(() => process.stdin);
  const stdout = new StreamOutput(() => process.stdout);
  const stderr = new StreamOutput(() => process.stderr);
  const terminal = process.stdout.isTTY === true && process.stdin.isTTY === true ? new HostTerminal(stdin) : undefined;
  const sinks: Sink[] = [];
  if (options.strace !== undefined) sinks.push(new Strace(outputs.writer(options.strace)));
  let trace: PerfettoTrace | undefined;
  if (options.trace !== undefined) sinks.push((trace = new PerfettoTrace(outputs.writer(options.trace))));
  const program = guestProgram(options);
  const listed = options.dumpJit.length === 0 ? undefined : await listings(options.dumpJit);
  const machineOptions: MachineOptions = {
    host: nodeHost,
    modules: await modules,
    cpu: (ram, mmu, modules) => new ColdCpu(ram, mmu, modules, { engine: options.engine, ...(listed === undefined ? {} : { onTranslated: listed.see }) }),
    memory: options.memory,
    program,
    argv: [options.program, ...options.args],
    env: environment(options.env),
    cwd: options.cwd ?? (options.root === undefined ? process.cwd() : "/"),
    files: files(options, program),
    ...(terminal === undefined
      ? { stdin, stdout, stderr }
      : { stdin: "terminal", stdout: "terminal", stderr: process.stderr.isTTY === true ? "terminal" : stderr, terminal: { input: stdin, output: stdout, window: terminal.window() } }),
    abi: options.abi,
    deterministic: options.deterministic,
    sinks,
    ...(options.timeout === undefined ? {} : { limits: { milliseconds: options.timeout * 1000 } }),
    ...(options.reportFaults === undefined ? {} : { onFaultReport: outputs.writer(options.reportFaults) }),
  };
  try {
    const machine = await created(machineOptions);
    const release = terminal?.attach(machine) ?? passSignals(machine);
    const result = await machine.run().finally(release);
    trace?.finish();
    await stdout.flushed();
    await stderr.flushed();
    if (options.stats !== undefined) {
      const write = outputs.writer(options.stats);
      write(statsText(result.stats));
      if (!options.deterministic && result.engine !== undefined) write(`\n${engineText(result.engine)}`);
    }
    listed?.finish();
    for (const leak of result.leaks) process.stderr.write(`menios: not given back: ${leak}\n`);
    if (result.reason === "timeout") {
      process.stderr.write(`menios: timeout after ${options.timeout} s\n`);
      return STATUS_TIMEOUT;
    }
    return result.status;
  } catch (error) {
    if (error instanceof StartError) throw new CliError(error.message, startStatus(error.errno));
    throw error;
  } finally {
    stdin.close();
    outputs.close();
  }
}

/** Prints regions that cover one of `addresses` as they are translated, and in the end which addresses no region covered. */
async function listings(addresses: readonly number[]): Promise<{ readonly see: (region: Region) => void; readonly finish: () => void }> {
  await import("../cpu/instructions/index.ts");
  const { coversAddress, regionListing } = await import("../cpu/jit/listing.ts");
  const missing = new Set(addresses);
  return {
    see: (region) => {
      const covered = addresses.filter((address) => coversAddress(region, address));
      for (const address of covered) missing.delete(address);
      if (covered.length > 0) process.stderr.write(regionListing(region));
    },
    finish: () => {
      for (const address of missing) process.stderr.write(`menios: no region covered 0x${address.toString(16)}\n`);
    },
  };
}

async function created(options: MachineOptions): Promise<Machine> {
  try {
    return await Machine.create(options);
  } catch (error) {
    if (error instanceof RangeError) throw new CliError(error.message);
    throw error;
  }
}

/** As a shell says it: not found, or found and not executable. */
function startStatus(errno: number): number {
  return errno === ENOENT || errno === ENOTDIR ? 127 : 126;
}

/** Where the guest finds the program: PATH is searched for a bare name, as a shell does. */
function guestProgram(options: RunOptions): string {
  const { program, root } = options;
  if (program.includes("/")) return isAbsolute(program) || root !== undefined ? program : resolve(program);
  const inDirectory = (directory: string): boolean => {
    try {
      return statSync(root === undefined ? join(directory, program) : join(root, directory, program)).isFile();
    } catch {
      return false;
    }
  };
  if (root === undefined && inDirectory(process.cwd())) return resolve(program);
  const found = (process.env["PATH"] ?? "/usr/bin:/bin").split(":").find((d) => d !== "" && inDirectory(d));
  return found === undefined ? (root === undefined ? resolve(program) : `/${program}`) : join(found, program);
}

/** The program and the current directory at their own paths, or --root, and the mounts. */
function files(options: RunOptions, program: string): MachineFiles {
  const mounts = options.mounts.map((m): MountRequest => {
    requireDirectory(m.host, `--mount ${m.host}`);
    return { path: byteStringOf(m.guest), provider: new NodeDirectory(m.host, { writable: m.writable }), access: m.writable ? "write-through" : "overlay" };
  });
  if (options.root !== undefined) {
    requireDirectory(options.root, `--root ${options.root}`);
    return { root: new NodeDirectory(options.root), mounts };
  }
  const cwd = process.cwd();
  const grafts: Graft[] = [{ path: byteStringOf(cwd), provider: new NodeDirectory(cwd), source: "" }];
  if (!isInside(program, cwd)) {
    const folder = dirname(program);
    grafts.push({ path: byteStringOf(program), provider: new NodeDirectory(folder), source: byteStringOf(basename(program)) });
  }
  return { grafts, mounts };
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}
function requireDirectory(path: string, what: string): void {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(path).isDirectory();
  } catch (error) {
    throw new CliError(`${what}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  if (!isDirectory) throw new CliError(`${what}: not a directory`);
}

/** A small, predictable environment; --env adds and replaces. */
function environment(given: readonly string[]): string[] {
  const variables = new Map<string, string>([["PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], ["HOME", homedir()]]);
  for (const name of ["TERM", "LANG", "USER"]) {
    const value = process.env[name];
    if (value !== undefined) variables.set(name, value);
  }
  for (const entry of given) {
    const equals = entry.indexOf("=");
    variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/** Without a terminal, the signals that end us end the guest instead. */
function passSignals(machine: Machine): () => void {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };
  const handlers = Object.entries(numbers).map(([name, number]) => {
    const handler = (): void => machine.signal(number);
    process.on(name, handler);
    return [name, handler] as const;
  });
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}

/** The user's terminal: raw while the guest runs, since the guest's own line discipline does the rest. */
class HostTerminal {
  readonly #input: StreamInput;
  constructor(input: StreamInput) {
    this.#input = input;
  }
  window(): { rows: number; columns: number; xPixels: number; yPixels: number } {
    return { rows: process.stdout.rows ?? 24, columns: process.stdout.columns ?? 80, xPixels: 0, yPixels: 0 };
  }
  attach(machine: Machine): () => void {
    process.stdin.setRawMode(true);
    const resized = (): void => machine.resize(this.window());
    process.stdout.on("resize", resized);
    return () => {
      process.stdout.off("resize", resized);
      process.stdin.setRawMode(false);
      this.#input.close();
    };
  }
}

/** Files that options name, opened on first use and closed at the end; `true` is standard error. */
class Outputs {
  readonly #open = new Map<string, number>();
  writer(target: string | boolean): (text: string) => void {
    if (typeof target !== "string") return (text) => void process.stderr.write(text);
    let descriptor = this.#open.get(target);
    if (descriptor === undefined) {
      try {
        descriptor = openSync(target, "w");
      } catch (error) {
        throw new CliError(`cannot write ${target}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
      }
      this.#open.set(target, descriptor);
    }
    const file = descriptor;
    return (text) => {
      writeSync(file, text);
    };
  }
  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor);
  }
}
