/** A timer of timer_create(2): expires on some clock and sends a signal, or only counts.
 *
 *  At most one signal of a timer is pending at a time. Expirations while it is pending are overruns, counted when the signal
 *  is taken; an interval timer is armed again at that moment, as Linux does (timer_getoverrun(2)). */
import { SI_TIMER } from "../abi/linux/signal.ts";
import { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, SIGEV_NONE } from "../abi/linux/time.ts";
import type { Kernel } from "./kernel.ts";
import type { Process } from "./process.ts";
import type { SignalInfo } from "./signal/pending.ts";
import { sendToProcess, sendToTask } from "./signal/send.ts";
import type { Task } from "./task.ts";
import type { Timer } from "./timers.ts";

const OVERRUN_MAX = 0x7fff_ffff;

export interface TimerEvent {
  /** SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD or SIGEV_THREAD_ID. */
  readonly notify: number;
  readonly signal: number;
  readonly valueLow: number;
  readonly valueHigh: number;
  /** SIGEV_THREAD_ID: who gets it. */
  readonly task: Task | undefined;
}

export class PosixTimer {
  readonly id: number;
  readonly clock: number;
  readonly #kernel: Kernel;
  readonly #process: Process;
  readonly #event: TimerEvent;
  #timer: Timer | undefined;
  /** Moment of the next expiration, in the timer's clock as nanoseconds since the machine started. */
  #next = 0;
  #interval = 0;
  #armed = false;
  #pending = false;
  /** Overruns of the last signal taken. */
  #overrun = 0;

  constructor(kernel: Kernel, process: Process, id: number, clock: number, event: TimerEvent) {
    this.#kernel = kernel;
    this.#process = process;
    this.id = id;
    this.clock = clock;
    this.#event = event;
  }

  get overrun(): number {
    return this.#overrun;
  }

  /** @param first moment of the first expiration, or Infinity to disarm */
  set(first: number, interval: number): void {
    this.#stop();
    this.#interval = first === Infinity ? 0 : interval;
    this.#overrun = 0;
    if (first < Infinity) this.#arm(first);
  }
  get(): { readonly interval: number; readonly value: number } {
    // Between expiry and delivery the interval timer is not armed, but it counts on.
    const now = this.now();
    let next = this.#next;
    if (!this.#armed && this.#interval > 0 && next <= now) next += Math.ceil((now - next + 1) / this.#interval) * this.#interval;
    const running = this.#armed || this.#interval > 0;
    return { interval: this.#interval, value: running ? Math.max(next - now, 1) : 0 };
  }
  /** The timer's clock: monotonic time or the process's processor time. */
  now(): number {
    return this.#isCpuClock ? this.#process.instructions : this.#kernel.clock.now();
  }
  release(): void {
    this.#stop();
  }

  get #isCpuClock(): boolean {
    return this.clock === CLOCK_PROCESS_CPUTIME_ID || this.clock === CLOCK_THREAD_CPUTIME_ID;
  }
  #arm(moment: number): void {
    this.#next = moment;
    this.#armed = true;
    // Processor time passes no faster than the clock: look again when it could be due at the earliest.
    const due = this.#isCpuClock ? this.#kernel.clock.now() + Math.max(moment - this.now(), 0) : moment;
    this.#timer = this.#kernel.timers.add(due, () => {
      this.#timer = undefined;
      if (this.#isCpuClock && this.now() < moment) this.#arm(moment);
      else this.#expire();
    });
  }
  #expire(): void {
    this.#armed = false;
    const { notify, signal, valueLow, valueHigh, task } = this.#event;
    if (notify === SIGEV_NONE) {
      if (this.#interval > 0) this.#arm(this.#next + this.#missed() * this.#interval + this.#interval);
      return;
    }
    this.#pending = true;
    const info: SignalInfo = {
      signal, code: SI_TIMER, timerId: this.id, overrun: 0, valueLow, valueHigh, taken: () => this.#taken(info),
    };
    if (task !== undefined) {
      if (task.state !== "dead") sendToTask(this.#kernel, task, info);
    } else sendToProcess(this.#kernel, this.#process, info);
    // An ignored signal is not queued, so nobody will take it: the timer goes on by itself.
    const queue = task?.pending ?? this.#process.pending;
    if (!queue.some((entry) => entry === info)) {
      this.#pending = false;
      if (this.#interval > 0) this.#arm(this.#next + this.#missed() * this.#interval + this.#interval);
    }
  }
  /** Whole periods that have passed since the expiration. */
  #missed(): number {
    return this.#interval === 0 ? 0 : Math.max(0, Math.floor((this.now() - this.#next) / this.#interval));
  }
  #taken(info: SignalInfo): SignalInfo {
    if (!this.#pending) return info;
    this.#pending = false;
    const missed = this.#missed();
    this.#overrun = Math.min(missed, OVERRUN_MAX);
    if (this.#interval > 0) this.#arm(this.#next + (missed + 1) * this.#interval);
    return { ...info, overrun: this.#overrun };
  }
  #stop(): void {
    if (this.#timer !== undefined) this.#kernel.timers.cancel(this.#timer);
    this.#timer = undefined;
    this.#armed = false;
    this.#pending = false;
  }
}
