/** The page, built and served as static files, in Debian's Chromium: the demo says what it says in Node, in a Worker and in
 *  the page itself. Needs no network: page and server are on the loopback interface. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostOutput } from "../../src/host/host.ts";
import { nodeHost } from "../../src/host/node/clock.ts";
import { nodeCpuModules } from "../../src/host/node/modules.ts";
import { runHere } from "../../src/worker/index.ts";
import { CAT } from "../machine/elf.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const built = join(root, ".tmp/web");
const CHROMIUM = "/usr/bin/chromium";
const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };
const PATIENCE = 90_000;

let server: Server;
let browser: Browser;
let page: Page;
let address = "";
const complaints: string[] = [];

function serve(): Promise<Server> {
  const made = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://page").pathname);
    const name = join(built, path === "/" ? "index.html" : path);
    if (!existsSync(name)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream" }).end(readFileSync(name));
  });
  return new Promise((resolve) => void made.listen(0, "127.0.0.1", () => resolve(made)));
}

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: install the Debian package "chromium"`);
  await build({ configFile: join(root, "web/vite.config.ts"), logLevel: "error", build: { outDir: built, emptyOutDir: true } });
  server = await serve();
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, timeout: PATIENCE });
  page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
}, 2 * PATIENCE);

afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** Waits for the end of the run; what the page says about it. */
async function ended(): Promise<string> {
  await page.locator("#state:not([data-state=running]):not([data-state=loading])").waitFor();
  return (await page.locator("#state").textContent()) ?? "";
}
const output = async (): Promise<string> => (await page.locator("#output").textContent()) ?? "";
const figure = async (name: string): Promise<string> =>
  (await page.locator(`#figures dt:text-is("${name}") + dd`).textContent()) ?? "";

test("the demo prints in a Worker and in the page what it prints in Node", { timeout: 3 * PATIENCE }, async () => {
  const decoder = new TextDecoder();
  let expected = "";
  const stdout: HostOutput = {
    write: (bytes) => {
      expected += decoder.decode(bytes, { stream: true });
      return true;
    },
    drained: (resume) => resume(),
  };
  const content = readFileSync(join(root, "user/bin/demo"));
  const { stats } = await runHere({ host: nodeHost }, {
    modules: nodeCpuModules(), memory: 256 << 20, program: "/bin/demo", argv: ["demo"], env: ["PATH=/bin", "HOME=/", "LANG=C.UTF-8"],
    files: { "bin/demo": { content, mode: 0o755 } }, deterministic: true, stdout,
  }).result;

  await page.goto(address);
  expect(await ended()).toBe("exit status 0, in a Worker");
  expect(await output()).toBe(expected);
  expect(expected.length).toBeGreaterThan(500);
  expect(await figure("instructions")).toBe(stats.instructions.toLocaleString("en-US"));
  expect(await figure("frames at peak")).toBe(stats.frames.peak.toLocaleString("en-US"));
  expect(await figure("copy-on-write copies")).toBe(stats.copyOnWriteCopies.toLocaleString("en-US"));

  await page.locator("input[name=place][value=page]").check();
  await page.locator("#run").click();
  expect(await ended()).toBe("exit status 0, in this page");
  expect(await output()).toBe(expected);
  expect(complaints).toEqual([]);
});

test("a file of the user's runs, reads lines typed into the page and can be stopped", { timeout: 2 * PATIENCE }, async () => {
  await page.locator("#program").selectOption("own");
  await page.locator("#file").setInputFiles({ name: "cat", mimeType: "application/octet-stream", buffer: Buffer.from(CAT) });
  await page.locator("input[name=place][value=worker]").check();
  await page.locator("#run").click();
  await page.locator("#input").fill("a line");
  await page.locator("#send").click();
  await page.locator("#output:has-text('a line')").waitFor();
  await page.locator("#end-input").click();
  expect(await ended()).toBe("exit status 7, in a Worker");
  expect(await output()).toBe("a line\n");

  await page.locator("#run").click();
  await page.locator("#stop").click();
  expect(await ended()).toBe("stopped (killed)");
  expect(complaints).toEqual([]);
});
