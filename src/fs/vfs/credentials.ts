/** Who asks, and whether the mode bits let them (path_resolution(7), "Permissions"). */
import { EACCES, EPERM } from "../../abi/linux/errno.ts";
import { S_ISGID, S_ISVTX } from "../../abi/linux/stat.ts";
import type { Inode } from "./inode.ts";

/** The identity that file access is judged by: filesystem uid and gid and supplementary groups. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** A calling task, as far as files care. The kernel's task implements it. */
export interface Caller extends Credentials {
  /** Process id (thread group) and thread id: /proc/self and /proc/thread-self. */
  readonly processId: number;
  readonly threadId: number;
  /** Job control of the calling process; null for kernel-internal callers. */
  readonly jobControl: JobControl | null;
}

/** What a terminal asks of and about the calling process (credentials(7), tty_ioctl(4)). */
export interface JobControl {
  readonly processId: number;
  readonly sessionId: number;
  readonly processGroup: number;
  /** Whether the process's session has a process group of that number. */
  groupInSession(processGroup: number): boolean;
  /** Whether the caller ignores or blocks `signal`. */
  ignoresOrBlocks(signal: number): boolean;
  /** Whether the caller's process group is orphaned. */
  readonly groupOrphaned: boolean;
  /** Sends to every process of the caller's group. */
  signalOwnGroup(signal: number): void;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The machine itself: reads and writes everything, has no terminal. */
export const KERNEL_CALLER: Caller = { uid: 0, gid: 0, groups: [], processId: 0, threadId: 0, jobControl: null };

export const MAY_EXECUTE = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

export function inGroup(who: Credentials, gid: number): boolean {
  return who.gid === gid || who.groups.includes(gid);
}

/** 0 or -EACCES for `wanted` (MAY_* bits). Uid 0 passes, but executes a file only when some x bit is set (CAP_DAC_OVERRIDE). */
export function checkPermission(inode: Inode, wanted: number, who: Credentials): number {
  const mode = inode.mode;
  if (who.uid === 0) {
    if ((wanted & MAY_EXECUTE) !== 0 && !inode.isDirectory && (mode & 0o111) === 0) return -EACCES;
    return 0;
  }
  const shift = who.uid === inode.uid ? 6 : inGroup(who, inode.gid) ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted ? 0 : -EACCES;
}

/** 0 or -EPERM: chmod(2), utimensat(2) and the like are for the owner and uid 0. */
export function checkOwner(inode: Inode, who: Credentials): number {
  return who.uid === 0 || who.uid === inode.uid ? 0 : -EPERM;
}

/** 0, -EACCES or -EPERM for removing or replacing `victim` in `directory`, sticky bit included (unlink(2)). */
export function checkRemoval(directory: Inode, victim: Inode, who: Credentials): number {
  const allowed = checkPermission(directory, MAY_WRITE | MAY_EXECUTE, who);
  if (allowed < 0) return allowed;
  if ((directory.mode & S_ISVTX) === 0 || who.uid === 0) return 0;
  return who.uid === victim.uid || who.uid === directory.uid ? 0 : -EPERM;
}

/** Owner of a file made in `directory`: a set-group-ID directory passes its group on (inode(7)). */
export function ownerOfNew(directory: Inode, who: Credentials): Owner {
  return { uid: who.uid, gid: (directory.mode & S_ISGID) !== 0 ? directory.gid : who.gid };
}
