/** A deterministic machine does the same thing every time: output, guest figures, every event with its instruction count and
 *  time (so every switch point), and the trace file. Whatever the host's clock, load and event loop do meanwhile. */
import { expect, test } from "vitest";
import type { Sink, TraceEvent } from "../../src/trace/event.ts";
import { PerfettoTrace } from "../../src/trace/perfetto.ts";
import { Strace } from "../../src/trace/strace.ts";
import { musl, runProgram } from "./run.ts";

const busy = await musl(new URL("busy.c", import.meta.url));

/** Events as text: what is in them except the functions and views that read memory later. */
class Log implements Sink {
  readonly lines: string[] = [];
  readonly switches: string[] = [];
  event(event: TraceEvent): void {
    const line = JSON.stringify(event, (key, value: unknown) => (key === "view" || key === "shape" ? undefined : value));
    this.lines.push("shape" in event ? `${event.shape.name} ${line}` : line);
    if (event.type === "switch") this.switches.push(`${event.instructions} ${event.tid}`);
  }
}

async function once(jitter: boolean): Promise<{ stdout: string; stats: unknown; events: string[]; switches: string[]; trace: string; strace: string }> {
  const log = new Log();
  let trace = "";
  let strace = "";
  const perfetto = new PerfettoTrace((text) => (trace += text));
  // Other work in the host's event loop, at other moments each time.
  const noise = jitter ? setInterval(() => void new Uint8Array(100_000).fill(1), 1) : undefined;
  const { stdout, stderr, status, stats, leaks } = await runProgram(busy, [], {
    memory: 64 << 20, deterministic: true, sinks: [log, perfetto, new Strace((text) => (strace += text))],
  });
  clearInterval(noise);
  perfetto.finish();
  expect({ stderr, status, leaks }).toEqual({ stderr: "", status: 0, leaks: [] });
  return { stdout, stats, events: log.lines, switches: log.switches, trace, strace };
}

test("two deterministic runs are the same in output, figures, switch points, events and traces", async () => {
  const first = await once(false);
  const second = await once(true);
  expect(first.stdout).toContain("order ");
  expect(second.stdout).toBe(first.stdout);
  expect(second.stats).toEqual(first.stats);
  expect(first.switches.length).toBeGreaterThan(20);
  expect(second.switches).toEqual(first.switches);
  expect(second.events).toEqual(first.events);
  expect(second.strace).toBe(first.strace);
  expect(second.trace).toBe(first.trace);
  expect(() => JSON.parse(first.trace) as unknown).not.toThrow();
});
