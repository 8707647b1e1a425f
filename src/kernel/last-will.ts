/** What a dead thread leaves to be done in memory that others still use: its robust futexes, its clear_child_tid.
 *
 *  Linux does both in the dying thread, which may sleep for a page. Here a thread can be ended by another, so it is gone at
 *  once; what must wait keeps the image until its pages are there, and is dropped when nobody is left to look. */
import { USER_BLOCKED } from "../vm/user-memory.ts";
import type { Kernel } from "./kernel.ts";
import type { MemoryImage } from "./memory-image.ts";

/** Done from its start each time: 0, or USER_BLOCKED when a page must be awaited. */
export type Work = () => number;

export class LastWills {
  readonly #kernel: Kernel;
  readonly #waiting = new Set<() => void>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Does `work` on `image` now, or as soon as its pages allow. */
  execute(image: MemoryImage, work: Work): void {
    if (work() !== USER_BLOCKED) return;
    image.retain();
    this.#await(image, work);
  }

  /** No thread is left anywhere. */
  dropAll(): void {
    for (const drop of [...this.#waiting]) drop();
  }

  #await(image: MemoryImage, work: Work): void {
    let cancel = (): void => {};
    const drop = (): void => {
      this.#waiting.delete(drop);
      cancel();
      image.release();
    };
    this.#waiting.add(drop);
    cancel = this.#kernel.blockedPage(image.space).add(() => {
      this.#waiting.delete(drop);
      // The others may have gone meanwhile.
      if (image.references > 1 && work() === USER_BLOCKED) this.#await(image, work);
      else image.release();
    });
  }
}
