/** Signals that were sent and not yet taken: one queue for a thread, one for its process (signal(7)).
 *
 *  A standard signal is pending at most once, with the first sender's details; real-time signals queue, in order,
 *  as far as RLIMIT_SIGPENDING lets them. */
import { SI_USER, SIGRTMIN } from "../../abi/linux/signal.ts";
import { SignalSet } from "./signal-set.ts";

/** What a siginfo says besides the signal's number. */
export interface SignalInfo {
  readonly signal: number;
  readonly code: number;
  readonly errno?: number;
  /** Sender, or child for SIGCHLD. */
  readonly pid?: number;
  readonly uid?: number;
  /** si_addr of a fault. */
  readonly address?: number;
  /** SIGCHLD: exit code or signal; times in clock ticks. */
  readonly status?: number;
  readonly utime?: number;
  readonly stime?: number;
  /** sigqueue's value, low and high u32. */
  readonly valueLow?: number;
  readonly valueHigh?: number;
  /** POSIX timers. */
  readonly timerId?: number;
  readonly overrun?: number;
  /** The whole siginfo as rt_sigqueueinfo gave it. */
  readonly raw?: Uint8Array;
  /** The processor's view of a fault, for the mcontext: vector, #PF error code, cr2. */
  readonly trap?: { readonly vector: number; readonly error: number; readonly cr2: number };
  /** Called when the signal is taken (timers re-arm and count overruns from there). */
  readonly taken?: () => SignalInfo;
}

export class PendingSignals {
  readonly set = new SignalSet();
  readonly #queue: SignalInfo[] = [];

  /** Whether the signal was queued: a standard signal that is pending already is merged (false). */
  add(info: SignalInfo): boolean {
    if (info.signal < SIGRTMIN && this.set.has(info.signal)) return false;
    this.set.add(info.signal);
    this.#queue.push(info);
    return true;
  }
  /** Number of queued entries, which RLIMIT_SIGPENDING bounds. */
  get length(): number {
    return this.#queue.length;
  }
  /** Removes and returns the oldest entry of `signal`, which must be pending. */
  take(signal: number): SignalInfo {
    const index = this.#queue.findIndex((entry) => entry.signal === signal);
    const info: SignalInfo = index < 0 ? { signal, code: SI_USER, pid: 0, uid: 0 } : this.#queue[index];
    if (index >= 0) this.#queue.splice(index, 1);
    if (!this.#queue.some((entry) => entry.signal === signal)) this.set.delete(signal);
    return info;
  }
  /** A signal that was taken and could not be delivered yet: the first of its number again. */
  putBack(info: SignalInfo): void {
    this.set.add(info.signal);
    this.#queue.unshift(info);
  }
  /** Forgets every entry of `signal`. */
  discard(signal: number): void {
    if (!this.set.has(signal)) return;
    this.set.delete(signal);
    for (let index = this.#queue.length - 1; index >= 0; index--) {
      if (this.#queue[index].signal === signal) this.#queue.splice(index, 1);
    }
  }
  /** Some entry that `accepts` likes: a timer's own pending signal, for instance. */
  some(accepts: (info: SignalInfo) => boolean): boolean {
    return this.#queue.some(accepts);
  }
  clear(): void {
    this.set.set(0, 0);
    this.#queue.length = 0;
  }
}
