/** Keeps translated code honest: which frames hold bytes that the cpu has decoded, to the 64-byte line.
 *
 *  A marked frame is never in a write TLB entry, so every store to it comes through Mmu.writeBytes, user copies and page-in,
 *  and from there through {@link CodeGuard.written}. A store that touches only unmarked lines (data beside code) costs a
 *  bitmap test; one that touches a marked line tells the listener.
 *  Order: mark → write entries of the frame are dropped; write → bytes change → listener; release → listener → frame is free. */
import type { CodeListener } from "./access.ts";
import { FRAME_CODE } from "./frame-flags.ts";
import type { FrameAllocator } from "./frames.ts";
import type { Tlb } from "./tlb.ts";

const LINE_SHIFT = 6;
const WORDS_PER_FRAME = 2;

export class CodeGuard {
  /** Set once by the cpu. */
  listener: CodeListener | undefined;
  /** Called when a frame becomes marked: ranges that allow writes to it must go. Set once by the MMU. */
  onMark: ((frame: number) => void) | undefined;
  private readonly frames: FrameAllocator;
  private readonly tlb: Tlb;
  /** 64 bits a frame, bit n = line n holds decoded bytes. */
  private readonly lines: Uint32Array;

  constructor(frames: FrameAllocator, tlb: Tlb) {
    this.frames = frames;
    this.tlb = tlb;
    this.lines = new Uint32Array(frames.end * WORDS_PER_FRAME);
    frames.codeReleased = (frame) => this.released(frame);
  }

  /** True when `frame` holds translations. @hot */
  isMarked(frame: number): boolean {
    return (this.frames.flags[frame] & FRAME_CODE) !== 0;
  }

  /** Bytes [offset, offset+length) of `frame` have been decoded. */
  mark(frame: number, offset: number, length: number): void {
    if (length <= 0) return;
    if ((this.frames.flags[frame] & FRAME_CODE) === 0) {
      this.frames.flags[frame] |= FRAME_CODE;
      this.tlb.dropWritesTo(frame);
      this.onMark?.(frame);
    }
    const last = (offset + length - 1) >>> LINE_SHIFT;
    for (let line = offset >>> LINE_SHIFT; line <= last; line++) {
      this.lines[frame * WORDS_PER_FRAME + (line >>> 5)] |= 1 << (line & 31);
    }
  }

  /** Nothing decoded from `frame` is left. Called by the cpu when it has dropped its code. */
  unmark(frame: number): void {
    this.frames.flags[frame] &= ~FRAME_CODE;
    this.lines[frame * WORDS_PER_FRAME] = 0;
    this.lines[frame * WORDS_PER_FRAME + 1] = 0;
  }

  /** Bytes [offset, offset+length) of `frame` have just been stored. @hot */
  written(frame: number, offset: number, length: number): void {
    if ((this.frames.flags[frame] & FRAME_CODE) === 0 || length <= 0) return;
    const last = (offset + length - 1) >>> LINE_SHIFT;
    for (let line = offset >>> LINE_SHIFT; line <= last; line++) {
      if ((this.lines[frame * WORDS_PER_FRAME + (line >>> 5)] & (1 << (line & 31))) === 0) continue;
      this.listener?.codeWritten(frame, offset, length);
      return;
    }
  }

  /** The last reference to a marked frame is gone. */
  released(frame: number): void {
    this.unmark(frame);
    this.listener?.codeReleased(frame);
  }
}
