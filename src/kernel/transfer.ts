/** User memory as the receiver of what a file reads and the supplier of what it writes (fs/transfer.ts).
 *
 *  The file consumes only what user memory accepted, so a fault or an awaited page in the middle loses nothing.
 *  `transferred` outlives a park; the object is the call's state until the call ends. */
import { EFAULT } from "../abi/linux/errno.ts";
import { pageFloor } from "../base/bits.ts";
import type { ByteSink, ByteSource } from "../fs/transfer.ts";
import { blockOn } from "../fs/wait.ts";
import { READ } from "../memory/access.ts";
import { TRANSLATE_BLOCKED } from "../memory/mmu.ts";
import { PAGE_SIZE } from "../memory/physical-map.ts";
import { copyIn, copyOut, USER_BLOCKED } from "../vm/user-memory.ts";
import type { Call } from "./call.ts";

/** One iovec, or the plain buffer of read(2) and write(2). */
export interface UserSpan {
  readonly address: number;
  readonly length: number;
}

const ZEROS = new Uint8Array(4096);

class UserSpans {
  readonly #call: Call;
  readonly #spans: readonly UserSpan[];
  #index = 0;
  #offset = 0;
  remaining = 0;
  transferred = 0;
  stopped = 0;

  constructor(call: Call, spans: readonly UserSpan[]) {
    this.#call = call;
    this.#spans = spans;
    for (const span of spans) this.remaining += span.length;
  }

  /** The call is run, perhaps again: whatever stopped it is history. */
  begin(): this {
    this.stopped = 0;
    return this;
  }

  /** Moves up to `length` bytes with `copy(address, start, length)`, span by span. */
  protected move(length: number, copy: ((address: number, done: number, length: number) => number) | undefined): number {
    let done = 0;
    this.stopped = 0;
    while (done < length && this.remaining > 0) {
      const span = this.#spans[this.#index];
      const room = span.length - this.#offset;
      if (room === 0) {
        this.#index++;
        this.#offset = 0;
        continue;
      }
      const want = Math.min(room, length - done);
      const result = copy === undefined ? want : copy(span.address + this.#offset, done, want);
      const moved = result === USER_BLOCKED ? this.space.copied : result;
      if (moved > 0) {
        done += moved;
        this.#offset += moved;
        this.remaining -= moved;
        this.transferred += moved;
      }
      if (result === USER_BLOCKED) {
        this.stopped = blockOn(this.#call.kernel.blockedPage(this.space));
        break;
      }
      // After a partial count the next round starts at the byte that stopped it, and says why.
      if (moved <= 0) {
        this.stopped = -EFAULT;
        break;
      }
    }
    return done;
  }
  /** 0 when none of the next `length` bytes has to be awaited, else WOULD_BLOCK. */
  protected awaitPages(length: number): number {
    this.stopped = 0;
    let left = Math.min(length, this.remaining);
    let offset = this.#offset;
    for (let index = this.#index; left > 0; index++, offset = 0) {
      const { address, length: whole } = this.#spans[index];
      const end = address + offset + Math.min(whole - offset, left);
      for (let at = address + offset; at < end; at = pageFloor(at) + PAGE_SIZE) {
        if (this.space.translate(at, READ) !== TRANSLATE_BLOCKED) continue;
        this.stopped = blockOn(this.#call.kernel.blockedPage(this.space));
        return this.stopped;
      }
      left -= Math.min(whole - offset, left);
    }
    return 0;
  }
  protected get space() {
    return this.#call.task.image.space;
  }
}

export class UserSink extends UserSpans implements ByteSink {
  constructor(call: Call, address: number | readonly UserSpan[], length = 0) {
    super(call, typeof address === "number" ? [{ address, length }] : address);
  }
  put(from: Uint8Array, start: number, length: number): number {
    const { space } = this;
    return this.move(length, (address, done, count) => copyOut(space, address, from.subarray(start + done, start + done + count)));
  }
  putZeros(length: number): number {
    const { space } = this;
    return this.move(length, (address, _done, count) => copyOut(space, address, ZEROS.subarray(0, Math.min(count, ZEROS.length))));
  }
}

export class UserSource extends UserSpans implements ByteSource {
  constructor(call: Call, address: number | readonly UserSpan[], length = 0) {
    super(call, typeof address === "number" ? [{ address, length }] : address);
  }
  take(to: Uint8Array, start: number, length: number): number {
    const { space } = this;
    return this.move(length, (address, done, count) => copyIn(space, address, to.subarray(start + done, start + done + count)));
  }
  skip(length: number): number {
    return this.move(length, undefined);
  }
  ready(length: number): number {
    return this.awaitPages(length);
  }
}
