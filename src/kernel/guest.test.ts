/** Small programs that run on the host's kernel and on ours: the same output, the same end, and nothing left behind. They run
 *  twice here: with pages at hand, and with pages that all come later. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { MemoryProvider } from "../fs/providers/memory.ts";
import { nodeHost } from "../host/node/clock.ts";
import { nodeCpuModules } from "../host/node/modules.ts";
import { Machine } from "../machine.ts";
import { holdPagesBack, type Pages, providerFor } from "../../test/machine/late-pages.ts";
import { checkAddressSpace } from "../vm/check.ts";

const guests = fileURLToPath(new URL("./guests/", import.meta.url));
const built = mkdtempSync(join(tmpdir(), "menios-guests-"));

function build(name: string): string {
  const program = join(built, name);
  execFileSync("gcc", ["-O1", "-nostdlib", "-static", "-fno-stack-protector", "-fno-builtin", "-w", "-I", guests, "-o", program, join(guests, `${name}.c`)]);
  return program;
}

function onHost(program: string): { output: string[]; status: number } {
  const { stdout, status, signal } = spawnSync(program, [], { encoding: "latin1", env: {}, cwd: built });
  if (signal !== null) throw new Error(`killed by ${signal} on the host`);
  return { output: stdout.split("\n"), status: status ?? -1 };
}

async function onMenios(program: string, pages: Pages): Promise<{ output: string[]; status: number; leaks: readonly string[] }> {
  let output = "";
  const provider = new MemoryProvider({ program: { content: readFileSync(program), mode: 0o755 } });
  const machine = await Machine.create({
    host: nodeHost, modules: nodeCpuModules(), memory: 128 << 20, program: "/program", cwd: "/tmp", deterministic: true,
    files: { root: providerFor(pages, provider) },
    stdout: { write: (bytes) => ((output += Buffer.from(bytes).toString("latin1")), true), drained: (resume) => resume() },
  });
  machine.kernel.afterEntry = (task) => {
    if (task.state !== "dead") checkAddressSpace(task.image.space);
  };
  if (pages === "later") holdPagesBack(machine);
  const { status, leaks } = await machine.run();
  return { output: output.split("\n"), status, leaks };
}

for (const name of ["signals", "interrupt", "processes", "threads", "resources"]) {
  test(`${name}: prints and ends as on the host, and leaves nothing behind`, async () => {
    const program = build(name);
    const expected = { ...onHost(program), leaks: [] };
    expect(await onMenios(program, "at once")).toEqual(expected);
    expect(await onMenios(program, "later")).toEqual(expected);
  });
}
