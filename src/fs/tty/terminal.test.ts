/** Echo and lines were recorded from a pseudo-terminal of Linux 6.18. */
import { expect, test } from "vitest";
import { EAGAIN, EINVAL, EIO, ENOTTY, ENXIO, EPERM } from "../../abi/linux/errno.ts";
import { O_NOCTTY, O_NONBLOCK, O_RDWR } from "../../abi/linux/fcntl.ts";
import {
  ECHO, ECHOCTL, ECHOE, ECHOKE, FIONREAD, ICANON, IUTF8, readTermios, TCGETS, TCSETS, type Termios, TIOCGPGRP, TIOCGWINSZ, TIOCSCTTY, TIOCSPGRP,
  TIOCSWINSZ, VMIN, VTIME, XTABS,
} from "../../abi/linux/ioctl.ts";
import { POLLIN, POLLOUT } from "../../abi/linux/poll.ts";
import { SIGINT, SIGTTIN, SIGTTOU, SIGWINCH } from "../../abi/linux/signal.ts";
import { makeDevfs } from "../devfs/devfs.ts";
import { bytesToString, stringToBytes } from "../names.ts";
import { argument, mustOpen, outcome, readText, testWorld, type World, writeText } from "../test-world.ts";
import { BufferSink } from "../transfer.ts";
import { type Caller, type JobControl, KERNEL_CALLER } from "../vfs/credentials.ts";
import { open } from "../vfs/open.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { takeBlocker, WOULD_BLOCK } from "../wait.ts";
import { Terminal } from "./terminal.ts";

interface Setup extends World {
  readonly terminal: Terminal;
  readonly file: OpenFile;
  readonly shown: () => string;
  readonly type: (typed: string) => void;
}

function setup(change: (termios: Termios) => void = () => {}, flags = O_RDWR | O_NONBLOCK): Setup {
  let shown = "";
  const terminal = new Terminal(
    { pull() {} },
    {
      write(bytes) {
        shown += bytesToString(bytes);
        return true;
      },
      drained() {},
    },
    { rows: 24, columns: 80, xPixels: 0, yPixels: 0 },
  );
  const world = testWorld((context) => makeDevfs(context, terminal));
  const termios = { ...terminal.termios, cc: terminal.termios.cc.slice(), iflag: terminal.termios.iflag & ~IUTF8 };
  change(termios);
  terminal.setTermios(termios, false);
  const file = mustOpen(world.walk, "/pts/0", flags);
  return { ...world, terminal, file, shown: () => shown, type: (typed) => terminal.type(stringToBytes(typed)) };
}

function rawMode(min: number, time: number): (termios: Termios) => void {
  return (termios) => {
    termios.lflag &= ~(ICANON | ECHO);
    termios.cc[VMIN] = min;
    termios.cc[VTIME] = time;
  };
}

const RECORDED: readonly (readonly [typed: string, echo: string, reads: readonly (string | number)[], change?: (termios: Termios) => void])[] = [
  ["hello\x7f\x7fp\n", "hello\b \b\b \bp\r\n", ["help\n"]],
  ["ab cd\x17x\n", "ab cd\b \b\b \bx\r\n", ["ab x\n"]],
  ["ab cd  \x17x\n", "ab cd  \b \b\b \b\b \b\b \bx\r\n", ["ab x\n"]],
  ["a.b,c\x17x\n", "a.b,c\b \bx\r\n", ["a.b,x\n"]],
  ["abc\x15xyz\n", "abc\b \b\b \b\b \bxyz\r\n", ["xyz\n"]],
  ["a\tb\x7f\x7fc\n", "a\tb\b \b\b\b\b\b\b\b\bc\r\n", ["ac\n"]],
  ["\x01\x7fq\n", "^A\b \b\b \bq\r\n", ["q\n"]],
  ["\x16\x03z\n", "^\b^Cz\r\n", ["\x03z\n"]],
  ["abc\x04", "abc", ["abc"]],
  ["abc\x04\x04", "abc", ["abc", "", -EAGAIN]],
  ["\x04", "", ["", -EAGAIN]],
  ["foo\x12bar\n", "foo^R\r\nfoobar\r\n", ["foobar\n"]],
  ["\xc3\xa9x\x7f\x7fq\n", "\xc3\xa9x\b \b\b \bq\r\n", ["q\n"], (t) => void (t.iflag |= IUTF8)],
  ["\xc3\xa9\x7fq\n", "\xc3\xa9\b \bq\r\n", ["\xc3q\n"]],
  ["one\ntwo\n", "one\r\ntwo\r\n", ["one\n", "two\n", -EAGAIN]],
  ["a\rb\n", "a\r\nb\r\n", ["a\n", "b\n"]],
  ["\x7f\x15\x17\n", "\r\n", ["\n"]],
  ["a\x16\n\x7f\x7fb\n", "a^\b^J\b \b\b \b\b \bb\r\n", ["b\n"]],
  ["\x1b[A\n", "^[[A\r\n", ["\x1b[A\n"]],
  ["abc\x7f\x7fd\n", "abc^?^?d\r\n", ["ad\n"], (t) => void (t.lflag &= ~ECHOE)],
  ["abc\x15d\n", "abc^U\r\nd\r\n", ["d\n"], (t) => void (t.lflag &= ~ECHOKE)],
  ["ab", "", ["ab", ""], rawMode(0, 0)],
  ["ab\x04\n", "", ["ab\x04\n", -EAGAIN], rawMode(1, 0)],
];

test("typing is edited, echoed and read as on Linux", () => {
  for (const [typed, echo, reads, change] of RECORDED) {
    const { file, shown, type } = setup(change);
    type(typed);
    expect([typed, shown()]).toEqual([typed, echo]);
    expect([typed, reads.map(() => readText(file, 100))]).toEqual([typed, reads]);
  }
});

test("an overlong line keeps its beginning and its newline", () => {
  const { file, shown, type } = setup();
  type(`${"x".repeat(5000)}\n`);
  expect(shown().length).toBe(5002);
  expect(String(readText(file, 100_000)).length).toBe(4096);
});

test("a half-typed line becomes readable when lines are switched off", () => {
  const { terminal, file, type } = setup();
  type("l1\nl2\npart");
  terminal.setTermios({ ...terminal.termios, lflag: terminal.termios.lflag & ~ICANON }, false);
  expect(readText(file, 20)).toBe("l1\nl2\npart");
});

test("output is processed as on Linux", () => {
  const plain = setup();
  writeText(plain.file, "a\nb\tc\rd\n");
  expect(plain.shown()).toBe("a\r\nb\tc\rd\r\n");
  const tabs = setup((t) => void (t.oflag |= XTABS));
  writeText(tabs.file, "ab\tc\n\td");
  expect(tabs.shown()).toBe("ab      c\r\n        d");
});

test("stop and start hold output back", () => {
  const { file, shown, type } = setup();
  type("\x13");
  expect(writeText(file, "late")).toBe(-EAGAIN);
  expect(file.readiness() & POLLOUT).toBe(0);
  type("\x11");
  expect(writeText(file, "late")).toBe(4);
  expect(shown()).toBe("late");
});

test("a read that waits is woken by a whole line only", () => {
  const { file, type } = setup(undefined, O_RDWR);
  const sink = new BufferSink(10);
  expect(file.read(sink)).toBe(WOULD_BLOCK);
  type("ab");
  expect(file.readiness() & POLLIN).toBe(0);
  expect(file.read(sink)).toBe(WOULD_BLOCK);
  let woken = false;
  takeBlocker().add(() => {
    woken = true;
  });
  type("\n");
  expect(woken).toBe(true);
  expect(file.readiness() & POLLIN).toBe(POLLIN);
  const count = argument();
  file.ioctl(FIONREAD, count, KERNEL_CALLER);
  expect(count.bytes[0]).toBe(3);
  expect(file.read(sink)).toBe(3);
});

test("MIN and TIME rule raw reads (termios(3))", () => {
  const raw = (min: number, time: number) => setup(rawMode(min, time), O_RDWR);
  const three = raw(3, 0);
  const sink = new BufferSink(10);
  three.type("ab");
  expect(three.file.readiness() & POLLIN).toBe(0);
  expect(three.file.read(sink)).toBe(WOULD_BLOCK);
  three.type("c");
  expect(three.file.read(sink)).toBe(3);

  const timed = raw(0, 5);
  let fire: (() => void) | undefined;
  let asked = 0;
  timed.terminal.kernel = {
    currentCaller: () => KERNEL_CALLER,
    signalGroup() {},
    after(milliseconds, action) {
      asked = milliseconds;
      fire = action;
      return () => {
        fire = undefined;
      };
    },
  };
  const waiting = new BufferSink(10);
  expect(timed.file.read(waiting)).toBe(WOULD_BLOCK);
  expect(asked).toBe(500);
  fire?.();
  expect(timed.file.read(waiting)).toBe(0);
});

/** A process in session 10 whose group is `group`. */
function processOf(group: number, options: Partial<JobControl> = {}): { caller: Caller; signals: number[] } {
  const signals: number[] = [];
  const jobControl: JobControl = {
    processId: group, sessionId: 10, processGroup: group, groupOrphaned: false, groupInSession: (other) => other >= 10 && other < 20,
    ignoresOrBlocks: () => false, signalOwnGroup: (signal) => signals.push(signal), ...options,
  };
  return { caller: { ...KERNEL_CALLER, processId: group, jobControl }, signals };
}

test("job control follows credentials(7)", () => {
  const { terminal, file, walk, type } = setup(undefined, O_RDWR | O_NOCTTY);
  const sent: [number, number][] = [];
  let current = processOf(10);
  terminal.kernel = { currentCaller: () => current.caller, signalGroup: (group, signal) => sent.push([group, signal]), after: () => () => {} };
  expect(outcome(open({ ...walk, caller: current.caller }, "/tty", O_RDWR, 0))).toBe(-ENXIO);
  expect(file.ioctl(TIOCGPGRP, argument(), current.caller)).toBe(-ENOTTY);
  expect(file.ioctl(TIOCSCTTY, argument(), processOf(11).caller)).toBe(-EPERM);
  expect(file.ioctl(TIOCSCTTY, argument(), current.caller)).toBe(0);
  expect(outcome(open({ ...walk, caller: current.caller }, "/tty", O_RDWR, 0))).toBe("ok");
  type("\x03");
  expect(sent).toEqual([[10, SIGINT]]);

  const to = (group: number) => argument(new Uint8Array([group, 0, 0, 0]));
  expect(file.ioctl(TIOCSPGRP, to(40), current.caller)).toBe(-EPERM);
  expect(file.ioctl(TIOCSPGRP, to(0), current.caller)).toBe(-EINVAL);
  expect(file.ioctl(TIOCSPGRP, to(12), current.caller)).toBe(0);
  const asked = argument();
  file.ioctl(TIOCGPGRP, asked, current.caller);
  expect(asked.bytes[0]).toBe(12);

  expect(readText(file)).toBe(WOULD_BLOCK);
  expect(current.signals).toEqual([SIGTTIN]);
  expect(file.ioctl(TIOCSPGRP, to(10), current.caller)).toBe(WOULD_BLOCK);
  expect(current.signals).toEqual([SIGTTIN, SIGTTOU]);
  current = processOf(11, { groupOrphaned: true });
  expect(readText(file)).toBe(-EIO);
  current = processOf(11, { ignoresOrBlocks: (signal) => signal === SIGTTOU });
  expect(file.ioctl(TIOCSPGRP, to(11), current.caller)).toBe(0);
  expect(terminal.foreground).toBe(11);
  terminal.dropSession(10);
  expect(sent.map(([group]) => group)).toEqual([10, 11, 11]);
  expect(file.ioctl(TIOCGPGRP, argument(), current.caller)).toBe(-ENOTTY);
});

test("settings and window size can be read and set", () => {
  const { terminal, file } = setup();
  const settings = argument();
  expect(file.ioctl(TCGETS, settings, KERNEL_CALLER)).toBe(0);
  expect(readTermios(settings.bytes).lflag & ECHOCTL).toBe(ECHOCTL);
  settings.bytes[12] &= ~ECHO;
  expect(file.ioctl(TCSETS, settings, KERNEL_CALLER)).toBe(0);
  expect(terminal.termios.lflag & ECHO).toBe(0);
  const sent: number[] = [];
  terminal.kernel = { currentCaller: () => KERNEL_CALLER, signalGroup: (_group, signal) => sent.push(signal), after: () => () => {} };
  terminal.foreground = 5;
  const window = argument(new Uint8Array([50, 0, 132, 0, 0, 0, 0, 0]));
  expect(file.ioctl(TIOCSWINSZ, window, KERNEL_CALLER)).toBe(0);
  expect(sent).toEqual([SIGWINCH]);
  const read = argument();
  file.ioctl(TIOCGWINSZ, read, KERNEL_CALLER);
  expect([...read.bytes.subarray(0, 4)]).toEqual([50, 0, 132, 0]);
});

test("a terminal that hangs up gives end of file and EIO", () => {
  const { terminal, file } = setup();
  terminal.hangUp();
  expect(readText(file)).toBe("");
  expect(writeText(file, "x")).toBe(-EIO);
});
