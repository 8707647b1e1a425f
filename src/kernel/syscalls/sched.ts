/** Scheduling calls (sched(7), getpriority(2), membarrier(2)). There is one processor and one round-robin queue: policies and
 *  priorities are kept and reported, and decide nothing. */
import { EACCES, EINVAL, ENOSYS, EPERM, ESRCH } from "../../abi/linux/errno.ts";
import { RLIMIT_NICE, RLIMIT_RTPRIO } from "../../abi/linux/resource.ts";
import {
  MEMBARRIER_CMD_GLOBAL, MEMBARRIER_CMD_GLOBAL_EXPEDITED, MEMBARRIER_CMD_PRIVATE_EXPEDITED, MEMBARRIER_CMD_QUERY,
  MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, PRIO_PGRP, PRIO_PROCESS, PRIO_USER, SCHED_BATCH,
  SCHED_DEADLINE, SCHED_FIFO, SCHED_IDLE, SCHED_OTHER, SCHED_RESET_ON_FORK, SCHED_RR,
} from "../../abi/linux/sched.ts";
import type { Call } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { QUANTUM } from "../scheduler.ts";
import type { Task } from "../task.ts";
import { absent, full, int, oneOf, partial, ptr, size, structIn, structOut, sys, timespecOut, uint, type Row } from "./define.ts";

/** The others run first; the caller comes back at the end of the queue. */
function schedYield(call: Call): number {
  if (call.state === undefined && call.kernel.scheduler.waiting > 0) {
    call.state = true;
    return call.park({ add: (wake) => {
      wake();
      return () => {};
    } }, "UNINTERRUPTIBLE");
  }
  return 0;
}

const target = (call: Call, pid: number): Task | undefined => (pid === 0 ? call.task : call.kernel.findTask(pid));

/** The mask of one processor: bit 0 of an unsigned long, the smallest size Linux stores. */
function getAffinity(call: Call, pid: number, length: number, address: number): number {
  if (length < 8 || length % 8 !== 0) return -EINVAL;
  if (pid < 0 || target(call, pid) === undefined) return -ESRCH;
  const stored = call.writeU64(address, 1);
  return stored < 0 ? stored : 8;
}

function setAffinity(call: Call, pid: number, length: number, address: number): number {
  const task = pid < 0 ? undefined : target(call, pid);
  const bytes = new Uint8Array(Math.min(length, 8));
  const read = call.copyIn(address, bytes);
  if (read < 0) return read;
  if (task === undefined) return -ESRCH;
  if (!mayChange(call.task, task)) return -EPERM;
  // A mask without any processor that exists.
  return ((bytes[0] ?? 0) & 1) === 0 ? -EINVAL : 0;
}

function getScheduler(call: Call, pid: number): number {
  if (pid < 0) return -EINVAL;
  const task = target(call, pid);
  return task === undefined ? -ESRCH : task.policy;
}

function setScheduler(call: Call, pid: number, policy: number, address: number): number {
  if (address === 0 || pid < 0) return -EINVAL;
  const priority = call.readU32(address);
  if (priority < 0) return priority;
  const task = target(call, pid);
  return task === undefined ? -ESRCH : change(call, task, policy, priority | 0);
}

function setParam(call: Call, pid: number, address: number): number {
  if (address === 0 || pid < 0) return -EINVAL;
  const priority = call.readU32(address);
  if (priority < 0) return priority;
  const task = target(call, pid);
  return task === undefined ? -ESRCH : change(call, task, task.policy, priority | 0);
}

function getParam(call: Call, pid: number, address: number): number {
  if (address === 0 || pid < 0) return -EINVAL;
  const task = target(call, pid);
  return task === undefined ? -ESRCH : call.writeU32(address, task.priority);
}

function change(call: Call, task: Task, word: number, priority: number): number {
  const policy = word & ~SCHED_RESET_ON_FORK;
  if (policy === SCHED_DEADLINE || ![SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE].includes(policy)) return -EINVAL;
  const realtime = policy === SCHED_FIFO || policy === SCHED_RR;
  if (priority < 0 || priority > 99 || realtime !== priority > 0) return -EINVAL;
  if (!mayChange(call.task, task)) return -EPERM;
  if (realtime && !isPrivileged(call.task.credentials) && priority > task.process.limit(RLIMIT_RTPRIO)) return -EPERM;
  task.policy = word;
  task.priority = priority;
  return 0;
}

function mayChange(caller: Task, task: Task): boolean {
  const { euid } = caller.credentials;
  return isPrivileged(caller.credentials) || euid === task.credentials.euid || euid === task.credentials.uid;
}

const isRealtime = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;
function priorityMax(_call: Call, policy: number): number {
  if (isRealtime(policy)) return 99;
  return [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE].includes(policy) ? 0 : -EINVAL;
}
function priorityMin(_call: Call, policy: number): number {
  if (isRealtime(policy)) return 1;
  return [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE].includes(policy) ? 0 : -EINVAL;
}

function rrGetInterval(call: Call, pid: number, address: number): number {
  if (pid < 0) return -EINVAL;
  const task = target(call, pid);
  if (task === undefined) return -ESRCH;
  call.scratch.setBigInt64(0, 0n, true);
  // FIFO threads have no time slice.
  call.scratch.setBigInt64(8, task.policy === SCHED_FIFO ? 0n : BigInt(QUANTUM), true);
  return call.store(address, 16);
}

function getcpu(call: Call, cpu: number, node: number): number {
  if (cpu !== 0) {
    const stored = call.writeU32(cpu, 0);
    if (stored < 0) return stored;
  }
  return node === 0 ? 0 : call.writeU32(node, 0);
}

// Nice ------------------------------------------------------------------------------------------------------------

function tasksFor(call: Call, which: number, who: number): Task[] | undefined {
  const { kernel, task } = call;
  switch (which) {
    case PRIO_PROCESS: {
      const one = who === 0 ? task : kernel.findTask(who);
      return one === undefined ? [] : [one];
    }
    case PRIO_PGRP: {
      const id = who === 0 ? task.process.group.id : who;
      return [...kernel.tasks.values()].filter((other) => other.state !== "dead" && other.process.group.id === id);
    }
    case PRIO_USER: {
      const uid = who === 0 ? task.credentials.uid : who;
      return [...kernel.tasks.values()].filter((other) => other.state !== "dead" && other.credentials.uid === uid);
    }
    default:
      return undefined;
  }
}

/** The raw call answers 20 − nice, 1…40, so that no answer looks like an error (getpriority(2), NOTES). */
function getpriority(call: Call, which: number, who: number): number {
  const tasks = tasksFor(call, which, who);
  if (tasks === undefined) return -EINVAL;
  return tasks.length === 0 ? -ESRCH : Math.max(...tasks.map((task) => 20 - task.nice));
}

function setpriority(call: Call, which: number, who: number, wish: number): number {
  const tasks = tasksFor(call, which, who);
  if (tasks === undefined) return -EINVAL;
  if (tasks.length === 0) return -ESRCH;
  const nice = Math.min(Math.max(wish, -20), 19);
  for (const task of tasks) {
    if (!mayChange(call.task, task)) return -EPERM;
    if (nice < task.nice && !isPrivileged(call.task.credentials) && 20 - nice > task.process.limit(RLIMIT_NICE)) return -EACCES;
    task.nice = nice;
  }
  return 0;
}

// Barriers --------------------------------------------------------------------------------------------------------

/** Threads are switched at instruction boundaries by one interpreter, so every access is ordered already. */
function membarrier(_call: Call, command: number, flagBits: number): number {
  if (flagBits !== 0) return -EINVAL;
  switch (command) {
    case MEMBARRIER_CMD_QUERY:
      return MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
        MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
      return 0;
    default:
      return -EINVAL;
  }
}

const rseq = (): number => -ENOSYS;

const policies = oneOf({ SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE });
const priorityText = (data: DataView): string => `[${data.getInt32(0, true)}]`;
const maskText = (data: DataView): string => (data.getUint8(0) === 1 ? "[0]" : `[0x${data.getUint8(0).toString(16)}]`);
const priorities = oneOf({ PRIO_PROCESS, PRIO_PGRP, PRIO_USER });
const noEffect = partial("kept and reported; one round-robin queue runs everybody");

export const schedCalls: readonly Row[] = [
  sys("sched_yield", {}, schedYield, full),
  sys("sched_getaffinity", { pid: int, cpusetsize: size, mask: structOut(8, maskText) }, getAffinity, full),
  sys("sched_setaffinity", { pid: int, cpusetsize: size, mask: structIn(8, maskText) }, setAffinity, full),
  sys("sched_getscheduler", { pid: int }, getScheduler, full),
  sys("sched_setscheduler", { pid: int, policy: policies, param: structIn(4, priorityText) }, setScheduler, noEffect),
  sys("sched_getparam", { pid: int, param: structOut(4, priorityText) }, getParam, full),
  sys("sched_setparam", { pid: int, param: structIn(4, priorityText) }, setParam, noEffect),
  sys("sched_get_priority_max", { policy: policies }, priorityMax, full),
  sys("sched_get_priority_min", { policy: policies }, priorityMin, full),
  sys("sched_rr_get_interval", { pid: int, tp: timespecOut }, rrGetInterval, full),
  sys("getcpu", { cpu: ptr, node: ptr, unused: ptr }, getcpu, full),
  sys("getpriority", { which: priorities, who: int }, getpriority, full),
  sys("setpriority", { which: priorities, who: int, prio: int }, setpriority, noEffect),
  sys("membarrier", { cmd: int, flags: uint, cpu_id: int }, membarrier, full),
  sys("rseq", { rseq: ptr, rseq_len: uint, flags: int, sig: uint }, rseq, absent("no restartable sequences: glibc goes without")),
];
