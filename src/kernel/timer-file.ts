/** timerfd_create(2): a timer that is read instead of sending a signal. Reading gives the number of expirations since the
 *  last read; each period counts from the one before, so a late reader loses none. */
import { EAGAIN, EINVAL } from "../abi/linux/errno.ts";
import { O_RDWR } from "../abi/linux/fcntl.ts";
import { POLLIN, POLLRDNORM } from "../abi/linux/poll.ts";
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, NANOSECONDS } from "../abi/linux/time.ts";
import { OpenFile } from "../fs/vfs/open-file.ts";
import type { ByteSink } from "../fs/transfer.ts";
import { blockOn } from "../fs/wait.ts";
import type { Kernel } from "./kernel.ts";
import { objectsOf } from "./objects.ts";
import type { Timer } from "./timers.ts";

/** Nanoseconds. */
export interface TimerSetting {
  readonly interval: number;
  /** Until the next expiration; 0 for a stopped timer. */
  readonly value: number;
}

export class TimerFile extends OpenFile {
  readonly clock: number;
  readonly #kernel: Kernel;
  #timer: Timer | undefined;
  /** Moment of the next expiration on the monotonic clock. */
  #next = 0;
  #interval = 0;
  /** Expirations that nobody has read. */
  #ticks = 0;
  /** settime's flags, for fdinfo. */
  #settimeFlags = 0;

  constructor(kernel: Kernel, clock: number, flags: number) {
    const { inode, location } = objectsOf(kernel).anonymousPlace("[timerfd]");
    super(inode, location, O_RDWR | flags);
    this.#kernel = kernel;
    this.clock = clock;
  }

  /** @param first moment of the first expiration on the monotonic clock, or Infinity to stop the timer */
  set(first: number, interval: number, flags: number): void {
    this.#stop();
    this.#ticks = 0;
    this.#settimeFlags = flags;
    // A stopped timer remembers its interval.
    this.#interval = interval;
    if (first < Infinity) this.#arm(first);
  }

  get(): TimerSetting {
    if (this.#timer === undefined) return { interval: this.#interval, value: 0 };
    return { interval: this.#interval, value: Math.max(this.#next - this.#kernel.clock.now(), 1) };
  }

  protected override readStream(sink: ByteSink): number {
    if (sink.remaining < 8 && sink.transferred === 0) return -EINVAL;
    if (this.#ticks === 0) return this.nonBlocking ? -EAGAIN : blockOn(this.waiters);
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.#ticks >>> 0, true);
    view.setUint32(4, Math.floor(this.#ticks / 0x1_0000_0000), true);
    sink.put(bytes, sink.transferred, 8 - sink.transferred);
    // A count that did not arrive is kept for the next read.
    if (sink.transferred < 8) return sink.stopped;
    this.#ticks = 0;
    return 8;
  }

  override readiness(): number {
    return this.#ticks > 0 ? POLLIN | POLLRDNORM : 0;
  }
  /** There is one position, and seeking to it succeeds (noop_llseek). */
  override seek(): number {
    return 0;
  }
  override get pollable(): boolean {
    return true;
  }
  override describe(): string {
    const { interval, value } = this.get();
    const pair = (nanoseconds: number): string => `(${Math.floor(nanoseconds / NANOSECONDS)}, ${nanoseconds % NANOSECONDS})`;
    return `clockid: ${this.clock}\nticks: ${this.#ticks}\nsettime flags: 0${this.#settimeFlags.toString(8)}\nit_value: ${pair(value)}\nit_interval: ${pair(interval)}\n`;
  }

  protected override closed(): void {
    this.#stop();
  }

  #arm(moment: number): void {
    this.#next = moment;
    this.#timer = this.#kernel.timers.add(moment, () => {
      this.#timer = undefined;
      this.#ticks++;
      if (this.#interval > 0) {
        const missed = Math.max(0, Math.floor((this.#kernel.clock.now() - this.#next) / this.#interval));
        this.#ticks += missed;
        this.#arm(this.#next + (missed + 1) * this.#interval);
      }
      this.waiters.wakeAll();
    });
  }
  #stop(): void {
    if (this.#timer !== undefined) this.#kernel.timers.cancel(this.#timer);
    this.#timer = undefined;
  }
}
export const TIMER_FILE_CLOCKS: readonly number[] = [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME];
