/** What all address spaces of a machine share: RAM and what manages it, the commit policy, and the doors to the kernel. */
import { CodeGuard } from "../memory/code-guard.ts";
import { FrameAllocator } from "../memory/frames.ts";
import { Mmu } from "../memory/mmu.ts";
import { PageTables } from "../memory/page-table.ts";
import type { Ram } from "../memory/ram.ts";
import { Tlb } from "../memory/tlb.ts";
import type { AddressSpace } from "./address-space.ts";
import { type CommitMode, CommitPolicy } from "./commit.ts";
import type { VmEvents } from "./events.ts";
import { reclaimLazyFree } from "./operations/advise.ts";
import type { PageSource } from "./page-source.ts";

export class VmContext {
  readonly ram: Ram;
  readonly frames: FrameAllocator;
  readonly tables: PageTables;
  readonly mmu: Mmu;
  readonly codeGuard: CodeGuard;
  readonly commit: CommitPolicy;
  /** Every live space, oldest first. */
  readonly spaces = new Set<AddressSpace>();
  /** Told of everything that happens; undefined when nobody listens. */
  events: VmEvents | undefined;
  /** Called when frames ran out: frees something (page cache, the largest process) and returns true to try again.
   *  It must not destroy the space that is faulting: false ends that one with SIGKILL instead. */
  outOfFrames: (() => boolean) | undefined;
  /** Holds absent pages back until they are there; undefined when nothing has to be awaited but files. */
  pageSource: PageSource | undefined;
  private nextSpace = 1;
  private nextAnon = 1;
  private nextInode = 1;

  constructor(ram: Ram, options: { commitMode?: CommitMode; commitRatio?: number } = {}) {
    this.ram = ram;
    this.frames = new FrameAllocator(ram);
    const tlb = new Tlb(ram);
    this.codeGuard = new CodeGuard(this.frames, tlb);
    this.tables = new PageTables(ram, this.frames);
    this.mmu = new Mmu(ram, this.frames, tlb, this.codeGuard);
    this.commit = new CommitPolicy(this.frames.total, options.commitMode, options.commitRatio);
  }

  spaceId(): number {
    return this.nextSpace++;
  }
  anonId(): number {
    return this.nextAnon++;
  }
  /** Inode number of the next anonymous shared object (they live on device 0:1, as Linux's internal tmpfs does). */
  sharedInode(): number {
    return this.nextInode++;
  }

  /** Makes frames free in any way there is: pages given up with MADV_FREE first, then the kernel's choice. */
  makeRoom(): boolean {
    let freed = 0;
    for (const space of this.spaces) freed += reclaimLazyFree(space);
    return freed > 0 || (this.outOfFrames?.() ?? false);
  }
}
