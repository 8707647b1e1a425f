import { defineConfig } from "tsdown";

const common = { format: "esm", platform: "neutral", target: "es2022", outDir: "dist", clean: false, sourcemap: false, external: [/^node:/, "commander"] } as const;

/** The published package: one entry per subpath export, and the command line as one small file, since parsing it is most of a short
 *  program's start-up. Wasm modules are built beside them. */
export default defineConfig([
  {
    ...common,
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
  { ...common, entry: { cli: "src/cli/main.ts" }, dts: false, minify: true },
]);
