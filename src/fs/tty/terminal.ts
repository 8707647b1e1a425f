/** A terminal: the device that /dev/tty, /dev/console and a terminal's standard streams share (tty(4), tty_ioctl(4)).
 *
 *  The terminal keeps its own session and foreground group; a process has it as controlling terminal when the session is
 *  its own (credentials(7)). Signals go out through {@link TerminalKernel}, which the kernel supplies. */
import { EIO, EINVAL, ENOTTY, EPERM } from "../../abi/linux/errno.ts";
import { defaultTermios, IUTF8, type Termios, TOSTOP, VMIN, VTIME, type WindowSize, ICANON } from "../../abi/linux/ioctl.ts";
import { SIGCONT, SIGHUP, SIGTTIN, SIGTTOU, SIGWINCH } from "../../abi/linux/signal.ts";
import { OutputBuffer, type StreamInput, type StreamOutput } from "../stream/host-streams.ts";
import type { ByteSource } from "../transfer.ts";
import type { Caller, JobControl } from "../vfs/credentials.ts";
import { blockOn, WaitQueue } from "../wait.ts";
import { LineEditor } from "./line-editor.ts";
import { OutputProcessor } from "./output-processor.ts";

/** What a terminal needs of the kernel. Set once, when the kernel exists. */
export interface TerminalKernel {
  /** The task whose call is being served. */
  currentCaller(): Caller;
  /** Sends `signal` to every process of the group. */
  signalGroup(processGroup: number, signal: number): void;
  /** Runs `action` after `milliseconds`; the returned function cancels it. */
  after(milliseconds: number, action: () => void): () => void;
}

/** Output bytes processed at a time; each may become eight. */
const OUTPUT_PIECE = 1024;

export class Terminal {
  readonly waiters = new WaitQueue();
  termios: Termios = { ...defaultTermios(), iflag: defaultTermios().iflag | IUTF8 };
  window: WindowSize;
  /** Session that has this as its controlling terminal; 0 for none. */
  session = 0;
  /** Foreground process group of that session; 0 for none. */
  foreground = 0;
  kernel: TerminalKernel | null = null;
  hungUp = false;
  readonly editor: LineEditor;
  private readonly output: OutputBuffer;
  private readonly processor = new OutputProcessor();
  private readonly staging = new Uint8Array(OUTPUT_PIECE);
  private stopped = false;
  private readonly input: StreamInput;
  private asked = false;
  private backlog: Uint8Array = new Uint8Array(0);

  constructor(input: StreamInput, output: StreamOutput, window: WindowSize) {
    this.window = window;
    this.input = input;
    this.output = new OutputBuffer(output, this.waiters);
    const self = this;
    this.editor = new LineEditor(
      {
        echo: (bytes) => this.show(bytes),
        signal: (signal) => this.signalForeground(signal),
        flow: (action) => this.setFlow(action),
        get outputStopped() {
          return self.stopped;
        },
        get column() {
          return self.processor.column;
        },
      },
      this.termios,
    );
  }

  // The host's side -----------------------------------------------------------------------------------------------------

  /** Starts taking input from the host. Typed interrupts arrive even when nobody reads. */
  start(): void {
    this.askForInput();
  }

  /** Bytes typed at the host's terminal. */
  type(bytes: Uint8Array): void {
    for (const byte of bytes) this.editor.receive(byte);
    this.waiters.wakeAll();
  }

  /** The host's window changed: remembered, and told to the foreground group with SIGWINCH. */
  resize(window: WindowSize): void {
    const { rows, columns, xPixels, yPixels } = this.window;
    if (rows === window.rows && columns === window.columns && xPixels === window.xPixels && yPixels === window.yPixels) return;
    this.window = window;
    this.signalForeground(SIGWINCH);
  }

  /** The host's terminal is gone: reads give end of file, writes EIO, the session's leader group a SIGHUP. */
  hangUp(): void {
    if (this.hungUp) return;
    this.hungUp = true;
    this.signalForeground(SIGHUP);
    this.signalForeground(SIGCONT);
    this.waiters.wakeAll();
  }

  // The guest's side ----------------------------------------------------------------------------------------------------

  get outputFull(): boolean {
    return this.output.full || this.stopped;
  }

  /** Processes and shows bytes of `source` while there is room: 0, or why it stopped. */
  write(source: ByteSource): number {
    while (source.remaining > 0 && !this.outputFull) {
      const wanted = Math.min(OUTPUT_PIECE, source.remaining);
      const moved = source.take(this.staging, 0, wanted);
      if (moved > 0) this.show(this.staging, moved);
      if (moved < wanted) return source.stopped;
    }
    return 0;
  }

  setTermios(termios: Termios, flushInput: boolean): void {
    if (flushInput) this.editor.flush();
    this.termios = termios;
    this.editor.setTermios(termios);
    this.waiters.wakeAll();
  }

  get canonical(): boolean {
    return (this.termios.lflag & ICANON) !== 0;
  }
  /** Raw mode: bytes a read waits for, and tenths of a second. */
  get minimum(): number {
    return this.termios.cc[VMIN];
  }
  get timeTenths(): number {
    return this.termios.cc[VTIME];
  }

  setFlow(action: "stop" | "start"): void {
    this.stopped = action === "stop";
    if (!this.stopped) this.waiters.wakeAll();
  }

  /** Sends one byte past all processing (TCIOFF and TCION send the stop and start characters). */
  sendRaw(byte: number): void {
    this.output.put(Uint8Array.of(byte));
  }

  /** Keeps asking the host as long as typed bytes find room. */
  askForInput(): void {
    this.typeBacklog();
    if (this.asked || this.hungUp || this.backlog.length > 0) return;
    this.asked = true;
    this.input.pull((bytes) => {
      this.asked = false;
      if (bytes === null) {
        this.hangUp();
        return;
      }
      this.backlog = bytes;
      this.askForInput();
    });
  }

  // Job control ---------------------------------------------------------------------------------------------------------

  isControllingOf(caller: Caller): boolean {
    return this.session !== 0 && caller.jobControl !== null && caller.jobControl.sessionId === this.session;
  }

  /** A read by a background process: 0 when allowed; else SIGTTIN has been sent and the call parks, or -EIO (tty(4), termios(3)). */
  checkRead(): number {
    const control = this.backgroundCaller();
    if (control === null) return 0;
    if (control.ignoresOrBlocks(SIGTTIN) || control.groupOrphaned) return -EIO;
    control.signalOwnGroup(SIGTTIN);
    return blockOn(this.waiters);
  }

  /** A write with TOSTOP, or a change of settings, by a background process. */
  checkChange(kind: "write" | "change"): number {
    if (kind === "write" && (this.termios.lflag & TOSTOP) === 0) return 0;
    const control = this.backgroundCaller();
    if (control === null || control.ignoresOrBlocks(SIGTTOU)) return 0;
    if (control.groupOrphaned) return -EIO;
    control.signalOwnGroup(SIGTTOU);
    return blockOn(this.waiters);
  }

  /** Makes this the controlling terminal of the caller's session: 0 or -EPERM (TIOCSCTTY). */
  takeSession(caller: Caller, steal: boolean): number {
    const control = caller.jobControl;
    if (control === null || control.processId !== control.sessionId) return -EPERM;
    if (this.session === control.sessionId) return 0;
    if (this.session !== 0 && !(steal && caller.uid === 0)) return -EPERM;
    this.session = control.sessionId;
    this.foreground = control.processGroup;
    return 0;
  }

  /** The session gives its terminal up, because its leader asks (TIOCNOTTY) or ends: the foreground group gets SIGHUP and SIGCONT. */
  dropSession(session: number): void {
    if (this.session !== session) return;
    this.signalForeground(SIGHUP);
    this.signalForeground(SIGCONT);
    this.session = 0;
    this.foreground = 0;
  }

  setForeground(processGroup: number, caller: Caller): number {
    if (!this.isControllingOf(caller)) return -ENOTTY;
    if (processGroup <= 0) return -EINVAL;
    if (!caller.jobControl!.groupInSession(processGroup)) return -EPERM;
    this.foreground = processGroup;
    return 0;
  }

  private backgroundCaller(): JobControl | null {
    const caller = this.kernel?.currentCaller();
    if (caller === undefined || !this.isControllingOf(caller)) return null;
    return caller.jobControl!.processGroup === this.foreground ? null : caller.jobControl;
  }

  private signalForeground(signal: number): void {
    if (this.foreground !== 0) this.kernel?.signalGroup(this.foreground, signal);
  }

  /** Types what the editor has room for; always at least the byte that may be a signal when the buffer is full. */
  private typeBacklog(): void {
    let typed = 0;
    while (typed < this.backlog.length && (this.editor.room > 0 || !this.editor.hasInput)) this.editor.receive(this.backlog[typed++]);
    if (typed === 0) return;
    this.backlog = this.backlog.slice(typed);
    this.waiters.wakeAll();
  }

  private show(bytes: ArrayLike<number>, length = bytes.length): void {
    const shown: number[] = [];
    this.processor.process(this.termios, bytes, 0, length, shown);
    this.output.put(Uint8Array.from(shown));
  }
}
