/** One system call in progress: what a handler gets besides its arguments.
 *
 *  Each task owns one Call, reused for every system call it makes. A handler that cannot finish records its progress
 *  (`done`, `state`), parks, and is run again with the same arguments when the thread wakes; `begin` clears the progress,
 *  so it lives exactly as long as the call. A handler never awaits.
 *
 *  A signal that finds the call parked ends it as the park said (signal(7), "Interruption of system calls"):
 *  with bytes already moved (`done` > 0) the count is the result; otherwise `interrupted` may compute one; otherwise
 *  EINTR or a restart. When no handler runs (stop and continue), the call simply goes on. */
import { EFAULT, EINTR, ENAMETOOLONG } from "../abi/linux/errno.ts";
import { bytesToString } from "../fs/names.ts";
import { takeBlocker, WOULD_BLOCK } from "../fs/wait.ts";
import { MENIOS_PATH_MAX } from "../abi/menios/limits.ts";
import { SIGKILL, SIGSTOP } from "../abi/linux/signal.ts";
import type { Gate } from "../trace/event.ts";
import { copyIn, copyInString, copyOut, readU32, readU64, USER_BLOCKED, writeU32, writeU64 } from "../vm/user-memory.ts";
import type { Kernel } from "./kernel.ts";
import type { Row } from "./syscalls/define.ts";
import type { Task } from "./task.ts";
import { UserSink, UserSource } from "./transfer.ts";

/** Bytes of a path name with its NUL (limits.h). */
const PATH_MAX = 4096;

/** The handler parked its thread. Lower than every -errno; handlers pass it on like an error. */
export const PARKED = -0x10_0000;
/** The handler replaced the register file itself (execve, rt_sigreturn): nothing is stored into rax. */
export const REGISTERS_SET = -0x10_0001;
/** The calling task is gone (exit). */
export const TASK_ENDED = -0x10_0002;

/** What a signal handler's arrival does to a parked call. Named after Linux's internal codes. */
export type Interruption =
  /** Run again after the handler when it has SA_RESTART, else EINTR. read, write, wait4, flock… */
  | "ERESTARTSYS"
  /** Always run again after the handler. */
  | "ERESTARTNOINTR"
  /** EINTR when a handler runs, whatever SA_RESTART says: pause, sigsuspend, nanosleep, poll, select, futex with timeout. */
  | "ERESTARTNOHAND"
  /** EINTR for a stop and continue without any handler, too: epoll_wait, sigtimedwait, semop. */
  | "EINTR"
  /** Not interrupted, only SIGKILL gets through: waiting for data that is on its way. */
  | "UNINTERRUPTIBLE";

/** Something that calls back once when it changes; `add` returns the function that takes the waiter back. */
export interface Waitable {
  add(wake: () => void): () => void;
}

export class Call {
  readonly kernel: Kernel;
  readonly task: Task;
  /** Set between `begin` and the end of the call. */
  row: Row | undefined;
  gate: Gate = "linux";
  /** Number as it was in rax, for restarts. */
  number = 0;
  readonly values: number[] = [0, 0, 0, 0, 0, 0];
  /** Bytes already moved; a signal then makes this the result. */
  done = 0;
  /** The handler's own progress; undefined when it runs first. */
  state: unknown;
  /** A relative timeout as the moment it meant when the call began (monotonic nanoseconds); for handlers to keep. */
  deadline: number | undefined;
  /** The park's deadline passed; true for the run that follows. */
  timedOut = false;
  /** How the current park takes a signal. */
  interruption: Interruption = "ERESTARTSYS";
  /** Result for an interrupted call, instead of EINTR or a restart. May store to user memory (nanosleep's remainder). */
  interrupted: ((call: Call) => number) | undefined;
  /** Run once when the call ends, however it ends; releases what `state` holds. */
  cleanup: ((call: Call) => void) | undefined;

  constructor(kernel: Kernel, task: Task) {
    this.kernel = kernel;
    this.task = task;
  }

  begin(row: Row, gate: Gate, number: number): void {
    this.row = row;
    this.gate = gate;
    this.number = number;
    this.done = 0;
    this.state = undefined;
    this.deadline = undefined;
    this.timedOut = false;
    this.interrupted = undefined;
    this.cleanup = undefined;
  }

  /** Ends the call: progress is dropped and `cleanup` runs. */
  end(): void {
    const cleanup = this.cleanup;
    this.row = undefined;
    this.state = undefined;
    this.interrupted = undefined;
    this.cleanup = undefined;
    cleanup?.(this);
  }

  run(): number {
    const v = this.values;
    return this.row!.handler(this, v[0], v[1], v[2], v[3], v[4], v[5]);
  }

  // Sleeping ------------------------------------------------------------------------------------------------------

  /** Parks the thread until one of `queues` wakes it, a signal arrives or the machine's monotonic clock reaches `deadline`
   *  (nanoseconds, {@link now}). Returns PARKED for the handler to return. */
  park(queues: Waitable | readonly Waitable[] | undefined, interruption: Interruption, deadline = Infinity): number {
    this.timedOut = false;
    this.interruption = interruption;
    this.kernel.park(this.task, queues, deadline);
    return PARKED;
  }

  /** For results of the file layer: parks on the queue it named when `result` is WOULD_BLOCK, else gives `result` back. */
  finish(result: number, interruption: Interruption = "ERESTARTSYS", deadline = Infinity): number {
    return result === WOULD_BLOCK ? this.park(takeBlocker(), interruption, deadline) : result;
  }

  /** sigsuspend, ppoll, pselect, epoll_pwait: another signal mask until the call is over or a handler's frame keeps the old one. */
  setTemporaryMask(low: number, high: number): void {
    const { task } = this;
    task.savedMask ??= task.blocked.clone();
    task.blocked.set(low, high);
    task.blocked.delete(SIGKILL);
    task.blocked.delete(SIGSTOP);
  }

  /** Monotonic nanoseconds since the machine started. */
  now(): number {
    return this.kernel.clock.now();
  }

  // User memory: each returns a value >= 0, -EFAULT, or PARKED when data is on its way ----------------------------------

  /** Bytes to pass to and from user memory; valid until the next helper call that names it. */
  get scratch(): DataView {
    return this.kernel.scratchView;
  }

  /** Fills all of `target` from user memory: 0, -EFAULT or PARKED. */
  copyIn(address: number, target: Uint8Array): number {
    const n = copyIn(this.task.image.space, address, target);
    return n === target.length ? 0 : this.#stopped(n);
  }
  /** Stores all of `source`: 0, -EFAULT or PARKED. Bytes before the fault are stored, as Linux leaves them. */
  copyOut(address: number, source: Uint8Array): number {
    const n = copyOut(this.task.image.space, address, source);
    return n === source.length ? 0 : this.#stopped(n);
  }
  /** Copies up to `target.length` bytes and says how many arrived before a fault; -EFAULT when none did, or PARKED. */
  copyInSome(address: number, target: Uint8Array): number {
    const n = copyIn(this.task.image.space, address, target);
    return n > 0 ? n : target.length === 0 ? 0 : this.#stopped(n);
  }
  copyOutSome(address: number, source: Uint8Array): number {
    const n = copyOut(this.task.image.space, address, source);
    return n > 0 ? n : source.length === 0 ? 0 : this.#stopped(n);
  }

  /** Copies `length` (at most 4096) bytes into {@link scratch}: 0, -EFAULT or PARKED. */
  fetch(address: number, length: number): number {
    return this.copyIn(address, this.kernel.scratch.subarray(0, length));
  }
  /** Copies the first `length` bytes of {@link scratch} out: 0, -EFAULT or PARKED. */
  store(address: number, length: number): number {
    return this.copyOut(address, this.kernel.scratch.subarray(0, length));
  }
  readU32(address: number): number {
    return this.#done(readU32(this.task.image.space, address));
  }
  /** Exact below 2^53. */
  readU64(address: number): number {
    return this.#done(readU64(this.task.image.space, address));
  }
  writeU32(address: number, value: number): number {
    return this.#done(writeU32(this.task.image.space, address, value));
  }
  /** Stores a signed or unsigned integral number as 64 bits. */
  writeU64(address: number, value: number): number {
    return this.#done(writeU64(this.task.image.space, address, value));
  }

  /** The bytes before the NUL (a copy, `max` at most 128 KiB), or -EFAULT, PARKED, or `tooLong` (negative) when there is none within `max` bytes. */
  readString(address: number, max: number, tooLong = -ENAMETOOLONG): Uint8Array | number {
    const target = this.kernel.strings.subarray(0, max);
    const n = copyInString(this.task.image.space, address, target);
    if (n >= 0) return target.slice(0, n);
    if (n === -EFAULT || n === USER_BLOCKED) return this.#stopped(n);
    return tooLong;
  }
  /** A path name as the file layer takes it, one character a byte. PATH_MAX counts the NUL; 256 through the meniOS gate. */
  readPath(address: number): string | number {
    const bytes = this.readString(address, this.gate === "menios" ? MENIOS_PATH_MAX : PATH_MAX);
    return typeof bytes === "number" ? bytes : bytesToString(bytes);
  }
  /** User memory as the receiver of a read of `length` bytes. Kept as the call's state, so that a re-run goes on with it. */
  sink(address: number, length: number): UserSink {
    return (this.state ??= new UserSink(this, address, length)) as UserSink;
  }
  source(address: number, length: number): UserSource {
    return (this.state ??= new UserSource(this, address, length)) as UserSource;
  }

  #done(result: number): number {
    return result === USER_BLOCKED ? this.parkForMemory() : result;
  }
  /** EFAULT after `n` bytes, or the pages are on their way. */
  #stopped(n: number): number {
    if (n !== USER_BLOCKED) return -EFAULT;
    return this.parkForMemory();
  }
  /** Parks until the page that a user-memory helper reported as blocked has arrived. */
  parkForMemory(): number {
    return this.park(this.kernel.blockedPage(this.task.image.space), "UNINTERRUPTIBLE");
  }

  /** Result of a call whose park a signal handler interrupts. `restart` is decided by the caller from SA_RESTART. */
  interruptedResult(): number {
    if (this.done > 0) return this.done;
    if (this.interrupted !== undefined) return this.interrupted(this);
    return -EINTR;
  }
}
