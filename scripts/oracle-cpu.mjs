/** `npm run oracle:cpu [-- options]`: the CPU oracle at full length (test/oracle/cpu/main.ts has the options).
 *  Builds the WebAssembly modules first, so that what is compared is what the sources say. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const args of [["scripts/build-helpers.mjs"], ["--import", "tsx", "test/oracle/cpu/main.ts", ...process.argv.slice(2)]]) {
  const { status, signal } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? (signal === null ? 1 : 128));
}
