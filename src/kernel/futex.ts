/** Futexes (futex(2)): queues of sleepers named by a word of user memory.
 *
 *  A private word is named by its image and address. A word in shared memory is named by the frame it lies in, which every
 *  space that maps the object shares; a sleeper keeps a reference on that frame, so the name stays true.
 *  Invariant: a waiter is in exactly one queue, or it is `woken`, or its call is over. Empty queues are not kept. */
import { EAGAIN, EDEADLK, EINVAL, EPERM, ESRCH, ETIMEDOUT } from "../abi/linux/errno.ts";
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS, ROBUST_LIST_LIMIT } from "../abi/linux/sched.ts";
import { READ } from "../memory/access.ts";
import { copyIn, readU32, USER_BLOCKED, writeU32 } from "../vm/user-memory.ts";
import type { Call } from "./call.ts";
import type { Kernel } from "./kernel.ts";
import type { Work } from "./last-will.ts";
import type { MemoryImage } from "./memory-image.ts";
import type { Task } from "./task.ts";

export const MATCH_ANY = 0xffff_ffff;

export interface FutexWaiter {
  readonly task: Task;
  readonly bitset: number;
  /** Undefined once woken or taken back. */
  queue: FutexQueue | undefined;
  woken: boolean;
  /** Sleeps in FUTEX_LOCK_PI: woken as the owner. */
  readonly priority: boolean;
}

class FutexQueue {
  readonly waiters: FutexWaiter[] = [];
  readonly home: Map<number, FutexQueue>;
  readonly key: number;
  constructor(home: Map<number, FutexQueue>, key: number) {
    this.home = home;
    this.key = key;
  }
}

/** Where the word's queue is or would be. */
interface FutexName {
  readonly home: Map<number, FutexQueue>;
  readonly key: number;
  /** Frame of a shared word, 0 for a private one. */
  readonly frame: number;
}

export class Futexes {
  readonly #kernel: Kernel;
  readonly #private = new WeakMap<MemoryImage, Map<number, FutexQueue>>();
  readonly #shared = new Map<number, FutexQueue>();
  /** Threads asleep on futexes. */
  sleepers = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The name of a word, or -EINVAL (misaligned), -EFAULT, PARKED. */
  name(call: Call, address: number, shared: boolean): FutexName | number {
    if ((address & 3) !== 0) return -EINVAL;
    const { image } = call.task;
    if (shared) {
      // Brings the page in, so that it has a frame to be named by.
      const value = call.readU32(address);
      if (value < 0) return value;
      if (isShared(image, address)) return this.#sharedName(image, address);
    }
    return this.#privateName(image, address);
  }
  /** The same outside of a call: undefined when the word cannot be read, USER_BLOCKED when its page must be awaited. */
  nameNow(image: MemoryImage, address: number): FutexName | typeof USER_BLOCKED | undefined {
    if ((address & 3) !== 0) return undefined;
    const value = readU32(image.space, address);
    if (value < 0) return value === USER_BLOCKED ? USER_BLOCKED : undefined;
    return isShared(image, address) ? this.#sharedName(image, address) : this.#privateName(image, address);
  }

  /** Puts the calling thread to sleep. Its call holds the waiter and takes it back when it ends. */
  enqueue(call: Call, name: FutexName, bitset: number, priority = false): FutexWaiter {
    let queue = name.home.get(name.key);
    if (queue === undefined) {
      queue = new FutexQueue(name.home, name.key);
      name.home.set(name.key, queue);
    }
    const waiter: FutexWaiter = { task: call.task, bitset, queue, woken: false, priority };
    queue.waiters.push(waiter);
    this.sleepers++;
    const { frames } = this.#kernel;
    if (name.frame !== 0) frames.retain(name.frame);
    call.state = waiter;
    call.cleanup = () => {
      this.#leave(waiter);
      this.sleepers--;
      if (name.frame !== 0) frames.release(name.frame);
    };
    return waiter;
  }

  /** Wakes up to `count` waiters whose bitset meets `bitset`, in order of arrival. */
  wake(name: FutexName, count: number, bitset: number): number {
    const queue = name.home.get(name.key);
    if (queue === undefined) return 0;
    let woken = 0;
    for (const waiter of [...queue.waiters]) {
      if (woken >= count) break;
      if ((waiter.bitset & bitset) === 0) continue;
      this.wakeOne(waiter);
      woken++;
    }
    return woken;
  }
  wakeOne(waiter: FutexWaiter): void {
    this.#leave(waiter);
    waiter.woken = true;
    this.#kernel.scheduler.wake(waiter.task);
  }
  /** Moves up to `count` waiters to another word; returns how many. */
  requeue(from: FutexName, to: FutexName, count: number): number {
    const queue = from.home.get(from.key);
    if (queue === undefined || (from.home === to.home && from.key === to.key)) return queue === undefined ? 0 : Math.min(count, queue.waiters.length);
    let target = to.home.get(to.key);
    if (target === undefined) {
      target = new FutexQueue(to.home, to.key);
      to.home.set(to.key, target);
    }
    let moved = 0;
    for (const waiter of [...queue.waiters]) {
      if (moved >= count) break;
      this.#leave(waiter);
      waiter.queue = target;
      target.waiters.push(waiter);
      moved++;
    }
    if (target.waiters.length === 0) to.home.delete(to.key);
    return moved;
  }
  /** The longest-sleeping FUTEX_LOCK_PI waiter, and whether there are more. */
  firstPriority(name: FutexName): { waiter: FutexWaiter; more: boolean } | undefined {
    const waiters = name.home.get(name.key)?.waiters.filter((waiter) => waiter.priority) ?? [];
    return waiters.length === 0 ? undefined : { waiter: waiters[0], more: waiters.length > 1 };
  }
  hasWaiters(name: FutexName): boolean {
    return name.home.has(name.key);
  }
  /** For the leak report. */
  get sharedQueues(): number {
    return this.#shared.size;
  }

  #leave(waiter: FutexWaiter): void {
    const { queue } = waiter;
    if (queue === undefined) return;
    waiter.queue = undefined;
    queue.waiters.splice(queue.waiters.indexOf(waiter), 1);
    if (queue.waiters.length === 0) queue.home.delete(queue.key);
  }
  #privateName(image: MemoryImage, address: number): FutexName {
    let home = this.#private.get(image);
    if (home === undefined) this.#private.set(image, (home = new Map()));
    return { home, key: address, frame: 0 };
  }
  #sharedName(image: MemoryImage, address: number): FutexName {
    const physical = this.#kernel.mmu.probeIn(image.space.root, address, READ);
    return physical < 0 ? this.#privateName(image, address) : { home: this.#shared, key: physical, frame: physical >>> 12 };
  }
}

/** Whether the word lies in memory that other spaces may map, too. */
function isShared(image: MemoryImage, address: number): boolean {
  return image.space.regions.find(address)?.shared === true;
}

/** FUTEX_WAIT and FUTEX_WAIT_BITSET. @param deadline monotonic nanoseconds or Infinity */
export function futexWait(call: Call, address: number, expected: number, deadline: number, bitset: number, shared: boolean): number {
  const sleeping = call.state as FutexWaiter | undefined;
  const interruption = deadline === Infinity ? "ERESTARTSYS" : "ERESTARTNOHAND";
  if (sleeping !== undefined) {
    if (sleeping.woken) return 0;
    if (call.now() >= deadline) return -ETIMEDOUT;
    return call.park(undefined, interruption, deadline);
  }
  if (bitset === 0) return -EINVAL;
  const { futexes } = call.kernel;
  const name = futexes.name(call, address, shared);
  if (typeof name === "number") return name;
  const value = call.readU32(address);
  if (value < 0) return value;
  if (value !== expected) return -EAGAIN;
  if (call.now() >= deadline) return -ETIMEDOUT;
  futexes.enqueue(call, name, bitset);
  return call.park(undefined, interruption, deadline);
}

/** FUTEX_LOCK_PI, FUTEX_TRYLOCK_PI: the word holds the owner's tid; the kernel hands it on. Every thread has the same
 *  priority here, so there is nothing to inherit; ownership, death of the owner and the WAITERS bit are Linux's. */
export function futexLock(call: Call, address: number, deadline: number, shared: boolean, attempt: "wait" | "try"): number {
  const sleeping = call.state as FutexWaiter | undefined;
  const { kernel, task } = call;
  if (sleeping !== undefined) {
    if (sleeping.woken) return 0;
    if (call.now() >= deadline) return -ETIMEDOUT;
    return call.park(undefined, "ERESTARTNOINTR", deadline);
  }
  const name = kernel.futexes.name(call, address, shared);
  if (typeof name === "number") return name;
  const value = call.readU32(address);
  if (value < 0) return value;
  const owner = value & FUTEX_TID_MASK;
  if (owner === task.tid) return -EDEADLK;
  if (owner === 0) {
    const waiters = kernel.futexes.hasWaiters(name) ? FUTEX_WAITERS : 0;
    return call.writeU32(address, (task.tid | waiters | (value & FUTEX_OWNER_DIED)) >>> 0);
  }
  if (attempt === "try") return -EAGAIN;
  if (kernel.tasks.get(owner) === undefined) return -ESRCH;
  const stored = call.writeU32(address, (value | FUTEX_WAITERS) >>> 0);
  if (stored < 0) return stored;
  kernel.futexes.enqueue(call, name, MATCH_ANY, true);
  return call.park(undefined, "ERESTARTNOINTR", deadline);
}

/** FUTEX_UNLOCK_PI: the first waiter becomes the owner. */
export function futexUnlock(call: Call, address: number, shared: boolean): number {
  const { futexes } = call.kernel;
  const name = futexes.name(call, address, shared);
  if (typeof name === "number") return name;
  const value = call.readU32(address);
  if (value < 0) return value;
  if ((value & FUTEX_TID_MASK) !== call.task.tid) return -EPERM;
  const next = futexes.firstPriority(name);
  const stored = call.writeU32(address, next === undefined ? 0 : (next.waiter.task.tid | (next.more ? FUTEX_WAITERS : 0)) >>> 0);
  if (stored < 0) return stored;
  if (next !== undefined) futexes.wakeOne(next.waiter);
  return 0;
}

/** What a dying thread does to memory that others still use: robust mutexes first, then clear_child_tid (mm_release). */
export function leaveMemory(kernel: Kernel, task: Task): void {
  const { image, tid, robustList, clearChildTid } = task;
  task.robustList = task.clearChildTid = 0;
  const works: Work[] = [];
  if (robustList !== 0) works.push(new RobustList(kernel, image, tid, robustList).leave);
  if (clearChildTid !== 0) works.push(() => clearTid(kernel, image, clearChildTid));
  if (works.length === 0) return;
  kernel.lastWills.execute(image, () => {
    while (works.length > 0) {
      if (works[0]() === USER_BLOCKED) return USER_BLOCKED;
      works.shift();
    }
    return 0;
  });
}

/** The word becomes 0 and one sleeper wakes (set_tid_address(2)). Nothing is stored twice: whoever sees the 0 may reuse the memory. */
function clearTid(kernel: Kernel, image: MemoryImage, address: number): number {
  const name = kernel.futexes.nameNow(image, address);
  if (name === USER_BLOCKED) return USER_BLOCKED;
  const stored = writeU32(image.space, address, 0);
  if (stored === 0 && typeof name === "object") kernel.futexes.wake(name, 1, MATCH_ANY);
  return stored;
}

/** The mutexes a dying thread still holds (get_robust_list(2)): owner died, one waiter woken. Unreadable parts of the list end
 *  the walk; user space built it and may have built nonsense. A mutex that has been left belongs to others, who may link it
 *  into lists of their own: the walk never comes back to it. */
class RobustList {
  readonly #kernel: Kernel;
  readonly #image: MemoryImage;
  readonly #tid: number;
  readonly #head: number;
  /** Entry to be left next; undefined until the head has been read. */
  #entry: number | undefined;
  #offset = 0;
  #pending = 0;
  #steps = 0;

  constructor(kernel: Kernel, image: MemoryImage, tid: number, head: number) {
    this.#kernel = kernel;
    this.#image = image;
    this.#tid = tid;
    this.#head = head;
  }

  /** 0, or USER_BLOCKED: then again, which goes on where it stopped. */
  readonly leave: Work = () => {
    const { space } = this.#image;
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    const at = (offset: number): number => view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
    if (this.#entry === undefined) {
      const read = copyIn(space, this.#head, bytes);
      if (read !== 24) return read === USER_BLOCKED ? USER_BLOCKED : 0;
      this.#entry = at(0);
      this.#offset = view.getInt32(12, true) * 0x1_0000_0000 + view.getUint32(8, true);
      this.#pending = at(16);
    }
    while (this.#steps < ROBUST_LIST_LIMIT && clean(this.#entry) !== this.#head && this.#entry !== 0) {
      const current = clean(this.#entry);
      const read = copyIn(space, current, bytes.subarray(0, 8));
      if (read === USER_BLOCKED) return USER_BLOCKED;
      if (current !== clean(this.#pending)) {
        const left = ownerDied(this.#kernel, this.#image, this.#tid, current + this.#offset);
        if (left === USER_BLOCKED) return USER_BLOCKED;
      }
      if (read !== 8) return 0;
      this.#entry = at(0);
      this.#steps++;
    }
    return this.#pending === 0 ? 0 : ownerDied(this.#kernel, this.#image, this.#tid, clean(this.#pending) + this.#offset);
  };
}

/** Bit 0 of a list pointer marks a priority-inheritance mutex. */
const clean = (pointer: number): number => pointer - (pointer % 2);

/** 0, -EFAULT, or USER_BLOCKED with nothing changed. */
function ownerDied(kernel: Kernel, image: MemoryImage, tid: number, address: number): number {
  const value = readU32(image.space, address);
  if (value < 0 || (value & FUTEX_TID_MASK) !== tid) return Math.min(value, 0);
  const name = kernel.futexes.nameNow(image, address);
  if (name === USER_BLOCKED) return USER_BLOCKED;
  const next = typeof name === "object" ? kernel.futexes.firstPriority(name) : undefined;
  const stored = writeU32(image.space, address, ((value & FUTEX_WAITERS) | FUTEX_OWNER_DIED | (next?.waiter.task.tid ?? 0)) >>> 0);
  if (stored < 0 || typeof name !== "object" || (value & FUTEX_WAITERS) === 0) return stored;
  if (next !== undefined) kernel.futexes.wakeOne(next.waiter);
  else kernel.futexes.wake(name, 1, MATCH_ANY);
  return 0;
}

/** FUTEX_WAKE_OP's arithmetic: the new value, or undefined for an unknown operation. */
export function wakeOperation(operation: number, old: number, argument: number): number | undefined {
  switch (operation) {
    case 0: return argument;
    case 1: return old + argument;
    case 2: return old | argument;
    case 3: return old & ~argument;
    case 4: return old ^ argument;
    default: return undefined;
  }
}
/** FUTEX_WAKE_OP's comparison of the old value, signed; undefined for an unknown one. */
export function wakeComparison(comparison: number, old: number, argument: number): boolean | undefined {
  switch (comparison) {
    case 0: return old === argument;
    case 1: return old !== argument;
    case 2: return old < argument;
    case 3: return old <= argument;
    case 4: return old > argument;
    case 5: return old >= argument;
    default: return undefined;
  }
}
