/** What the machine asks of the world around it. Implementations live in host/node and host/browser; tests bring their own.
 *  Everything that differs from run to run comes through here. */

export interface HostClock {
  /** Nanoseconds since some fixed moment; never goes back. */
  monotonic(): number;
  /** Wall-clock seconds since 1970 (whole) and the nanoseconds within that second. */
  realtimeSeconds(): number;
  realtimeNanoseconds(): number;
}

export interface HostRandom {
  /** Fills `target` with unpredictable bytes. */
  fill(target: Uint8Array): void;
}

export interface Host {
  readonly clock: HostClock;
  readonly random: HostRandom;
}

/** Where bytes that the guest reads come from; pushed by the host as they arrive, with back-pressure. */
export interface HostInput {
  /** The guest is ready for more. Calls `deliver` once, later or at once: bytes, or null at the end. */
  pull(deliver: (bytes: Uint8Array | null) => void): void;
}
/** Where bytes that the guest writes go. */
export interface HostOutput {
  /** Takes the bytes (a copy, the caller may reuse its buffer) and says whether there is room for more now. */
  write(bytes: Uint8Array): boolean;
  /** Calls back once when there is room again. */
  drained(resume: () => void): void;
  /** Nobody will ever read what is written: the guest gets EPIPE. */
  readonly broken?: boolean;
}

/** A random source with a fixed seed (SplitMix32 steps), for deterministic machines and tests. */
export class SeededRandom implements HostRandom {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  fill(target: Uint8Array): void {
    for (let index = 0; index < target.length; index++) {
      this.#state = (this.#state + 0x9e3779b9) >>> 0;
      let z = this.#state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      target[index] = (z ^ (z >>> 15)) >>> 24;
    }
  }
}

/** The clock of deterministic machines: a fixed wall-clock start; the kernel adds instruction time itself. */
export const FIXED_CLOCK: HostClock = {
  monotonic: () => 0,
  // 2024-01-01T00:00:00Z, an arbitrary date that file times can be compared with.
  realtimeSeconds: () => 1_704_067_200,
  realtimeNanoseconds: () => 0,
};
