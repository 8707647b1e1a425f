import { expect, test } from "vitest";
import { ENOENT, ENOTEMPTY } from "../../abi/linux/errno.ts";
import { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, RENAME_EXCHANGE, SEEK_SET } from "../../abi/linux/fcntl.ts";
import { emptyStat, S_IFCHR, S_IFIFO } from "../../abi/linux/stat.ts";
import { HostDir } from "../hostdir/hostdir.ts";
import { DelayedProvider } from "../providers/delayed.ts";
import { MemoryProvider } from "../providers/memory.ts";
import type { FileProvider } from "../provider.ts";
import { contentOf, mustOpen, namesIn, outcome, readText, text, testWorld, type World, writeText } from "../test-world.ts";
import { changeMode, readLink, stat, truncate } from "../vfs/attributes.ts";
import { resolve } from "../vfs/namei.ts";
import { open } from "../vfs/open.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { makeDirectory, makeNode, makeSymlink, removeDirectory, rename, unlink } from "../vfs/tree.ts";
import { BufferSink } from "../transfer.ts";
import { settled } from "../wait.ts";
import { Overlay } from "./overlay.ts";

const FILES = {
  "etc/hosts": "127.0.0.1 localhost\n",
  "etc/deep/one": "1",
  "etc/deep/two": "2",
  "bin/tool": { content: "tool", mode: 0o755 },
  big: "b".repeat(40_000),
  link: { target: "etc/hosts" },
};

function overlayWorld(provider: FileProvider = new MemoryProvider(FILES)): World {
  return testWorld((context) => new Overlay(context, new HostDir(context, provider, { access: "read-only" })));
}

test("the lower tree shows through", () => {
  const { walk } = overlayWorld();
  expect(namesIn(walk, "/")).toEqual([".", "..", "big", "bin", "etc", "link"]);
  expect(contentOf(walk, "link")).toBe("127.0.0.1 localhost\n");
  expect(readLink(walk, "link")).toBe("etc/hosts");
  const out = emptyStat();
  stat(walk, "bin/tool", out);
  expect(out.mode & 0o777).toBe(0o755);
});

test("a write stays in memory, copies one page, and every descriptor sees it", () => {
  const provider = new MemoryProvider(FILES);
  const { walk, context } = overlayWorld(provider);
  const before = mustOpen(walk, "big", O_RDONLY);
  const file = mustOpen(walk, "big", O_RDWR);
  file.seek(5000, SEEK_SET);
  expect(writeText(file, "CHANGED")).toBe(7);
  before.seek(4998, SEEK_SET);
  expect(readText(before, 11)).toBe("bbCHANGEDbb");
  expect(context.budget.frames).toBe(1);
  const lower = new Uint8Array(10);
  const below = provider.open("big", "read");
  if (typeof below !== "number") below.read(5000, lower);
  expect(lower.every((byte) => byte === 98)).toBe(true);
  for (const each of [before, file]) each.release();
  expect(contentOf(walk, "big")).toBe(`${"b".repeat(5000)}CHANGED${"b".repeat(40_000 - 5007)}`);
});

test("removed names stay removed, and can be made again", () => {
  const { walk } = overlayWorld();
  expect(unlink(walk, "etc/hosts")).toBe(0);
  expect(contentOf(walk, "etc/hosts")).toBe(-ENOENT);
  expect(namesIn(walk, "etc")).toEqual([".", "..", "deep"]);
  const file = mustOpen(walk, "etc/hosts", O_CREAT | O_EXCL | O_RDWR);
  writeText(file, "new");
  file.release();
  expect(contentOf(walk, "link")).toBe("new");
  expect(namesIn(walk, "etc")).toEqual([".", "..", "deep", "hosts"]);
  unlink(walk, "etc/hosts");
  expect(contentOf(walk, "etc/hosts")).toBe(-ENOENT);
});

test("a directory made in place of a removed one does not show the old contents", () => {
  const { walk } = overlayWorld();
  expect(removeDirectory(walk, "etc/deep")).toBe(-ENOTEMPTY);
  unlink(walk, "etc/deep/one");
  unlink(walk, "etc/deep/two");
  expect(removeDirectory(walk, "etc/deep")).toBe(0);
  expect(makeDirectory(walk, "etc/deep", 0o755)).toBe(0);
  expect(namesIn(walk, "etc/deep")).toEqual([".", ".."]);
  expect(contentOf(walk, "etc/deep/one")).toBe(-ENOENT);
});

test("lower files and directories can be renamed and exchanged", () => {
  const { walk } = overlayWorld();
  expect(rename(walk, "etc", walk, "conf", 0)).toBe(0);
  expect(contentOf(walk, "conf/deep/one")).toBe("1");
  expect(outcome(resolve(walk, "etc"))).toBe(-ENOENT);
  expect(rename(walk, "conf/hosts", walk, "bin/hosts", 0)).toBe(0);
  expect(contentOf(walk, "bin/hosts")).toBe("127.0.0.1 localhost\n");
  expect(namesIn(walk, "conf")).toEqual([".", "..", "deep"]);
  expect(rename(walk, "bin", walk, "conf", RENAME_EXCHANGE)).toBe(0);
  expect(contentOf(walk, "conf/tool")).toBe("tool");
  expect(contentOf(walk, "bin/deep/two")).toBe("2");
  expect(namesIn(walk, "/")).toEqual([".", "..", "big", "bin", "conf", "link"]);
  expect(rename(walk, "conf/tool", walk, "bin/deep/one", 0)).toBe(0);
  expect(contentOf(walk, "bin/deep/one")).toBe("tool");
});

test("inode numbers do not change when a file is written, renamed or has its mode changed", () => {
  const { walk, context } = overlayWorld();
  const before = emptyStat();
  const after = emptyStat();
  stat(walk, "etc/hosts", before);
  const file = mustOpen(walk, "etc/hosts", O_WRONLY | O_TRUNC);
  writeText(file, "x");
  file.release();
  rename(walk, "etc/hosts", walk, "hosts", 0);
  const place = resolve(walk, "hosts");
  if (typeof place !== "number") changeMode(context, place, 0o600, walk.caller);
  stat(walk, "hosts", after);
  expect([after.ino, after.dev, after.size, after.mode & 0o777]).toEqual([before.ino, before.dev, 1, 0o600]);
  expect(after.mtimeSeconds).toBe(1_000_000);
});

test("link counts follow subdirectories", () => {
  const { walk } = overlayWorld();
  const out = emptyStat();
  stat(walk, "etc", out);
  const links = out.nlink;
  makeDirectory(walk, "etc/more", 0o755);
  stat(walk, "etc", out);
  expect(out.nlink).toBe(links + 1);
  removeDirectory(walk, "etc/more");
  stat(walk, "etc", out);
  expect(out.nlink).toBe(links);
});

test("truncation cuts the lower content for good", () => {
  const { walk } = overlayWorld();
  expect(truncate(walk, "big", 5)).toBe(0);
  expect(truncate(walk, "big", 8)).toBe(0);
  expect(contentOf(walk, "big")).toBe("bbbbb\0\0\0");
  const file = mustOpen(walk, "big", O_RDWR);
  expect(file.fallocate(3, 1, 2)).toBe(0);
  expect(contentOf(walk, "big")).toBe("b\0\0bb\0\0\0");
  file.release();
});

test("special files and links live in the upper layer", () => {
  const { walk } = overlayWorld();
  expect(makeNode(walk, "etc/fifo", S_IFIFO | 0o644, 0)).toBe(0);
  expect(makeNode(walk, "etc/null", S_IFCHR | 0o666, 0x103)).toBe(0);
  expect(makeSymlink(walk, "hosts", "etc/alias")).toBe(0);
  expect(contentOf(walk, "etc/alias")).toBe("127.0.0.1 localhost\n");
  const out = emptyStat();
  stat(walk, "etc/null", out);
  expect(out.rdev).toBe(0x103);
});

test("everything removed and closed leaves no frame", () => {
  const { walk, context, mounts } = overlayWorld();
  const file = mustOpen(walk, "etc/new", O_CREAT | O_RDWR);
  writeText(file, "n".repeat(30_000));
  const big = mustOpen(walk, "big", O_RDWR);
  writeText(big, "c".repeat(9000));
  unlink(walk, "etc/new");
  unlink(walk, "big");
  expect(context.budget.frames).toBe(8 + 3);
  file.release();
  big.release();
  expect(context.budget.frames).toBe(0);
  expect(context.budget.inodes).toBe(0);
  context.caches.reclaim(1000);
  expect(context.frames.used).toBe(0);
  const left = mustOpen(walk, "etc/hosts", O_RDWR);
  writeText(left, "left behind");
  left.release();
  for (const filesystem of mounts.filesystems()) filesystem.destroy();
  expect(context.frames.used).toBe(0);
});

test("a mapping is told when the page it maps is copied up", () => {
  const { walk } = overlayWorld();
  const file = mustOpen(walk, "big", O_RDWR);
  const pages = file.mapPages();
  if (typeof pages === "number") throw new Error("not mappable");
  const told: number[][] = [];
  const detach = pages.attach({ invalidate: (from, to) => told.push([from, to]), writeProtect() {} });
  const lower = pages.page(1);
  expect(lower).toBeGreaterThan(0);
  const own = pages.pageForWrite(1);
  expect(own).not.toBe(lower);
  expect(pages.page(1)).toBe(own);
  expect(told).toEqual([[1, 2]]);
  detach();
  file.release();
});

/** Everything above again on a provider that blocks at every first access: the same calls, retried until they are through. */
test("a provider that answers later changes nothing but time", async () => {
  const { walk, context } = overlayWorld(new DelayedProvider(new MemoryProvider(FILES)));
  const opened = async (path: string, flags: number): Promise<OpenFile> => {
    const file = await settled(() => open(walk, path, flags, 0o644));
    if (typeof file === "number") throw new Error(`${path}: ${file}`);
    return file;
  };
  const content = async (path: string): Promise<string | number> => {
    const file = await settled(() => open(walk, path, O_RDONLY, 0));
    if (typeof file === "number") return file;
    const sink = new BufferSink(100_000);
    const result = await settled(() => file.read(sink));
    file.release();
    return result < 0 ? result : String.fromCharCode(...sink.received());
  };
  expect(await content("etc/deep/one")).toBe("1");
  expect(await content("link")).toBe("127.0.0.1 localhost\n");
  const file = await opened("big", O_RDWR);
  file.seek(39_990, SEEK_SET);
  const source = text("end of the file, and beyond");
  expect(await settled(() => file.write(source))).toBe(27);
  file.release();
  expect(await content("big")).toBe(`${"b".repeat(39_990)}end of the file, and beyond`);
  expect(await settled(() => rename(walk, "etc/deep", walk, "deep", 0))).toBe(0);
  expect(await content("deep/two")).toBe("2");
  expect(await settled(() => unlink(walk, "deep/two"))).toBe(0);
  expect(await content("deep/two")).toBe(-ENOENT);
  expect(await settled(() => truncate(walk, "etc/hosts", 4))).toBe(0);
  expect(await content("etc/hosts")).toBe("127.");
  const directory = await opened("etc", O_DIRECTORY);
  const names: string[] = [];
  expect(await settled(() => directory.getdents((name) => names.push(name) > 0))).toBe(0);
  expect(names.sort()).toEqual([".", "..", "hosts"]);
  directory.release();
  context.caches.reclaim(1000);
  expect(context.frames.used).toBe(context.budget.frames);
});
