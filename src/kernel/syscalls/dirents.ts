/** Directory entries into user memory: getdents64(2) and getdents(2).
 *
 *  The position of the open directory moves only after the entries have reached the caller. */
import { EBADF, EINVAL, ENOTDIR } from "../../abi/linux/errno.ts";
import { direntBytes, dirent64Bytes, writeDirent, writeDirent64 } from "../../abi/linux/stat.ts";
import { takeBlocker, WOULD_BLOCK } from "../../fs/wait.ts";
import type { Call } from "../call.ts";
import { fd, full, sys, uint, type Row } from "./define.ts";
import { fileOf } from "./file-arguments.ts";
import { addressText, pointerKind } from "./kinds.ts";
import { hexText } from "../../trace/text.ts";

/** Most bytes built before they are copied out; the caller asks again for more. */
const BUFFER_MAX = 0x1_0000;

type EntryWriter = (view: DataView, offset: number, ino: number, cookie: number, type: number, name: string) => number;

const getdents64 = (call: Call, fd: number, buffer: number, bytes: number): number => entries(call, fd, buffer, bytes, dirent64Bytes, writeDirent64);
const getdents = (call: Call, fd: number, buffer: number, bytes: number): number => entries(call, fd, buffer, bytes, direntBytes, writeDirent);

function entries(call: Call, fd: number, buffer: number, bytes: number, sizeOf: (nameLength: number) => number, write: EntryWriter): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (!file.inode.isDirectory) return -ENOTDIR;
  const target = new DataView(new ArrayBuffer(Math.min(bytes, BUFFER_MAX)));
  const before = file.offset;
  let used = 0;
  let full = false;
  const result = file.getdents((name, ino, type, cookie) => {
    if (used + sizeOf(name.length) > target.byteLength) {
      full = true;
      return false;
    }
    used += write(target, used, ino, cookie, type, name);
    return true;
  });
  if (result === WOULD_BLOCK) {
    const queue = takeBlocker();
    if (used === 0) return call.park(queue, "UNINTERRUPTIBLE");
  } else if (used === 0) {
    return result < 0 ? result : full ? -EINVAL : 0;
  }
  const stored = call.copyOut(buffer, new Uint8Array(target.buffer, 0, used));
  if (stored < 0) {
    file.offset = before;
    return stored;
  }
  return used;
}

/** `0x7ffe… /* 7 entries *\/` */
const entriesOut = pointerKind((value, view, _all, result) => {
  if (result < 0) return addressText(value);
  const bytes = view.peek(value, result);
  if (bytes === undefined) return addressText(value);
  let count = 0;
  for (let at = 0; at + 18 <= result; count++) {
    const length = bytes[at + 16] | (bytes[at + 17] << 8);
    if (length === 0) break;
    at += length;
  }
  return `${hexText(value)} /* ${count} ${count === 1 ? "entry" : "entries"} */`;
}, "exit");

export const direntCalls: readonly Row[] = [
  sys("getdents", { fd, buffer: entriesOut, bytes: uint }, getdents, full),
  sys("getdents64", { fd, buffer: entriesOut, bytes: uint }, getdents64, full),
];
