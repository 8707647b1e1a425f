/** What every filesystem needs from the machine around it. One FsContext per machine; the machine supplies the pieces. */
import type { FrameAllocator } from "../memory/frames.ts";
import type { Ram } from "../memory/ram.ts";
import type { DeviceTable } from "./devfs/device-table.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import type { PageCaches } from "./vfs/page-caches.ts";

/** The realtime clock. `sample` refreshes the two fields, so that stamping a file allocates nothing. */
export interface FsClock {
  sample(): void;
  /** Seconds since 1970 at the last sample. */
  seconds: number;
  /** 0…999,999,999. */
  nanos: number;
}

/** Fills a buffer with random bytes, from the host or from the deterministic seed. */
export type RandomFill = (into: Uint8Array) => void;

/** `readAhead` of a machine that is not told otherwise. */
export const READ_AHEAD_PAGES = 16;

export interface FsContext {
  readonly ram: Ram;
  readonly frames: FrameAllocator;
  readonly clock: FsClock;
  readonly random: RandomFill;
  /** Frames and inodes that files kept in memory may use altogether. */
  readonly budget: MemoryBudget;
  /** Every page cache that can give clean frames back. */
  readonly caches: PageCaches;
  readonly devices: DeviceTable;
  /** A device number for one more filesystem. */
  nextDevice(): number;
  /** Pages read from a provider in one go. */
  readAhead: number;
  /** Bytes of a frame that may hold translated code were replaced by a file write or a page-in. */
  bytesWritten(frame: number, offset: number, length: number): void;
}
