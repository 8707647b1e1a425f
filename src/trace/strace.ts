/** Events as strace(1) prints them, so that habits and scripts carry over:
 *
 *    read(3, "abc"..., 1024) = 3
 *    openat(AT_FDCWD, "/x", O_RDONLY) = -1 ENOENT (No such file or directory)
 *    [pid 3] wait4(-1,  <unfinished ...>
 *    [pid 3] <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 4
 *    --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---
 *    +++ exited with 0 +++
 *
 *  Arguments that the kernel fills in are printed when the call returns, the others when it enters. */
import { errnoMessage, errnoName } from "../abi/linux/errno.ts";
import { SIGCHLD, signalCodeName, signalName } from "../abi/linux/signal.ts";
import type { EventBody, Sink, SignalText, TraceEvent } from "./event.ts";
import { hexText, quoteBytes } from "./text.ts";

type Enter = Extract<EventBody, { type: "syscall-enter" }>;
type Exit = Extract<EventBody, { type: "syscall-exit" }>;

/** strace pads a call to this column before `=`. */
const RESULT_COLUMN = 39;

const RESTARTS: Record<string, string> = {
  ERESTARTSYS: "To be restarted if SA_RESTART is set",
  ERESTARTNOINTR: "To be restarted",
  ERESTARTNOHAND: "To be restarted if no handler",
};

export class Strace implements Sink {
  readonly #write: (line: string) => void;
  /** Text of the call each thread is in, as far as it was known on entry. */
  readonly #open = new Map<number, { text: string; printed: number }>();
  /** The thread whose unfinished line is the last thing written. */
  #partial: number | undefined;
  /** Threads seen; with more than one, lines say whose they are. */
  readonly #threads = new Set<number>();
  #several = false;

  /** @param write takes whole lines, newline included */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case "process-start":
      case "thread-start":
        this.#threads.add(event.tid);
        if (this.#threads.size > 1) this.#several = true;
        return;
      case "syscall-enter":
        return this.#enter(event.tid, event);
      case "syscall-exit":
        return this.#exit(event.tid, event);
      case "exec":
        if (event.argv === undefined) return;
        return this.#line(event.tid, `execve(${quoteBytes(stringBytes(event.path))}, [${event.argv.map((word) => quoteBytes(stringBytes(word))).join(", ")}], ` +
          `[/* ${event.variables} var${event.variables === 1 ? "" : "s"} */]) = 0`);
      case "unknown-syscall":
        return this.#line(event.tid, `${event.name}(...) = -1 ENOSYS (Function not implemented)`);
      case "signal-delivered":
        return this.#line(event.tid, `--- ${signalName(event.signal)} ${infoText(event.info)} ---${event.action === "stop" ? `\n${this.#prefix(event.tid)}--- stopped by ${signalName(event.signal)} ---` : ""}`);
      case "thread-exit":
        this.#line(event.tid, endText(event.status));
        this.#threads.delete(event.tid);
        this.#open.delete(event.tid);
        return;
      default:
        return;
    }
  }

  #enter(tid: number, call: Enter): void {
    this.#interruptPartial();
    const { shape, values, view } = call;
    const parts: string[] = [];
    for (let index = 0; index < shape.parameters.length; index++) {
      const parameter = shape.parameters[index];
      // The first argument that only the kernel knows ends what can be said now.
      if (parameter.when === "exit") break;
      view.missed = false;
      const text = parameter.format(values[index], view, values, 0);
      // The page of a string or structure is not there yet: the call will bring it in, so it is printed afterwards.
      if (view.missed) break;
      parts.push(text);
    }
    const more = parts.length < shape.parameters.length;
    const text = `${shape.name}(${parts.join(", ")}${more && parts.length > 0 ? ", " : ""}`;
    this.#open.set(tid, { text, printed: parts.length });
    this.#partial = tid;
  }

  #exit(tid: number, call: Exit): void {
    const open = this.#open.get(tid);
    this.#open.delete(tid);
    const { shape, values, view, result } = call;
    const first = open?.printed ?? 0;
    const rest: string[] = [];
    for (let index = first; index < shape.parameters.length; index++) {
      rest.push(shape.parameters[index].format(values[index], view, values, result ?? -1));
    }
    const head = this.#partial === tid && open !== undefined ? open.text : `<... ${shape.name} resumed>`;
    if (this.#partial === tid) this.#partial = undefined;
    else this.#interruptPartial();
    const text = `${head}${rest.join(", ")})`;
    this.#write(`${this.#prefix(tid)}${text.padEnd(RESULT_COLUMN)} = ${resultText(call)}\n`);
  }

  /** Something else is to be printed while a call's line is open: the line is left unfinished, as strace leaves it. */
  #interruptPartial(): void {
    if (this.#partial === undefined) return;
    const tid = this.#partial;
    this.#partial = undefined;
    this.#write(`${this.#prefix(tid)}${this.#open.get(tid)?.text ?? ""} <unfinished ...>\n`);
  }
  #line(tid: number, text: string): void {
    this.#interruptPartial();
    this.#write(`${this.#prefix(tid)}${text}\n`);
  }
  #prefix(tid: number): string {
    return this.#several ? `[pid ${String(tid).padStart(5)}] ` : "";
  }
}

/** A byte string as bytes. */
const stringBytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function resultText(call: Exit): string {
  const { result, restart, shape } = call;
  if (restart !== undefined) return `? ${restart} (${RESTARTS[restart] ?? restart})`;
  if (result === undefined) return "?";
  if (result < 0) return `-1 ${errnoName(-result)} (${errnoMessage(-result)})`;
  return shape.hexResult ? hexText(result).replace(/^0$/, "0") : String(result);
}

function infoText(info: SignalText): string {
  const fields = [`si_signo=${signalName(info.signo)}`, `si_code=${signalCodeName(info.signo, info.code)}`];
  if (info.address !== undefined) fields.push(`si_addr=${info.address === 0 ? "NULL" : hexText(info.address)}`);
  if (info.pid !== undefined) fields.push(`si_pid=${info.pid}`, `si_uid=${info.uid ?? 0}`);
  if (info.signo === SIGCHLD && info.status !== undefined) fields.push(`si_status=${info.code === 1 ? info.status : signalName(info.status)}`);
  if (info.value !== undefined) fields.push(`si_int=${info.value | 0}`);
  return `{${fields.join(", ")}}`;
}

function endText(status: number): string {
  const signal = status & 0x7f;
  if (signal === 0) return `+++ exited with ${(status >> 8) & 0xff} +++`;
  return `+++ killed by ${signalName(signal)}${(status & 0x80) !== 0 ? " (core dumped)" : ""} +++`;
}
