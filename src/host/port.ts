/** One end of a channel between two threads, as a page's Worker and Node's worker_threads both have it. Messages are plain
 *  data in the sense of structured cloning, arrive in order, and nothing is shared. */
export interface MessageEnd {
  /** `transfer` lists buffers that move instead of being copied; the sender has them no more. */
  send(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Called once. `failed` tells that the other end is gone without having been closed. */
  receive(message: (message: unknown) => void, failed: (error: Error) => void): void;
  /** Nothing is sent or received any more; the end that started a thread also ends it. */
  close(): void;
}
