/** Files that are events: eventfd(2), timerfd_create(2), signalfd(2). */
import { EBADF, EINVAL } from "../../abi/linux/errno.ts";
import { EFD_SEMAPHORE, O_CLOEXEC, O_NONBLOCK } from "../../abi/linux/fcntl.ts";
import { SIGSET_BYTES } from "../../abi/linux/signal.ts";
import { CLOCK_REALTIME, NANOSECONDS } from "../../abi/linux/time.ts";
import type { Call } from "../call.ts";
import { EventFile } from "../event-file.ts";
import { SignalFile } from "../signal-file.ts";
import { SignalSet } from "../signal/signal-set.ts";
import { TIMER_FILE_CLOCKS, TimerFile } from "../timer-file.ts";
import { fd, flags, full, partial, size, sys, uint, type Row } from "./define.ts";
import { descriptorRoom, fileOf, installFile } from "./file-arguments.ts";
import { clockId, itimerspecIn, itimerspecOut, signalSetIn } from "./kinds.ts";
import { readItimerspec, storeItimerspec } from "./timespec.ts";

const eventfd = (call: Call, initial: number): number => eventfd2(call, initial, 0);
function eventfd2(call: Call, initial: number, flags: number): number {
  if ((flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const room = descriptorRoom(call);
  if (room < 0) return room;
  const file = new EventFile(call.kernel, initial, (flags & EFD_SEMAPHORE) !== 0 ? "semaphore" : "counter", flags & O_NONBLOCK);
  return installFile(call, file, (flags & O_CLOEXEC) !== 0);
}

function timerfdCreate(call: Call, clock: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0 || !TIMER_FILE_CLOCKS.includes(clock)) return -EINVAL;
  const room = descriptorRoom(call);
  return room < 0 ? room : installFile(call, new TimerFile(call.kernel, clock, flags & O_NONBLOCK), (flags & O_CLOEXEC) !== 0);
}

const TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2;
function timerfdSettime(call: Call, fd: number, flags: number, setting: number, old: number): number {
  const wanted = readItimerspec(call, setting);
  if (typeof wanted === "number") return wanted;
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) return -EINVAL;
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof TimerFile)) return -EINVAL;
  // The old setting goes out first, so that a page on its way changes nothing twice.
  if (old !== 0) {
    const before = file.get();
    const stored = storeItimerspec(call, old, before.interval, before.value);
    if (stored < 0) return stored;
  }
  const { clock } = call.kernel;
  let first = Infinity;
  if (wanted.value > 0) {
    const seconds = Math.floor(wanted.value / NANOSECONDS);
    if ((flags & TFD_TIMER_ABSTIME) === 0) first = clock.now() + wanted.value;
    else first = file.clock === CLOCK_REALTIME ? clock.monotonicOf(seconds, wanted.value - seconds * NANOSECONDS) : wanted.value;
  }
  file.set(first, wanted.interval, flags);
  return 0;
}
function timerfdGettime(call: Call, fd: number, setting: number): number {
  const file = fileOf(call, fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof TimerFile)) return -EINVAL;
  const { interval, value } = file.get();
  return storeItimerspec(call, setting, interval, value);
}

const signalfd = (call: Call, fd: number, mask: number, maskBytes: number): number => signalfd4(call, fd, mask, maskBytes, 0);
function signalfd4(call: Call, fd: number, mask: number, maskBytes: number, flags: number): number {
  if (maskBytes !== SIGSET_BYTES) return -EINVAL;
  const failed = call.fetch(mask, SIGSET_BYTES);
  if (failed < 0) return failed;
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const wanted = new SignalSet();
  wanted.set(call.scratch.getUint32(0, true), call.scratch.getUint32(4, true));
  if (fd !== -1) {
    const file = fileOf(call, fd);
    if (file === undefined) return -EBADF;
    if (!(file instanceof SignalFile)) return -EINVAL;
    file.setWanted(wanted);
    return fd;
  }
  const room = descriptorRoom(call);
  return room < 0 ? room : installFile(call, new SignalFile(call.kernel, call.task, wanted, flags & O_NONBLOCK), (flags & O_CLOEXEC) !== 0);
}

const EFD_CLOEXEC = O_CLOEXEC, EFD_NONBLOCK = O_NONBLOCK;
const eventFlags = flags({ EFD_SEMAPHORE, EFD_CLOEXEC, EFD_NONBLOCK });
const timerFlags = flags({ TFD_CLOEXEC: O_CLOEXEC, TFD_NONBLOCK: O_NONBLOCK });
const settimeFlags = flags({ TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET });
const signalFlags = flags({ SFD_CLOEXEC: O_CLOEXEC, SFD_NONBLOCK: O_NONBLOCK });

export const eventCalls: readonly Row[] = [
  sys("eventfd", { initial: uint }, eventfd, full),
  sys("eventfd2", { initial: uint, flags: eventFlags }, eventfd2, full),
  sys("timerfd_create", { clock: clockId, flags: timerFlags }, timerfdCreate, partial("no alarm clocks")),
  sys("timerfd_settime", { fd, flags: settimeFlags, new: itimerspecIn, old: itimerspecOut }, timerfdSettime,
    partial("TFD_TIMER_CANCEL_ON_SET is accepted; clock changes do not move timers")),
  sys("timerfd_gettime", { fd, setting: itimerspecOut }, timerfdGettime, full),
  sys("signalfd", { fd, mask: signalSetIn, maskBytes: size }, signalfd, full),
  sys("signalfd4", { fd, mask: signalSetIn, maskBytes: size, flags: signalFlags }, signalfd4, full),
];
