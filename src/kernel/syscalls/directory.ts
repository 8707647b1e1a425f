/** Changes to the tree of names and where a process stands in it: mkdir(2), unlink(2), rename(2), link(2), chdir(2), getcwd(2). */
import { EBADF, EINVAL, ENOENT, ENOTDIR, EPERM, ERANGE } from "../../abi/linux/errno.ts";
import {
  AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT,
} from "../../abi/linux/fcntl.ts";
import { S_IFBLK, S_IFCHR, S_IFMT } from "../../abi/linux/stat.ts";
import { stringToBytes } from "../../fs/names.ts";
import { checkPermission, MAY_EXECUTE } from "../../fs/vfs/credentials.ts";
import { type Location, pathOf } from "../../fs/vfs/location.ts";
import { resolveDirectory, type Walk } from "../../fs/vfs/namei.ts";
import { makeDirectory, makeLink, makeNode, makeSymlink, removeDirectory, rename as renameEntry, unlink as unlinkEntry } from "../../fs/vfs/tree.ts";
import type { Call } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { bytesText } from "../../trace/text.ts";
import { custom, dirfd, fd, flags, full, path, size, sys, type Row } from "./define.ts";
import { anyFileOf, walkFrom } from "./file-arguments.ts";
import { addressText, deviceText, fileMode, nodeMode, pointerKind, withOptional } from "./kinds.ts";
import { locate } from "./stat.ts";

/** Reads a path and does `operation` with a walk that starts where the path does. */
function at(call: Call, directory: number, pathAddress: number, operation: (walk: Walk, path: string) => number): number {
  const path = call.readPath(pathAddress);
  if (typeof path === "number") return path;
  if (path === "") return -ENOENT;
  const walk = walkFrom(call, directory, path);
  return typeof walk === "number" ? walk : call.finish(operation(walk, path), "UNINTERRUPTIBLE");
}
const masked = (call: Call, bits: number): number => bits & ~call.task.context.umask;

// Where the process is ------------------------------------------------------------------------------------------------

function getcwd(call: Call, buffer: number, bytes: number): number {
  const { cwd, root } = call.task.context;
  if (cwd.dentry.unlinked) return -ENOENT;
  const path = stringToBytes(`${pathOf(cwd, root)}\0`);
  if (path.length > bytes) return -ERANGE;
  const stored = call.copyOut(buffer, path);
  return stored < 0 ? stored : path.length;
}

function chdir(call: Call, path: number): number {
  return at(call, AT_FDCWD, path, (walk, name) => {
    const location = resolveDirectory(walk, name);
    if (typeof location === "number") return location;
    call.task.context.cwd = location;
    return 0;
  });
}
function fchdir(call: Call, fd: number): number {
  const file = anyFileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (!file.inode.isDirectory) return -ENOTDIR;
  const allowed = checkPermission(file.inode, MAY_EXECUTE, call.task);
  if (allowed < 0) return allowed;
  call.task.context.cwd = file.location;
  return 0;
}
function chroot(call: Call, path: number): number {
  return at(call, AT_FDCWD, path, (walk, name) => {
    const location = resolveDirectory(walk, name);
    if (typeof location === "number") return location;
    if (!isPrivileged(call.task.credentials)) return -EPERM;
    call.task.context.root = location;
    return 0;
  });
}

// Making --------------------------------------------------------------------------------------------------------------

const mkdir = (call: Call, path: number, mode: number): number => mkdirat(call, AT_FDCWD, path, mode);
const mkdirat = (call: Call, directory: number, path: number, mode: number): number =>
  at(call, directory, path, (walk, name) => makeDirectory(walk, name, masked(call, mode)));

const mknod = (call: Call, path: number, mode: number, device: number): number => mknodat(call, AT_FDCWD, path, mode, device);
const mknodat = (call: Call, directory: number, path: number, mode: number, device: number): number =>
  at(call, directory, path, (walk, name) => makeNode(walk, name, (mode & S_IFMT) | masked(call, mode & 0o7777), device));

const symlink = (call: Call, target: number, path: number): number => symlinkat(call, target, AT_FDCWD, path);
function symlinkat(call: Call, target: number, directory: number, path: number): number {
  const content = call.readPath(target);
  if (typeof content === "number") return content;
  return at(call, directory, path, (walk, name) => makeSymlink(walk, content, name));
}

const link = (call: Call, from: number, to: number): number => linkat(call, AT_FDCWD, from, AT_FDCWD, to, 0);
function linkat(call: Call, fromDirectory: number, from: number, toDirectory: number, to: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const follow = (flags & AT_SYMLINK_FOLLOW) !== 0 ? 0 : AT_SYMLINK_NOFOLLOW;
  const existing: Location | number = locate(call, fromDirectory, from, (flags & AT_EMPTY_PATH) | follow);
  if (typeof existing === "number") return existing;
  return at(call, toDirectory, to, (walk, name) => makeLink(walk, existing, name));
}

// Removing and moving ---------------------------------------------------------------------------------------------------

const unlink = (call: Call, path: number): number => at(call, AT_FDCWD, path, unlinkEntry);
const rmdir = (call: Call, path: number): number => at(call, AT_FDCWD, path, removeDirectory);
function unlinkat(call: Call, directory: number, path: number, flags: number): number {
  if ((flags & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  return at(call, directory, path, (flags & AT_REMOVEDIR) !== 0 ? removeDirectory : unlinkEntry);
}

const rename = (call: Call, from: number, to: number): number => renameat2(call, AT_FDCWD, from, AT_FDCWD, to, 0);
const renameat = (call: Call, fromDirectory: number, from: number, toDirectory: number, to: number): number =>
  renameat2(call, fromDirectory, from, toDirectory, to, 0);
function renameat2(call: Call, fromDirectory: number, from: number, toDirectory: number, to: number, flags: number): number {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  if ((flags & RENAME_EXCHANGE) !== 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  return at(call, fromDirectory, from, (fromWalk, fromPath) => {
    const toPath = call.readPath(to);
    if (typeof toPath === "number") return toPath;
    if (toPath === "") return -ENOENT;
    const toWalk = walkFrom(call, toDirectory, toPath);
    return typeof toWalk === "number" ? toWalk : renameEntry(fromWalk, fromPath, toWalk, toPath, flags);
  });
}

const renameFlags = flags({ RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT });
/** A device number, which mknod takes only for device nodes. */
const device = (modeIndex: number) => custom((value, all) => ([S_IFCHR, S_IFBLK].includes(all[modeIndex] & S_IFMT) ? deviceText(value) : ""));
const pathBuffer = pointerKind((value, view, _all, result) => {
  const bytes = result > 0 ? view.peek(value, result - 1) : undefined;
  return bytes === undefined ? addressText(value) : bytesText(bytes, bytes.length);
}, "exit");

export const directoryCalls: readonly Row[] = [
  sys("getcwd", { buffer: pathBuffer, size }, getcwd, full),
  sys("chdir", { path }, chdir, full),
  sys("fchdir", { fd }, fchdir, full),
  sys("chroot", { path }, chroot, full),
  sys("mkdir", { path, mode: fileMode }, mkdir, full),
  sys("mkdirat", { dirfd, path, mode: fileMode }, mkdirat, full),
  withOptional(sys("mknod", { path, mode: nodeMode, device: device(1) }, mknod, full), 2),
  withOptional(sys("mknodat", { dirfd, path, mode: nodeMode, device: device(2) }, mknodat, full), 3),
  sys("symlink", { target: path, path }, symlink, full),
  sys("symlinkat", { target: path, dirfd, path }, symlinkat, full),
  sys("link", { from: path, to: path }, link, full),
  sys("linkat", { fromDir: dirfd, from: path, toDir: dirfd, to: path, flags: flags({ AT_SYMLINK_FOLLOW, AT_EMPTY_PATH }) }, linkat, full),
  sys("unlink", { path }, unlink, full),
  sys("unlinkat", { dirfd, path, flags: flags({ AT_REMOVEDIR }) }, unlinkat, full),
  sys("rmdir", { path }, rmdir, full),
  sys("rename", { from: path, to: path }, rename, full),
  sys("renameat", { fromDir: dirfd, from: path, toDir: dirfd, to: path }, renameat, full),
  sys("renameat2", { fromDir: dirfd, from: path, toDir: dirfd, to: path, flags: renameFlags }, renameat2, full),
];
