/** Waiting for several files: poll(2), ppoll(2), select(2), pselect6(2).
 *
 *  Descriptors are looked up anew on every run, as Linux does on every round; a wake-up is only a hint. */
import { EBADF, EFAULT, EINTR, EINVAL } from "../../abi/linux/errno.ts";
import { O_PATH } from "../../abi/linux/fcntl.ts";
import { POLLERR, POLLHUP, POLLNVAL, SELECT_EXCEPT, SELECT_READ, SELECT_WRITE } from "../../abi/linux/poll.ts";
import { RLIMIT_NOFILE } from "../../abi/linux/resource.ts";
import { SIGSET_BYTES } from "../../abi/linux/signal.ts";
import { NANOSECONDS } from "../../abi/linux/time.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import type { WaitQueue } from "../../fs/wait.ts";
import { copyOut } from "../../vm/user-memory.ts";
import type { Call } from "../call.ts";
import { SignalFile } from "../signal-file.ts";
import { full, int, size, sys, timespecIn, timevalIn, uint, type Row } from "./define.ts";
import { put64, signed64, unsigned64 } from "./file-arguments.ts";
import { fdSet, pollfds, sigmaskArgument } from "./poll-text.ts";
import { signalSetIn } from "./kinds.ts";

/** struct pollfd: fd (int), events, revents (short). */
const POLLFD_BYTES = 8;

/** The queue to sleep on until `file` may be ready. What a signalfd reports depends on who asks. */
export function pollQueue(call: Call, file: OpenFile): WaitQueue {
  return file instanceof SignalFile ? call.task.process.signalArrivals : file.waiters;
}

/** Relative nanoseconds → moment; the call keeps it, so that a re-run does not start the wait again. */
function keepDeadline(call: Call, nanoseconds: number): number {
  call.deadline ??= nanoseconds === Infinity ? Infinity : call.now() + nanoseconds;
  return call.deadline;
}

// poll ----------------------------------------------------------------------------------------------------------------

function poll(call: Call, fds: number, count: number, milliseconds: number): number {
  return pollUntil(call, fds, count, keepDeadline(call, milliseconds < 0 ? Infinity : milliseconds * 1_000_000));
}

function pollUntil(call: Call, fds: number, count: number, deadline: number): number {
  if (count > call.task.process.limit(RLIMIT_NOFILE)) return -EINVAL;
  const bytes = new Uint8Array(count * POLLFD_BYTES);
  const failed = call.copyIn(fds, bytes);
  if (failed < 0) return failed;
  const view = new DataView(bytes.buffer);
  const { files } = call.task;
  const queues: WaitQueue[] = [];
  let ready = 0;
  for (let at = 0; at < bytes.length; at += POLLFD_BYTES) {
    const fd = view.getInt32(at, true);
    let revents = 0;
    if (fd >= 0) {
      const file = files.get(fd);
      if (file === undefined || (file.flags & O_PATH) !== 0) revents = POLLNVAL;
      else {
        revents = file.readiness() & (view.getUint16(at + 4, true) | POLLERR | POLLHUP);
        if (ready === 0 && revents === 0) queues.push(pollQueue(call, file));
      }
    }
    view.setUint16(at + 6, revents, true);
    if (revents !== 0) ready++;
  }
  if (ready === 0 && !call.timedOut && call.now() < deadline) return call.park(queues, "ERESTARTNOHAND", deadline);
  const stored = call.copyOut(fds, bytes);
  return stored < 0 ? stored : ready;
}

function ppoll(call: Call, fds: number, count: number, timeout: number, mask: number, maskBytes: number): number {
  const deadline = readTimeout(call, timeout, 1);
  if (deadline < 0) return deadline;
  const masked = temporaryMask(call, mask, maskBytes);
  if (masked < 0) return masked;
  return withRemainder(call, timeout, 1, deadline, pollUntil(call, fds, count, deadline));
}

// select --------------------------------------------------------------------------------------------------------------

/** Descriptors a table has room for before it grows: what is beyond its size in a set is not looked at (select(2), BUGS). */
const TABLE_STEP = 64;

function selectUntil(call: Call, count: number, readSet: number, writeSet: number, exceptSet: number, deadline: number): number {
  if (count < 0) return -EINVAL;
  const { files } = call.task;
  const used = Math.min(count, Math.max(TABLE_STEP, Math.ceil(files.end / TABLE_STEP) * TABLE_STEP));
  const bytes = Math.ceil(used / 64) * 8;
  const addresses = [readSet, writeSet, exceptSet];
  const wanted = [new Uint8Array(bytes), new Uint8Array(bytes), new Uint8Array(bytes)];
  for (let set = 0; set < 3; set++) {
    const failed = addresses[set] === 0 ? 0 : call.copyIn(addresses[set], wanted[set]);
    if (failed < 0) return failed;
  }
  const found = [new Uint8Array(bytes), new Uint8Array(bytes), new Uint8Array(bytes)];
  const queues: WaitQueue[] = [];
  let ready = 0;
  for (let fd = 0; fd < used; fd++) {
    const byte = fd >> 3;
    const bit = 1 << (fd & 7);
    if (((wanted[0][byte] | wanted[1][byte] | wanted[2][byte]) & bit) === 0) continue;
    const file = files.get(fd);
    if (file === undefined || (file.flags & O_PATH) !== 0) return -EBADF;
    const state = file.readiness();
    for (let set = 0; set < 3; set++) {
      if ((wanted[set][byte] & bit) === 0 || (state & SELECTED[set]) === 0) continue;
      found[set][byte] |= bit;
      ready++;
    }
    if (ready === 0) queues.push(pollQueue(call, file));
  }
  if (ready === 0 && !call.timedOut && call.now() < deadline) return call.park(queues, "ERESTARTNOHAND", deadline);
  for (let set = 0; set < 3; set++) {
    const failed = addresses[set] === 0 ? 0 : call.copyOut(addresses[set], found[set]);
    if (failed < 0) return failed;
  }
  return ready;
}
const SELECTED = [SELECT_READ, SELECT_WRITE, SELECT_EXCEPT];

function select(call: Call, count: number, readSet: number, writeSet: number, exceptSet: number, timeout: number): number {
  const deadline = readTimeout(call, timeout, 1000);
  if (deadline < 0) return deadline;
  return withRemainder(call, timeout, 1000, deadline, selectUntil(call, count, readSet, writeSet, exceptSet, deadline));
}

function pselect6(call: Call, count: number, readSet: number, writeSet: number, exceptSet: number, timeout: number, maskArgument: number): number {
  const deadline = readTimeout(call, timeout, 1);
  if (deadline < 0) return deadline;
  if (maskArgument !== 0) {
    const failed = call.fetch(maskArgument, 16);
    if (failed < 0) return failed;
    const masked = temporaryMask(call, unsigned64(call.scratch, 0), unsigned64(call.scratch, 8));
    if (masked < 0) return masked;
  }
  return withRemainder(call, timeout, 1, deadline, selectUntil(call, count, readSet, writeSet, exceptSet, deadline));
}

// Timeouts and masks ----------------------------------------------------------------------------------------------------

/** The moment that a timespec (`unit` 1) or timeval (`unit` 1000 ns) means; Infinity for NULL; -EINVAL, -EFAULT or PARKED. */
export function readTimeout(call: Call, address: number, unit: number): number {
  if (call.deadline !== undefined) return call.deadline;
  if (address === 0) return keepDeadline(call, Infinity);
  const failed = call.fetch(address, 16);
  if (failed < 0) return failed;
  let seconds = signed64(call.scratch, 0);
  let fraction = signed64(call.scratch, 8) * unit;
  if (unit !== 1) {
    // Whole seconds in tv_usec are carried over, as select(2) does on Linux.
    const carry = Math.trunc(fraction / NANOSECONDS);
    seconds += carry;
    fraction -= carry * NANOSECONDS;
  }
  if (seconds < 0 || fraction < 0 || fraction >= NANOSECONDS) return -EINVAL;
  return keepDeadline(call, seconds * NANOSECONDS + fraction);
}

/** Linux stores the time left into the timeout, whatever the outcome (select(2), NOTES). */
function withRemainder(call: Call, address: number, unit: number, deadline: number, result: number): number {
  if (address === 0) return result;
  if (result >= 0 || result === -EINTR || result === -EFAULT || result === -EBADF || result === -EINVAL) {
    storeRemainder(call, address, unit, deadline);
    return result;
  }
  call.interrupted = () => {
    storeRemainder(call, address, unit, deadline);
    return -EINTR;
  };
  return result;
}
function storeRemainder(call: Call, address: number, unit: number, deadline: number): void {
  const left = Math.max(0, deadline - call.now());
  const seconds = Math.floor(left / NANOSECONDS);
  put64(call.scratch, 0, seconds);
  put64(call.scratch, 8, Math.floor((left - seconds * NANOSECONDS) / unit));
  // A timeout in read-only memory is not an error.
  copyOut(call.task.image.space, address, call.kernel.scratch.subarray(0, 16));
}

/** The signal mask for as long as the call sleeps. */
export function temporaryMask(call: Call, mask: number, bytes: number): number {
  if (mask === 0) return 0;
  if (bytes !== SIGSET_BYTES) return -EINVAL;
  const failed = call.fetch(mask, SIGSET_BYTES);
  if (failed < 0) return failed;
  call.setTemporaryMask(call.scratch.getUint32(0, true), call.scratch.getUint32(4, true));
  return 0;
}

export const pollCalls: readonly Row[] = [
  sys("poll", { fds: pollfds(1), count: uint, timeout: int }, poll, full),
  sys("ppoll", { fds: pollfds(1), count: uint, timeout: timespecIn, mask: signalSetIn, maskBytes: size }, ppoll, full),
  sys("select", { count: int, read: fdSet, write: fdSet, except: fdSet, timeout: timevalIn }, select, full),
  sys("pselect6", { count: int, read: fdSet, write: fdSet, except: fdSet, timeout: timespecIn, mask: sigmaskArgument }, pselect6, full),
];
