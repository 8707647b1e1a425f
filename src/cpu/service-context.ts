/** What services (instructions written in TypeScript) see of the processor. */
import type { Mmu } from "../memory/mmu.ts";
import type { Ram } from "../memory/ram.ts";
import type { Registers } from "./registers.ts";

export interface CpuServices {
  readonly ram: Ram;
  readonly mmu: Mmu;
  readonly registers: Registers;
  /** Host RAM address of a readable run at linear address (`high`,`low` as u32 halves), or 0 after setting EXIT_KIND and the fault details.
   *  The address is good for the rest of its page only. */
  hostForRead(low: number, high: number): number;
  /** The same for writing. Returns 0 when denied or blocked. When the frame holds decoded code or is watched, the caller's bytes must
   *  go through {@link writeWatched}: tested by {@link isWatched}. */
  hostForWrite(low: number, high: number): number;
  isWatched(host: number): boolean;
  /** Tells the code cache that `length` bytes at RAM address `host` were just written. */
  wrote(host: number, length: number): void;
  /** Instructions retired before the current one, since the CPU was made: the time-stamp counter. */
  readonly retiredExactly: number;
  /** Bytes that repeated string operations have worked on since the run began; beyond a limit, {@link resume} ends the run. */
  stringWork: number;
  /** Asks for an exception instead of completion; returns SERVICE_LEAVE. */
  raise(vector: number): number;
  /** Asks to come back to the same instruction (an interrupted rep); returns SERVICE_LEAVE. */
  resume(): number;
}
