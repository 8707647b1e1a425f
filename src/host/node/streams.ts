/** Standard streams of the Node process as the guest's, byte for byte and with back-pressure. */
import type { Readable, Writable } from "node:stream";
import type { HostInput, HostOutput } from "../host.ts";

/** Reads a Node stream on demand; nothing is consumed that the guest did not ask for, beyond one chunk. */
export class StreamInput implements HostInput {
  readonly #open: () => Readable;
  #stream!: Readable;
  #started = false;
  #ended = false;
  #waiting: ((bytes: Uint8Array | null) => void) | undefined;

  /** @param stream or what opens it: Node loads a good part of itself for the streams of a process, which not every guest reads. */
  constructor(stream: Readable | (() => Readable)) {
    this.#open = typeof stream === "function" ? stream : () => stream;
  }
  pull(deliver: (bytes: Uint8Array | null) => void): void {
    if (this.#ended) {
      deliver(null);
      return;
    }
    this.#waiting = deliver;
    if (!this.#started) {
      this.#started = true;
      this.#stream = this.#open();
      this.#stream.on("data", (chunk: Uint8Array) => {
        this.#stream.pause();
        this.#give(new Uint8Array(chunk));
      });
      this.#stream.once("end", () => this.#end());
      this.#stream.once("error", () => this.#end());
      this.#stream.once("close", () => this.#end());
    }
    this.#stream.resume();
  }
  /** Lets the Node process end although nobody read to the end. */
  close(): void {
    this.#waiting = undefined;
    if (!this.#started) return;
    this.#stream.pause();
    const { unref } = this.#stream as unknown as { unref?: () => void };
    if (unref !== undefined) unref.call(this.#stream);
  }
  #give(bytes: Uint8Array | null): void {
    const deliver = this.#waiting;
    this.#waiting = undefined;
    deliver?.(bytes);
  }
  #end(): void {
    this.#ended = true;
    this.#give(null);
  }
}

/** Writes to a Node stream; "full" is the stream's own high-water mark. A reader that went away makes it {@link broken}. */
export class StreamOutput implements HostOutput {
  readonly #open: () => Writable;
  #opened: Writable | undefined;
  broken = false;
  #resume: (() => void) | undefined;

  /** @param stream or what opens it, at the first write. */
  constructor(stream: Writable | (() => Writable)) {
    this.#open = typeof stream === "function" ? stream : () => stream;
    if (typeof stream !== "function") this.#stream();
  }
  write(bytes: Uint8Array): boolean {
    if (this.broken) return true;
    return this.#stream().write(bytes.slice());
  }
  drained(resume: () => void): void {
    if (this.broken || this.#opened?.writableNeedDrain !== true) resume();
    else this.#resume = resume;
  }
  /** Settles when everything written has left the process. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      const stream = this.#opened;
      if (this.broken || stream === undefined || stream.writableLength === 0) resolve();
      else stream.write("", () => resolve());
    });
  }
  #stream(): Writable {
    if (this.#opened !== undefined) return this.#opened;
    const stream = this.#open();
    this.#opened = stream;
    stream.on("error", () => {
      this.broken = true;
      this.#wake();
    });
    stream.on("drain", () => this.#wake());
    return stream;
  }
  #wake(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}
