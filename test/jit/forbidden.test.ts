/** Where no WebAssembly can be made at run time, the cold engine goes on alone. */
import { afterEach, expect, test } from "vitest";
import { buildAllLinux } from "../../scripts/build-user.mjs";
import { runGuest, runNative } from "../guests/harness.ts";

const { Module } = WebAssembly;
afterEach(() => {
  WebAssembly.Module = Module;
});

const program = (await buildAllLinux("bench")).find(({ name, libc }) => name === "crc32" && libc === "musl")!.path;
const args = ["200"];

test("it is translated where that is allowed", async () => {
  const guest = await runGuest({ program, args, engine: { engine: "jit" } });
  expect(guest.stdout).toBe(runNative({ program, args }).stdout);
  expect(guest.engine?.jit?.regions.translated).toBeGreaterThan(0);
});

test.each([
  ["forbidden by the embedder", new WebAssembly.CompileError("WebAssembly.Module(): Wasm code generation disallowed by embedder")],
  ["no memory for code", new RangeError("WebAssembly.Module(): Out of memory: Cannot allocate Wasm memory for new instance")],
])("%s: same output, nothing translated", async (_why, error) => {
  const before = await runGuest({ program, args: ["1"] }); // the modules of the cold engine are made once
  expect(before.status).toBe(0);
  let attempts = 0;
  WebAssembly.Module = new Proxy(Module, {
    construct() {
      attempts++;
      throw error;
    },
  });
  const guest = await runGuest({ program, args, engine: { engine: "jit" } });
  expect(guest.stdout).toBe(runNative({ program, args }).stdout);
  expect([attempts, guest.engine?.jit?.regions.translated, guest.leaks]).toEqual([1, 0, []]);
});
