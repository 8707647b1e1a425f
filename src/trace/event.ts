/** Every state change of the machine is one of these events, and nobody pays for them when nobody listens:
 *  emitters test `tracer.active` first and build the event only then.
 *
 *  Events are plain data except where text is produced on demand (`view`, `shape`); a sink that keeps an event must take
 *  the text at once, because user memory moves on. */

/** Reads the memory of the task that an event is about, without faulting anything in. */
export interface UserView {
  /** Set when a look found nothing because the page is not there yet. Whoever cares clears it first. */
  missed: boolean;
  /** `undefined` unless all `length` bytes are present. */
  peek(address: number, length: number): Uint8Array | undefined;
  /** Up to `max` bytes before a NUL. */
  peekString(address: number, max: number): Uint8Array | undefined;
}
export interface ParameterShape {
  readonly name: string;
  readonly when: "enter" | "exit";
  format(value: number, view: UserView, all: readonly number[], result: number): string;
}
export interface SyscallShape {
  readonly name: string;
  readonly parameters: readonly ParameterShape[];
  readonly hexResult: boolean;
}
/** Which door a call came through. */
export type Gate = "linux" | "menios";

/** Every event says when (retired instructions of the machine, nanoseconds of its clock) and who. */
export interface EventHead {
  readonly instructions: number;
  readonly time: number;
  /** 0 for events of no task. */
  readonly pid: number;
  readonly tid: number;
}
export type FaultKind =
  | "zero-fill" | "page-in" | "copy-on-write" | "reuse" | "stack-growth" | "file" | "shared" | "spurious" | "denied" | "blocked" | (string & {});

export type EventBody =
  | { readonly type: "process-start"; readonly parent: number; readonly name: string }
  | { readonly type: "thread-start"; readonly name: string }
  | { readonly type: "thread-exit"; readonly status: number }
  | { readonly type: "process-exit"; readonly status: number }
  | {
      readonly type: "exec"; readonly path: string; readonly name: string;
      /** Present for the first program of the machine, which no call started: argv, and the number of variables. */
      readonly argv?: readonly string[]; readonly variables?: number;
    }
  | { readonly type: "syscall-enter"; readonly gate: Gate; readonly shape: SyscallShape; readonly values: readonly number[]; readonly view: UserView }
  | {
      readonly type: "syscall-exit"; readonly gate: Gate; readonly shape: SyscallShape; readonly values: readonly number[]; readonly view: UserView;
      /** A result, -errno, or `undefined` when the call never returns (exit, a fatal signal). */
      readonly result: number | undefined;
      /** Interrupted by a signal and to be run again: strace's `? ERESTARTSYS`. */
      readonly restart?: string;
    }
  | { readonly type: "unknown-syscall"; readonly gate: Gate; readonly number: number; readonly name: string }
  | { readonly type: "page-fault"; readonly kind: FaultKind; readonly address: number; readonly errorCode: number }
  | { readonly type: "fault-denied"; readonly report: () => string; readonly address: number; readonly signal: number; readonly code: number }
  | { readonly type: "map" | "unmap" | "protect"; readonly address: number; readonly length: number; readonly prot: number }
  | { readonly type: "signal-sent"; readonly signal: number; readonly target: number; readonly code: number }
  | { readonly type: "signal-delivered"; readonly signal: number; readonly code: number; readonly info: SignalText; readonly action: "handler" | "terminate" | "core" | "stop" | "ignore" }
  | { readonly type: "continued" }
  | { readonly type: "switch"; readonly from: number }
  | { readonly type: "out-of-memory"; readonly victim: number };

/** The fields of a siginfo that strace prints. */
export interface SignalText {
  readonly signo: number;
  readonly code: number;
  readonly pid?: number;
  readonly uid?: number;
  readonly address?: number;
  readonly status?: number;
  readonly value?: number;
}

export type TraceEvent = EventHead & EventBody;

/** Takes events as they happen. Sinks are bounded or push back through the host stream they write to. */
export interface Sink {
  event(event: TraceEvent): void;
}
