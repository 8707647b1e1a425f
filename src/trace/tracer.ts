/** Hands events to sinks. Emitters write
 *
 *    if (tracer.active) tracer.emit(task.process.pid, task.tid, { type: "unmap", … });
 *
 *  so an event nobody listens to costs one test. */
import type { EventBody, Sink, TraceEvent } from "./event.ts";

/** Where the head of each event comes from. */
export interface TraceClock {
  readonly instructions: number;
  now(): number;
}

export class Tracer {
  /** Somebody listens. */
  active = false;
  readonly #sinks: Sink[] = [];
  readonly #clock: TraceClock;

  constructor(clock: TraceClock) {
    this.#clock = clock;
  }

  /** Returns the function that takes the sink off again. */
  listen(sink: Sink): () => void {
    this.#sinks.push(sink);
    this.active = true;
    return () => {
      const index = this.#sinks.indexOf(sink);
      if (index >= 0) this.#sinks.splice(index, 1);
      this.active = this.#sinks.length > 0;
    };
  }

  emit(pid: number, tid: number, body: EventBody): void {
    const event = { instructions: this.#clock.instructions, time: this.#clock.now(), pid, tid, ...body } as TraceEvent;
    for (const sink of this.#sinks) sink.event(event);
  }
}
