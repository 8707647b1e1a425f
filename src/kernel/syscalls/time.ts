/** What time it is and sleeping until another: clock_gettime(2), gettimeofday(2), nanosleep(2), times(2), adjtimex(2).
 *
 *  One retired instruction is one nanosecond of processor time, all of it user time. */
import { EFAULT, EINTR, EINVAL, ENODEV, EOPNOTSUPP, EPERM } from "../../abi/linux/errno.ts";
import {
  CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM, CLOCK_REALTIME_COARSE, CLOCK_TAI, CLOCK_THREAD_CPUTIME_ID, NANOSECONDS, TIMER_ABSTIME,
} from "../../abi/linux/time.ts";
import { copyOut } from "../../vm/user-memory.ts";
import { type Call, PARKED } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { flags, full, partial, ptr, structIn, structOut, sys, timespecIn, timespecOut, timevalIn, timevalOut, type Row } from "./define.ts";
import { put64, signed64 } from "./file-arguments.ts";
import { clockId } from "./kinds.ts";
import { putNanoseconds, putTimespec, readTimespec, storeNanoseconds, timevalAt } from "./timespec.ts";

/** Resolution of the COARSE clocks: one tick of a 250 Hz kernel. */
const COARSE = 4_000_000;

// Reading clocks --------------------------------------------------------------------------------------------------------

/** What a clock id means: wall time, monotonic time, or processor time in instructions; undefined for none. */
type ClockKind = { readonly kind: "wall" | "monotonic"; readonly coarse: boolean } | { readonly kind: "cpu"; readonly nanoseconds: number };

function clockOf(call: Call, id: number): ClockKind | undefined {
  switch (id) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_ALARM: case CLOCK_TAI: return { kind: "wall", coarse: false };
    case CLOCK_REALTIME_COARSE: return { kind: "wall", coarse: true };
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_BOOTTIME: case CLOCK_BOOTTIME_ALARM: return { kind: "monotonic", coarse: false };
    case CLOCK_MONOTONIC_COARSE: return { kind: "monotonic", coarse: true };
    case CLOCK_PROCESS_CPUTIME_ID: return { kind: "cpu", nanoseconds: call.task.process.usage().instructions };
    case CLOCK_THREAD_CPUTIME_ID: return { kind: "cpu", nanoseconds: call.kernel.instructionsOf(call.task) };
    default: return id < 0 ? dynamicClock(call, id) : undefined;
  }
}
/** clock_getcpuclockid(3): the complement of a pid or tid above three bits, of which bit 2 says thread and the rest which time. */
function dynamicClock(call: Call, id: number): ClockKind | undefined {
  const number = ~(id >> 3);
  if ((id & 3) === 3) return undefined;
  if ((id & 4) !== 0) {
    const task = number === 0 ? call.task : call.kernel.findTask(number);
    return task === undefined || task.process !== call.task.process ? undefined : { kind: "cpu", nanoseconds: call.kernel.instructionsOf(task) };
  }
  const process = number === 0 ? call.task.process : call.kernel.findProcess(number);
  return process === undefined ? undefined : { kind: "cpu", nanoseconds: process.usage().instructions };
}

/** Reads a clock into the first 16 bytes of the scratch; false for an unknown one. */
function sampleClock(call: Call, id: number): boolean {
  const found = clockOf(call, id);
  if (found === undefined) return false;
  const { scratch } = call;
  const { clock } = call.kernel;
  if (found.kind === "cpu") putNanoseconds(scratch, 0, found.nanoseconds);
  else if (found.kind === "monotonic") {
    const now = clock.now();
    putNanoseconds(scratch, 0, found.coarse ? now - (now % COARSE) : now);
  } else {
    clock.sample();
    putTimespec(scratch, 0, clock.seconds, found.coarse ? clock.nanos - (clock.nanos % COARSE) : clock.nanos);
  }
  return true;
}

const clockGettime = (call: Call, id: number, target: number): number => (sampleClock(call, id) ? call.store(target, 16) : -EINVAL);

function clockGetres(call: Call, id: number, target: number): number {
  const found = clockOf(call, id);
  if (found === undefined) return -EINVAL;
  return target === 0 ? 0 : storeNanoseconds(call, target, found.kind !== "cpu" && found.coarse ? COARSE : 1);
}

/** The machine's own wall clock; the host's is not touched. */
function clockSettime(call: Call, id: number, time: number): number {
  if (id !== CLOCK_REALTIME) return clockOf(call, id) !== undefined && id < 0 ? -EPERM : -EINVAL;
  const failed = call.fetch(time, 16);
  if (failed < 0) return failed;
  return setWallClock(call, signed64(call.scratch, 0), signed64(call.scratch, 8));
}
function setWallClock(call: Call, seconds: number, nanos: number): number {
  // Before the machine's start on the monotonic clock there is no wall time (timekeeping.c, do_settimeofday64).
  if (seconds < 0 || nanos < 0 || nanos >= NANOSECONDS || seconds > 2 ** 47 || seconds * NANOSECONDS + nanos < call.now()) return -EINVAL;
  if (!isPrivileged(call.task.credentials)) return -EPERM;
  call.kernel.clock.setWallClock(seconds, nanos);
  return 0;
}

/** Time zones are user space's: the kernel's is UTC. */
function gettimeofday(call: Call, target: number, zone: number): number {
  const { clock } = call.kernel;
  clock.sample();
  if (target !== 0) {
    put64(call.scratch, 0, clock.seconds);
    put64(call.scratch, 8, Math.floor(clock.nanos / 1000));
    const stored = call.store(target, 16);
    if (stored < 0) return stored;
  }
  if (zone === 0) return 0;
  put64(call.scratch, 0, 0);
  return call.store(zone, 8);
}
function settimeofday(call: Call, time: number): number {
  if (time === 0) return isPrivileged(call.task.credentials) ? 0 : -EPERM;
  const failed = call.fetch(time, 16);
  if (failed < 0) return failed;
  if (timevalAt(call.scratch, 0) < 0) return -EINVAL;
  return setWallClock(call, signed64(call.scratch, 0), signed64(call.scratch, 8) * 1000);
}

function time(call: Call, target: number): number {
  call.kernel.clock.sample();
  const { seconds } = call.kernel.clock;
  if (target === 0) return seconds;
  const stored = call.writeU64(target, seconds);
  return stored < 0 ? stored : seconds;
}

// Sleeping --------------------------------------------------------------------------------------------------------------

function nanosleep(call: Call, request: number, remainder: number): number {
  if (call.deadline === undefined) {
    const nanoseconds = readTimespec(call, request);
    if (nanoseconds < 0) return nanoseconds;
    call.deadline = call.now() + nanoseconds;
  }
  return sleepUntil(call, call.deadline, remainder);
}

/** A handler ends the sleep with EINTR and the time left; a stop and continue does not end it (nanosleep(2)). */
function sleepUntil(call: Call, deadline: number, remainder: number): number {
  if (call.timedOut || call.now() >= deadline) return 0;
  if (remainder !== 0 && call.interrupted === undefined) {
    // The page is brought in now, because there is no waiting for it when a handler is about to run.
    if (call.fetch(remainder, 16) === PARKED) return PARKED;
    call.interrupted = () => {
      putNanoseconds(call.scratch, 0, Math.max(0, deadline - call.now()));
      return copyOut(call.task.image.space, remainder, call.kernel.scratch.subarray(0, 16)) === 16 ? -EINTR : -EFAULT;
    };
  }
  return call.park(undefined, "ERESTARTNOHAND", deadline);
}

function clockNanosleep(call: Call, id: number, flags: number, request: number, remainder: number): number {
  if (call.deadline === undefined) {
    const found = clockOf(call, id);
    if (found === undefined) return -EINVAL;
    // Clocks that nobody can sleep on (those without nsleep in kernel/time/posix-timers.c).
    if (id === CLOCK_THREAD_CPUTIME_ID || id === CLOCK_MONOTONIC_RAW || (found.kind !== "cpu" && found.coarse)) return -EOPNOTSUPP;
    const nanoseconds = readTimespec(call, request);
    if (nanoseconds < 0) return nanoseconds;
    const seconds = signed64(call.scratch, 0);
    const { clock } = call.kernel;
    if ((flags & TIMER_ABSTIME) === 0) call.deadline = found.kind === "cpu" ? found.nanoseconds + nanoseconds : clock.now() + nanoseconds;
    else if (found.kind === "wall") call.deadline = clock.monotonicOf(seconds, signed64(call.scratch, 8));
    else call.deadline = nanoseconds;
  }
  if ((flags & TIMER_ABSTIME) !== 0) remainder = 0;
  const found = clockOf(call, id);
  if (found?.kind !== "cpu") return sleepUntil(call, call.deadline, remainder);
  // Processor time passes only while other threads run, and no faster than the clock.
  if (found.nanoseconds >= call.deadline) return 0;
  return call.park(undefined, "ERESTARTNOHAND", call.now() + call.deadline - found.nanoseconds);
}

// Accounting ------------------------------------------------------------------------------------------------------------

function times(call: Call, target: number): number {
  const { kernel, task } = call;
  if (target !== 0) {
    put64(call.scratch, 0, kernel.ticksOf(task.process.usage().instructions));
    put64(call.scratch, 8, 0);
    put64(call.scratch, 16, kernel.ticksOf(task.process.reapedChildren.instructions));
    put64(call.scratch, 24, 0);
    const stored = call.store(target, 32);
    if (stored < 0) return stored;
  }
  return Math.floor(kernel.clock.now() / 10_000_000);
}

/** struct timex is 208 bytes; a clock that nobody disciplines is reported as the kernel does without NTP. */
const TIMEX_BYTES = 208;
const STA_UNSYNC = 0x40, TIME_ERROR = 5;
function adjtimex(call: Call, timex: number): number {
  const failed = call.fetch(timex, TIMEX_BYTES);
  if (failed < 0) return failed;
  const { scratch } = call;
  if (scratch.getUint32(0, true) !== 0) return isPrivileged(call.task.credentials) ? -EOPNOTSUPP : -EPERM;
  for (let at = 0; at < TIMEX_BYTES; at += 8) put64(scratch, at, 0);
  const { clock } = call.kernel;
  clock.sample();
  put64(scratch, 24, 16_000_000);
  put64(scratch, 32, 16_000_000);
  scratch.setInt32(40, STA_UNSYNC, true);
  put64(scratch, 48, 2);
  put64(scratch, 56, 1);
  put64(scratch, 64, 32_768_000);
  put64(scratch, 72, clock.seconds);
  put64(scratch, 80, Math.floor(clock.nanos / 1000));
  put64(scratch, 88, 10_000);
  const stored = call.store(timex, TIMEX_BYTES);
  return stored < 0 ? stored : TIME_ERROR;
}
function clockAdjtime(call: Call, id: number, timex: number): number {
  if (id === CLOCK_REALTIME) return adjtimex(call, timex);
  return clockOf(call, id) === undefined ? -EINVAL : id < 0 ? -ENODEV : -EOPNOTSUPP;
}

const timezone = structOut(8, (data) => `{tz_minuteswest=${data.getInt32(0, true)}, tz_dsttime=${data.getInt32(4, true)}}`);
const tms = structOut(32, (data) => {
  const at = (offset: number): string => String(data.getBigInt64(offset, true));
  return `{tms_utime=${at(0)}, tms_stime=${at(8)}, tms_cutime=${at(16)}, tms_cstime=${at(24)}}`;
});
const timexIn = structIn(4, (data) => `{modes=${data.getUint32(0, true)}, ...}`);
const secondsOut = structOut(8, (data) => `[${data.getBigInt64(0, true)}]`);
const sleepFlags = flags({ TIMER_ABSTIME });

export const timeCalls: readonly Row[] = [
  sys("clock_gettime", { clock: clockId, time: timespecOut }, clockGettime, full),
  sys("clock_getres", { clock: clockId, resolution: timespecOut }, clockGetres, full),
  sys("clock_settime", { clock: clockId, time: timespecIn }, clockSettime, partial("sets the machine's own clock, not the host's")),
  sys("gettimeofday", { time: timevalOut, zone: timezone }, gettimeofday, full),
  sys("settimeofday", { time: timevalIn, zone: ptr }, settimeofday, partial("sets the machine's own clock; time zones are ignored")),
  sys("time", { target: secondsOut }, time, full),
  sys("nanosleep", { request: timespecIn, remainder: ptr }, nanosleep, full),
  sys("clock_nanosleep", { clock: clockId, flags: sleepFlags, request: timespecIn, remainder: ptr }, clockNanosleep, full),
  sys("times", { buffer: tms }, times, full),
  sys("adjtimex", { timex: timexIn }, adjtimex, partial("reads; the clock is not steered")),
  sys("clock_adjtime", { clock: clockId, timex: timexIn }, clockAdjtime, partial("reads CLOCK_REALTIME; the clock is not steered")),
];
