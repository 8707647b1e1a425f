/** Signals of Linux on x86-64: numbers, names, default actions, si_codes and the flags of sigaction (signal(7), sigaction(2)).
 *  Import-free leaf. */

export const SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9;
export const SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15, SIGSTKFLT = 16, SIGCHLD = 17;
export const SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22, SIGURG = 23, SIGXCPU = 24, SIGXFSZ = 25;
export const SIGVTALRM = 26, SIGPROF = 27, SIGWINCH = 28, SIGIO = 29, SIGPWR = 30, SIGSYS = 31;
/** First and last real-time signal as the kernel counts them. */
export const SIGRTMIN = 32, SIGRTMAX = 64;
export const SIGNAL_COUNT = 64;

const NAMES = [
  "0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2",
  "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
  "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
];
/** strace's name: `SIGINT`, `SIGRT_1` (the 33rd signal), or the number. */
export function signalName(signal: number): string {
  if (signal === SIGRTMIN) return "SIGRTMIN";
  if (signal > SIGRTMIN && signal <= SIGRTMAX) return `SIGRT_${signal - SIGRTMIN}`;
  return NAMES[signal] ?? String(signal);
}

/** What happens to a process that has no handler (signal(7), "Standard signals"). */
export type DefaultAction = "terminate" | "core" | "ignore" | "stop" | "continue";
export function defaultAction(signal: number): DefaultAction {
  switch (signal) {
    case SIGQUIT: case SIGILL: case SIGTRAP: case SIGABRT: case SIGBUS: case SIGFPE: case SIGSEGV: case SIGXCPU: case SIGXFSZ: case SIGSYS:
      return "core";
    case SIGCHLD: case SIGURG: case SIGWINCH:
      return "ignore";
    case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
      return "stop";
    case SIGCONT:
      return "continue";
    default:
      return "terminate";
  }
}

/** sa_handler values with a meaning of their own. */
export const SIG_DFL = 0, SIG_IGN = 1;
/** sigprocmask(2) `how`. */
export const SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2;

/** sigaction flags. */
export const SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4, SA_UNSUPPORTED = 0x400, SA_EXPOSE_TAGBITS = 0x800, SA_RESTORER = 0x0400_0000;
export const SA_ONSTACK = 0x0800_0000, SA_RESTART = 0x1000_0000, SA_NODEFER = 0x4000_0000, SA_RESETHAND = 0x8000_0000;
/** Bytes of the kernel's struct sigaction: handler, flags, restorer, mask. */
export const SIGACTION_BYTES = 32;
/** Bytes of the kernel's sigset_t, the only value rt_sig* calls accept as sigsetsize. */
export const SIGSET_BYTES = 8;

/** sigaltstack(2). */
export const SS_ONSTACK = 1, SS_DISABLE = 2, SS_AUTODISARM = 0x8000_0000;
export const MINSIGSTKSZ = 2048;

/** si_code of signals that a process or the kernel sends. */
export const SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = -1, SI_TIMER = -2, SI_MESGQ = -3, SI_ASYNCIO = -4, SI_SIGIO = -5, SI_TKILL = -6;
export const ILL_ILLOPC = 1, ILL_ILLOPN = 2, ILL_PRVOPC = 5;
export const FPE_INTDIV = 1, FPE_INTOVF = 2, FPE_FLTDIV = 3, FPE_FLTOVF = 4, FPE_FLTUND = 5, FPE_FLTRES = 6, FPE_FLTINV = 7;
export const SEGV_MAPERR = 1, SEGV_ACCERR = 2;
export const BUS_ADRALN = 1, BUS_ADRERR = 2, BUS_OBJERR = 3;
export const TRAP_BRKPT = 1, TRAP_TRACE = 2;
export const CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_TRAPPED = 4, CLD_STOPPED = 5, CLD_CONTINUED = 6;

const CODES: Record<number, readonly string[]> = {
  [SIGILL]: ["", "ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG", "ILL_COPROC", "ILL_BADSTK"],
  [SIGFPE]: ["", "FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB"],
  [SIGSEGV]: ["", "SEGV_MAPERR", "SEGV_ACCERR"],
  [SIGBUS]: ["", "BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR"],
  [SIGTRAP]: ["", "TRAP_BRKPT", "TRAP_TRACE"],
  [SIGCHLD]: ["", "CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"],
};
/** strace's name of an si_code, which depends on the signal when it is positive. */
export function signalCodeName(signal: number, code: number): string {
  switch (code) {
    case SI_USER: return "SI_USER";
    case SI_KERNEL: return "SI_KERNEL";
    case SI_QUEUE: return "SI_QUEUE";
    case SI_TIMER: return "SI_TIMER";
    case SI_MESGQ: return "SI_MESGQ";
    case SI_ASYNCIO: return "SI_ASYNCIO";
    case SI_SIGIO: return "SI_SIGIO";
    case SI_TKILL: return "SI_TKILL";
    default: return CODES[signal]?.[code] ?? String(code);
  }
}

/** struct siginfo (128 bytes): the fields every kind has, then a union from offset 16. */
export const SIGINFO_BYTES = 128;
export const SIGINFO_SIGNO = 0, SIGINFO_ERRNO = 4, SIGINFO_CODE = 8, SIGINFO_PID = 16, SIGINFO_UID = 20, SIGINFO_ADDR = 16;
/** SIGCHLD: status and the two times; queued signals: value; timers: id, overrun, value. */
export const SIGINFO_STATUS = 24, SIGINFO_UTIME = 32, SIGINFO_STIME = 40, SIGINFO_VALUE = 24, SIGINFO_TIMER_ID = 16, SIGINFO_OVERRUN = 20;
