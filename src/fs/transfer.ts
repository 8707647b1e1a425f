/** Where file bytes come from and go to: user memory, or a buffer of the kernel's own.
 *
 *  A file moves bytes chunk by chunk and gives up (pipe: consumes) only what the other side accepted, so nothing is lost
 *  when a user page faults or must be awaited half-way. `transferred` keeps the progress: after WOULD_BLOCK the same
 *  object is passed again, and after an error or a signal a positive `transferred` is the syscall's result (read(2), write(2)). */

/** Receives what a read produces. */
export interface ByteSink {
  /** Bytes still wanted. */
  readonly remaining: number;
  /** Bytes accepted so far, over all retries. */
  readonly transferred: number;
  /** 0, or why the last `put` took less than it was given: -EFAULT, or WOULD_BLOCK with the blocker named. */
  readonly stopped: number;
  /** Accepts up to `length` (at most `remaining`) bytes of `from` at `start`; returns how many. */
  put(from: Uint8Array, start: number, length: number): number;
  /** Accepts up to `length` zero bytes; returns how many. */
  putZeros(length: number): number;
}

/** Supplies what a write consumes. */
export interface ByteSource {
  readonly remaining: number;
  readonly transferred: number;
  readonly stopped: number;
  /** Copies up to `length` (at most `remaining`) bytes to `to` at `start`; returns how many. */
  take(to: Uint8Array, start: number, length: number): number;
  /** 0 when the next `length` bytes can be taken in one go, or WOULD_BLOCK with the blocker named. For writes that must not
   *  become two (PIPE_BUF). Bytes that cannot be read at all are ready: `take` says why. */
  ready(length: number): number;
  /** Consumes up to `length` bytes without looking at them (/dev/null does not even fault); returns how many. */
  skip(length: number): number;
}

/** Collects into a plain byte array. Never stops. */
export class BufferSink implements ByteSink {
  readonly bytes: Uint8Array;
  readonly stopped = 0;
  transferred = 0;

  constructor(capacity: number | Uint8Array) {
    this.bytes = typeof capacity === "number" ? new Uint8Array(capacity) : capacity;
  }

  get remaining(): number {
    return this.bytes.length - this.transferred;
  }

  put(from: Uint8Array, start: number, length: number): number {
    const count = Math.min(length, this.remaining);
    this.bytes.set(from.subarray(start, start + count), this.transferred);
    this.transferred += count;
    return count;
  }

  putZeros(length: number): number {
    const count = Math.min(length, this.remaining);
    this.bytes.fill(0, this.transferred, this.transferred + count);
    this.transferred += count;
    return count;
  }

  /** What has been received. */
  received(): Uint8Array {
    return this.bytes.subarray(0, this.transferred);
  }
}

/** Supplies from a plain byte array. Never stops. */
export class BufferSource implements ByteSource {
  readonly bytes: Uint8Array;
  readonly stopped = 0;
  transferred = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get remaining(): number {
    return this.bytes.length - this.transferred;
  }

  take(to: Uint8Array, start: number, length: number): number {
    const count = Math.min(length, this.remaining);
    to.set(this.bytes.subarray(this.transferred, this.transferred + count), start);
    this.transferred += count;
    return count;
  }

  ready(): number {
    return 0;
  }

  skip(length: number): number {
    const count = Math.min(length, this.remaining);
    this.transferred += count;
    return count;
  }
}
