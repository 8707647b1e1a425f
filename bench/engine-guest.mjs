/** One program of the CPU set in whatever JavaScript engine runs this, by the package as it is built: `node engine-guest.mjs DIST PROGRAM SCALE` prints the
 *  milliseconds that the program's main took; a page imports {@link workOf} (browser.ts). */

/** @param {string} dist URL of the built package, with a slash at the end
 *  @param {{ host: object, modules: object, content: Uint8Array, scale: number }} given
 *  @returns {Promise<{ milliseconds: number, output: string }>} by the guest's own monotonic clock, as user/bench/bench.h tells it; standard output */
export async function workOf(dist, { host, modules, content, scale }) {
  const { runHere } = await import(`${dist}index.js`);
  const decoder = new TextDecoder();
  const collected = { stdout: "", stderr: "" };
  const to = (name) => ({
    write: (bytes) => {
      collected[name] += decoder.decode(bytes.slice());
      return true;
    },
    drained: (resume) => resume(),
  });
  const { result } = runHere({ host }, {
    modules, memory: 1 << 30, program: "/program", argv: ["program", String(scale)], env: ["BENCH_MODE=fresh"], files: { program: { content, mode: 0o755 } }, stdout: to("stdout"), stderr: to("stderr"),
  });
  const { status } = await result, nanoseconds = Number(/^work (\d+) ns/m.exec(collected.stderr)?.[1]);
  if (status !== 0 || !(nanoseconds > 0)) throw new Error(`status ${status}: ${collected.stderr}`);
  return { milliseconds: nanoseconds / 1e6, output: collected.stdout };
}

if (typeof process !== "undefined" && process.argv[1]?.endsWith("engine-guest.mjs") === true) {
  const [dist, program, scale] = process.argv.slice(2);
  const { readFileSync } = await import("node:fs");
  const { nodeCpuModules, nodeHost } = await import(`${dist}node.js`);
  const { milliseconds, output } = await workOf(dist, { host: nodeHost, modules: await nodeCpuModules(), content: readFileSync(program), scale: Number(scale) });
  process.stdout.write(JSON.stringify({ milliseconds, output }));
}
