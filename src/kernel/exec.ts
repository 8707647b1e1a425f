/** execve(2): a new program in the same process.
 *
 *  Staged: arguments are copied in, files checked and the whole new image built in an address space of its own; until then
 *  any failure leaves the caller as it was. The switch itself cannot fail:
 *  other threads end → the image is replaced → descriptors, handlers, timers and names as execve(2) says → fresh registers.
 *  The old image is released, never emptied: a vfork parent or another process may still run on it. */
import { SIGCHLD } from "../abi/linux/signal.ts";
import { RSP } from "../cpu/state.ts";
import { bytesToString } from "../fs/names.ts";
import type { Location } from "../fs/vfs/location.ts";
import { pathOf } from "../fs/vfs/location.ts";
import { type Call, REGISTERS_SET } from "./call.ts";
import { bytesOf, readStrings, stringLimits } from "./exec-strings.ts";
import { exitTask, releaseVforkParent } from "./exit.ts";
import type { Kernel } from "./kernel.ts";
import { type LoadContext, loadProgram, type LoadedImage } from "./loader/load.ts";
import { findProgram, releaseProgram } from "./loader/program.ts";
import type { Task } from "./task.ts";

/** What is to be run, as bytes. */
export interface ExecRequest {
  /** The name for AT_EXECFN and for scripts. */
  readonly fileName: Uint8Array;
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
}

/** execve and execveat after their path is resolved: REGISTERS_SET, -errno or PARKED. */
export function execute(call: Call, location: Location, fileName: Uint8Array, argvAddress: number, envpAddress: number): number {
  const limits = stringLimits(call);
  const argv = readStrings(call, argvAddress, limits, limits.arguments, 0);
  if (typeof argv === "number") return argv;
  const envp = readStrings(call, envpAddress, limits, limits.variables, bytesOf(argv, call));
  if (typeof envp === "number") return envp;
  // Linux gives a program without arguments an empty argv[0] (since 5.18), so that argc is never 0.
  const { kernel, task } = call;
  const context = { walk: kernel.walk(task), limits: task.process.limits, credentials: task.credentials };
  const image = prepareImage(kernel, context, location, { fileName, argv: argv.length === 0 ? [new Uint8Array(0)] : argv, envp });
  if (typeof image === "number") return call.finish(image, "UNINTERRUPTIBLE");
  installImage(kernel, task, image, location);
  return REGISTERS_SET;
}

/** Builds the new image beside the old one. -errno or WOULD_BLOCK leave nothing behind. */
export function prepareImage(kernel: Kernel, context: LoadContext, location: Location, request: ExecRequest): LoadedImage | number {
  const program = findProgram(context.walk, location, request.fileName, request.argv);
  if (typeof program === "number") return program;
  const image = loadProgram(kernel, context, program, request);
  return typeof image === "number" ? releaseProgram(program, image) : image;
}

/** The point of no return. */
export function installImage(kernel: Kernel, task: Task, loaded: LoadedImage, location: Location): void {
  const { process } = task;
  leaveOtherThreads(kernel, task);
  kernel.accountFaults(task);
  const old = task.image;
  task.image = loaded.image;
  loaded.image.path = pathOf(location, task.context.root);
  kernel.enterSpace(task);
  releaseVforkParent(kernel, task);
  old.release();

  unshare(task);
  task.files.closeMarked();
  process.handlers.resetForExec();
  task.altStackBase = task.altStackSize = task.altStackFlags = 0;
  task.clearChildTid = 0;
  task.robustList = 0;
  task.setChildTid = 0;
  process.exitSignal = SIGCHLD;
  process.hasExeced = true;
  for (const timer of process.posixTimers.values()) timer.release();
  process.posixTimers.clear();
  task.name = commandName(loaded.fileName);
  const { registers } = kernel.cpu;
  registers.reset();
  registers.rip = loaded.entry;
  registers.setNumber(RSP, loaded.stackPointer);
  if (kernel.tracer.active) kernel.tracer.emit(process.pid, task.tid, { type: "exec", path: loaded.image.path, name: task.name });
}

/** comm of a new program: the last part of its path, 15 bytes of it. */
export function commandName(fileName: Uint8Array): string {
  const name = bytesToString(fileName);
  return name.slice(name.lastIndexOf("/") + 1).slice(0, 15);
}

/** Only the calling thread goes on, under the process's number (execve(2), "Effect on multithreaded processes"). */
function leaveOtherThreads(kernel: Kernel, task: Task): void {
  const { process } = task;
  for (const other of [...process.threads]) if (other !== task) exitTask(kernel, other, 0);
  if (task.isLeader) return;
  kernel.tasks.delete(task.tid);
  task.tid = process.pid;
  process.leader = task;
  kernel.tasks.set(task.tid, task);
}

/** Descriptor table and handlers become the task's own. */
function unshare(task: Task): void {
  if (task.files.references > 1) {
    const own = task.files.clone();
    task.files.release();
    task.files = own;
  }
  const { process } = task;
  if (process.handlers.references > 1) {
    const own = process.handlers.clone();
    process.handlers.references--;
    process.handlers = own;
  }
}

