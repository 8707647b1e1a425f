/** Signal calls (signal(7), sigaction(2), sigprocmask(2), kill(2), sigaltstack(2), rt_sigreturn). */
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM, ESRCH } from "../../abi/linux/errno.ts";
import {
  MINSIGSTKSZ, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART, SA_RESTORER, SA_SIGINFO, SI_KERNEL, SI_TKILL, SI_USER,
  SIG_BLOCK, SIG_DFL, SIG_IGN, SIG_SETMASK, SIG_UNBLOCK, SIGACTION_BYTES, defaultAction, SIGCONT, SIGINFO_BYTES, SIGKILL, SIGNAL_COUNT,
  signalName, SIGSEGV, SIGSET_BYTES, SIGSTOP, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK,
} from "../../abi/linux/signal.ts";
import { NANOSECONDS } from "../../abi/linux/time.ts";
import { RSP } from "../../cpu/state.ts";
import { USER_BLOCKED } from "../../vm/user-memory.ts";
import { type Call, REGISTERS_SET } from "../call.ts";
import type { Process } from "../process.ts";
import { taken } from "../signal/deliver.ts";
import { altStackState, isOnAltStack, popFrame } from "../signal/frame.ts";
import type { SignalInfo } from "../signal/pending.ts";
import { forceSignal, mayKill, sendToProcess, sendToTask, userInfo } from "../signal/send.ts";
import { SignalSet } from "../signal/signal-set.ts";
import { writeSiginfo } from "../signal/siginfo.ts";
import type { Task } from "../task.ts";
import { flags, full, int, oneOf, signal as signalKind, size, structIn, structOut, sys, timespecIn, type Row } from "./define.ts";

const isSignal = (signal: number): boolean => signal >= 1 && signal <= SIGNAL_COUNT;
const TWO_32 = 0x1_0000_0000;

// Dispositions ----------------------------------------------------------------------------------------------------

function rtSigaction(call: Call, signal: number, newAddress: number, oldAddress: number, setSize: number): number {
  if (setSize !== SIGSET_BYTES) return -EINVAL;
  const { handlers } = call.task.process;
  const { scratch } = call;
  let wanted: { handler: number; flags: number; restorer: number; mask: SignalSet } | undefined;
  if (newAddress !== 0) {
    const read = call.fetch(newAddress, SIGACTION_BYTES);
    if (read < 0) return read;
    wanted = { handler: word(scratch, 0), flags: scratch.getUint32(8, true), restorer: word(scratch, 16), mask: new SignalSet() };
    wanted.mask.set(scratch.getUint32(24, true), scratch.getUint32(28, true));
  }
  if (!isSignal(signal) || (wanted !== undefined && (signal === SIGKILL || signal === SIGSTOP))) return -EINVAL;
  if (oldAddress !== 0) {
    const old = handlers.get(signal);
    putWord(scratch, 0, old.handler);
    putWord(scratch, 8, old.flags);
    putWord(scratch, 16, old.restorer);
    scratch.setUint32(24, old.mask.low, true);
    scratch.setUint32(28, old.mask.high, true);
    const stored = call.store(oldAddress, SIGACTION_BYTES);
    if (stored < 0) return stored;
  }
  if (wanted === undefined) return 0;
  wanted.flags = (wanted.flags & KNOWN_FLAGS) >>> 0;
  wanted.mask.delete(SIGKILL);
  wanted.mask.delete(SIGSTOP);
  handlers.set(signal, wanted);
  // A signal that is ignored from now on is forgotten where it is pending (POSIX sigaction).
  if (wanted.handler === SIG_IGN || (wanted.handler === SIG_DFL && (defaultAction(signal) === "ignore" || signal === SIGCONT))) {
    call.task.process.pending.discard(signal);
    for (const task of call.task.process.threads) task.pending.discard(signal);
  }
  return 0;
}
/** Bits this kernel acts on; programs find out what is supported by reading back (sigaction(2), SA_UNSUPPORTED). */
const KNOWN_FLAGS = (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND | SA_RESTORER) >>> 0;

// Masks -----------------------------------------------------------------------------------------------------------

function rtSigprocmask(call: Call, how: number, newAddress: number, oldAddress: number, setSize: number): number {
  if (setSize !== SIGSET_BYTES) return -EINVAL;
  const { blocked } = call.task;
  const { scratch } = call;
  const oldLow = blocked.low;
  const oldHigh = blocked.high;
  let low = oldLow;
  let high = oldHigh;
  if (newAddress !== 0) {
    const read = call.fetch(newAddress, SIGSET_BYTES);
    if (read < 0) return read;
    const setLow = scratch.getUint32(0, true);
    const setHigh = scratch.getUint32(4, true);
    switch (how) {
      case SIG_BLOCK:
        low |= setLow;
        high |= setHigh;
        break;
      case SIG_UNBLOCK:
        low &= ~setLow;
        high &= ~setHigh;
        break;
      case SIG_SETMASK:
        low = setLow;
        high = setHigh;
        break;
      default:
        return -EINVAL;
    }
  }
  if (oldAddress !== 0) {
    scratch.setUint32(0, oldLow, true);
    scratch.setUint32(4, oldHigh, true);
    const stored = call.store(oldAddress, SIGSET_BYTES);
    // The mask has changed by then on Linux; a page on its way starts the call over, so nothing may have.
    if (stored < 0 && stored !== -EFAULT) return stored;
    if (stored < 0) {
      setBlocked(call.task, low, high);
      return stored;
    }
  }
  setBlocked(call.task, low, high);
  return 0;
}
function setBlocked(task: Task, low: number, high: number): void {
  task.blocked.set(low, high);
  task.blocked.delete(SIGKILL);
  task.blocked.delete(SIGSTOP);
}

function rtSigpending(call: Call, address: number, setSize: number): number {
  if (setSize > SIGSET_BYTES) return -EINVAL;
  const { task, scratch } = call;
  const own = task.pending.set;
  const shared = task.process.pending.set;
  scratch.setUint32(0, (own.low | shared.low) & task.blocked.low, true);
  scratch.setUint32(4, (own.high | shared.high) & task.blocked.high, true);
  return call.store(address, setSize);
}

function rtSigsuspend(call: Call, address: number, setSize: number): number {
  if (setSize !== SIGSET_BYTES) return -EINVAL;
  if (call.state === undefined) {
    const read = call.fetch(address, SIGSET_BYTES);
    if (read < 0) return read;
    call.state = true;
    call.setTemporaryMask(call.scratch.getUint32(0, true), call.scratch.getUint32(4, true));
  }
  return call.park(undefined, "ERESTARTNOHAND");
}

const pause = (call: Call): number => call.park(undefined, "ERESTARTNOHAND");

// Waiting for signals ---------------------------------------------------------------------------------------------

interface SignalWait {
  readonly set: SignalSet;
  /** Monotonic nanoseconds; -1 for a poll. */
  readonly deadline: number;
}

function rtSigtimedwait(call: Call, setAddress: number, infoAddress: number, timeoutAddress: number, setSize: number): number {
  if (setSize !== SIGSET_BYTES) return -EINVAL;
  const { task, scratch } = call;
  let wait = call.state as SignalWait | undefined;
  if (wait === undefined) {
    let deadline = Infinity;
    if (timeoutAddress !== 0) {
      const read = call.fetch(timeoutAddress, 16);
      if (read < 0) return read;
      const seconds = Number(scratch.getBigInt64(0, true));
      const nanoseconds = Number(scratch.getBigInt64(8, true));
      if (seconds < 0 || nanoseconds < 0 || nanoseconds >= NANOSECONDS) return -EINVAL;
      deadline = seconds === 0 && nanoseconds === 0 ? -1 : call.now() + seconds * NANOSECONDS + nanoseconds;
    }
    const read = call.fetch(setAddress, SIGSET_BYTES);
    if (read < 0) return read;
    const set = new SignalSet();
    set.set(scratch.getUint32(0, true), scratch.getUint32(4, true));
    set.delete(SIGKILL);
    set.delete(SIGSTOP);
    wait = { set, deadline };
  }
  const found = pendingIn(task, wait.set);
  if (found !== 0) {
    const queue = task.pending.set.has(found) ? task.pending : task.process.pending;
    const info = taken(queue.take(found));
    if (infoAddress !== 0) {
      writeSiginfo(info, new Uint8Array(scratch.buffer, scratch.byteOffset, SIGINFO_BYTES), 0);
      const stored = call.store(infoAddress, SIGINFO_BYTES);
      if (stored < 0) {
        // A page on its way must not cost the signal; on a fault Linux has consumed it.
        if (stored !== -EFAULT) {
          queue.putBack(info);
          call.state = wait;
        }
        return stored;
      }
    }
    return found;
  }
  if (call.now() >= wait.deadline) return -EAGAIN;
  call.state = wait;
  return call.park(task.process.signalArrivals, "EINTR", wait.deadline);
}

function pendingIn(task: Task, set: SignalSet): number {
  const low = (task.pending.set.low | task.process.pending.set.low) & set.low;
  if (low !== 0) return 32 - Math.clz32(low & -low);
  const high = (task.pending.set.high | task.process.pending.set.high) & set.high;
  return high === 0 ? 0 : 64 - Math.clz32(high & -high);
}

// Sending ---------------------------------------------------------------------------------------------------------

/** kill(2): a process, the caller's group (0), everybody (−1) or a group (below −1). */
function kill(call: Call, pid: number, signal: number): number {
  const { kernel, task } = call;
  if (signal < 0 || signal > SIGNAL_COUNT) return -EINVAL;
  if (pid > 0) {
    // A thread's number means its process (kill(2), NOTES on Linux).
    const process = kernel.findProcess(pid) ?? kernel.findTask(pid)?.process;
    return process === undefined ? -ESRCH : sendFrom(call, process, signal, SI_USER);
  }
  if (pid === -0x8000_0000) return -ESRCH;
  const targets: Process[] = [];
  for (const process of kernel.processes.values()) {
    if (process.state === "reaped") continue;
    if (pid === -1 ? process !== task.process : process.group.id === (pid === 0 ? task.process.group.id : -pid)) targets.push(process);
  }
  if (targets.length === 0) return -ESRCH;
  let sent = 0;
  let result = 0;
  // The caller comes last, so that it does not die before the others have theirs.
  targets.sort((a, b) => Number(a === task.process) - Number(b === task.process));
  for (const process of targets) {
    const one = sendFrom(call, process, signal, SI_USER);
    if (one === 0) sent++;
    else result = one;
  }
  return sent > 0 ? 0 : result;
}

function sendFrom(call: Call, process: Process, signal: number, code: number): number {
  if (!mayKill(call.task, process, signal)) return -EPERM;
  return signal === 0 ? 0 : sendToProcess(call.kernel, process, userInfo(call.task, signal, code));
}

function tkill(call: Call, tid: number, signal: number): number {
  if (tid <= 0 || signal < 0 || signal > SIGNAL_COUNT) return -EINVAL;
  return sendToThread(call, call.kernel.findTask(tid), signal);
}
function tgkill(call: Call, pid: number, tid: number, signal: number): number {
  if (pid <= 0 || tid <= 0 || signal < 0 || signal > SIGNAL_COUNT) return -EINVAL;
  const target = call.kernel.findTask(tid);
  return sendToThread(call, target?.process.pid === pid ? target : undefined, signal);
}
function sendToThread(call: Call, target: Task | undefined, signal: number): number {
  if (target === undefined) return -ESRCH;
  if (!mayKill(call.task, target.process, signal)) return -EPERM;
  return signal === 0 ? 0 : sendToTask(call.kernel, target, userInfo(call.task, signal, SI_TKILL));
}

/** Reads the caller's siginfo; only codes that cannot be mistaken for the kernel's or another sender's are let through. */
function readQueued(call: Call, signal: number, address: number, own: boolean): SignalInfo | number {
  const read = call.fetch(address, SIGINFO_BYTES);
  if (read < 0) return read;
  const { scratch } = call;
  const code = scratch.getInt32(8, true);
  if ((code >= 0 || code === SI_TKILL) && !own) return -EPERM;
  return {
    signal, code, errno: scratch.getInt32(4, true), pid: scratch.getInt32(16, true), uid: scratch.getUint32(20, true),
    valueLow: scratch.getUint32(24, true), valueHigh: scratch.getUint32(28, true), raw: new Uint8Array(scratch.buffer, scratch.byteOffset, SIGINFO_BYTES).slice(),
  };
}

function rtSigqueueinfo(call: Call, pid: number, signal: number, address: number): number {
  const info = readQueued(call, signal, address, pid === call.task.process.pid);
  if (typeof info === "number") return info;
  if (signal < 0 || signal > SIGNAL_COUNT) return -EINVAL;
  const process = call.kernel.findProcess(pid);
  if (process === undefined) return -ESRCH;
  if (!mayKill(call.task, process, signal)) return -EPERM;
  return signal === 0 ? 0 : sendToProcess(call.kernel, process, info);
}

function rtTgsigqueueinfo(call: Call, pid: number, tid: number, signal: number, address: number): number {
  if (pid <= 0 || tid <= 0) return -EINVAL;
  const info = readQueued(call, signal, address, pid === call.task.process.pid);
  if (typeof info === "number") return info;
  if (signal < 0 || signal > SIGNAL_COUNT) return -EINVAL;
  const target = call.kernel.findTask(tid);
  if (target === undefined || target.process.pid !== pid) return -ESRCH;
  if (!mayKill(call.task, target.process, signal)) return -EPERM;
  return signal === 0 ? 0 : sendToTask(call.kernel, target, info);
}

// Frames ----------------------------------------------------------------------------------------------------------

function rtSigreturn(call: Call): number {
  const { kernel, task } = call;
  const result = popFrame(kernel, task);
  if (result === USER_BLOCKED) return call.parkForMemory();
  if (result < 0) forceSignal(kernel, task, { signal: SIGSEGV, code: SI_KERNEL, address: 0 });
  return REGISTERS_SET;
}

function sigaltstack(call: Call, newAddress: number, oldAddress: number): number {
  const { kernel, task, scratch } = call;
  const sp = kernel.cpu.registers.unsigned(RSP);
  let wanted: { base: number; flags: number; size: number } | undefined;
  if (newAddress !== 0) {
    const read = call.fetch(newAddress, 24);
    if (read < 0) return read;
    wanted = { base: word(scratch, 0), flags: scratch.getUint32(8, true), size: word(scratch, 16) };
    if (isOnAltStack(task, sp) && task.altStackSize > 0) return -EPERM;
    const mode = (wanted.flags & ~SS_AUTODISARM) >>> 0;
    if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return -EINVAL;
    if (mode === SS_DISABLE) wanted.base = wanted.size = 0;
    else if (wanted.size < MINSIGSTKSZ) return -ENOMEM;
  }
  if (oldAddress !== 0) {
    putWord(scratch, 0, task.altStackBase);
    putWord(scratch, 8, altStackState(task, sp));
    putWord(scratch, 16, task.altStackSize);
    const stored = call.store(oldAddress, 24);
    if (stored < 0) return stored;
  }
  if (wanted !== undefined) {
    task.altStackBase = wanted.base;
    task.altStackSize = wanted.size;
    task.altStackFlags = (wanted.flags & SS_AUTODISARM) >>> 0;
  }
  return 0;
}

function word(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
}
function putWord(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32) >>> 0, true);
}

// Rows ------------------------------------------------------------------------------------------------------------

/** strace's `[INT TERM]`, or `~[…]` when most signals are in. */
export function signalSetText(low: number, high: number): string {
  const set = new SignalSet();
  set.set(low, high);
  const names = (inside: boolean): string[] => {
    const list: string[] = [];
    for (let signal = 1; signal <= SIGNAL_COUNT; signal++) if (set.has(signal) === inside) list.push(signalName(signal).replace(/^SIG/, ""));
    return list;
  };
  const members = names(true);
  return members.length > SIGNAL_COUNT / 2 ? `~[${names(false).join(" ")}]` : `[${members.join(" ")}]`;
}
const setText = (data: DataView, at = 0): string => signalSetText(data.getUint32(at, true), data.getUint32(at + 4, true));
const actionFlags = flags({
  SA_RESTORER, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO, SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_RESETHAND,
});
function actionText(data: DataView): string {
  const handler = word(data, 0);
  const name = handler === SIG_DFL ? "SIG_DFL" : handler === SIG_IGN ? "SIG_IGN" : `0x${handler.toString(16)}`;
  const bits = data.getUint32(8, true);
  const shown = actionFlags.format(bits, { missed: false, peek: () => undefined, peekString: () => undefined }, [], 0);
  const restorer = (bits & SA_RESTORER) === 0 ? "" : `, sa_restorer=0x${word(data, 16).toString(16)}`;
  return `{sa_handler=${name}, sa_mask=${setText(data, 24)}, sa_flags=${shown}${restorer}}`;
}
const stackText = (data: DataView): string =>
  `{ss_sp=${word(data, 0) === 0 ? "NULL" : `0x${word(data, 0).toString(16)}`}, ss_flags=${data.getUint32(8, true) === SS_DISABLE ? "SS_DISABLE" : data.getUint32(8, true) === SS_ONSTACK ? "SS_ONSTACK" : data.getUint32(8, true)}, ss_size=${word(data, 16)}}`;
const infoText = (data: DataView): string =>
  `{si_signo=${signalName(data.getInt32(0, true))}, si_code=${data.getInt32(8, true)}, si_pid=${data.getInt32(16, true)}, si_uid=${data.getUint32(20, true)}}`;
export const signalSetIn = structIn(SIGSET_BYTES, (data) => setText(data));
export const signalSetOut = structOut(SIGSET_BYTES, (data) => setText(data));
const action = { signum: signalKind, act: structIn(SIGACTION_BYTES, actionText), oldact: structOut(SIGACTION_BYTES, actionText), sigsetsize: size };
const mask = { how: oneOf({ SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK }), set: signalSetIn, oldset: signalSetOut, sigsetsize: size };

export const signalCalls: readonly Row[] = [
  sys("rt_sigaction", action, rtSigaction, full),
  sys("rt_sigprocmask", mask, rtSigprocmask, full),
  sys("rt_sigpending", { set: signalSetOut, sigsetsize: size }, rtSigpending, full),
  sys("rt_sigsuspend", { mask: signalSetIn, sigsetsize: size }, rtSigsuspend, full),
  sys("rt_sigtimedwait", { set: signalSetIn, info: structOut(SIGINFO_BYTES, infoText), timeout: timespecIn, sigsetsize: size }, rtSigtimedwait, full),
  sys("rt_sigqueueinfo", { pid: int, sig: signalKind, info: structIn(SIGINFO_BYTES, infoText) }, rtSigqueueinfo, full),
  sys("rt_tgsigqueueinfo", { tgid: int, tid: int, sig: signalKind, info: structIn(SIGINFO_BYTES, infoText) }, rtTgsigqueueinfo, full),
  sys("rt_sigreturn", {}, rtSigreturn, full),
  sys("sigaltstack", { ss: structIn(24, stackText), old_ss: structOut(24, stackText) }, sigaltstack, full),
  sys("pause", {}, pause, full),
  sys("kill", { pid: int, sig: signalKind }, kill, full),
  sys("tkill", { tid: int, sig: signalKind }, tkill, full),
  sys("tgkill", { tgid: int, tid: int, sig: signalKind }, tgkill, full),
];

/** The meniOS gate's names for the same calls. */
export const meniosSignalCalls: readonly Row[] = [
  sys("sigaction", action, rtSigaction, full),
  sys("sigprocmask", mask, rtSigprocmask, full),
  sys("sigreturn", {}, rtSigreturn, full),
  sys("kill", { pid: int, sig: signalKind }, kill, full),
];
