/** signalfd(2): signals of the reading process as records. What is pending depends on who reads, so nothing is kept here but
 *  the set that is wanted; readers sleep on their own process's signal arrivals. */
import { EAGAIN, EINVAL } from "../abi/linux/errno.ts";
import { O_RDWR } from "../abi/linux/fcntl.ts";
import { POLLIN, POLLRDNORM } from "../abi/linux/poll.ts";
import { SI_TIMER, SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSTOP, SIGTRAP } from "../abi/linux/signal.ts";
import { OpenFile } from "../fs/vfs/open-file.ts";
import type { ByteSink } from "../fs/transfer.ts";
import { blockOn } from "../fs/wait.ts";
import type { Kernel } from "./kernel.ts";
import { objectsOf } from "./objects.ts";
import { taken } from "./signal/deliver.ts";
import type { SignalInfo } from "./signal/pending.ts";
import { SignalSet } from "./signal/signal-set.ts";
import type { Task } from "./task.ts";

/** struct signalfd_siginfo. */
const RECORD_BYTES = 128;

export class SignalFile extends OpenFile {
  readonly #kernel: Kernel;
  /** Asked when nobody runs: epoll looks at readiness from a wake-up. */
  readonly #creator: Task;
  readonly #wanted = new SignalSet();
  /** The record being read, until the reader has all of it. */
  #half: { readonly bytes: Uint8Array; done: number } | undefined;

  constructor(kernel: Kernel, creator: Task, wanted: SignalSet, flags: number) {
    const { inode, location } = objectsOf(kernel).anonymousPlace("[signalfd]");
    super(inode, location, O_RDWR | flags, creator.process.signalArrivals);
    this.#kernel = kernel;
    this.#creator = creator;
    this.setWanted(wanted);
  }

  setWanted(wanted: SignalSet): void {
    this.#wanted.copy(wanted);
    this.#wanted.delete(SIGKILL);
    this.#wanted.delete(SIGSTOP);
    this.waiters.wakeAll();
  }

  protected override readStream(sink: ByteSink): number {
    const task = this.#reader();
    if (sink.transferred === 0 && sink.remaining < RECORD_BYTES) return -EINVAL;
    for (;;) {
      if (this.#half === undefined) {
        if (sink.remaining < RECORD_BYTES) return sink.transferred;
        const info = this.#take(task);
        if (info === undefined) break;
        this.#half = { bytes: recordOf(info), done: 0 };
      }
      const half = this.#half;
      half.done += sink.put(half.bytes, half.done, RECORD_BYTES - half.done);
      if (half.done < RECORD_BYTES) return sink.stopped;
      this.#half = undefined;
    }
    if (sink.transferred > 0) return sink.transferred;
    return this.nonBlocking ? -EAGAIN : blockOn(task.process.signalArrivals);
  }

  override readiness(): number {
    const task = this.#reader();
    return this.#half !== undefined || this.#first(task) !== 0 ? POLLIN | POLLRDNORM : 0;
  }
  /** There is one position, and seeking to it succeeds (noop_llseek). */
  override seek(): number {
    return 0;
  }
  override get pollable(): boolean {
    return true;
  }
  override describe(): string {
    const word = (BigInt(this.#wanted.high) << 32n) | BigInt(this.#wanted.low);
    return `sigmask:\t${word.toString(16).padStart(16, "0")}\n`;
  }

  #reader(): Task {
    return this.#kernel.scheduler.current ?? this.#creator;
  }
  #first(task: Task): number {
    const { low, high } = this.#wanted;
    for (const set of [task.pending.set, task.process.pending.set]) {
      const both = new SignalSet();
      both.set(set.low & low, set.high & high);
      const signal = both.firstOutside(NOTHING);
      if (signal !== 0) return signal;
    }
    return 0;
  }
  #take(task: Task): SignalInfo | undefined {
    const signal = this.#first(task);
    if (signal === 0) return undefined;
    const queue = task.pending.set.has(signal) ? task.pending : task.process.pending;
    return taken(queue.take(signal));
  }
}
const NOTHING = new SignalSet();
const FAULTS: readonly number[] = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV];

/** struct signalfd_siginfo: u32 signo, s32 errno, s32 code, u32 pid, uid, s32 fd, u32 tid, band, overrun, trapno, s32 status,
 *  int; u64 ptr, utime, stime, addr. */
function recordOf(info: SignalInfo): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, info.signal, true);
  view.setInt32(4, info.errno ?? 0, true);
  view.setInt32(8, info.code, true);
  if (info.code === SI_TIMER) {
    view.setUint32(24, info.timerId ?? 0, true);
    view.setUint32(32, info.overrun ?? 0, true);
  } else {
    view.setUint32(12, info.pid ?? 0, true);
    view.setUint32(16, info.uid ?? 0, true);
  }
  if (info.signal === SIGCHLD && info.code > 0) {
    view.setInt32(40, info.status ?? 0, true);
    view.setUint32(56, info.utime ?? 0, true);
    view.setUint32(64, info.stime ?? 0, true);
  } else {
    view.setUint32(44, info.valueLow ?? 0, true);
    view.setUint32(48, info.valueLow ?? 0, true);
    view.setUint32(52, info.valueHigh ?? 0, true);
  }
  if (info.address !== undefined && FAULTS.includes(info.signal)) {
    view.setUint32(72, info.address >>> 0, true);
    view.setUint32(76, Math.floor(info.address / 0x1_0000_0000) >>> 0, true);
  }
  return bytes;
}
