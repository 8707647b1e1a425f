/** The guests once more, with a page source that blocks on every first access (test/machine/late-pages.ts): output, exit and
 *  leaks stay the same. A part drawn by the day's seed; `npm run test:blocking` runs all of it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { buildAllLinux } from "../../scripts/build-user.mjs";
import { seedOfToday } from "../machine/run.ts";
import { PAGES } from "../machine/late-pages.ts";
import { expectSame, runGuest } from "./harness.ts";
import { compareScript, shells } from "./shells.ts";

/** Nothing but computing, which pages cannot disturb: for the full run. */
const LONG = ["printf_floats", "string_alignment", "limits_stress"];
const SCRIPTS_PER_SHELL = 7;
const SELF_TESTS = 14;

let state = seedOfToday();
/** A number below `count` (mulberry32). */
function draw(count: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let bits = Math.imul(state ^ (state >>> 15), 1 | state);
  bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
  return ((bits ^ (bits >>> 14)) >>> 0) % count;
}
function some<T>(all: readonly T[], count: number): T[] {
  const rest = [...all];
  return Array.from({ length: Math.min(count, all.length) }, () => rest.splice(draw(rest.length), 1)[0]);
}

const programs = await buildAllLinux("linux");
const bin = fileURLToPath(new URL("../../user/bin/", import.meta.url));
const selfTests = [...readFileSync(fileURLToPath(new URL("../../user/selftest/main.c", import.meta.url)), "utf8").split("#define DECLARE")[0]
  .matchAll(/_\((\w+)\)/g)].map((match) => match[1]);

// In the full run everything is late already.
describe.runIf(PAGES === "at once")(`every first access blocks (MENIOS_SEED=${seedOfToday()})`, () => {
  for (const name of new Set(programs.map((program) => program.name))) {
    const builds = programs.filter((program) => program.name === name);
    const { path, libc } = builds[draw(builds.length)];
    test.skipIf(LONG.includes(name))(`${name}, ${libc}`, async () => {
      await expectSame({ program: path, pages: "later" });
    });
  }
  for (const shell of shells) {
    for (const [name, script] of some(Object.entries(shell.scripts), SCRIPTS_PER_SHELL)) {
      test(`${shell.name}: ${name}`, async () => {
        await compareScript(shell, script, "/tmp/menios.work.later", "later");
      });
    }
  }
  for (const name of some(selfTests, SELF_TESTS)) {
    test(`self-test ${name.replaceAll("_", " ")}`, async () => {
      const { stdout, leaks } = await runGuest({ program: `${bin}selftest`, args: [name], env: { PATH: "/bin" }, pages: "later" });
      expect({ stdout, leaks }).toEqual({ stdout: `ok ${name}\n`, leaks: [] });
    });
  }
  test("the demo", async () => {
    const plain = await runGuest({ program: `${bin}demo`, env: { PATH: "/bin" } });
    const late = await runGuest({ program: `${bin}demo`, env: { PATH: "/bin" }, pages: "later" });
    // How many pages of the file were read along with the wanted one shows in its list of mappings.
    const story = (text: string): string => text.replace(/\d+ pages present {2}demo$/gm, "demo");
    expect({ stdout: story(late.stdout), status: late.status, leaks: late.leaks }).toEqual({ stdout: story(plain.stdout), status: 0, leaks: [] });
  });
});
