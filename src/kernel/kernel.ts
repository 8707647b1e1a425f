/** One kernel per machine: owns processes, time and the run loop, and wires the layers together.
 *
 *  Single-threaded: everything runs inside `runSlice` or between slices, so there are no locks. A slice runs guests for at
 *  most some milliseconds and comes back, so that the host's event loop can bring input and go on with its own work.
 *
 *  Where things are: run.ts is the loop, trap.ts what a CPU exit means, dispatch.ts system calls, signal/ signals,
 *  exec.ts, clone.ts, exit.ts and wait.ts the life of a process. */
import { WIDE_ZERO } from "../base/bits.ts";
import { pid, type Pid } from "../base/types.ts";
import type { Cpu } from "../cpu/cpu.ts";
import type { FsContext } from "../fs/context.ts";
import type { MountTable } from "../fs/vfs/mount-table.ts";
import type { Walk } from "../fs/vfs/namei.ts";
import type { Location } from "../fs/vfs/location.ts";
import { WaitQueue } from "../fs/wait.ts";
import type { Host } from "../host/host.ts";
import type { FrameAllocator } from "../memory/frames.ts";
import type { Mmu } from "../memory/mmu.ts";
import type { Ram } from "../memory/ram.ts";
import type { Gate } from "../trace/event.ts";
import type { GuestStats } from "../trace/stats.ts";
import { Tracer } from "../trace/tracer.ts";
import type { AddressSpace } from "../vm/address-space.ts";
import type { VmContext } from "../vm/context.ts";
import { FAULT_COPY_ON_WRITE, FAULT_NAMES } from "../vm/fault-kind.ts";
import type { Waitable } from "./call.ts";
import { KernelClock } from "./clock.ts";
import type { CallTable } from "./dispatch.ts";
import { exitTask } from "./exit.ts";
import { reportFault } from "./fault-report.ts";
import { Futexes } from "./futex.ts";
import { LastWills } from "./last-will.ts";
import { FaultTotals, type MemoryImage } from "./memory-image.ts";
import type { Process } from "./process.ts";
import { RunLoop, type SliceResult } from "./run.ts";
import { Scheduler } from "./scheduler.ts";
import type { ProcessGroup, Session } from "./session.ts";
import type { SignalInfo } from "./signal/pending.ts";
import { killProcess, sendToGroup, sendToProcess } from "./signal/send.ts";
import { SystemState } from "./system.ts";
import type { Task } from "./task.ts";
import { type Timer, Timers } from "./timers.ts";
import { UserMemoryView } from "./user-view.ts";

/** Waiters for one page; it may have arrived before anybody waits. */
class PageArrival extends WaitQueue {
  arrived = false;
  /** Takes the request back: nobody waits any more. */
  abandon: (() => void) | undefined;
  override add(waiter: () => void): () => void {
    if (this.arrived) {
      waiter();
      return () => {};
    }
    const remove = super.add(waiter);
    return () => {
      remove();
      if (!this.arrived && this.empty) this.abandon?.();
    };
  }
}

/** What the kernel must know of a terminal. */
export interface KernelTerminal {
  /** Session it controls, 0 for none. */
  readonly session: number;
  readonly foreground: number;
  readonly device: number;
  dropSession(session: number): void;
}

export interface KernelLimits {
  /** Threads of all processes together. */
  readonly tasks: number;
}
export const DEFAULT_KERNEL_LIMITS: KernelLimits = { tasks: 4096 };

/** Which numbers `syscall` takes. */
export type Abi = "linux" | "menios";

export interface KernelParts {
  readonly ram: Ram;
  readonly vm: VmContext;
  readonly cpu: Cpu;
  readonly host: Host;
  readonly deterministic: boolean;
  readonly abi: Abi;
  /** Numbers of `syscall` and of `int 0x80`. */
  readonly linux: CallTable;
  readonly menios: CallTable;
  readonly limits?: KernelLimits;
  /** Nanoseconds of a clock that really moves, for the length of slices. Default: the host's. */
  readonly pacing?: () => number;
  /** AT_HWCAP: edx of cpuid leaf 1. Default: what every processor here reports. */
  readonly hwcap?: number;
  /** Retired instructions after which the machine stops. */
  readonly instructionLimit?: number;
}

/** Counts since the start; see trace/stats.ts for what is made of them. */
export interface KernelStats {
  syscalls: number;
  switches: number;
  processes: number;
  signals: number;
}

/** edx of cpuid leaf 1 as cpu/system.ts reports it: FPU TSC PAE CX8 CMOV CLFLUSH MMX FXSR SSE SSE2. */
const BASELINE_HWCAP = 0x0788_8151;
const FIRST_PID = 2;
const PID_MAX = 4_194_304;
/** How long processes that outlive the first one have after SIGHUP. */
const HANGUP_GRACE = 100_000_000;

export class Kernel {
  readonly ram: Ram;
  readonly vm: VmContext;
  readonly mmu: Mmu;
  readonly frames: FrameAllocator;
  readonly cpu: Cpu;
  readonly host: Host;
  readonly deterministic: boolean;
  readonly abi: Abi;
  readonly linux: CallTable;
  readonly menios: CallTable;
  readonly limits: KernelLimits;

  /** Instructions retired by all tasks. Written by the run loop. */
  instructions = WIDE_ZERO;
  readonly instructionLimit: number;
  readonly clock: KernelClock;
  readonly timers = new Timers();
  readonly scheduler: Scheduler;
  readonly tracer: Tracer;
  readonly futexes: Futexes;
  readonly lastWills: LastWills;
  readonly faultTotals: FaultTotals;
  readonly stats: KernelStats = { syscalls: 0, switches: 0, processes: 0, signals: 0 };
  /** uname, boot time and other facts of the whole machine. */
  readonly system: SystemState;

  /** Live and zombie processes by pid, and threads by tid; a dead leader stays until its process is reaped. */
  readonly processes = new Map<number, Process>();
  readonly tasks = new Map<number, Task>();
  /** Processes with a living thread. */
  livingProcesses = 0;
  firstProcess: Process | undefined;
  /** Wait status of the first process, once it has ended. */
  firstStatus: number | undefined;

  /** File system; set by {@link attachFiles} before the first process. */
  fs!: FsContext;
  mounts!: MountTable;
  /** Room for structures on their way from and to user memory. */
  readonly scratch = new Uint8Array(4096);
  readonly scratchView = new DataView(this.scratch.buffer);
  /** Room for one string of execve. */
  readonly strings = new Uint8Array(131_072);
  readonly word = new Uint8Array(8);
  readonly wordView = new DataView(this.word.buffer);

  /** Called when something becomes runnable while no slice runs. Set by the machine. */
  onWork: (() => void) | undefined;
  /** Called after every kernel entry of a task, which may have died in it; tests prove the invariants of memory here. */
  afterEntry: ((task: Task) => void) | undefined;
  /** Told of each fault that ends a process, as text. */
  onFaultReport: ((report: string, task: Task) => void) | undefined;

  readonly #pacing: () => number;
  readonly #loop: RunLoop;
  #lastId = FIRST_PID - 1;
  readonly #unknownCalls = new Set<string>();
  /** The open pages that tasks wait for, by space. */
  readonly #views = new WeakMap<AddressSpace, UserMemoryView>();

  constructor(parts: KernelParts) {
    this.ram = parts.ram;
    this.vm = parts.vm;
    this.mmu = parts.vm.mmu;
    this.frames = parts.vm.frames;
    this.cpu = parts.cpu;
    this.host = parts.host;
    this.deterministic = parts.deterministic;
    this.abi = parts.abi;
    this.linux = parts.linux;
    this.menios = parts.menios;
    this.limits = parts.limits ?? DEFAULT_KERNEL_LIMITS;
    this.#pacing = parts.pacing ?? (() => parts.host.clock.monotonic());
    this.instructionLimit = parts.instructionLimit ?? Infinity;
    this.clock = new KernelClock(parts.host.clock, this, parts.deterministic);
    this.scheduler = new Scheduler(this.timers, () => this.onWork?.());
    const { clock } = this;
    const kernel = this;
    this.tracer = new Tracer({
      get instructions() {
        return kernel.instructions;
      },
      now: () => clock.now(),
    });
    this.futexes = new Futexes(this);
    this.lastWills = new LastWills(this);
    this.faultTotals = new FaultTotals();
    this.system = new SystemState(parts.hwcap ?? BASELINE_HWCAP);
    this.#loop = new RunLoop(this);
  }

  attachFiles(fs: FsContext, mounts: MountTable): void {
    this.fs = fs;
    this.mounts = mounts;
  }

  // Running ---------------------------------------------------------------------------------------------------------

  /** Runs guests until nothing is runnable, the time is up or a limit is reached. */
  runSlice(milliseconds: number): SliceResult {
    return this.#loop.runSlice(milliseconds);
  }
  /** When the next sleeper is due, in nanoseconds of {@link clock}; Infinity when only the outside can wake anybody. */
  get nextDeadline(): number {
    return this.timers.next;
  }

  /** Nanoseconds of the host's clock, for the length of slices only. */
  hostNow(): number {
    return this.#pacing();
  }

  park(task: Task, queues: Waitable | readonly Waitable[] | undefined, deadline: number): void {
    this.scheduler.park(task, queues, deadline);
  }
  /** Whether the task's registers are in the CPU. */
  isLoaded(task: Task): boolean {
    return this.#loop.loaded === task;
  }
  /** Makes the CPU forget a dying task's registers. */
  forgetRegisters(task: Task): void {
    this.#loop.forget(task);
  }
  /** The image of the current task was replaced: its tables become the active ones. */
  enterSpace(task: Task): void {
    this.#loop.activate(task);
  }
  /** Adds the faults since the last switch to the current task's figures. */
  accountFaults(task: Task): void {
    this.#loop.accountFaults(task);
  }
  /** User-mode instructions of a task, those of the running quantum included. */
  instructionsOf(task: Task): number {
    return task.instructions;
  }
  /** Instructions as USER_HZ ticks: one instruction is one nanosecond of processor time. */
  ticksOf(instructions: number): number {
    return Math.floor(instructions / 10_000_000);
  }

  // User memory -------------------------------------------------------------------------------------------------------

  /** Wakes when the page that a user-memory helper or the CPU has just reported as blocked is there. */
  blockedPage(space: AddressSpace): WaitQueue {
    const queue = new PageArrival();
    this.pagesAwaited++;
    const arrive = (): void => {
      this.pagesAwaited--;
      queue.arrived = true;
      queue.wakeAll();
      if (this.deterministic) this.onWork?.();
    };
    const cancel = space.blocked.wait(arrive);
    queue.abandon = () => {
      cancel();
      arrive();
    };
    return queue;
  }
  /** Pages on their way from asynchronous providers. */
  pagesAwaited = 0;
  /** A deterministic machine runs nobody while data is on its way: what runs meanwhile would depend on when it comes. */
  get standsStill(): boolean {
    return this.deterministic && (this.pagesAwaited > 0 || this.scheduler.awaitingData > 0);
  }

  userView(task: Task): UserMemoryView {
    let view = this.#views.get(task.image.space);
    if (view === undefined) this.#views.set(task.image.space, (view = new UserMemoryView(this.mmu, task.image.space, this.ram)));
    return view;
  }

  // Processes -----------------------------------------------------------------------------------------------------------

  findProcess(id: number): Process | undefined {
    const process = this.processes.get(id);
    return process?.state === "reaped" ? undefined : process;
  }
  /** A living thread. */
  findTask(tid: number): Task | undefined {
    const task = this.tasks.get(tid);
    return task === undefined || task.state === "dead" ? undefined : task;
  }
  findGroup(id: number): ProcessGroup | undefined {
    for (const process of this.processes.values()) if (process.group.id === id) return process.group;
    return undefined;
  }
  findSession(id: number): Session | undefined {
    for (const process of this.processes.values()) if (process.group.session.id === id) return process.group.session;
    return undefined;
  }
  /** A number that no thread, process, group or session has. */
  takeId(): Pid {
    for (;;) {
      this.#lastId = this.#lastId + 1 >= PID_MAX ? FIRST_PID : this.#lastId + 1;
      const id = this.#lastId;
      if (this.tasks.has(id) || this.processes.has(id)) continue;
      if (this.#wrapped && (this.findGroup(id) !== undefined || this.findSession(id) !== undefined)) continue;
      if (id === PID_MAX - 1) this.#wrapped = true;
      return pid(id);
    }
  }
  #wrapped = false;
  get lastId(): number {
    return this.#lastId;
  }

  /** Registers a new task and, for a leader, its process. */
  addTask(task: Task): void {
    this.tasks.set(task.tid, task);
    if (!task.isLeader) return;
    this.processes.set(task.process.pid, task.process);
    this.livingProcesses++;
    this.stats.processes++;
  }
  /** Threads that run with a real uid (RLIMIT_NPROC). */
  tasksOf(uid: number): number {
    let count = 0;
    for (const task of this.tasks.values()) if (task.state !== "dead" && task.credentials.uid === uid) count++;
    return count;
  }

  /** From the host or the terminal to every process of a group. */
  signalGroup(group: ProcessGroup, signal: number): void {
    sendToGroup(this, group, signal);
  }
  signalGroupById(id: number, signal: number): void {
    const group = this.findGroup(id);
    if (group !== undefined) sendToGroup(this, group, signal);
  }
  /** From the host to the first process. */
  signalFirst(signal: number): void {
    if (this.firstProcess !== undefined) sendToProcess(this, this.firstProcess, { signal, code: 0, pid: 0, uid: 0 });
  }

  /** The machine's terminal, when it has one. */
  terminal: KernelTerminal | undefined;
  /** The terminal that controls a process. */
  terminalOf(process: Process): KernelTerminal | undefined {
    return this.terminal?.session === process.group.session.id ? this.terminal : undefined;
  }
  /** A session leader's end takes the terminal away from its session (credentials(7)). */
  sessionLeaderExits(process: Process): void {
    if (process.group.session.id === process.pid) this.terminal?.dropSession(process.pid);
  }

  /** The machine's program is over: the rest gets SIGHUP, and SIGKILL a little later. */
  firstProcessEnded(status: number): void {
    this.firstStatus = status;
    if (this.livingProcesses === 0) return;
    const others = () => [...this.processes.values()].filter((process) => process.state === "alive");
    for (const process of others()) {
      sendToProcess(this, process, { signal: 1, code: 0x80 });
      sendToProcess(this, process, { signal: 18, code: 0x80 });
    }
    this.#hangup = this.timers.add(this.clock.now() + HANGUP_GRACE, () => {
      for (const process of others()) killProcess(this, process);
    });
  }
  #hangup: Timer | undefined;
  /** A process has ended; with the last one nobody is left to be killed. */
  processEnded(): void {
    this.livingProcesses--;
    if (this.livingProcesses > 0) return;
    if (this.#hangup !== undefined) this.timers.cancel(this.#hangup);
    this.lastWills.dropAll();
  }
  /** Ends everything at once (Machine.kill, limits). */
  killAll(): void {
    for (const process of [...this.processes.values()]) {
      if (process.state !== "alive") continue;
      process.groupExit ??= 9;
      for (const task of [...process.threads]) exitTask(this, task, process.groupExit);
    }
  }

  // Memory pressure -----------------------------------------------------------------------------------------------------

  /** Frames ran out: clean file pages go first, then the largest address space dies. True when something was freed;
   *  false when the largest is the one that is running, which then ends by itself. */
  outOfFrames(): boolean {
    if (this.fs !== undefined && this.fs.caches.reclaim() > 0) return true;
    const current = this.scheduler.current;
    let victim: Process | undefined;
    let most = -1;
    for (const process of this.processes.values()) {
      if (process.state !== "alive" || process.oomAdjustment === -1000 || process.threads.length === 0) continue;
      const resident = process.threads[0].image.space.residentPages;
      if (resident > most) {
        most = resident;
        victim = process;
      }
    }
    if (victim === undefined) return false;
    if (this.tracer.active) this.tracer.emit(victim.pid, victim.pid, { type: "out-of-memory", victim: victim.pid });
    if (victim === current?.process || victim.threads.some((task) => task.image === current?.image)) {
      for (const process of this.processes.values()) {
        if (process.state === "alive" && process.threads.some((task) => task.image === current!.image)) killProcess(this, process);
      }
      return false;
    }
    victim.groupExit ??= 9;
    for (const task of [...victim.threads]) exitTask(this, task, victim.groupExit);
    return true;
  }

  peakResident(image: MemoryImage): number {
    image.space.notePeak();
    return image.space.peakPages * 4096;
  }

  // Tracing ---------------------------------------------------------------------------------------------------------------

  traceEnter(task: Task): void {
    const { call } = task;
    const row = call.row!;
    this.tracer.emit(task.process.pid, task.tid, {
      type: "syscall-enter", gate: call.gate, shape: row, values: call.values.slice(0, row.kinds.length), view: this.userView(task),
    });
  }
  /** @param result undefined when the call never returns; @param restart Linux's name for an interruption */
  traceExit(task: Task, result: number | undefined, restart: string | undefined): void {
    if (!this.tracer.active || task.call.row === undefined) return;
    const { call } = task;
    const row = call.row!;
    this.tracer.emit(task.process.pid, task.tid, {
      type: "syscall-exit", gate: call.gate, shape: row, values: call.values.slice(0, row.kinds.length), view: this.userView(task), result,
      ...(restart === undefined ? {} : { restart }),
    });
  }
  /** A call nobody serves: one event for each number and door. */
  noteUnknownCall(task: Task, gate: Gate, number: number, name: string): void {
    const key = `${gate} ${number}`;
    if (this.#unknownCalls.has(key)) return;
    this.#unknownCalls.add(key);
    if (this.tracer.active) this.tracer.emit(task.process.pid, task.tid, { type: "unknown-syscall", gate, number, name });
  }
  /** A signal is about to end a process: explains the fault behind it to whoever asked. */
  reportFatalSignal(task: Task, info: SignalInfo): void {
    if (info.trap === undefined) return;
    if (this.onFaultReport === undefined && !this.tracer.active) return;
    const report = reportFault(this, task, info);
    this.onFaultReport?.(report, task);
    if (this.tracer.active) {
      this.tracer.emit(task.process.pid, task.tid, { type: "fault-denied", report: () => report, address: info.address ?? 0, signal: info.signal, code: info.code });
    }
  }

  /** The figures of the run so far. @param boot frames in use before anything was mounted */
  guestStats(boot: number): GuestStats {
    const { frames, stats, faultTotals } = this;
    const counts = faultTotals.faults.slice();
    for (const space of this.vm.spaces) for (let kind = 0; kind < counts.length; kind++) counts[kind] += space.faultCounts[kind];
    const faults: Record<string, number> = {};
    counts.forEach((count, kind) => {
      if (count > 0) faults[FAULT_NAMES[kind]] = count;
    });
    const { tables, peakTables, templateTables } = this.vm.tables;
    return {
      // + 0: what never ran has WIDE_ZERO, which is minus zero to those who compare.
      instructions: this.instructions + 0, syscalls: stats.syscalls, processes: stats.processes, switches: stats.switches, signals: stats.signals, faults,
      copyOnWriteCopies: counts[FAULT_COPY_ON_WRITE],
      frames: { now: frames.used, peak: frames.peak, total: frames.total, boot },
      pageTableBytes: { now: (tables - templateTables) * 4096, peak: (peakTables - templateTables) * 4096 }, time: this.clock.now(),
    };
  }

  // Files -------------------------------------------------------------------------------------------------------------------

  /** Path walks of a task, relative to its working directory or `base`. */
  walk(task: Task, base?: Location): Walk {
    return { context: this.fs, root: task.context.root, base: base ?? task.context.cwd, caller: task };
  }

  /** What is still held that was not held at boot; empty when every process is gone. */
  leakReport(): string[] {
    const leaks: string[] = [];
    const check = (what: string, count: number): void => {
      if (count !== 0) leaks.push(`${count} ${what}`);
    };
    check("processes", this.processes.size);
    check("threads", this.tasks.size);
    check("address spaces", this.vm.spaces.size);
    check("timers", this.timers.count);
    check("futex sleepers", this.futexes.sleepers);
    check("shared futexes", this.futexes.sharedQueues);
    check("awaited pages", this.pagesAwaited);
    return leaks;
  }
}
