/** Events as Chrome trace JSON, which Perfetto and chrome://tracing open: a track for each process and thread, slices for
 *  system calls and for the time a thread runs, instants for faults and signals.
 *
 *  Written as it goes, entry by entry; nothing is kept but what is open. Times are microseconds of the machine's clock. */
import { signalName } from "../abi/linux/signal.ts";
import type { Sink, TraceEvent } from "./event.ts";
import { hexText } from "./text.ts";

/** Who is on the processor is a track of its own, so that its slices need not nest with system calls. */
const CPU_TRACK = { pid: 0, tid: 0 };

export class PerfettoTrace implements Sink {
  readonly #write: (text: string) => void;
  #first = true;
  /** Threads inside a call have an open slice; so has the processor. */
  readonly #calls = new Set<number>();
  #running: number | undefined;
  #time = 0;

  /** @param write takes pieces of the file in order */
  constructor(write: (text: string) => void) {
    this.#write = write;
    write('{"displayTimeUnit":"ns","traceEvents":[\n');
    this.#put({ ph: "M", name: "process_name", ...CPU_TRACK, args: { name: "processor" } });
  }

  event(event: TraceEvent): void {
    this.#time = event.time;
    switch (event.type) {
      case "process-start":
        this.#name(event, "process_name", event.name);
        this.#name(event, "thread_name", event.name);
        return;
      case "thread-start":
        this.#name(event, "thread_name", event.name);
        return;
      case "exec":
        this.#name(event, "process_name", event.name);
        this.#name(event, "thread_name", event.name);
        this.#instant(event, "exec", { path: event.path });
        return;
      case "switch":
        this.#stopRunning();
        this.#running = event.tid;
        return this.#put({ ph: "B", name: `${event.pid}${event.tid === event.pid ? "" : `/${event.tid}`}`, cat: "scheduler", ...CPU_TRACK, ts: event.time / 1000 });
      case "syscall-enter":
        this.#calls.add(event.tid);
        return this.#put({ ph: "B", name: event.shape.name, cat: "syscall", ...this.#place(event), args: { gate: event.gate, values: event.values.map(hexText) } });
      case "syscall-exit":
        if (!this.#calls.delete(event.tid)) return;
        return this.#put({ ph: "E", ...this.#place(event), args: { result: event.result ?? event.restart ?? "never returns" } });
      case "page-fault":
        return this.#put({ ph: "X", name: `fault: ${event.kind}`, cat: "fault", dur: 0.001, ...this.#place(event), args: { address: hexText(event.address), error: event.errorCode } });
      case "signal-delivered":
        return this.#instant(event, signalName(event.signal), { action: event.action });
      case "fault-denied":
        return this.#instant(event, "fatal fault", { address: hexText(event.address), report: event.report() });
      case "map":
      case "unmap":
      case "protect":
        return this.#instant(event, event.type, { address: hexText(event.address), length: event.length, prot: event.prot });
      case "out-of-memory":
        return this.#instant(event, "out of memory", { victim: event.victim });
      case "thread-exit":
        if (this.#calls.delete(event.tid)) this.#put({ ph: "E", ...this.#place(event) });
        if (this.#running === event.tid) this.#stopRunning();
        return this.#instant(event, "exit", { status: event.status });
      default:
        return;
    }
  }

  /** Ends the file; nothing may follow. */
  finish(): void {
    this.#stopRunning();
    this.#write("\n]}\n");
  }

  #stopRunning(): void {
    if (this.#running === undefined) return;
    this.#running = undefined;
    this.#put({ ph: "E", ...CPU_TRACK, ts: this.#time / 1000 });
  }
  #instant(event: TraceEvent, name: string, args: Record<string, unknown>): void {
    this.#put({ ph: "i", s: "t", name, ...this.#place(event), args });
  }
  #name(event: TraceEvent, kind: string, name: string): void {
    this.#put({ ph: "M", name: kind, pid: event.pid, tid: event.tid, args: { name } });
  }
  #place(event: TraceEvent): { pid: number; tid: number; ts: number } {
    return { pid: event.pid, tid: event.tid, ts: event.time / 1000 };
  }
  #put(entry: Record<string, unknown>): void {
    this.#write(`${this.#first ? "" : ",\n"}${JSON.stringify(entry)}`);
    this.#first = false;
  }
}
