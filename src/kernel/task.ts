/** A thread: what the scheduler runs. Everything clone(2) can share is a counted object of its own.
 *
 *  A task's registers are in the CPU while it runs and in `registers` otherwise.
 *  States: runnable → running → runnable | parked | dead; parked → runnable by a wake-up. A task of a stopped process keeps
 *  its state, but the scheduler sets it aside (`held`) instead of running it.
 *
 *  A task implements the file layer's Caller: the identity that opens files and owns terminals. */
import { WIDE_ZERO } from "../base/bits.ts";
import type { Pid } from "../base/types.ts";
import { REGISTER_FILE_BYTES } from "../cpu/registers.ts";
import type { Caller, JobControl } from "../fs/vfs/credentials.ts";
import { Call } from "./call.ts";
import type { Credentials } from "./credentials.ts";
import type { FdTable } from "./fd-table.ts";
import type { FileContext } from "./file-context.ts";
import type { Kernel } from "./kernel.ts";
import type { MemoryImage } from "./memory-image.ts";
import type { Process } from "./process.ts";
import { PendingSignals } from "./signal/pending.ts";
import { SignalSet } from "./signal/signal-set.ts";
import type { Timer } from "./timers.ts";

export type TaskState = "runnable" | "running" | "parked" | "dead";

/** Resources a new task starts with; each already carries the reference that the task will own. */
export interface TaskParts {
  readonly image: MemoryImage;
  readonly files: FdTable;
  readonly context: FileContext;
  readonly credentials: Credentials;
}

export class Task implements Caller {
  /** Changes once at most: a thread that calls execve takes over its leader's number. */
  tid: Pid;
  readonly process: Process;
  readonly kernel: Kernel;

  /** Replaced by execve; shared with CLONE_VM. */
  image: MemoryImage;
  /** Shared with CLONE_FILES. */
  files: FdTable;
  /** Shared with CLONE_FS. */
  context: FileContext;
  credentials: Credentials;

  /** The register file while the task is not running. */
  readonly registers = new Uint8Array(REGISTER_FILE_BYTES);
  state: TaskState = "parked";
  /** Set aside by the scheduler because the process is stopped. */
  held = false;
  /** The system call in progress, reused for each. */
  readonly call: Call;
  /** comm, at most 15 bytes, a byte string. */
  name: string;

  // Sleeping. Written by the scheduler only.
  /** Takes this task's waiters back from the queues it is parked on. */
  readonly unpark: (() => void)[] = [];
  parkTimer: Timer | undefined;
  /** Stable callback for wait queues. */
  readonly wake: () => void;
  /** Parked on EXIT_BLOCKED (a page is on its way), not in a call. */
  awaitsPage = false;
  /** Counted in Scheduler.awaitingData. Written by the scheduler. */
  awaitsData = false;

  // Signals.
  readonly blocked = new SignalSet();
  readonly pending = new PendingSignals();
  /** The mask to put back after the handler of a signal that ended sigsuspend, ppoll…: see signal/deliver.ts. */
  savedMask: SignalSet | undefined;
  altStackBase = 0;
  altStackSize = 0;
  altStackFlags = 0;
  /** The thread's last processor exception, which every later signal frame shows. */
  readonly lastTrap = { vector: 0, error: 0, cr2: 0 };

  // Threads (set_tid_address, set_robust_list, clone).
  clearChildTid = WIDE_ZERO;
  robustList = WIDE_ZERO;
  /** Where CLONE_CHILD_SETTID stores the tid before the task first runs; 0 when done. */
  setChildTid = WIDE_ZERO;
  /** A parent parked in vfork until this task execs or exits. */
  vforkParent: Task | undefined;
  /** prctl(PR_SET_PDEATHSIG): sent when the parent dies. */
  parentDeathSignal = 0;
  noNewPrivileges = false;
  timerSlack = 50_000;
  /** personality(2). */
  personality = 0;

  // Scheduling and accounting.
  policy = 0;
  priority = 0;
  nice = 0;
  /** Instructions retired in user mode. */
  instructions = WIDE_ZERO;
  voluntarySwitches = 0;
  involuntarySwitches = 0;
  minorFaults = WIDE_ZERO;
  majorFaults = 0;
  /** Monotonic nanoseconds. */
  readonly startTime: number;
  /** Wait status when dead. */
  exitStatus = 0;

  constructor(kernel: Kernel, tid: Pid, process: Process, name: string, parts: TaskParts) {
    this.kernel = kernel;
    this.tid = tid;
    this.process = process;
    this.name = name;
    this.image = parts.image;
    this.files = parts.files;
    this.context = parts.context;
    this.credentials = parts.credentials;
    this.call = new Call(kernel, this);
    this.startTime = kernel.clock.now();
    this.wake = () => kernel.scheduler.wake(this);
  }

  /** SIGKILL or exit_group has come for its process: nothing may hold it any more. */
  get mustDie(): boolean {
    return this.process.groupExit !== undefined;
  }
  /** Its number is the process's. After execve by another thread the leader's number moves to that thread. */
  get isLeader(): boolean {
    return this.process.leader === this;
  }

  // Caller ----------------------------------------------------------------------------------------------------------

  get uid(): number {
    return this.credentials.fsuid;
  }
  get gid(): number {
    return this.credentials.fsgid;
  }
  get groups(): readonly number[] {
    return this.credentials.groups;
  }
  get processId(): number {
    return this.process.pid;
  }
  get threadId(): number {
    return this.tid;
  }
  get jobControl(): JobControl {
    return this.process;
  }
}
