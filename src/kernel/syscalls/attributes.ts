/** What may be changed about a file: chmod(2), chown(2), utimensat(2), and extended attributes, which no filesystem here has. */
import { EBADF, EINVAL, EOPNOTSUPP, ERANGE } from "../../abi/linux/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../../abi/linux/fcntl.ts";
import { UTIME_NOW, UTIME_OMIT } from "../../abi/linux/stat.ts";
import { changeMode, changeOwner, changeTimes, type NewTime } from "../../fs/vfs/attributes.ts";
import type { Location } from "../../fs/vfs/location.ts";
import type { Call } from "../call.ts";
import { absent, dirfd, fd, flags, full, id, path, ptr, size, str, structIn, sys, uint, type Row } from "./define.ts";
import { anyFileOf, fileOf, signed64 } from "./file-arguments.ts";
import { fileMode } from "./kinds.ts";
import { locate } from "./stat.ts";

type Change = (call: Call, location: Location) => number;

function change(call: Call, directory: number, path: number, atFlags: number, action: Change): number {
  const location = locate(call, directory, path, atFlags);
  return typeof location === "number" ? location : call.finish(action(call, location), "UNINTERRUPTIBLE");
}
function changeFile(call: Call, location: Location | undefined, action: Change): number {
  return location === undefined ? -EBADF : call.finish(action(call, location), "UNINTERRUPTIBLE");
}

// Mode and owner ------------------------------------------------------------------------------------------------------

const setMode = (mode: number): Change => (call, location) => changeMode(call.kernel.fs, location, mode & 0o7777, call.task);
const chmod = (call: Call, path: number, mode: number): number => change(call, AT_FDCWD, path, 0, setMode(mode));
const fchmod = (call: Call, fd: number, mode: number): number => changeFile(call, fileOf(call, fd)?.location, setMode(mode));
const fchmodat = (call: Call, directory: number, path: number, mode: number): number => change(call, directory, path, 0, setMode(mode));
function fchmodat2(call: Call, directory: number, path: number, mode: number, atFlags: number): number {
  if ((atFlags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return change(call, directory, path, atFlags, setMode(mode));
}

const setOwner = (uid: number, gid: number): Change => (call, location) => changeOwner(call.kernel.fs, location, uid, gid, call.task);
const chown = (call: Call, path: number, uid: number, gid: number): number => change(call, AT_FDCWD, path, 0, setOwner(uid, gid));
const lchown = (call: Call, path: number, uid: number, gid: number): number => change(call, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, setOwner(uid, gid));
const fchown = (call: Call, fd: number, uid: number, gid: number): number => changeFile(call, fileOf(call, fd)?.location, setOwner(uid, gid));
function fchownat(call: Call, directory: number, path: number, uid: number, gid: number, atFlags: number): number {
  if ((atFlags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return change(call, directory, path, atFlags, setOwner(uid, gid));
}

// Times ---------------------------------------------------------------------------------------------------------------

interface Times { readonly atime: NewTime; readonly mtime: NewTime }
const NOW: NewTime = { seconds: 0, nanos: UTIME_NOW };
const BOTH_NOW: Times = { atime: NOW, mtime: NOW };
const isNow = (time: NewTime): boolean => time.nanos === UTIME_NOW;

const setTimes = ({ atime, mtime }: Times): Change => (call, location) => {
  const both = isNow(atime) && isNow(mtime);
  return changeTimes(call.kernel.fs, location, both ? null : atime, both ? null : mtime, call.task);
};

/** Two timespecs, or NULL for now. */
function readTimespecs(call: Call, address: number): Times | number {
  if (address === 0) return BOTH_NOW;
  const failed = call.fetch(address, 32);
  if (failed < 0) return failed;
  const { scratch } = call;
  const at = (offset: number): NewTime => ({ seconds: signed64(scratch, offset), nanos: signed64(scratch, offset + 8) });
  return { atime: at(0), mtime: at(16) };
}
/** Two timevals; microseconds out of range are EINVAL. */
function readTimevals(call: Call, address: number): Times | number {
  if (address === 0) return BOTH_NOW;
  const failed = call.fetch(address, 32);
  if (failed < 0) return failed;
  const { scratch } = call;
  const micros = [signed64(scratch, 8), signed64(scratch, 24)];
  if (micros.some((value) => value < 0 || value >= 1_000_000)) return -EINVAL;
  return { atime: { seconds: signed64(scratch, 0), nanos: micros[0] * 1000 }, mtime: { seconds: signed64(scratch, 16), nanos: micros[1] * 1000 } };
}

function utimensat(call: Call, directory: number, path: number, times: number, atFlags: number): number {
  const read = readTimespecs(call, times);
  if (typeof read === "number") return read;
  // Nothing to do is done before the path is looked at (utimensat(2)).
  if (read.atime.nanos === UTIME_OMIT && read.mtime.nanos === UTIME_OMIT) return 0;
  // A NULL path means the descriptor itself: futimens(3).
  if (path === 0 && directory !== AT_FDCWD) return atFlags !== 0 ? -EINVAL : changeFile(call, fileOf(call, directory)?.location, setTimes(read));
  if ((atFlags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return change(call, directory, path, atFlags, setTimes(read));
}
function futimesat(call: Call, directory: number, path: number, times: number): number {
  const read = readTimevals(call, times);
  if (typeof read === "number") return read;
  if (path === 0 && directory !== AT_FDCWD) return changeFile(call, anyFileOf(call, directory)?.location, setTimes(read));
  return change(call, directory, path, 0, setTimes(read));
}
const utimes = (call: Call, path: number, times: number): number => futimesat(call, AT_FDCWD, path, times);
/** utime(2): two whole seconds. */
function utime(call: Call, path: number, times: number): number {
  let read = BOTH_NOW;
  if (times !== 0) {
    const failed = call.fetch(times, 16);
    if (failed < 0) return failed;
    read = { atime: { seconds: signed64(call.scratch, 0), nanos: 0 }, mtime: { seconds: signed64(call.scratch, 8), nanos: 0 } };
  }
  return change(call, AT_FDCWD, path, 0, setTimes(read));
}

// Extended attributes: the errors of a filesystem without them (xattr(7)) -------------------------------------------------

function attributeName(call: Call, name: number): number {
  const text = call.readString(name, 256, -ERANGE);
  if (typeof text === "number") return text;
  return text.length === 0 ? -ERANGE : 0;
}
const refused = (follow: number) => (call: Call, path: number, name: number): number => {
  const location = locate(call, AT_FDCWD, path, follow);
  if (typeof location === "number") return location;
  const named = attributeName(call, name);
  return named < 0 ? named : -EOPNOTSUPP;
};
function refusedFile(call: Call, fd: number, name: number): number {
  if (fileOf(call, fd) === undefined) return -EBADF;
  const named = attributeName(call, name);
  return named < 0 ? named : -EOPNOTSUPP;
}
/** The list is empty. */
const emptyList = (follow: number) => (call: Call, path: number): number => {
  const location = locate(call, AT_FDCWD, path, follow);
  return typeof location === "number" ? location : 0;
};
const emptyFileList = (call: Call, fd: number): number => (fileOf(call, fd) === undefined ? -EBADF : 0);

const timeText = (seconds: bigint, nanos: bigint): string => {
  if (nanos === BigInt(UTIME_NOW)) return "UTIME_NOW";
  if (nanos === BigInt(UTIME_OMIT)) return "UTIME_OMIT";
  return `{tv_sec=${seconds}, tv_nsec=${nanos}} /* ${dateText(Number(seconds), Number(nanos), 9)} */`;
};
function dateText(seconds: number, fraction: number, digits: number): string {
  const date = new Date(seconds * 1000);
  const day = Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().slice(0, 19);
  return `${day}${fraction === 0 ? "" : `.${String(fraction).padStart(digits, "0")}`}+0000`;
}
const timespecPair = structIn(32, (data) =>
  `[${timeText(data.getBigInt64(0, true), data.getBigInt64(8, true))}, ${timeText(data.getBigInt64(16, true), data.getBigInt64(24, true))}]`);
const timevalPair = structIn(32, (data) => {
  const at = (offset: number): string => {
    const seconds = data.getBigInt64(offset, true), micros = data.getBigInt64(offset + 8, true);
    return `{tv_sec=${seconds}, tv_usec=${micros}} /* ${dateText(Number(seconds), Number(micros), 6)} */`;
  };
  return `[${at(0)}, ${at(16)}]`;
});
const utimbuf = structIn(16, (data) => {
  const at = (offset: number): string => `${data.getBigInt64(offset, true)} /* ${dateText(Number(data.getBigInt64(offset, true)), 0, 9)} */`;
  return `{actime=${at(0)}, modtime=${at(8)}}`;
});
const atFlags = flags({ AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });
const NO_XATTR = absent("no filesystem here has extended attributes: EOPNOTSUPP, and empty lists");

export const attributeCalls: readonly Row[] = [
  sys("chmod", { path, mode: fileMode }, chmod, full),
  sys("fchmod", { fd, mode: fileMode }, fchmod, full),
  sys("fchmodat", { dirfd, path, mode: fileMode }, fchmodat, full),
  sys("fchmodat2", { dirfd, path, mode: fileMode, flags: atFlags }, fchmodat2, full),
  sys("chown", { path, uid: id, gid: id }, chown, full),
  sys("lchown", { path, uid: id, gid: id }, lchown, full),
  sys("fchown", { fd, uid: id, gid: id }, fchown, full),
  sys("fchownat", { dirfd, path, uid: id, gid: id, flags: atFlags }, fchownat, full),
  sys("utimensat", { dirfd, path, times: timespecPair, flags: atFlags }, utimensat, full),
  sys("futimesat", { dirfd, path, times: timevalPair }, futimesat, full),
  sys("utimes", { path, times: timevalPair }, utimes, full),
  sys("utime", { path, times: utimbuf }, utime, full),
  sys("setxattr", { path, name: str, value: ptr, size, flags: uint }, refused(0), NO_XATTR),
  sys("lsetxattr", { path, name: str, value: ptr, size, flags: uint }, refused(AT_SYMLINK_NOFOLLOW), NO_XATTR),
  sys("fsetxattr", { fd, name: str, value: ptr, size, flags: uint }, refusedFile, NO_XATTR),
  sys("getxattr", { path, name: str, value: ptr, size }, refused(0), NO_XATTR),
  sys("lgetxattr", { path, name: str, value: ptr, size }, refused(AT_SYMLINK_NOFOLLOW), NO_XATTR),
  sys("fgetxattr", { fd, name: str, value: ptr, size }, refusedFile, NO_XATTR),
  sys("listxattr", { path, list: ptr, size }, emptyList(0), NO_XATTR),
  sys("llistxattr", { path, list: ptr, size }, emptyList(AT_SYMLINK_NOFOLLOW), NO_XATTR),
  sys("flistxattr", { fd, list: ptr, size }, emptyFileList, NO_XATTR),
  sys("removexattr", { path, name: str }, refused(0), NO_XATTR),
  sys("lremovexattr", { path, name: str }, refused(AT_SYMLINK_NOFOLLOW), NO_XATTR),
  sys("fremovexattr", { fd, name: str }, refusedFile, NO_XATTR),
];
