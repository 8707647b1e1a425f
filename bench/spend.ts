/** What one process takes: wall time and processor time, as bash's `time` tells them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Spent {
  /** Milliseconds: start to exit; user and system time of all threads. */
  readonly wall: number;
  readonly cpu: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `command` to its end. Throws when it fails. */
export function spend(command: readonly string[]): Spent {
  const folder = mkdtempSync(join(tmpdir(), "menios-spend-"));
  const messages = join(folder, "stderr");
  try {
    // Node has no figures of a single child; the shell's own standard error takes the times, a file the command's.
    const script = 'exec 3>&2; TIMEFORMAT="%3R %3U %3S"; { time "$@" 2>&4 3>&-; } 2>&3 4>"$0"';
    const env = { PATH: process.env["PATH"], LC_ALL: "C" };
    const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", script, messages, ...command], { stdio: ["ignore", "pipe", "pipe"], encoding: "latin1", env, maxBuffer: 1 << 26 });
    const told = readFileSync(messages, "latin1");
    const [wall, user, system] = stderr.trim().split(" ").map((seconds) => Number(seconds) * 1000);
    if (status !== 0 || !(wall >= 0)) throw new Error(`${command.join(" ")}: ${status}\n${stderr}${told}`);
    return { wall, cpu: user + system, stdout, stderr: told };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param mode what user/bench/bench.h takes from BENCH_MODE @param memory guest RAM: where the program is to fill most of it first, so much that
 *  the rest is enough for what it does then */
export function meniosCommand(menios: string, engine: string, path: string, args: readonly string[], mode?: string, memory = "1G"): string[] {
  const environment = mode === undefined ? [] : ["--env", `BENCH_MODE=${mode}`];
  return [process.execPath, menios, "run", "--engine", engine, "--memory", memory, "--stats", ...environment, path, ...args];
}
/** Milliseconds of the machine's own clock, from what --stats printed. */
export function machineClock(spent: Spent): number {
  return Number(/^time +([\d.]+) s/m.exec(spent.stderr)?.[1]) * 1000;
}
/** Milliseconds that the program's main took, as bench.h says when it is asked to. */
export function workOf(spent: Spent): number {
  return Number(/^work (\d+) ns/m.exec(spent.stderr)?.[1]) / 1e6;
}
