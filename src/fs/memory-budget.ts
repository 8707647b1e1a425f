/** How much of the machine's memory files may take. tmpfs, overlay and memfd pages count here and fail with ENOSPC, so that
 *  a file filled from /dev/zero leaves frames for the processes (tmpfs(5): by default half of the RAM, and as many inodes
 *  as half the number of its pages). */
import { KernelPanic } from "../base/assert.ts";

export class MemoryBudget {
  readonly frameLimit: number;
  readonly inodeLimit: number;
  frames = 0;
  inodes = 0;

  constructor(frameLimit: number, inodeLimit: number) {
    this.frameLimit = frameLimit;
    this.inodeLimit = inodeLimit;
  }

  /** Half of a RAM of `frames` frames. */
  static ofRam(frames: number): MemoryBudget {
    const half = Math.floor(frames / 2);
    return new MemoryBudget(half, Math.max(half, 4096));
  }

  /** Takes one frame of the budget; false when it is used up. */
  takeFrame(): boolean {
    if (this.frames >= this.frameLimit) return false;
    this.frames++;
    return true;
  }
  giveFrame(): void {
    if (this.frames <= 0) throw new KernelPanic("file frame budget underflow");
    this.frames--;
  }
  takeInode(): boolean {
    if (this.inodes >= this.inodeLimit) return false;
    this.inodes++;
    return true;
  }
  giveInode(): void {
    if (this.inodes <= 0) throw new KernelPanic("inode budget underflow");
    this.inodes--;
  }
}
