import { defineConfig } from "tsdown";

/** The published package: one entry per subpath export, plus the command line. Wasm modules are built beside them. */
export default defineConfig([
  {
    entry: {
      index: "src/index.ts",
      memory: "src/memory/index.ts",
      vm: "src/vm/index.ts",
      cpu: "src/cpu/index.ts",
      trace: "src/trace/index.ts",
      node: "src/host/node/index.ts",
      browser: "src/host/browser/index.ts",
      cli: "src/cli/main.ts",
    },
    format: "esm",
    platform: "neutral",
    target: "es2022",
    outDir: "dist",
    clean: false,
    dts: true,
    sourcemap: false,
    external: [/^node:/, "commander"],
  },
]);
