/** V8's code cache of the command line (docs/decisions/0005-start-up.md): the first run writes it, and V8 takes what it wrote in every later one, whatever flags were set
 *  meanwhile (bin/menios.js). A cache that V8 refuses is written anew at the run's end, which shows in the files. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "menios-cli-"));
const program = (name: string): string => join(root, "user/bin", name);

beforeAll(() => {
  if (!existsSync(join(root, "dist/cli.cjs"))) throw new Error('dist is missing: run "npm run build"');
  for (const folder of ["bin", "dist"]) cpSync(join(root, folder), join(copy, folder), { recursive: true });
  cpSync(join(root, "package.json"), join(copy, "package.json"));
  for (const name of caches()) rmSync(join(copy, "dist", name));
});
afterAll(() => rmSync(copy, { recursive: true }));

function caches(): string[] {
  return readdirSync(join(copy, "dist")).filter((name) => name.endsWith(".cache")).sort();
}
/** What a new file of the same name would change. */
function identities(): string[] {
  return caches().map((name) => {
    const { ino, mtimeMs } = statSync(join(copy, "dist", name));
    return `${name} ${ino} ${mtimeMs}`;
  });
}
function run(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [join(copy, "bin/menios.js"), "run", ...args], { encoding: "utf8", env: { PATH: process.env["PATH"] } });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

test("one run writes a cache of each script that it loads, and no later run another", () => {
  run("--engine", "jit", program("selftest"));
  const written = identities();
  expect(caches().map((name) => name.replace(/-.*/, ""))).toEqual(["cli", "instructions"]);
  run(program("hello"));
  run("--engine", "jit", program("selftest"));
  expect(identities()).toEqual(written);
});
