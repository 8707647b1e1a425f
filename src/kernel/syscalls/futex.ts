/** futex(2), robust lists apart (process.ts). */
import { EAGAIN, EINVAL, ENOSYS } from "../../abi/linux/errno.ts";
import {
  FUTEX_CLOCK_REALTIME, FUTEX_CMD_MASK, FUTEX_CMP_REQUEUE, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_PRIVATE_FLAG, FUTEX_REQUEUE, FUTEX_TRYLOCK_PI,
  FUTEX_UNLOCK_PI, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAKE, FUTEX_WAKE_BITSET, FUTEX_WAKE_OP,
} from "../../abi/linux/sched.ts";
import { NANOSECONDS } from "../../abi/linux/time.ts";
import type { Call } from "../call.ts";
import { futexLock, futexUnlock, futexWait, MATCH_ANY, wakeComparison, wakeOperation } from "../futex.ts";
import { custom, hex32, partial, ptr, sys, type ParameterKind, type Row } from "./define.ts";

/** Deadline of a wait that is in progress is kept beside its state, since the timeout is relative to the first try. */
function futex(call: Call, address: number, word: number, value: number, timeout: number, address2: number, value3: number): number {
  const operation = word & FUTEX_CMD_MASK;
  const shared = (word & FUTEX_PRIVATE_FLAG) === 0;
  const realtime = (word & FUTEX_CLOCK_REALTIME) !== 0;
  // "Clock" is for waits with an absolute time only; Linux refuses it elsewhere with ENOSYS.
  if (realtime && operation !== FUTEX_WAIT_BITSET && operation !== FUTEX_LOCK_PI2 && operation !== FUTEX_WAIT) return -ENOSYS;
  switch (operation) {
    case FUTEX_WAIT: {
      const deadline = deadlineOf(call, timeout, realtime ? "realtime-relative" : "relative");
      return deadline < 0 ? deadline : futexWait(call, address, value, deadline, MATCH_ANY, shared);
    }
    case FUTEX_WAIT_BITSET: {
      const deadline = deadlineOf(call, timeout, realtime ? "realtime" : "monotonic");
      return deadline < 0 ? deadline : futexWait(call, address, value, deadline, value3, shared);
    }
    case FUTEX_WAKE:
      return wake(call, address, value, MATCH_ANY, shared);
    case FUTEX_WAKE_BITSET:
      return value3 === 0 ? -EINVAL : wake(call, address, value, value3, shared);
    case FUTEX_REQUEUE:
      return requeue(call, address, address2, value, timeout, undefined, shared);
    case FUTEX_CMP_REQUEUE:
      return requeue(call, address, address2, value, timeout, value3, shared);
    case FUTEX_WAKE_OP:
      return wakeWithOperation(call, address, address2, value, timeout, value3, shared);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2: {
      // LOCK_PI's time is always on the wall clock (futex(2)).
      const deadline = deadlineOf(call, timeout, operation === FUTEX_LOCK_PI || realtime ? "realtime" : "monotonic");
      return deadline < 0 ? deadline : futexLock(call, address, deadline, shared, "wait");
    }
    case FUTEX_TRYLOCK_PI:
      return futexLock(call, address, Infinity, shared, "try");
    case FUTEX_UNLOCK_PI:
      return futexUnlock(call, address, shared);
    default:
      return -ENOSYS;
  }
}

type Reference = "relative" | "realtime-relative" | "monotonic" | "realtime";

/** Monotonic nanoseconds, Infinity without a timeout, or -EFAULT, -EINVAL, PARKED. Read once: a re-run goes on with the first. */
function deadlineOf(call: Call, address: number, reference: Reference): number {
  if (address === 0) return Infinity;
  if (call.deadline !== undefined) return call.deadline;
  const read = call.fetch(address, 16);
  if (read < 0) return read;
  const seconds = Number(call.scratch.getBigInt64(0, true));
  const nanoseconds = Number(call.scratch.getBigInt64(8, true));
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= NANOSECONDS) return -EINVAL;
  const span = seconds * NANOSECONDS + nanoseconds;
  const deadline =
    reference === "monotonic" ? span
    : reference === "realtime" ? call.kernel.clock.monotonicOf(seconds, nanoseconds)
    : call.now() + span;
  call.deadline = Math.max(deadline, 0);
  return call.deadline;
}

function wake(call: Call, address: number, count: number, bitset: number, shared: boolean): number {
  const { futexes } = call.kernel;
  const name = futexes.name(call, address, shared);
  // Linux wakes one for a count of 0, and as many as there are for a huge one.
  return typeof name === "number" ? name : futexes.wake(name, Math.max(count | 0, 1), bitset);
}

function requeue(call: Call, from: number, to: number, wakes: number, moves: number, expected: number | undefined, shared: boolean): number {
  if ((wakes | 0) < 0 || (moves | 0) < 0) return -EINVAL;
  const { futexes } = call.kernel;
  const source = futexes.name(call, from, shared);
  if (typeof source === "number") return source;
  const target = futexes.name(call, to, shared);
  if (typeof target === "number") return target;
  if (expected !== undefined) {
    const value = call.readU32(from);
    if (value < 0) return value;
    if (value !== expected) return -EAGAIN;
  }
  const woken = wakes === 0 ? 0 : futexes.wake(source, wakes, MATCH_ANY);
  const moved = moves === 0 ? 0 : futexes.requeue(source, target, moves);
  return woken + moved;
}

/** Changes the word at `to` in one step, wakes sleepers of `from`, and those of `to` if the old value compares (futex(2)). */
function wakeWithOperation(call: Call, from: number, to: number, wakes: number, wakes2: number, encoded: number, shared: boolean): number {
  const { futexes } = call.kernel;
  const first = futexes.name(call, from, shared);
  if (typeof first === "number") return first;
  const second = futexes.name(call, to, shared);
  if (typeof second === "number") return second;
  const signed12 = (field: number): number => (field << 20) >> 20;
  let argument = signed12((encoded >>> 12) & 0xfff);
  if ((encoded & 0x8000_0000) !== 0) argument = 1 << (argument & 31);
  const old = call.readU32(to);
  if (old < 0) return old;
  const changed = wakeOperation((encoded >>> 28) & 7, old | 0, argument);
  const compares = wakeComparison((encoded >>> 24) & 15, old | 0, signed12(encoded & 0xfff));
  if (changed === undefined || compares === undefined) return -ENOSYS;
  const stored = call.writeU32(to, changed >>> 0);
  if (stored < 0) return stored;
  let woken = futexes.wake(first, wakes, MATCH_ANY);
  if (compares) woken += futexes.wake(second, wakes2, MATCH_ANY);
  return woken;
}

const OPERATIONS: Record<number, string> = {
  [FUTEX_WAIT]: "FUTEX_WAIT", [FUTEX_WAKE]: "FUTEX_WAKE", [FUTEX_REQUEUE]: "FUTEX_REQUEUE", [FUTEX_CMP_REQUEUE]: "FUTEX_CMP_REQUEUE",
  [FUTEX_WAKE_OP]: "FUTEX_WAKE_OP", [FUTEX_LOCK_PI]: "FUTEX_LOCK_PI", [FUTEX_UNLOCK_PI]: "FUTEX_UNLOCK_PI", [FUTEX_TRYLOCK_PI]: "FUTEX_TRYLOCK_PI",
  [FUTEX_WAIT_BITSET]: "FUTEX_WAIT_BITSET", [FUTEX_WAKE_BITSET]: "FUTEX_WAKE_BITSET", [FUTEX_LOCK_PI2]: "FUTEX_LOCK_PI2",
};
const operationKind = custom((value) => {
  const name = OPERATIONS[value & FUTEX_CMD_MASK] ?? String(value & FUTEX_CMD_MASK);
  return `${name}${(value & FUTEX_PRIVATE_FLAG) !== 0 ? "_PRIVATE" : ""}${(value & FUTEX_CLOCK_REALTIME) !== 0 ? "|FUTEX_CLOCK_REALTIME" : ""}`;
});
/** The fourth argument is a time or a count, depending on the operation. */
const timeout: ParameterKind = ptr;

export const futexCalls: readonly Row[] = [
  sys("futex", { uaddr: ptr, futex_op: operationKind, val: hex32, timeout, uaddr2: ptr, val3: hex32 }, futex,
    partial("no WAIT_REQUEUE_PI and CMP_REQUEUE_PI; PI locks have no priorities to inherit")),
];
