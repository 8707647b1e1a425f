/** The machine's time. Monotonic time is a plain number of nanoseconds since the machine started (exact for 104 days);
 *  wall-clock time is an offset from it that clock_settime can move.
 *
 *  A deterministic machine counts instructions instead of asking the host: one retired instruction is one nanosecond,
 *  and when every thread sleeps the clock jumps to the next deadline. */
import { NANOSECONDS } from "../abi/linux/time.ts";
import type { HostClock } from "../host/host.ts";

export interface InstructionCounter {
  /** Instructions retired on this machine up to now. */
  readonly instructions: number;
}

export class KernelClock {
  readonly deterministic: boolean;
  readonly #host: HostClock;
  readonly #counter: InstructionCounter;
  readonly #start: number;
  /** Nanoseconds jumped over while idle (deterministic machines only). */
  #skipped = 0;
  /** Wall clock at monotonic 0. */
  #wallSeconds: number;
  #wallNanoseconds: number;
  /** The result of the last {@link sample}. */
  seconds = 0;
  nanos = 0;

  constructor(host: HostClock, counter: InstructionCounter, deterministic: boolean) {
    this.#host = host;
    this.#counter = counter;
    this.deterministic = deterministic;
    this.#start = host.monotonic();
    this.#wallSeconds = host.realtimeSeconds();
    this.#wallNanoseconds = host.realtimeNanoseconds();
  }

  /** Monotonic nanoseconds since the machine started. @hot */
  now(): number {
    return this.deterministic ? this.#counter.instructions + this.#skipped : Math.floor(this.#host.monotonic() - this.#start);
  }

  /** Reads the wall clock into `seconds` and `nanos` without allocating. */
  sample(): void {
    const nanoseconds = this.now() + this.#wallNanoseconds;
    const carry = Math.floor(nanoseconds / NANOSECONDS);
    this.seconds = this.#wallSeconds + carry;
    this.nanos = nanoseconds - carry * NANOSECONDS;
  }

  /** clock_settime(CLOCK_REALTIME). */
  setWallClock(seconds: number, nanoseconds: number): void {
    const now = this.now();
    const back = Math.floor(now / NANOSECONDS);
    this.#wallSeconds = seconds - back;
    this.#wallNanoseconds = nanoseconds - (now - back * NANOSECONDS);
    if (this.#wallNanoseconds < 0) {
      this.#wallNanoseconds += NANOSECONDS;
      this.#wallSeconds--;
    }
  }
  /** Monotonic time of a wall-clock moment (absolute timeouts on CLOCK_REALTIME). */
  monotonicOf(seconds: number, nanoseconds: number): number {
    return (seconds - this.#wallSeconds) * NANOSECONDS + (nanoseconds - this.#wallNanoseconds);
  }

  /** Deterministic machines only: nobody can run before `deadline`, so let it be that time. */
  jumpTo(deadline: number): void {
    const now = this.now();
    if (deadline > now) this.#skipped += deadline - now;
  }
}
