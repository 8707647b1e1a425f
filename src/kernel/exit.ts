/** The end of threads and processes: everything goes back, parents hear of it (exit(2), exit_group(2), wait(2)).
 *
 *  Order of effects for a thread: its call is abandoned → robust futexes, clear_child_tid → vfork parent → descriptors,
 *  file context, image → it leaves its process. For the last thread: timers, children, orphaned groups, terminal, parent. */
import { SIGCHLD, SIGCONT, SIGHUP, CLD_DUMPED, CLD_EXITED, CLD_KILLED, SI_KERNEL } from "../abi/linux/signal.ts";
import { WCOREFLAG } from "../abi/linux/wait.ts";
import { KernelPanic } from "../base/assert.ts";
import { leaveMemory } from "./futex.ts";
import type { Kernel } from "./kernel.ts";
import { addUsage, type Process } from "./process.ts";
import type { ProcessGroup } from "./session.ts";
import { sendToGroup, sendToProcess } from "./signal/send.ts";
import type { Task } from "./task.ts";

/** Every thread of the task's process ends with this wait status. Others die here; the task itself, if it is current, on
 *  its way back to user mode. */
export function exitGroup(kernel: Kernel, task: Task, status: number): void {
  const { process } = task;
  if (process.groupExit === undefined) process.groupExit = status;
  process.stopped = false;
  for (const other of [...process.threads]) {
    if (other !== task) exitTask(kernel, other, process.groupExit);
  }
}

/** Ends one thread. It need not be the running one. */
export function exitTask(kernel: Kernel, task: Task, status: number): void {
  if (task.state === "dead") throw new KernelPanic("a task dies twice", { tid: task.tid });
  const { process } = task;
  kernel.accountFaults(task);
  kernel.scheduler.forgetPark(task);
  if (task.call.row !== undefined) {
    kernel.traceExit(task, undefined, undefined);
    task.call.end();
  }
  if (task.image.references > 1) {
    // Nobody looks at the memory of the last user (Linux: mm_release).
    leaveMemory(kernel, task);
  }
  releaseVforkParent(kernel, task);
  if (kernel.tracer.active) kernel.tracer.emit(process.pid, task.tid, { type: "thread-exit", status });
  releaseParts(kernel, task);
  kernel.scheduler.remove(task);
  kernel.forgetRegisters(task);
  task.exitStatus = status;
  addUsage(process.deadThreads, {
    instructions: task.instructions, minorFaults: task.minorFaults, majorFaults: task.majorFaults,
    voluntarySwitches: task.voluntarySwitches, involuntarySwitches: task.involuntarySwitches, peakResident: 0,
  });
  process.threads.splice(process.threads.indexOf(task), 1);
  // The leader's number stays taken until the process is reaped.
  if (!task.isLeader) kernel.tasks.delete(task.tid);
  if (process.threads.length === 0) exitProcess(kernel, process, process.groupExit ?? process.leader.exitStatus);
}

/** vfork's parent may go on: the borrowed image is given back (execve) or about to be (exit). */
export function releaseVforkParent(kernel: Kernel, task: Task): void {
  const parent = task.vforkParent;
  if (parent === undefined) return;
  task.vforkParent = undefined;
  if (parent.state === "parked") kernel.scheduler.wake(parent);
}

function releaseParts(kernel: Kernel, task: Task): void {
  const { process } = task;
  process.deadThreads.peakResident = Math.max(process.deadThreads.peakResident, kernel.peakResident(task.image));
  // Descriptors first: closing the last one of a mapped file must not find the mapping gone half-way.
  task.files.release();
  task.context.references--;
  task.image.release();
}

function exitProcess(kernel: Kernel, process: Process, status: number): void {
  process.exitStatus = status;
  process.state = "zombie";
  process.intervalTimers.release();
  for (const timer of process.posixTimers.values()) timer.release();
  process.posixTimers.clear();
  process.pending.clear();
  process.handlers.references--;
  if (kernel.tracer.active) kernel.tracer.emit(process.pid, process.pid, { type: "process-exit", status });
  const orphaned = groupsThatLose(process);
  reparentChildren(kernel, process);
  for (const group of orphaned) {
    if (!group.orphaned || !group.hasStoppedMember) continue;
    // Nobody is left to continue them (POSIX _exit, "newly-orphaned process group").
    sendToGroup(kernel, group, SIGHUP);
    sendToGroup(kernel, group, SIGCONT);
  }
  kernel.sessionLeaderExits(process);
  notifyParent(kernel, process);
  kernel.processEnded();
  if (process === kernel.firstProcess) kernel.firstProcessEnded(status);
}

/** Groups that this process kept from being orphaned: its own and its children's. */
function groupsThatLose(process: Process): Set<ProcessGroup> {
  const groups = new Set<ProcessGroup>();
  for (const child of process.children) if (child.group.session === process.group.session) groups.add(child.group);
  groups.add(process.group);
  for (const group of groups) if (group.isOrphanedBefore(process)) groups.delete(group);
  return groups;
}

/** Orphans go to the nearest ancestor that asked for them (PR_SET_CHILD_SUBREAPER), else nobody waits for them. */
function reparentChildren(kernel: Kernel, process: Process): void {
  let reaper = process.parent;
  while (reaper !== undefined && !(reaper.subreaper && reaper.state === "alive")) reaper = reaper.parent;
  for (const child of [...process.children]) {
    process.children.delete(child);
    child.parent = reaper;
    for (const thread of child.threads) {
      if (thread.parentDeathSignal !== 0) {
        sendToProcess(kernel, child, { signal: thread.parentDeathSignal, code: SI_KERNEL, pid: process.pid, uid: process.leader.credentials.uid });
      }
    }
    if (reaper !== undefined) {
      reaper.children.add(child);
      child.exitSignal = SIGCHLD;
      if (child.state === "zombie") notifyParent(kernel, child);
    } else if (child.state === "zombie") {
      reap(kernel, child);
    }
  }
}

function notifyParent(kernel: Kernel, process: Process): void {
  const { parent } = process;
  if (parent === undefined) {
    reap(kernel, process);
    return;
  }
  const vanish = parent.childrenVanish && process.exitSignal === SIGCHLD;
  if (process.exitSignal !== 0) {
    const signal = process.exitStatus & 0x7f;
    sendToProcess(kernel, parent, {
      signal: process.exitSignal,
      code: signal === 0 ? CLD_EXITED : (process.exitStatus & WCOREFLAG) !== 0 ? CLD_DUMPED : CLD_KILLED,
      pid: process.pid,
      uid: process.leader.credentials.uid,
      status: signal === 0 ? process.exitStatus >> 8 : signal,
      utime: kernel.ticksOf(process.usage().instructions),
      stime: 0,
    });
  }
  if (vanish) reap(kernel, process);
  parent.childEvents.wakeAll();
}

/** The last trace of a process goes: its number, its place in the group, its usage passes to the parent. */
export function reap(kernel: Kernel, process: Process): void {
  const { parent } = process;
  if (parent !== undefined) {
    addUsage(parent.reapedChildren, process.deadThreads);
    addUsage(parent.reapedChildren, process.reapedChildren);
    parent.children.delete(process);
  }
  process.state = "reaped";
  process.group.remove(process);
  kernel.processes.delete(process.pid);
  kernel.tasks.delete(process.pid);
}
