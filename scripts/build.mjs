/** Builds everything `npm ci` leaves behind: dist/helpers.wasm, dist/cold.wasm and the bundled package with its types. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function step(name, command, args) {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) {
    process.stderr.write(`${stdout ?? ""}${stderr ?? ""}build: ${name} failed${error ? `: ${error.message}` : ""}\n`);
    process.exit(1);
  }
  if (process.env.MENIOS_BUILD_VERBOSE) process.stdout.write(`${stdout}build: ${name} ${Math.round(performance.now() - started)} ms\n`);
}

const wasmOnly = process.argv.includes("--wasm");
step("helpers.wasm", process.execPath, ["scripts/build-helpers.mjs"]);
step("cold.wasm", process.execPath, ["--import", "tsx", "scripts/build-cold.ts"]);
if (!wasmOnly) {
  // Chunk names carry hashes: what an earlier build left would stay for ever.
  const dist = `${root}dist`;
  if (existsSync(dist)) for (const name of readdirSync(dist)) if (/\.(js|d\.ts)$/.test(name)) rmSync(`${dist}/${name}`);
}
if (!wasmOnly) step("package", process.execPath, ["node_modules/tsdown/dist/run.mjs", "--silent"]);
