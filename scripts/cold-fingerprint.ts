/** Fingerprint of the dist/cold.wasm that lies there, for bundles: built before them from the same sources, it is the one they accept. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fingerprintOf } from "../src/cpu/cold/tables.ts";

export function coldFingerprint(): number {
  return fingerprintOf(new WebAssembly.Module(readFileSync(fileURLToPath(new URL("../dist/cold.wasm", import.meta.url)))));
}
