/** The CPU set: the programs of user/bench that name a class, and the scale at which qemu-x86_64 takes about one to three seconds. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const CLASSES = ["integer", "memory", "crypto", "float"] as const;
export type ProgramClass = (typeof CLASSES)[number];

export interface CpuProgram {
  readonly name: string;
  readonly class: ProgramClass;
  readonly scale: number;
}

const SCALES: Readonly<Record<string, number>> = {
  aes_table: 1_000_000, binary_trees: 19, bytecode: 6_000_000, chacha: 1_000_000, collatz: 3_000_000, compress: 130, core_mix: 20_000, crc32: 5000,
  fft: 240, fp_flags: 5_000_000, hash_table: 40_000_000, long_double: 7_000_000, mandelbrot: 800, matmul: 420, memcpy_blocks: 600_000, nbody: 500_000,
  nqueens: 14, pointer_chase: 40_000_000, quicksort: 8_000_000, recursion: 38, sha256: 250_000, sieve: 60_000_000, simd_integer: 2500,
  spectral_norm: 1100, strides: 100, strings_scan: 250,
};

/** Every program of `folder`, in the order of the classes. A program's first line says `// class: NAME.`; those of other classes are
 *  not part of the set. Throws when a program of the set has no scale. */
export function cpuPrograms(folder: string): CpuProgram[] {
  const found: CpuProgram[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".c")).sort()) {
    const name = file.slice(0, -2);
    const named = /^\/\/ class: (\w+)\./.exec(readFileSync(join(folder, file), "utf8"))?.[1];
    const known = CLASSES.find((candidate) => candidate === named);
    if (known === undefined) continue;
    const scale = SCALES[name];
    if (scale === undefined) throw new Error(`${file} has no scale in bench/cpu-set.ts`);
    found.push({ name, class: known, scale });
  }
  return found.sort((a, b) => CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class));
}
