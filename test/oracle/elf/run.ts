/** Runs one (damaged) file on a machine of its own. Whatever is in it, the outcome is one of: it is refused with an errno that
 *  execve has for files, it ends by itself or by a signal, or it uses up its instructions. Anything else is our defect. */
import { E2BIG, EACCES, EFAULT, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, ENAMETOOLONG, ENOENT, ENOEXEC, ENOMEM, ENOTDIR, errnoName, EPERM } from "../../../src/abi/linux/errno.ts";
import { MemoryProvider } from "../../../src/fs/providers/memory.ts";
import { nodeHost } from "../../../src/host/node/clock.ts";
import { nodeCpuModules } from "../../../src/host/node/modules.ts";
import { Machine, StartError } from "../../../src/machine.ts";
import { Chooser, mutate } from "./mutate.ts";
import { type Sample, samples } from "./files.ts";

/** ERRORS of execve(2), and what mapping a segment may answer. */
const REFUSALS = new Set([E2BIG, EACCES, EFAULT, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, ENAMETOOLONG, ENOENT, ENOEXEC, ENOMEM, ENOTDIR, EPERM]);
const INSTRUCTIONS = 200_000;
const MEMORY = 8 << 20;

export interface Verdict {
  /** "refused: ENOEXEC", "exit", "signal 11", "instructions". */
  readonly outcome: string;
  readonly status: number;
  /** What is wrong with it, if anything is. */
  readonly defect: string | undefined;
}

export async function runFiles(files: Readonly<Record<string, Uint8Array>>): Promise<Verdict> {
  const tree = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, { content, mode: 0o755 }]));
  const machine = await Machine.create({
    host: nodeHost, modules: nodeCpuModules(), memory: MEMORY, program: "/guest", files: { root: new MemoryProvider(tree) }, deterministic: true,
    limits: { instructions: INSTRUCTIONS, tasks: 16, outputBytes: 1 << 20 },
  });
  try {
    const { signal, status, reason, leaks } = await machine.run();
    const outcome = reason !== "exit" ? reason : signal === 0 ? "exit" : `signal ${signal}`;
    return { outcome, status, defect: leaks.length === 0 ? undefined : `not given back: ${leaks.join(", ")}` };
  } catch (error) {
    if (!(error instanceof StartError)) return { outcome: "host exception", status: -1, defect: error instanceof Error ? `${error.stack}` : String(error) };
    const outcome = `refused: ${errnoName(error.errno)}`;
    const leaks = machine.kernel.leakReport();
    if (leaks.length > 0) return { outcome, status: -1, defect: `not given back: ${leaks.join(", ")}` };
    return { outcome, status: -1, defect: REFUSALS.has(error.errno) ? undefined : "no errno of execve" };
  }
}

export interface ElfReport {
  /** How often each outcome was seen. */
  readonly outcomes: Map<string, number>;
  /** Case number and what was wrong with it. */
  readonly defects: string[];
}

/** The damaged file of one case; the same for the same seed and number. */
export function damagedCase(seed: number, number: number, all: readonly Sample[] = samples()): { sample: Sample; files: Record<string, Uint8Array> } {
  const sample = all[number % all.length];
  const file = mutate(sample.files[sample.damaged], new Chooser(Math.imul(seed, 0x9e37_79b1) + number));
  return { sample, files: { ...sample.files, [sample.damaged]: file } };
}

export async function runElfOracle(seed: number, cases: number, progress: (done: number) => void = () => {}): Promise<ElfReport> {
  const all = samples();
  const report: ElfReport = { outcomes: new Map(), defects: [] };
  for (let number = 0; number < cases; number++) {
    const { sample, files } = damagedCase(seed, number, all);
    const { outcome, defect } = await runFiles(files);
    report.outcomes.set(outcome, (report.outcomes.get(outcome) ?? 0) + 1);
    if (defect !== undefined) report.defects.push(`seed ${seed}, case ${number} (${sample.name}): ${outcome}: ${defect}`);
    progress(number + 1);
  }
  return report;
}
