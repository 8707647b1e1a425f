/** Before any test: the Wasm modules are those of the sources under test. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export default function setup(): void {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/build.mjs", "--wasm"], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`building the Wasm modules failed:\n${stdout}${stderr}`);
}
