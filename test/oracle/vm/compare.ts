/** The same random address-space operations on the host's kernel and on ours (vm-oracle.c): every outcome must be equal.
 *
 *  The program hashes its log as it goes, so that equal runs cost little. When the hashes differ, both sides run again with
 *  the log itself, and the first line that differs is shown after the operations that led to it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { musl, runProgram } from "../../machine/run.ts";

const run = promisify(execFile);
/** Lines of the log shown before a difference. */
const CONTEXT_LINES = 40;

export const buildOracle = (): Promise<string> => musl(new URL("./vm-oracle.c", import.meta.url));

export interface VmRun {
  readonly output: string;
  readonly status: number;
  readonly leaks: readonly string[];
}

async function onHost(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { maxBuffer: 1 << 30, encoding: "latin1" });
  return stdout;
}
async function onMenios(program: string, args: readonly string[]): Promise<VmRun> {
  const { stdout, stderr, status, leaks } = await runProgram(program, args, { memory: 128 << 20 });
  return { output: stdout + stderr, status, leaks };
}

/** Undefined when both sides agree on all `operations`, otherwise what differs, as text. */
export async function compareVm(program: string, seed: number, operations: number): Promise<string | undefined> {
  const args = [String(seed), String(operations)];
  const [native, guest] = await Promise.all([onHost(program, args), onMenios(program, args)]);
  if (guest.leaks.length > 0) return `seed ${seed}: not given back: ${guest.leaks.join(", ")}`;
  if (guest.status === 0 && guest.output === native) return undefined;
  const [ours, theirs] = [guest.output.split("\n"), native.split("\n")];
  const first = theirs.findIndex((line, index) => line !== ours[index]);
  const needed = Math.min(operations, (first + 1) * 100);
  return `seed ${seed}, ${needed} operations, status ${guest.status}: ${await explain(program, seed, needed)}`;
}

async function explain(program: string, seed: number, operations: number): Promise<string> {
  const args = [String(seed), String(operations), "verbose"];
  const [native, guest] = await Promise.all([onHost(program, args), onMenios(program, args)]);
  const theirs = native.split("\n");
  const ours = guest.output.split("\n");
  const at = theirs.findIndex((line, index) => line !== ours[index]);
  if (at < 0) return "the verbose logs are equal";
  return [
    `line ${at + 1} differs`, ...theirs.slice(Math.max(0, at - CONTEXT_LINES), at).map((line) => `    ${line}`),
    `  Linux  ${theirs[at]}`, `  meniOS ${ours[at] ?? "(nothing)"}`,
  ].join("\n");
}
