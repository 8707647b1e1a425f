/** read and write over the pages of a regular file.
 *
 *  Progress is the sink's or source's `transferred`; a stop in the middle leaves both sides consistent, and the same call
 *  with the position moved on continues. A frame is retained while its bytes are on their way: the other side may be user
 *  memory, whose faults may reclaim page cache frames. */
import { EFBIG } from "../../abi/linux/errno.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { FsContext } from "../context.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import { type FilePages, HOLE } from "./file-pages.ts";

/** Sizes and offsets stay exact below this. */
export const MAX_FILE_SIZE = Number.MAX_SAFE_INTEGER;

/** Moves bytes from `position` on into `sink`, up to the end of the file. 0 when the sink is full or the file has ended;
 *  else why it stopped: -errno or WOULD_BLOCK. */
export function readPages(context: FsContext, pages: FilePages, sink: ByteSink, position: number): number {
  const u8 = context.ram.u8;
  const frames = context.frames;
  let at = position;
  while (sink.remaining > 0) {
    const left = pages.size - at;
    if (left <= 0) return 0;
    const within = at % PAGE_SIZE;
    const length = Math.min(PAGE_SIZE - within, left, sink.remaining);
    const frame = pages.peek(Math.floor(at / PAGE_SIZE));
    if (frame < 0) return frame;
    let moved: number;
    if (frame === HOLE) {
      moved = sink.putZeros(length);
    } else {
      frames.retain(frame);
      moved = sink.put(u8, frame * PAGE_SIZE + within, length);
      frames.release(frame);
    }
    at += moved;
    if (moved < length) return sink.stopped;
  }
  return 0;
}

/** Moves bytes from `source` to the file from `position` on, extending it. Returns like {@link readPages}. */
export function writePages(context: FsContext, pages: FilePages, source: ByteSource, position: number): number {
  const u8 = context.ram.u8;
  const frames = context.frames;
  let at = position;
  while (source.remaining > 0) {
    if (at >= MAX_FILE_SIZE) return -EFBIG;
    const within = at % PAGE_SIZE;
    const length = Math.min(PAGE_SIZE - within, source.remaining, MAX_FILE_SIZE - at);
    const frame = pages.peekForWrite(Math.floor(at / PAGE_SIZE));
    if (frame < 0) return frame;
    frames.retain(frame);
    const moved = source.take(u8, frame * PAGE_SIZE + within, length);
    if (moved > 0) pages.wrote(frame, within, moved);
    frames.release(frame);
    at += moved;
    if (moved > 0 && at > pages.size) pages.grow(at);
    if (moved < length) return source.stopped;
  }
  return 0;
}
