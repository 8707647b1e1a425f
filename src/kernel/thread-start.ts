/** CLONE_CHILD_SETTID: the child's number is stored in the child's memory, before its first instruction (clone(2)). */
import { copyOut, USER_BLOCKED } from "../vm/user-memory.ts";
import type { Kernel } from "./kernel.ts";
import type { Task } from "./task.ts";

/** False when the page is on its way; the task is parked and tried again. A fault is ignored, as Linux ignores it. */
export function storeChildTid(kernel: Kernel, task: Task): boolean {
  kernel.wordView.setUint32(0, task.tid, true);
  if (copyOut(task.image.space, task.setChildTid, kernel.word.subarray(0, 4)) === USER_BLOCKED) {
    awaitPage(kernel, task);
    return false;
  }
  task.setChildTid = 0;
  return true;
}

/** Parks a task outside of any call until the page that was reported as blocked is there. */
export function awaitPage(kernel: Kernel, task: Task): void {
  task.awaitsPage = true;
  kernel.park(task, kernel.blockedPage(task.image.space), Infinity);
}
