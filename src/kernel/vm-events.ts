/** What address spaces report, as events of the task they happened in. Installed only while somebody listens. */
import type { EventBody } from "../trace/event.ts";
import type { AddressSpace } from "../vm/address-space.ts";
import type { VmEvents } from "../vm/events.ts";
import { FAULT_NAMES } from "../vm/fault-kind.ts";
import type { Kernel } from "./kernel.ts";

export function vmEvents(kernel: Kernel): VmEvents {
  const emit = (space: AddressSpace, body: EventBody): void => {
    const { current } = kernel.scheduler;
    if (current?.image.space === space) {
      kernel.tracer.emit(current.process.pid, current.tid, body);
      return;
    }
    for (const task of kernel.tasks.values()) {
      if (task.state === "dead" || task.image.space !== space) continue;
      kernel.tracer.emit(task.process.pid, task.tid, body);
      return;
    }
    // An image that execve is still building belongs to whoever builds it.
    kernel.tracer.emit(current?.process.pid ?? 0, current?.tid ?? 0, body);
  };
  return {
    faulted: (space, kind, address, errorCode) => emit(space, { type: "page-fault", kind: FAULT_NAMES[kind], address, errorCode }),
    mapped: (space, address, length, prot) => emit(space, { type: "map", address, length, prot }),
    unmapped: (space, address, length) => emit(space, { type: "unmap", address, length, prot: 0 }),
    protected: (space, address, length, prot) => emit(space, { type: "protect", address, length, prot }),
    moved: (space, _from, to, length) => emit(space, { type: "map", address: to, length, prot: 0 }),
    cloned: () => {},
    destroyed: () => {},
  };
}
