/** Random file operations for comparing filesystems with each other and with the host kernel. */
import { errnoName } from "../abi/linux/errno.ts";
import { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from "../abi/linux/fcntl.ts";
import { emptyStat, S_IFMT } from "../abi/linux/stat.ts";
import { bytesToString } from "./names.ts";
import { text } from "./test-world.ts";
import { BufferSink, type BufferSource } from "./transfer.ts";
import { readLink, stat, truncate } from "./vfs/attributes.ts";
import { resolve, type Walk } from "./vfs/namei.ts";
import { open } from "./vfs/open.ts";
import type { OpenFile } from "./vfs/open-file.ts";
import { makeDirectory, makeLink, makeSymlink, removeDirectory, rename, unlink } from "./vfs/tree.ts";
import { settled } from "./wait.ts";

export type Step =
  | { op: "open"; path: string; flags: number; offset: number; data: string }
  | { op: "read" | "mkdir" | "rmdir" | "unlink" | "stat" | "lstat" | "readlink" | "list"; path: string }
  | { op: "truncate"; path: string; size: number }
  | { op: "rename" | "link"; path: string; to: string }
  | { op: "symlink"; path: string; target: string };

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

/** @param count how many operations */
export function makeSteps(seed: number, count: number): Step[] {
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
  for (let i = 0; i < count; i++) {
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

/** Runs a step on our own files, waiting wherever it blocks: the result as text, errors by name. */
export async function runStep(walk: Walk, step: Step): Promise<string> {
  const told = (result: number | string): string => (typeof result === "number" && result < 0 ? errnoName(-result) : String(result));
  const opened = async (path: string, flags: number, use: (file: OpenFile) => Promise<number | string>): Promise<string> => {
    const file = await settled(() => open(walk, path, flags, 0o644));
    if (typeof file === "number") return told(file);
    const result = await use(file);
    file.release();
    return told(result);
  };
  const described = async (path: string, follow: boolean): Promise<string> => {
    const s = emptyStat();
    const result = await settled(() => stat(walk, path, s, { follow }));
    return result < 0 ? told(result) : `${(s.mode & S_IFMT).toString(8)} ${(s.mode & S_IFMT) === 0o040000 ? 0 : s.size} ${s.nlink}`;
  };
  switch (step.op) {
    case "open":
      return opened(step.path, step.flags, async (file) => {
        if ((step.flags & 3) === 0) return "opened";
        const source: BufferSource = text(step.data);
        return settled(() => (step.flags & O_APPEND ? file.write(source) : file.writeAt(source, step.offset)));
      });
    case "read":
      return opened(step.path, O_RDONLY, async (file) => {
        const sink = new BufferSink(100_000);
        const result = await settled(() => file.read(sink));
        return result < 0 ? result : bytesToString(sink.received());
      });
    case "mkdir": return told(await settled(() => makeDirectory(walk, step.path, 0o755)));
    case "rmdir": return told(await settled(() => removeDirectory(walk, step.path)));
    case "unlink": return told(await settled(() => unlink(walk, step.path)));
    case "stat": return described(step.path, true);
    case "lstat": return described(step.path, false);
    case "readlink": return told(await settled(() => readLink(walk, step.path)));
    case "list":
      return opened(step.path, O_RDONLY | O_DIRECTORY, async (file) => {
        const names: string[] = [];
        const result = await settled(() => file.getdents((entry) => names.push(entry) > 0));
        return result < 0 ? result : names.filter((entry) => entry !== "." && entry !== "..").sort().join(",");
      });
    case "truncate": return told(await settled(() => truncate(walk, step.path, step.size)));
    case "rename": return told(await settled(() => rename(walk, step.path, walk, step.to, 0)));
    case "link":
      return told(
        await settled(() => {
          const existing = resolve(walk, step.path, { follow: false });
          return typeof existing === "number" ? existing : makeLink(walk, existing, step.to);
        }),
      );
    case "symlink": return told(await settled(() => makeSymlink(walk, step.target, step.path)));
  }
}
