/** Starting a program in the page's Worker or in the page itself. The messages in between are the package's own
 *  (src/worker/protocol.ts), so both ways take the same request and give the same answers. */
import { browserHost } from "../src/host/browser/index.ts";
import { workerEnd } from "../src/host/browser/worker-end.ts";
import { type RunningMachine, type RunOptions, runHere, runInWorker } from "../src/worker/index.ts";

export type Place = "worker" | "page";

export function start(place: Place, options: RunOptions): RunningMachine {
  if (place === "page") return runHere({ host: browserHost }, options);
  return runInWorker(workerEnd(new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })), options);
}
