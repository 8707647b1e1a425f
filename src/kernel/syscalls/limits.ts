/** Resource limits and usage (getrlimit(2), prlimit(2), getrusage(2)). */
import { EINVAL, EPERM, ESRCH } from "../../abi/linux/errno.ts";
import {
  RLIM_INFINITY, RLIMIT_AS, RLIMIT_CORE, RLIMIT_COUNT, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE,
  RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK, RUSAGE_BYTES,
  RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD,
} from "../../abi/linux/resource.ts";
import { NANOSECONDS } from "../../abi/linux/time.ts";
import type { Call } from "../call.ts";
import { isPrivileged } from "../credentials.ts";
import { emptyUsage, type Process, type Usage } from "../process.ts";
import type { Task } from "../task.ts";
import { full, int, oneOf, partial, structIn, structOut, sys, type Row } from "./define.ts";

/** fs.nr_open: no descriptor limit goes beyond it. */
const NR_OPEN = 1 << 20;
const RLIMIT_BYTES = 16;

function getrlimit(call: Call, resource: number, address: number): number {
  if (resource < 0 || resource >= RLIMIT_COUNT) return -EINVAL;
  putLimit(call.scratch, call.task.process, resource);
  return call.store(address, RLIMIT_BYTES);
}

function setrlimit(call: Call, resource: number, address: number): number {
  const read = call.fetch(address, RLIMIT_BYTES);
  if (read < 0) return read;
  return change(call.task, call.task.process, resource, limitAt(call.scratch, 0), limitAt(call.scratch, 8));
}

function prlimit64(call: Call, pid: number, resource: number, newAddress: number, oldAddress: number): number {
  if (resource < 0 || resource >= RLIMIT_COUNT) return -EINVAL;
  const process = pid === 0 ? call.task.process : call.kernel.findTask(pid)?.process;
  if (process === undefined) return -ESRCH;
  if (process !== call.task.process && !mayChange(call.task, process)) return -EPERM;
  let soft = 0;
  let hard = 0;
  if (newAddress !== 0) {
    const read = call.fetch(newAddress, RLIMIT_BYTES);
    if (read < 0) return read;
    soft = limitAt(call.scratch, 0);
    hard = limitAt(call.scratch, 8);
    const refused = check(call.task, process, resource, soft, hard);
    if (refused < 0) return refused;
  }
  if (oldAddress !== 0) {
    putLimit(call.scratch, process, resource);
    const stored = call.store(oldAddress, RLIMIT_BYTES);
    if (stored < 0) return stored;
  }
  return newAddress === 0 ? 0 : change(call.task, process, resource, soft, hard);
}

function change(task: Task, process: Process, resource: number, soft: number, hard: number): number {
  const refused = check(task, process, resource, soft, hard);
  if (refused < 0) return refused;
  process.limits.set(resource, soft, hard);
  if (resource === RLIMIT_CPU) process.intervalTimers.limitChanged();
  return 0;
}

function check(task: Task, process: Process, resource: number, soft: number, hard: number): number {
  if (resource < 0 || resource >= RLIMIT_COUNT || soft > hard) return -EINVAL;
  if (resource === RLIMIT_NOFILE && hard > NR_OPEN) return -EPERM;
  return hard > process.limits.hard[resource] && !isPrivileged(task.credentials) ? -EPERM : 0;
}

function mayChange(task: Task, process: Process): boolean {
  const from = task.credentials;
  const to = process.leader.credentials;
  return isPrivileged(from) || (from.uid === to.uid && from.uid === to.euid && from.uid === to.suid);
}

function putLimit(view: DataView, process: Process, resource: number): void {
  put64(view, 0, process.limits.soft[resource]);
  put64(view, 8, process.limits.hard[resource]);
}
/** RLIM_INFINITY is all ones; as a number, everything from 2^53 on is. */
function put64(view: DataView, at: number, value: number): void {
  const infinite = value === RLIM_INFINITY;
  view.setUint32(at, infinite ? 0xffff_ffff : value >>> 0, true);
  view.setUint32(at + 4, infinite ? 0xffff_ffff : Math.floor(value / 0x1_0000_0000) >>> 0, true);
}
function limitAt(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
  return value >= 2 ** 53 ? RLIM_INFINITY : value;
}

// Usage -----------------------------------------------------------------------------------------------------------

function getrusage(call: Call, who: number, address: number): number {
  const { task, kernel } = call;
  let usage: Usage;
  switch (who) {
    case RUSAGE_SELF:
      usage = task.process.usage();
      usage.peakResident = kernel.peakResident(task.image);
      break;
    case RUSAGE_CHILDREN:
      usage = task.process.reapedChildren;
      break;
    case RUSAGE_THREAD:
      kernel.accountFaults(task);
      usage = {
        ...emptyUsage(), instructions: task.instructions, minorFaults: task.minorFaults, majorFaults: task.majorFaults,
        voluntarySwitches: task.voluntarySwitches, involuntarySwitches: task.involuntarySwitches, peakResident: kernel.peakResident(task.image),
      };
      break;
    default:
      return -EINVAL;
  }
  return call.store(address, fillUsage(call.scratch, usage));
}

/** Writes a struct rusage; returns its size. */
export function fillUsage(view: DataView, usage: Usage): number {
  for (let at = 0; at < RUSAGE_BYTES; at += 4) view.setUint32(at, 0, true);
  const seconds = Math.floor(usage.instructions / NANOSECONDS);
  put64(view, 0, seconds);
  put64(view, 8, Math.floor((usage.instructions - seconds * NANOSECONDS) / 1000));
  put64(view, 32, Math.floor(usage.peakResident / 1024));
  put64(view, 64, usage.minorFaults);
  put64(view, 72, usage.majorFaults);
  put64(view, 128, usage.voluntarySwitches);
  put64(view, 136, usage.involuntarySwitches);
  return RUSAGE_BYTES;
}

const resourceKind = oneOf({
  RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS,
  RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME,
});
const limitText = (data: DataView): string => `{rlim_cur=${wordText(data, 0)}, rlim_max=${wordText(data, 8)}}`;
function wordText(data: DataView, at: number): string {
  const value = limitAt(data, at);
  if (value === RLIM_INFINITY) return "RLIM64_INFINITY";
  return value > 1024 && value % 1024 === 0 ? `${value / 1024}*1024` : String(value);
}
const limitIn = structIn(RLIMIT_BYTES, limitText);
const limitOut = structOut(RLIMIT_BYTES, limitText);
const usageOut = structOut(RUSAGE_BYTES, (data) => `{ru_utime={tv_sec=${data.getBigInt64(0, true)}, tv_usec=${data.getBigInt64(8, true)}}, ...}`);

const enforced = partial("NOFILE, STACK, AS, DATA, MEMLOCK, NPROC, FSIZE, CORE, CPU, SIGPENDING are enforced");
export const limitCalls: readonly Row[] = [
  sys("getrlimit", { resource: resourceKind, rlim: limitOut }, getrlimit, full),
  sys("setrlimit", { resource: resourceKind, rlim: limitIn }, setrlimit, enforced),
  sys("prlimit64", { pid: int, resource: resourceKind, new_limit: limitIn, old_limit: limitOut }, prlimit64, enforced),
  sys("getrusage", { who: oneOf({ RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD }), usage: usageOut }, getrusage, partial("system time is 0: the clock counts user instructions")),
];
