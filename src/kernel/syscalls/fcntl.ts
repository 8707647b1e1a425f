/** fcntl(2), flock(2), ioctl(2): what is changed about an open descriptor. */
import { EAGAIN, EBADF, EINVAL, EOVERFLOW, EPERM, ESRCH } from "../../abi/linux/errno.ts";
import {
  F_ADD_SEALS, F_DUPFD, F_DUPFD_CLOEXEC, F_GET_SEALS, F_GETFD, F_GETFL, F_GETLEASE, F_GETLK, F_GETOWN, F_GETOWN_EX, F_GETPIPE_SZ, F_GETSIG, F_NOTIFY,
  F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_RDLCK, F_SETFD, F_SETFL, F_SETLEASE, F_SETLK, F_SETLKW, F_SETOWN, F_SETOWN_EX, F_SETPIPE_SZ, F_SETSIG,
  F_UNLCK, F_WRLCK, FD_CLOEXEC, LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, SEEK_CUR, SEEK_END, SEEK_SET, SETTABLE_STATUS_FLAGS, O_PATH,
  F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE,
} from "../../abi/linux/fcntl.ts";
import { RLIMIT_NOFILE } from "../../abi/linux/resource.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import { flagsText, hexText } from "../../trace/text.ts";
import type { UserView } from "../../trace/event.ts";
import type { Call } from "../call.ts";
import { awaitLock, type FileLock, type LockOwner, setRecord, setWhole, stopSleeping, testRecord } from "../file-locks.ts";
import { custom, fd, full, partial, sys, type Row } from "./define.ts";
import { anyFileOf, fileOf, put64, signed64 } from "./file-arguments.ts";
import { openFlagsText, pointerKind, viewOf, withOptional } from "./kinds.ts";

function fcntl(call: Call, fd: number, command: number, argument: number): number {
  const file = anyFileOf(call, fd);
  if (file === undefined) return -EBADF;
  const { files, process } = call.task;
  // An O_PATH descriptor can be copied and marked, nothing else (open(2)).
  if ((file.flags & O_PATH) !== 0 && ![F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL].includes(command)) return -EBADF;
  const word = argument | 0;
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: {
      const limit = process.limit(RLIMIT_NOFILE);
      if (word < 0 || word >= limit) return -EINVAL;
      const copy = files.allocate(file.retain(), command === F_DUPFD_CLOEXEC, limit, word);
      if (copy < 0) file.release();
      return copy;
    }
    case F_GETFD:
      return files.isCloseOnExec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
      files.setCloseOnExec(fd, (word & FD_CLOEXEC) !== 0);
      return 0;
    case F_GETFL:
      return file.flags;
    case F_SETFL:
      return file.setStatusFlags(word & SETTABLE_STATUS_FLAGS);
    case F_GETLK:
    case F_OFD_GETLK:
      return getLock(call, file, command, argument);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return setLock(call, file, command, argument);
    case F_GETPIPE_SZ:
      return file.pipeSize();
    case F_SETPIPE_SZ:
      return file.setPipeSize(argument > 0xffff_ffff ? -1 : argument, call.task);
    case F_ADD_SEALS:
      return file.writable ? file.addSeals(word) : isSealable(file) ? -EPERM : -EINVAL;
    case F_GET_SEALS:
      return file.seals();
    case F_GETOWN:
      return ownerOf(file).kind === OWNER_GROUP ? -ownerOf(file).id : ownerOf(file).id;
    case F_SETOWN:
      if (word === -0x8000_0000) return -EINVAL;
      return setOwner(call, file, word < 0 ? OWNER_GROUP : OWNER_PROCESS, Math.abs(word));
    case F_GETOWN_EX: {
      const owner = ownerOf(file);
      call.scratch.setInt32(0, owner.kind, true);
      call.scratch.setInt32(4, owner.id, true);
      return call.store(argument, 8);
    }
    case F_SETOWN_EX: {
      const failed = call.fetch(argument, 8);
      if (failed < 0) return failed;
      const kind = call.scratch.getInt32(0, true);
      if (kind < OWNER_THREAD || kind > OWNER_GROUP) return -EINVAL;
      return setOwner(call, file, kind, call.scratch.getInt32(4, true));
    }
    case F_GETSIG:
      return ownerOf(file).signal;
    case F_SETSIG:
      if (word < 0 || word > 64) return -EINVAL;
      owners.set(file, { ...ownerOf(file), signal: word });
      return 0;
    case F_GETLEASE:
      return F_UNLCK;
    // No leases and no directory notification: what a filesystem without them answers.
    case F_SETLEASE:
    case F_NOTIFY:
      return -EINVAL;
    default:
      return -EINVAL;
  }
}

const isSealable = (file: OpenFile): boolean => file.seals() >= 0;

// SIGIO ownership is kept and reported; SIGIO itself is not sent ---------------------------------------------------------

const OWNER_THREAD = 0, OWNER_PROCESS = 1, OWNER_GROUP = 2;
interface Owner { readonly kind: number; readonly id: number; readonly signal: number }
const owners = new WeakMap<OpenFile, Owner>();
const NOBODY: Owner = { kind: OWNER_PROCESS, id: 0, signal: 0 };
const ownerOf = (file: OpenFile): Owner => owners.get(file) ?? NOBODY;

function setOwner(call: Call, file: OpenFile, kind: number, id: number): number {
  const { kernel } = call;
  const found = id === 0 || (kind === OWNER_GROUP ? kernel.findGroup(id) : kind === OWNER_THREAD ? kernel.findTask(id) : kernel.findProcess(id));
  if (found === undefined) return -ESRCH;
  owners.set(file, { kind, id, signal: ownerOf(file).signal });
  return 0;
}

// Record locks ------------------------------------------------------------------------------------------------------------

/** struct flock of x86-64: l_type and l_whence (short), then from 8: l_start, l_len (long), l_pid (int). */
const FLOCK_BYTES = 32;

interface FlockRequest { readonly lock: FileLock; readonly waits: boolean }

function readFlock(call: Call, file: OpenFile, command: number, address: number): FlockRequest | number {
  const failed = call.fetch(address, FLOCK_BYTES);
  if (failed < 0) return failed;
  const { scratch } = call;
  const type = scratch.getInt16(0, true);
  const description = command >= F_OFD_GETLK;
  if (description && scratch.getInt32(24, true) !== 0) return -EINVAL;
  const base = basePosition(file, scratch.getInt16(2, true));
  if (base < 0) return base;
  let start = base + signed64(scratch, 8);
  const length = signed64(scratch, 16);
  let end = length === 0 ? Infinity : start + length;
  if (length < 0) [start, end] = [start + length, start];
  if (start < 0) return -EINVAL;
  if (end !== Infinity && end > 2 ** 63) return -EOVERFLOW;
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return -EINVAL;
  const owner: LockOwner = description ? file : call.task.files;
  const lock = { owner, type, start, end, pid: description ? -1 : call.task.process.pid };
  return { lock, waits: command === F_SETLKW || command === F_OFD_SETLKW };
}

function basePosition(file: OpenFile, whence: number): number {
  switch (whence) {
    case SEEK_SET: return 0;
    case SEEK_CUR: return file.offset;
    case SEEK_END: return file.inode.size;
    default: return -EINVAL;
  }
}

function getLock(call: Call, file: OpenFile, command: number, address: number): number {
  const request = readFlock(call, file, command, address);
  if (typeof request === "number") return request;
  if (request.lock.type === F_UNLCK) return -EINVAL;
  const held = testRecord(file.inode, request.lock);
  const { scratch } = call;
  if (held === undefined) scratch.setInt16(0, F_UNLCK, true);
  else {
    scratch.setInt16(0, held.type, true);
    scratch.setInt16(2, SEEK_SET, true);
    put64(scratch, 8, held.start);
    put64(scratch, 16, held.end === Infinity ? 0 : held.end - held.start);
    scratch.setInt32(24, held.pid, true);
  }
  return call.store(address, FLOCK_BYTES);
}

function setLock(call: Call, file: OpenFile, command: number, address: number): number {
  const request = readFlock(call, file, command, address);
  if (typeof request === "number") return request;
  const { lock, waits } = request;
  if (lock.type === F_RDLCK && !file.readable) return -EBADF;
  if (lock.type === F_WRLCK && !file.writable) return -EBADF;
  const result = setRecord(file.inode, lock, waits ? "waits" : "fails");
  if (result !== -EAGAIN || !waits) return result;
  call.cleanup = () => stopSleeping(lock.owner);
  return awaitLock(call, file.inode, lock.owner, "records");
}

function flock(call: Call, fd: number, operation: number): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  const kind = operation & ~LOCK_NB;
  if (kind !== LOCK_SH && kind !== LOCK_EX && kind !== LOCK_UN) return -EINVAL;
  const result = setWhole(file.inode, file, kind === LOCK_UN ? F_UNLCK : kind === LOCK_SH ? F_RDLCK : F_WRLCK);
  if (result !== -EAGAIN || (operation & LOCK_NB) !== 0) return result;
  return awaitLock(call, file.inode, file, "whole");
}

// Tracing -----------------------------------------------------------------------------------------------------------------

const COMMANDS: Record<number, string> = {
  0: "F_DUPFD", 1: "F_GETFD", 2: "F_SETFD", 3: "F_GETFL", 4: "F_SETFL", 5: "F_GETLK", 6: "F_SETLK", 7: "F_SETLKW", 8: "F_SETOWN", 9: "F_GETOWN",
  10: "F_SETSIG", 11: "F_GETSIG", 15: "F_SETOWN_EX", 16: "F_GETOWN_EX", 36: "F_OFD_GETLK", 37: "F_OFD_SETLK", 38: "F_OFD_SETLKW",
  1024: "F_SETLEASE", 1025: "F_GETLEASE", 1026: "F_NOTIFY", 1030: "F_DUPFD_CLOEXEC", 1031: "F_SETPIPE_SZ", 1032: "F_GETPIPE_SZ",
  1033: "F_ADD_SEALS", 1034: "F_GET_SEALS",
};
const SEALS = Object.entries({ F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_EXEC });

function flockText(address: number, view: UserView, withPid: boolean): string {
  const data = viewOf(view, address, FLOCK_BYTES);
  if (data === undefined) return hexText(address);
  const type = ["F_RDLCK", "F_WRLCK", "F_UNLCK"][data.getInt16(0, true)] ?? String(data.getInt16(0, true));
  const whence = ["SEEK_SET", "SEEK_CUR", "SEEK_END"][data.getInt16(2, true)] ?? String(data.getInt16(2, true));
  const pid = withPid ? `, l_pid=${data.getInt32(24, true)}` : "";
  return `{l_type=${type}, l_whence=${whence}, l_start=${data.getBigInt64(8, true)}, l_len=${data.getBigInt64(16, true)}${pid}}`;
}

const fcntlArgument = pointerKind((value, view, all) => {
  switch (all[1]) {
    case F_GETFD: case F_GETFL: case F_GETOWN: case F_GETSIG: case F_GETPIPE_SZ: case F_GET_SEALS: case F_GETLEASE: return "";
    case F_SETFD: return (value & 1) !== 0 ? "FD_CLOEXEC" : "0";
    case F_SETFL: return openFlagsText(value & 0xffff_ffff);
    case F_GETLK: return flockText(value, view, true);
    case F_SETLK: case F_SETLKW: case F_OFD_SETLK: case F_OFD_SETLKW: case F_OFD_GETLK: return flockText(value, view, false);
    case F_ADD_SEALS: return flagsText(value & 0xffff_ffff, SEALS, "0");
    case F_SETOWN_EX: case F_GETOWN_EX: return hexText(value);
    default: return String(value | 0);
  }
}, "exit");
const lockOperation = custom((value) => {
  const name = ["LOCK_SH", "LOCK_EX", "", "LOCK_UN"][(value & ~LOCK_NB & 0xf) === 8 ? 3 : (value & 3) - 1] ?? hexText(value);
  return (value & LOCK_NB) !== 0 ? `${name}|LOCK_NB` : name;
});

export const fcntlCalls: readonly Row[] = [
  withOptional(sys("fcntl", { fd, command: custom((value) => COMMANDS[value] ?? hexText(value)), argument: fcntlArgument }, fcntl,
    partial("no leases, no directory notification; SIGIO owners are kept but SIGIO is not sent")), 2),
  sys("flock", { fd, operation: lockOperation }, flock, full),
];
