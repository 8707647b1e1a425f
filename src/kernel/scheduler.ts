/** Who runs next: pre-emptive round robin, the same order on every run of a deterministic machine.
 *
 *  A task is in exactly one place: running (`current`), in the run queue, parked on wait queues, held because its process
 *  is stopped, or dead. Wake-ups put it at the end of the queue; a quantum is counted in retired instructions. */
import { assert } from "../base/assert.ts";
import type { Waitable } from "./call.ts";
import type { Task } from "./task.ts";
import type { Timers } from "./timers.ts";

/** Instructions a thread runs while others wait. At 100 million a second this is 2 ms, about Linux's granularity. */
export const QUANTUM = 200_000;

export class Scheduler {
  /** The task whose registers are in the CPU and that runs now. Written by the kernel's run loop. */
  current: Task | undefined;
  readonly #timers: Timers;
  /** Called when a task becomes runnable while nothing runs: the host may sleep. */
  readonly #awake: () => void;
  /** First in, first out: taken from `#head`. */
  #queue: (Task | undefined)[] = [];
  #head = 0;
  /** Parked tasks that wait for data from outside, not for one another. */
  awaitingData = 0;

  constructor(timers: Timers, awake: () => void) {
    this.#timers = timers;
    this.#awake = awake;
  }

  /** Tasks waiting to run. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Puts a runnable task at the end of the queue. */
  enqueue(task: Task): void {
    task.state = "runnable";
    this.#queue.push(task);
    if (this.current === undefined) this.#awake();
  }

  /** The next task to run, removed from the queue. Tasks of stopped processes are set aside. */
  pick(): Task | undefined {
    while (this.#head < this.#queue.length) {
      const task = this.#queue[this.#head]!;
      this.#queue[this.#head++] = undefined;
      if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      if (task.state !== "runnable") continue;
      if (task.process.stopped && !task.mustDie) {
        task.held = true;
        continue;
      }
      return task;
    }
    return undefined;
  }

  /** The current task goes to sleep until a queue wakes it or the deadline passes. */
  park(task: Task, queues: Waitable | readonly Waitable[] | undefined, deadline: number): void {
    assert(task.state !== "dead", "a dead task parks", { tid: task.tid });
    task.state = "parked";
    if (queues !== undefined) {
      if (isList(queues)) for (const queue of queues) task.unpark.push(queue.add(task.wake));
      else task.unpark.push(queues.add(task.wake));
    }
    // Something that has happened already wakes at once.
    if (task.state !== "parked") return;
    // A parent in vfork cannot be interrupted either, but waits on no queue.
    if (queues !== undefined && (task.awaitsPage || (task.call.row !== undefined && task.call.interruption === "UNINTERRUPTIBLE"))) {
      task.awaitsData = true;
      this.awaitingData++;
    }
    if (deadline < Infinity) {
      task.parkTimer = this.#timers.add(deadline, () => {
        task.parkTimer = undefined;
        task.call.timedOut = true;
        this.wake(task);
      });
    }
  }

  /** Ends a park; does nothing for a task that is not parked. */
  wake(task: Task): void {
    if (task.state !== "parked") return;
    this.forgetPark(task);
    task.state = "runnable";
    if (task.held) return;
    this.enqueue(task);
  }

  /** Takes the task off every queue and timer it waits on. */
  forgetPark(task: Task): void {
    for (const remove of task.unpark) remove();
    task.unpark.length = 0;
    if (task.awaitsData) {
      task.awaitsData = false;
      if (--this.awaitingData === 0 && this.current === undefined) this.#awake();
    }
    if (task.parkTimer !== undefined) {
      this.#timers.cancel(task.parkTimer);
      task.parkTimer = undefined;
    }
  }

  /** The process goes on: its runnable threads come back to the queue. */
  releaseHeld(task: Task): void {
    if (!task.held) return;
    task.held = false;
    if (task.state === "runnable") this.enqueue(task);
  }

  /** A dying task leaves whatever place it is in. */
  remove(task: Task): void {
    this.forgetPark(task);
    task.held = false;
    task.state = "dead";
  }
}

function isList(queues: Waitable | readonly Waitable[]): queues is readonly Waitable[] {
  return Array.isArray(queues);
}
