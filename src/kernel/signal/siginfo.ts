/** struct siginfo, written as sigaction(2) describes it: the union after si_code depends on who sent the signal and which. */
import {
  SI_TIMER, SI_TKILL, SI_USER, SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGINFO_ADDR, SIGINFO_BYTES, SIGINFO_CODE, SIGINFO_ERRNO, SIGINFO_OVERRUN,
  SIGINFO_PID, SIGINFO_SIGNO, SIGINFO_STATUS, SIGINFO_STIME, SIGINFO_TIMER_ID, SIGINFO_UID, SIGINFO_UTIME, SIGINFO_VALUE, SIGSEGV, SIGTRAP,
} from "../../abi/linux/signal.ts";
import type { SignalInfo } from "./pending.ts";

const FAULTS: readonly number[] = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV];

/** Fills SIGINFO_BYTES bytes of `target` from `at` on. */
export function writeSiginfo(info: SignalInfo, target: Uint8Array, at: number): void {
  target.fill(0, at, at + SIGINFO_BYTES);
  const view = new DataView(target.buffer, target.byteOffset + at, SIGINFO_BYTES);
  if (info.raw !== undefined) target.set(info.raw.subarray(0, SIGINFO_BYTES), at);
  view.setInt32(SIGINFO_SIGNO, info.signal, true);
  view.setInt32(SIGINFO_CODE, info.code, true);
  if (info.raw !== undefined) return;
  view.setInt32(SIGINFO_ERRNO, info.errno ?? 0, true);
  if (info.address !== undefined && FAULTS.includes(info.signal) && info.code !== SI_USER && info.code !== SI_TKILL) {
    view.setUint32(SIGINFO_ADDR, info.address >>> 0, true);
    view.setUint32(SIGINFO_ADDR + 4, Math.floor(info.address / 0x1_0000_0000) >>> 0, true);
    return;
  }
  if (info.code === SI_TIMER) {
    view.setInt32(SIGINFO_TIMER_ID, info.timerId ?? 0, true);
    view.setInt32(SIGINFO_OVERRUN, info.overrun ?? 0, true);
  } else {
    view.setInt32(SIGINFO_PID, info.pid ?? 0, true);
    view.setUint32(SIGINFO_UID, info.uid ?? 0, true);
  }
  if (info.signal === SIGCHLD && info.code > 0) {
    view.setInt32(SIGINFO_STATUS, info.status ?? 0, true);
    view.setUint32(SIGINFO_UTIME, info.utime ?? 0, true);
    view.setUint32(SIGINFO_STIME, info.stime ?? 0, true);
  } else {
    view.setUint32(SIGINFO_VALUE, info.valueLow ?? 0, true);
    view.setUint32(SIGINFO_VALUE + 4, info.valueHigh ?? 0, true);
  }
}
