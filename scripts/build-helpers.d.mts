/** Compiles the helpers and returns the module's bytes. */
export function compileHelpers(): Promise<Uint8Array<ArrayBuffer>>;
/** Compiles and writes dist/helpers.wasm; returns its path. */
export function buildHelpers(): Promise<string>;
