// Compiles the floating-point helpers (src/cpu/assembly, AssemblyScript) to dist/helpers.wasm.
//
// The module imports the guest memory and nothing else: no runtime, no collector, no abort. Its static tables start at
// HELPER_DATA_BASE and must end below RANGE_BASE (src/memory/physical-map.ts); this script refuses to write a module
// that breaks either rule.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import asc from "assemblyscript/asc";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const HELPER_DATA_BASE = 0x2_0000;
const RANGE_BASE = 0x4_0000;

/** Compiles the helpers and returns the module's bytes. Throws with the compiler's messages when it does not compile. */
export async function compileHelpers() {
  const outputs = new Map();
  const { error, stderr } = await asc.main(
    [
      "src/cpu/assembly/index.as.ts", "--outFile", "helpers.wasm", "--runtime", "stub",
      "--optimizeLevel", "3", "--shrinkLevel", "0", "--converge", "--noAssert",
      "--importMemory", "--noExportMemory", "--memoryBase", String(HELPER_DATA_BASE),
      "--use", "abort=", "--enable", "simd",
    ],
    {
      readFile: (name, base) => {
        try {
          return readFileSync(join(base === "." ? root : base, name), "utf8");
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => outputs.set(name, contents),
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`helpers do not compile: ${error.message}\n${stderr.toString()}`);
  const bytes = outputs.get("helpers.wasm");
  checkModule(bytes);
  return bytes;
}

/** Only `env.memory` is imported and every data segment lies in the helpers' own area. */
function checkModule(bytes) {
  const module = new WebAssembly.Module(bytes);
  const imports = WebAssembly.Module.imports(module).filter((entry) => entry.kind !== "memory");
  if (imports.length > 0) throw new Error(`helpers import ${imports.map((entry) => entry.name).join(", ")}`);
  const memory = new WebAssembly.Memory({ initial: RANGE_BASE / 0x1_0000 + 1 });
  new WebAssembly.Instance(module, { env: { memory } });
  const used = new Uint8Array(memory.buffer);
  const outside = used.findIndex((byte, address) => byte !== 0 && (address < HELPER_DATA_BASE || address >= RANGE_BASE));
  if (outside >= 0) throw new Error(`helpers place data at 0x${outside.toString(16)}`);
}

/** Compiles and writes dist/helpers.wasm; returns its path. */
export async function buildHelpers() {
  const bytes = await compileHelpers();
  const path = join(root, "dist", "helpers.wasm");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = await buildHelpers();
  process.stdout.write(`${path}: ${readFileSync(path).length} bytes\n`);
}
