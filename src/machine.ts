/** The public face: one machine, one program, one result. Wiring only: what happens is in the layers below.
 *
 *    const machine = await Machine.create({ host, modules, program: "/bin/echo", argv: ["echo", "hi"], files, stdout });
 *    const { status } = await machine.run();
 *
 *  Everything is asynchronous and message-shaped, so that a machine in a Worker looks the same as one in this thread. Guests
 *  run in slices of at most 10 ms, after each of which the host's event loop has its turn. */
import { errnoMessage, errnoName } from "./abi/linux/errno.ts";
import { O_RDONLY, O_RDWR, O_WRONLY } from "./abi/linux/fcntl.ts";
import { signalName } from "./abi/linux/signal.ts";
import type { WindowSize } from "./abi/linux/ioctl.ts";
import type { Cpu } from "./cpu/cpu.ts";
import { ColdCpu, type CpuModules } from "./cpu/cold/engine.ts";
import { DeviceTable } from "./fs/devfs/device-table.ts";
import { TERMINAL_DEVICE } from "./fs/devfs/devfs.ts";
import { type FsContext, READ_AHEAD_PAGES } from "./fs/context.ts";
import { MemoryBudget } from "./fs/memory-budget.ts";
import { type Graft, buildNamespace, type MountRequest, type Namespace } from "./fs/namespace.ts";
import type { FileProvider } from "./fs/provider.ts";
import { openInputStream, openOutputStream } from "./fs/stream/host-streams.ts";
import { Terminal } from "./fs/tty/terminal.ts";
import { KERNEL_CALLER } from "./fs/vfs/credentials.ts";
import { open } from "./fs/vfs/open.ts";
import type { OpenFile } from "./fs/vfs/open-file.ts";
import { PageCaches } from "./fs/vfs/page-caches.ts";
import { takeBlocker, WOULD_BLOCK } from "./fs/wait.ts";
import { FIXED_CLOCK, type Host, type HostInput, type HostOutput, SeededRandom } from "./host/host.ts";
import { afterDelay, afterHostTurn } from "./host/loop.ts";
import type { Mmu } from "./memory/mmu.ts";
import { firstFrameAddress } from "./memory/physical-map.ts";
import { Ram } from "./memory/ram.ts";
import { giveBack } from "./memory/ram-pool.ts";
import type { Sink } from "./trace/event.ts";
import type { EngineStats, GuestStats } from "./trace/stats.ts";
import { VmContext } from "./vm/context.ts";
import { startFirstProcess } from "./kernel/boot.ts";
import { type Abi, DEFAULT_KERNEL_LIMITS, Kernel } from "./kernel/kernel.ts";
import { linuxTable } from "./kernel/personality/linux.ts";
import { meniosTable } from "./kernel/personality/menios.ts";
import { ProcSystem } from "./kernel/proc-view.ts";
import { linuxRows } from "./kernel/syscalls/index.ts";
import { vmEvents } from "./kernel/vm-events.ts";

export const DEFAULT_MEMORY = 512 << 20;
const SLICE_MILLISECONDS = 10;
/** While the processor waits for what takes several of the host's turns. */
const SHORT_SLICE_MILLISECONDS = 1;

export interface MachineLimits {
  /** Retired instructions. */
  readonly instructions?: number;
  /** Milliseconds of the host's clock. */
  readonly milliseconds?: number;
  /** Threads of all processes. */
  readonly tasks?: number;
  /** Bytes written to standard output and standard error together. */
  readonly outputBytes?: number;
}

/** What the guest sees of files besides /dev, /proc and /tmp. */
export interface MachineFiles {
  /** The guest's "/"; without it only the grafts are there. */
  readonly root?: FileProvider | null;
  readonly grafts?: readonly Graft[];
  readonly mounts?: readonly MountRequest[];
}

export interface MachineTerminal {
  readonly input: HostInput;
  readonly output: HostOutput;
  readonly window: WindowSize;
}

export interface MachineOptions {
  readonly host: Host;
  /** Compiled modules of the cold engine. */
  readonly modules: CpuModules;
  /** Another processor than the cold engine. */
  readonly cpu?: (ram: Ram, mmu: Mmu, modules: CpuModules) => Cpu;
  /** Guest RAM in bytes. */
  readonly memory?: number;
  /** Path of the program in the guest's tree. */
  readonly program: string;
  /** argv; by default the program's path alone. */
  readonly argv?: readonly string[];
  /** `KEY=value` strings. */
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly umask?: number;
  readonly files?: MachineFiles;
  /** Descriptors 0, 1 and 2. "terminal" is the machine's terminal. Default: empty input, output thrown away. */
  readonly stdin?: HostInput | "terminal";
  readonly stdout?: HostOutput | "terminal";
  readonly stderr?: HostOutput | "terminal";
  readonly terminal?: MachineTerminal;
  readonly abi?: Abi;
  readonly deterministic?: boolean;
  readonly limits?: MachineLimits;
  /** Ends the machine at once. */
  readonly signal?: {
    readonly aborted: boolean;
    addEventListener(type: "abort", listener: () => void): void;
    removeEventListener(type: "abort", listener: () => void): void;
  };
  readonly sinks?: readonly Sink[];
  /** Told of each fault that ends a process. */
  readonly onFaultReport?: (report: string) => void;
}

/** Why the machine stopped. */
export type EndReason = "exit" | "timeout" | "instructions" | "output" | "aborted" | "killed";

export interface MachineResult {
  /** As a shell says it: the exit code, or 128 + signal. */
  readonly status: number;
  /** Signal that ended the first process, or 0. */
  readonly signal: number;
  readonly signalName: string | undefined;
  readonly reason: EndReason;
  readonly stats: GuestStats;
  /** How the processor did it: differs between engines and runs. */
  readonly engine: EngineStats | undefined;
  /** What was not given back; empty unless there is a bug. */
  readonly leaks: readonly string[];
}

/** The program could not be started. */
export class StartError extends Error {
  /** errno of the failed start. */
  readonly errno: number;
  constructor(program: string, errno: number) {
    super(`${program}: ${errnoMessage(errno)} (${errnoName(errno)})`);
    this.name = "StartError";
    this.errno = errno;
  }
}

export class Machine {
  readonly kernel: Kernel;
  readonly terminal: Terminal | undefined;
  readonly #options: MachineOptions;
  readonly #namespace: Namespace;
  readonly #bootFrames: number;
  #ended: EndReason | undefined;
  #outputBytes = 0;
  #wakeUp: (() => void) | undefined;
  #result: Promise<MachineResult> | undefined;

  private constructor(options: MachineOptions, kernel: Kernel, namespace: Namespace, terminal: Terminal | undefined, bootFrames: number) {
    this.#options = options;
    this.kernel = kernel;
    this.#namespace = namespace;
    this.terminal = terminal;
    this.#bootFrames = bootFrames;
  }

  /** Builds the machine and its file tree. Rejects with a RangeError for an impossible memory size and an Error for an
   *  impossible mount. */
  static async create(options: MachineOptions): Promise<Machine> {
    const ram = new Ram(options.memory ?? DEFAULT_MEMORY);
    const vm = new VmContext(ram);
    const bootFrames = vm.frames.used;
    const deterministic = options.deterministic === true;
    const host: Host = deterministic ? { clock: FIXED_CLOCK, random: new SeededRandom(1) } : options.host;
    const cpu = options.cpu?.(ram, vm.mmu, options.modules) ?? new ColdCpu(ram, vm.mmu, options.modules);
    const kernel = new Kernel({
      ram, vm, cpu, host, deterministic, abi: options.abi ?? "linux", linux: linuxTable(linuxRows), menios: meniosTable(linuxRows),
      limits: { tasks: options.limits?.tasks ?? DEFAULT_KERNEL_LIMITS.tasks }, instructionLimit: options.limits?.instructions ?? Infinity,
      pacing: () => options.host.clock.monotonic(),
    });
    const terminal = options.terminal === undefined ? undefined : new Terminal(options.terminal.input, options.terminal.output, options.terminal.window);
    let device = 0;
    const context: FsContext = {
      ram, frames: vm.frames, clock: kernel.clock, random: (into) => host.random.fill(into), budget: MemoryBudget.ofRam(vm.frames.total),
      caches: new PageCaches(), devices: new DeviceTable(), nextDevice: () => ++device, readAhead: READ_AHEAD_PAGES,
      bytesWritten: (frame, offset, length) => vm.codeGuard.written(frame, offset, length),
    };
    vm.outOfFrames = () => kernel.outOfFrames();
    const namespace = await buildNamespace(context, {
      root: options.files?.root ?? null, grafts: options.files?.grafts ?? [], mounts: options.files?.mounts ?? [], terminal: terminal ?? null,
      system: new ProcSystem(kernel), owner: { uid: options.uid ?? 0, gid: options.gid ?? 0 },
    });
    kernel.attachFiles(context, namespace.mounts);
    for (const sink of options.sinks ?? []) kernel.tracer.listen(sink);
    if ((options.sinks ?? []).length > 0) vm.events = vmEvents(kernel);
    const machine = new Machine(options, kernel, namespace, terminal, bootFrames);
    machine.#connect();
    return machine;
  }

  /** Listens to everything that happens from now on; the returned function stops it. */
  listen(sink: Sink): () => void {
    this.kernel.vm.events ??= vmEvents(this.kernel);
    return this.kernel.tracer.listen(sink);
  }

  /** Runs the program to its end. Rejects with a StartError when it cannot be started. */
  run(): Promise<MachineResult> {
    this.#result ??= this.#run();
    return this.#result;
  }

  /** Sends a signal to the first process. */
  signal(number: number): void {
    this.kernel.signalFirst(number);
    this.#wake();
  }
  /** Ends every process at once. */
  kill(reason: EndReason = "killed"): void {
    this.#ended ??= reason;
    this.#wake();
  }
  /** The host's terminal window has changed. */
  resize(window: WindowSize): void {
    this.terminal?.resize(window);
    this.#wake();
  }

  /** Guest figures up to now. */
  stats(): GuestStats {
    return this.kernel.guestStats(this.#bootFrames);
  }

  #connect(): void {
    const { kernel, terminal } = this;
    kernel.onWork = () => this.#wake();
    if (this.#options.onFaultReport !== undefined) {
      const { onFaultReport } = this.#options;
      kernel.onFaultReport = (report) => onFaultReport(report);
    }
    if (terminal === undefined) return;
    kernel.terminal = {
      get session() {
        return terminal.session;
      },
      get foreground() {
        return terminal.foreground;
      },
      device: TERMINAL_DEVICE,
      dropSession: (session) => terminal.dropSession(session),
    };
    terminal.kernel = {
      currentCaller: () => kernel.scheduler.current ?? KERNEL_CALLER,
      signalGroup: (group, signal) => kernel.signalGroupById(group, signal),
      after: (milliseconds, action) => {
        const timer = kernel.timers.add(kernel.clock.now() + milliseconds * 1e6, action);
        return () => kernel.timers.cancel(timer);
      },
    };
  }

  async #run(): Promise<MachineResult> {
    const { limits, signal } = this.#options;
    const cancel = limits?.milliseconds === undefined ? () => {} : afterDelay(limits.milliseconds, () => this.kill("timeout"));
    const abort = (): void => this.kill("aborted");
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort);
    let refused: StartError | undefined;
    try {
      refused = await this.#start();
      if (refused === undefined) await this.#loop();
    } finally {
      cancel();
      signal?.removeEventListener("abort", abort);
      this.kernel.killAll();
    }
    const result = this.#finish();
    // Whoever runs one short machine after the other would otherwise never leave the present job of the event loop: nothing else
    // had its turn, and what was once reached through a WeakRef (ECMA-262, KeepDuringJob), hence the machine, were never collected.
    await new Promise<void>((resolve) => afterHostTurn(resolve));
    if (refused !== undefined) throw refused;
    return result;
  }

  /** Starts the first process; gives the error when that cannot be done. */
  async #start(): Promise<StartError | undefined> {
    const { kernel } = this;
    const { program, argv, env, cwd, uid, gid, umask } = this.#options;
    const files = this.#standardFiles();
    for (;;) {
      const process = startFirstProcess(kernel, {
        path: program, argv: argv ?? [program], env: env ?? [], cwd: cwd ?? "/", files, uid: uid ?? 0, gid: gid ?? 0, umask: umask ?? 0o22,
      });
      if (typeof process !== "number") {
        if (this.terminal !== undefined) {
          this.terminal.takeSession(process.leader, false);
          this.terminal.start();
        }
        return undefined;
      }
      if (process !== WOULD_BLOCK) {
        for (const file of files) file.release();
        return new StartError(program, -process);
      }
      const queue = takeBlocker();
      await new Promise<void>((resolve) => void queue.add(resolve));
    }
  }

  async #loop(): Promise<void> {
    const { kernel } = this;
    for (;;) {
      if (this.#ended !== undefined) return kernel.killAll();
      const result = kernel.runSlice(kernel.cpu.awaitsHost === true ? SHORT_SLICE_MILLISECONDS : SLICE_MILLISECONDS);
      switch (result) {
        case "finished":
          return;
        case "limit":
          this.#ended ??= "instructions";
          continue;
        case "busy":
          await new Promise<void>((resolve) => afterHostTurn(resolve));
          continue;
        case "idle":
          await this.#sleep();
      }
    }
  }

  /** Until somebody becomes runnable, a guest's timer is due or the machine is told something. */
  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const { kernel } = this;
      if ((kernel.scheduler.waiting > 0 && !kernel.standsStill) || this.#ended !== undefined) {
        resolve();
        return;
      }
      const wait = kernel.nextDeadline - kernel.clock.now();
      const cancel = wait < Infinity && !kernel.deterministic ? afterDelay(wait / 1e6, () => this.#wake()) : () => {};
      this.#wakeUp = () => {
        cancel();
        resolve();
      };
    });
  }
  #wake(): void {
    const wake = this.#wakeUp;
    this.#wakeUp = undefined;
    wake?.();
  }

  #standardFiles(): OpenFile[] {
    const { stdin, stdout, stderr } = this.#options;
    const { mounts, pipes } = this.#namespace;
    const owner = { uid: this.#options.uid ?? 0, gid: this.#options.gid ?? 0 };
    const output = (target: HostOutput | "terminal" | undefined): OpenFile =>
      target === "terminal" ? this.#terminalFile() : openOutputStream(this.#limited(target ?? NOWHERE), pipes, mounts, owner, O_WRONLY);
    return [
      stdin === "terminal" ? this.#terminalFile() : openInputStream(stdin ?? NOTHING, pipes, mounts, owner, O_RDONLY), output(stdout), output(stderr),
    ];
  }
  #terminalFile(): OpenFile {
    const file = open(this.#namespace.walk, "/dev/pts/0", O_RDWR, 0);
    if (typeof file === "number") throw new Error("a terminal stream needs a terminal");
    return file;
  }
  /** Counts what goes out, and ends the machine when it is too much. */
  #limited(target: HostOutput): HostOutput {
    const most = this.#options.limits?.outputBytes ?? Infinity;
    const machine = this;
    return {
      write(bytes) {
        machine.#outputBytes += bytes.length;
        if (machine.#outputBytes > most) {
          machine.kill("output");
          return true;
        }
        return target.write(bytes);
      },
      drained: (resume) => target.drained(resume),
      get broken() {
        return target.broken === true;
      },
    };
  }

  #finish(): MachineResult {
    const { kernel } = this;
    const word = kernel.firstStatus ?? 9;
    const signal = word & 0x7f;
    const stats = this.stats();
    const engine = kernel.cpu.engineStats?.();
    const leaks = kernel.leakReport();
    this.#namespace.destroy();
    kernel.cpu.release?.();
    const left = kernel.frames.used - this.#bootFrames;
    if (left !== 0) leaks.push(`${left} frames`);
    giveBack(kernel.ram, kernel.frames, kernel.cpu.recordsEnd ?? firstFrameAddress(kernel.ram.bytes));
    return {
      status: signal === 0 ? (word >> 8) & 0xff : 128 + signal, signal, signalName: signal === 0 ? undefined : signalName(signal),
      reason: this.#ended ?? "exit", stats, engine, leaks,
    };
  }
}

const NOTHING: HostInput = { pull: (deliver) => deliver(null) };
const NOWHERE: HostOutput = { write: () => true, drained: (resume) => resume() };
