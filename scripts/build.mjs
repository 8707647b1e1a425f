/** Builds everything `npm ci` leaves behind: dist/helpers.wasm, dist/cold.wasm and the bundled package with its types.
 *  `--wasm` stops after the Wasm modules. A module is built again only when a source it is made of has changed. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

function step(name, command, args) {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) {
    process.stderr.write(`${stdout ?? ""}${stderr ?? ""}build: ${name} failed${error ? `: ${error.message}` : ""}\n`);
    process.exit(1);
  }
  if (process.env.MENIOS_BUILD_VERBOSE) process.stdout.write(`${stdout}build: ${name} ${Math.round(performance.now() - started)} ms\n`);
}

function sourcesIn(folder) {
  return readdirSync(folder).sort().flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sourcesIn(path);
    return path.endsWith(".ts") && !path.endsWith(".test.ts") ? [path] : [];
  });
}

/** Runs `build` unless `output` was made from these very sources. */
function cached(output, folders, files, build) {
  const hash = createHash("sha256");
  for (const path of [...folders.flatMap((f) => sourcesIn(join(root, f))), ...files.map((f) => join(root, f))]) hash.update(path.slice(root.length)).update(readFileSync(path));
  const digest = hash.digest("hex");
  const note = join(dist, `${output}.sources`);
  if (existsSync(join(dist, output)) && existsSync(note) && readFileSync(note, "utf8") === digest) return;
  build();
  mkdirSync(dist, { recursive: true });
  writeFileSync(note, digest);
}

/** Gives the scripts of dist the form that bin/menios.js counts on: a function of a CommonJS module's names, in ASCII, so that V8 takes the
 *  file as it is, and first a line with its digest. */
function sealCommandLine() {
  for (const name of readdirSync(dist).filter((each) => each.endsWith(".cjs"))) {
    const path = join(dist, name);
    const ascii = readFileSync(path, "utf8").replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const digest = createHash("sha256").update(ascii).digest("hex").slice(0, 16);
    writeFileSync(path, `//${digest}\n"use strict";(function(exports,require,module,__filename,__dirname){${ascii}\n})`);
  }
}

cached("helpers.wasm", ["src/cpu/assembly"], ["src/cpu/state.ts", "src/cpu/helpers.ts", "scripts/build-helpers.mjs", "package-lock.json"], () =>
  step("helpers.wasm", process.execPath, ["scripts/build-helpers.mjs"]));
cached("cold.wasm", ["src/cpu", "src/memory"], ["scripts/build-cold.ts"], () => step("cold.wasm", process.execPath, ["--import", "tsx", "scripts/build-cold.ts"]));
if (!process.argv.includes("--wasm")) {
  // Chunk names carry hashes: what an earlier build left would stay for ever.
  for (const name of readdirSync(dist)) if (/\.(c?js|d\.ts|cache)$/.test(name)) rmSync(join(dist, name));
  step("package", process.execPath, ["node_modules/tsdown/dist/run.mjs", "--silent"]);
  sealCommandLine();
  // A program that is translated, so that the translator is in it.
  step("code cache", process.execPath, ["bin/menios.js", "run", "--engine", "jit", "user/bin/selftest"]);
}
