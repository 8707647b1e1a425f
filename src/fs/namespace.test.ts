import { expect, test } from "vitest";
import { ENOENT, EROFS } from "../abi/linux/errno.ts";
import { O_CREAT, O_RDWR } from "../abi/linux/fcntl.ts";
import { emptyStat } from "../abi/linux/stat.ts";
import { buildNamespace, type NamespaceOptions } from "./namespace.ts";
import { DelayedProvider } from "./providers/delayed.ts";
import { MemoryProvider } from "./providers/memory.ts";
import { contentOf, mustOpen, namesIn, outcome, testContext, writeText } from "./test-world.ts";
import { stat } from "./vfs/attributes.ts";
import { open } from "./vfs/open.ts";
import { settled } from "./wait.ts";

const NOTHING: NamespaceOptions = { root: null, grafts: [], mounts: [], terminal: null, system: null, owner: { uid: 1000, gid: 1000 } };
const HOST = {
  "home/me/project/a.txt": "a",
  "home/me/project/sub/b.txt": "b",
  "home/me/secret": "secret",
  "usr/bin/tool": { content: "tool", mode: 0o755 },
  "etc/passwd": "root",
};

test("the program and the current directory are visible at their own paths and nothing else of the host is", async () => {
  const context = testContext();
  const host = new MemoryProvider(HOST);
  const boot = context.frames.used;
  const { walk, destroy } = await buildNamespace(context, {
    ...NOTHING,
    grafts: [
      { path: "/home/me/project", provider: host, source: "home/me/project" },
      { path: "/usr/bin/tool", provider: host, source: "usr/bin/tool" },
    ],
  });
  expect(namesIn(walk, "/")).toEqual([".", "..", "dev", "home", "proc", "tmp", "usr"]);
  expect(namesIn(walk, "/home/me")).toEqual([".", "..", "project"]);
  expect(namesIn(walk, "/home/me/project")).toEqual([".", "..", "a.txt", "sub"]);
  expect(contentOf(walk, "/home/me/project/sub/b.txt")).toBe("b");
  expect(contentOf(walk, "/usr/bin/tool")).toBe("tool");
  expect(namesIn(walk, "/usr/bin")).toEqual([".", "..", "tool"]);
  expect(contentOf(walk, "/etc/passwd")).toBe(-ENOENT);
  expect(contentOf(walk, "/home/me/secret")).toBe(-ENOENT);
  const file = mustOpen(walk, "/home/me/project/new", O_CREAT | O_RDWR);
  writeText(file, "vanishes");
  file.release();
  expect(contentOf(walk, "/home/me/project/new")).toBe("vanishes");
  expect(outcome(host.stat("home/me/project/new"))).toBe(-ENOENT);
  const out = emptyStat();
  stat(walk, "/tmp", out);
  expect((out.mode & 0o7777).toString(8)).toBe("1777");
  destroy();
  expect(context.frames.used).toBe(boot);
  expect([context.budget.frames, context.budget.inodes]).toEqual([0, 0]);
});

test("a root directory is the guest's whole tree, with /tmp /dev /proc always there", async () => {
  const { walk } = await buildNamespace(testContext(), { ...NOTHING, root: new MemoryProvider(HOST) });
  expect(namesIn(walk, "/")).toEqual([".", "..", "dev", "etc", "home", "proc", "tmp", "usr"]);
  expect(contentOf(walk, "/etc/passwd")).toBe("root");
  expect(namesIn(walk, "/dev")).toContain("null");
});

test("a graft inside another covers it there only", async () => {
  const host = new MemoryProvider(HOST);
  const { walk } = await buildNamespace(testContext(), {
    ...NOTHING,
    grafts: [
      { path: "/", provider: host, source: "home/me/project" },
      { path: "/sub/tool", provider: host, source: "usr/bin/tool" },
    ],
  });
  expect(namesIn(walk, "/sub")).toEqual([".", "..", "b.txt", "tool"]);
  expect(contentOf(walk, "/sub/tool")).toBe("tool");
  expect(contentOf(walk, "/a.txt")).toBe("a");
});

test("mounts are read-only, under memory, or written through, as asked", async () => {
  const through = new MemoryProvider({ f: "1" }, { writable: true });
  const { walk } = await buildNamespace(testContext(), {
    ...NOTHING,
    mounts: [
      { path: "/mnt/ro", provider: new MemoryProvider({ f: "1" }), access: "read-only" },
      { path: "/mnt/over", provider: new MemoryProvider({ f: "1" }), access: "overlay" },
      { path: "/mnt/rw", provider: through, access: "write-through" },
    ],
  });
  expect(outcome(open(walk, "/mnt/ro/f", O_RDWR, 0))).toBe(-EROFS);
  for (const where of ["over", "rw"]) {
    const file = mustOpen(walk, `/mnt/${where}/f`, O_RDWR);
    writeText(file, "changed");
    file.release();
    expect(contentOf(walk, `/mnt/${where}/f`)).toBe("changed");
  }
  const file = through.open("f", "read");
  const bytes = new Uint8Array(7);
  if (typeof file !== "number") file.read(0, bytes);
  expect(String.fromCharCode(...bytes)).toBe("changed");
});

test("a root that answers later is built and read all the same", async () => {
  const { walk } = await buildNamespace(testContext(), { ...NOTHING, root: new DelayedProvider(new MemoryProvider(HOST)) });
  expect(await settled(() => contentOf(walk, "/home/me/secret"))).toBe("secret");
  const file = await settled(() => open(walk, "/home/me/secret", 0, 0));
  expect(typeof file).toBe("object");
  const out = emptyStat();
  expect(await settled(() => stat(walk, "/home/me/secret", out))).toBe(0);
  expect(out.size).toBe(6);
});
