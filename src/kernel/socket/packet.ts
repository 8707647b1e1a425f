/** What waits in a socket's receive queue: bytes in guest frames, and what came along with them.
 *
 *  Frames count against the machine's memory like those of pipes. A packet holds one reference on every open file that
 *  travels in it until the files are taken out or the packet is dropped. */
import { ENOBUFS } from "../../abi/linux/errno.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { FsContext } from "../../fs/context.ts";
import type { ByteSink, ByteSource } from "../../fs/transfer.ts";
import type { OpenFile } from "../../fs/vfs/open-file.ts";
import { allocFrame } from "../../fs/vfs/frames.ts";
import type { UnixSocket } from "./unix-socket.ts";

/** Sender of a message, as SCM_CREDENTIALS and SO_PEERCRED tell it. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Control messages that travel with the bytes. */
export interface Ancillary {
  readonly files: readonly OpenFile[];
  readonly credentials: PeerCredentials;
}

/** Counts open files that are in messages, machine-wide. */
export interface TransitCount {
  filesInTransit: number;
}

export class Packet {
  readonly sender: UnixSocket;
  /** Address of the sender, "" when it has none. */
  readonly from: string;
  readonly credentials: PeerCredentials;
  #files: readonly OpenFile[] = [];
  readonly #transit: TransitCount;
  /** Bytes not read yet begin here. */
  start = 0;
  end = 0;
  readonly #context: FsContext;
  readonly #frames: number[] = [];

  constructor(context: FsContext, transit: TransitCount, sender: UnixSocket, from: string, credentials: PeerCredentials) {
    this.#context = context;
    this.#transit = transit;
    this.sender = sender;
    this.from = from;
    this.credentials = credentials;
  }

  get files(): readonly OpenFile[] {
    return this.#files;
  }
  /** The packet is complete and owns the references of the files from now on. */
  carry(files: readonly OpenFile[]): void {
    this.#files = files;
    this.#transit.filesInTransit += files.length;
  }
  /** The files and their references pass to the caller. */
  takeFiles(): readonly OpenFile[] {
    const files = this.#files;
    this.#files = [];
    this.#transit.filesInTransit -= files.length;
    return files;
  }

  get length(): number {
    return this.end - this.start;
  }
  /** What it counts for in the sender's buffer. */
  get charge(): number {
    return Math.max(this.#frames.length, 1) * PAGE_SIZE;
  }
  /** Room that costs no further frame. */
  get room(): number {
    return this.#frames.length * PAGE_SIZE - this.end;
  }

  /** Appends up to `length` bytes of `source`: 0, why the source stopped, or -ENOBUFS. */
  fill(source: ByteSource, length: number): number {
    for (let left = length; left > 0; ) {
      if (this.room === 0) {
        const frame = allocFrame(this.#context);
        if (frame === 0) return -ENOBUFS;
        this.#frames.push(frame);
      }
      const count = Math.min(left, this.room);
      const moved = source.take(this.#context.ram.u8, this.#address(this.end), count);
      this.end += moved;
      left -= moved;
      if (moved < count) return source.stopped;
    }
    return 0;
  }

  /** Gives bytes from `offset` after `start` on to the sink: 0 or why the sink stopped. Nothing is consumed. */
  peek(sink: ByteSink, offset: number): number {
    let at = this.start + offset;
    while (at < this.end && sink.remaining > 0) {
      const count = Math.min(this.end - at, PAGE_SIZE - (at % PAGE_SIZE), sink.remaining);
      const moved = sink.put(this.#context.ram.u8, this.#address(at), count);
      at += moved;
      if (moved < count) return sink.stopped;
    }
    return 0;
  }
  consume(bytes: number): void {
    this.start += bytes;
  }

  /** Gives everything back: frames, and files that nobody has taken. */
  drop(): void {
    for (const frame of this.#frames) this.#context.frames.release(frame);
    this.#frames.length = 0;
    for (const file of this.takeFiles()) file.release();
  }

  #address(position: number): number {
    return this.#frames[Math.floor(position / PAGE_SIZE)] * PAGE_SIZE + (position % PAGE_SIZE);
  }
}
