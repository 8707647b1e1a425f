/** Random sequences of file operations, run natively and on each of our filesystems: same results, same trees.
 *
 *  The seed is fixed; FS_FUZZ_SEED and FS_FUZZ_ROUNDS run others. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { errnoByName, errnoName } from "../../abi/linux/errno.ts";
import { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from "../../abi/linux/fcntl.ts";
import { emptyStat, S_IFMT } from "../../abi/linux/stat.ts";
import { HostDir } from "../../fs/hostdir/hostdir.ts";
import { bytesToString } from "../../fs/names.ts";
import { Overlay } from "../../fs/overlay/overlay.ts";
import { MemoryProvider } from "../../fs/providers/memory.ts";
import { testWorld, text, type World } from "../../fs/test-world.ts";
import { Tmpfs } from "../../fs/tmpfs/tmpfs.ts";
import { BufferSink } from "../../fs/transfer.ts";
import { readLink, stat, truncate } from "../../fs/vfs/attributes.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import { open } from "../../fs/vfs/open.ts";
import { makeDirectory, makeLink, makeSymlink, removeDirectory, rename, unlink } from "../../fs/vfs/tree.ts";
import { NodeDirectory } from "./files.ts";

const SEED = Number(process.env.FS_FUZZ_SEED ?? 20_260_101);
const ROUNDS = Number(process.env.FS_FUZZ_ROUNDS ?? 6);
const STEPS = 250;

type Step =
  | { op: "open"; path: string; flags: number; offset: number; data: string }
  | { op: "read" | "mkdir" | "rmdir" | "unlink" | "stat" | "lstat" | "readlink" | "list"; path: string }
  | { op: "truncate"; path: string; size: number }
  | { op: "rename" | "link"; path: string; to: string }
  | { op: "symlink"; path: string; target: string };

/** One filesystem under test: a result as text, errors by name. */
interface Subject {
  readonly name: string;
  run(step: Step): string;
}

function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % below;
  };
}

function makeSteps(seed: number): Step[] {
  const pick = random(seed);
  const of = <T>(items: readonly T[]): T => items[pick(items.length)];
  const names = ["a", "b", "c"];
  const path = (): string => {
    const parts = [of(names)];
    while (pick(3) > 0 && parts.length < 4) parts.push(of([...names, ...names, "."]));
    return parts.join("/") + (pick(12) === 0 ? "/" : "");
  };
  const flags = [
    O_RDONLY, O_RDWR, O_WRONLY | O_CREAT, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL, O_WRONLY | O_CREAT | O_TRUNC, O_RDWR | O_CREAT | O_APPEND,
    O_RDONLY | O_DIRECTORY, O_RDWR | O_NOFOLLOW, O_RDONLY | O_TRUNC, O_RDONLY | O_CREAT,
  ];
  const steps: Step[] = [];
  for (let i = 0; i < STEPS; i++) {
    switch (pick(16)) {
      case 0: case 1: case 2: case 3:
        steps.push({ op: "open", path: path(), flags: of(flags), offset: of([0, 1, 4095, 4096, 5000, 20_000]), data: of(["x", "hello", "y".repeat(5000)]) });
        break;
      case 4: case 5: case 6:
        steps.push({ op: "mkdir", path: path() });
        break;
      case 7: case 8:
        steps.push({ op: "rename", path: path(), to: path() });
        break;
      case 9:
        steps.push({ op: "link", path: path(), to: path() });
        break;
      case 10:
        steps.push({ op: "symlink", path: path(), target: of(["a", "b", "c", "a/b", "c/a", "b/", "."]) });
        break;
      case 11:
        steps.push({ op: "truncate", path: path(), size: of([0, 3, 4096, 6000, 12_345]) });
        break;
      default:
        steps.push({ op: of(["read", "rmdir", "unlink", "stat", "lstat", "readlink", "list"] as const), path: path() });
    }
  }
  return steps;
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

function ours(name: string, { walk }: World): Subject {
  const told = (result: number | string): string => (typeof result === "number" && result < 0 ? errnoName(-result) : String(result));
  const opened = (path: string, flags: number, use: (file: Exclude<ReturnType<typeof open>, number>) => number | string): string => {
    const file = open(walk, path, flags, 0o644);
    if (typeof file === "number") return told(file);
    const result = use(file);
    file.release();
    return told(result);
  };
  const described = (path: string, follow: boolean): string => {
    const s = emptyStat();
    const result = stat(walk, path, s, { follow });
    return result < 0 ? told(result) : `${(s.mode & S_IFMT).toString(8)} ${(s.mode & S_IFMT) === 0o040000 ? 0 : s.size} ${s.nlink}`;
  };
  const run = (step: Step): string => {
    switch (step.op) {
      case "open":
        return opened(step.path, step.flags, (file) => {
          if ((step.flags & 3) === 0) return "opened";
          return step.flags & O_APPEND ? file.write(text(step.data)) : file.writeAt(text(step.data), step.offset);
        });
      case "read":
        return opened(step.path, O_RDONLY, (file) => {
          const sink = new BufferSink(100_000);
          const result = file.read(sink);
          return result < 0 ? result : bytesToString(sink.received());
        });
      case "mkdir": return told(makeDirectory(walk, step.path, 0o755));
      case "rmdir": return told(removeDirectory(walk, step.path));
      case "unlink": return told(unlink(walk, step.path));
      case "stat": return described(step.path, true);
      case "lstat": return described(step.path, false);
      case "readlink": return told(readLink(walk, step.path));
      case "list":
        return opened(step.path, O_RDONLY | O_DIRECTORY, (file) => {
          const names: string[] = [];
          const result = file.getdents((entry) => names.push(entry) > 0);
          return result < 0 ? result : names.filter((entry) => entry !== "." && entry !== "..").sort().join(",");
        });
      case "truncate": return told(truncate(walk, step.path, step.size));
      case "rename": return told(rename(walk, step.path, walk, step.to, 0));
      case "link": {
        const existing = resolve(walk, step.path, { follow: false });
        return told(typeof existing === "number" ? existing : makeLink(walk, existing, step.to));
      }
      case "symlink": return told(makeSymlink(walk, step.target, step.path));
    }
  };
  return { name, run };
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

test(`tmpfs, overlay and host directory do what the host kernel does (seed ${SEED})`, () => {
  for (let round = 0; round < ROUNDS; round++) {
    const provider = new NodeDirectory(directory(), { writable: true });
    const worlds = [
      testWorld((context) => new Tmpfs(context, { mode: 0o755 })),
      testWorld((context) => new Overlay(context, new HostDir(context, new MemoryProvider(), { access: "read-only" }))),
      testWorld((context) => new HostDir(context, provider, { access: "write-through" })),
    ];
    const reference = native(directory());
    const subjects = ["tmpfs", "overlay", "hostdir"].map((name, i) => ours(name, worlds[i]));
    const steps = makeSteps(SEED + round);
    steps.forEach((step, index) => {
      const wanted = reference.run(step);
      for (const subject of subjects) {
        const got = subject.run(step);
        if (got !== wanted) {
          const where = `round ${round} step ${index} on ${subject.name}: ${JSON.stringify(step)}`;
          expect(`${where} → ${got.slice(0, 80)}`).toBe(`${where} → ${wanted.slice(0, 80)}`);
        }
      }
    });
    for (const { mounts, context } of worlds) {
      for (const filesystem of mounts.filesystems()) filesystem.destroy();
      expect([context.frames.used, context.budget.frames, context.budget.inodes]).toEqual([0, 0, 0]);
    }
    expect(provider.descriptors).toBe(0);
  }
});
