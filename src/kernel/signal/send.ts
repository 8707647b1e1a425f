/** Sending signals: who gets them, what is dropped, who wakes (signal(7), kill(2)).
 *
 *  Order of effects: SIGCONT and the stop signals cancel each other first, whatever the disposition says; then a signal
 *  that the process ignores and the target does not block is forgotten; then it is queued; then one thread that can take
 *  it is woken. */
import { EAGAIN, EPERM } from "../../abi/linux/errno.ts";
import { RLIMIT_SIGPENDING } from "../../abi/linux/resource.ts";
import {
  CLD_CONTINUED, CLD_STOPPED, defaultAction, SA_NOCLDSTOP, SI_KERNEL, SI_USER, SIG_DFL, SIG_IGN, SIGCHLD, SIGCONT, SIGKILL, SIGRTMIN,
  SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
} from "../../abi/linux/signal.ts";
import type { Kernel } from "../kernel.ts";
import type { Process } from "../process.ts";
import type { ProcessGroup } from "../session.ts";
import type { Task } from "../task.ts";
import type { SignalInfo } from "./pending.ts";

const STOP_SIGNALS = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU];

/** Sends to a process; any of its threads that does not block the signal may take it. 0 or -EAGAIN (queue full). */
export function sendToProcess(kernel: Kernel, process: Process, info: SignalInfo): number {
  return send(kernel, process, undefined, info);
}
/** Sends to one thread. */
export function sendToTask(kernel: Kernel, task: Task, info: SignalInfo): number {
  return send(kernel, task.process, task, info);
}

/** A fault of the thread itself: not to be blocked or ignored, it kills then (Linux: force_sig). */
export function forceSignal(kernel: Kernel, task: Task, info: SignalInfo): void {
  const { handlers } = task.process;
  const action = handlers.get(info.signal);
  if (task.blocked.has(info.signal) || action.handler === SIG_IGN) {
    handlers.resetToDefault(info.signal);
    task.blocked.delete(info.signal);
  }
  // An earlier one of the same number must not hide this one's details.
  task.pending.discard(info.signal);
  send(kernel, task.process, task, info);
}

/** Every process of a group, from the kernel (terminals, orphaned groups). */
export function sendToGroup(kernel: Kernel, group: ProcessGroup, signal: number): void {
  for (const member of [...group.members]) sendToProcess(kernel, member, { signal, code: SI_KERNEL });
}

/** May `sender` signal `target` (kill(2))? */
export function mayKill(sender: Task, target: Process, signal: number): boolean {
  const from = sender.credentials;
  const to = target.leader.credentials;
  if (from.euid === 0 || from.euid === to.suid || from.euid === to.uid || from.uid === to.suid || from.uid === to.uid) return true;
  return signal === SIGCONT && sender.process.group.session === target.group.session;
}
export const killDenied = (sender: Task, target: Process, signal: number): number => (mayKill(sender, target, signal) ? 0 : -EPERM);

/** siginfo of kill(2). */
export function userInfo(sender: Task, signal: number, code = SI_USER): SignalInfo {
  return { signal, code, pid: sender.process.pid, uid: sender.credentials.uid };
}

/** Whether the task has a signal that would be acted upon: unblocked, in its own or its process's queue. @hot */
export function signalWaits(task: Task): boolean {
  const { blocked } = task;
  const own = task.pending.set;
  const shared = task.process.pending.set;
  return ((own.low | shared.low) & ~blocked.low) !== 0 || ((own.high | shared.high) & ~blocked.high) !== 0;
}

function send(kernel: Kernel, process: Process, target: Task | undefined, info: SignalInfo): number {
  const { signal } = info;
  if (process.state !== "alive") return 0;
  cancelOpposites(kernel, process, signal);
  if (kernel.tracer.active) {
    kernel.tracer.emit(info.pid ?? 0, info.pid ?? 0, { type: "signal-sent", signal, target: target?.tid ?? process.pid, code: info.code });
  }
  if (signal === SIGKILL) {
    killProcess(kernel, process);
    return 0;
  }
  if (isIgnored(process, target ?? process.leader, signal)) return 0;
  const queue = target?.pending ?? process.pending;
  if (signal >= SIGRTMIN && info.code !== SI_USER && queue.length >= process.limit(RLIMIT_SIGPENDING)) return -EAGAIN;
  queue.add(info);
  const receiver = target ?? process.leader;
  if (target !== undefined) wakeFor(kernel, receiver, signal);
  else {
    // The main thread first, as Linux prefers it; else any that can take the signal.
    const taker = [receiver, ...process.threads].find((task) => task.state !== "dead" && !task.blocked.has(signal));
    if (taker !== undefined) wakeFor(kernel, taker, signal);
  }
  // Threads in sigwait, and readers of signalfds, look at blocked signals too.
  process.signalArrivals.wakeAll();
  return 0;
}

/** Blocked signals are never ignored: the disposition may change before they are taken. */
function isIgnored(process: Process, task: Task, signal: number): boolean {
  if (task.blocked.has(signal)) return false;
  const { handler } = process.handlers.get(signal);
  return handler === SIG_IGN || (handler === SIG_DFL && (defaultAction(signal) === "ignore" || signal === SIGCONT));
}

function wakeFor(kernel: Kernel, task: Task, signal: number): void {
  if (task.blocked.has(signal) || task.state !== "parked") return;
  if (task.awaitsPage || (task.call.row !== undefined && task.call.interruption === "UNINTERRUPTIBLE")) return;
  kernel.scheduler.wake(task);
}

function cancelOpposites(kernel: Kernel, process: Process, signal: number): void {
  if (signal === SIGCONT) {
    for (const stop of STOP_SIGNALS) discardEverywhere(process, stop);
    continueProcess(kernel, process);
  } else if (STOP_SIGNALS.includes(signal)) {
    discardEverywhere(process, SIGCONT);
  }
}
function discardEverywhere(process: Process, signal: number): void {
  process.pending.discard(signal);
  for (const task of process.threads) task.pending.discard(signal);
}

/** SIGKILL: every thread dies as soon as it is scheduled; nothing that it waits for holds it. */
export function killProcess(kernel: Kernel, process: Process): void {
  if (process.groupExit === undefined) process.groupExit = SIGKILL;
  process.stopped = false;
  for (const task of process.threads) {
    kernel.scheduler.releaseHeld(task);
    kernel.scheduler.wake(task);
  }
}

/** Stops a process for job control and tells its parent (SIGCHLD unless SA_NOCLDSTOP, and wait with WUNTRACED). */
export function stopProcess(kernel: Kernel, process: Process, signal: number): void {
  process.stopped = true;
  process.stopSignal = signal;
  process.unreported = "stop";
  tellParent(kernel, process, CLD_STOPPED, signal);
}

/** SIGCONT was sent: a stopped process goes on even if it ignores or blocks the signal. */
function continueProcess(kernel: Kernel, process: Process): void {
  if (!process.stopped) return;
  process.stopped = false;
  process.unreported = "continue";
  for (const task of process.threads) kernel.scheduler.releaseHeld(task);
  if (kernel.tracer.active) kernel.tracer.emit(process.pid, process.pid, { type: "continued" });
  tellParent(kernel, process, CLD_CONTINUED, SIGCONT);
}

function tellParent(kernel: Kernel, process: Process, code: number, status: number): void {
  const { parent } = process;
  if (parent === undefined) return;
  if ((parent.handlers.get(SIGCHLD).flags & SA_NOCLDSTOP) === 0) {
    sendToProcess(kernel, parent, { signal: SIGCHLD, code, pid: process.pid, uid: process.leader.credentials.uid, status });
  }
  parent.childEvents.wakeAll();
}
