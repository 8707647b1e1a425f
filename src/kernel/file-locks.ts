/** Advisory locks on files: records of a process (fcntl(2) F_SETLK), records of an open file description (F_OFD_SETLK), and
 *  whole-file locks (flock(2)).
 *
 *  An owner is a descriptor table (process locks, as Linux has it) or an open file (the other two). An owner that is gone
 *  has released its locks: a table when it no longer has the file open, a description when it is closed. Both are found out
 *  when somebody asks. Sleepers are woken by the close of the owner's descriptions; for the one case that is silent, a
 *  table that ends while another process keeps the description open, they look again from time to time.
 *  Invariant: records of one owner on one file do not overlap, and neighbours of one type are one record. */
import { EAGAIN, EDEADLK, ENOLCK } from "../abi/linux/errno.ts";
import { F_UNLCK, F_WRLCK } from "../abi/linux/fcntl.ts";
import type { Inode } from "../fs/vfs/inode.ts";
import { OpenFile } from "../fs/vfs/open-file.ts";
import { WaitQueue } from "../fs/wait.ts";
import type { Call } from "./call.ts";
import { FdTable } from "./fd-table.ts";

export type LockOwner = FdTable | OpenFile;
/** Nanoseconds after which a sleeper first looks whether an owner has vanished without a word. */
const RECHECK = 10_000_000;
/** The longest such time where time is real. Where it is not, looking again makes it pass, so the times grow without end. */
const RECHECK_MAX = 160_000_000;

export interface FileLock {
  readonly owner: LockOwner;
  /** F_RDLCK or F_WRLCK. */
  readonly type: number;
  /** Bytes [start, end); Infinity for "to the end however far it grows". */
  readonly start: number;
  readonly end: number;
  /** l_pid of F_GETLK: the process, or -1 for a description's lock. */
  readonly pid: number;
}

/** Records that one owner may hold on one file: the table is full then (fcntl(2), ENOLCK). */
const MAX_RECORDS = 1024;

class InodeLocks {
  records: FileLock[] = [];
  /** flock(2) locks: a kind of their own that does not meet the records. */
  whole: FileLock[] = [];
  readonly waiters = new WaitQueue();
}

const locksOf = new WeakMap<Inode, InodeLocks>();
/** Which table sleeps for which, to see deadlocks (fcntl(2), EDEADLK). */
const sleepsFor = new WeakMap<FdTable, LockOwner>();

function lists(inode: Inode): InodeLocks {
  let locks = locksOf.get(inode);
  if (locks === undefined) locksOf.set(inode, (locks = new InodeLocks()));
  return locks;
}

function isGone(owner: LockOwner, inode: Inode): boolean {
  if (owner instanceof OpenFile) return owner.references <= 0;
  if (owner.references <= 0) return true;
  for (const fd of owner.descriptors()) if (owner.get(fd)!.inode === inode) return false;
  return true;
}

/** A lock of somebody else that stands against `wanted`, or undefined. */
function findConflict(list: readonly FileLock[], wanted: FileLock, inode: Inode): FileLock | undefined {
  return list.find((held) =>
    held.owner !== wanted.owner && held.start < wanted.end && wanted.start < held.end &&
    (held.type === F_WRLCK || wanted.type === F_WRLCK) && !isGone(held.owner, inode));
}

/** F_GETLK: what would stop `wanted`. */
export function testRecord(inode: Inode, wanted: FileLock): FileLock | undefined {
  return findConflict(locksOf.get(inode)?.records ?? [], wanted, inode);
}

/** Takes or (F_UNLCK) gives up a record: 0, -EAGAIN, or -EDEADLK when the caller, about to sleep, would wait for itself. */
export function setRecord(inode: Inode, wanted: FileLock, blocks: "waits" | "fails"): number {
  if (wanted.type === F_UNLCK && !locksOf.has(inode)) return 0;
  const locks = lists(inode);
  if (wanted.type !== F_UNLCK) {
    const conflict = findConflict(locks.records, wanted, inode);
    if (conflict !== undefined) {
      if (blocks === "waits" && wanted.owner instanceof FdTable && conflict.owner instanceof FdTable) {
        if (wouldDeadlock(wanted.owner, conflict.owner)) return -EDEADLK;
        sleepsFor.set(wanted.owner, conflict.owner);
      }
      return -EAGAIN;
    }
  }
  if (wanted.owner instanceof FdTable) sleepsFor.delete(wanted.owner);
  const records = replaceRange(locks.records.filter((held) => !isGone(held.owner, inode)), wanted);
  if (records.length > locks.records.length && records.filter((held) => held.owner === wanted.owner).length > MAX_RECORDS) return -ENOLCK;
  locks.records = records;
  locks.waiters.wakeAll();
  return 0;
}

function wouldDeadlock(sleeper: FdTable, holder: LockOwner): boolean {
  let at: LockOwner | undefined = holder;
  for (let steps = 0; at instanceof FdTable && steps < 64; steps++) {
    if (at === sleeper) return true;
    at = sleepsFor.get(at);
  }
  return false;
}
/** The table sleeps no longer. */
export function stopSleeping(owner: LockOwner): void {
  if (owner instanceof FdTable) sleepsFor.delete(owner);
}

/** The owner's records with `lock` in place of whatever it had in that range. */
function replaceRange(records: readonly FileLock[], lock: FileLock): FileLock[] {
  const result: FileLock[] = [];
  let { start, end } = lock;
  for (const held of records) {
    if (held.owner !== lock.owner || held.end < start || held.start > end) {
      result.push(held);
    } else if (held.type === lock.type) {
      start = Math.min(start, held.start);
      end = Math.max(end, held.end);
    } else {
      if (held.start < lock.start) result.push({ ...held, end: Math.min(held.end, lock.start) });
      if (held.end > lock.end) result.push({ ...held, start: Math.max(held.start, lock.end) });
    }
  }
  if (lock.type !== F_UNLCK) result.push({ ...lock, start, end });
  return result.sort((a, b) => a.start - b.start);
}

/** flock(2): shared (F_RDLCK), exclusive (F_WRLCK) or none. 0 or -EAGAIN. Changing the type gives the old lock up first. */
export function setWhole(inode: Inode, owner: OpenFile, type: number): number {
  if (type === F_UNLCK && !locksOf.has(inode)) return 0;
  const locks = lists(inode);
  const mine = locks.whole.find((held) => held.owner === owner);
  if (mine?.type === type) return 0;
  locks.whole = locks.whole.filter((held) => held.owner !== owner && !isGone(held.owner, inode));
  if (mine !== undefined) locks.waiters.wakeAll();
  if (type === F_UNLCK) return 0;
  const wanted: FileLock = { owner, type, start: 0, end: Infinity, pid: 0 };
  if (findConflict(locks.whole, wanted, inode) !== undefined) return -EAGAIN;
  locks.whole.push(wanted);
  return 0;
}

/** Puts the caller to sleep until the lock that stands against it may have gone. @param kind which locks it waits for */
export function awaitLock(call: Call, inode: Inode, owner: LockOwner, kind: "records" | "whole"): number {
  const locks = lists(inode);
  const queues = [locks.waiters];
  for (const held of locks[kind]) {
    if (held.owner === owner) continue;
    if (held.owner instanceof OpenFile) queues.push(held.owner.waiters);
    else for (const fd of held.owner.descriptors()) if (held.owner.get(fd)!.inode === inode) queues.push(held.owner.get(fd)!.waiters);
  }
  const before = (call.state as number | undefined) ?? RECHECK / 2;
  const patience = call.kernel.deterministic ? before * 2 : Math.min(before * 2, RECHECK_MAX);
  call.state = patience;
  return call.park(queues, "ERESTARTSYS", call.now() + patience);
}

/** A process closed one of its descriptors of the file: its records there are gone (fcntl(2), "Advisory record locking"). */
export function closeLocks(table: FdTable, inode: Inode): void {
  const locks = locksOf.get(inode);
  if (locks === undefined) return;
  locks.records = locks.records.filter((held) => held.owner !== table);
  locks.waiters.wakeAll();
}
