/** ioctl(2) requests for terminals, pipes and files, and the structs they pass (asm-generic/ioctls.h, termbits.h). */

export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TCSETSW = 0x5403;
export const TCSETSF = 0x5404;
export const TCSBRK = 0x5409;
export const TCXONC = 0x540a;
export const TCFLSH = 0x540b;
export const TIOCEXCL = 0x540c;
export const TIOCNXCL = 0x540d;
export const TIOCSCTTY = 0x540e;
export const TIOCGPGRP = 0x540f;
export const TIOCSPGRP = 0x5410;
export const TIOCOUTQ = 0x5411;
export const TIOCSTI = 0x5412;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
export const FIONREAD = 0x541b;
export const FIONBIO = 0x5421;
export const TIOCNOTTY = 0x5422;
export const TCSBRKP = 0x5425;
export const TIOCGSID = 0x5429;
export const FIONCLEX = 0x5450;
export const FIOCLEX = 0x5451;
export const FIOASYNC = 0x5452;
export const FIGETBSZ = 2;
export const FICLONE = 0x40049409;
export const TIOCGPTN = 0x80045430;

/** TCFLSH argument. */
export const TCIFLUSH = 0;
export const TCOFLUSH = 1;
export const TCIOFLUSH = 2;
/** TCXONC argument. */
export const TCOOFF = 0;
export const TCOON = 1;
export const TCIOFF = 2;
export const TCION = 3;

/* c_iflag */
export const IGNBRK = 0o1;
export const BRKINT = 0o2;
export const IGNPAR = 0o4;
export const PARMRK = 0o10;
export const INPCK = 0o20;
export const ISTRIP = 0o40;
export const INLCR = 0o100;
export const IGNCR = 0o200;
export const ICRNL = 0o400;
export const IUCLC = 0o1000;
export const IXON = 0o2000;
export const IXANY = 0o4000;
export const IXOFF = 0o10000;
export const IMAXBEL = 0o20000;
export const IUTF8 = 0o40000;

/* c_oflag */
export const OPOST = 0o1;
export const OLCUC = 0o2;
export const ONLCR = 0o4;
export const OCRNL = 0o10;
export const ONOCR = 0o20;
export const ONLRET = 0o40;
/** TABDLY mask; with both bits set (XTABS) tabs are written as spaces. */
export const TABDLY = 0o14000;
export const XTABS = 0o14000;

/* c_cflag */
export const B38400 = 0o17;
export const CS8 = 0o60;
export const CREAD = 0o200;
export const HUPCL = 0o2000;

/* c_lflag */
export const ISIG = 0o1;
export const ICANON = 0o2;
export const ECHO = 0o10;
export const ECHOE = 0o20;
export const ECHOK = 0o40;
export const ECHONL = 0o100;
export const NOFLSH = 0o200;
export const TOSTOP = 0o400;
export const ECHOCTL = 0o1000;
export const ECHOPRT = 0o2000;
export const ECHOKE = 0o4000;
export const IEXTEN = 0o100000;

/* indexes of c_cc */
export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
export const VSWTC = 7;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VEOL = 11;
export const VREPRINT = 12;
export const VDISCARD = 13;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VEOL2 = 16;
/** Entries of c_cc in the kernel's struct termios. */
export const NCCS = 19;

/** The kernel's struct termios (not glibc's 60-byte one): four u32 flag words, c_line, c_cc[19]. */
export interface Termios {
  iflag: number;
  oflag: number;
  cflag: number;
  lflag: number;
  line: number;
  /** NCCS control characters; 0 (_POSIX_VDISABLE) disables one. */
  cc: Uint8Array;
}
export const TERMIOS_BYTES = 36;

/** What a Linux pseudo-terminal starts with: cooked, echoing, 38400 baud, 8 bits. */
export function defaultTermios(): Termios {
  const cc = new Uint8Array(NCCS);
  cc[VINTR] = 3;
  cc[VQUIT] = 28;
  cc[VERASE] = 127;
  cc[VKILL] = 21;
  cc[VEOF] = 4;
  cc[VMIN] = 1;
  cc[VSTART] = 17;
  cc[VSTOP] = 19;
  cc[VSUSP] = 26;
  cc[VREPRINT] = 18;
  cc[VDISCARD] = 15;
  cc[VWERASE] = 23;
  cc[VLNEXT] = 22;
  return {
    iflag: ICRNL | IXON,
    oflag: OPOST | ONLCR,
    cflag: B38400 | CS8 | CREAD,
    lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    line: 0,
    cc,
  };
}

export function writeTermios(bytes: Uint8Array, termios: Termios): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TERMIOS_BYTES);
  view.setUint32(0, termios.iflag, true);
  view.setUint32(4, termios.oflag, true);
  view.setUint32(8, termios.cflag, true);
  view.setUint32(12, termios.lflag, true);
  bytes[16] = termios.line;
  bytes.set(termios.cc, 17);
}

export function readTermios(bytes: Uint8Array): Termios {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TERMIOS_BYTES);
  return {
    iflag: view.getUint32(0, true),
    oflag: view.getUint32(4, true),
    cflag: view.getUint32(8, true),
    lflag: view.getUint32(12, true),
    line: bytes[16],
    cc: bytes.slice(17, 17 + NCCS),
  };
}

/** struct winsize: four u16. */
export interface WindowSize {
  rows: number;
  columns: number;
  xPixels: number;
  yPixels: number;
}
export const WINSIZE_BYTES = 8;

export function writeWindowSize(bytes: Uint8Array, size: WindowSize): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, WINSIZE_BYTES);
  view.setUint16(0, size.rows, true);
  view.setUint16(2, size.columns, true);
  view.setUint16(4, size.xPixels, true);
  view.setUint16(6, size.yPixels, true);
}

export function readWindowSize(bytes: Uint8Array): WindowSize {
  const view = new DataView(bytes.buffer, bytes.byteOffset, WINSIZE_BYTES);
  return {
    rows: view.getUint16(0, true),
    columns: view.getUint16(2, true),
    xPixels: view.getUint16(4, true),
    yPixels: view.getUint16(6, true),
  };
}
