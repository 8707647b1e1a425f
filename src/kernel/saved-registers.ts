/** Registers of a task wherever they are: in the CPU for the one whose file is loaded, in its own copy for the others. */
import { gprAddress, RIP } from "../cpu/state.ts";
import { STATE_BASE } from "../memory/physical-map.ts";
import type { Kernel } from "./kernel.ts";
import type { Task } from "./task.ts";

export function savedRegister(kernel: Kernel, task: Task, register: number): number {
  return kernel.isLoaded(task) ? kernel.cpu.registers.unsigned(register) : word(task, gprAddress(register));
}
export function savedRip(kernel: Kernel, task: Task): number {
  return kernel.isLoaded(task) ? kernel.cpu.registers.rip : word(task, RIP);
}
function word(task: Task, address: number): number {
  const view = new DataView(task.registers.buffer, task.registers.byteOffset + address - STATE_BASE, 8);
  return view.getUint32(4, true) * 0x1_0000_0000 + view.getUint32(0, true);
}
