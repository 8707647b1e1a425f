/** Clock and randomness from Node. */
import { randomFillSync } from "node:crypto";
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
  random: { fill: (target) => void randomFillSync(target) },
};
