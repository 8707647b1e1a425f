/** menios/browser: clock, randomness, compiled modules and terminal-like streams from a web page or Worker. */
import type { Host, HostInput, HostOutput } from "../host.ts";

export { scopeEnd, workerEnd } from "./worker-end.ts";

export const browserHost: Host = {
  clock: {
    monotonic: () => performance.now() * 1e6,
    realtimeSeconds: () => Math.floor(Date.now() / 1000),
    realtimeNanoseconds: () => (Date.now() % 1000) * 1e6,
  },
  random: {
    fill: (target) => {
      // getRandomValues takes at most 65,536 bytes at once.
      for (let at = 0; at < target.length; at += 65_536) crypto.getRandomValues(target.subarray(at, at + 65_536) as Uint8Array<ArrayBuffer>);
    },
  },
};

/** Fetches and compiles the Wasm modules that lie beside the package's code (or under `base`). */
export async function browserCpuModules(base: string | URL = new URL("./", import.meta.url)): Promise<{ cold: WebAssembly.Module; helpers: WebAssembly.Module }> {
  const compile = async (name: string): Promise<WebAssembly.Module> => {
    const response = await fetch(new URL(name, base));
    if (!response.ok) throw new Error(`${name}: HTTP status ${response.status}`);
    return WebAssembly.compile(await response.arrayBuffer());
  };
  const [cold, helpers] = await Promise.all([compile("cold.wasm"), compile("helpers.wasm")]);
  return { cold, helpers };
}

/** Standard output as text pieces, decoded as UTF-8 across writes. */
export class TextOutput implements HostOutput {
  readonly #decoder = new TextDecoder();
  readonly #show: (text: string) => void;
  constructor(show: (text: string) => void) {
    this.#show = show;
  }
  write(bytes: Uint8Array): boolean {
    this.#show(this.#decoder.decode(bytes.slice(), { stream: true }));
    return true;
  }
  drained(resume: () => void): void {
    resume();
  }
}

/** Standard input that the page feeds with {@link QueueInput.push}. */
export class QueueInput implements HostInput {
  readonly #chunks: (Uint8Array | null)[] = [];
  #waiting: ((bytes: Uint8Array | null) => void) | undefined;
  /** Bytes for the guest; null ends the input. */
  push(bytes: Uint8Array | null): void {
    if (this.#waiting === undefined) {
      this.#chunks.push(bytes);
      return;
    }
    const deliver = this.#waiting;
    this.#waiting = undefined;
    deliver(bytes);
  }
  pull(deliver: (bytes: Uint8Array | null) => void): void {
    const next = this.#chunks.shift();
    if (next === undefined) this.#waiting = deliver;
    else deliver(next);
  }
}
