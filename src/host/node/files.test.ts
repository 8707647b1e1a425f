import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EACCES, EINVAL, ELOOP, ENOENT, ENOTDIR, EROFS } from "../../abi/linux/errno.ts";
import { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC } from "../../abi/linux/fcntl.ts";
import { emptyStat } from "../../abi/linux/stat.ts";
import { HostDir } from "../../fs/hostdir/hostdir.ts";
import { contentOf, mustOpen, namesIn, outcome, testWorld, type World, writeText } from "../../fs/test-world.ts";
import { changeMode, readLink, stat, truncate } from "../../fs/vfs/attributes.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import { open } from "../../fs/vfs/open.ts";
import { makeDirectory, makeLink, makeSymlink, removeDirectory, rename, unlink } from "../../fs/vfs/tree.ts";
import { NodeDirectory } from "./files.ts";

let directory: string;
let outside: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "menios-files-"));
  outside = mkdtempSync(join(tmpdir(), "menios-outside-"));
  writeFileSync(join(outside, "secret"), "secret");
  mkdirSync(join(directory, "d"));
  writeFileSync(join(directory, "f"), "hello");
  writeFileSync(join(directory, "d", "g"), "x".repeat(10_000));
  symlinkSync("f", join(directory, "link"));
  symlinkSync(join(outside, "secret"), join(directory, "escape"));
  symlinkSync(outside, join(directory, "way-out"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  rmSync(outside, { recursive: true, force: true });
});

function hostWorld(access: "read-only" | "write-through"): World & { provider: NodeDirectory } {
  const provider = new NodeDirectory(directory, { writable: access === "write-through" });
  return { ...testWorld((context) => new HostDir(context, provider, { access })), provider };
}

test("a host directory shows its files, links and attributes as the host has them", () => {
  const { walk } = hostWorld("read-only");
  expect(namesIn(walk, "/")).toEqual([".", "..", "d", "escape", "f", "link", "way-out"]);
  expect(contentOf(walk, "f")).toBe("hello");
  expect(contentOf(walk, "link")).toBe("hello");
  expect(contentOf(walk, "d/g")).toBe("x".repeat(10_000));
  expect(readLink(walk, "way-out")).toBe(outside);
  const host = lstatSync(join(directory, "f"), { bigint: true });
  const out = emptyStat();
  stat(walk, "f", out);
  expect(out).toMatchObject({ ino: Number(host.ino), mode: Number(host.mode), size: 5, nlink: 1, uid: Number(host.uid) });
  expect(BigInt(out.mtimeSeconds) * 1_000_000_000n + BigInt(out.mtimeNanos)).toBe(host.mtimeNs);
  stat(walk, "/", out);
  expect(out.ino).toBe(lstatSync(directory).ino);
});

test("neither links nor dot-dot leave the directory", () => {
  const { walk } = hostWorld("read-only");
  expect(contentOf(walk, "escape")).toBe(-ENOENT);
  expect(contentOf(walk, "way-out/secret")).toBe(-ENOENT);
  expect(contentOf(walk, "../../../../etc/passwd")).toBe(-ENOENT);
});

test("the provider itself follows no link, not even one put in place of a directory", () => {
  const { provider } = hostWorld("write-through");
  expect(provider.open("escape", "read")).toBe(-EINVAL);
  expect(outcome(provider.stat("way-out/secret"))).toBe(-ENOTDIR);
  expect(outcome(provider.open("d/g", "read"))).toBe("ok");
  // The directory that a descriptor is kept for is moved away and replaced by a link.
  renameSync(join(directory, "d"), join(directory, "moved"));
  symlinkSync(outside, join(directory, "d"));
  expect(outcome(provider.stat("d/secret"))).toBeLessThan(0);
  expect([-ELOOP, -ENOTDIR]).toContain(provider.changes!.removeFile("d/secret"));
  expect(existsSync(join(outside, "secret"))).toBe(true);
  provider.close();
});

test("a read-only directory refuses every change", () => {
  const { walk } = hostWorld("read-only");
  expect(outcome(open(walk, "f", O_RDWR, 0))).toBe(-EROFS);
  expect(outcome(open(walk, "new", O_CREAT | O_RDWR, 0o644))).toBe(-EROFS);
  expect(makeDirectory(walk, "n", 0o755)).toBe(-EROFS);
  expect(unlink(walk, "f")).toBe(-EROFS);
  expect(rename(walk, "f", walk, "g", 0)).toBe(-EROFS);
});

test("a writable directory writes through", () => {
  const { walk, context, provider } = hostWorld("write-through");
  const file = mustOpen(walk, "new", O_CREAT | O_EXCL | O_RDWR, 0o444);
  expect(writeText(file, "first ")).toBe(6);
  expect(readFileSync(join(directory, "new"), "utf8")).toBe("first ");
  expect(writeText(file, "second")).toBe(6);
  file.release();
  expect(readFileSync(join(directory, "new"), "utf8")).toBe("first second");
  expect(lstatSync(join(directory, "new")).mode & 0o777).toBe(0o444);

  const log = mustOpen(walk, "f", O_RDWR | O_APPEND);
  writeText(log, " world");
  log.release();
  expect(readFileSync(join(directory, "f"), "utf8")).toBe("hello world");
  expect(truncate(walk, "f", 4)).toBe(0);
  expect(readFileSync(join(directory, "f"), "utf8")).toBe("hell");
  mustOpen(walk, "f", O_RDWR | O_TRUNC).release();
  expect(readFileSync(join(directory, "f"), "utf8")).toBe("");

  expect(makeDirectory(walk, "n", 0o750)).toBe(0);
  expect(lstatSync(join(directory, "n")).mode & 0o777).toBe(0o750);
  expect(rename(walk, "d/g", walk, "n/h", 0)).toBe(0);
  expect(contentOf(walk, "n/h")).toBe("x".repeat(10_000));
  expect(makeSymlink(walk, "../f", "n/l")).toBe(0);
  expect(readlinkSync(join(directory, "n", "l"))).toBe("../f");
  const place = resolve(walk, "f");
  if (typeof place === "number") throw new Error("f");
  expect(makeLink(walk, place, "n/hard")).toBe(0);
  expect(lstatSync(join(directory, "f")).nlink).toBe(2);
  expect(changeMode(context, place, 0o600, walk.caller)).toBe(0);
  expect(lstatSync(join(directory, "f")).mode & 0o777).toBe(0o600);
  expect(unlink(walk, "n/hard")).toBe(0);
  expect(removeDirectory(walk, "d")).toBe(0);
  expect(existsSync(join(directory, "d"))).toBe(false);
  provider.close();
  expect(provider.descriptors).toBe(0);
  expect(context.caches.reclaim(10_000)).toBeGreaterThan(0);
  expect(context.frames.used).toBe(0);
});

test("what the host changes is seen at the next open after a turn of the event loop", async () => {
  const { walk } = hostWorld("read-only");
  expect(contentOf(walk, "f")).toBe("hello");
  writeFileSync(join(directory, "f"), "changed on the host");
  writeFileSync(join(directory, "later"), "new");
  rmSync(join(directory, "d", "g"));
  await Promise.resolve();
  expect(contentOf(walk, "f")).toBe("changed on the host");
  expect(contentOf(walk, "later")).toBe("new");
  expect(contentOf(walk, "d/g")).toBe(-ENOENT);
});

test("hard links of the host are one file", () => {
  const { walk } = hostWorld("write-through");
  linkSync(join(directory, "f"), join(directory, "hard"));
  const file = mustOpen(walk, "hard", O_RDWR);
  writeText(file, "J");
  expect(contentOf(walk, "f")).toBe("Jello");
  file.release();
});

test("a file the host may not read gives EACCES at open", () => {
  if (process.getuid?.() === 0) return;
  chmodSync(join(directory, "f"), 0);
  const { walk } = hostWorld("read-only");
  expect(outcome(open(walk, "f", O_RDONLY, 0))).toBe(-EACCES);
});

test("names that are not UTF-8 survive the way to the host and back", () => {
  const { walk } = hostWorld("write-through");
  mustOpen(walk, "caf\xe9", O_CREAT | O_RDWR).release();
  expect(namesIn(walk, "/")).toContain("caf\xe9");
  expect(unlink(walk, "caf\xe9")).toBe(0);
});
