import { expect, test } from "vitest";
import type { EventBody, SyscallShape, TraceEvent, UserView } from "./event.ts";
import { Recorder } from "./recorder.ts";
import { Strace } from "./strace.ts";
import { flagsText, hexText, quoteBytes } from "./text.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const view: UserView = { missed: false, peek: () => undefined, peekString: () => undefined };
const decimal = (value: number): string => String(value);
const read: SyscallShape = {
  name: "read", hexResult: false,
  parameters: [{ name: "fd", when: "enter", format: decimal }, { name: "buffer", when: "exit", format: () => '"abc"...' }, { name: "count", when: "enter", format: decimal }],
};
const wait: SyscallShape = { name: "pause", hexResult: false, parameters: [] };
const event = (tid: number, body: EventBody): TraceEvent => ({ instructions: 0, time: 0, pid: tid, tid, ...body }) as TraceEvent;
const enter = (tid: number, shape: SyscallShape, values: number[] = []): TraceEvent => event(tid, { type: "syscall-enter", gate: "linux", shape, values, view });
const exit = (tid: number, shape: SyscallShape, result: number | undefined, values: number[] = []): TraceEvent =>
  event(tid, { type: "syscall-exit", gate: "linux", shape, values, view, result });

function lines(...events: TraceEvent[]): string[] {
  let text = "";
  const strace = new Strace((line) => (text += line));
  for (const one of events) strace.event(one);
  return text.split("\n").slice(0, -1).map((line) => line.replace(/ +=/, " ="));
}

test("a call is one line; arguments the kernel fills in come with the result", () => {
  expect(lines(enter(2, read, [3, 0, 1024]), exit(2, read, 3, [3, 0, 1024]))).toEqual(['read(3, "abc"..., 1024) = 3']);
});
test("an error has its name and message", () => {
  expect(lines(enter(2, wait), exit(2, wait, -2))).toEqual(["pause() = -1 ENOENT (No such file or directory)"]);
});
test("a call that another thread's line cuts is resumed", () => {
  const start = (tid: number): TraceEvent => event(tid, { type: "process-start", parent: 0, name: "x" });
  expect(lines(start(2), start(3), enter(2, read, [3, 0, 9]), enter(3, wait), exit(2, read, 0, [3, 0, 9]), exit(3, wait, -4))).toEqual([
    "[pid     2] read(3,  <unfinished ...>", "[pid     3] pause( <unfinished ...>", '[pid     2] <... read resumed>"abc"..., 9) = 0',
    "[pid     3] <... pause resumed>) = -1 EINTR (Interrupted system call)",
  ]);
});
test("signals and ends read as in strace", () => {
  const info = { signo: 11, code: 1, address: 0 };
  expect(lines(
    event(2, { type: "signal-delivered", signal: 11, code: 1, info, action: "core" }),
    event(2, { type: "thread-exit", status: 11 }),
    event(3, { type: "thread-exit", status: 0x300 }),
  )).toEqual(["--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---", "+++ killed by SIGSEGV +++", "+++ exited with 3 +++"]);
});
test("bytes are quoted as C strings", () => {
  expect(quoteBytes(bytes('a"\\\n\0\u00019\u00ff'))).toBe('"a\\"\\\\\\n\\0\\0019\\377"');
});
test("flags keep what has no name", () => {
  expect(flagsText(0x13, [["A", 1], ["B", 2]], "0")).toBe("A|B|0x10");
  expect(flagsText(0, [["A", 1]], "NONE")).toBe("NONE");
  expect(hexText(2 ** 64)).toBe("0xffffffffffffffff");
});
test("a recorder keeps the last events and counts the others", () => {
  const recorder = new Recorder(3);
  for (let tid = 1; tid <= 5; tid++) recorder.event(event(tid, { type: "continued" }));
  expect(recorder.events().map((one) => one.tid)).toEqual([3, 4, 5]);
  expect(recorder.dropped).toBe(2);
});
