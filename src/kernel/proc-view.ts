/** The kernel as /proc shows it (fs/procfs/view.ts): every getter looks at the live objects, nothing is kept. */
import { SIG_DFL, SIG_IGN, SIGNAL_COUNT } from "../abi/linux/signal.ts";
import { RLIMIT_COUNT } from "../abi/linux/resource.ts";
import { RSP } from "../cpu/state.ts";
import type {
  CpuDescription, DescriptorView, Identities, MemoryFigures, ProcessMemory, ProcessView, RegionView, SignalBits, SystemNames, SystemView, ThreadView, Usage,
} from "../fs/procfs/view.ts";
import type { Location } from "../fs/vfs/location.ts";
import { READ } from "../memory/access.ts";
import { MAX_MAP_COUNT, MMAP_MIN } from "../vm/layout.ts";
import { copyIn, USER_BLOCKED } from "../vm/user-memory.ts";
import { blockOn } from "../fs/wait.ts";
import type { Kernel } from "./kernel.ts";
import type { MemoryImage } from "./memory-image.ts";
import type { Process, Usage as ProcessUsage } from "./process.ts";
import { memoryOf, regionViews } from "./proc-memory.ts";
import { SignalSet } from "./signal/signal-set.ts";
import { savedRegister, savedRip } from "./saved-registers.ts";
import type { Task } from "./task.ts";

const PAGE = 4096;

export class ProcSystem implements SystemView {
  readonly #kernel: Kernel;
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  *processes(): Iterable<ProcessView> {
    const ids = [...this.#kernel.processes.keys()].sort((a, b) => a - b);
    for (const id of ids) {
      const view = this.findProcess(id);
      if (view !== undefined) yield view;
    }
  }
  findProcess(processId: number): ProcessView | undefined {
    const process = this.#kernel.findProcess(processId);
    return process === undefined ? undefined : new ProcProcess(this.#kernel, process);
  }
  get memory(): MemoryFigures {
    const { vm, fs } = this.#kernel;
    const { frames } = vm;
    let anonymous = 0;
    let mapped = 0;
    let shared = 0;
    let tables = 0;
    for (const space of vm.spaces) {
      anonymous += space.privatePages;
      mapped += space.filePages + space.sharedPages;
      shared += space.sharedPages;
      tables += space.tablePages;
    }
    const cached = fs.caches.residentFrames + fs.budget.frames;
    return {
      total: frames.total * PAGE, free: frames.free * PAGE, available: (frames.free + fs.caches.residentFrames) * PAGE, cached: cached * PAGE,
      shared: (shared + fs.budget.frames) * PAGE, anonymous: anonymous * PAGE, mapped: mapped * PAGE, pageTables: tables * PAGE,
      kernelStacks: this.#kernel.tasks.size * PAGE, committed: vm.commit.committed * PAGE, commitLimit: vm.commit.limit * PAGE,
    };
  }
  get uptimeSeconds(): number {
    return this.#kernel.clock.now() / 1e9;
  }
  get idleSeconds(): number {
    return Math.max(this.#kernel.clock.now() - this.#kernel.instructions, 0) / 1e9;
  }
  get bootTimeSeconds(): number {
    const { clock } = this.#kernel;
    clock.sample();
    return clock.seconds - Math.floor(clock.now() / 1e9);
  }
  /** Runnable threads now: a machine lives too briefly for averages over minutes to mean more. */
  get loadAverages(): readonly [number, number, number] {
    const runnable = this.runnableThreads;
    return [runnable, runnable, runnable];
  }
  get runnableThreads(): number {
    let count = 0;
    for (const task of this.#kernel.tasks.values()) if (task.state === "running" || task.state === "runnable") count++;
    return count;
  }
  get threadCount(): number {
    let count = 0;
    for (const task of this.#kernel.tasks.values()) if (task.state !== "dead") count++;
    return count;
  }
  get lastProcessId(): number {
    return this.#kernel.lastId;
  }
  get contextSwitches(): number {
    return this.#kernel.stats.switches;
  }
  get processesCreated(): number {
    return this.#kernel.stats.processes;
  }
  get userTicks(): number {
    return this.#kernel.ticksOf(this.#kernel.instructions);
  }
  readonly systemTicks = 0;
  get idleTicks(): number {
    return Math.floor(this.idleSeconds * 100);
  }
  /** The processor that cpuid describes. */
  readonly cpu: CpuDescription = {
    count: 1, vendor: "GenuineIntel", family: 6, model: 26, stepping: 5, modelName: "meniOS virtual CPU", megahertz: 1000, cacheKilobytes: 8192,
    flags: "fpu tsc pae cx8 cmov clflush mmx fxsr sse sse2 syscall nx lm lahf_lm pni ssse3 cx16 sse4_1 sse4_2 popcnt",
  };
  get names(): SystemNames {
    return this.#kernel.system;
  }
  readonly maxProcessId = 4_194_304;
  readonly maxOpenFiles = 1_048_576;
  get overcommitMode(): 0 | 1 | 2 {
    return this.#kernel.vm.commit.mode;
  }
  readonly maxMapCount = MAX_MAP_COUNT;
  readonly mmapMinAddress = MMAP_MIN;
}

class ProcProcess implements ProcessView {
  readonly #kernel: Kernel;
  readonly #process: Process;

  constructor(kernel: Kernel, process: Process) {
    this.#kernel = kernel;
    this.#process = process;
  }

  get processId(): number {
    return this.#process.pid;
  }
  get parentId(): number {
    return this.#process.parentId;
  }
  get processGroup(): number {
    return this.#process.group.id;
  }
  get sessionId(): number {
    return this.#process.group.session.id;
  }
  get terminalDevice(): number {
    return this.#kernel.terminalOf(this.#process)?.device ?? 0;
  }
  get terminalGroup(): number {
    return this.#kernel.terminalOf(this.#process)?.foreground ?? -1;
  }
  /** A zombie still shows its main thread. */
  *threads(): Iterable<ThreadView> {
    const { leader, threads } = this.#process;
    yield new ProcThread(this.#kernel, leader);
    for (const task of threads) if (task !== leader) yield new ProcThread(this.#kernel, task);
  }
  findThread(threadId: number): ThreadView | undefined {
    for (const thread of this.threads()) if (thread.threadId === threadId) return thread;
    return undefined;
  }
  get userIds(): Identities {
    const { uid, euid, suid, fsuid } = this.#process.leader.credentials;
    return { real: uid, effective: euid, saved: suid, filesystem: fsuid };
  }
  get groupIds(): Identities {
    const { gid, egid, sgid, fsgid } = this.#process.leader.credentials;
    return { real: gid, effective: egid, saved: sgid, filesystem: fsgid };
  }
  get supplementaryGroups(): readonly number[] {
    return this.#process.leader.credentials.groups;
  }
  get umask(): number {
    return this.#process.leader.context.umask;
  }
  maySee(uid: number): boolean {
    const own = this.#process.leader.credentials;
    return uid === 0 || (uid === own.uid && uid === own.euid && uid === own.suid && this.dumpable);
  }

  workingDirectory(): Location | null {
    return this.#living?.context.cwd ?? null;
  }
  rootDirectory(): Location | null {
    return this.#living?.context.root ?? null;
  }
  executable(): Location | null {
    return this.#living?.image.executable?.location ?? null;
  }
  commandLine(): Uint8Array | number {
    const image = this.#living?.image;
    return image === undefined ? new Uint8Array(0) : this.#read(image, image.argStart, image.argEnd);
  }
  environment(): Uint8Array | number {
    const image = this.#living?.image;
    return image === undefined ? new Uint8Array(0) : this.#read(image, image.envStart, image.envEnd);
  }
  auxiliaryVector(): Uint8Array {
    return this.#living?.image.auxv ?? new Uint8Array(0);
  }
  *descriptors(): Iterable<DescriptorView> {
    const files = this.#living?.files;
    if (files === undefined) return;
    for (const fd of files.descriptors()) yield { fd, file: files.get(fd)!, closeOnExec: files.isCloseOnExec(fd) };
  }
  findDescriptor(fd: number): DescriptorView | undefined {
    const files = this.#living?.files;
    const file = files?.get(fd);
    return files === undefined || file === undefined ? undefined : { fd, file, closeOnExec: files.isCloseOnExec(fd) };
  }
  regions(): Iterable<RegionView> {
    const image = this.#living?.image;
    return image === undefined ? [] : regionViews(this.#kernel, image.space);
  }
  get memory(): ProcessMemory {
    return memoryOf(this.#living?.image);
  }
  /** Bit 63 present, 61 a file's or shared page, 56 mapped by nobody else, and the frame number, which everybody may see here:
   *  it is the point of this machine (Documentation/admin-guide/mm/pagemap.rst). */
  pageMapEntry(page: number): { readonly low: number; readonly high: number } {
    const image = this.#living?.image;
    const physical = image === undefined ? -1 : this.#kernel.mmu.probeIn(image.space.root, page * PAGE, READ);
    if (physical < 0) return { low: 0, high: 0 };
    const references = this.#kernel.frames.refs[physical >>> 12];
    // A file's page is held by its cache, too; one reference in a file mapping is a private copy.
    const ofObject = image!.space.regions.find(page * PAGE)?.backing !== undefined && references > 1;
    const exclusive = references === (ofObject ? 2 : 1);
    return { low: physical >>> 12, high: (0x8000_0000 | (ofObject ? 0x2000_0000 : 0) | (exclusive ? 0x0100_0000 : 0)) >>> 0 };
  }
  limits(): readonly { readonly soft: number; readonly hard: number }[] {
    const { soft, hard } = this.#process.limits;
    return Array.from({ length: RLIMIT_COUNT }, (_unused, index) => ({ soft: soft[index], hard: hard[index] }));
  }
  get outOfMemoryScoreAdjustment(): number {
    return this.#process.oomAdjustment;
  }
  set outOfMemoryScoreAdjustment(value: number) {
    this.#process.oomAdjustment = value;
  }
  get startTicks(): number {
    return Math.floor(this.#process.startTime / 10_000_000);
  }
  get nice(): number {
    return this.#process.leader.nice;
  }
  get exitSignal(): number {
    return this.#process.exitSignal;
  }
  get exitCode(): number {
    return this.#process.exitStatus;
  }
  get children(): Usage {
    return usageView(this.#kernel, this.#process.reapedChildren);
  }
  get usage(): Usage {
    return usageView(this.#kernel, this.#process.usage());
  }
  get sharedPending(): SignalBits {
    return this.#process.pending.set;
  }
  get ignored(): SignalBits {
    return this.#withHandler((handler) => handler === SIG_IGN);
  }
  get caught(): SignalBits {
    return this.#withHandler((handler) => handler !== SIG_IGN && handler !== SIG_DFL);
  }
  get dumpable(): boolean {
    return this.#living?.image.dumpable !== 0;
  }

  get #living(): Task | undefined {
    return this.#process.threads[0];
  }
  #withHandler(accepts: (handler: number) => boolean): SignalBits {
    const set = new SignalSet();
    for (let signal = 1; signal <= SIGNAL_COUNT; signal++) if (accepts(this.#process.handlers.get(signal).handler)) set.add(signal);
    return set;
  }
  #read(image: MemoryImage, start: number, end: number): Uint8Array | number {
    const bytes = new Uint8Array(Math.max(end - start, 0));
    const n = copyIn(image.space, start, bytes);
    if (n === USER_BLOCKED) return blockOn(this.#kernel.blockedPage(image.space));
    return bytes.subarray(0, Math.max(n, 0));
  }
}

class ProcThread implements ThreadView {
  readonly #kernel: Kernel;
  readonly #task: Task;
  constructor(kernel: Kernel, task: Task) {
    this.#kernel = kernel;
    this.#task = task;
  }
  get threadId(): number {
    return this.#task.tid;
  }
  get name(): string {
    return this.#task.name;
  }
  rename(name: string): void {
    this.#task.name = name.slice(0, 15);
  }
  get state(): ThreadView["state"] {
    const { state, process, awaitsPage, call } = this.#task;
    if (state === "dead") return "Z";
    if (process.stopped) return "T";
    if (state === "parked") return awaitsPage || call.interruption === "UNINTERRUPTIBLE" ? "D" : "S";
    return "R";
  }
  get usage(): Usage {
    this.#kernel.accountFaults(this.#task);
    const { instructions, minorFaults, majorFaults, voluntarySwitches, involuntarySwitches } = this.#task;
    return usageView(this.#kernel, { instructions, minorFaults, majorFaults, voluntarySwitches, involuntarySwitches, peakResident: 0 });
  }
  get pending(): SignalBits {
    return this.#task.pending.set;
  }
  get blocked(): SignalBits {
    return this.#task.blocked;
  }
  get voluntarySwitches(): number {
    return this.#task.voluntarySwitches;
  }
  get involuntarySwitches(): number {
    return this.#task.involuntarySwitches;
  }
  get waitChannel(): string {
    return this.#task.state === "parked" ? (this.#task.call.row?.name ?? "page") : "0";
  }
  get stackPointer(): number {
    return savedRegister(this.#kernel, this.#task, RSP);
  }
  get instructionPointer(): number {
    return savedRip(this.#kernel, this.#task);
  }
  get noNewPrivileges(): boolean {
    return this.#task.noNewPrivileges;
  }
}

function usageView(kernel: Kernel, usage: ProcessUsage): Usage {
  return { userTicks: kernel.ticksOf(usage.instructions), systemTicks: 0, minorFaults: usage.minorFaults, majorFaults: usage.majorFaults };
}
