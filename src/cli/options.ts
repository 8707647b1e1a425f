/** The command line of `menios run`, parsed with commander into plain values. */
import { Command, InvalidArgumentError, Option } from "commander";

export interface RunOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly memory: number;
  readonly env: readonly string[];
  readonly cwd: string | undefined;
  readonly abi: "linux" | "menios";
  readonly engine: "auto" | "interp" | "jit";
  readonly root: string | undefined;
  readonly mounts: readonly MountOption[];
  /** True: to standard error; a string: to that file. */
  readonly strace: string | boolean | undefined;
  readonly stats: string | boolean | undefined;
  readonly reportFaults: string | boolean | undefined;
  readonly trace: string | undefined;
  readonly deterministic: boolean;
  /** Seconds. */
  readonly timeout: number | undefined;
}
export interface MountOption {
  readonly host: string;
  readonly guest: string;
  readonly writable: boolean;
}

/** Calls one of the actions. Usage errors are printed by commander and end the process with status 125. */
export interface Actions {
  run(options: RunOptions): Promise<void>;
  demo(): Promise<void>;
}

export async function parse(argv: readonly string[], version: string, actions: Actions): Promise<void> {
  const program = new Command("menios");
  program
    .description("Run unmodified x86-64 ELF programs, each in its own address space with real page tables.")
    .version(version)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : 125);
    })
    .enablePositionalOptions();
  withRunOptions(program.command("run"))
    .description("run PROGRAM with ARGS; its exit status is ours")
    .action((name: string, args: string[], flags: Record<string, unknown>) => actions.run(runOptions(name, args, flags)));
  program.command("demo").description("run the bundled demo and say what happened in its memory").action(() => actions.demo());
  await program.parseAsync(bareOptions(shortForm(argv, program)), { from: "user" });
}

/** `--strace`, `--stats` and `--report-faults` take a file only as `--strace=FILE`; alone they mean standard error. */
function bareOptions(argv: readonly string[]): string[] {
  const valued = ["--memory", "--env", "--cwd", "--abi", "--engine", "--root", "--mount", "--trace", "--timeout"];
  const out = [...argv];
  for (let i = 1; i < out.length && out[i].startsWith("-") && out[i] !== "--"; i++) {
    if (["--strace", "--stats", "--report-faults"].includes(out[i])) out[i] += `=${STANDARD_ERROR}`;
    else if (valued.includes(out[i])) i++;
  }
  return out;
}
const STANDARD_ERROR = "-";
const optionalFile = (text: string): string | boolean => (text === STANDARD_ERROR ? true : text);

/** `menios PROGRAM …` is short for `menios run PROGRAM …`. */
function shortForm(argv: readonly string[], program: Command): string[] {
  const first = argv[0];
  const commands = [...program.commands.map((c) => c.name()), "help"];
  const own = first === undefined || commands.includes(first) || ["-h", "--help", "-V", "--version"].includes(first);
  return own ? [...argv] : ["run", ...argv];
}

function withRunOptions(command: Command): Command {
  return command
    .argument("<program>", "path of an ELF program or #! script")
    .argument("[args...]", "its arguments")
    .passThroughOptions()
    .option("--memory <size>", "guest RAM, with K, M or G", memorySize, 512 << 20)
    .option("--env <K=V>", "set a variable (repeatable); PATH, HOME, TERM, LANG and USER come from here unless set", collect, [])
    .option("--cwd <dir>", "working directory in the guest")
    .addOption(new Option("--abi <abi>", "numbers that the syscall instruction takes").choices(["linux", "menios"]).default("linux"))
    .addOption(new Option("--engine <engine>", "auto and interp: the cold engine; jit: translate hot code too (experimental)").choices(["auto", "interp", "jit"]).default("auto"))
    .option("--root <dir>", "make DIR the guest's / (read-only under a memory overlay)")
    .option("--mount <host:guest[:rw]>", "show a host directory in the guest; rw writes through (repeatable)", collectMount, [])
    .option("--strace <file>", "print system calls as strace does; --strace alone prints to standard error", optionalFile)
    .option("--stats <file>", "print what the guest's memory did", optionalFile)
    .option("--report-faults <file>", "explain every fault that ends a process", optionalFile)
    .option("--trace <file>", "write a Chrome trace that Perfetto opens")
    .option("--deterministic", "fix clock, randomness and schedule", false)
    .option("--timeout <seconds>", "end everything after this time with status 124", seconds);
}

function runOptions(program: string, args: string[], flags: Record<string, unknown>): RunOptions {
  const f = flags as unknown as Omit<RunOptions, "program" | "args" | "mounts"> & { mount: MountOption[] };
  return { ...f, program, args, mounts: f.mount };
}

function memorySize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kKmMgG]?)(?:i?[bB])?$/.exec(text);
  if (match === null) throw new InvalidArgumentError("expected a size such as 512M");
  const scale = { "": 1, k: 1024, m: 1 << 20, g: 1 << 30 }[match[2].toLowerCase() as "" | "k" | "m" | "g"];
  return Math.floor(Number(match[1]) * scale);
}
function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("expected a positive number of seconds");
  return value;
}
function collect(value: string, before: string[]): string[] {
  if (!value.includes("=")) throw new InvalidArgumentError("expected NAME=VALUE");
  return [...before, value];
}
function collectMount(value: string, before: MountOption[]): MountOption[] {
  const match = /^(.+?):(\/[^:]*)(?::(rw|ro))?$/.exec(value);
  if (match === null) throw new InvalidArgumentError("expected HOST:/GUEST or HOST:/GUEST:rw");
  return [...before, { host: match[1], guest: match[2], writable: match[3] === "rw" }];
}
