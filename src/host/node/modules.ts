/** The Wasm modules that `npm ci` built, read from beside the package's code. */
import { existsSync, readFileSync } from "node:fs";

/** In the package they lie beside the bundle; in a checkout running from source, in dist/. */
const PLACES = ["./", "../../../dist/"];

/** Compiled modules, as the cpu layer wants them. */
export interface WasmModules {
  readonly cold: WebAssembly.Module;
  readonly helpers: WebAssembly.Module;
}

let loaded: WasmModules | undefined;

/** Compiles (once) the cold engine and the helpers. Throws when the package was not built. */
export function nodeCpuModules(): WasmModules {
  loaded ??= { cold: compile("cold.wasm"), helpers: compile("helpers.wasm") };
  return loaded;
}

function compile(name: string): WebAssembly.Module {
  for (const place of PLACES) {
    const url = new URL(place + name, import.meta.url);
    if (existsSync(url)) return new WebAssembly.Module(readFileSync(url));
  }
  throw new Error(`${name} is missing: run "npm run build"`);
}
