/** menios: unmodified x86-64 ELF programs in a TypeScript host, each in its own address space. */
export {
  DEFAULT_MEMORY, type EndReason, Machine, type MachineFiles, type MachineLimits, type MachineOptions, type MachineResult, type MachineTerminal, StartError,
} from "./machine.ts";
export type { Host, HostClock, HostInput, HostOutput, HostRandom } from "./host/host.ts";
export type { FileProvider } from "./fs/provider.ts";
export type { Sink, TraceEvent } from "./trace/event.ts";
export type { EngineStats, GuestStats } from "./trace/stats.ts";
export { MemoryProvider } from "./fs/providers/memory.ts";
export type { MessageEnd } from "./host/port.ts";
export * from "./worker/index.ts";
