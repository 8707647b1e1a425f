/** Taking signals on the way back to user mode (signal(7)).
 *
 *  Called with the task current and its registers in the CPU: after a trap, or when a park is interrupted; then
 *  `task.call` is still in progress and a handler's arrival decides between its partial count, EINTR and a restart. */
import { EINTR } from "../../abi/linux/errno.ts";
import { RAX } from "../../cpu/state.ts";
import {
  defaultAction, SA_NODEFER, SA_RESETHAND, SA_RESTART, SI_KERNEL, SIG_DFL, SIG_IGN, SIGKILL, SIGSEGV, SIGSTOP,
} from "../../abi/linux/signal.ts";
import { WCOREFLAG } from "../../abi/linux/wait.ts";
import type { SignalText } from "../../trace/event.ts";
import { finishCall, restartName, setResult } from "../dispatch.ts";
import { exitGroup, exitTask } from "../exit.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "../task.ts";
import { USER_BLOCKED } from "../../vm/user-memory.ts";
import { awaitPage } from "../thread-start.ts";
import { pushFrame } from "./frame.ts";
import type { SignalAction } from "./handlers.ts";
import type { SignalInfo } from "./pending.ts";
import { forceSignal, stopProcess } from "./send.ts";

/** Acts on everything that is pending. True when the task goes on in user mode; false when it died, stopped or parked again. */
export function deliverSignals(kernel: Kernel, task: Task): boolean {
  const { process } = task;
  for (;;) {
    if (process.groupExit !== undefined) {
      exitTask(kernel, task, process.groupExit);
      return false;
    }
    if (process.stopped) {
      task.state = "runnable";
      task.held = true;
      return false;
    }
    const info = take(task);
    if (info === undefined) break;
    const action = process.handlers.get(info.signal);
    if (action.handler === SIG_IGN) continue;
    if (action.handler !== SIG_DFL) {
      // Frames pile up: the handler entered last runs first, as on Linux.
      if (enterHandler(kernel, task, info, action) === "parked") return false;
      continue;
    }
    actByDefault(kernel, task, info);
  }
  restoreMask(task);
  return true;
}

/** A park was interrupted or may have been: acts on signals with the call still open. Returns what deliverSignals does;
 *  when no handler ran, the call has been finished or run again, and may have parked again (false). */
export function interruptCall(kernel: Kernel, task: Task): boolean {
  const { call, process } = task;
  for (;;) {
    if (process.groupExit !== undefined || process.stopped) return deliverSignals(kernel, task);
    const info = take(task);
    if (info === undefined) break;
    const action = process.handlers.get(info.signal);
    if (action.handler === SIG_IGN) continue;
    if (action.handler !== SIG_DFL) {
      endInterrupted(kernel, task, action);
      return enterHandler(kernel, task, info, action) !== "parked" && deliverSignals(kernel, task);
    }
    actByDefault(kernel, task, info);
  }
  // Nothing ran in user mode: the call goes on as if nothing had been (Linux: ERESTART* without a handler).
  const result = call.interruption === "EINTR" ? call.interruptedResult() : call.run();
  return finishCall(kernel, task, result);
}

/** The mask that sigsuspend, ppoll… replaced comes back when no handler's frame has taken it over. */
export function restoreMask(task: Task): void {
  if (task.savedMask === undefined) return;
  task.blocked.copy(task.savedMask);
  task.savedMask = undefined;
}

/** The lowest-numbered signal the task may take, its own before the process's; faults first, as they belong to this moment. */
function take(task: Task): SignalInfo | undefined {
  const own = task.pending;
  const shared = task.process.pending;
  for (const signal of SYNCHRONOUS) {
    if (own.set.has(signal) && !task.blocked.has(signal)) return taken(own.take(signal));
  }
  const first = own.set.firstOutside(task.blocked);
  if (first !== 0) return taken(own.take(first));
  const other = shared.set.firstOutside(task.blocked);
  return other === 0 ? undefined : taken(shared.take(other));
}
const SYNCHRONOUS = [SIGSEGV, 7, 4, 5, 8, 31];

export function taken(info: SignalInfo): SignalInfo {
  return info.taken?.() ?? info;
}

/** Ends the open call with the result that a handler's arrival gives it. */
function endInterrupted(kernel: Kernel, task: Task, action: SignalAction): void {
  const { call } = task;
  const { registers } = kernel.cpu;
  const restartable = call.interruption === "ERESTARTNOINTR" || (call.interruption === "ERESTARTSYS" && (action.flags & SA_RESTART) !== 0);
  if (call.done === 0 && call.interrupted === undefined && restartable) {
    // `syscall` and `int n` are both two bytes long: run it again after the handler, with the number back in rax.
    registers.rip -= 2;
    registers.setNumber(RAX, call.number);
    kernel.traceExit(task, undefined, call.interruption);
  } else {
    const result = call.interruptedResult();
    setResult(kernel, result);
    kernel.traceExit(task, result, call.done > 0 || result !== -EINTR ? undefined : restartName(call.interruption));
  }
  call.end();
}

/** Builds the handler's frame. "again": the stack is gone and SIGSEGV is pending instead. "parked": a page of the stack is on
 *  its way, and the signal is pending as before. */
function enterHandler(kernel: Kernel, task: Task, info: SignalInfo, action: SignalAction): "entered" | "again" | "parked" {
  const { signal } = info;
  const pushed = pushFrame(kernel, task, info, action);
  if (pushed === USER_BLOCKED) {
    task.pending.putBack(info);
    awaitPage(kernel, task);
    return "parked";
  }
  trace(kernel, task, info, "handler");
  if (pushed !== 0) {
    // A SIGSEGV handler whose own frame does not fit cannot run: default action (Linux: force_sigsegv).
    if (signal === SIGSEGV) task.process.handlers.resetToDefault(SIGSEGV);
    forceSignal(kernel, task, { signal: SIGSEGV, code: SI_KERNEL, address: 0 });
    return "again";
  }
  task.savedMask = undefined;
  task.blocked.low = (task.blocked.low | action.mask.low) >>> 0;
  task.blocked.high = (task.blocked.high | action.mask.high) >>> 0;
  if ((action.flags & SA_NODEFER) === 0) task.blocked.add(signal);
  task.blocked.delete(SIGKILL);
  task.blocked.delete(SIGSTOP);
  if ((action.flags & SA_RESETHAND) !== 0) task.process.handlers.resetToDefault(signal);
  return "entered";
}

function actByDefault(kernel: Kernel, task: Task, info: SignalInfo): void {
  const { process } = task;
  const action = defaultAction(info.signal);
  switch (action) {
    case "ignore":
    case "continue":
      return;
    case "stop":
      // Terminal stops do not reach orphaned groups, which nobody could continue (POSIX, "Orphaned Process Group").
      if (info.signal !== SIGSTOP && process.group.orphaned) return;
      trace(kernel, task, info, "stop");
      stopProcess(kernel, process, info.signal);
      return;
    case "terminate":
    case "core":
      trace(kernel, task, info, action);
      kernel.reportFatalSignal(task, info);
      exitGroup(kernel, task, info.signal | (action === "core" && process.limit(4) > 0 ? WCOREFLAG : 0));
      return;
  }
}

function trace(kernel: Kernel, task: Task, info: SignalInfo, action: "handler" | "terminate" | "core" | "stop"): void {
  kernel.stats.signals++;
  if (!kernel.tracer.active) return;
  const text: SignalText = {
    signo: info.signal, code: info.code,
    ...(info.pid === undefined ? {} : { pid: info.pid }),
    ...(info.uid === undefined ? {} : { uid: info.uid }),
    ...(info.address === undefined ? {} : { address: info.address }),
    ...(info.status === undefined ? {} : { status: info.status }),
    ...(info.valueLow === undefined ? {} : { value: info.valueLow }),
  };
  kernel.tracer.emit(task.process.pid, task.tid, { type: "signal-delivered", signal: info.signal, code: info.code, info: text, action });
}
