/** The benchmark programs of user/bench, and the scale at which each retires between 60 and 200 million instructions: some
 *  seconds on the cold engine, and enough natively that starting a process does not show. */
export const SCALES: Readonly<Record<string, number>> = {
  aes_table: 180_000, binary_trees: 15, bytecode: 900_000, chacha: 240_000, collatz: 250_000, compress: 6, core_mix: 2000, crc32: 240, fft: 80,
  fp_flags: 800_000, hash_table: 3_000_000, long_double: 2_000_000, mandelbrot: 400, matmul: 250, memcpy_blocks: 50_000, nbody: 140_000, nqueens: 12,
  pointer_chase: 10_000_000, quicksort: 800_000, recursion: 33, sha256: 33_000, sieve: 10_000_000, simd_integer: 700, spectral_norm: 600, strides: 6,
  strings_scan: 10,
};

/** What --quick runs: a program of each kind. */
export const QUICK_PROGRAMS: readonly string[] = ["bytecode", "crc32", "matmul", "pointer_chase", "recursion"];

/** One operation timed by user/bench/system_calls.c. */
export interface Operation {
  readonly title: string;
  readonly name: string;
  /** How often, and how often with --quick. */
  readonly count: number;
  readonly quick: number;
  /** Resident memory in MiB, where that matters. */
  readonly mib?: number;
  /** Why qemu-x86_64 has no figure. */
  readonly withoutQemu?: string;
}

export const OPERATIONS: readonly Operation[] = [
  { title: "first-touch fault", name: "first_touch", count: 16_384, quick: 2048 },
  { title: "copy-on-write fault", name: "cow_fault", count: 16_384, quick: 2048 },
  { title: "first-touch fault, memory used before", name: "touch_again", count: 16_384, quick: 2048 },
  { title: "copy-on-write fault, memory used before", name: "cow_again", count: 16_384, quick: 2048 },
  { title: "mmap + munmap", name: "map_unmap", count: 20_000, quick: 2000 },
  { title: "mmap + touch + munmap", name: "map_touch_unmap", count: 20_000, quick: 2000 },
  { title: "fork + exit + wait, 1 MiB resident", name: "fork_exit_wait", count: 200, quick: 20, mib: 1 },
  { title: "fork + exit + wait, 64 MiB resident", name: "fork_exit_wait", count: 50, quick: 5, mib: 64 },
  { title: "fork + exit + wait, 512 MiB resident", name: "fork_exit_wait", count: 10, quick: 2, mib: 512 },
  {
    title: "fork + execve + wait", name: "fork_exec", count: 100, quick: 10,
    withoutQemu: "qemu-user hands execve to the host's kernel, which runs the new program natively",
  },
  { title: "getpid", name: "getpid", count: 200_000, quick: 20_000 },
  { title: "pipe round trip between two processes", name: "pipe_round_trip", count: 5000, quick: 500 },
];
