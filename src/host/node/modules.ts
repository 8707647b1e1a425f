/** The Wasm modules that `npm ci` built, read from beside the package's code. */
import { existsSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

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
  if (loaded === undefined) heedBranchHints();
  loaded ??= { cold: compile("cold.wasm"), helpers: compile("helpers.wasm") };
  return loaded;
}

/** The same without keeping this thread: what is done until they are awaited happens meanwhile. */
export async function compileNodeCpuModules(): Promise<WasmModules> {
  if (loaded === undefined) {
    heedBranchHints();
    const [cold, helpers] = await Promise.all([WebAssembly.compile(bytesOf("cold.wasm")), WebAssembly.compile(bytesOf("helpers.wasm"))]);
    loaded ??= { cold, helpers };
  }
  return loaded;
}

/** V8 from 11 to 13 knows our modules' branch hints but heeds them only when told to; from 14 on it always does. Before anything is
 *  compiled; bin/menios.js says the same before V8 compares its code cache's flags. */
function heedBranchHints(): void {
  const major = Number.parseInt(process.versions.v8 ?? "", 10);
  if (major >= 11 && major < 14 && process.versions["bun"] === undefined) setFlagsFromString("--experimental-wasm-branch-hinting");
}

function compile(name: string): WebAssembly.Module {
  return new WebAssembly.Module(bytesOf(name));
}
function bytesOf(name: string): Uint8Array<ArrayBuffer> {
  for (const place of PLACES) {
    const url = new URL(place + name, import.meta.url);
    if (existsSync(url)) return readFileSync(url);
  }
  throw new Error(`${name} is missing: run "npm run build"`);
}
