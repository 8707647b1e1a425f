/** Process groups and sessions (credentials(7), setpgid(2), setsid(2)): plain bookkeeping for job control.
 *
 *  Invariant: a group exists as long as it has members, a session as long as it has groups; their numbers are the pids of
 *  the processes that made them and are not handed out again meanwhile. The terminal keeps the foreground group itself. */
import type { Process } from "./process.ts";

export class Session {
  readonly id: number;
  readonly groups = new Map<number, ProcessGroup>();
  constructor(id: number) {
    this.id = id;
  }
}

export class ProcessGroup {
  readonly id: number;
  readonly session: Session;
  readonly members = new Set<Process>();

  constructor(id: number, session: Session) {
    this.id = id;
    this.session = session;
    session.groups.set(id, this);
  }

  /** Takes a process out; an empty group leaves its session. */
  remove(process: Process): void {
    this.members.delete(process);
    if (this.members.size === 0) this.session.groups.delete(this.id);
  }

  /** No member has a parent in another group of the same session: nobody could continue it (POSIX, "Orphaned Process Group"). */
  get orphaned(): boolean {
    return this.isOrphanedWithout(undefined);
  }
  /** The same question as if `leaving` were gone already. */
  isOrphanedWithout(leaving: Process | undefined): boolean {
    for (const member of this.members) {
      if (member === leaving || member.state !== "alive") continue;
      const parent = member.parent;
      if (parent === undefined || parent === leaving || parent.isInit) continue;
      if (parent.group !== this && parent.group.session === this.session) return false;
    }
    return true;
  }
  get hasStoppedMember(): boolean {
    for (const member of this.members) if (member.stopped) return true;
    return false;
  }
}
