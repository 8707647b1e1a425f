/** Programs of the meniOS libc: the demo, the self-tests by name, the libc against the host's, mimalloc on top of it. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { buildConformance, buildMenios, checkCheckedIn } from "../../scripts/build-user.mjs";
import { runGuest, runNative } from "./harness.ts";

const bin = fileURLToPath(new URL("../../user/bin/", import.meta.url));
const selftestSources = fileURLToPath(new URL("../../user/selftest/main.c", import.meta.url));
const haveGcc = spawnSync("gcc", ["--version"]).status === 0;
/** Small, so that argv and envp leave the entry stack's first page to the program. */
const env = { PATH: "/bin" };

test.runIf(haveGcc)("the checked-in programs are what their sources build", async () => {
  expect(await checkCheckedIn()).toEqual([]);
});

test("hello greets and prints its arguments", async () => {
  const { stdout, status, leaks } = await runGuest({ program: `${bin}hello`, args: ["one", "two words"] });
  expect(stdout).toBe("hello from meniOS\nargument 1: one\nargument 2: two words\n");
  expect(status).toBe(0);
  expect(leaks).toEqual([]);
});

test("the demo tells the same story in every run", async () => {
  const first = await runGuest({ program: `${bin}demo`, env });
  const second = await runGuest({ program: `${bin}demo`, env });
  expect(first.stderr).toBe("");
  expect(first.status).toBe(0);
  expect(second.stdout).toBe(first.stdout);
  for (const fact of [
    "100 calls deep, a page each: 100 page faults", "grown by 64 pages: 0 present", "16 touched: 16 faults, 16 present", "shrunk to 4 pages: 4 present",
    "the pages that were given back read zero", "every eighth page touched: 32 present", "it fills the hole", "SIGSEGV handled 4 times",
    "child:  0 of 32 pages are mine alone", "wrote to 4 pages: 4 faults, each a copy; 4 pages are mine alone", "ended with status 7",
    'parent: my page still says "written by the parent before fork"; 32 pages are mine alone', "here we are",
  ]) expect(first.stdout).toContain(fact);
  expect(first.leaks).toEqual([]);
});

describe("self-test", () => {
  const names = [...readFileSync(selftestSources, "utf8").split("#define DECLARE")[0].matchAll(/_\((\w+)\)/g)].map((match) => match[1]);
  for (const name of names) {
    test(name.replaceAll("_", " "), async () => {
      const { stdout, leaks } = await runGuest({ program: `${bin}selftest`, args: [name], env });
      expect(stdout).toBe(`ok ${name}\n`);
      expect(leaks).toEqual([]);
    });
  }
});

test("all self-tests in one run", async () => {
  const { stdout, stderr, status, leaks } = await runGuest({ program: `${bin}selftest`, env });
  expect(stdout.split("\n").filter((line) => !line.startsWith("ok "))).toEqual([""]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(leaks).toEqual([]);
});

describe.runIf(haveGcc)("built on the spot", () => {
  test("the self-tests hold on the host's kernel, too", async () => {
    const program = await buildMenios("selftest-linux", selftestList(), ["-DMENIOS_GATE_LINUX"]);
    const { stdout, status } = runNative({ program, env });
    expect(stdout.split("\n").filter((line) => !line.startsWith("ok "))).toEqual([""]);
    expect(status).toBe(0);
  });

  test("the self-tests hold through the syscall gate with --abi menios", async () => {
    const program = await buildMenios("selftest-syscall", selftestList(), ["-DMENIOS_GATE_SYSCALL"]);
    const { stdout, status, leaks } = await runGuest({ program, env, abi: "menios" });
    expect(stdout.split("\n").filter((line) => !line.startsWith("ok "))).toEqual([""]);
    expect(status).toBe(0);
    expect(leaks).toEqual([]);
  });

  for (const name of ["formats", "functions"]) {
    test(`the libc prints what the host's prints: ${name}`, async () => {
      const { host, menios } = await buildConformance(name);
      const args = name === "formats" ? ["1000"] : [];
      const native = runNative({ program: host, args });
      const guest = await runGuest({ program: menios, args });
      expect(guest.stdout).toBe(native.stdout);
      expect(guest.status).toBe(native.status);
      expect(guest.leaks).toEqual([]);
    });
  }
});

function selftestList(): string[] {
  return ["main", "stack", "fault", "heap", "clone", "map", "process", "signals", "system"].map((name) => `selftest/${name}.c`).filter((path) => existsSync(`${bin}../${path}`));
}
