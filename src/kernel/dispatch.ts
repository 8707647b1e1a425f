/** From a trap to a handler and back: reads the arguments a row asks for, runs the handler, stores the result.
 *
 *  A call ends in one of four ways: a result in rax, a replaced register file (execve, rt_sigreturn), the end of the task,
 *  or parked; a parked call is run again by `resumeCall` when its task is scheduled, or ended by a signal. */
import { EINTR, ENOSYS } from "../abi/linux/errno.ts";
import { RAX, RDI, RDX, RSI } from "../cpu/state.ts";
import type { Gate } from "../trace/event.ts";
import { PARKED, REGISTERS_SET, TASK_ENDED, type Interruption } from "./call.ts";
import type { Kernel } from "./kernel.ts";
import type { Row } from "./syscalls/define.ts";
import { interruptCall, restoreMask } from "./signal/deliver.ts";
import { signalWaits } from "./signal/send.ts";
import type { Task } from "./task.ts";

const R8 = 8, R9 = 9, R10 = 10;
/** Argument registers, the same through both gates (System V ABI, "Linux Conventions"). */
const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9];

/** Rows by number. */
export interface CallTable {
  readonly rows: readonly (Row | undefined)[];
  nameOf(number: number): string;
}

/** Starts the call that the current task has just asked for. True when the task goes on. */
export function startCall(kernel: Kernel, task: Task, gate: Gate, table: CallTable): boolean {
  const { registers } = kernel.cpu;
  // Linux looks at eax only (entry/common.c: int nr).
  const number = registers.low(RAX);
  const row = table.rows[number];
  kernel.stats.syscalls++;
  if (row === undefined) {
    kernel.noteUnknownCall(task, gate, number, table.nameOf(number));
    setResult(kernel, -ENOSYS);
    return true;
  }
  const { call } = task;
  call.begin(row, gate, number);
  const { kinds } = row;
  const { values } = call;
  for (let index = 0; index < kinds.length; index++) values[index] = kinds[index].read(registers, ARGUMENTS[index]);
  if (kernel.tracer.active) kernel.traceEnter(task);
  return finishCall(kernel, task, call.run());
}

/** The task was parked in a call and is scheduled again: runs the handler again. */
export function resumeCall(kernel: Kernel, task: Task): boolean {
  if (task.process.groupExit !== undefined) return interruptCall(kernel, task);
  return finishCall(kernel, task, task.call.run());
}

/** Disposes of a handler's result. True when the task goes on in user mode. */
export function finishCall(kernel: Kernel, task: Task, result: number): boolean {
  switch (result) {
    case PARKED:
      // Something may be pending already, which ends the sleep before it starts.
      if (task.process.groupExit === undefined && (!signalWaits(task) || task.call.interruption === "UNINTERRUPTIBLE")) return false;
      if (task.state !== "parked") return false;
      kernel.scheduler.forgetPark(task);
      task.state = "running";
      return interruptCall(kernel, task);
    case TASK_ENDED:
      return false;
    case REGISTERS_SET:
      kernel.traceExit(task, 0, undefined);
      task.call.end();
      return true;
    default:
      setResult(kernel, result);
      kernel.traceExit(task, result, undefined);
      if (result !== -EINTR) restoreMask(task);
      task.call.end();
      return true;
  }
}

export function setResult(kernel: Kernel, result: number): void {
  kernel.cpu.registers.setNumber(RAX, result);
}

/** The names strace gives to results that are no results. */
export function restartName(interruption: Interruption): string | undefined {
  return interruption === "EINTR" || interruption === "UNINTERRUPTIBLE" ? undefined : interruption;
}
