/** What a machine is told when it may live in another thread: MachineOptions without what cannot be sent there. */
import type { Host, HostInput, HostOutput } from "../host/host.ts";
import type { MemoryFile } from "../fs/providers/memory.ts";
import type { MountRequest } from "../fs/namespace.ts";
import type { EndReason, MachineOptions, MachineResult } from "../machine.ts";
import type { GuestStats } from "../trace/stats.ts";

/** Plain data. */
export interface GuestOptions
  extends Pick<MachineOptions, "modules" | "memory" | "program" | "argv" | "env" | "cwd" | "uid" | "gid" | "umask" | "abi" | "deterministic" | "limits"> {
  /** The guest's tree: path without leading slash → content, or what else is there. */
  readonly files?: Readonly<Record<string, MemoryFile | Uint8Array | string>>;
}

/** What stays with the caller. */
export interface RunOptions extends GuestOptions, Pick<MachineOptions, "signal" | "onFaultReport"> {
  readonly stdin?: HostInput;
  readonly stdout?: HostOutput;
  readonly stderr?: HostOutput;
}

/** What the thread that runs the machine brings: its clock and randomness, and host directories if it has any to give. */
export interface Surroundings {
  readonly host: Host;
  readonly mounts?: readonly MountRequest[];
}

/** A machine at work, here or elsewhere. */
export interface RunningMachine {
  /** Rejects as Machine.run does, and with an Error when the machine's thread is lost. */
  readonly result: Promise<MachineResult>;
  /** Guest figures up to now; the last ones when it has ended. */
  stats(): Promise<GuestStats>;
  /** Sends a signal to the first process. */
  signal(number: number): void;
  /** Ends every process; the result still comes. */
  kill(reason?: EndReason): void;
}
