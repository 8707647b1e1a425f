/** Who a task is (credentials(7)). A value: changes make a new object, so sharing needs no count. */

export interface Credentials {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  /** What the file system checks; follows euid unless setfsuid said otherwise. */
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
}

export function credentialsOf(uid: number, gid: number): Credentials {
  return { uid, euid: uid, suid: uid, fsuid: uid, gid, egid: gid, sgid: gid, fsgid: gid, groups: [] };
}

/** Effective root has every capability here; nobody else has any. */
export const isPrivileged = (credentials: Credentials): boolean => credentials.euid === 0;
