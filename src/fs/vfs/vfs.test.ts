/** The errno of every call here was taken from Linux 6.18 (ext4) by running the same calls natively. */
import { expect, test } from "vitest";
import * as E from "../../abi/linux/errno.ts";
import * as F from "../../abi/linux/fcntl.ts";
import { emptyStat, S_IFCHR, S_IFIFO, S_IFREG } from "../../abi/linux/stat.ts";
import { contentOf, isPlace, mustOpen, namesIn, outcome, readText, testWorld, type World, writeText } from "../test-world.ts";
import { Tmpfs } from "../tmpfs/tmpfs.ts";
import { access, changeMode, changeOwner, changeTimes, readLink, stat, truncate } from "./attributes.ts";
import { pathOf } from "./location.ts";
import { resolve, resolveDirectory } from "./namei.ts";
import { open } from "./open.ts";
import { OpenFile } from "./open-file.ts";
import { makeDirectory, makeLink, makeNode, makeSymlink, removeDirectory, rename, unlink } from "./tree.ts";

/** The tree of the native run: f, l→f, dang→nope, l1⇄l2, d/, ld→d, p (fifo). */
function nativeTree(): World {
  const world = testWorld();
  const { walk } = world;
  mustOpen(walk, "f", F.O_CREAT | F.O_RDWR).release();
  makeSymlink(walk, "f", "l");
  makeSymlink(walk, "nope", "dang");
  makeSymlink(walk, "l1", "l2");
  makeSymlink(walk, "l2", "l1");
  makeDirectory(walk, "d", 0o755);
  makeSymlink(walk, "d", "ld");
  makeNode(walk, "p", S_IFIFO | 0o666, 0);
  return world;
}

test("open gives the errno that Linux gives", () => {
  const { walk } = nativeTree();
  const tried = (path: string, flags: number): number | "open" => {
    const file = open(walk, path, flags, 0o600);
    if (!(file instanceof OpenFile)) return -file;
    file.release();
    return "open";
  };
  expect(tried("l", F.O_NOFOLLOW)).toBe(E.ELOOP);
  expect(tried("ld", F.O_NOFOLLOW | F.O_DIRECTORY)).toBe(E.ENOTDIR);
  expect(tried("ld/", F.O_NOFOLLOW)).toBe("open");
  expect(tried("f/", F.O_RDONLY)).toBe(E.ENOTDIR);
  expect(tried("nn/", F.O_CREAT | F.O_RDWR)).toBe(E.EISDIR);
  expect(tried("d/", F.O_CREAT | F.O_RDWR)).toBe(E.EISDIR);
  expect(tried("d", F.O_CREAT)).toBe(E.EISDIR);
  expect(tried("d", F.O_TRUNC)).toBe(E.EISDIR);
  expect(tried("d", F.O_CREAT | F.O_DIRECTORY)).toBe(E.EINVAL);
  expect(tried("dang", F.O_CREAT | F.O_EXCL | F.O_RDWR)).toBe(E.EEXIST);
  expect(tried("l1", F.O_RDONLY)).toBe(E.ELOOP);
  expect(tried("p", F.O_WRONLY | F.O_NONBLOCK)).toBe(E.ENXIO);
  expect(tried("p", F.O_RDONLY | F.O_NONBLOCK)).toBe("open");
  expect(tried("", F.O_RDONLY)).toBe(E.ENOENT);
  expect(tried("d", F.O_TMPFILE | F.O_RDWR)).toBe("open");
  expect(tried("d", F.O_TMPFILE | F.O_RDONLY)).toBe(E.EINVAL);
  expect(tried("f", F.O_TMPFILE | F.O_RDWR)).toBe(E.ENOTDIR);
  expect(tried("f", F.O_DIRECTORY)).toBe(E.ENOTDIR);
  expect(tried("dang", F.O_CREAT | F.O_RDWR)).toBe("open");
  expect(tried("nope", F.O_RDONLY)).toBe("open");
});

test("mkdir, unlink, rmdir, symlink, link and mknod give the errno that Linux gives", () => {
  const { walk } = nativeTree();
  expect(makeDirectory(walk, "d", 0o700)).toBe(-E.EEXIST);
  expect(makeDirectory(walk, "nn/", 0o700)).toBe(0);
  for (const path of ["f/", "dang", "dang/", ".", "/"]) expect(makeDirectory(walk, path, 0o700)).toBe(-E.EEXIST);
  expect(unlink(walk, "d")).toBe(-E.EISDIR);
  expect(unlink(walk, "d/")).toBe(-E.EISDIR);
  expect(unlink(walk, "f/")).toBe(-E.ENOTDIR);
  expect(unlink(walk, ".")).toBe(-E.EISDIR);
  expect(unlink(walk, "zz/")).toBe(-E.ENOENT);
  expect(removeDirectory(walk, "f")).toBe(-E.ENOTDIR);
  expect(removeDirectory(walk, ".")).toBe(-E.EINVAL);
  expect(removeDirectory(walk, "d/..")).toBe(-E.ENOTEMPTY);
  expect(removeDirectory(walk, "/")).toBe(-E.EBUSY);
  expect(removeDirectory(walk, "ld")).toBe(-E.ENOTDIR);
  expect(removeDirectory(walk, "ld/")).toBe(-E.ENOTDIR);
  expect(makeSymlink(walk, "x", "zz/")).toBe(-E.ENOENT);
  expect(makeSymlink(walk, "x", "d/")).toBe(-E.EEXIST);
  expect(makeSymlink(walk, "", "e")).toBe(-E.ENOENT);
  const place = (path: string) => resolve(walk, path, { follow: false }) as Exclude<ReturnType<typeof resolve>, number>;
  expect(makeLink(walk, place("d"), "e")).toBe(-E.EPERM);
  expect(makeLink(walk, place("l"), "ll")).toBe(0);
  expect(readLink(walk, "ll")).toBe("f");
  expect(makeNode(walk, "zz/", S_IFREG | 0o600, 0)).toBe(-E.ENOENT);
});

test("rename gives the errno that Linux gives", () => {
  const { walk } = nativeTree();
  const move = (from: string, to: string, flags = 0): number => -rename(walk, from, walk, to, flags);
  expect(move("f", "d")).toBe(E.EISDIR);
  expect(move("d", "f")).toBe(E.ENOTDIR);
  expect(move("d", "d/x")).toBe(E.EINVAL);
  makeDirectory(walk, "d/x", 0o755);
  expect(move("d/x", "d")).toBe(E.ENOTEMPTY);
  expect(move("f", "f")).toBe(-0);
  expect(move("f", "g/")).toBe(E.ENOTDIR);
  expect(move("f/", "g")).toBe(E.ENOTDIR);
  expect(move(".", "g")).toBe(E.EBUSY);
  expect(move("d", "g/")).toBe(-0);
  expect(move("g", "d")).toBe(-0);
  expect(move("d", "f", F.RENAME_NOREPLACE)).toBe(E.EEXIST);
  expect(move("d", "zz", F.RENAME_EXCHANGE)).toBe(E.ENOENT);
  expect(move("d", "f", F.RENAME_NOREPLACE | F.RENAME_EXCHANGE)).toBe(E.EINVAL);
  expect(move("d", "d/x", F.RENAME_EXCHANGE)).toBe(E.EINVAL);
  expect(move("d/x", "d", F.RENAME_EXCHANGE)).toBe(E.EINVAL);
  expect(move("f", "d", F.RENAME_EXCHANGE)).toBe(-0);
  expect(namesIn(walk, "f")).toEqual([".", "..", "x"]);
  expect(contentOf(walk, "d")).toBe("");
});

test("fcntl shows the flags of an open file as Linux shows them", () => {
  const { walk } = nativeTree();
  const flags = (path: string, asked: number): string => {
    const file = mustOpen(walk, path, asked);
    file.release();
    return file.flags.toString(8);
  };
  expect(flags(".", F.O_DIRECTORY | F.O_CLOEXEC)).toBe("300000");
  expect(flags("f", F.O_CREAT | F.O_RDWR | F.O_CLOEXEC | F.O_NOFOLLOW | F.O_TRUNC)).toBe("500002");
  expect(flags("f", F.O_PATH | F.O_CLOEXEC | F.O_RDWR | F.O_NOFOLLOW)).toBe("10400000");
});

test("reading and writing on the wrong kind of file gives the errno that Linux gives", () => {
  const { walk } = nativeTree();
  const directory = mustOpen(walk, "d", F.O_RDONLY);
  expect(readText(directory, 1)).toBe(-E.EISDIR);
  expect(writeText(directory, "x")).toBe(-E.EBADF);
  expect(directory.truncate(0)).toBe(-E.EINVAL);
  expect(directory.seek(5, F.SEEK_SET)).toBe(5);
  expect(directory.seek(-1, F.SEEK_SET)).toBe(-E.EINVAL);
  const file = mustOpen(walk, "f", F.O_RDWR);
  expect(file.seek(-1, F.SEEK_SET)).toBe(-E.EINVAL);
  expect(file.seek(10, F.SEEK_DATA)).toBe(-E.ENXIO);
  expect(file.seek(0, F.SEEK_HOLE)).toBe(-E.ENXIO);
  expect(file.seek(0, 99)).toBe(-E.EINVAL);
  expect(file.truncate(-1)).toBe(-E.EINVAL);
  expect(file.fallocate(0, 0, 0)).toBe(-E.EINVAL);
  expect(file.fallocate(0, -1, 5)).toBe(-E.EINVAL);
  expect(file.fallocate(2, 0, 5)).toBe(-E.EOPNOTSUPP);
  const link = mustOpen(walk, "l", F.O_PATH | F.O_NOFOLLOW);
  expect(readLink({ ...walk, base: link.location }, "")).toBe("f");
  expect(readText(link)).toBe(-E.EBADF);
  expect(link.seek(0, 0)).toBe(-E.EBADF);
  expect(link.sync()).toBe(-E.EBADF);
  expect(truncate(walk, "d", 0)).toBe(-E.EISDIR);
  expect(access(walk, "f", 8)).toBe(-E.EINVAL);
  for (const each of [directory, file, link]) each.release();
});

test("data survives reads, writes, seeks, truncation and holes", () => {
  const { walk, context } = testWorld();
  const file = mustOpen(walk, "a", F.O_CREAT | F.O_RDWR);
  expect(writeText(file, "hello")).toBe(5);
  expect(file.seek(10_000, F.SEEK_SET)).toBe(10_000);
  expect(writeText(file, "world")).toBe(5);
  expect(file.seek(0, F.SEEK_DATA)).toBe(0);
  expect(file.seek(5, F.SEEK_HOLE)).toBe(4096);
  expect(file.seek(4096, F.SEEK_DATA)).toBe(8192);
  expect(file.seek(0, F.SEEK_SET)).toBe(0);
  expect(readText(file)).toBe(`hello${"\0".repeat(9995)}world`);
  expect(file.truncate(3)).toBe(0);
  expect(file.truncate(6)).toBe(0);
  expect(contentOf(walk, "a")).toBe("hel\0\0\0");
  expect(file.readable && file.writable).toBe(true);
  file.release();
  expect(context.budget.frames).toBe(1);
});

test("O_APPEND writes at the end whatever the position, and a shared description shares it", () => {
  const { walk } = testWorld();
  const log = mustOpen(walk, "log", F.O_CREAT | F.O_RDWR | F.O_APPEND);
  writeText(log, "one");
  log.seek(0, F.SEEK_SET);
  writeText(log, "two");
  expect(log.offset).toBe(6);
  log.retain();
  log.release();
  expect(contentOf(walk, "log")).toBe("onetwo");
  log.release();
});

test("an unlinked file lives until its last descriptor is closed and then gives its frames back", () => {
  const { walk, context } = testWorld();
  const boot = context.frames.used;
  const file = mustOpen(walk, "gone", F.O_CREAT | F.O_RDWR);
  writeText(file, "x".repeat(20_000));
  expect(unlink(walk, "gone")).toBe(0);
  expect(outcome(open(walk, "gone", 0, 0))).toBe(-E.ENOENT);
  expect(pathOf(file.location, walk.root)).toBe("/gone (deleted)");
  file.seek(19_999, F.SEEK_SET);
  expect(readText(file)).toBe("x");
  expect(context.frames.used).toBe(boot + 5);
  file.release();
  expect(context.frames.used).toBe(boot);
  expect(context.budget.frames).toBe(0);
  expect(context.budget.inodes).toBe(1);
});

test("filling a file ends in ENOSPC and leaves frames for others", () => {
  const { walk, context } = testWorld();
  const file = mustOpen(walk, "big", F.O_CREAT | F.O_WRONLY);
  const chunk = "z".repeat(65_536);
  let result = 0;
  for (let i = 0; i < 1000 && result >= 0; i++) result = writeText(file, chunk);
  expect(result).toBe(-E.ENOSPC);
  expect(context.frames.free).toBeGreaterThan(context.frames.total * 0.4);
  file.release();
  unlink(walk, "big");
  expect(context.frames.used).toBe(0);
});

test("the path of a working directory follows renames", () => {
  const { walk } = testWorld();
  makeDirectory(walk, "a", 0o755);
  makeDirectory(walk, "a/b", 0o755);
  makeDirectory(walk, "c", 0o755);
  const cwd = resolveDirectory(walk, "a/b");
  if (typeof cwd === "number") throw new Error("a/b");
  rename(walk, "a", walk, "c/z", 0);
  expect(pathOf(cwd, walk.root)).toBe("/c/z/b");
  expect(isPlace(resolve({ ...walk, base: cwd }, "../../z/b"), cwd)).toBe(true);
  removeDirectory(walk, "c/z/b");
  expect(pathOf(cwd, walk.root)).toBe("/c/z/b (deleted)");
  expect(outcome(open({ ...walk, base: cwd }, "new", F.O_CREAT | F.O_RDWR, 0o644))).toBe(-E.ENOENT);
});

test("a directory listing shows what stays exactly once while names come and go", () => {
  const { walk } = testWorld();
  for (let i = 0; i < 20; i++) mustOpen(walk, `n${i}`, F.O_CREAT | F.O_RDWR).release();
  const directory = mustOpen(walk, "/", F.O_DIRECTORY);
  const seen: string[] = [];
  for (let round = 0; round < 50; round++) {
    let room = 3;
    directory.getdents((name) => room-- > 0 && seen.push(name) > 0);
    if (round === 2) {
      unlink(walk, "n0");
      unlink(walk, "n15");
      mustOpen(walk, "late", F.O_CREAT | F.O_RDWR).release();
    }
  }
  const expected = [".", "..", "late", ...Array.from({ length: 20 }, (_, i) => `n${i}`).filter((name) => name !== "n15")].sort();
  expect([...seen].sort()).toEqual(expected);
  directory.release();
});

test("mounts are crossed in both directions and a mount point cannot be removed", () => {
  const { walk, context, mounts } = testWorld();
  makeDirectory(walk, "mnt", 0o755);
  const point = resolve(walk, "mnt");
  if (typeof point === "number") throw new Error("mnt");
  const inner = new Tmpfs(context);
  mounts.mount(inner, point);
  makeDirectory(walk, "mnt/in", 0o755);
  const place = resolveDirectory(walk, "/mnt/in");
  if (typeof place === "number") throw new Error("in");
  expect(pathOf(place, walk.root)).toBe("/mnt/in");
  expect(isPlace(resolve({ ...walk, base: place }, "../.."), walk.root)).toBe(true);
  expect(removeDirectory(walk, "mnt")).toBe(-E.EBUSY);
  expect(rename(walk, "mnt/in", walk, "in", 0)).toBe(-E.EXDEV);
  expect(mounts.unmount(walk.root)).toBe(-E.EINVAL);
  const root = resolve(walk, "/mnt");
  expect(typeof root === "number" ? root : mounts.unmount(root)).toBe(0);
  expect(namesIn(walk, "mnt")).toEqual([".", ".."]);
});

test("a changed root confines absolute paths, dot-dot and absolute links", () => {
  const { walk } = testWorld();
  makeDirectory(walk, "jail", 0o755);
  mustOpen(walk, "secret", F.O_CREAT | F.O_RDWR).release();
  makeSymlink(walk, "/secret", "jail/link");
  const jail = resolveDirectory(walk, "jail");
  if (typeof jail === "number") throw new Error("jail");
  const inside = { ...walk, root: jail, base: jail };
  expect(outcome(open(inside, "/../../secret", 0, 0))).toBe(-E.ENOENT);
  expect(outcome(open(inside, "link", 0, 0))).toBe(-E.ENOENT);
  expect(pathOf(walk.root, jail)).toBe("(unreachable)/");
});

test("names and paths that are too long are refused", () => {
  const { walk } = testWorld();
  expect(makeDirectory(walk, "a".repeat(255), 0o755)).toBe(0);
  expect(makeDirectory(walk, "a".repeat(256), 0o755)).toBe(-E.ENAMETOOLONG);
  expect(outcome(resolve(walk, "/".repeat(4096)))).toBe(-E.ENAMETOOLONG);
  expect(outcome(resolve(walk, `${"a".repeat(256)}/x`))).toBe(-E.ENAMETOOLONG);
});

test("forty symbolic links are followed and one more is not", () => {
  const { walk } = testWorld();
  mustOpen(walk, "end", F.O_CREAT | F.O_RDWR).release();
  makeSymlink(walk, "end", "s1");
  for (let i = 2; i <= 41; i++) makeSymlink(walk, `s${i - 1}`, `s${i}`);
  expect(contentOf(walk, "s40")).toBe("");
  expect(contentOf(walk, "s41")).toBe(-E.ELOOP);
});

test("mode bits decide for everybody but uid 0", () => {
  const { walk, as } = testWorld();
  makeDirectory(walk, "private", 0o700);
  mustOpen(walk, "private/f", F.O_CREAT | F.O_RDWR, 0o666).release();
  mustOpen(walk, "readable", F.O_CREAT | F.O_RDWR, 0o644).release();
  const user = as(1000);
  expect(outcome(open(user, "private/f", 0, 0))).toBe(-E.EACCES);
  expect(outcome(open(user, "readable", F.O_RDWR, 0))).toBe(-E.EACCES);
  expect(contentOf(user, "readable")).toBe("");
  expect(outcome(open(user, "new", F.O_CREAT | F.O_RDWR, 0o644))).toBe(-E.EACCES);
  expect(unlink(user, "readable")).toBe(-E.EACCES);
  expect(access(walk, "readable", F.X_OK)).toBe(-E.EACCES);
  const place = resolve(walk, "readable");
  if (typeof place === "number") throw new Error("readable");
  expect(changeMode(user.context, place, 0o777, user.caller)).toBe(-E.EPERM);
  expect(changeOwner(user.context, place, 1000, -1, user.caller)).toBe(-E.EPERM);
  expect(changeTimes(user.context, place, null, null, user.caller)).toBe(-E.EACCES);
  expect(makeNode(user, "private/x", S_IFCHR | 0o666, 0x103)).toBe(-E.EACCES);
});

test("a sticky directory lets only owners remove", () => {
  const { walk, as } = testWorld();
  makeDirectory(walk, "tmp", 0o1777);
  mustOpen(as(1), "tmp/mine", F.O_CREAT | F.O_RDWR, 0o666).release();
  expect(unlink(as(2), "tmp/mine")).toBe(-E.EPERM);
  expect(rename(as(2), "tmp/mine", as(2), "tmp/yours", 0)).toBe(-E.EPERM);
  expect(unlink(as(1), "tmp/mine")).toBe(0);
});

test("link counts and inode numbers are what stat of a Linux tmpfs shows", () => {
  const { walk } = testWorld();
  const out = emptyStat();
  makeDirectory(walk, "d", 0o755);
  makeDirectory(walk, "d/e", 0o755);
  stat(walk, "d", out);
  expect(out.nlink).toBe(3);
  mustOpen(walk, "d/f", F.O_CREAT | F.O_RDWR).release();
  const f = resolve(walk, "d/f");
  if (typeof f !== "number") makeLink(walk, f, "d/g");
  stat(walk, "d/g", out);
  expect(out.nlink).toBe(2);
  rename(walk, "d/e", walk, "e", 0);
  stat(walk, "d", out);
  expect(out.nlink).toBe(2);
});

test("a file without a name can be given one", () => {
  const { walk } = testWorld();
  const file = mustOpen(walk, "/", F.O_TMPFILE | F.O_RDWR);
  writeText(file, "data");
  expect(makeLink(walk, file.location, "named")).toBe(0);
  file.release();
  expect(contentOf(walk, "named")).toBe("data");
});
