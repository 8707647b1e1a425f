/** The page: `npm run web` serves it from its sources, `npm run build:web` makes dist-web/, which any static server can give
 *  away, from any folder. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { coldFingerprint } from "../scripts/cold-fingerprint.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What the page fetches by name, beside index.html. */
const BINARIES: Readonly<Record<string, string>> = {
  "engine/cold.wasm": "dist/cold.wasm",
  "engine/helpers.wasm": "dist/helpers.wasm",
  "programs/demo": "user/bin/demo",
  "programs/hello": "user/bin/hello",
  "programs/selftest": "user/bin/selftest",
};

function binary(name: string): Buffer {
  const path = `${root}${BINARIES[name]}`;
  if (!existsSync(path)) throw new Error(`${BINARIES[name]} is missing: run "npm run build"`);
  return readFileSync(path);
}

function binaries(): Plugin {
  return {
    name: "menios-binaries",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = (request.url ?? "").split("?")[0].slice(1);
        if (!Object.hasOwn(BINARIES, name)) return next();
        response.setHeader("Content-Type", name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream");
        response.end(binary(name));
      });
    },
    generateBundle() {
      for (const name of Object.keys(BINARIES)) this.emitFile({ type: "asset", fileName: name, source: binary(name) });
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative addresses: the page does not care where it lies.
  base: "./",
  define: { MENIOS_FINGERPRINT: String(coldFingerprint()) },
  build: { outDir: `${root}dist-web`, emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 1000 },
  worker: { format: "es" },
  server: { fs: { allow: [root] } },
  plugins: [binaries()],
});
