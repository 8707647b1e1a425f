/** A page source that blocks on every first access. A program waits a turn of the host's event loop for each page without a
 *  frame, a system call for each page of user memory it reads or writes, present or not, so that every call is made again at
 *  every one of its accesses; file pages come one by one from a provider that answers as late. Nothing but time may change. */
import { DelayedProvider } from "../../src/fs/providers/delayed.ts";
import type { FileProvider } from "../../src/fs/provider.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import type { Machine } from "../../src/machine.ts";
import { READ } from "../../src/memory/access.ts";
import type { AddressSpace } from "../../src/vm/address-space.ts";
import type { PageSource, PageWait } from "../../src/vm/page-source.ts";

export type Pages = "at once" | "later";

/** What tests use when they do not say: `npm run test:blocking` runs all of them with "later". */
export const PAGES: Pages = process.env["MENIOS_PAGES"] === "later" ? "later" : "at once";

export function providerFor(pages: Pages, provider: FileProvider): FileProvider {
  return pages === "later" ? new DelayedProvider(provider, () => new Promise((resolve) => setImmediate(resolve))) : provider;
}

/** From now on every first access to a page of `machine` blocks. Before it runs. */
export function holdPagesBack(machine: Machine): LatePages {
  const source = new LatePages(machine.kernel);
  machine.kernel.vm.pageSource = source;
  machine.kernel.fs.readAhead = 1;
  return source;
}

/** Pages that one instruction or system call has asked for: whoever waits, or null when the page has come. */
type Requests = Map<number, Set<() => void> | null>;

interface Asker {
  /** User-mode instructions of the task at its last request: the same as long as one instruction or call is tried again. */
  instructions: number;
  requests: Requests;
}

class LatePages implements PageSource {
  /** Accesses that had to wait. */
  waits = 0;
  readonly #kernel: Kernel;
  readonly #askers = new WeakMap<object, Asker>();
  readonly #known = new WeakSet<AddressSpace>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  request(space: AddressSpace, address: number): PageWait | undefined {
    // An image that execve is still building is built anew at each attempt.
    if (!this.#isInUse(space)) return undefined;
    const page = Math.floor(address / 4096);
    const key = page * 1024 + (space.id % 1024);
    const requests = this.#requests(space);
    const state = requests.get(key);
    if (state === null) return undefined;
    const waiting = state ?? order(requests, key, space.probe(address, READ) < 0 ? setImmediate : queueMicrotask);
    return (wake) => {
      this.waits++;
      waiting.add(wake);
      return () => void waiting.delete(wake);
    };
  }

  #requests(space: AddressSpace): Requests {
    // What a dead thread leaves to be done has no task.
    const task = this.#kernel.scheduler.current;
    const instructions = task === undefined ? this.#kernel.instructions : task.instructions;
    const asker = this.#askers.get(task ?? space);
    if (asker?.instructions === instructions) return asker.requests;
    const requests: Requests = new Map();
    this.#askers.set(task ?? space, { instructions, requests });
    return requests;
  }

  #isInUse(space: AddressSpace): boolean {
    if (this.#known.has(space)) return true;
    const used = [...this.#kernel.tasks.values()].some((task) => task.state !== "dead" && task.image.space === space);
    if (used) this.#known.add(space);
    return used;
  }
}

function order(requests: Requests, key: number, later: (action: () => void) => void): Set<() => void> {
  const waiting = new Set<() => void>();
  requests.set(key, waiting);
  later(() => {
    requests.set(key, null);
    for (const wake of waiting) wake();
  });
  return waiting;
}
