/** System V shared memory (shmget(2), shmop(2), shmctl(2)): segments by key and identifier, shared by both gates.
 *
 *  A segment's memory is a SharedObject; every mapping of it keeps it, and so does the segment until IPC_RMID. A removed
 *  segment vanishes with its last attachment. Identifiers carry a sequence number, as Linux's do, so that a stale one does
 *  not name a newer segment. */
import { EACCES, EEXIST, EIDRM, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM } from "../abi/linux/errno.ts";
import { SharedObject } from "../vm/backing/shared.ts";
import type { Credentials } from "./credentials.ts";
import type { Kernel } from "./kernel.ts";

export const IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, IPC_PRIVATE = 0;
export const SHM_HUGETLB = 0o4000, SHM_NORESERVE = 0o10000;
/** Most segments at a time (shmget(2), SHMMNI). */
export const SHMMNI = 4096;
/** Largest segment in bytes, as /proc/sys/kernel/shmmax says. */
export const SHMMAX = 2 ** 64 - 2 ** 24;
/** Identifiers are index + sequence * this. */
const INDEX_RANGE = 32_768;

export interface Segment {
  readonly id: number;
  key: number;
  readonly object: SharedObject;
  /** As asked for, not rounded to pages. */
  readonly bytes: number;
  mode: number;
  uid: number;
  gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
  readonly creatorPid: number;
  lastPid: number;
  attachSeconds: number;
  detachSeconds: number;
  changeSeconds: number;
  locked: boolean;
  /** IPC_RMID was done: no new key lookups, gone with the last attachment. */
  removed: boolean;
}

export class SharedSegments {
  readonly #kernel: Kernel;
  readonly #byIndex: (Segment | undefined)[] = [];
  #sequence = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** shmget(2): an identifier or -errno. */
  get(key: number, bytes: number, flags: number, who: Credentials, pid: number): number {
    this.#sweep();
    const existing = key === IPC_PRIVATE ? undefined : this.#byIndex.find((segment) => segment !== undefined && segment.key === key && !segment.removed);
    if (existing !== undefined) {
      if ((flags & (IPC_CREAT | IPC_EXCL)) === (IPC_CREAT | IPC_EXCL)) return -EEXIST;
      if (existing.bytes < bytes) return -EINVAL;
      return this.mayUse(existing, flags & 0o777, who) ? existing.id : -EACCES;
    }
    if (key !== IPC_PRIVATE && (flags & IPC_CREAT) === 0) return -ENOENT;
    if (bytes < 1 || bytes > SHMMAX) return -EINVAL;
    if (this.segments.length >= SHMMNI) return -ENOSPC;
    if (bytes > 2 ** 47) return -ENOMEM;
    const object = SharedObject.create(this.#kernel.vm, Math.ceil(bytes / 4096), (flags & SHM_NORESERVE) !== 0 ? "noreserve" : "charged");
    if (typeof object === "number") return object;
    let index = this.#byIndex.indexOf(undefined);
    if (index < 0) index = this.#byIndex.length;
    const now = this.#seconds();
    const segment: Segment = {
      id: index + this.#sequence * INDEX_RANGE, key, object, bytes, mode: flags & 0o777, uid: who.euid, gid: who.egid, creatorUid: who.euid,
      creatorGid: who.egid, creatorPid: pid, lastPid: 0, attachSeconds: 0, detachSeconds: 0, changeSeconds: now, locked: false, removed: false,
    };
    this.#byIndex[index] = segment;
    return segment.id;
  }

  /** The segment of an identifier: -EINVAL for a wrong one, -EIDRM for one whose segment was removed meanwhile. */
  find(id: number): Segment | number {
    this.#sweep();
    if (id < 0) return -EINVAL;
    const segment = this.#byIndex[id % INDEX_RANGE];
    if (segment === undefined) return -EINVAL;
    return segment.id === id ? segment : -EIDRM;
  }
  findIndex(index: number): Segment | undefined {
    this.#sweep();
    return this.#byIndex[index];
  }
  /** The segment that an address space maps through `object`. */
  ofObject(object: unknown): Segment | undefined {
    return this.#byIndex.find((segment) => segment?.object === object);
  }
  get segments(): Segment[] {
    return this.#byIndex.filter((segment) => segment !== undefined);
  }
  get highestIndex(): number {
    for (let index = this.#byIndex.length - 1; index >= 0; index--) if (this.#byIndex[index] !== undefined) return index;
    return 0;
  }

  /** IPC_RMID: 0 or -EPERM. */
  remove(segment: Segment, who: Credentials): number {
    if (!this.isOwner(segment, who)) return -EPERM;
    if (segment.removed) return 0;
    segment.removed = true;
    segment.key = IPC_PRIVATE;
    segment.object.closeHandle();
    this.#sweep();
    return 0;
  }
  isOwner(segment: Segment, who: Credentials): boolean {
    return who.euid === 0 || who.euid === segment.uid || who.euid === segment.creatorUid;
  }
  /** Whether mode bits (rwx in any of the three places) let `who` in (ipcperms). */
  mayUse(segment: Segment, wanted: number, who: Credentials): boolean {
    if (who.euid === 0) return true;
    const bits = (wanted >> 6) | (wanted >> 3) | wanted;
    let granted = segment.mode;
    if (who.euid === segment.uid || who.euid === segment.creatorUid) granted >>= 6;
    else if ([segment.gid, segment.creatorGid].some((gid) => gid === who.egid || who.groups.includes(gid))) granted >>= 3;
    return (bits & ~granted & 7) === 0;
  }

  /** Mappings of the segment in all spaces, region by region, as Linux counts them. */
  attachments(segment: Segment): number {
    if (!segment.object.mapped) return 0;
    let count = 0;
    for (const space of this.#kernel.vm.spaces) for (const region of space.regions) if (region.backing === segment.object) count++;
    return count;
  }

  /** The machine ends: whatever no program has removed goes. */
  releaseAll(): void {
    for (const segment of this.segments) if (!segment.removed) segment.object.closeHandle();
    this.#byIndex.length = 0;
  }

  #seconds(): number {
    this.#kernel.clock.sample();
    return this.#kernel.clock.seconds;
  }
  /** Forgets removed segments that nobody maps any more. */
  #sweep(): void {
    for (let index = 0; index < this.#byIndex.length; index++) {
      const segment = this.#byIndex[index];
      if (segment === undefined || !segment.removed || segment.object.mapped) continue;
      this.#byIndex[index] = undefined;
      this.#sequence = (this.#sequence + 1) % 0xffff;
    }
  }
}
