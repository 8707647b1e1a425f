/** Memories of machines that have ended, kept for the machines to come.
 *
 *  Why: an engine counts the whole size of a memory as pressure on its garbage collector, touched or not, so a process that runs
 *  one small machine after the other collects everything for each of them (figures in docs/decisions/0006-memories-are-used-again.md).
 *
 *  Invariants
 *  - A memory in here is zero in every byte, as a new one is, and no Ram has a view of it.
 *  - What guests have written adds up to at most KEPT_BYTES over all lives of a memory: the host never keeps more than that
 *    committed for one. A machine that wrote more leaves its memory to the garbage collector. */
import type { FrameAllocator } from "./frames.ts";
import { PAGE_SHIFT, RECORD_BASE } from "./physical-map.ts";
import type { Ram } from "./ram.ts";

const KEPT_MEMORIES = 8;
const KEPT_BYTES = 16 << 20;

/** A memory without an owner. */
export interface SpareMemory {
  readonly memory: WebAssembly.Memory;
  /** Bytes that guests have written in it, over all its lives. */
  readonly written: number;
}

/** Oldest first. */
const spares: SpareMemory[] = [];

/** A memory of exactly `bytes` zeros, or undefined when there is none to use again. */
export function takeSpare(bytes: number): SpareMemory | undefined {
  const index = spares.findLastIndex(({ memory }) => memory.buffer.byteLength === bytes);
  return index < 0 ? undefined : spares.splice(index, 1)[0];
}

/** Takes the memory of a machine that has ended, and keeps it when that is worth it. `ram` is not used again.
 *  @param recordsEnd first byte after what the processor wrote in the record arena */
export function giveBack(ram: Ram, frames: FrameAllocator, recordsEnd: number): void {
  const records = recordsEnd - RECORD_BASE;
  const touched = frames.touched((KEPT_BYTES - ram.writtenBefore - records) >> PAGE_SHIFT);
  if (touched !== undefined) {
    for (const frame of touched) ram.zeroFrame(frame);
    ram.u8.fill(0, 0, recordsEnd);
  }
  const memory = ram.detach();
  if (touched === undefined) return;
  if (spares.length === KEPT_MEMORIES) spares.shift();
  spares.push({ memory, written: ram.writtenBefore + records + (touched.length << PAGE_SHIFT) });
}
