/** Results of Linux 6.18. */
import { expect, test } from "vitest";
import { EBUSY, EINVAL, EPERM } from "../../abi/linux/errno.ts";
import { F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, MFD_ALLOW_SEALING } from "../../abi/linux/fcntl.ts";
import { outcome, testWorld, text, writeText } from "../test-world.ts";
import { KERNEL_CALLER } from "../vfs/credentials.ts";
import { pathOf } from "../vfs/location.ts";
import { makeMemfd } from "./memfd.ts";
import { Tmpfs } from "./tmpfs.ts";

function memfd(flags: number) {
  const world = testWorld();
  const file = makeMemfd(new Tmpfs(world.context), world.mounts, KERNEL_CALLER, "hello", flags);
  if (typeof file === "number") throw new Error(String(file));
  return { ...world, file };
}

test("a memfd is sealed step by step", () => {
  const { file, walk } = memfd(MFD_ALLOW_SEALING);
  expect([file.inode.mode.toString(8), file.inode.nlink, file.flags]).toEqual(["100777", 0, 32_770]);
  expect(pathOf(file.location, walk.root)).toBe("/memfd:hello (deleted)");
  expect(file.seals()).toBe(0);
  expect(file.addSeals(F_SEAL_SHRINK)).toBe(0);
  expect(writeText(file, "abc")).toBe(3);
  expect(file.truncate(1)).toBe(-EPERM);
  expect(file.truncate(10)).toBe(0);
  expect(file.addSeals(F_SEAL_GROW | F_SEAL_WRITE)).toBe(0);
  expect(file.truncate(20)).toBe(-EPERM);
  expect(writeText(file, "abc")).toBe(-EPERM);
  expect(file.writeAt(text("abc"), 100)).toBe(-EPERM);
  expect(file.addSeals(F_SEAL_SEAL)).toBe(0);
  expect(file.addSeals(F_SEAL_SHRINK)).toBe(-EPERM);
  expect(file.seals()).toBe(15);
});

test("without MFD_ALLOW_SEALING nothing can be sealed", () => {
  const { file } = memfd(0);
  expect(file.seals()).toBe(F_SEAL_SEAL);
  expect(file.addSeals(F_SEAL_SEAL)).toBe(-EPERM);
});

test("a mapped memfd cannot be sealed against writing, and its frames go with the last user", () => {
  const { file, context, mounts } = memfd(MFD_ALLOW_SEALING);
  file.truncate(8192);
  const pages = file.mapPages();
  if (typeof pages === "number") throw new Error("not mappable");
  const detach = pages.attach({ invalidate() {}, writeProtect() {} });
  pages.pageForWrite(1);
  expect(file.addSeals(F_SEAL_WRITE)).toBe(-EBUSY);
  file.release();
  expect(context.frames.used).toBe(1);
  detach();
  expect(context.frames.used).toBe(0);
  expect(outcome(makeMemfd(new Tmpfs(context), mounts, KERNEL_CALLER, "x", 0x100))).toBe(-EINVAL);
});
