/** The three interval timers of a process (setitimer(2)), alarm(2) and RLIMIT_CPU.
 *
 *  ITIMER_REAL follows the machine's clock; ITIMER_VIRTUAL and ITIMER_PROF the process's instructions, one of which is one
 *  nanosecond of processor time. The run loop never lets a process run past `cpuDeadline`. */
import { RLIMIT_CPU } from "../abi/linux/resource.ts";
import { SI_KERNEL, SIGALRM, SIGPROF, SIGVTALRM, SIGXCPU } from "../abi/linux/signal.ts";
import { ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, NANOSECONDS } from "../abi/linux/time.ts";
import type { Process } from "./process.ts";
import { killProcess, sendToProcess } from "./signal/send.ts";
import type { Timer } from "./timers.ts";

/** Both in nanoseconds; 0 for off. */
export interface IntervalSetting {
  readonly value: number;
  readonly interval: number;
}

interface CpuInterval {
  /** Process instructions at expiry, or Infinity. */
  deadline: number;
  interval: number;
}

export class IntervalTimers {
  /** Process instructions at which something is due; Infinity for nothing. */
  cpuDeadline = Infinity;
  readonly #process: Process;
  #real: Timer | undefined;
  #realInterval = 0;
  readonly #cpu: Record<typeof ITIMER_VIRTUAL | typeof ITIMER_PROF, CpuInterval> = {
    [ITIMER_VIRTUAL]: { deadline: Infinity, interval: 0 },
    [ITIMER_PROF]: { deadline: Infinity, interval: 0 },
  };
  /** Next SIGXCPU under RLIMIT_CPU. */
  #limitDeadline = Infinity;

  constructor(process: Process) {
    this.#process = process;
  }

  /** getitimer(2): the time left and the interval. */
  get(which: number): IntervalSetting {
    const { kernel, instructions } = this.#process;
    if (which === ITIMER_REAL) {
      // A timer that is due but not run yet has the smallest time left, not none.
      return { value: this.#real === undefined ? 0 : Math.max(this.#real.deadline - kernel.clock.now(), 1000), interval: this.#realInterval };
    }
    const timer = this.#cpu[which as typeof ITIMER_PROF];
    return { value: timer.deadline === Infinity ? 0 : Math.max(timer.deadline - instructions, 1000), interval: timer.interval };
  }

  /** setitimer(2): arms, re-arms or (value 0) stops a timer. */
  set(which: number, setting: IntervalSetting): void {
    const { kernel, instructions } = this.#process;
    if (which === ITIMER_REAL) {
      if (this.#real !== undefined) kernel.timers.cancel(this.#real);
      this.#real = undefined;
      this.#realInterval = setting.value === 0 ? 0 : setting.interval;
      if (setting.value > 0) this.#arm(kernel.clock.now() + setting.value);
      return;
    }
    const timer = this.#cpu[which as typeof ITIMER_PROF];
    timer.deadline = setting.value === 0 ? Infinity : instructions + setting.value;
    timer.interval = setting.value === 0 ? 0 : setting.interval;
    this.#settle();
  }

  /** RLIMIT_CPU was changed. */
  limitChanged(): void {
    const { limits } = this.#process;
    this.#limitDeadline = Math.min(limits.soft[RLIMIT_CPU], limits.hard[RLIMIT_CPU]) * NANOSECONDS;
    this.#settle();
  }

  /** The run loop has reached `cpuDeadline`. */
  cpuReached(): void {
    const process = this.#process;
    const now = process.instructions;
    this.#expire(this.#cpu[ITIMER_VIRTUAL], SIGVTALRM, now);
    this.#expire(this.#cpu[ITIMER_PROF], SIGPROF, now);
    if (now >= this.#limitDeadline) {
      if (now >= process.limits.hard[RLIMIT_CPU] * NANOSECONDS) {
        this.#limitDeadline = Infinity;
        killProcess(process.kernel, process);
      } else {
        // Once a second until the hard limit (setrlimit(2), RLIMIT_CPU).
        this.#limitDeadline = Math.min(now + NANOSECONDS, process.limits.hard[RLIMIT_CPU] * NANOSECONDS);
        sendToProcess(process.kernel, process, { signal: SIGXCPU, code: SI_KERNEL });
      }
    }
    this.#settle();
  }

  release(): void {
    if (this.#real !== undefined) this.#process.kernel.timers.cancel(this.#real);
    this.#real = undefined;
    this.cpuDeadline = Infinity;
  }

  #arm(deadline: number): void {
    const { kernel } = this.#process;
    this.#real = kernel.timers.add(deadline, () => {
      this.#real = undefined;
      // The next period counts from the last, so that a late timer does not drift; missed periods are lost (setitimer(2)).
      if (this.#realInterval > 0) this.#arm(Math.max(deadline + this.#realInterval, kernel.clock.now()));
      sendToProcess(kernel, this.#process, { signal: SIGALRM, code: SI_KERNEL });
    });
  }
  #expire(timer: CpuInterval, signal: number, now: number): void {
    if (now < timer.deadline) return;
    timer.deadline = timer.interval === 0 ? Infinity : now + timer.interval;
    sendToProcess(this.#process.kernel, this.#process, { signal, code: SI_KERNEL });
  }
  #settle(): void {
    this.cpuDeadline = Math.min(this.#cpu[ITIMER_VIRTUAL].deadline, this.#cpu[ITIMER_PROF].deadline, this.#limitDeadline);
  }
}
