/** New threads and processes (clone(2), clone3(2), fork(2), vfork(2)).
 *
 *  Order: check the flags → take every shared or copied part → make the task → copy the registers → make it runnable.
 *  A failure on the way gives back what was taken; the caller never sees half a child. */
import { EAGAIN, EINVAL, EPERM } from "../abi/linux/errno.ts";
import { RLIMIT_NPROC } from "../abi/linux/resource.ts";
import {
  CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_FILES, CLONE_FS, CLONE_NAMESPACES, CLONE_PARENT, CLONE_PARENT_SETTID, CLONE_PIDFD,
  CLONE_SETTLS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VFORK, CLONE_VM,
} from "../abi/linux/sched.ts";
import { SIG_IGN, SIGNAL_COUNT } from "../abi/linux/signal.ts";
import { FS_BASE, gprAddress, RAX, RSP } from "../cpu/state.ts";
import { STATE_BASE } from "../memory/physical-map.ts";
import { type Call, PARKED } from "./call.ts";
import { isPrivileged } from "./credentials.ts";
import type { Kernel } from "./kernel.ts";
import { memoryLimits, type ResourceLimits } from "./limits.ts";
import { MemoryImage } from "./memory-image.ts";
import { Process } from "./process.ts";
import { Task } from "./task.ts";
import { writeU32 } from "../vm/user-memory.ts";

export interface CloneRequest {
  /** CLONE_* bits below 2^32, unsigned, without the signal. */
  readonly flags: number;
  /** Signal to the parent when the child ends, 0 for none. */
  readonly exitSignal: number;
  /** New stack pointer, 0 for the parent's. */
  readonly stack: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: number;
  /** clone3's CLONE_CLEAR_SIGHAND. */
  readonly clearHandlers: boolean;
}

/** The child's number, -errno, or PARKED: for user memory, or in vfork until the child has given the memory back. */
export function cloneTask(call: Call, request: CloneRequest): number {
  const { kernel, task } = call;
  if (call.state instanceof Task) return awaitVfork(call, call.state);
  const { flags } = request;
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const refused = refuse(request) || tooMany(kernel, task);
  if (refused < 0) return refused;
  if (has(CLONE_PARENT_SETTID) && call.readU32(request.parentTid) === PARKED) return PARKED;

  const limits = has(CLONE_THREAD) ? task.process.limits : task.process.limits.clone();
  const image = has(CLONE_VM) ? task.image.retain() : copyImage(kernel, task.image, limits);
  if (typeof image === "number") return image;
  const parts = {
    image,
    files: has(CLONE_FILES) ? task.files.retain() : task.files.clone(),
    context: has(CLONE_FS) ? task.context.retain() : task.context.clone(),
    credentials: task.credentials,
  };
  const tid = kernel.takeId();
  const process = has(CLONE_THREAD) ? task.process : makeProcess(kernel, task, tid, request, limits);
  const child = new Task(kernel, tid, process, task.name, parts);
  if (!has(CLONE_THREAD)) process.leader = child;
  process.threads.push(child);
  inherit(child, task, flags);
  kernel.cpu.registers.save(child.registers);
  setSaved(child, gprAddress(RAX), 0);
  if (request.stack !== 0) setSaved(child, gprAddress(RSP), request.stack);
  if (has(CLONE_SETTLS)) setSaved(child, FS_BASE, request.tls);
  if (has(CLONE_CHILD_CLEARTID)) child.clearChildTid = request.childTid;
  if (has(CLONE_CHILD_SETTID)) child.setChildTid = request.childTid;
  // Linux ignores a fault here, too (kernel/fork.c).
  if (has(CLONE_PARENT_SETTID)) writeU32(task.image.space, request.parentTid, tid);
  kernel.addTask(child);
  if (kernel.tracer.active) {
    kernel.tracer.emit(process.pid, tid, has(CLONE_THREAD) ? { type: "thread-start", name: child.name } : { type: "process-start", parent: task.process.pid, name: child.name });
  }
  kernel.scheduler.enqueue(child);
  if (!has(CLONE_VFORK)) return tid;
  child.vforkParent = task;
  call.state = child;
  return awaitVfork(call, child);
}

function awaitVfork(call: Call, child: Task): number {
  if (child.vforkParent !== call.task) return child.tid;
  // Only SIGKILL gets through (Linux: TASK_KILLABLE).
  call.cleanup = () => {
    if (child.vforkParent === call.task) child.vforkParent = undefined;
  };
  return call.park(undefined, "UNINTERRUPTIBLE");
}

/** Combinations that clone(2) lists under EINVAL; namespaces need privileges this machine gives to nobody. */
function refuse({ flags, exitSignal }: CloneRequest): number {
  if ((flags & CLONE_SIGHAND) !== 0 && (flags & CLONE_VM) === 0) return -EINVAL;
  if ((flags & CLONE_THREAD) !== 0 && (flags & CLONE_SIGHAND) === 0) return -EINVAL;
  if (exitSignal > SIGNAL_COUNT) return -EINVAL;
  if ((flags & CLONE_NAMESPACES) !== 0) return -EPERM;
  if ((flags & CLONE_PIDFD) !== 0) return -EINVAL;
  return 0;
}

function tooMany(kernel: Kernel, task: Task): number {
  if (kernel.tasks.size >= kernel.limits.tasks) return -EAGAIN;
  if (!isPrivileged(task.credentials) && kernel.tasksOf(task.credentials.uid) >= task.process.limit(RLIMIT_NPROC)) return -EAGAIN;
  return 0;
}

/** fork's copy of an image: a copy-on-write clone of the space, and what execve had noted. */
export function copyImage(kernel: Kernel, image: MemoryImage, limits: ResourceLimits): MemoryImage | number {
  const space = image.space.clone(memoryLimits(limits));
  if (typeof space === "number") return space;
  const copy = new MemoryImage(space, kernel.faultTotals);
  copy.path = image.path;
  copy.executable = image.executable?.retain();
  copy.argStart = image.argStart;
  copy.argEnd = image.argEnd;
  copy.envStart = image.envStart;
  copy.envEnd = image.envEnd;
  copy.stackStart = image.stackStart;
  copy.codeStart = image.codeStart;
  copy.codeEnd = image.codeEnd;
  copy.auxv = image.auxv;
  copy.dumpable = image.dumpable;
  return copy;
}

function makeProcess(kernel: Kernel, task: Task, pid: Task["tid"], request: CloneRequest, limits: ResourceLimits): Process {
  const creator = task.process;
  const shared = (request.flags & CLONE_SIGHAND) !== 0;
  const handlers = shared ? creator.handlers : creator.handlers.clone();
  if (shared) handlers.references++;
  if (request.clearHandlers) {
    // Handlers go, ignored signals stay ignored (clone(2), CLONE_CLEAR_SIGHAND).
    for (let signal = 1; signal <= SIGNAL_COUNT; signal++) if (handlers.get(signal).handler !== SIG_IGN) handlers.resetToDefault(signal);
  }
  // CLONE_PARENT makes a sibling, which reports like its creator.
  const sibling = (request.flags & CLONE_PARENT) !== 0;
  const parent = sibling ? creator.parent : creator;
  const process = new Process(kernel, pid, parent, creator.group, handlers, limits, sibling ? creator.exitSignal : request.exitSignal);
  process.oomAdjustment = creator.oomAdjustment;
  return process;
}

function inherit(child: Task, parent: Task, flags: number): void {
  child.blocked.copy(parent.blocked);
  // A thread on the parent's stack of its own must not take signals on the same alternate stack (sigaltstack(2)).
  if ((flags & CLONE_VM) === 0 || (flags & CLONE_VFORK) !== 0) {
    child.altStackBase = parent.altStackBase;
    child.altStackSize = parent.altStackSize;
    child.altStackFlags = parent.altStackFlags;
  }
  child.noNewPrivileges = parent.noNewPrivileges;
  child.timerSlack = parent.timerSlack;
  child.personality = parent.personality;
  child.policy = parent.policy;
  child.priority = parent.priority;
  child.nice = parent.nice;
}

/** Changes a field of a register file that is not in the CPU. @param address the field's place in RAM (cpu/state.ts) */
export function setSaved(task: Task, address: number, value: number): void {
  const view = new DataView(task.registers.buffer, task.registers.byteOffset);
  view.setUint32(address - STATE_BASE, value >>> 0, true);
  view.setUint32(address - STATE_BASE + 4, Math.floor(value / 0x1_0000_0000) >>> 0, true);
}
