/** Timers that send signals: setitimer(2), alarm(2), timer_create(2) and the calls that go with them. */
import { EAGAIN, EINVAL } from "../../abi/linux/errno.ts";
import { RLIMIT_SIGPENDING } from "../../abi/linux/resource.ts";
import { SIGALRM, SIGNAL_COUNT, signalName } from "../../abi/linux/signal.ts";
import {
  CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME, CLOCK_TAI, CLOCK_THREAD_CPUTIME_ID, ITIMER_PROF, ITIMER_REAL,
  ITIMER_VIRTUAL, NANOSECONDS, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, TIMER_ABSTIME,
} from "../../abi/linux/time.ts";
import type { Call } from "../call.ts";
import { PosixTimer } from "../posix-timer.ts";
import type { Task } from "../task.ts";
import { flags, full, int, intOut, oneOf, structIn, sys, uint, type Row } from "./define.ts";
import { clockId, itimerspecIn, itimerspecOut, itimervalIn, itimervalOut } from "./kinds.ts";
import { putTimeval, readItimerspec, storeItimerspec, timevalAt } from "./timespec.ts";

// Interval timers ---------------------------------------------------------------------------------------------------------

function getitimer(call: Call, which: number, target: number): number {
  if (which < ITIMER_REAL || which > ITIMER_PROF) return -EINVAL;
  return storeItimerval(call, target, call.task.process.intervalTimers.get(which));
}
function storeItimerval(call: Call, target: number, setting: { readonly interval: number; readonly value: number }): number {
  putTimeval(call.scratch, 0, setting.interval);
  putTimeval(call.scratch, 16, setting.value);
  return call.store(target, 32);
}
function setitimer(call: Call, which: number, setting: number, old: number): number {
  const { intervalTimers } = call.task.process;
  // A NULL setting stops the timer; Linux warns and does it (setitimer(2), BUGS).
  let wanted = { interval: 0, value: 0 };
  if (setting !== 0) {
    const failed = call.fetch(setting, 32);
    if (failed < 0) return failed;
    wanted = { interval: timevalAt(call.scratch, 0), value: timevalAt(call.scratch, 16) };
  }
  if (wanted.interval < 0 || wanted.value < 0 || which < ITIMER_REAL || which > ITIMER_PROF) return -EINVAL;
  const stored = old === 0 ? 0 : storeItimerval(call, old, intervalTimers.get(which));
  if (stored < 0) return stored;
  intervalTimers.set(which, wanted);
  return 0;
}

/** alarm(2): the seconds that were left, rounded to the nearest and never to none. */
function alarm(call: Call, seconds: number): number {
  const { intervalTimers } = call.task.process;
  const left = intervalTimers.get(ITIMER_REAL).value;
  intervalTimers.set(ITIMER_REAL, { value: Math.min(seconds, 0x7fff_ffff) * NANOSECONDS, interval: 0 });
  if (left === 0) return 0;
  return Math.max(1, Math.floor((left + NANOSECONDS / 2) / NANOSECONDS));
}

// POSIX timers --------------------------------------------------------------------------------------------------------------

const TIMER_CLOCKS: readonly number[] = [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID];
/** struct sigevent: value (8), signo (int), notify (int), tid (int) in 64 bytes. */
const SIGEVENT_BYTES = 64;

function timerCreate(call: Call, clock: number, event: number, target: number): number {
  const { task, kernel, scratch } = call;
  const { process } = task;
  if (!TIMER_CLOCKS.includes(clock) && !isOwnCpuClock(call, clock)) return -EINVAL;
  const id = process.nextPosixTimer;
  let notify = SIGEV_SIGNAL, signal = SIGALRM, valueLow = id, valueHigh = 0;
  let receiver: Task | undefined;
  if (event !== 0) {
    const failed = call.fetch(event, SIGEVENT_BYTES);
    if (failed < 0) return failed;
    valueLow = scratch.getUint32(0, true);
    valueHigh = scratch.getUint32(4, true);
    signal = scratch.getInt32(8, true);
    notify = scratch.getInt32(12, true);
    if (notify === (SIGEV_SIGNAL | SIGEV_THREAD_ID)) {
      receiver = kernel.findTask(scratch.getInt32(16, true));
      if (receiver === undefined || receiver.process !== process) return -EINVAL;
    } else if (notify !== SIGEV_SIGNAL && notify !== SIGEV_NONE && notify !== SIGEV_THREAD) return -EINVAL;
    if (notify !== SIGEV_NONE && (signal <= 0 || signal > SIGNAL_COUNT)) return -EINVAL;
  }
  // Each timer keeps one signal ready (timer_create(2), NOTES).
  if (process.posixTimers.size >= process.limit(RLIMIT_SIGPENDING)) return -EAGAIN;
  const stored = call.writeU32(target, id);
  if (stored < 0) return stored;
  const cpuClock = clock < 0 ? ((clock & 4) !== 0 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID) : clock;
  process.posixTimers.set(id, new PosixTimer(kernel, process, id, cpuClock, { notify, signal, valueLow, valueHigh, task: receiver }));
  process.nextPosixTimer++;
  return 0;
}
function isOwnCpuClock(call: Call, clock: number): boolean {
  if (clock >= 0 || (clock & 3) === 3) return false;
  const id = ~(clock >> 3);
  return id === 0 || id === call.task.process.pid || call.kernel.findTask(id)?.process === call.task.process;
}

function timerOf(call: Call, id: number): PosixTimer | undefined {
  return call.task.process.posixTimers.get(id) as PosixTimer | undefined;
}
function timerSettime(call: Call, id: number, flags: number, setting: number, old: number): number {
  if (setting === 0) return -EINVAL;
  const wanted = readItimerspec(call, setting);
  if (typeof wanted === "number") return wanted;
  const timer = timerOf(call, id);
  if (timer === undefined) return -EINVAL;
  if (old !== 0) {
    const { interval, value } = timer.get();
    const stored = storeItimerspec(call, old, interval, value);
    if (stored < 0) return stored;
  }
  if (wanted.value === 0) timer.set(Infinity, 0);
  else timer.set(firstExpiry(call, timer, flags, wanted.value), wanted.interval);
  return 0;
}
function firstExpiry(call: Call, timer: PosixTimer, flags: number, value: number): number {
  if ((flags & TIMER_ABSTIME) === 0) return timer.now() + value;
  if (timer.clock !== CLOCK_REALTIME && timer.clock !== CLOCK_TAI) return value;
  const seconds = Math.floor(value / NANOSECONDS);
  return call.kernel.clock.monotonicOf(seconds, value - seconds * NANOSECONDS);
}
function timerGettime(call: Call, id: number, target: number): number {
  const timer = timerOf(call, id);
  if (timer === undefined) return -EINVAL;
  const { interval, value } = timer.get();
  return storeItimerspec(call, target, interval, value);
}
function timerGetoverrun(call: Call, id: number): number {
  return timerOf(call, id)?.overrun ?? -EINVAL;
}
function timerDelete(call: Call, id: number): number {
  const timer = timerOf(call, id);
  if (timer === undefined) return -EINVAL;
  timer.release();
  call.task.process.posixTimers.delete(id);
  return 0;
}

const which = oneOf({ ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF });
const NOTIFY: Record<number, string> = { 0: "SIGEV_SIGNAL", 1: "SIGEV_NONE", 2: "SIGEV_THREAD", 4: "SIGEV_THREAD_ID" };
const sigevent = structIn(SIGEVENT_BYTES, (data) => {
  const notify = data.getInt32(12, true);
  const value = data.getBigUint64(0, true);
  const shown = value === 0n ? "" : `sigev_value={sival_int=${data.getInt32(0, true)}, sival_ptr=0x${value.toString(16)}}, `;
  const thread = notify === SIGEV_THREAD_ID ? `, sigev_notify_thread_id=${data.getInt32(16, true)}` : "";
  const signal = notify === SIGEV_NONE ? String(data.getInt32(8, true)) : signalName(data.getInt32(8, true));
  return `{${shown}sigev_signo=${signal}, sigev_notify=${NOTIFY[notify] ?? notify}${thread}}`;
});
const settimeFlags = flags({ TIMER_ABSTIME });

export const timerCalls: readonly Row[] = [
  sys("getitimer", { which, setting: itimervalOut }, getitimer, full),
  sys("setitimer", { which, new: itimervalIn, old: itimervalOut }, setitimer, full),
  sys("alarm", { seconds: uint }, alarm, full),
  sys("timer_create", { clock: clockId, event: sigevent, id: intOut }, timerCreate, full),
  sys("timer_settime", { id: int, flags: settimeFlags, new: itimerspecIn, old: itimerspecOut }, timerSettime, full),
  sys("timer_gettime", { id: int, setting: itimerspecOut }, timerGettime, full),
  sys("timer_getoverrun", { id: int }, timerGetoverrun, full),
  sys("timer_delete", { id: int }, timerDelete, full),
];
