/** Results of Linux 6.18. */
import { expect, test } from "vitest";
import { EINVAL, ENOSPC, ENXIO } from "../../abi/linux/errno.ts";
import { O_RDWR, O_WRONLY } from "../../abi/linux/fcntl.ts";
import { emptyStat, S_IFCHR } from "../../abi/linux/stat.ts";
import { mustOpen, namesIn, outcome, readText, testWorld, text, writeText } from "../test-world.ts";
import { BufferSink } from "../transfer.ts";
import { stat } from "../vfs/attributes.ts";
import { open } from "../vfs/open.ts";
import { makeNode } from "../vfs/tree.ts";
import { makeDevfs } from "./devfs.ts";

const devices = () => testWorld((context) => makeDevfs(context, null));

test("the nodes are there with Linux's numbers", () => {
  const { walk } = devices();
  expect(namesIn(walk, "/")).toEqual([".", "..", "fd", "full", "null", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"]);
  const out = emptyStat();
  stat(walk, "null", out);
  expect([out.rdev, out.mode.toString(8)]).toEqual([0x103, "20666"]);
  expect(outcome(open(walk, "tty", O_RDWR, 0))).toBe(-ENXIO);
});

test("null, zero and full read and write as null(4) and full(4) say", () => {
  const { walk } = devices();
  const nothing = mustOpen(walk, "null", O_RDWR);
  expect([readText(nothing), writeText(nothing, "gone")]).toEqual(["", 4]);
  expect([nothing.seek(7, 0), nothing.seek(7, 1), nothing.sync(), nothing.truncate(0)]).toEqual([0, 0, -EINVAL, -EINVAL]);
  expect([nothing.readAt(new BufferSink(1), 0), nothing.writeAt(text("x"), 0)]).toEqual([0, 1]);
  const zero = mustOpen(walk, "zero", O_RDWR);
  expect([readText(zero, 3), writeText(zero, "gone"), zero.mapsAsAnonymous]).toEqual(["\0\0\0", 4, true]);
  const full = mustOpen(walk, "full", O_RDWR);
  expect([readText(full, 3), writeText(full, "x"), writeText(full, "")]).toEqual(["\0\0\0", -ENOSPC, -ENOSPC]);
});

test("random bytes come from the machine's source", () => {
  const { walk } = devices();
  const random = mustOpen(walk, "urandom", O_RDWR);
  const first = String(readText(random, 5000));
  expect(first.length).toBe(5000);
  expect(new Set(first).size).toBeGreaterThan(200);
  expect(writeText(random, "entropy")).toBe(7);
});

test("a device node works on any filesystem, and an unknown number gives ENXIO", () => {
  const { walk } = devices();
  makeNode(walk, "my-null", S_IFCHR | 0o600, 0x103);
  expect(writeText(mustOpen(walk, "my-null", O_WRONLY), "x")).toBe(1);
  makeNode(walk, "unknown", S_IFCHR | 0o600, 0x9999);
  expect(outcome(open(walk, "unknown", O_RDWR, 0))).toBe(-ENXIO);
});
