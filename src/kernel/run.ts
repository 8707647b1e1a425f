/** The run loop: pick a task, put it into the CPU, run it, act on the exit, until the slice is over.
 *
 *  Pre-emption is by retired instructions, so a deterministic machine switches at the same places on every run; how the
 *  quantum is cut into calls of `cpu.run`, and where a slice ends, follows the host's clock and changes nothing the guest
 *  can see. */
import { WIDE_ZERO } from "../base/bits.ts";
import type { AddressSpace } from "../vm/address-space.ts";
import { FAULT_DENIED } from "../vm/fault-kind.ts";
import { QUANTUM } from "./scheduler.ts";
import { resumeCall } from "./dispatch.ts";
import type { Kernel } from "./kernel.ts";
import { deliverSignals } from "./signal/deliver.ts";
import { signalWaits } from "./signal/send.ts";
import type { Task } from "./task.ts";
import { storeChildTid } from "./thread-start.ts";
import { handleExit } from "./trap.ts";

export type SliceResult =
  /** The time is up and somebody is runnable. */
  | "busy"
  /** Everybody sleeps; see nextDeadline. */
  | "idle"
  /** No process is left. */
  | "finished"
  /** The instruction limit is reached. */
  | "limit";

/** What a trap counts for in the slice's work, in instructions: roughly its cost. */
const TRAP_WORK = 200;
/** A mask. */
const TRAPS_BETWEEN_LOOKS = 15;
const MIN_CHUNK = 20_000;
const MAX_CHUNK = 20_000_000;
/** Host nanoseconds between looks at the host's clock. */
const CHUNK_TIME = 1_000_000;

export class RunLoop {
  readonly #kernel: Kernel;
  /** Whose registers are in the CPU. */
  #loaded: Task | undefined;
  /** A task that the end of a slice interrupted, and the rest of its quantum: it goes on first. */
  #interrupted: Task | undefined;
  #quantumLeft = 0;
  /** Instructions between looks at the host's clock, adapted to the speed seen. */
  #chunk = 200_000;
  /** Work since the last look. */
  #work = WIDE_ZERO;
  #traps = 0;
  #lookedAt = WIDE_ZERO;
  #sliceEnd = WIDE_ZERO;
  #faultsSeen = WIDE_ZERO;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  runSlice(milliseconds: number): SliceResult {
    const kernel = this.#kernel;
    const { scheduler, timers, clock } = kernel;
    this.#sliceEnd = kernel.hostNow() + milliseconds * 1e6;
    this.#lookedAt = kernel.hostNow();
    for (;;) {
      // When data from outside arrives depends on the host: a deterministic machine stands still until it is there.
      if (kernel.standsStill) return "idle";
      // A deterministic machine looks at its timers where the interrupted thread would have, not where the host's slice ended.
      if (timers.next < Infinity && !(clock.deterministic && this.#interrupted !== undefined)) timers.run(clock.now());
      if (kernel.instructions >= kernel.instructionLimit) return "limit";
      let task = this.#interrupted;
      let quantum = this.#quantumLeft;
      this.#interrupted = undefined;
      if (task === undefined || task.state !== "runnable") {
        task = scheduler.pick();
        quantum = QUANTUM;
      }
      if (task === undefined) {
        if (kernel.livingProcesses === 0) return "finished";
        // Nobody can run before the next deadline: let it be that time.
        if (kernel.deterministic && timers.next < Infinity) {
          clock.jumpTo(timers.next);
          continue;
        }
        return "idle";
      }
      this.#run(task, quantum);
      scheduler.current = undefined;
      if (this.#interrupted !== undefined || this.#sliceIsOver()) return "busy";
    }
  }

  get loaded(): Task | undefined {
    return this.#loaded;
  }

  /** Saves what the CPU holds and loads `task`. */
  #switchTo(task: Task): void {
    const kernel = this.#kernel;
    const previous = this.#loaded;
    if (previous !== task) {
      if (previous !== undefined) {
        this.accountFaults(previous);
        kernel.cpu.registers.save(previous.registers);
      }
      kernel.cpu.registers.load(task.registers);
      this.#loaded = task;
      kernel.stats.switches++;
      if (kernel.tracer.active) kernel.tracer.emit(task.process.pid, task.tid, { type: "switch", from: previous?.tid ?? 0 });
    } else {
      // Resumed after a slice or a sleep: what it faulted before that is its own still.
      this.accountFaults(task);
    }
    this.activate(task);
  }

  /** Makes the task's tables the active ones. */
  activate(task: Task): void {
    const { space } = task.image;
    this.#kernel.mmu.activate(space.root, space);
    this.#faultsSeen = faultsOf(space);
  }
  accountFaults(task: Task): void {
    if (this.#loaded !== task) return;
    const seen = faultsOf(task.image.space);
    task.minorFaults += seen - this.#faultsSeen;
    this.#faultsSeen = seen;
  }
  forget(task: Task): void {
    if (this.#loaded === task) this.#loaded = undefined;
    if (this.#interrupted === task) this.#interrupted = undefined;
  }

  /** Runs one task until it parks, dies, is pre-empted or the slice ends. */
  #run(task: Task, quantum: number): void {
    const kernel = this.#kernel;
    const { scheduler, timers, clock, cpu } = kernel;
    this.#switchTo(task);
    scheduler.current = task;
    task.state = "running";
    task.awaitsPage = false;
    if (task.setChildTid !== 0 && !storeChildTid(kernel, task)) return;
    if (task.call.row !== undefined && !resumeCall(kernel, task)) return;
    let left = quantum;
    const { process } = task;
    for (;;) {
      if (needsAttention(task) && !deliverSignals(kernel, task)) return;
      if (left <= 0) {
        if (scheduler.waiting > 0) {
          task.involuntarySwitches++;
          scheduler.enqueue(task);
          return;
        }
        left = QUANTUM;
      }
      let budget = Math.min(left, this.#chunk, kernel.instructionLimit - kernel.instructions, process.intervalTimers.cpuDeadline - process.instructions);
      if (clock.deterministic && timers.next < Infinity) {
        const distance = timers.next - clock.now();
        if (distance <= 0) {
          timers.run(clock.now());
          continue;
        }
        budget = Math.min(budget, distance);
      }
      if (budget <= 0) return this.#interrupt(task, left);
      const exit = cpu.run(budget);
      const { retired } = cpu;
      left -= retired;
      kernel.instructions += retired;
      task.instructions += retired;
      this.#work += retired + TRAP_WORK;
      process.instructions += retired;
      if (process.instructions >= process.intervalTimers.cpuDeadline) process.intervalTimers.cpuReached();
      const goesOn = handleExit(kernel, task, exit);
      if (kernel.afterEntry !== undefined) kernel.afterEntry(task);
      if (!goesOn) {
        task.voluntarySwitches++;
        return;
      }
      if (this.#sliceIsOver()) return this.#interrupt(task, left);
    }
  }

  /** The slice ends in the middle of a quantum: the task goes on where it is when the next one begins. */
  #interrupt(task: Task, left: number): void {
    task.state = "runnable";
    this.#interrupted = task;
    this.#quantumLeft = left;
  }

  /** Looks at the host's clock when enough work is done, and after some traps, which may have cost anything. */
  #sliceIsOver(): boolean {
    if (this.#work < this.#chunk) return (++this.#traps & TRAPS_BETWEEN_LOOKS) === 0 && this.#kernel.hostNow() >= this.#sliceEnd;
    const { clock, timers } = this.#kernel;
    const now = this.#kernel.hostNow();
    const elapsed = Math.max(now - this.#lookedAt, 1);
    const rate = this.#work / elapsed;
    this.#chunk = Math.min(Math.max(Math.floor(rate * CHUNK_TIME), MIN_CHUNK, this.#chunk >> 1), MAX_CHUNK, this.#chunk * 2);
    this.#work = 0;
    this.#lookedAt = now;
    if (!clock.deterministic && timers.next < Infinity) timers.run(clock.now());
    return now >= this.#sliceEnd;
  }
}

/** Faults that were resolved, whatever their kind. */
function faultsOf(space: AddressSpace): number {
  let sum = 0;
  for (let kind = 0; kind < FAULT_DENIED; kind++) sum += space.faultCounts[kind];
  return sum;
}

/** Anything but user mode comes first. @hot */
function needsAttention(task: Task): boolean {
  return signalWaits(task) || task.process.groupExit !== undefined || task.process.stopped || task.savedMask !== undefined;
}
