import { expect, test } from "vitest";
import { EAGAIN, EPIPE } from "../../abi/linux/errno.ts";
import { O_NONBLOCK, O_RDONLY, O_WRONLY } from "../../abi/linux/fcntl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../../abi/linux/poll.ts";
import { emptyStat, PIPEFS_MAGIC, S_IFIFO } from "../../abi/linux/stat.ts";
import { bytesToString, stringToBytes } from "../names.ts";
import { readText, testWorld, text, writeText } from "../test-world.ts";
import { AnonymousFileSystem } from "../vfs/anonymous.ts";
import { KERNEL_CALLER } from "../vfs/credentials.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { takeBlocker, WOULD_BLOCK } from "../wait.ts";
import { openInputStream, openOutputStream, type StreamOutput } from "./host-streams.ts";

function input(): { file: OpenFile; give: (bytes: string | null) => void; asked: () => number } {
  const { context, mounts } = testWorld();
  const pending: ((bytes: Uint8Array | null) => void)[] = [];
  let asked = 0;
  const source = {
    pull(deliver: (bytes: Uint8Array | null) => void) {
      asked++;
      pending.push(deliver);
    },
  };
  const file = openInputStream(source, new AnonymousFileSystem(context, "pipefs", PIPEFS_MAGIC), mounts, KERNEL_CALLER, O_RDONLY);
  return { file, give: (bytes) => pending.shift()!(bytes === null ? null : stringToBytes(bytes)), asked: () => asked };
}

function output(target: StreamOutput, flags = O_WRONLY): OpenFile {
  const { context, mounts } = testWorld();
  return openOutputStream(target, new AnonymousFileSystem(context, "pipefs", PIPEFS_MAGIC), mounts, KERNEL_CALLER, flags);
}

test("input is asked for when it is read and arrives when the host has it", () => {
  const { file, give, asked } = input();
  expect(asked()).toBe(0);
  expect(readText(file)).toBe(WOULD_BLOCK);
  let woken = 0;
  takeBlocker().add(() => woken++);
  give("hello world");
  expect(woken).toBe(1);
  expect(file.readiness()).toBe(POLLIN | 0x40);
  expect(readText(file, 5)).toBe("hello");
  expect(asked()).toBe(1);
  expect(readText(file)).toBe(" world");
  expect(file.readiness()).toBe(0);
  give(null);
  expect(file.readiness()).toBe(POLLHUP);
  expect(readText(file)).toBe("");
  expect(asked()).toBe(2);
});

test("output stops when the host has enough and goes on when it drained", () => {
  let taken = "";
  let room = true;
  let drained = (): void => {};
  const file = output({
    write(bytes) {
      taken += bytesToString(bytes);
      return room;
    },
    drained(resume) {
      drained = resume;
    },
  });
  room = false;
  const source = text("x".repeat(100_000));
  expect(file.write(source)).toBe(WOULD_BLOCK);
  expect(taken.length).toBe(65_536);
  expect(file.readiness()).toBe(0);
  room = true;
  drained();
  expect(file.readiness() & POLLOUT).toBe(POLLOUT);
  expect(file.write(source)).toBe(100_000);
  expect(taken.length).toBe(100_000);
});

test("a non-blocking output takes what fits, and a broken one gives EPIPE", () => {
  const full = output({ write: () => false, drained() {} }, O_WRONLY | O_NONBLOCK);
  expect(writeText(full, "first")).toBe(5);
  expect(writeText(full, "second")).toBe(-EAGAIN);
  const broken = output({ write: () => true, drained() {}, broken: true });
  expect(writeText(broken, "x")).toBe(-EPIPE);
  expect(broken.readiness() & POLLERR).toBe(POLLERR);
  const out = emptyStat();
  broken.inode.stat(out);
  expect(out.mode & 0o170000).toBe(S_IFIFO);
});
