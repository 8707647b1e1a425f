/** `menios demo` (npm start): the bundled demo, what it did to its memory, and how to go on. */
import { fileURLToPath } from "node:url";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { byteStringOf } from "../fs/names.ts";
import { nodeHost } from "../host/node/clock.ts";
import { NodeDirectory } from "../host/node/files.ts";
import { nodeCpuModules } from "../host/node/modules.ts";
import { StreamOutput } from "../host/node/streams.ts";
import { Machine } from "../machine.ts";
import { statsText } from "../trace/stats.ts";
import { CliError } from "./run.ts";

const PLACES = ["../user/bin/demo", "../../user/bin/demo"];

export async function demo(): Promise<number> {
  const path = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((p) => existsSync(p));
  if (path === undefined) throw new CliError("the bundled demo is missing");
  const stdout = new StreamOutput(process.stdout);
  process.stdout.write("The meniOS demo, a static x86-64 ELF program that speaks int 0x80:\n\n");
  const machine = await Machine.create({
    host: nodeHost,
    modules: nodeCpuModules(),
    program: "/bin/demo",
    files: { grafts: [{ path: byteStringOf("/bin"), provider: new NodeDirectory(dirname(path)), source: "" }] },
    stdout,
    stderr: stdout,
    deterministic: true,
  });
  const { status, stats } = await machine.run();
  await stdout.flushed();
  process.stdout.write(`\nWhat happened in its memory:\n\n${statsText(stats).replace(/^/gm, "  ").trimEnd()}\n`);
  process.stdout.write(`
Run a program of your own (static, or dynamic with --root DIR):

  node bin/menios.js run ./program args…
  node bin/menios.js run --strace --stats ./program
  node bin/menios.js run --trace trace.json ./program     (open it in ui.perfetto.dev)
`);
  return status;
}
