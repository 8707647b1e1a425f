/** Writes dist/cold.wasm: the handlers of the cold engine. Run by scripts/build.mjs at install time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { HandlerTable } from "../src/cpu/cold/handler-table.ts";
import { buildColdModule } from "../src/cpu/cold/handlers.ts";
import "../src/cpu/instructions/index.ts";

const table = new HandlerTable();
const bytes = buildColdModule(table);
mkdirSync(new URL("../dist/", import.meta.url), { recursive: true });
writeFileSync(new URL("../dist/cold.wasm", import.meta.url), bytes);
new WebAssembly.Module(bytes);
console.log(`cold.wasm: ${table.count} handlers, ${bytes.length} bytes`);
