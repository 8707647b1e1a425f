/** The options of `menios run`: one table, from which plain command lines are read here and all others by commander (usage.ts).
 *  Commander gives the messages and the help, but loading it takes longer than a short program runs. */
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
  /** Guest addresses whose regions are listed. */
  readonly dumpJit: readonly number[];
  readonly deterministic: boolean;
  /** Seconds. */
  readonly timeout: number | undefined;
}
export interface MountOption {
  readonly host: string;
  readonly guest: string;
  readonly writable: boolean;
}

/** One option. */
export interface OptionRow {
  /** Without the dashes. */
  readonly name: string;
  /** Name of the value in the help; without one the option is a switch. */
  readonly value?: string;
  readonly about: string;
  /** "when given" with = only; the option alone means standard error. */
  readonly takes?: "when given";
  readonly choices?: readonly string[];
  readonly initial?: unknown;
  /** The value for `text`; `before` is what there is already. Throws an InvalidValue. */
  readonly parse?: (text: string, before: never) => unknown;
}
export class InvalidValue extends Error {}

export const STANDARD_ERROR = "-";
const optionalFile = (text: string): string | boolean => (text === STANDARD_ERROR ? true : text);

export const OPTIONS: readonly OptionRow[] = [
  { name: "memory", value: "size", about: "guest RAM, with K, M or G", parse: memorySize, initial: 512 << 20 },
  { name: "env", value: "K=V", about: "set a variable (repeatable); PATH, HOME, TERM, LANG and USER come from here unless set", parse: collect, initial: [] },
  { name: "cwd", value: "dir", about: "working directory in the guest" },
  { name: "abi", value: "abi", about: "numbers that the syscall instruction takes", choices: ["linux", "menios"], initial: "linux" },
  { name: "engine", value: "engine", about: "interp: the cold engine alone; auto: translate what has run for long; jit: the same, sooner", choices: ["auto", "interp", "jit"], initial: "auto" },
  { name: "root", value: "dir", about: "make DIR the guest's / (read-only under a memory overlay)" },
  { name: "mount", value: "host:guest[:rw]", about: "show a host directory in the guest; rw writes through (repeatable)", parse: collectMount, initial: [] },
  { name: "strace", value: "file", takes: "when given", about: "print system calls as strace does; --strace alone prints to standard error", parse: optionalFile },
  { name: "stats", value: "file", takes: "when given", about: "print what the guest's memory did", parse: optionalFile },
  { name: "report-faults", value: "file", takes: "when given", about: "explain every fault that ends a process", parse: optionalFile },
  { name: "trace", value: "file", about: "write a Chrome trace that Perfetto opens" },
  { name: "dump-jit", value: "address", about: "with --engine jit: list each region that covers ADDRESS, x86 beside WebAssembly, when it is translated (repeatable)", parse: collectAddress, initial: [] },
  { name: "deterministic", about: "fix clock, randomness and schedule", initial: false },
  { name: "timeout", value: "seconds", about: "end everything after this time with status 124", parse: seconds },
];

/** What is not a program's name at the head of a command line. */
const COMMANDS: readonly (string | undefined)[] = [undefined, "demo", "help", "-h", "--help", "-V", "--version"];

/** `menios PROGRAM …` is short for `menios run PROGRAM …`. */
export function longForm(argv: readonly string[]): string[] {
  return argv[0] === "run" || COMMANDS.includes(argv[0]) ? [...argv] : ["run", ...argv];
}

/** The options of a plain `run PROGRAM …`; undefined for everything that commander must see: other commands, help, mistakes, `--`. */
export function plainRun(argv: readonly string[]): RunOptions | undefined {
  const [command, ...rest] = longForm(argv);
  if (command !== "run") return undefined;
  const values: Record<string, unknown> = Object.fromEntries(OPTIONS.map((row) => [key(row.name), row.initial]));
  let at = 0;
  for (; at < rest.length && rest[at].startsWith("-"); at++) {
    const [, name, given] = /^--([a-z-]+)(?:=(.*))?$/s.exec(rest[at]) ?? [];
    const row = OPTIONS.find((candidate) => candidate.name === name);
    if (row === undefined || (row.value === undefined && given !== undefined)) return undefined;
    if (row.value === undefined) values[key(row.name)] = true;
    else {
      const text = given ?? (row.takes === "when given" ? STANDARD_ERROR : rest[++at]);
      if (text === undefined || text === "" || row.choices?.includes(text) === false) return undefined;
      try {
        values[key(row.name)] = row.parse === undefined ? text : row.parse(text, values[key(row.name)] as never);
      } catch {
        return undefined;
      }
    }
  }
  if (at >= rest.length) return undefined;
  return runOptions(rest[at], rest.slice(at + 1), values);
}

/** From values by camel-cased option name, as commander gives them too. */
export function runOptions(program: string, args: readonly string[], values: Record<string, unknown>): RunOptions {
  const { mount, ...others } = values as unknown as Omit<RunOptions, "program" | "args" | "mounts"> & { mount: MountOption[] };
  return { ...others, program, args, mounts: mount };
}
function key(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function memorySize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kKmMgG]?)(?:i?[bB])?$/.exec(text);
  if (match === null) throw new InvalidValue("expected a size such as 512M");
  const scale = { "": 1, k: 1024, m: 1 << 20, g: 1 << 30 }[match[2].toLowerCase() as "" | "k" | "m" | "g"];
  return Math.floor(Number(match[1]) * scale);
}
function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidValue("expected a positive number of seconds");
  return value;
}
function collectAddress(text: string, before: number[]): number[] {
  const value = /^(0x)?[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : -1;
  if (!(value >= 0 && value < 2 ** 47)) throw new InvalidValue("expected a hexadecimal address such as 0x401000");
  return [...before, value];
}
function collect(value: string, before: string[]): string[] {
  if (!value.includes("=")) throw new InvalidValue("expected NAME=VALUE");
  return [...before, value];
}
function collectMount(value: string, before: MountOption[]): MountOption[] {
  const match = /^(.+?):(\/[^:]*)(?::(rw|ro))?$/.exec(value);
  if (match === null) throw new InvalidValue("expected HOST:/GUEST or HOST:/GUEST:rw");
  return [...before, { host: match[1], guest: match[2], writable: match[3] === "rw" }];
}
