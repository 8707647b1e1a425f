/** `npm test`: everything the project claims, from a fresh checkout. Ends with `N passed, N failed` alone on a line.
 *
 *  Steps: Debian packages the tests need (installed when allowed) → types → lint → build → publint → vitest. A failed step counts as one failure. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const results = `${root}.tmp/vitest.json`;
let passed = 0;
let failed = 0;

function run(name, args) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
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
rmSync(results, { force: true });
const tests = await run("tests", ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${results}`, ...process.argv.slice(2)]);
if (existsSync(results)) {
  const report = JSON.parse(readFileSync(results, "utf8"));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  // A test file that does not load has no tests to count.
  failed += report.testResults.filter((file) => file.status === "failed" && file.assertionResults.every((a) => a.status !== "failed")).length;
  if (!tests && failed === 0) failed++;
} else failed++;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
