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

  /** No live member has a parent in another group of the same session: nobody could continue it (POSIX, "Orphaned Process Group"). */
  get orphaned(): boolean {
    for (const member of this.members) if (member.state === "alive" && this.#isHeldBy(member.parent)) return false;
    return true;
  }
  /** Whether the group was orphaned while `leaving`, now a zombie, was still alive. */
  isOrphanedBefore(leaving: Process): boolean {
    for (const member of this.members) {
      if ((member.state === "alive" || member === leaving) && (this.#isHeldBy(member.parent) || (member.parent === leaving && this.#couldHold(leaving)))) {
        return false;
      }
    }
    return true;
  }
  #isHeldBy(parent: Process | undefined): boolean {
    return parent !== undefined && parent.state === "alive" && this.#couldHold(parent);
  }
  #couldHold(parent: Process): boolean {
    return parent.group !== this && parent.group.session === this.session;
  }
  get hasStoppedMember(): boolean {
    for (const member of this.members) if (member.stopped) return true;
    return false;
  }
}
