/** The resource limits that memory operations obey, in bytes, read when they are applied (getrlimit(2)). */
export interface MemoryLimits {
  /** RLIMIT_STACK, read at fault time. */
  stack(): number;
  /** RLIMIT_DATA: break plus private writable memory. */
  data(): number;
  /** RLIMIT_AS. */
  addressSpace(): number;
  /** RLIMIT_MEMLOCK; Infinity for CAP_IPC_LOCK. */
  locked(): number;
}

/** Linux defaults of a root shell: 8 MiB of stack, everything else unlimited. */
export const DEFAULT_LIMITS: MemoryLimits = {
  stack: () => 8 * 1024 * 1024,
  data: () => Infinity,
  addressSpace: () => Infinity,
  locked: () => Infinity,
};
