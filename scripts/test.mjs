/** `npm test`: everything the project claims, from a fresh checkout. Ends with `N passed, N failed` alone on a line.
 *
 *  Steps: Debian packages the tests need (installed when allowed) → types → lint → build → publint → vitest → the guests on the other engines. A
 *  failed step counts as one failure. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const results = `${root}.tmp/vitest.json`;
/** Milliseconds for one step. */
const STEP_LIMIT = 15 * 60_000;
let passed = 0;
let failed = 0;

function run(name, args, env = {}) {
  return new Promise((resolve) => {
    const started = performance.now();
    // A group of its own: a guest that translated code never comes back from keeps its test process, which hears of nothing else, busy for ever.
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env }, detached: true });
    const end = () => process.kill(-child.pid, "SIGKILL");
    const limit = setTimeout(() => {
      console.log(`${name}: stopped after ${STEP_LIMIT / 60_000} minutes`);
      end();
    }, STEP_LIMIT);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => { end(); process.exit(1); });
    child.on("exit", () => {
      clearTimeout(limit);
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(signal);
    });
    child.on("close", (status) => {
      console.log(`${status === 0 ? "ok" : "FAILED"}: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
      resolve(status === 0);
    });
  });
}
const count = (ok) => (ok ? passed++ : failed++);

mkdirSync(`${root}.tmp`, { recursive: true });
if (existsSync(`${root}scripts/test-setup.mjs`) && !(await run("test packages", ["scripts/test-setup.mjs"]))) process.exit(1);
count(await run("types, common code", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]));
count(await run("types, node code", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.node.json"]));
count(await run("lint", ["node_modules/@biomejs/biome/bin/biome", "lint", "--diagnostic-level=error"]));
count(await run("build", ["scripts/build.mjs"]));
count(await run("package", ["node_modules/publint/src/cli.js", "--strict"]));
/** Runs test files and adds to the counts what they report. */
async function vitest(name, args, env) {
  rmSync(results, { force: true });
  const ok = await run(name, ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${results}`, ...args], env);
  if (!existsSync(results)) {
    failed++;
    return;
  }
  const report = JSON.parse(readFileSync(results, "utf8"));
  // A test file that does not load has no tests to count.
  const unloaded = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.every((a) => a.status !== "failed")).length;
  const bad = report.numFailedTests + unloaded;
  passed += report.numPassedTests;
  failed += !ok && bad === 0 ? 1 : bad;
}
const chosen = process.argv.slice(2);
await vitest("tests", chosen);
if (chosen.length === 0) {
  // Guest programs once more: with the JIT as it decides itself, and with everything translated when it is first met. Translating takes
  // time, so programs that race with a clock have no place in the latter (`npm run test:eager` runs all of them).
  const guests = ["allocators", "bench-programs", "shells"].map((name) => `test/guests/${name}.test.ts`);
  await vitest("guests, auto", [...guests, "test/guests/linux.test.ts", "test/guests/menios.test.ts"], { MENIOS_ENGINE: "auto" });
  await vitest("guests, translated eagerly", guests, { MENIOS_ENGINE: "eager" });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
