/** The first process of a machine: what fork and exec do for every other one. */
import { ENOENT } from "../abi/linux/errno.ts";
import { SIGCHLD } from "../abi/linux/signal.ts";
import { gprAddress, RIP, RSP } from "../cpu/state.ts";
import { byteStringOf, stringToBytes } from "../fs/names.ts";
import { KERNEL_CALLER } from "../fs/vfs/credentials.ts";
import { type Location, pathOf } from "../fs/vfs/location.ts";
import { resolve, resolveDirectory, type Walk } from "../fs/vfs/namei.ts";
import type { OpenFile } from "../fs/vfs/open-file.ts";
import { commandName, prepareImage } from "./exec.ts";
import { credentialsOf } from "./credentials.ts";
import { FdTable } from "./fd-table.ts";
import { FileContext } from "./file-context.ts";
import type { Kernel } from "./kernel.ts";
import { ResourceLimits } from "./limits.ts";
import { Process } from "./process.ts";
import { setSaved } from "./clone.ts";
import { ProcessGroup, Session } from "./session.ts";
import { SignalHandlers } from "./signal/handlers.ts";
import { Task } from "./task.ts";

export interface ProgramRequest {
  /** Path in the guest's tree, as text. */
  readonly path: string;
  readonly argv: readonly string[];
  /** `KEY=value` strings. */
  readonly env: readonly string[];
  /** Working directory. */
  readonly cwd: string;
  /** Descriptors 0, 1, 2, …: each with a reference that passes to the process on success. */
  readonly files: readonly OpenFile[];
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
  /** Limits to begin with; Linux's defaults otherwise. */
  readonly limits?: ResourceLimits;
}

/** Starts the machine's first process: the process, -errno, or WOULD_BLOCK with the queue named; call again then. */
export function startFirstProcess(kernel: Kernel, request: ProgramRequest): Process | number {
  const { root } = kernel.mounts;
  const credentials = credentialsOf(request.uid, request.gid);
  const caller = { ...KERNEL_CALLER, uid: request.uid, gid: request.gid };
  const start: Walk = { context: kernel.fs, root, base: root, caller };
  const cwd = resolveDirectory(start, byteStringOf(request.cwd));
  if (typeof cwd === "number") return cwd;
  const walk = { ...start, base: cwd };
  const path = byteStringOf(request.path);
  const location: Location | number = path === "" ? -ENOENT : resolve(walk, path);
  if (typeof location === "number") return location;
  const limits = request.limits ?? ResourceLimits.initial(kernel.limits.tasks);
  const bytesOf = (text: string): Uint8Array => stringToBytes(byteStringOf(text));
  const loaded = prepareImage(kernel, { walk, limits, credentials }, location, {
    fileName: bytesOf(request.path), argv: request.argv.map(bytesOf), envp: request.env.map(bytesOf),
  });
  if (typeof loaded === "number") return loaded;

  loaded.image.path = pathOf(location, root);
  const files = new FdTable();
  request.files.forEach((file, fd) => files.replace(fd, file, false));
  const pid = kernel.takeId();
  const group = new ProcessGroup(pid, new Session(pid));
  const process = new Process(kernel, pid, undefined, group, new SignalHandlers(), limits, SIGCHLD);
  const task = new Task(kernel, pid, process, commandName(loaded.fileName), {
    image: loaded.image, files, context: new FileContext(root, cwd, request.umask), credentials,
  });
  process.leader = task;
  process.threads.push(task);
  kernel.firstProcess = process;
  kernel.addTask(task);
  kernel.cpu.registers.reset();
  kernel.cpu.registers.save(task.registers);
  setSaved(task, RIP, loaded.entry);
  setSaved(task, gprAddress(RSP), loaded.stackPointer);
  if (kernel.tracer.active) {
    kernel.tracer.emit(pid, pid, { type: "process-start", parent: 0, name: task.name });
    kernel.tracer.emit(pid, pid, {
      type: "exec", path: loaded.image.path, name: task.name, argv: request.argv.map(byteStringOf), variables: request.env.length,
    });
  }
  kernel.scheduler.enqueue(task);
  return process;
}
