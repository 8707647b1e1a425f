/** Programs that make one call after another and print each result: on the host's kernel and on ours, line by line the same,
 *  and nothing is left when they are done. Once with pages that are there at once, and once with a source that makes every
 *  page and every look-up wait, so that each access to the program's memory parks the call and it is made again. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { MemoryProvider } from "../../fs/providers/memory.ts";
import { nodeHost } from "../../host/node/clock.ts";
import { nodeCpuModules } from "../../host/node/modules.ts";
import { Machine, type MachineResult } from "../../machine.ts";
import { holdPagesBack, type Pages, providerFor } from "../../../test/machine/late-pages.ts";

const guests = fileURLToPath(new URL("./guests/", import.meta.url));
const built = mkdtempSync(join(tmpdir(), "menios-calls-"));
const uid = process.getuid?.() ?? 0;

const programs = new Map<string, { readonly content: Uint8Array; readonly expected: string }>();

/** Builds a program and runs it here, once. The host's limit of descriptors is made the guest's, as both show through dup2. */
function prepare(name: string): { readonly content: Uint8Array; readonly expected: string } {
  let prepared = programs.get(name);
  if (prepared === undefined) {
    const program = join(built, name);
    execFileSync("gcc", ["-O1", "-static", "-w", "-o", program, join(guests, `${name}.c`)]);
    const expected = execFileSync("/bin/sh", ["-c", `ulimit -n 1024; exec ${program} </dev/null 2>/dev/null`], { encoding: "latin1", env: {}, timeout: 30_000 });
    prepared = { content: readFileSync(program), expected };
    programs.set(name, prepared);
  }
  return prepared;
}

async function onMenios(content: Uint8Array, pages: Pages): Promise<{ output: string; result: MachineResult }> {
  let output = "";
  const files = new MemoryProvider({ program: { content, mode: 0o755 } });
  const machine = await Machine.create({
    host: nodeHost, modules: nodeCpuModules(), memory: 64 << 20, program: "/program", deterministic: true, uid, gid: uid,
    files: { root: providerFor(pages, files) },
    stdout: {
      write(bytes) {
        output += Buffer.from(bytes).toString("latin1");
        return true;
      },
      drained: (resume) => resume(),
    },
  });
  if (pages === "later") holdPagesBack(machine);
  return { result: await machine.run(), output };
}

const names = readdirSync(guests).filter((file) => file.endsWith(".c")).map((file) => file.slice(0, -2));
for (const pages of ["at once", "later"] as const) {
  describe(`with pages that are ${pages === "at once" ? "there at once" : "awaited"}`, () => {
    test.each(names)("%s: every result and errno is the host's", async (name) => {
      const { content, expected } = prepare(name);
      const { output, result } = await onMenios(content, pages);
      expect(output.split("\n")).toEqual(expected.split("\n"));
      expect(result).toMatchObject({ status: 0, leaks: [] });
    });
  });
}
