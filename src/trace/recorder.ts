/** Keeps the last events, so that a sink that nobody empties stays bounded. */
import type { Sink, TraceEvent } from "./event.ts";

export class Recorder implements Sink {
  readonly #events: TraceEvent[] = [];
  readonly #capacity: number;
  /** Index of the oldest event once the ring is full. */
  #next = 0;
  /** Events that were overwritten. */
  dropped = 0;

  /** @param capacity most events kept */
  constructor(capacity = 65_536) {
    this.#capacity = capacity;
  }

  event(event: TraceEvent): void {
    if (this.#events.length < this.#capacity) {
      this.#events.push(event);
      return;
    }
    this.#events[this.#next] = event;
    this.#next = (this.#next + 1) % this.#capacity;
    this.dropped++;
  }

  /** Oldest first. */
  events(): TraceEvent[] {
    return [...this.#events.slice(this.#next), ...this.#events.slice(0, this.#next)];
  }
}
