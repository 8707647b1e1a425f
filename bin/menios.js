#!/usr/bin/env node
/** Starts the command line: dist/cli.cjs and its chunks, which V8 takes from its code cache where there is one for this build and this Node
 *  (docs/decisions/0005-start-up.md). The build makes it; under another Node, the first run does, if it may write to dist. Without
 *  one everything works, only later. CommonJS, since Node's loader of ES modules takes no cached code and costs as much as a guest's run. */
"use strict";
const { accessSync, constants, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { createRequire, Module } = require("node:module");
const { join } = require("node:path");
const v8 = require("node:v8");
const { Script } = require("node:vm");

// As src/host/node/modules.ts will; V8 compares its flags with those under which the cache was made.
const v8Major = Number.parseInt(process.versions.v8, 10);
const isV8 = process.versions.bun === undefined;
if (v8Major >= 11 && v8Major < 14 && isV8) v8.setFlagsFromString("--experimental-wasm-branch-hinting");

/** What a function of ours must have run before V8 optimises it. At first it is more than V8's own figure: in a short program optimising takes
 *  longer than it gains, and the processors are wanted for the guest's translated code. Node 20 has such a flag, later ones do not. */
const hasBudget = isV8 && process.versions.v8.startsWith("11.3.") && !/interrupt.budget/.test(`${process.execArgv} ${process.env.NODE_OPTIONS}`);
const setBudget = (isEarly) => hasBudget && v8.setFlagsFromString(`--interrupt-budget=${isEarly ? 200_000 : 67_584}`);
let isEarly = true;
setBudget(isEarly);
// Relative to what Node's start took, for the machine's sake.
setTimeout(() => setBudget((isEarly = false)), 2000 * process.uptime()).unref();

const dist = join(__dirname, "../dist");
// V8's flags are part of what it compares: a cache made under odd ones would be of no use to anybody else.
const isPlain = process.execArgv.length === 0 && !process.env.NODE_OPTIONS && !process.env.NODE_V8_COVERAGE;
const runsGuest = process.argv.length > 2 && process.argv[2] !== "help" && !process.argv[2].startsWith("-");
/** What was compiled without a cache. */
const uncached = [];
if (isPlain && runsGuest) process.once("exit", () => uncached.forEach(keep));

const modules = new Map();
const requireBeside = createRequire(join(dist, "cli.cjs"));
load("cli.cjs");

/** A script of dist as a module. Its chunks import from it, and it from them. */
function load(name) {
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const filename = join(dist, name);
  // The build makes it a function in plain ASCII, with the digest of the code in the first line, after "//".
  const code = readFileSync(filename, "latin1");
  const cache = join(dist, `${name.slice(0, -4)}-${code.slice(2, 18)}-${process.version}-${process.platform}-${process.arch}.cache`);
  setBudget(true);
  const script = new Script(code, { filename, cachedData: contentsOf(cache) });
  setBudget(isEarly);
  if (script.cachedDataRejected !== false) uncached.push({ script, cache });
  const module = new Module(filename);
  modules.set(name, module);
  script.runInThisContext()(module.exports, (id) => (/^\.\/[^/]+\.cjs$/.test(id) ? load(id.slice(2)) : requireBeside(id)), module, filename, dist);
  return module.exports;
}

function contentsOf(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Writes what has been compiled by now, functions that ran included. Whole or not at all: others may be reading. */
function keep({ script, cache }) {
  const partial = `${cache}.${process.pid}`;
  try {
    accessSync(dist, constants.W_OK);
    setBudget(true);
    writeFileSync(partial, script.createCachedData());
    renameSync(partial, cache);
  } catch {
    rmSync(partial, { force: true });
  }
}
