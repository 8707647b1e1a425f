/** The plain reading of a command line and commander's must agree. */
import { describe, expect, test } from "vitest";
import { plainRun, type RunOptions } from "./options.ts";
import { parse } from "./usage.ts";

async function byCommander(argv: readonly string[]): Promise<RunOptions | undefined> {
  let seen: RunOptions | undefined;
  await parse(argv, "0", {
    run: async (options) => {
      seen = options;
    },
    demo: async () => {},
  });
  return seen;
}

describe("a plain command line means what commander takes it for", () => {
  for (const line of [
    "hello", "run hello", "run hello --strace -x", "--memory 64M hello a b", "run --memory=1.5G --env A=1 --env B=x=y hello", "run run",
    "run --strace --stats=out.txt --report-faults hello", "run --abi menios --engine jit --deterministic hello --engine x",
    "run --mount /a:/b --mount /c:/d:rw --root / --cwd /tmp --timeout 2.5 --trace t.json prog -- --x", "run --cwd --odd hello", "run --engine jit --dump-jit 0x401000 --dump-jit=7fff hello", "run hello --help",
  ]) {
    test(line, async () => {
      const argv = line.split(" ");
      expect(plainRun(argv)).toBeDefined();
      expect(plainRun(argv)).toEqual(await byCommander(argv));
    });
  }
});

test("help, commands, mistakes and -- are left to commander", () => {
  for (const line of ["", "demo", "help run", "--version", "-h", "run", "run --help x", "run --memory lots x", "run --dump-jit main x", "run --abi bsd x", "run --nothing x", "run -- x", "run --env X x",
    "run --deterministic=1 x", "run --timeout", "run -x"]) {
    expect(plainRun(line === "" ? [] : line.split(" ")), line).toBeUndefined();
  }
});
