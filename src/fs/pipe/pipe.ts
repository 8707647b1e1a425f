/** The buffer of a pipe or FIFO (pipe(7)): a ring of slots, each one frame with the bytes of one or more writes.
 *
 *  Slots, not bytes, are what fills up, exactly as on Linux: a write joins the last slot only when all that does not fill
 *  whole pages fits there. So a write of at most PIPE_BUF bytes needs one slot or none and is atomic by construction, and
 *  a non-blocking writer sees EAGAIN after the same number of bytes.
 *
 *  Invariant: `used` slots from `first` on hold frames and at least one byte each. One emptied frame is kept for the next write. */
import { EBUSY, EINVAL, ENOMEM, EPERM } from "../../abi/linux/errno.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { FsContext } from "../context.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import { allocFrame } from "../vfs/frames.ts";
import { WaitQueue } from "../wait.ts";

export const DEFAULT_PIPE_BYTES = 65_536;
/** /proc/sys/fs/pipe-max-size. Nobody here has CAP_SYS_RESOURCE, which would allow more. */
export const MAX_PIPE_BYTES = 1_048_576;

export class Pipe {
  /** Woken when bytes or room appear, or an end is opened or closed. */
  readonly waiters = new WaitQueue();
  readers = 0;
  writers = 0;
  /** Ends ever opened: a FIFO's open waits for the other side's number to change. */
  readerOpens = 0;
  writerOpens = 0;
  /** Bytes inside (FIONREAD). */
  bytes = 0;
  private readonly context: FsContext;
  private slots: number;
  private first = 0;
  private used = 0;
  private frames: Int32Array;
  private starts: Uint16Array;
  private lengths: Uint16Array;
  private spare = 0;

  constructor(context: FsContext) {
    this.context = context;
    this.slots = DEFAULT_PIPE_BYTES / PAGE_SIZE;
    this.frames = new Int32Array(this.slots);
    this.starts = new Uint16Array(this.slots);
    this.lengths = new Uint16Array(this.slots);
  }

  get empty(): boolean {
    return this.used === 0;
  }
  get full(): boolean {
    return this.used === this.slots;
  }
  get capacity(): number {
    return this.slots * PAGE_SIZE;
  }

  /** Moves bytes to `sink` until it is full or the pipe is empty: 0, or why the sink stopped. */
  read(sink: ByteSink): number {
    const u8 = this.context.ram.u8;
    const wasFull = this.full;
    let result = 0;
    while (this.used > 0 && sink.remaining > 0) {
      const slot = this.first;
      const wanted = Math.min(this.lengths[slot], sink.remaining);
      const moved = sink.put(u8, this.frames[slot] * PAGE_SIZE + this.starts[slot], wanted);
      this.consume(moved);
      if (moved < wanted) {
        result = sink.stopped;
        break;
      }
    }
    if (wasFull && !this.full) this.waiters.wakeAll();
    return result;
  }

  /** Moves bytes from `source` until it is used up or the pipe is full: 0, why the source stopped, or -ENOMEM. */
  write(source: ByteSource): number {
    const before = this.bytes;
    let result = source.transferred === 0 ? this.joinLast(source) : 0;
    while (result === 0 && source.remaining > 0 && !this.full) result = this.addSlot(source);
    // Also when there were bytes before: an edge-triggered epoll(7) reports every arrival.
    if (this.bytes > before) this.waiters.wakeAll();
    return result;
  }

  /** fcntl(F_SETPIPE_SZ): the new capacity, a power of two pages; -EBUSY when more is in use, -EPERM above the limit. */
  resize(bytes: number): number {
    if (bytes > 0x8000_0000 || bytes < 0) return -EINVAL;
    let slots = 1;
    while (slots * PAGE_SIZE < bytes) slots *= 2;
    if (slots * PAGE_SIZE > MAX_PIPE_BYTES) return -EPERM;
    if (slots < this.used) return -EBUSY;
    const frames = new Int32Array(slots);
    const starts = new Uint16Array(slots);
    const lengths = new Uint16Array(slots);
    for (let i = 0; i < this.used; i++) {
      const slot = (this.first + i) % this.slots;
      frames[i] = this.frames[slot];
      starts[i] = this.starts[slot];
      lengths[i] = this.lengths[slot];
    }
    const wasFull = this.full;
    this.slots = slots;
    this.first = 0;
    this.frames = frames;
    this.starts = starts;
    this.lengths = lengths;
    if (wasFull && !this.full) this.waiters.wakeAll();
    return this.capacity;
  }

  /** Both ends are closed: every frame goes back. */
  destroy(): void {
    while (this.used > 0) this.consume(this.lengths[this.first]);
    if (this.spare !== 0) this.context.frames.release(this.spare);
    this.spare = 0;
  }

  /** Puts what does not fill whole pages into the last slot when it fits there: 0, or why the source stopped. */
  private joinLast(source: ByteSource): number {
    const odd = source.remaining % PAGE_SIZE;
    if (odd === 0 || this.used === 0) return 0;
    const slot = (this.first + this.used - 1) % this.slots;
    const end = this.starts[slot] + this.lengths[slot];
    if (end + odd > PAGE_SIZE) return 0;
    if (source.ready(odd) !== 0) return source.stopped;
    const moved = source.take(this.context.ram.u8, this.frames[slot] * PAGE_SIZE + end, odd);
    this.lengths[slot] += moved;
    this.bytes += moved;
    return moved < odd ? source.stopped : 0;
  }

  /** Fills one more slot: 0, -ENOMEM, or why the source stopped. */
  private addSlot(source: ByteSource): number {
    const wanted = Math.min(PAGE_SIZE, source.remaining);
    // A slot is filled in one go: what others see of a write of PIPE_BUF bytes is all or nothing.
    if (source.ready(wanted) !== 0) return source.stopped;
    const frame = this.takeFrame();
    if (frame === 0) return -ENOMEM;
    const moved = source.take(this.context.ram.u8, frame * PAGE_SIZE, wanted);
    if (moved === 0) {
      this.giveFrame(frame);
      return source.stopped;
    }
    const slot = (this.first + this.used) % this.slots;
    this.frames[slot] = frame;
    this.starts[slot] = 0;
    this.lengths[slot] = moved;
    this.used++;
    this.bytes += moved;
    return moved < wanted ? source.stopped : 0;
  }

  /** Takes `count` bytes, which all lie in the first slot, out of the pipe. */
  private consume(count: number): void {
    const slot = this.first;
    this.starts[slot] += count;
    this.lengths[slot] -= count;
    this.bytes -= count;
    if (this.lengths[slot] > 0) return;
    this.giveFrame(this.frames[slot]);
    this.frames[slot] = 0;
    this.first = (slot + 1) % this.slots;
    this.used--;
  }

  private takeFrame(): number {
    if (this.spare === 0) return allocFrame(this.context);
    const frame = this.spare;
    this.spare = 0;
    return frame;
  }

  private giveFrame(frame: number): void {
    if (this.spare === 0) this.spare = frame;
    else this.context.frames.release(frame);
  }
}
