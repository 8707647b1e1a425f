/** `npm run bench:browser`: the CPU set in Debian's Chromium beside Node, engine auto, in alternating turns; milliseconds that main takes by the guest's own clock.
 *
 *    --only NAME   programs whose name contains NAME (repeatable)
 *    --libc LIBC   musl (default) or glibc
 *    --runs N      turns (default 1); the best of each counts
 *    --node FILE   the Node to compare with, this one by default: best one whose V8 is near Chromium's
 *
 *  Both run the package as it is built, by the same few lines (engine-guest.mjs). */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { buildLinux } from "../scripts/build-user.mjs";
import { cpuPrograms } from "./cpu-set.ts";
import { geometricMean } from "./measure.ts";

const { values: options } = parseArgs({
  options: { only: { type: "string", multiple: true }, libc: { type: "string", default: "musl" }, runs: { type: "string", default: "1" }, node: { type: "string", default: process.execPath } },
});
interface Work { readonly milliseconds: number; readonly output: string }
const CHROMIUM = "/usr/bin/chromium", ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", "": "application/octet-stream" };
/** At most so much of Node's time. */
const BAR = 1.15;
const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const programs = cpuPrograms(at("user/bench")).filter(({ name }) => options.only?.some((part) => name.includes(part)) !== false);
const built = new Map<string, string>();
for (const { name } of programs) built.set(name, (await buildLinux(options.libc as "musl" | "glibc", at(`user/bench/${name}.c`))) as string);
if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: install the Debian package "chromium"`);

const server = createServer((request, response) => {
  const path = normalize(new URL(request.url ?? "/", "http://page").pathname);
  const file = path === "/engine-guest.mjs" ? at("bench/engine-guest.mjs") : path.startsWith("/program/") ? built.get(path.slice(9)) : at(path.slice(1));
  if (path === "/") response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>bench</title>");
  else if (file === undefined || !existsSync(file) || !/^\/(dist|program)\/|^\/engine-guest/.test(path)) response.writeHead(404).end();
  else response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" }).end(readFileSync(file));
});
await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

/** In a new browser for each program, as Node is a new process. */
async function inChromium(name: string, scale: number): Promise<Work> {
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    await page.goto(address);
    version ??= browser.version();
    return await page.evaluate(async ([base, program, size]) => {
      const [{ workOf }, { browserCpuModules, browserHost }] = await Promise.all([import(`${base}engine-guest.mjs`), import(`${base}dist/browser.js`)]);
      const content = new Uint8Array(await (await fetch(`${base}program/${program}`)).arrayBuffer());
      return (await workOf(`${base}dist/`, { host: browserHost, modules: await browserCpuModules(`${base}dist/`), content, scale: size })) as Work;
    }, [address, name, scale] as const);
  } finally {
    await browser.close();
  }
}
function inNode(name: string, scale: number): Work {
  const { status, stdout, stderr } = spawnSync(options.node, [at("bench/engine-guest.mjs"), pathToFileURL(at("dist/")).href, built.get(name) as string, String(scale)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${options.node}: ${stderr}`);
  return JSON.parse(stdout) as Work;
}

let version: string | undefined;
const rows: { name: string; node: number; browser: number }[] = [];
for (const { name, scale } of programs) {
  const node: Work[] = [], browser: Work[] = [];
  for (let turn = 0; turn < Number(options.runs); turn++) {
    if (turn % 2 === 0) node.push(inNode(name, scale));
    browser.push(await inChromium(name, scale));
    if (turn % 2 === 1) node.push(inNode(name, scale));
  }
  const outputs = new Set([...node, ...browser].map(({ output }) => output));
  if (outputs.size !== 1) throw new Error(`${name}: outputs differ: ${[...outputs].join(" | ")}`);
  const best = (all: readonly Work[]): number => Math.min(...all.map(({ milliseconds }) => milliseconds));
  rows.push({ name, node: best(node), browser: best(browser) });
  process.stderr.write(`${name}: node ${best(node).toFixed(0)}  chromium ${best(browser).toFixed(0)} ms\n`);
}
server.close();
const mean = geometricMean(rows.map(({ node, browser }) => browser / node));
const nodeVersion = spawnSync(options.node, ["-p", "process.version + ' (V8 ' + process.versions.v8 + ')'"], { encoding: "utf8" }).stdout.trim();
process.stdout.write([
  `${options.libc}, engine auto, Chromium ${version}, Node ${nodeVersion}; milliseconds by the guest's own clock, best of ${options.runs}.`, "",
  "| program | node | chromium | chromium : node |", "| --- | ---: | ---: | ---: |",
  ...rows.map(({ name, node, browser }) => `| ${name} | ${node.toFixed(0)} | ${browser.toFixed(0)} | ${(browser / node).toFixed(2)}× |`),
  `| **geometric mean** |  |  | ${mean.toFixed(2)}× |`, "", `At most ${BAR}×: ${mean <= BAR ? "met" : "**missed**"}`, "",
].join("\n"));
