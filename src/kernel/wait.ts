/** Waiting for children (wait4(2), waitid(2)): one search over the caller's children, two ways to report. */
import { ECHILD } from "../abi/linux/errno.ts";
import { CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, SIGCHLD, SIGCONT } from "../abi/linux/signal.ts";
import { __WALL, __WCLONE, STATUS_CONTINUED, statusStopped, WCONTINUED, WCOREFLAG, WEXITED, WNOHANG, WNOWAIT, WSTOPPED } from "../abi/linux/wait.ts";
import type { Call } from "./call.ts";
import { reap } from "./exit.ts";
import { addUsage, emptyUsage, type Process, type Usage } from "./process.ts";

/** Which children are meant. */
export type ChildSelector = (child: Process) => boolean;

export interface ChildReport {
  readonly pid: number;
  readonly uid: number;
  /** Status word of wait4. */
  readonly status: number;
  /** si_code and si_status of waitid. */
  readonly code: number;
  readonly value: number;
  readonly usage: Usage;
  readonly child: Process;
  readonly event: "exit" | "stop" | "continue";
}

/** A report, 0 when WNOHANG finds nothing, PARKED or -ECHILD. The report has no effect until {@link consumeReport}, so that
 *  a store to user memory that faults or must wait loses nothing. */
export function findChild(call: Call, selects: ChildSelector, options: number): ChildReport | number {
  const { process } = call.task;
  let candidates = 0;
  for (const child of process.children) {
    if (!selects(child) || !matchesClone(child, options)) continue;
    candidates++;
    const report = reportOf(child, options);
    if (report !== undefined) return report;
  }
  if (candidates === 0) return -ECHILD;
  if ((options & WNOHANG) !== 0) return 0;
  return call.park(process.childEvents, "ERESTARTSYS");
}

/** The report has reached the caller: the child is reaped, or its stop or continue is no longer news. */
export function consumeReport(call: Call, report: ChildReport, options: number): void {
  if ((options & WNOWAIT) !== 0) return;
  if (report.event === "exit") reap(call.kernel, report.child);
  else report.child.unreported = undefined;
}

/** __WCLONE waits for children that send no SIGCHLD, __WALL for all, neither for the ordinary ones. */
function matchesClone(child: Process, options: number): boolean {
  if ((options & __WALL) !== 0) return true;
  return ((options & __WCLONE) !== 0) === (child.exitSignal !== SIGCHLD);
}

function reportOf(child: Process, options: number): ChildReport | undefined {
  if (child.state === "zombie") return (options & WEXITED) === 0 ? undefined : exitReport(child);
  if (child.unreported === "stop" && child.stopped && (options & WSTOPPED) !== 0) {
    return make(child, "stop", statusStopped(child.stopSignal), CLD_STOPPED, child.stopSignal);
  }
  if (child.unreported === "continue" && (options & WCONTINUED) !== 0) return make(child, "continue", STATUS_CONTINUED, CLD_CONTINUED, SIGCONT);
  return undefined;
}

function exitReport(child: Process): ChildReport {
  const status = child.exitStatus;
  const signal = status & 0x7f;
  if (signal === 0) return make(child, "exit", status, CLD_EXITED, status >> 8);
  return make(child, "exit", status, (status & WCOREFLAG) !== 0 ? CLD_DUMPED : CLD_KILLED, signal);
}

function make(child: Process, event: ChildReport["event"], status: number, code: number, value: number): ChildReport {
  const usage = emptyUsage();
  addUsage(usage, child.usage());
  addUsage(usage, child.reapedChildren);
  return { pid: child.pid, uid: child.leader.credentials.uid, status, code, value, usage, child, event };
}
