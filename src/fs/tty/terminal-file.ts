/** A terminal that somebody has open: read(2), write(2), poll(2) and the requests of tty_ioctl(4). */
import { EAGAIN, EINVAL, EIO, ENOTTY } from "../../abi/linux/errno.ts";
import {
  FIONREAD, readTermios, readWindowSize, TCFLSH, TCGETS, TCIFLUSH, TCIOFF, TCIOFLUSH, TCION, TCOFLUSH, TCOOFF, TCOON, TCSBRK, TCSBRKP, TCSETS,
  TCSETSF, TCSETSW, TCXONC, TERMIOS_BYTES, TIOCGPGRP, TIOCGSID, TIOCGWINSZ, TIOCNOTTY, TIOCOUTQ, TIOCSCTTY, TIOCSPGRP,
  TIOCSTI, TIOCSWINSZ, VSTART, VSTOP, WINSIZE_BYTES, writeTermios, writeWindowSize,
} from "../../abi/linux/ioctl.ts";
import { POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/linux/poll.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import type { Caller } from "../vfs/credentials.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Location } from "../vfs/location.ts";
import { type IoctlArgument, OpenFile } from "../vfs/open-file.ts";
import { finished } from "../vfs/regular-file.ts";
import { blockOn, WOULD_BLOCK } from "../wait.ts";
import type { Terminal } from "./terminal.ts";

/** The timer of one raw read with VTIME; `sink` tells that read from the next. */
interface ReadTimer {
  readonly sink: ByteSink;
  expired: boolean;
  cancel: () => void;
  /** Bytes the read had when the timer was set: it starts anew after each arrival. */
  transferred: number;
}

export class TerminalFile extends OpenFile {
  private readonly terminal: Terminal;
  private timer: ReadTimer | null = null;

  constructor(terminal: Terminal, inode: Inode, location: Location, flags: number) {
    super(inode, location, flags, terminal.waiters);
    this.terminal = terminal;
  }

  protected override readStream(sink: ByteSink): number {
    const terminal = this.terminal;
    const allowed = terminal.checkRead();
    if (allowed < 0) return allowed;
    if (sink.remaining === 0) return sink.transferred;
    terminal.askForInput();
    const result = terminal.canonical ? this.readLine(sink) : this.readRaw(sink);
    // What was read made room for more.
    terminal.askForInput();
    return result;
  }

  protected override writeStream(source: ByteSource): number {
    const terminal = this.terminal;
    if (terminal.hungUp) return finished(-EIO, source.transferred);
    const allowed = terminal.checkChange("write");
    if (allowed < 0) return allowed;
    const result = terminal.write(source);
    if (result < 0) return finished(result, source.transferred);
    if (source.remaining === 0) return source.transferred;
    return this.nonBlocking ? finished(-EAGAIN, source.transferred) : blockOn(this.waiters);
  }

  override readiness(): number {
    const terminal = this.terminal;
    terminal.askForInput();
    let bits = 0;
    const needed = terminal.canonical || terminal.timeTenths > 0 ? 1 : Math.max(1, terminal.minimum);
    if (terminal.canonical ? terminal.editor.hasInput : terminal.editor.available >= needed) bits |= POLLIN | POLLRDNORM;
    if (terminal.hungUp) bits |= POLLHUP | POLLIN | POLLRDNORM;
    if (!terminal.outputFull) bits |= POLLOUT | POLLWRNORM;
    return bits;
  }
  override get pollable(): boolean {
    return true;
  }

  override ioctl(request: number, argument: IoctlArgument, caller: Caller): number {
    const terminal = this.terminal;
    switch (request) {
      case TCGETS: {
        const bytes = new Uint8Array(TERMIOS_BYTES);
        writeTermios(bytes, terminal.termios);
        return argument.copyOut(bytes);
      }
      case TCSETS:
      case TCSETSW:
      case TCSETSF: {
        const bytes = new Uint8Array(TERMIOS_BYTES);
        const copied = argument.copyIn(bytes);
        if (copied < 0) return copied;
        const allowed = terminal.checkChange("change");
        if (allowed < 0) return allowed;
        // TCSETSW waits for output to drain; ours leaves in order, so nothing is left to wait for.
        terminal.setTermios(readTermios(bytes), request === TCSETSF);
        return 0;
      }
      case TIOCGWINSZ: {
        const bytes = new Uint8Array(WINSIZE_BYTES);
        writeWindowSize(bytes, terminal.window);
        return argument.copyOut(bytes);
      }
      case TIOCSWINSZ: {
        const bytes = new Uint8Array(WINSIZE_BYTES);
        const copied = argument.copyIn(bytes);
        if (copied < 0) return copied;
        terminal.resize(readWindowSize(bytes));
        return 0;
      }
      case FIONREAD:
        return putInt(argument, terminal.editor.available);
      case TIOCOUTQ:
        return putInt(argument, 0);
      case TIOCGPGRP:
        return terminal.isControllingOf(caller) ? putInt(argument, terminal.foreground) : -ENOTTY;
      case TIOCSPGRP:
        return this.setForeground(argument, caller);
      case TIOCGSID:
        return terminal.isControllingOf(caller) ? putInt(argument, terminal.session) : -ENOTTY;
      case TIOCSCTTY:
        return terminal.takeSession(caller, argument.value === 1);
      case TIOCNOTTY:
        return this.giveUpTerminal(caller);
      case TCFLSH:
        return this.flush(argument.value);
      case TCXONC:
        return this.flow(argument.value);
      // Waits for output to drain and, on a line that has one, sends a break (tty_ioctl(4)).
      case TCSBRK:
      case TCSBRKP:
        return terminal.outputFull ? blockOn(this.waiters) : 0;
      // Faking input is refused by default since Linux 6.2 (dev.tty.legacy_tiocsti).
      case TIOCSTI:
        return -EIO;
      default:
        return -ENOTTY;
    }
  }

  protected override closed(): void {
    this.timer?.cancel();
  }

  private readLine(sink: ByteSink): number {
    const editor = this.terminal.editor;
    if (!editor.hasInput) return this.nothingToRead();
    let stopped = 0;
    editor.take(sink.remaining, (bytes) => {
      const accepted = sink.put(bytes, 0, bytes.length);
      if (accepted < bytes.length) stopped = sink.stopped;
      return accepted;
    });
    return stopped < 0 ? finished(stopped, sink.transferred) : sink.transferred;
  }

  /** Non-canonical reading in its four cases of MIN and TIME (termios(3)). */
  private readRaw(sink: ByteSink): number {
    const { editor, minimum, timeTenths } = this.terminal;
    let stopped = 0;
    editor.take(sink.remaining, (bytes) => {
      const accepted = sink.put(bytes, 0, bytes.length);
      if (accepted < bytes.length) stopped = sink.stopped;
      return accepted;
    });
    if (stopped < 0) return finished(stopped, sink.transferred);
    const got = sink.transferred;
    const enough = Math.max(minimum, 1);
    if (sink.remaining === 0 || got >= enough) return this.doneRaw(got);
    if (minimum === 0 && timeTenths === 0) return this.doneRaw(got);
    if (this.terminal.hungUp || this.nonBlocking) return got > 0 ? this.doneRaw(got) : this.nothingToRead();
    if (timeTenths > 0 && (minimum === 0 || got > 0)) {
      if (this.timerExpired(sink, got, timeTenths)) return this.doneRaw(got);
    }
    return blockOn(this.waiters);
  }

  private doneRaw(count: number): number {
    this.timer?.cancel();
    this.timer = null;
    return count;
  }

  /** Whether the time for `sink`'s read has run out; sets the timer when it is the first to ask or bytes have come. */
  private timerExpired(sink: ByteSink, got: number, tenths: number): boolean {
    if (this.timer !== null && this.timer.sink === sink && this.timer.transferred === got) return this.timer.expired;
    this.timer?.cancel();
    const kernel = this.terminal.kernel;
    if (kernel === null) return true;
    const timer: ReadTimer = { sink, expired: false, transferred: got, cancel: () => {} };
    timer.cancel = kernel.after(tenths * 100, () => {
      timer.expired = true;
      this.waiters.wakeAll();
    });
    this.timer = timer;
    return false;
  }

  private nothingToRead(): number {
    if (this.terminal.hungUp) return 0;
    return this.nonBlocking ? -EAGAIN : blockOn(this.waiters);
  }

  private setForeground(argument: IoctlArgument, caller: Caller): number {
    const bytes = new Uint8Array(4);
    const copied = argument.copyIn(bytes);
    if (copied < 0) return copied;
    const allowed = this.terminal.checkChange("change");
    if (allowed === WOULD_BLOCK) return allowed;
    if (allowed < 0) return -ENOTTY;
    return this.terminal.setForeground(new DataView(bytes.buffer).getInt32(0, true), caller);
  }

  private giveUpTerminal(caller: Caller): number {
    if (!this.terminal.isControllingOf(caller)) return -ENOTTY;
    const control = caller.jobControl!;
    // Only a leader takes the terminal from its session here; another process gives it up with setsid(2).
    if (control.processId !== control.sessionId) return -ENOTTY;
    this.terminal.dropSession(control.sessionId);
    return 0;
  }

  private flush(queue: number): number {
    if (queue !== TCIFLUSH && queue !== TCOFLUSH && queue !== TCIOFLUSH) return -EINVAL;
    if (queue !== TCOFLUSH) this.terminal.editor.flush();
    return 0;
  }

  private flow(action: number): number {
    switch (action) {
      case TCOOFF:
        this.terminal.setFlow("stop");
        return 0;
      case TCOON:
        this.terminal.setFlow("start");
        return 0;
      case TCIOFF:
      case TCION: {
        const byte = this.terminal.termios.cc[action === TCIOFF ? VSTOP : VSTART];
        if (byte !== 0) this.terminal.sendRaw(byte);
        return 0;
      }
      default:
        return -EINVAL;
    }
  }
}

function putInt(argument: IoctlArgument, value: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return argument.copyOut(bytes);
}
