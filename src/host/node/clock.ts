/** Clock and randomness from Node. */
import { closeSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import type { Host } from "../host.ts";

export const nodeHost: Host = {
  clock: {
    monotonic: () => {
      const [seconds, nanoseconds] = process.hrtime();
      return seconds * 1e9 + nanoseconds;
    },
    realtimeSeconds: () => Math.floor(Date.now() / 1000),
    realtimeNanoseconds: () => (Date.now() % 1000) * 1e6,
  },
  random: { fill: fillRandom },
};

let generator: typeof import("node:crypto") | undefined;

/** Bytes of the host's device where there is one: loading node:crypto takes longer than a short program runs. */
function fillRandom(target: Uint8Array): void {
  if (target.length > LARGE) {
    fillFresh(target);
    return;
  }
  if (unused + target.length > pool.length) {
    fillFresh(pool);
    unused = 0;
  }
  const taken = pool.subarray(unused, unused + target.length);
  target.set(taken);
  // Bytes given away are known to nobody else.
  taken.fill(0);
  unused += target.length;
}
/** A call costs as much as some thousand bytes, and every execve wants 16. */
const pool = new Uint8Array(4096);
const LARGE = 256;
let unused = pool.length;

function fillFresh(target: Uint8Array): void {
  if (readRandomDevice(target)) return;
  generator ??= createRequire(import.meta.url)("node:crypto") as typeof import("node:crypto");
  generator.randomFillSync(target);
}
function readRandomDevice(target: Uint8Array): boolean {
  try {
    const device = openSync("/dev/urandom", "r");
    try {
      let length = 0;
      while (length < target.length) {
        const read = readSync(device, target, length, target.length - length, null);
        if (read === 0) return false;
        length += read;
      }
      return true;
    } finally {
      closeSync(device);
    }
  } catch {
    return false;
  }
}
