/** What the kernel knows of the processor. Implemented by the cold engine alone or together with the JIT. */
import type { EngineStats } from "../trace/stats.ts";
import type { ExitKind } from "./exit.ts";
import type { Registers } from "./registers.ts";

export interface Cpu {
  /** The running task's registers. Meaningful whenever `run` is not on the stack. */
  readonly registers: Registers;
  /** Runs from `registers.rip` until something happens, retiring at most `budget` instructions.
   *  Afterwards `retired` says how many retired in this call; every other field below describes the exit. */
  run(budget: number): ExitKind;
  readonly retired: number;
  /** Vector of EXIT_INTERRUPT and EXIT_EXCEPTION. */
  readonly detail: number;
  /** Address and #PF error code of EXIT_PAGE_FAULT. A non-canonical address has `faultNonCanonical` (Linux: SI_KERNEL, si_addr 0). */
  readonly faultAddress: number;
  readonly faultErrorCode: number;
  readonly faultNonCanonical: boolean;
  /** With faultNonCanonical: the access went through the stack segment (rsp or rbp as base, push, pop, call, ret): #SS instead of #GP. */
  readonly faultStackSegment?: boolean;
  /** First byte after what was ever written in the record arena; without it all of the arena counts as written. */
  readonly recordsEnd?: number;
  /** Something that makes it faster is on its way and comes in the host's own turns. */
  readonly awaitsHost?: boolean;
  /** The machine has ended: nothing runs any more. */
  release?(): void;
  /** How the work was done so far. */
  engineStats?(): EngineStats;
}
