/** The benchmark programs compute the same checksums as natively. Scales are small here; `npm run bench` uses real ones. */
import { expect, test } from "vitest";
import { buildAllLinux } from "../../scripts/build-user.mjs";
import { expectSame, runGuest } from "./harness.ts";

/** Scales at which a program retires some millions of instructions. */
const SCALE: Readonly<Record<string, number>> = {
  aes_table: 8000, binary_trees: 10, bytecode: 30000, chacha: 5000, collatz: 4000, compress: 1, core_mix: 30, crc32: 8, fft: 2, fp_flags: 5000,
  hash_table: 100000, long_double: 5000, mandelbrot: 40, matmul: 50, memcpy_blocks: 1000, nbody: 4000, nqueens: 7, pointer_chase: 50000,
  quicksort: 40000, recursion: 20, sha256: 1000, sieve: 200000, simd_integer: 5, spectral_norm: 40, strides: 1, strings_scan: 1,
};

const programs = await buildAllLinux("bench", ["glibc"]);

for (const { name, path } of programs.filter((program) => program.name !== "system_calls")) {
  test(`${name} computes its checksum`, async () => {
    await expectSame({ program: path, args: [String(SCALE[name])] });
  });
}

test("the system call timings run to their end", async () => {
  const { path } = programs.find((program) => program.name === "system_calls")!;
  for (const args of [["first_touch", "64"], ["cow_fault", "64"], ["touch_again", "64"], ["cow_again", "64"], ["map_unmap", "50"], ["map_touch_unmap", "50"], ["fork_exit_wait", "3", "1"],
    ["fork_exec", "2"], ["getpid", "100"], ["pipe_round_trip", "20"]]) {
    const { stdout, status, leaks } = await runGuest({ program: path, args });
    expect(stdout).toMatch(/^\w+( 1MiB)? \d+ ns\n$/);
    expect(status).toBe(0);
    expect(leaks).toEqual([]);
  }
});
