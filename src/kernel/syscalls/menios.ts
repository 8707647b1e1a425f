/** The calls that only meniOS has: listdir, stdin_poll, sleep in microseconds, getpagesize. */
import { EACCES, EAGAIN, EBADF, ENOTDIR } from "../../abi/linux/errno.ts";
import { POLLIN } from "../../abi/linux/poll.ts";
import { stringToBytes } from "../../fs/names.ts";
import { BufferSink } from "../../fs/transfer.ts";
import { checkPermission, MAY_READ } from "../../fs/vfs/credentials.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import { WOULD_BLOCK } from "../../fs/wait.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { Call } from "../call.ts";
import { full, path, ptr, size, sys, type Row } from "./define.ts";

/** listdir(path, buffer, size): the names, each with a newline; the bytes needed for all of them. NULL only asks for that. */
function listdir(call: Call, pathAddress: number, buffer: number, length: number): number {
  const { kernel, task } = call;
  const name = call.readPath(pathAddress);
  if (typeof name === "number") return name;
  const location = resolve(kernel.walk(task), name);
  if (typeof location === "number") return call.finish(location);
  const { inode } = location.dentry;
  if (!inode.isDirectory) return -ENOTDIR;
  if (checkPermission(inode, MAY_READ, task) < 0) return -EACCES;
  let names = "";
  const result = inode.readdir(0, (entry) => {
    names += `${entry}\n`;
    return true;
  });
  if (result < 0) return call.finish(result);
  const bytes = stringToBytes(names);
  if (buffer !== 0) {
    const stored = call.copyOut(buffer, bytes.subarray(0, Math.min(length, bytes.length)));
    if (stored < 0) return stored;
  }
  return bytes.length;
}

/** stdin_poll(): the next byte of descriptor 0, or EAGAIN when none is waiting (or none will come). */
function stdinPoll(call: Call): number {
  const file = call.task.files.get(0);
  if (file === undefined) return -EBADF;
  if ((file.readiness() & POLLIN) === 0) return -EAGAIN;
  const sink = new BufferSink(1);
  const result = file.read(sink);
  if (result === WOULD_BLOCK || result === 0) return -EAGAIN;
  return result < 0 ? result : sink.bytes[0];
}

/** sleep(microseconds). A signal handler ends it with EINTR. */
function sleep(call: Call, microseconds: number): number {
  call.deadline ??= call.now() + microseconds * 1000;
  return call.now() >= call.deadline ? 0 : call.park(undefined, "ERESTARTNOHAND", call.deadline);
}

const getpagesize = (): number => PAGE_SIZE;

export const meniosCalls: readonly Row[] = [
  sys("listdir", { path, buffer: ptr, size }, listdir, full),
  sys("stdin_poll", {}, stdinPoll, full),
  sys("sleep", { microseconds: size }, sleep, full),
  sys("getpagesize", {}, getpagesize, full),
];
