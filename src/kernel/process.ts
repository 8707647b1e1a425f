/** A process: Linux's thread group. Owns what its threads share without being asked: parent and children, signals sent to
 *  the process, handlers, limits, timers, usage.
 *
 *  Lifetime: alive → (last thread gone) zombie → reaped by wait or at once when the parent ignores SIGCHLD.
 *  Invariant: a process is in its parent's `children` and in its process group until it is reaped. */
import { WIDE_ZERO } from "../base/bits.ts";
import { RLIMIT_COUNT } from "../abi/linux/resource.ts";
import { SIG_IGN, SIGCHLD } from "../abi/linux/signal.ts";
import type { Pid } from "../base/types.ts";
import type { JobControl } from "../fs/vfs/credentials.ts";
import { WaitQueue } from "../fs/wait.ts";
import { IntervalTimers } from "./interval-timers.ts";
import type { Kernel } from "./kernel.ts";
import type { ResourceLimits } from "./limits.ts";
import type { ProcessGroup } from "./session.ts";
import { PendingSignals } from "./signal/pending.ts";
import type { SignalHandlers } from "./signal/handlers.ts";
import type { Task } from "./task.ts";

/** Usage of reaped children and dead threads (getrusage(2), times(2)). */
export interface Usage {
  instructions: number;
  minorFaults: number;
  majorFaults: number;
  voluntarySwitches: number;
  involuntarySwitches: number;
  /** Peak resident set, in bytes. */
  peakResident: number;
}
export const emptyUsage = (): Usage => ({
  instructions: 0, minorFaults: 0, majorFaults: 0, voluntarySwitches: 0, involuntarySwitches: 0, peakResident: 0,
});
export function addUsage(to: Usage, from: Usage): void {
  to.instructions += from.instructions;
  to.minorFaults += from.minorFaults;
  to.majorFaults += from.majorFaults;
  to.voluntarySwitches += from.voluntarySwitches;
  to.involuntarySwitches += from.involuntarySwitches;
  to.peakResident = Math.max(to.peakResident, from.peakResident);
}

export type ProcessState = "alive" | "zombie" | "reaped";

export class Process implements JobControl {
  readonly kernel: Kernel;
  readonly pid: Pid;
  /** The thread whose number is the pid. May be dead while other threads live. */
  leader!: Task;
  /** Threads that are not dead. */
  readonly threads: Task[] = [];
  parent: Process | undefined;
  readonly children = new Set<Process>();
  group: ProcessGroup;
  state: ProcessState = "alive";

  /** Shared with CLONE_SIGHAND by threads, and (rarely) by processes with CLONE_VM | CLONE_SIGHAND. */
  handlers: SignalHandlers;
  readonly pending = new PendingSignals();
  readonly limits: ResourceLimits;

  /** Signal the parent gets when this process ends; 0 for none, anything but SIGCHLD makes it a "clone child" for wait. */
  exitSignal: number;
  /** Wait status once a thread called exit_group or a fatal signal came; then every thread is on its way out. */
  groupExit: number | undefined;
  /** A thread that waits in execve for the others to go. */
  execing: Task | undefined;
  exitStatus = 0;
  /** execve ran since fork: setpgid on the child fails then (setpgid(2), EACCES). */
  hasExeced = false;
  subreaper = false;

  // Stop and continue.
  stopped = false;
  stopSignal = 0;
  /** A stop or continue that wait has not reported yet. */
  unreported: "stop" | "continue" | undefined;

  /** Woken when a child changes state. */
  readonly childEvents = new WaitQueue();
  /** Woken by every signal sent to the process or one of its threads: sigwait and signalfd look at blocked ones. */
  readonly signalArrivals = new WaitQueue();
  /** Usage of threads that are gone, and of children that were waited for. */
  readonly deadThreads: Usage = emptyUsage();
  readonly reapedChildren: Usage = emptyUsage();
  readonly startTime: number;
  /** Instructions of all threads, dead ones included. Written by the run loop. */
  instructions = WIDE_ZERO;
  /** setitimer(2), alarm(2), RLIMIT_CPU. */
  readonly intervalTimers: IntervalTimers;
  /** POSIX timers by id, kept by the time calls. Each knows how to stop itself. */
  readonly posixTimers = new Map<number, { release(): void }>();
  nextPosixTimer = 0;
  /** oom_score_adj. */
  oomAdjustment = 0;

  constructor(
    kernel: Kernel, pid: Pid, parent: Process | undefined, group: ProcessGroup, handlers: SignalHandlers, limits: ResourceLimits, exitSignal: number,
  ) {
    this.kernel = kernel;
    this.pid = pid;
    this.parent = parent;
    this.group = group;
    this.handlers = handlers;
    this.limits = limits;
    this.exitSignal = exitSignal;
    this.startTime = kernel.clock.now();
    this.intervalTimers = new IntervalTimers(this);
    parent?.children.add(this);
    group.members.add(this);
  }

  /** getppid(2): 1 for an orphan, whom nobody waits for; 0 for the machine's first process, whose parent is outside. */
  get parentId(): number {
    return this.parent?.pid ?? (this.kernel.firstProcess === this ? 0 : 1);
  }
  /** Somebody whose children need no wait. */
  get isInit(): boolean {
    return this.kernel.firstProcess === this;
  }
  limit(resource: number): number {
    return resource < RLIMIT_COUNT ? this.limits.soft[resource] : Infinity;
  }

  /** Usage of every thread so far, dead ones included. */
  usage(): Usage {
    const total = { ...this.deadThreads };
    for (const task of this.threads) {
      this.kernel.accountFaults(task);
      total.instructions += this.kernel.instructionsOf(task);
      total.minorFaults += task.minorFaults;
      total.majorFaults += task.majorFaults;
      total.voluntarySwitches += task.voluntarySwitches;
      total.involuntarySwitches += task.involuntarySwitches;
    }
    return total;
  }

  // JobControl --------------------------------------------------------------------------------------------------------

  get processId(): number {
    return this.pid;
  }
  get sessionId(): number {
    return this.group.session.id;
  }
  get processGroup(): number {
    return this.group.id;
  }
  groupInSession(processGroup: number): boolean {
    return this.group.session.groups.has(processGroup);
  }
  ignoresOrBlocks(signal: number): boolean {
    const task = this.kernel.scheduler.current?.process === this ? this.kernel.scheduler.current : this.leader;
    return this.handlers.get(signal).handler === SIG_IGN || task.blocked.has(signal);
  }
  get groupOrphaned(): boolean {
    return this.group.orphaned;
  }
  signalOwnGroup(signal: number): void {
    this.kernel.signalGroup(this.group, signal);
  }

  /** Children vanish without wait when SIGCHLD is ignored or SA_NOCLDWAIT set (wait(2), NOTES). */
  get childrenVanish(): boolean {
    const action = this.handlers.get(SIGCHLD);
    return action.handler === SIG_IGN || (action.flags & 2) !== 0;
  }
}
