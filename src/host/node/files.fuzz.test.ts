/** Random sequences of file operations, run natively and on each of our filesystems: same results, same trees.
 *
 *  The seed is fixed; FS_FUZZ_SEED and FS_FUZZ_ROUNDS run others. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { errnoByName, errnoName } from "../../abi/linux/errno.ts";
import { O_APPEND, O_CREAT, O_WRONLY } from "../../abi/linux/fcntl.ts";
import { S_IFMT } from "../../abi/linux/stat.ts";
import { HostDir } from "../../fs/hostdir/hostdir.ts";
import { Overlay } from "../../fs/overlay/overlay.ts";
import { DelayedProvider } from "../../fs/providers/delayed.ts";
import { MemoryProvider } from "../../fs/providers/memory.ts";
import { makeSteps, runStep, type Step } from "../../fs/test-steps.ts";
import type { FileProvider } from "../../fs/provider.ts";
import { testWorld, type World } from "../../fs/test-world.ts";
import { settled } from "../../fs/wait.ts";
import { Tmpfs } from "../../fs/tmpfs/tmpfs.ts";
import { NodeDirectory } from "./files.ts";

const SEED = Number(process.env.FS_FUZZ_SEED ?? 20_260_101);
const ROUNDS = Number(process.env.FS_FUZZ_ROUNDS ?? 4);
const STEPS = 250;

/** What is there before the first operation: made by operations, except where it is an overlay's lower layer. */
const LOWER = { "a/a/a": "one", "a/a/b": "y".repeat(5000), "a/b": "two", b: "three", "c/c": "", "c/a": { target: "b" } };
const BEFORE: readonly Step[] = [
  { op: "mkdir", path: "a" }, { op: "mkdir", path: "a/a" }, { op: "mkdir", path: "c" },
  ...(["a/a/a", "a/a/b", "a/b", "b", "c/c"] as const).map((path): Step => ({ op: "open", path, flags: O_WRONLY | O_CREAT, offset: 0, data: LOWER[path] })),
  { op: "symlink", path: "c/a", target: "b" },
];

/** One filesystem under test: a result as text, errors by name. */
interface Subject {
  readonly name: string;
  run(step: Step): string | Promise<string>;
}

function native(root: string): Subject {
  const at = (path: string): string => `${root}/${path}`;
  const describe = (s: fs.Stats): string => `${(s.mode & S_IFMT).toString(8)} ${s.isDirectory() ? 0 : s.size} ${s.nlink}`;
  const act = (step: Step): string => {
    switch (step.op) {
      case "open": {
        const fd = fs.openSync(at(step.path), step.flags, 0o644);
        try {
          if ((step.flags & 3) === 0) return "opened";
          return String(fs.writeSync(fd, Buffer.from(step.data), 0, step.data.length, step.flags & O_APPEND ? null : step.offset));
        } finally {
          fs.closeSync(fd);
        }
      }
      case "read": return fs.readFileSync(at(step.path), "latin1");
      case "mkdir": fs.mkdirSync(at(step.path), 0o755); return "0";
      case "rmdir": fs.rmdirSync(at(step.path)); return "0";
      case "unlink": fs.unlinkSync(at(step.path)); return "0";
      case "stat": return describe(fs.statSync(at(step.path)));
      case "lstat": return describe(fs.lstatSync(at(step.path)));
      case "readlink": return fs.readlinkSync(at(step.path));
      case "list": return fs.readdirSync(at(step.path)).sort().join(",");
      case "truncate": fs.truncateSync(at(step.path), step.size); return "0";
      case "rename": fs.renameSync(at(step.path), at(step.to)); return "0";
      case "link": fs.linkSync(at(step.path), at(step.to)); return "0";
      case "symlink": fs.symlinkSync(step.target, at(step.path)); return "0";
    }
  };
  return {
    name: "native",
    run(step) {
      try {
        return act(step);
      } catch (error) {
        return errnoName(errnoByName((error as NodeJS.ErrnoException).code ?? "") ?? 0);
      }
    },
  };
}

const scratch: string[] = [];
function directory(): string {
  const made = fs.mkdtempSync(join(tmpdir(), "menios-fuzz-"));
  scratch.push(made);
  return made;
}
afterAll(() => {
  for (const made of scratch) fs.rmSync(made, { recursive: true, force: true });
});

test(`tmpfs, overlay and host directory do what the host kernel does (seed ${SEED})`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const provider = new NodeDirectory(directory(), { writable: true });
    const writable = { access: "write-through" } as const;
    const memory = (): MemoryProvider => new MemoryProvider({}, { writable: true });
    const overlay = (lower: FileProvider): World => testWorld((context) => new Overlay(context, new HostDir(context, lower, { access: "read-only" })));
    const worlds: Readonly<Record<string, World>> = {
      tmpfs: testWorld((context) => new Tmpfs(context, { mode: 0o755 })),
      "host directory": testWorld((context) => new HostDir(context, provider, writable)),
      "memory provider": testWorld((context) => new HostDir(context, memory(), writable)),
      "late provider": testWorld((context) => new HostDir(context, new DelayedProvider(memory()), writable)),
      "empty overlay": overlay(new MemoryProvider()),
      overlay: overlay(new MemoryProvider(LOWER)),
      "late overlay": overlay(new DelayedProvider(new MemoryProvider(LOWER))),
    };
    const reference = native(directory());
    for (const step of BEFORE) {
      reference.run(step);
      for (const [name, { walk }] of Object.entries(worlds)) if (!(name === "overlay" || name === "late overlay")) await runStep(walk, step);
    }
    for (const { walk } of Object.values(worlds)) await settled(() => walk.root.dentry.inode.refresh());
    const subjects: Subject[] = Object.entries(worlds).map(([name, { walk }]) => ({ name, run: (step) => runStep(walk, step) }));
    for (const [index, step] of makeSteps(SEED + round, STEPS).entries()) {
      const wanted = await reference.run(step);
      for (const subject of subjects) {
        const got = await subject.run(step);
        if (got !== wanted) {
          const where = `round ${round} step ${index} on ${subject.name}: ${JSON.stringify(step).slice(0, 120)}`;
          expect(`${where} → ${got.slice(0, 80)}`).toBe(`${where} → ${wanted.slice(0, 80)}`);
        }
      }
    }
    for (const { mounts, context } of Object.values(worlds)) {
      for (const filesystem of mounts.filesystems()) filesystem.destroy();
      expect([context.frames.used, context.budget.frames, context.budget.inodes]).toEqual([0, 0, 0]);
    }
    expect(provider.descriptors).toBe(0);
  }
});
