/** menios/trace: typed events and what can be made of them. */
export type { EventBody, Sink, TraceEvent } from "./event.ts";
export { PerfettoTrace } from "./perfetto.ts";
export { Recorder } from "./recorder.ts";
export { type EngineStats, engineText, type GuestStats, type JitFigures, statsText } from "./stats.ts";
export { Strace } from "./strace.ts";
