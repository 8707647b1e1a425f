/** Output side of a terminal: newline and tab translation (termios(3), c_oflag), and the cursor column that both sides need. */
import { OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, TABDLY, type Termios, XTABS } from "../../abi/linux/ioctl.ts";

export class OutputProcessor {
  column = 0;

  /** Appends what the terminal shows for `length` bytes of `from` at `start` to `to`. */
  process(termios: Termios, from: ArrayLike<number>, start: number, length: number, to: number[]): void {
    const { oflag } = termios;
    for (let i = start; i < start + length; i++) {
      const c = from[i];
      if ((oflag & OPOST) === 0) {
        this.advance(c);
        to.push(c);
        continue;
      }
      this.one(oflag, c, to);
    }
  }

  private one(oflag: number, c: number, to: number[]): void {
    switch (c) {
      case 10:
        if ((oflag & ONLRET) !== 0) this.column = 0;
        if ((oflag & ONLCR) !== 0) {
          this.column = 0;
          to.push(13);
        }
        to.push(10);
        return;
      case 13:
        if ((oflag & ONOCR) !== 0 && this.column === 0) return;
        if ((oflag & OCRNL) !== 0) {
          if ((oflag & ONLRET) !== 0) this.column = 0;
          to.push(10);
          return;
        }
        this.column = 0;
        to.push(13);
        return;
      case 9: {
        const spaces = 8 - (this.column & 7);
        this.column += spaces;
        if ((oflag & TABDLY) === XTABS) for (let i = 0; i < spaces; i++) to.push(32);
        else to.push(9);
        return;
      }
      default:
        this.advance(c);
        to.push((oflag & OLCUC) !== 0 && c >= 0x61 && c <= 0x7a ? c - 0x20 : c);
    }
  }

  private advance(c: number): void {
    if (c === 8) this.column = Math.max(0, this.column - 1);
    else if (c === 13) this.column = 0;
    else if (c >= 0x20 && (c & 0xc0) !== 0x80 && c !== 127) this.column++;
  }
}
