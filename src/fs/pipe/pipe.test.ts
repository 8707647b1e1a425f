/** The numbers here were measured on Linux 6.18. */
import { expect, test } from "vitest";
import { EAGAIN, EBADF, EBUSY, ENXIO, EPERM, EPIPE, ESPIPE } from "../../abi/linux/errno.ts";
import { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/linux/fcntl.ts";
import { FIONREAD } from "../../abi/linux/ioctl.ts";
import { PIPEFS_MAGIC, S_IFIFO } from "../../abi/linux/stat.ts";
import { argument, mustOpen, outcome, readText, testWorld, text, type World, writeText } from "../test-world.ts";
import { BufferSink, type ByteSink } from "../transfer.ts";
import { AnonymousFileSystem } from "../vfs/anonymous.ts";
import { KERNEL_CALLER } from "../vfs/credentials.ts";
import { pathOf } from "../vfs/location.ts";
import { open } from "../vfs/open.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { makeNode } from "../vfs/tree.ts";
import { takeBlocker, WOULD_BLOCK } from "../wait.ts";
import { makePipe } from "./pipefs.ts";

function newPipe(flags = 0): World & { readEnd: OpenFile; writeEnd: OpenFile } {
  const world = testWorld();
  const filesystem = new AnonymousFileSystem(world.context, "pipefs", PIPEFS_MAGIC);
  return { ...world, ...makePipe(filesystem, world.mounts, KERNEL_CALLER, flags) };
}

test("bytes come out in order and the pipe gives its frames back", () => {
  const { readEnd, writeEnd, context } = newPipe();
  expect(writeText(writeEnd, "hello ")).toBe(6);
  expect(writeText(writeEnd, "world")).toBe(5);
  const count = argument();
  readEnd.ioctl(FIONREAD, count, KERNEL_CALLER);
  expect(new DataView(count.bytes.buffer).getInt32(0, true)).toBe(11);
  expect(readText(readEnd, 7)).toBe("hello w");
  expect(readText(readEnd)).toBe("orld");
  expect(readText(readEnd)).toBe(WOULD_BLOCK);
  writeEnd.release();
  expect(readText(readEnd)).toBe("");
  readEnd.release();
  expect(context.frames.used).toBe(0);
});

test("a non-blocking writer is stopped after as many bytes as on Linux", () => {
  const fill = (size: number): number => {
    const { writeEnd } = newPipe(O_NONBLOCK);
    let total = 0;
    for (let result = 0; result >= 0; total += Math.max(result, 0)) result = writeText(writeEnd, "x".repeat(size));
    return total;
  };
  expect(fill(1)).toBe(65_536);
  expect(fill(3000)).toBe(48_000);
  expect(fill(4096)).toBe(65_536);
  expect(fill(70_000)).toBe(65_536);
});

test("room appears by whole pages, and small writes are atomic", () => {
  const { readEnd, writeEnd } = newPipe(O_NONBLOCK);
  expect(writeText(writeEnd, "x".repeat(70_000))).toBe(65_536);
  readText(readEnd, 10);
  expect(writeText(writeEnd, "x".repeat(10))).toBe(-EAGAIN);
  expect(writeText(writeEnd, "x".repeat(5000))).toBe(-EAGAIN);
  readText(readEnd, 4086);
  expect(writeText(writeEnd, "x".repeat(5000))).toBe(4096);
});

test("the capacity can be changed as fcntl(2) says", () => {
  const { readEnd, writeEnd } = newPipe(O_NONBLOCK);
  writeText(writeEnd, "x".repeat(48_000));
  expect(writeEnd.pipeSize()).toBe(65_536);
  expect(writeEnd.setPipeSize(100_000, KERNEL_CALLER)).toBe(131_072);
  expect(writeText(writeEnd, "y".repeat(3000))).toBe(3000);
  expect(writeEnd.setPipeSize(4096, KERNEL_CALLER)).toBe(-EBUSY);
  expect(writeEnd.setPipeSize(1 << 30, KERNEL_CALLER)).toBe(-EPERM);
  expect(readText(readEnd)).toBe("x".repeat(48_000) + "y".repeat(3000));
  expect(writeEnd.setPipeSize(1, KERNEL_CALLER)).toBe(4096);
  expect(writeText(writeEnd, "z".repeat(5000))).toBe(4096);
  expect(writeEnd.readiness()).toBe(0);
});

test("readiness shows data, room and missing ends as poll(2) does", () => {
  const { readEnd, writeEnd } = newPipe(O_NONBLOCK);
  expect([readEnd.readiness(), writeEnd.readiness()]).toEqual([0, 0x104]);
  writeText(writeEnd, "x");
  expect(readEnd.readiness()).toBe(0x41);
  writeEnd.retain();
  readEnd.release();
  expect(writeEnd.readiness()).toBe(0x10c);
  expect(writeText(writeEnd, "x")).toBe(-EPIPE);
  expect(writeText(writeEnd, "")).toBe(0);
  const other = newPipe(O_NONBLOCK);
  other.writeEnd.release();
  expect(other.readEnd.readiness()).toBe(0x10);
});

test("the ends have their directions and no positions", () => {
  const { readEnd, writeEnd } = newPipe();
  expect(writeText(readEnd, "x")).toBe(-EBADF);
  expect(readText(writeEnd)).toBe(-EBADF);
  expect(readEnd.seek(0, 0)).toBe(-ESPIPE);
  expect(readEnd.readAt(new BufferSink(1), 0)).toBe(-ESPIPE);
  expect(pathOf(readEnd.location, readEnd.location)).toBe("/");
});

test("a blocked writer goes on where it stopped, with nothing lost or repeated", () => {
  const { readEnd, writeEnd } = newPipe();
  const sent = Array.from({ length: 200_000 }, (_, i) => String.fromCharCode(i % 251)).join("");
  const source = text(sent);
  let received = "";
  let result = writeEnd.write(source);
  let wakes = 0;
  while (result === WOULD_BLOCK) {
    takeBlocker().add(() => wakes++);
    received += readText(readEnd, 5000);
    result = writeEnd.write(source);
  }
  expect(result).toBe(200_000);
  received += readText(readEnd, 100_000);
  expect(received).toBe(sent);
  expect(wakes).toBeGreaterThan(5);
});

test("a reader that faults half-way loses nothing", () => {
  const { readEnd, writeEnd } = newPipe();
  writeText(writeEnd, "0123456789");
  const half: ByteSink = {
    remaining: 10,
    transferred: 0,
    stopped: -14,
    put(_from, _start, length) {
      const taken = Math.min(4, length);
      Object.assign(this, { transferred: taken, remaining: 10 - taken });
      return taken;
    },
    putZeros: () => 0,
  };
  expect(readEnd.read(half)).toBe(4);
  expect(readText(readEnd)).toBe("456789");
});

test("a FIFO's open waits for the other side", () => {
  const { walk } = testWorld();
  makeNode(walk, "fifo", S_IFIFO | 0o666, 0);
  expect(outcome(open(walk, "fifo", O_WRONLY | O_NONBLOCK, 0))).toBe(-ENXIO);
  const reader = mustOpen(walk, "fifo", O_RDONLY);
  expect(reader.completeOpen()).toBe(WOULD_BLOCK);
  let woken = false;
  takeBlocker().add(() => {
    woken = true;
  });
  const writer = mustOpen(walk, "fifo", O_WRONLY);
  expect(woken).toBe(true);
  expect(writer.completeOpen()).toBe(0);
  writer.release();
  // The writer came and went, which is enough for the reader's open.
  expect(reader.completeOpen()).toBe(0);
  expect(readText(reader)).toBe("");
  reader.release();
});

test("a FIFO's readiness follows its writers", () => {
  const { walk, context } = testWorld();
  makeNode(walk, "fifo", S_IFIFO | 0o666, 0);
  const reader = mustOpen(walk, "fifo", O_RDONLY | O_NONBLOCK);
  expect([reader.readiness(), readText(reader)]).toEqual([0, ""]);
  const writer = mustOpen(walk, "fifo", O_WRONLY);
  expect([reader.readiness(), readText(reader)]).toEqual([0, -EAGAIN]);
  writer.release();
  expect(reader.readiness()).toBe(0x10);
  const both = mustOpen(walk, "fifo", O_RDWR | O_NONBLOCK);
  expect([both.readiness(), reader.readiness()]).toEqual([0x104, 0]);
  writeText(both, "left");
  both.release();
  reader.release();
  expect(context.frames.used).toBe(0);
});
