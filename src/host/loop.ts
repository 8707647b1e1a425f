/** The event loop as Node, pages and workers all have it. The only global functions of a host that common code names. */

declare function setTimeout(run: () => void, milliseconds: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare const setImmediate: ((run: () => void) => unknown) | undefined;
declare const MessageChannel: { new (): { port1: { onmessage: (() => void) | null; close(): void }; port2: { postMessage(message: null): void } } };

/** Longest delay that timers of hosts keep (a signed 32-bit count of milliseconds). */
const LONGEST = 0x7fff_ffff;

/** Runs `run` after the host has had a turn: input, timers, rendering. */
export function afterHostTurn(run: () => void): void {
  if (typeof setImmediate === "function") {
    setImmediate(run);
    return;
  }
  // Timers of pages wait 4 ms when nested; a message does not.
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    channel.port1.close();
    run();
  };
  channel.port2.postMessage(null);
}

/** Runs `run` after at least `milliseconds`; the returned function cancels it. */
export function afterDelay(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, Math.min(Math.max(Math.ceil(milliseconds), 0), LONGEST));
  return () => clearTimeout(timer);
}
