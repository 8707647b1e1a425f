/** Blocking without awaiting: an operation that cannot finish returns WOULD_BLOCK, and the caller parks and retries.
 *
 *  Contract: whoever returns WOULD_BLOCK has just called {@link blockOn} with the queue that will be woken when retrying
 *  makes sense. The value travels up synchronously, so one module slot carries the queue; the parking caller takes it with
 *  {@link takeBlocker} before anything else runs. A wake-up is a hint: the retried operation may block again. */
import { KernelPanic } from "../base/assert.ts";

/** Not an errno (those end at -4095) and not a byte count. */
export const WOULD_BLOCK = -0x1_0000;

/** Called once, when its queue wakes. It may add itself again. */
export type Waiter = () => void;

/** Waiters in order of arrival. Each is removed before it is called. */
export class WaitQueue {
  private readonly waiters = new Set<{ wake: Waiter }>();

  get empty(): boolean {
    return this.waiters.size === 0;
  }

  /** Adds `waiter`; the returned function removes it again and does nothing after it was woken. */
  add(waiter: Waiter): () => void {
    const entry = { wake: waiter };
    this.waiters.add(entry);
    return () => {
      this.waiters.delete(entry);
    };
  }

  /** Wakes at most `count` waiters, the longest waiting first; returns how many. Waiters added meanwhile are left. */
  wake(count: number): number {
    if (this.waiters.size === 0) return 0;
    let woken = 0;
    for (const entry of [...this.waiters]) {
      if (woken >= count) break;
      // A waiter woken before may have removed this one.
      if (!this.waiters.delete(entry)) continue;
      woken++;
      entry.wake();
    }
    return woken;
  }

  wakeAll(): number {
    return this.wake(Number.POSITIVE_INFINITY);
  }
}

let blocker: WaitQueue | null = null;

/** Names the queue to park on. Use as `return blockOn(queue)`. */
export function blockOn(queue: WaitQueue): typeof WOULD_BLOCK {
  blocker = queue;
  return WOULD_BLOCK;
}

/** The queue named by the operation that has just returned WOULD_BLOCK. */
export function takeBlocker(): WaitQueue {
  if (blocker === null) throw new KernelPanic("WOULD_BLOCK without a queue");
  const queue = blocker;
  blocker = null;
  return queue;
}

/** Retries `operation` until it no longer blocks. For whoever may await: set-up, tests, tools; never the kernel. */
export async function settled<T>(operation: () => T): Promise<T> {
  for (;;) {
    const result = operation();
    if (result !== WOULD_BLOCK) return result;
    const queue = takeBlocker();
    await new Promise<void>((resume) => {
      queue.add(resume);
    });
  }
}
