/** eventfd(2): a counter that is written by adding and read by taking. */
import { EAGAIN, EINVAL } from "../abi/linux/errno.ts";
import { O_RDWR } from "../abi/linux/fcntl.ts";
import { POLLERR, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../abi/linux/poll.ts";
import { OpenFile } from "../fs/vfs/open-file.ts";
import type { ByteSink, ByteSource } from "../fs/transfer.ts";
import { blockOn } from "../fs/wait.ts";
import type { Kernel } from "./kernel.ts";
import { objectsOf } from "./objects.ts";

const ONE = 1n;
/** The counter's largest value; one more is the overflow mark that is never reached by writing. */
const LARGEST = 0xffff_ffff_ffff_fffen;

export class EventFile extends OpenFile {
  #count: bigint;
  /** EFD_SEMAPHORE: a read takes one instead of all. */
  readonly #semaphore: boolean;
  readonly #id: number;

  constructor(kernel: Kernel, initial: number, kind: "counter" | "semaphore", flags: number) {
    const { inode, location } = objectsOf(kernel).anonymousPlace("[eventfd]");
    super(inode, location, O_RDWR | flags);
    this.#count = BigInt(initial);
    this.#semaphore = kind === "semaphore";
    this.#id = inode.ino;
  }

  protected override readStream(sink: ByteSink): number {
    if (sink.transferred === 0 && sink.remaining < 8) return -EINVAL;
    if (this.#count === 0n) return this.nonBlocking ? -EAGAIN : blockOn(this.waiters);
    const taken = this.#semaphore ? ONE : this.#count;
    const bytes = wordOf(taken);
    sink.put(bytes, sink.transferred, 8 - sink.transferred);
    // What did not arrive is not taken.
    if (sink.transferred < 8) return sink.stopped;
    this.#count -= taken;
    this.waiters.wakeAll();
    return 8;
  }

  protected override writeStream(source: ByteSource): number {
    if (source.transferred === 0 && source.remaining < 8) return -EINVAL;
    if (source.transferred < 8) {
      const missing = 8 - source.transferred;
      if (source.take(this.#incoming, source.transferred, missing) < missing) return source.stopped;
    }
    const added = new DataView(this.#incoming.buffer).getBigUint64(0, true);
    if (added > LARGEST) return -EINVAL;
    if (this.#count + added > LARGEST) return this.nonBlocking ? -EAGAIN : blockOn(this.waiters);
    this.#count += added;
    this.waiters.wakeAll();
    return 8;
  }
  readonly #incoming = new Uint8Array(8);

  override readiness(): number {
    let state = 0;
    if (this.#count > 0n) state |= POLLIN | POLLRDNORM;
    if (this.#count < LARGEST) state |= POLLOUT | POLLWRNORM;
    if (this.#count > LARGEST) state |= POLLERR;
    return state;
  }
  /** There is one position, and seeking to it succeeds (noop_llseek). */
  override seek(): number {
    return 0;
  }
  override get pollable(): boolean {
    return true;
  }
  override describe(): string {
    return `eventfd-count: ${this.#count.toString(16).padStart(16)}\neventfd-id: ${this.#id}\neventfd-semaphore: ${this.#semaphore ? 1 : 0}\n`;
  }
}

function wordOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}
