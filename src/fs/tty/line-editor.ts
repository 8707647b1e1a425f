/** Input side of a terminal (termios(3), "Canonical and noncanonical mode"): turns typed bytes into lines or raw bytes,
 *  echoes them and spots the characters that mean signals.
 *
 *  Invariants: in canonical mode `line` is what can still be edited and `ready` holds finished lines; in raw mode everything
 *  is in `ready`. At most INPUT_LIMIT bytes are kept; a line keeps one place for its end. */
import {
  ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, ICANON, ICRNL, IEXTEN, IGNCR, IMAXBEL, INLCR, ISIG, ISTRIP, IUCLC, IUTF8, IXANY, IXON,
  NOFLSH, type Termios, VEOF, VEOL, VEOL2, VERASE, VINTR, VKILL, VLNEXT, VQUIT, VREPRINT, VSTART, VSTOP, VSUSP, VWERASE,
} from "../../abi/linux/ioctl.ts";
import { SIGINT, SIGQUIT, SIGTSTP } from "../../abi/linux/signal.ts";

/** N_TTY_BUF_SIZE: a line of canonical input has at most 4095 bytes and its end (termios(3)). */
const INPUT_LIMIT = 4096;

const BELL = 7;
const BACKSPACE = 8;
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const DELETE = 127;

/** What the editor asks of the terminal around it. */
export interface EditorHost {
  /** Bytes to show, output processing still to be done. */
  echo(bytes: readonly number[]): void;
  /** ISIG found a character for `signal`. */
  signal(signal: number): void;
  /** IXON: output stops or goes on. */
  flow(action: "stop" | "start"): void;
  readonly outputStopped: boolean;
  /** Cursor column, for erasing tabs. */
  readonly column: number;
}

/** Bytes that one or more reads will take. A finished line ends there: a read takes at most one of it. */
interface Segment {
  bytes: number[];
  /** Taken already. */
  used: number;
  /** Closed by its end character or VEOF; an open segment (raw input) can still grow. */
  closed: boolean;
}

export class LineEditor {
  private readonly host: EditorHost;
  private termios: Termios;
  private readonly ready: Segment[] = [];
  private line: number[] = [];
  private literalNext = false;
  /** Column where the line being typed began. */
  private lineColumn = 0;

  constructor(host: EditorHost, termios: Termios) {
    this.host = host;
    this.termios = termios;
  }

  /** Bytes that a read could take now. Canonical: all finished lines (FIONREAD). */
  get available(): number {
    return this.ready.reduce((sum, segment) => sum + segment.bytes.length - segment.used, 0);
  }
  /** True when a read has something to return, which may be an end of file. */
  get hasInput(): boolean {
    return this.ready.length > 0;
  }
  /** Room for typed bytes; the host holds back what does not fit. */
  get room(): number {
    return Math.max(0, INPUT_LIMIT - 1 - this.available - this.line.length);
  }

  /** New settings: what is half-typed becomes readable when lines are switched off, and the other way round. */
  setTermios(termios: Termios): void {
    const wasCanonical = this.has(this.termios.lflag, ICANON);
    this.termios = termios;
    const isCanonical = this.has(termios.lflag, ICANON);
    if (wasCanonical && !isCanonical) {
      for (const byte of this.line) this.addRaw(byte);
      this.line = [];
      // A pending end of file means nothing in raw mode.
      for (let i = this.ready.length - 1; i >= 0; i--) {
        if (this.ready[i].bytes.length === this.ready[i].used) this.ready.splice(i, 1);
        else this.ready[i].closed = false;
      }
    } else if (!wasCanonical && isCanonical) {
      for (const segment of this.ready) segment.closed = true;
    }
  }

  flush(): void {
    this.ready.length = 0;
    this.line = [];
    this.literalNext = false;
  }

  receive(byte: number): void {
    const { iflag, lflag } = this.termios;
    let c = byte;
    if (this.has(iflag, ISTRIP)) c &= 0x7f;
    if (this.has(iflag, IUCLC) && this.has(lflag, IEXTEN) && c >= 0x41 && c <= 0x5a) c += 0x20;
    if (this.literalNext) {
      this.literalNext = false;
      this.store(c, this.shownLiteral(c));
      return;
    }
    if (this.has(iflag, IXON) && this.controlFlow(c)) return;
    if (this.has(lflag, ISIG)) {
      const signal = this.is(c, VINTR) ? SIGINT : this.is(c, VQUIT) ? SIGQUIT : this.is(c, VSUSP) ? SIGTSTP : 0;
      if (signal !== 0) {
        this.interrupt(c, signal);
        return;
      }
    }
    if (c === RETURN) {
      if (this.has(iflag, IGNCR)) return;
      if (this.has(iflag, ICRNL)) c = NEWLINE;
    } else if (c === NEWLINE && this.has(iflag, INLCR)) {
      c = RETURN;
    }
    if (this.has(lflag, ICANON) && this.edit(c)) return;
    this.store(c);
  }

  /** Takes up to `limit` bytes for one read: canonical input gives at most one line, an end of file gives none. */
  take(limit: number, accept: (bytes: Uint8Array) => number): void {
    let left = limit;
    while (this.ready.length > 0) {
      const segment = this.ready[0];
      const wanted = Math.min(left, segment.bytes.length - segment.used);
      const accepted = wanted === 0 ? 0 : accept(Uint8Array.from(segment.bytes.slice(segment.used, segment.used + wanted)));
      segment.used += accepted;
      left -= accepted;
      if (segment.used < segment.bytes.length) return;
      this.ready.shift();
      if (segment.closed || left === 0) return;
    }
  }

  /** Start and stop characters; true when `c` was one. One character for both toggles. */
  private controlFlow(c: number): boolean {
    const stops = this.is(c, VSTOP);
    if (stops || this.is(c, VSTART)) {
      this.host.flow(stops && !(this.is(c, VSTART) && this.host.outputStopped) ? "stop" : "start");
      return true;
    }
    if (this.has(this.termios.iflag, IXANY) && this.host.outputStopped) this.host.flow("start");
    return false;
  }

  /** Canonical editing and line ends; true when `c` needs nothing more. */
  private edit(c: number): boolean {
    const extended = this.has(this.termios.lflag, IEXTEN);
    if (this.is(c, VERASE)) return this.erase("character");
    if (this.is(c, VKILL)) return this.erase("line");
    if (extended && this.is(c, VWERASE)) return this.erase("word");
    if (extended && this.is(c, VLNEXT)) {
      this.literalNext = true;
      if (this.has(this.termios.lflag, ECHO) && this.has(this.termios.lflag, ECHOCTL)) this.host.echo([0x5e, BACKSPACE]);
      return true;
    }
    if (extended && this.is(c, VREPRINT) && this.has(this.termios.lflag, ECHO)) {
      this.host.echo([...this.shown(c), NEWLINE, ...this.line.flatMap((each) => this.shown(each))]);
      return true;
    }
    if (c === NEWLINE) {
      if (this.has(this.termios.lflag, ECHO) || this.has(this.termios.lflag, ECHONL)) this.host.echo([NEWLINE]);
      this.finishLine([NEWLINE]);
      return true;
    }
    if (this.is(c, VEOF)) {
      this.finishLine([]);
      return true;
    }
    if (this.is(c, VEOL) || (extended && this.is(c, VEOL2))) {
      if (this.has(this.termios.lflag, ECHO)) this.host.echo(this.shown(c));
      this.finishLine([c]);
      return true;
    }
    return false;
  }

  private finishLine(end: readonly number[]): void {
    this.ready.push({ bytes: [...this.line, ...end], used: 0, closed: true });
    this.line = [];
  }

  private store(c: number, shown: number[] = this.shown(c)): void {
    const canonical = this.has(this.termios.lflag, ICANON);
    if (this.available + this.line.length >= INPUT_LIMIT - 1) {
      const rings = this.has(this.termios.iflag, IMAXBEL);
      if (rings) this.host.echo([BELL]);
      if (rings || !canonical) return;
      // Linux lets the end of an overlong line be overwritten, so that its newline still comes through.
      this.line.pop();
    }
    if (this.has(this.termios.lflag, ECHO)) {
      if (this.line.length === 0) this.lineColumn = this.host.column;
      this.host.echo(shown);
    }
    if (canonical) this.line.push(c);
    else this.addRaw(c);
  }

  private addRaw(c: number): void {
    const last = this.ready.at(-1);
    if (last !== undefined && !last.closed) last.bytes.push(c);
    else this.ready.push({ bytes: [c], used: 0, closed: false });
  }

  private interrupt(c: number, signal: number): void {
    if (!this.has(this.termios.lflag, NOFLSH)) this.flush();
    if (this.host.outputStopped) this.host.flow("start");
    if (this.has(this.termios.lflag, ECHO)) this.host.echo(this.shown(c));
    this.host.signal(signal);
  }

  private erase(what: "character" | "word" | "line"): true {
    const { lflag } = this.termios;
    if (this.line.length === 0) return true;
    const keep = what === "line" ? 0 : what === "word" ? this.wordStart() : this.characterStart();
    if (!this.has(lflag, ECHO)) {
      this.line.length = keep;
      return true;
    }
    if (what === "line" && !(this.has(lflag, ECHOK) && this.has(lflag, ECHOKE) && this.has(lflag, ECHOE))) {
      this.line.length = 0;
      const killed = this.shown(this.termios.cc[VKILL]);
      this.host.echo(this.has(lflag, ECHOK) ? [...killed, NEWLINE] : killed);
      return true;
    }
    if (!this.has(lflag, ECHOE)) {
      this.line.length = keep;
      this.host.echo(this.shown(this.termios.cc[VERASE]));
      return true;
    }
    this.host.echo(this.wipe(keep));
    return true;
  }

  /** Takes the line back to `keep` bytes; what erases them on the screen. A tab leaves nothing to blank out. */
  private wipe(keep: number): number[] {
    const wiped: number[] = [];
    while (this.line.length > keep) {
      const at = this.line.length - 1;
      const columns = this.columnAfter(at + 1) - this.columnAfter(at);
      const isTab = this.line[at] === TAB;
      this.line.length = at;
      for (let i = 0; i < columns; i++) wiped.push(...(isTab ? [BACKSPACE] : [BACKSPACE, 0x20, BACKSPACE]));
    }
    return wiped;
  }

  /** Where the last character begins; with IUTF8 its continuation bytes go with it. */
  private characterStart(): number {
    let at = this.line.length - 1;
    if (this.has(this.termios.iflag, IUTF8)) while (at > 0 && (this.line[at] & 0xc0) === 0x80) at--;
    return at;
  }

  /** Where the last word begins: trailing non-word bytes and the word before them (letters, digits and "_" are a word). */
  private wordStart(): number {
    let at = this.line.length;
    while (at > 0 && !isWord(this.line[at - 1])) at--;
    while (at > 0 && isWord(this.line[at - 1])) at--;
    return at;
  }

  /** Column reached by the first `count` bytes of the line. */
  private columnAfter(count: number): number {
    let column = this.lineColumn;
    for (let i = 0; i < count; i++) {
      const c = this.line[i];
      if (c === TAB) column = (column | 7) + 1;
      else if (c < 0x20 || c === DELETE) column += this.has(this.termios.lflag, ECHOCTL) ? 2 : 0;
      else if (!this.has(this.termios.iflag, IUTF8) || (c & 0xc0) !== 0x80) column++;
    }
    return column;
  }

  /** How `c` is echoed: control characters as ^X. */
  private shown(c: number): number[] {
    const control = (c < 0x20 && c !== TAB && c !== NEWLINE) || c === DELETE;
    return control && this.has(this.termios.lflag, ECHOCTL) ? [0x5e, c ^ 0x40] : [c];
  }

  /** A byte taken literally is echoed as ^X even when it is a newline. */
  private shownLiteral(c: number): number[] {
    return c === NEWLINE && this.has(this.termios.lflag, ECHOCTL) ? [0x5e, c ^ 0x40] : this.shown(c);
  }

  private has(word: number, flag: number): boolean {
    return (word & flag) !== 0;
  }
  /** True when `c` is the control character `index`, which 0 disables. */
  private is(c: number, index: number): boolean {
    return this.termios.cc[index] !== 0 && c === this.termios.cc[index];
  }
}

function isWord(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x5f || c >= 0x80;
}
