/** Programs that make one call after another and print each result: on the host's kernel and on ours, line by line the same,
 *  and nothing is left when they are done. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ColdCpu } from "../../cpu/cold/engine.ts";
import "../../cpu/instructions/index.ts";
import { makeDevfs } from "../../fs/devfs/devfs.ts";
import { KERNEL_CALLER } from "../../fs/vfs/credentials.ts";
import type { Location } from "../../fs/vfs/location.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import { makeDirectory } from "../../fs/vfs/tree.ts";
import { nodeCpuModules } from "../../host/node/modules.ts";
import { TestWorld } from "../test-world.ts";

const guests = fileURLToPath(new URL("./guests/", import.meta.url));
const built = mkdtempSync(join(tmpdir(), "menios-calls-"));
const uid = process.getuid?.() ?? 0;

function build(name: string): string {
  const program = join(built, name);
  execFileSync("gcc", ["-O1", "-static", "-w", "-o", program, join(guests, `${name}.c`)]);
  return program;
}

/** The host's limit of descriptors is made the guest's, because both show through dup2. */
const onHost = (program: string): string =>
  execFileSync("/bin/sh", ["-c", `ulimit -n 1024; exec ${program} </dev/null 2>/dev/null`], { encoding: "latin1", env: {}, timeout: 30_000 });

function onMenios(program: string): { output: string; status: number; leaks: string[]; frames: number } {
  const world = new TestWorld((ram, mmu) => new ColdCpu(ram, mmu, nodeCpuModules()), { uid });
  const { kernel } = world;
  const before = kernel.frames.used;
  const { root } = kernel.mounts;
  const walk = { context: kernel.fs, root, base: root, caller: KERNEL_CALLER };
  makeDirectory(walk, "/tmp", 0o777);
  makeDirectory(walk, "/dev", 0o755);
  kernel.mounts.mount(makeDevfs(kernel.fs, null, { uid, gid: uid }), resolve(walk, "/dev") as Location);
  world.write("/program", readFileSync(program));
  const started = world.start("/program", ["/program"]);
  if (typeof started === "number") throw new Error(`start: ${started}`);
  const word = world.run();
  const leaks = kernel.leakReport();
  for (const filesystem of kernel.mounts.filesystems()) filesystem.destroy();
  return { output: world.output, status: word, leaks, frames: kernel.frames.used - before };
}

for (const file of readdirSync(guests).filter((name) => name.endsWith(".c"))) {
  const name = file.slice(0, -2);
  test(`${name}: every result and errno is the host's`, () => {
    const program = build(name);
    const expected = onHost(program);
    const actual = onMenios(program);
    expect(actual.output.split("\n")).toEqual(expected.split("\n"));
    expect(actual.status).toBe(0);
    expect(actual.leaks).toEqual([]);
    expect(actual.frames).toBe(0);
  });
}
