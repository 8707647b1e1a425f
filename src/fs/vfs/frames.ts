/** Frames for file bytes: allocation that first tries what the page caches can spare, and the two ways to fill a frame. */
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { FsContext } from "../context.ts";

/** A frame with undefined contents, or 0 when there is none even after reclaiming file pages. */
export function allocFrame(context: FsContext): number {
  const frame = context.frames.alloc();
  if (frame !== 0) return frame;
  return context.caches.reclaim() > 0 ? context.frames.alloc() : 0;
}

/** A frame full of zeros, or 0. */
export function allocZeroFrame(context: FsContext): number {
  const frame = context.frames.allocZeroed();
  if (frame !== 0) return frame;
  return context.caches.reclaim() > 0 ? context.frames.allocZeroed() : 0;
}

/** Writes zeros over part of a frame that user code may have mapped. */
export function clearFrame(context: FsContext, frame: number, offset: number, length: number): void {
  const start = frame * PAGE_SIZE + offset;
  context.ram.u8.fill(0, start, start + length);
  context.bytesWritten(frame, offset, length);
}
