/** The CPU set: the programs of user/bench that name a class, and the scale at which qemu-x86_64 takes about three to six seconds, so that starting and translating show as little
 *  as they do in programs worth translating. */
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
  aes_table: 4_000_000, binary_trees: 20, bytecode: 20_000_000, chacha: 3_500_000, collatz: 10_000_000, compress: 400, core_mix: 70_000, crc32: 20_000,
  fft: 1000, fp_flags: 25_000_000, hash_table: 150_000_000, long_double: 28_000_000, mandelbrot: 1200, matmul: 620, memcpy_blocks: 2_000_000,
  nbody: 1_500_000, nqueens: 15, pointer_chase: 150_000_000, quicksort: 25_000_000, recursion: 41, sha256: 700_000, sieve: 200_000_000,
  simd_integer: 10_000, spectral_norm: 2000, strides: 350, strings_scan: 1000,
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
