/** wait(2): options and the status word. Import-free leaf. */

export const WNOHANG = 1, WUNTRACED = 2, WSTOPPED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x0100_0000;
export const __WNOTHREAD = 0x2000_0000, __WALL = 0x4000_0000, __WCLONE = 0x8000_0000;
export const P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3;

/** Bit 7 of a status that a signal caused: a core dump was asked for. */
export const WCOREFLAG = 0x80;
export const statusExited = (code: number): number => (code & 0xff) << 8;
export const statusSignaled = (signal: number, core: number): number => signal | core;
export const statusStopped = (signal: number): number => (signal << 8) | 0x7f;
export const STATUS_CONTINUED = 0xffff;
