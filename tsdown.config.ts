import { defineConfig } from "tsdown";
import { coldFingerprint } from "./scripts/cold-fingerprint.ts";

const common = { platform: "neutral", target: "es2022", outDir: "dist", clean: false, sourcemap: false, define: { MENIOS_FINGERPRINT: String(coldFingerprint()) }, external: [/^node:/, "commander"] } as const;

/** The published package, knowing the cold.wasm it was built with: one entry per subpath export, and the command line as one small script (what only the JIT needs apart). Parsing it would be most of a short
 *  program's start-up, so bin/menios.js loads it through V8's code cache (docs/decisions/0005-start-up.md). Wasm modules are built beside them. */
export default defineConfig([
  {
    ...common,
    format: "esm",
    entry: {
      index: "src/index.ts",
      memory: "src/memory/index.ts",
      vm: "src/vm/index.ts",
      cpu: "src/cpu/index.ts",
      trace: "src/trace/index.ts",
      node: "src/host/node/index.ts",
      browser: "src/host/browser/index.ts",
    },
    dts: true,
  },
  { ...common, format: "cjs", platform: "node", entry: { cli: "src/cli/main.ts" }, dts: false, minify: true },
]);
