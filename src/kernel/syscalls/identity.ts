/** Who am I: process, thread, group and session numbers (getpid(2), setpgid(2), setsid(2)). */
import { EACCES, EINVAL, EPERM, ESRCH } from "../../abi/linux/errno.ts";
import type { Call } from "../call.ts";
import { ProcessGroup, Session } from "../session.ts";
import type { Process } from "../process.ts";
import { full, int, sys, type Row } from "./define.ts";

const getpid = (call: Call): number => call.task.process.pid;
const gettid = (call: Call): number => call.task.tid;
const getppid = (call: Call): number => call.task.process.parentId;
const getpgrp = (call: Call): number => call.task.process.group.id;

function processOf(call: Call, pid: number): Process | undefined {
  return pid === 0 ? call.task.process : call.kernel.findProcess(pid);
}

function getpgid(call: Call, pid: number): number {
  return processOf(call, pid)?.group.id ?? -ESRCH;
}

function getsid(call: Call, pid: number): number {
  return processOf(call, pid)?.group.session.id ?? -ESRCH;
}

/** setpgid(2); the order of the checks is Linux's (kernel/sys.c). */
function setpgid(call: Call, pid: number, pgid: number): number {
  const caller = call.task.process;
  if (pgid < 0) return -EINVAL;
  const target = processOf(call, pid);
  if (target === undefined || target.state !== "alive") return -ESRCH;
  if (target !== caller) {
    if (target.parent !== caller) return -ESRCH;
    if (target.group.session !== caller.group.session) return -EPERM;
    if (target.hasExeced) return -EACCES;
  }
  const { session } = target.group;
  // A session leader's group number is its session's.
  if (session.id === target.pid) return -EPERM;
  const id = pgid === 0 ? target.pid : pgid;
  const existing = session.groups.get(id);
  if (existing === undefined && id !== target.pid) return -EPERM;
  if (existing === target.group) return 0;
  target.group.remove(target);
  target.group = existing ?? new ProcessGroup(id, session);
  target.group.members.add(target);
  return 0;
}

function setsid(call: Call): number {
  const { process } = call.task;
  // Not for a group leader, nor when the number is some group's still (setsid(2), EPERM).
  if (call.kernel.findGroup(process.pid) !== undefined) return -EPERM;
  process.group.remove(process);
  process.group = new ProcessGroup(process.pid, new Session(process.pid));
  process.group.members.add(process);
  return process.pid;
}

export const identityCalls: readonly Row[] = [
  sys("getpid", {}, getpid, full),
  sys("gettid", {}, gettid, full),
  sys("getppid", {}, getppid, full),
  sys("getpgrp", {}, getpgrp, full),
  sys("getpgid", { pid: int }, getpgid, full),
  sys("getsid", { pid: int }, getsid, full),
  sys("setpgid", { pid: int, pgid: int }, setpgid, full),
  sys("setsid", {}, setsid, full),
];
