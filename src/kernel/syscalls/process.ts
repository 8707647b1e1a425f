/** The life of processes and threads: clone, exec, exit, wait (clone(2), execve(2), _exit(2), wait(2)). */
import { EBADF, EFAULT, EINVAL, ELOOP, ENOENT, EPERM, ESRCH, E2BIG } from "../../abi/linux/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../../abi/linux/fcntl.ts";
import {
  CLONE_ARGS_SIZE_VER0, CLONE_ARGS_SIZE_VER2, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_CLEAR_SIGHAND_HIGH, CLONE_DETACHED, CLONE_FILES,
  CLONE_FS, CLONE_IO, CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS, CLONE_PARENT,
  CLONE_PARENT_SETTID, CLONE_PIDFD, CLONE_PTRACE, CLONE_SETTLS, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_UNTRACED, CLONE_VFORK, CLONE_VM,
  CSIGNAL, ROBUST_LIST_HEAD_BYTES,
} from "../../abi/linux/sched.ts";
import { SIGCHLD, SIGINFO_BYTES, signalName } from "../../abi/linux/signal.ts";
import {
  __WALL, __WCLONE, __WNOTHREAD, P_ALL, P_PGID, P_PID, P_PIDFD, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED, WUNTRACED,
} from "../../abi/linux/wait.ts";
import { stringToBytes } from "../../fs/names.ts";
import { resolve } from "../../fs/vfs/namei.ts";
import { type Call, TASK_ENDED } from "../call.ts";
import { cloneTask } from "../clone.ts";
import { execute } from "../exec.ts";
import { exitGroup, exitTask } from "../exit.ts";
import { consumeReport, findChild, type ChildReport, type ChildSelector } from "../wait.ts";
import {
  custom, dirfd, environmentArray, flags, full, int, oneOf, partial, path, ptr, size, structIn, structOut, stringArray, sys, type Row,
} from "./define.ts";
import { fillUsage } from "./limits.ts";

// Creation --------------------------------------------------------------------------------------------------------

const fork = (call: Call): number =>
  cloneTask(call, { flags: 0, exitSignal: SIGCHLD, stack: 0, parentTid: 0, childTid: 0, tls: 0, clearHandlers: false });

const vfork = (call: Call): number =>
  cloneTask(call, { flags: CLONE_VM | CLONE_VFORK, exitSignal: SIGCHLD, stack: 0, parentTid: 0, childTid: 0, tls: 0, clearHandlers: false });

/** x86-64 order of arguments: flags, stack, parent_tid, child_tid, tls (clone(2), "C library/kernel differences"). */
function clone(call: Call, word: number, stack: number, parentTid: number, childTid: number, tls: number): number {
  return cloneTask(call, {
    flags: (word & ~CSIGNAL) >>> 0, exitSignal: word & CSIGNAL, stack, parentTid, childTid, tls: (word & CLONE_SETTLS) === 0 ? 0 : tls, clearHandlers: false,
  });
}

/** clone3(2). Unknown trailing bytes must be zero, so that newer programs learn that their wish is not granted. */
function clone3(call: Call, address: number, length: number): number {
  if (call.state !== undefined) return cloneTask(call, NO_REQUEST);
  if (length > 4096) return -E2BIG;
  if (length < CLONE_ARGS_SIZE_VER0) return -EINVAL;
  const bytes = new Uint8Array(Math.max(length, CLONE_ARGS_SIZE_VER2));
  const read = call.copyIn(address, bytes.subarray(0, length));
  if (read < 0) return read;
  for (let at = CLONE_ARGS_SIZE_VER2; at < length; at++) if (bytes[at] !== 0) return -E2BIG;
  const view = new DataView(bytes.buffer);
  const low = (at: number): number => view.getUint32(at, true);
  const high = (at: number): number => view.getUint32(at + 4, true);
  const field = (at: number): number => high(at) * 0x1_0000_0000 + low(at);
  const wanted = low(0);
  if ((high(0) & ~CLONE_CLEAR_SIGHAND_HIGH) !== 0 || (wanted & (CSIGNAL | CLONE_DETACHED)) !== 0) return -EINVAL;
  const clearHandlers = (high(0) & CLONE_CLEAR_SIGHAND_HIGH) !== 0;
  if (clearHandlers && (wanted & CLONE_SIGHAND) !== 0) return -EINVAL;
  const exitSignal = field(32);
  if (exitSignal > 64 || ((wanted & (CLONE_THREAD | CLONE_PARENT)) !== 0 && exitSignal !== 0)) return -EINVAL;
  const stack = field(40);
  const stackSize = field(48);
  if ((stack === 0) !== (stackSize === 0)) return -EINVAL;
  // A chosen tid needs a privilege over the pid namespace, and a cgroup does not exist here.
  if (field(64) !== 0 || field(72) !== 0) return -EPERM;
  return cloneTask(call, {
    flags: wanted, exitSignal, stack: stack + stackSize, childTid: field(16), parentTid: field(24), tls: field(56), clearHandlers,
  });
}
/** What a re-run of a parked vfork passes: its state already holds the child. */
const NO_REQUEST = { flags: 0, exitSignal: 0, stack: 0, parentTid: 0, childTid: 0, tls: 0, clearHandlers: false };

function setTidAddress(call: Call, address: number): number {
  call.task.clearChildTid = address;
  return call.task.tid;
}

function setRobustList(call: Call, head: number, length: number): number {
  if (length !== ROBUST_LIST_HEAD_BYTES) return -EINVAL;
  call.task.robustList = head;
  return 0;
}

function getRobustList(call: Call, tid: number, head: number, length: number): number {
  const task = tid === 0 ? call.task : call.kernel.findTask(tid);
  if (task === undefined) return -ESRCH;
  if (task.process !== call.task.process && call.task.credentials.euid !== 0 && task.credentials.uid !== call.task.credentials.uid) return -EPERM;
  const stored = call.writeU64(length, ROBUST_LIST_HEAD_BYTES);
  return stored < 0 ? stored : call.writeU64(head, task.robustList);
}

/** The namespaces unshare(2) would make need privileges that nobody has here; the rest is real. */
function unshare(call: Call, wanted: number): number {
  const { task } = call;
  if ((wanted & (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)) !== 0) return -EPERM;
  if ((wanted & ~(CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM)) !== 0) return -EINVAL;
  if ((wanted & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) !== 0 && task.process.threads.length > 1) return -EINVAL;
  if ((wanted & CLONE_FS) !== 0 && task.context.references > 1) {
    task.context.references--;
    task.context = task.context.clone();
  }
  if ((wanted & CLONE_FILES) !== 0 && task.files.references > 1) {
    const own = task.files.clone();
    task.files.release();
    task.files = own;
  }
  return 0;
}

// Exec ------------------------------------------------------------------------------------------------------------

function execve(call: Call, pathAddress: number, argv: number, envp: number): number {
  const name = call.readPath(pathAddress);
  if (typeof name === "number") return name;
  const location = resolve(call.kernel.walk(call.task), name);
  if (typeof location === "number") return call.finish(location, "UNINTERRUPTIBLE");
  return execute(call, location, stringToBytes(name), argv, envp);
}

function execveat(call: Call, directory: number, pathAddress: number, argv: number, envp: number, how: number): number {
  if ((how & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return -EINVAL;
  const { kernel, task } = call;
  const name = call.readPath(pathAddress);
  if (typeof name === "number") return name;
  let base = task.context.cwd;
  // The name that scripts and AT_EXECFN see of a file reached through a descriptor (execveat(2), NOTES).
  let shown = name;
  if (directory !== AT_FDCWD && !name.startsWith("/")) {
    const file = task.files.get(directory);
    if (file === undefined) return -EBADF;
    if (name === "" && (how & AT_EMPTY_PATH) === 0) return -ENOENT;
    base = file.location;
    shown = name === "" ? `/dev/fd/${directory}` : `/dev/fd/${directory}/${name}`;
  }
  const location = resolve(kernel.walk(task, base), name, { follow: (how & AT_SYMLINK_NOFOLLOW) === 0, allowEmpty: (how & AT_EMPTY_PATH) !== 0 });
  if (typeof location === "number") return call.finish(location, "UNINTERRUPTIBLE");
  if (location.dentry.inode.isSymlink) return -ELOOP;
  return execute(call, location, stringToBytes(shown), argv, envp);
}

// End -------------------------------------------------------------------------------------------------------------

function exit(call: Call, status: number): number {
  exitTask(call.kernel, call.task, (status & 0xff) << 8);
  return TASK_ENDED;
}

/** The last thread's going ends the process with this status. */
function exitGroupCall(call: Call, status: number): number {
  const { kernel, task } = call;
  exitGroup(kernel, task, (status & 0xff) << 8);
  exitTask(kernel, task, task.process.groupExit!);
  return TASK_ENDED;
}

// Wait ------------------------------------------------------------------------------------------------------------

function wait4(call: Call, pid: number, statusAddress: number, options: number, usageAddress: number): number {
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0) return -EINVAL;
  if (pid === -0x8000_0000) return -ESRCH;
  const { group } = call.task.process;
  const selects: ChildSelector =
    pid === -1 ? () => true
    : pid === 0 ? (child) => child.group === group
    : pid < 0 ? (child) => child.group.id === -pid
    : (child) => child.pid === pid;
  const report = findChild(call, selects, options | WEXITED);
  if (typeof report === "number") return report;
  const stored = storeWait4(call, report, statusAddress, usageAddress);
  if (stored < 0) return stored;
  consumeReport(call, report, options);
  return report.pid;
}

/** Linux reaps the child before it finds the status address bad, so -EFAULT loses it here, too; a page on its way does not. */
function storeWait4(call: Call, report: ChildReport, statusAddress: number, usageAddress: number): number {
  if (statusAddress !== 0) {
    const stored = call.writeU32(statusAddress, report.status);
    if (stored === -EFAULT) consumeReport(call, report, 0);
    if (stored < 0) return stored;
  }
  if (usageAddress === 0) return 0;
  const stored = call.store(usageAddress, fillUsage(call.scratch, report.usage));
  if (stored === -EFAULT) consumeReport(call, report, 0);
  return stored;
}

const waitpid = (call: Call, pid: number, statusAddress: number, options: number): number => wait4(call, pid, statusAddress, options, 0);

function waitid(call: Call, which: number, id: number, infoAddress: number, options: number, usageAddress: number): number {
  if ((options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0) return -EINVAL;
  if ((options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) return -EINVAL;
  let selects: ChildSelector;
  switch (which) {
    case P_ALL:
      selects = () => true;
      break;
    case P_PID:
      if (id <= 0) return -EINVAL;
      selects = (child) => child.pid === id;
      break;
    case P_PGID: {
      if (id < 0) return -EINVAL;
      const group = id === 0 ? call.task.process.group.id : id;
      selects = (child) => child.group.id === group;
      break;
    }
    default:
      return -EINVAL;
  }
  const report = findChild(call, selects, options);
  if (typeof report === "number" && report < 0) return report;
  const { scratch } = call;
  if (typeof report !== "number" && usageAddress !== 0) {
    const stored = call.store(usageAddress, fillUsage(scratch, report.usage));
    if (stored < 0) return stored;
  }
  if (infoAddress !== 0) {
    new Uint8Array(scratch.buffer, scratch.byteOffset, SIGINFO_BYTES).fill(0);
    if (typeof report !== "number") {
      scratch.setInt32(0, SIGCHLD, true);
      scratch.setInt32(8, report.code, true);
      scratch.setInt32(16, report.pid, true);
      scratch.setUint32(20, report.uid, true);
      scratch.setInt32(24, report.value, true);
    }
    // The kernel writes the fields of SIGCHLD only and leaves the rest of the caller's buffer alone.
    const stored = call.store(infoAddress, 28);
    if (stored < 0) return stored;
  }
  if (typeof report !== "number") consumeReport(call, report, options);
  return 0;
}

// meniOS ----------------------------------------------------------------------------------------------------------

/** proc_kill(pid, status): ends a process as if it had called exit(status). */
function procKill(call: Call, pid: number, status: number): number {
  const { kernel, task } = call;
  const target = kernel.findProcess(pid);
  if (target === undefined || target.state !== "alive") return -ESRCH;
  const allowed = task.credentials.euid === 0 || task.credentials.euid === target.leader.credentials.uid;
  if (!allowed) return -EPERM;
  const word = (status & 0xff) << 8;
  if (target === task.process) return exitGroupCall(call, status);
  target.groupExit ??= word;
  target.stopped = false;
  for (const thread of [...target.threads]) exitTask(kernel, thread, target.groupExit);
  return 0;
}

/** proc_list(buffer, size): a table of processes; returns the bytes needed, and stores as much as fits. */
function procList(call: Call, buffer: number, length: number): number {
  const lines = ["PID STATE NAME"];
  for (const process of call.kernel.processes.values()) {
    lines.push(`${process.pid} ${stateOf(process)} ${process.leader.name}`);
  }
  const bytes = stringToBytes(`${lines.join("\n")}\n`);
  if (buffer !== 0) {
    const stored = call.copyOut(buffer, bytes.subarray(0, Math.min(length, bytes.length)));
    if (stored < 0) return stored;
  }
  return bytes.length;
}
function stateOf(process: { state: string; stopped: boolean; threads: readonly { state: string }[] }): string {
  if (process.state !== "alive") return "ZOMBIE";
  if (process.stopped) return "STOPPED";
  if (process.threads.some((thread) => thread.state === "running")) return "RUNNING";
  return process.threads.some((thread) => thread.state === "runnable") ? "READY" : "BLOCKED";
}

// Rows ------------------------------------------------------------------------------------------------------------

const CLONE_NAMES = {
  CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD, CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT, CLONE_THREAD, CLONE_NEWNS, CLONE_SYSVSEM,
  CLONE_SETTLS, CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID, CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID, CLONE_NEWCGROUP, CLONE_NEWUTS,
  CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_IO,
};
const cloneFlagNames = flags(CLONE_NAMES);
const cloneFlags = custom((value, all, view) => {
  const names = cloneFlagNames.format((value & ~CSIGNAL) >>> 0, view, all, 0);
  const signal = value & CSIGNAL;
  return signal === 0 ? names : names === "0" ? signalName(signal) : `${names}|${signalName(signal)}`;
});
const waitOptions = flags({ WNOHANG, WSTOPPED, WEXITED, WCONTINUED, WNOWAIT, __WNOTHREAD, __WALL, __WCLONE });
const wait4Options = flags({ WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WALL, __WCLONE });
const waitWhich = oneOf({ P_ALL, P_PID, P_PGID, P_PIDFD });
const statusOut = structOut(4, (data) => statusText(data.getUint32(0, true)));
const usageOut = structOut(144, (data) => `{ru_utime={tv_sec=${data.getBigInt64(0, true)}, tv_usec=${data.getBigInt64(8, true)}}, ...}`);
const childInfo = structOut(28, (data) =>
  data.getInt32(0, true) === 0 ? "{}" : `{si_signo=SIGCHLD, si_code=${data.getInt32(8, true)}, si_pid=${data.getInt32(16, true)}, si_status=${data.getInt32(24, true)}}`);

/** strace's `[{WIFEXITED(s) && WEXITSTATUS(s) == 1}]`. */
function statusText(status: number): string {
  if (status === 0xffff) return "[{WIFCONTINUED(s)}]";
  if ((status & 0xff) === 0x7f) return `[{WIFSTOPPED(s) && WSTOPSIG(s) == ${signalName(status >> 8)}}]`;
  if ((status & 0x7f) === 0) return `[{WIFEXITED(s) && WEXITSTATUS(s) == ${(status >> 8) & 0xff}}]`;
  return `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(status & 0x7f)}${(status & 0x80) !== 0 ? " && WCOREDUMP(s)" : ""}}]`;
}

const cloneArguments = structIn(CLONE_ARGS_SIZE_VER0, (data) =>
  `{flags=${cloneFlagNames.format(data.getUint32(0, true), NO_VIEW, [], 0)}, exit_signal=${signalName(data.getUint32(32, true))}, ` +
  `stack=0x${data.getBigUint64(40, true).toString(16)}, stack_size=0x${data.getBigUint64(48, true).toString(16)}}`);
const NO_VIEW = { missed: false, peek: () => undefined, peekString: () => undefined };

export const processCalls: readonly Row[] = [
  sys("clone", { flags: cloneFlags, stack: ptr, parent_tid: ptr, child_tid: ptr, tls: ptr }, clone, partial("no namespaces, no CLONE_PIDFD")),
  sys("clone3", { cl_args: cloneArguments, size }, clone3, partial("no namespaces, no CLONE_PIDFD, no set_tid")),
  sys("fork", {}, fork, full),
  sys("vfork", {}, vfork, full),
  sys("set_tid_address", { tidptr: ptr }, setTidAddress, full),
  sys("set_robust_list", { head: ptr, len: size }, setRobustList, full),
  sys("get_robust_list", { pid: int, head: ptr, len: ptr }, getRobustList, full),
  sys("unshare", { flags: flags(CLONE_NAMES) }, unshare, partial("FS and FILES; namespaces are refused with EPERM")),
  sys("execve", { pathname: path, argv: stringArray, envp: environmentArray }, execve, partial("set-user-ID bits are ignored")),
  sys("execveat", { dirfd, pathname: path, argv: stringArray, envp: environmentArray, flags: flags({ AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW }) }, execveat,
    partial("set-user-ID bits are ignored")),
  sys("exit", { status: int }, exit, full),
  sys("exit_group", { status: int }, exitGroupCall, full),
  sys("wait4", { pid: int, wstatus: statusOut, options: wait4Options, rusage: usageOut }, wait4, full),
  sys("waitid", { which: waitWhich, id: int, infop: childInfo, options: waitOptions, rusage: usageOut }, waitid, partial("no P_PIDFD")),
];

/** Calls that only the meniOS gate has, and those it spells differently. */
export const meniosProcessCalls: readonly Row[] = [
  sys("waitpid", { pid: int, wstatus: statusOut, options: wait4Options }, waitpid, full),
  sys("exit", { status: int }, exitGroupCall, full),
  sys("proc_kill", { pid: int, status: int }, procKill, full),
  sys("proc_list", { buffer: ptr, size }, procList, full),
];
