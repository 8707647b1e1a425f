/** `menios run --dump-jit ADDRESS`: a region as people read it. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { buildLinux } from "../../scripts/build-user.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = (await buildLinux("musl", `${root}user/bench/collatz.c`)) as string;
const run = (...options: string[]) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--import", "tsx", `${root}src/cli/main.ts`, "run", ...options, program, "20000"], { encoding: "utf8" });
  return { stdout, stderr, status };
};
/** Address of the loop that halves: `shr %rax` or `sar %rax` in main. */
function hotAddress(): string {
  const { stdout } = spawnSync("objdump", ["-d", "--disassemble=main", program], { encoding: "utf8" });
  return /^\s*([0-9a-f]+):.*\b(?:shr|sar)\s/m.exec(stdout)?.[1] as string;
}

test("the region of a hot loop is listed, x86 beside WebAssembly", () => {
  const address = hotAddress();
  const { stderr, status, stdout } = run("--engine", "jit", "--dump-jit", `0x${address}`);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^collatz [0-9a-f]{16}\n$/);
  expect(stderr).toMatch(/^region at 0x[0-9a-f]+: \d+ instructions, entered with a budget of \d+ or more$/m);
  expect(stderr).toMatch(new RegExp(`^  0x${address}  (shr|sar) r\\w+, 1$`, "m"));
  expect(stderr).toMatch(/\(i64\.shr_[su] /);
  expect(stderr).toMatch(/^ +loop @\d+$/m);
});

test("an address that no region covers is named in the end", () => {
  const { stderr, status } = run("--engine", "jit", "--dump-jit", "10");
  expect(status).toBe(0);
  expect(stderr).toBe("menios: no region covered 0x10\n");
});

test("what is no address is refused", () => {
  const { stderr, status } = run("--engine", "jit", "--dump-jit", "main");
  expect(status).toBe(125);
  expect(stderr).toContain("expected a hexadecimal address");
});
