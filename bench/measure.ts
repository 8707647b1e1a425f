/** Runs one static program under the engines that are compared, and the arithmetic of paired figures. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const MENIOS = fileURLToPath(new URL("../bin/menios.js", import.meta.url));
const STATS = join(tmpdir(), `menios-bench-${process.pid}`);

export type Engine = "native" | "qemu" | "menios";

export interface Timing {
  /** From the process's start to its exit, in milliseconds. */
  readonly wall: number;
  readonly stdout: string;
  /** Retired instructions and nanoseconds of the machine's clock; meniOS only. */
  readonly instructions: number;
  readonly machineTime: number;
}

export function hasQemu(): boolean {
  return spawnSync("qemu-x86_64", ["--version"]).status === 0;
}

/** Runs `program` to its end. Throws when it fails. */
export function timeProgram(engine: Engine, program: string, args: readonly string[], memory = "2G"): Timing {
  const command = {
    native: [program, ...args],
    qemu: ["qemu-x86_64", program, ...args],
    menios: [process.execPath, MENIOS, "run", "--engine", "interp", "--memory", memory, `--stats=${STATS}`, program, ...args],
  }[engine];
  const { wall, stdout } = timeCommand(command);
  if (engine !== "menios") return { wall, stdout, instructions: 0, machineTime: 0 };
  const stats = readFileSync(STATS, "utf8");
  rmSync(STATS);
  const figure = (pattern: RegExp): number => Number(pattern.exec(stats)?.[1]?.replaceAll(",", ""));
  return { wall, stdout, instructions: figure(/^instructions +([\d,]+)/m), machineTime: figure(/^time +([\d.]+) s/m) * 1e9 };
}

/** Wall time of a command that must succeed, in milliseconds. */
export function timeCommand([command, ...args]: readonly string[]): { wall: number; stdout: string } {
  const started = performance.now();
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, { encoding: "latin1", env: { PATH: process.env["PATH"], LC_ALL: "C" }, maxBuffer: 1 << 26 });
  const wall = performance.now() - started;
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${signal ?? status}\n${stderr}`);
  return { wall, stdout };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median of the ratios of what was measured side by side: slow phases of the machine cancel. */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, index) => value / theirs[index]));
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
