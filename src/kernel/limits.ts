/** Resource limits (getrlimit(2)): pairs of soft and hard values, one set per process, copied by fork and kept by execve. */
import type { MemoryLimits } from "../vm/limits.ts";
import {
  RLIM_INFINITY, RLIMIT_AS, RLIMIT_CORE, RLIMIT_COUNT, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RTPRIO,
  RLIMIT_SIGPENDING, RLIMIT_STACK,
} from "../abi/linux/resource.ts";

export class ResourceLimits {
  readonly soft = new Float64Array(RLIMIT_COUNT).fill(RLIM_INFINITY);
  readonly hard = new Float64Array(RLIMIT_COUNT).fill(RLIM_INFINITY);

  /** @param tasks RLIMIT_NPROC and RLIMIT_SIGPENDING of a fresh machine */
  static initial(tasks: number): ResourceLimits {
    const limits = new ResourceLimits();
    limits.set(RLIMIT_STACK, 8 << 20, RLIM_INFINITY);
    limits.set(RLIMIT_CORE, 0, RLIM_INFINITY);
    limits.set(RLIMIT_NOFILE, 1024, 1 << 20);
    limits.set(RLIMIT_NPROC, tasks, tasks);
    limits.set(RLIMIT_SIGPENDING, tasks, tasks);
    limits.set(RLIMIT_MEMLOCK, 8 << 20, 8 << 20);
    limits.set(RLIMIT_MSGQUEUE, 819_200, 819_200);
    limits.set(RLIMIT_NICE, 0, 0);
    limits.set(RLIMIT_RTPRIO, 0, 0);
    return limits;
  }
  set(resource: number, soft: number, hard: number): void {
    this.soft[resource] = soft;
    this.hard[resource] = hard;
  }
  clone(): ResourceLimits {
    const copy = new ResourceLimits();
    copy.soft.set(this.soft);
    copy.hard.set(this.hard);
    return copy;
  }
}

/** The limits that an address space asks for when it grows. They follow the process's through setrlimit. */
export function memoryLimits(limits: ResourceLimits): MemoryLimits {
  const { soft } = limits;
  return {
    stack: () => soft[RLIMIT_STACK], data: () => soft[RLIMIT_DATA], addressSpace: () => soft[RLIMIT_AS], locked: () => soft[RLIMIT_MEMLOCK],
  };
}
