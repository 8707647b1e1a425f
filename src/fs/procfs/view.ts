/** What /proc prints, as the kernel must supply it. Declared here because procfs is below the kernel; the kernel implements
 *  it over its tasks and address spaces. Every getter is read when a file is read, never kept. */
import type { Location } from "../vfs/location.ts";
import type { OpenFile } from "../vfs/open-file.ts";

/** The whole machine. */
export interface SystemView {
  /** Live and zombie processes (thread group leaders) by rising id. */
  processes(): Iterable<ProcessView>;
  findProcess(processId: number): ProcessView | undefined;
  readonly memory: MemoryFigures;
  /** Seconds since boot, with fraction. */
  readonly uptimeSeconds: number;
  /** Seconds the processor idled since boot, with fraction. */
  readonly idleSeconds: number;
  /** Boot time, seconds since 1970. */
  readonly bootTimeSeconds: number;
  /** 1, 5 and 15 minute averages. */
  readonly loadAverages: readonly [number, number, number];
  /** Runnable and existing threads, and the youngest process id, for /proc/loadavg. */
  readonly runnableThreads: number;
  readonly threadCount: number;
  readonly lastProcessId: number;
  /** For /proc/stat. */
  readonly contextSwitches: number;
  readonly processesCreated: number;
  /** Time in USER_HZ (1/100 s) ticks. */
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly idleTicks: number;
  readonly cpu: CpuDescription;
  /** uname(2) fields. */
  readonly names: SystemNames;
  readonly maxProcessId: number;
  readonly maxOpenFiles: number;
  readonly overcommitMode: 0 | 1 | 2;
  readonly maxMapCount: number;
  readonly mmapMinAddress: number;
}

export interface SystemNames {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly domainname: string;
}

export interface CpuDescription {
  readonly count: number;
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly modelName: string;
  readonly megahertz: number;
  /** Space separated, as in /proc/cpuinfo. */
  readonly flags: string;
  readonly cacheKilobytes: number;
}

/** All in bytes. */
export interface MemoryFigures {
  readonly total: number;
  readonly free: number;
  readonly available: number;
  /** File pages, tmpfs included. */
  readonly cached: number;
  readonly shared: number;
  readonly anonymous: number;
  readonly mapped: number;
  readonly pageTables: number;
  readonly kernelStacks: number;
  readonly committed: number;
  readonly commitLimit: number;
}

/** One process: a thread group. */
export interface ProcessView {
  readonly processId: number;
  readonly parentId: number;
  readonly processGroup: number;
  readonly sessionId: number;
  /** Device number of the controlling terminal, 0 for none. */
  readonly terminalDevice: number;
  /** Foreground group of that terminal, -1 for none. */
  readonly terminalGroup: number;
  /** Main thread first; a zombie still has that one. */
  threads(): Iterable<ThreadView>;
  findThread(threadId: number): ThreadView | undefined;
  readonly userIds: Identities;
  readonly groupIds: Identities;
  readonly supplementaryGroups: readonly number[];
  readonly umask: number;
  /** Whether a caller with that uid may see what ptrace would show (maps, environ, fd). */
  maySee(uid: number): boolean;

  /** Null when the process is a zombie. */
  workingDirectory(): Location | null;
  rootDirectory(): Location | null;
  executable(): Location | null;
  /** Argument strings, each with its NUL, as they are in memory now; or WOULD_BLOCK. Empty for zombies. */
  commandLine(): Uint8Array | number;
  environment(): Uint8Array | number;
  auxiliaryVector(): Uint8Array;
  /** By rising number. */
  descriptors(): Iterable<DescriptorView>;
  findDescriptor(fd: number): DescriptorView | undefined;
  /** Memory regions by rising address. */
  regions(): Iterable<RegionView>;
  readonly memory: ProcessMemory;
  /** Page map entry of the page with that number, as /proc/<pid>/pagemap documents it, in two halves. */
  pageMapEntry(page: number): { readonly low: number; readonly high: number };
  /** In the order of RLIMIT_*: 16 of them. Infinity for RLIM_INFINITY. */
  limits(): readonly { readonly soft: number; readonly hard: number }[];
  outOfMemoryScoreAdjustment: number;
  readonly startTicks: number;
  readonly nice: number;
  readonly exitSignal: number;
  readonly exitCode: number;
  /** Of waited-for children, in USER_HZ ticks and faults. */
  readonly children: Usage;
  readonly usage: Usage;
  /** Signals pending for the whole process. */
  readonly sharedPending: SignalBits;
  readonly ignored: SignalBits;
  readonly caught: SignalBits;
  readonly dumpable: boolean;
}

export interface ThreadView {
  readonly threadId: number;
  /** At most 15 bytes, a byte string. */
  readonly name: string;
  /** Gives the thread another name (a write to comm). */
  rename(name: string): void;
  /** R, S, D, T, t, Z or X (proc_pid_stat(5)). */
  readonly state: "R" | "S" | "D" | "T" | "t" | "Z" | "X";
  readonly usage: Usage;
  readonly pending: SignalBits;
  readonly blocked: SignalBits;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  /** What the thread sleeps in, "0" when it runs. */
  readonly waitChannel: string;
  readonly stackPointer: number;
  readonly instructionPointer: number;
  readonly noNewPrivileges: boolean;
}

export interface Identities {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
  readonly filesystem: number;
}

export interface Usage {
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

/** Sixty-four signals: bit n-1 of the pair is signal n. */
export interface SignalBits {
  readonly low: number;
  readonly high: number;
}

export interface DescriptorView {
  readonly fd: number;
  readonly file: OpenFile;
  readonly closeOnExec: boolean;
}

/** One line of /proc/<pid>/maps. */
export interface RegionView {
  readonly start: number;
  readonly end: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly shared: boolean;
  readonly offset: number;
  /** Of the mapped file; 0 and 0 for anonymous memory. */
  readonly device: number;
  readonly inode: number;
  /** The mapped file, or a name such as "[heap]", "[stack]", "[vdso]", or "". */
  readonly name: Location | string;
  /** For smaps, in bytes. */
  readonly resident: number;
  readonly privateDirty: number;
  readonly privateClean: number;
  readonly sharedDirty: number;
  readonly sharedClean: number;
  readonly referenced: number;
  readonly anonymous: number;
}

/** All in bytes. */
export interface ProcessMemory {
  readonly virtual: number;
  readonly peakVirtual: number;
  readonly resident: number;
  readonly peakResident: number;
  readonly residentAnonymous: number;
  readonly residentFile: number;
  readonly residentShared: number;
  readonly locked: number;
  readonly pinned: number;
  readonly data: number;
  readonly stack: number;
  readonly text: number;
  readonly libraries: number;
  readonly pageTables: number;
  readonly swapped: number;
  /** Addresses proc_pid_stat(5) shows; 0 when unknown. */
  readonly startCode: number;
  readonly endCode: number;
  readonly startStack: number;
  readonly startData: number;
  readonly endData: number;
  readonly startBreak: number;
  readonly argumentStart: number;
  readonly argumentEnd: number;
  readonly environmentStart: number;
  readonly environmentEnd: number;
}
