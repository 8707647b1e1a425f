/** shmget(2), shmat(2), shmdt(2), shmctl(2) over kernel/shared-segments.ts. */
import { EACCES, EEXIST, EINVAL, ENOMEM, ENOSYS, EPERM } from "../../abi/linux/errno.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/linux/mman.ts";
import { pageCeil, pageFloor } from "../../base/bits.ts";
import { flagsText, hexText, octalText } from "../../trace/text.ts";
import type { Call } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { objectsOf } from "../objects.ts";
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE, SHM_HUGETLB, SHM_NORESERVE, SHMMAX, SHMMNI, type Segment } from "../shared-segments.ts";
import { absent, custom, flags, full, int, ptr, size, sys, uint, type Row } from "./define.ts";
import { put64 } from "./file-arguments.ts";
import { addressText, pointerKind, viewOf } from "./kinds.ts";

const SHM_RDONLY = 0o10000, SHM_RND = 0o20000, SHM_REMAP = 0o40000, SHM_EXEC = 0o100000;
const IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, SHM_LOCK = 11, SHM_UNLOCK = 12, SHM_STAT = 13, SHM_INFO = 14, SHM_STAT_ANY = 15;
/** Newer callers mark their structure version; x86-64 has only one (shmctl(2)). */
const IPC_64 = 0x100;
const SHMID_DS_BYTES = 112;
const SHM_DEST = 0o1000, SHM_LOCKED = 0o2000;

function shmget(call: Call, key: number, bytes: number, flags: number): number {
  // No huge pages are configured (hugetlb_file_setup).
  if ((flags & SHM_HUGETLB) !== 0) return isPrivileged(call.task.credentials) ? -ENOMEM : -EPERM;
  return objectsOf(call.kernel).segments.get(key, bytes, flags, call.task.credentials, call.task.process.pid);
}

function shmat(call: Call, id: number, address: number, flags: number): number {
  const { segments } = objectsOf(call.kernel);
  const { task, kernel } = call;
  if (id < 0) return -EINVAL;
  let hint = address;
  if (hint !== 0 && hint % 4096 !== 0) {
    if ((flags & SHM_RND) === 0) return -EINVAL;
    hint = pageFloor(hint);
  }
  if (hint === 0 && (flags & SHM_REMAP) !== 0) return -EINVAL;
  let prot = PROT_READ;
  let wanted = 0o444;
  if ((flags & SHM_RDONLY) === 0) {
    prot |= PROT_WRITE;
    wanted |= 0o222;
  }
  if ((flags & SHM_EXEC) !== 0) {
    prot |= PROT_EXEC;
    wanted |= 0o111;
  }
  const segment = segments.find(id);
  if (typeof segment === "number") return segment;
  if (!segments.mayUse(segment, wanted, task.credentials)) return -EACCES;
  const fixed = address === 0 ? 0 : (flags & SHM_REMAP) !== 0 ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  const mapped = task.image.space.map({
    hint, length: pageCeil(segment.bytes), prot, flags: MAP_SHARED | MAP_ANONYMOUS | fixed, backing: segment.object, backingOffset: 0,
    name: `/SYSV${(segment.key >>> 0).toString(16).padStart(8, "0")} (deleted)`,
    maxProt: (flags & SHM_RDONLY) !== 0 ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE | PROT_EXEC,
  });
  // What is in the way at a given address is EINVAL here (shmat(2)).
  if (mapped < 0) return mapped === -EEXIST ? -EINVAL : mapped;
  kernel.clock.sample();
  segment.attachSeconds = kernel.clock.seconds;
  segment.lastPid = task.process.pid;
  return mapped;
}

/** Takes away what is left of the attachment that began at `address`, however it was cut up meanwhile. */
function shmdt(call: Call, address: number): number {
  const { task, kernel } = call;
  const { space } = task.image;
  if (address % 4096 !== 0) return -EINVAL;
  const { segments } = objectsOf(kernel);
  let segment: Segment | undefined;
  for (const region of [...space.regions]) {
    const owner = segments.ofObject(region.backing);
    if (owner === undefined || (segment !== undefined && owner !== segment)) continue;
    // The first part found where it belongs decides which segment is meant.
    if (region.start - region.pageOffset * 4096 !== address) continue;
    segment = owner;
    const result = space.unmap(region.start, region.end - region.start);
    if (result < 0) return result;
  }
  if (segment === undefined) return -EINVAL;
  kernel.clock.sample();
  segment.detachSeconds = kernel.clock.seconds;
  segment.lastPid = task.process.pid;
  return 0;
}

function shmctl(call: Call, id: number, command: number, buffer: number): number {
  const { segments } = objectsOf(call.kernel);
  const { credentials } = call.task;
  const which = command & ~IPC_64;
  switch (which) {
    case IPC_INFO: return storeInfo(call, buffer);
    case SHM_INFO: return storeUsage(call, buffer);
    case SHM_STAT:
    case SHM_STAT_ANY: {
      const segment = segments.findIndex(id);
      if (segment === undefined) return -EINVAL;
      if (which === SHM_STAT && !segments.mayUse(segment, 0o444, credentials)) return -EACCES;
      const stored = storeStatus(call, segment, buffer);
      return stored < 0 ? stored : segment.id;
    }
    case IPC_STAT: case IPC_SET: case IPC_RMID: case SHM_LOCK: case SHM_UNLOCK: break;
    default: return -EINVAL;
  }
  const segment = segments.find(id);
  if (typeof segment === "number") return segment;
  switch (which) {
    case IPC_STAT:
      return segments.mayUse(segment, 0o444, credentials) ? storeStatus(call, segment, buffer) : -EACCES;
    case IPC_RMID:
      return segments.remove(segment, credentials);
    case IPC_SET: {
      const failed = call.fetch(buffer, SHMID_DS_BYTES);
      if (failed < 0) return failed;
      if (!segments.isOwner(segment, credentials)) return -EPERM;
      segment.uid = call.scratch.getUint32(4, true);
      segment.gid = call.scratch.getUint32(8, true);
      segment.mode = call.scratch.getUint32(20, true) & 0o777;
      call.kernel.clock.sample();
      segment.changeSeconds = call.kernel.clock.seconds;
      return 0;
    }
    default:
      if (!segments.isOwner(segment, credentials)) return -EPERM;
      // Nothing is ever paged out; the mark is kept and reported.
      segment.locked = which === SHM_LOCK;
      return 0;
  }
}

/** struct shmid_ds of x86-64: ipc_perm (48 bytes), segsz, atime, dtime, ctime, cpid, lpid, nattch. */
function storeStatus(call: Call, segment: Segment, buffer: number): number {
  const { segments } = objectsOf(call.kernel);
  const view = call.scratch;
  for (let at = 0; at < SHMID_DS_BYTES; at += 8) put64(view, at, 0);
  view.setInt32(0, segment.key, true);
  view.setUint32(4, segment.uid, true);
  view.setUint32(8, segment.gid, true);
  view.setUint32(12, segment.creatorUid, true);
  view.setUint32(16, segment.creatorGid, true);
  view.setUint32(20, segment.mode | (segment.removed ? SHM_DEST : 0) | (segment.locked ? SHM_LOCKED : 0), true);
  view.setUint16(24, Math.floor(segment.id / 32_768), true);
  put64(view, 48, segment.bytes);
  put64(view, 56, segment.attachSeconds);
  put64(view, 64, segment.detachSeconds);
  put64(view, 72, segment.changeSeconds);
  view.setInt32(80, segment.creatorPid, true);
  view.setInt32(84, segment.lastPid, true);
  put64(view, 88, segments.attachments(segment));
  return call.store(buffer, SHMID_DS_BYTES);
}
/** struct shminfo: max, min, mni, seg, all. */
function storeInfo(call: Call, buffer: number): number {
  const view = call.scratch;
  for (let at = 0; at < 72; at += 8) put64(view, at, 0);
  put64(view, 0, SHMMAX);
  put64(view, 8, 1);
  put64(view, 16, SHMMNI);
  put64(view, 24, SHMMNI);
  put64(view, 32, SHMMAX);
  const stored = call.store(buffer, 72);
  return stored < 0 ? stored : objectsOf(call.kernel).segments.highestIndex;
}
/** struct shm_info: used_ids (int), tot, rss, swp, two unused. */
function storeUsage(call: Call, buffer: number): number {
  const { segments } = objectsOf(call.kernel);
  const all = segments.segments;
  const view = call.scratch;
  for (let at = 0; at < 48; at += 8) put64(view, at, 0);
  put64(view, 0, all.length);
  put64(view, 8, all.reduce((sum, segment) => sum + pageCeil(segment.bytes) / 4096, 0));
  put64(view, 16, all.reduce((sum, segment) => sum + segment.object.residentPages, 0));
  const stored = call.store(buffer, 48);
  return stored < 0 ? stored : segments.highestIndex;
}

const noMessages = (): number => -ENOSYS;
const NOT_HERE = absent("System V semaphores and message queues are not served");

const getFlags = custom((value) => {
  const names = flagsText(value & ~0o777, Object.entries({ IPC_CREAT, IPC_EXCL, SHM_HUGETLB, SHM_NORESERVE }), "");
  return names === "" ? octalText(value & 0o777) : `${names}|${octalText(value & 0o777)}`;
});
const COMMANDS: Record<number, string> = {
  [IPC_RMID]: "IPC_RMID", [IPC_SET]: "IPC_SET", [IPC_STAT]: "IPC_STAT", [IPC_INFO]: "IPC_INFO", [SHM_LOCK]: "SHM_LOCK", [SHM_UNLOCK]: "SHM_UNLOCK",
  [SHM_STAT]: "SHM_STAT", [SHM_INFO]: "SHM_INFO", [SHM_STAT_ANY]: "SHM_STAT_ANY",
};
const shmid = pointerKind((value, view, all, result) => {
  const data = result < 0 || all[1] !== IPC_STAT ? undefined : viewOf(view, value, SHMID_DS_BYTES);
  if (data === undefined) return addressText(value);
  const at = (offset: number): number => data.getUint32(offset, true);
  return `{shm_perm={uid=${at(4)}, gid=${at(8)}, mode=${octalText(at(20))}, key=${hexText(at(0))}, cuid=${at(12)}, cgid=${at(16)}}, ` +
    `shm_segsz=${data.getBigUint64(48, true)}, shm_cpid=${at(80)}, shm_lpid=${at(84)}, shm_nattch=${data.getBigUint64(88, true)}, ` +
    `shm_atime=${data.getBigInt64(56, true)}, shm_dtime=${data.getBigInt64(64, true)}, shm_ctime=${data.getBigInt64(72, true)}}`;
}, "exit");

export const shmCalls: readonly Row[] = [
  sys("shmget", { key: { ...int, format: (value) => (value === IPC_PRIVATE ? "IPC_PRIVATE" : hexText(value >>> 0)) }, size, flags: getFlags }, shmget, full),
  sys("shmat", { id: int, addr: ptr, flags: flags({ SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC }) }, shmat, full, { hexResult: true }),
  sys("shmdt", { addr: ptr }, shmdt, full),
  sys("shmctl", { id: int, command: custom((value) => COMMANDS[value & ~IPC_64] ?? hexText(value)), buffer: shmid }, shmctl, full),
  sys("semget", { key: int, count: int, flags: uint }, noMessages, NOT_HERE),
  sys("semop", { id: int, operations: ptr, count: size }, noMessages, NOT_HERE),
  sys("semctl", { id: int, index: int, command: int, argument: ptr }, noMessages, NOT_HERE),
  sys("semtimedop", { id: int, operations: ptr, count: size, timeout: ptr }, noMessages, NOT_HERE),
  sys("msgget", { key: int, flags: uint }, noMessages, NOT_HERE),
  sys("msgsnd", { id: int, message: ptr, size, flags: uint }, noMessages, NOT_HERE),
  sys("msgrcv", { id: int, message: ptr, size, type: int, flags: uint }, noMessages, NOT_HERE),
  sys("msgctl", { id: int, command: int, buffer: ptr }, noMessages, NOT_HERE),
];
