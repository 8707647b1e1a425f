/** The layers of DESIGN: imports go downward only, and common code knows neither Node nor the DOM. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** What each layer may import besides itself. `vm` and `cpu` are neighbours that never meet. */
const allowed: Record<string, readonly string[]> = {
  base: [],
  abi: ["base"],
  trace: ["base", "abi"],
  memory: ["base", "abi", "trace"],
  cpu: ["base", "abi", "trace", "memory"],
  vm: ["base", "abi", "trace", "memory"],
  fs: ["base", "abi", "trace", "memory"],
  host: ["base", "abi", "trace", "memory", "fs"],
  kernel: ["base", "abi", "trace", "memory", "cpu", "vm", "fs", "host"],
  debug: ["base", "abi", "trace", "memory", "cpu", "vm", "fs", "host", "kernel"],
};

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return path.endsWith(join("cpu", "assembly")) ? [] : sources(path);
    return path.endsWith(".ts") && !path.endsWith(".test.ts") && !/testing|fixtures/.test(path) ? [path] : [];
  });
}

function imports(path: string): string[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^;"']*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']/g)].map((m) => m[1] ?? m[2]);
}

const files = sources(src);

test("every import between layers goes downward", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const layer = relative(src, file).split("/")[0];
    const may = allowed[layer];
    if (may === undefined) continue; // machine.ts, cli, index files: wiring
    for (const target of imports(file)) {
      if (!target.startsWith(".")) continue;
      const targetLayer = relative(src, resolve(dirname(file), target)).split("/")[0];
      if (targetLayer !== layer && !may.includes(targetLayer)) wrong.push(`${relative(src, file)} imports ${targetLayer}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("only host/node, host/browser and cli import packages or Node modules", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const name = relative(src, file);
    if (/^(host\/node|host\/browser|cli)\//.test(name)) continue;
    for (const target of imports(file)) if (!target.startsWith(".")) wrong.push(`${name} imports ${target}`);
  }
  expect(wrong).toEqual([]);
});

test("the sources of every layer are found", () => {
  for (const layer of Object.keys(allowed)) {
    if (layer === "debug") continue;
    expect(files.some((f) => relative(src, f).startsWith(`${layer}/`)), layer).toBe(true);
  }
});
