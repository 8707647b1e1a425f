/** Commit accounting: how much private writable memory has been promised (Linux vm.overcommit_memory, proc_sys_vm(5)).
 *
 *  HEURISTIC (0, the default)  one request larger than RAM fails; sums are unlimited
 *  ALWAYS (1)                  nothing fails
 *  NEVER (2)                   the sum may not exceed `ratio` per cent of RAM, and NORESERVE is ignored */
import { WIDE_ZERO } from "../base/bits.ts";

export const COMMIT_HEURISTIC = 0;
export const COMMIT_ALWAYS = 1;
export const COMMIT_NEVER = 2;
export type CommitMode = typeof COMMIT_HEURISTIC | typeof COMMIT_ALWAYS | typeof COMMIT_NEVER;

export class CommitPolicy {
  readonly mode: CommitMode;
  /** Pages of RAM. */
  readonly total: number;
  /** Pages that mode NEVER may promise (CommitLimit). */
  readonly limit: number;
  /** Pages promised (Committed_AS). */
  committed = WIDE_ZERO;

  constructor(total: number, mode: CommitMode = COMMIT_HEURISTIC, ratio = 50) {
    this.total = total;
    this.mode = mode;
    this.limit = Math.floor((total * ratio) / 100);
  }

  /** Promises `pages` more, of which `replaced` are about to be taken back; false (ENOMEM) when the policy says no. */
  charge(pages: number, replaced = 0): boolean {
    if (this.mode === COMMIT_HEURISTIC && pages - replaced > this.total) return false;
    if (this.mode === COMMIT_NEVER && this.committed + pages - replaced > this.limit) return false;
    this.committed += pages;
    return true;
  }
  /** Takes a promise back. */
  uncharge(pages: number): void {
    this.committed -= pages;
  }
}
