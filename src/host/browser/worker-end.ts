/** Message channels of a page's dedicated Workers. */
import type { MessageEnd } from "../port.ts";

/** What a Worker object and the global scope inside it have in common. */
interface Endpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
}

/** The page's end; closing it ends the worker. */
export function workerEnd(worker: Worker): MessageEnd {
  return endOf(worker, () => worker.terminate());
}

/** The end inside the worker. */
export function scopeEnd(): MessageEnd {
  const scope = globalThis as unknown as Endpoint & { close(): void };
  return endOf(scope, () => scope.close());
}

function endOf(endpoint: Endpoint, end: () => void): MessageEnd {
  let closed = false;
  return {
    send: (message, transfer = []) => endpoint.postMessage(message, [...transfer]),
    receive(message, failed) {
      endpoint.addEventListener("message", (event) => {
        if (!closed) message((event as MessageEvent<unknown>).data);
      });
      endpoint.addEventListener("messageerror", () => {
        if (!closed) failed(new Error("a message could not be read"));
      });
      endpoint.addEventListener("error", (event) => {
        // A script that does not load gives an event without a message.
        const { message: text } = event as Partial<ErrorEvent>;
        if (!closed) failed(new Error(text === undefined || text === "" ? "the worker could not be started" : text));
      });
    },
    close() {
      closed = true;
      end();
    },
  };
}
