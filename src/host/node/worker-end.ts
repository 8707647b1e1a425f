/** Message channels of Node's worker_threads. */
import { parentPort, type Worker } from "node:worker_threads";
import type { MessageEnd } from "../port.ts";

/** The end of the thread that started `worker`; closing it ends the worker. */
export function workerEnd(worker: Worker): MessageEnd {
  let closed = false;
  return {
    send: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    receive(message, failed) {
      const lost = (error: Error): void => {
        if (!closed) failed(error);
      };
      worker.on("message", (value) => {
        if (!closed) message(value);
      });
      worker.on("messageerror", lost);
      worker.on("error", lost);
      worker.on("exit", (code) => lost(new Error(`the worker ended with code ${code}`)));
    },
    close() {
      closed = true;
      void worker.terminate();
    },
  };
}

/** The end inside the worker. Throws in the main thread, which has nobody to talk to. */
export function threadEnd(): MessageEnd {
  const port = parentPort;
  if (port === null) throw new Error("threadEnd: this is the main thread");
  return {
    send: (message, transfer = []) => port.postMessage(message, [...transfer]),
    receive(message, failed) {
      port.on("message", message);
      port.on("messageerror", failed);
    },
    close: () => port.close(),
  };
}
