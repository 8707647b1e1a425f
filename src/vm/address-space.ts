/** One address space: its regions, its page tables and what is known of both. Linux's mm_struct.
 *
 *  Every method that a system call stands behind returns a value >= 0 or a negative errno, and takes addresses and lengths as
 *  the guest gave them. The verbs live in vm/operations, one file each; this class holds the state they work on.
 *  Invariant (vm/check.ts proves it): every leaf lies in a region that permits what it permits.
 *  Reference counting of the space itself is the kernel's: the last holder calls `destroy`. */
import { ENOMEM } from "../abi/linux/errno.ts";
import { pageCeil, WIDE_ZERO } from "../base/bits.ts";
import { type Access, type FaultOutcome, type FaultResolver, PF_FETCH, PF_USER, PF_WRITE, READ, WRITE } from "../memory/access.ts";
import { TRANSLATE_BLOCKED } from "../memory/mmu.ts";
import type { PageCache } from "../memory/page-cache.ts";
import { Removal } from "../memory/page-table.ts";
import { Attachment } from "./backing/object.ts";
import type { VmContext } from "./context.ts";
import { resolveFault } from "./fault.ts";
import { FAULT_KINDS } from "./fault-kind.ts";
import { mmapBase, USER_END } from "./layout.ts";
import { DEFAULT_LIMITS, type MemoryLimits } from "./limits.ts";
import { advise } from "./operations/advise.ts";
import { brk } from "./operations/brk.ts";
import { cloneSpace } from "./operations/fork.ts";
import { lock, lockAll, unlock, unlockAll } from "./operations/lock.ts";
import { type MapRequest, map } from "./operations/map.ts";
import { populate } from "./operations/populate.ts";
import { protect } from "./operations/protect.ts";
import { maps, mincore, type MapsEntry } from "./operations/query.ts";
import { remap } from "./operations/remap.ts";
import { mapSegment, mapStack, type SegmentRequest } from "./operations/segment.ts";
import { sync } from "./operations/sync.ts";
import { unmap } from "./operations/unmap.ts";
import { hasArrived } from "./page-source.ts";
import { Placement } from "./placement.ts";
import { REGION_ACCOUNT, REGION_GROWSDOWN, REGION_SHARED, type Region } from "./region.ts";
import { RegionMap } from "./region-map.ts";

export class AddressSpace implements FaultResolver {
  readonly context: VmContext;
  readonly id: number;
  /** Physical address of the PML4. */
  readonly root: number;
  readonly limits: MemoryLimits;
  /** Mappings are placed below this (or above UNMAPPED_BASE when the stack is unlimited). Fixed at creation. */
  readonly mmapBase: number;
  readonly regions = new RegionMap();
  readonly placement: Placement;
  /** The program break: the heap is [brkStart, brkEnd). Written by setBreakStart and brk. */
  brkStart = WIDE_ZERO;
  brkEnd = WIDE_ZERO;
  /** Address the stack began at; names the region that contains it "[stack]". */
  stackStart = WIDE_ZERO;
  /** REGION_LOCK* bits that new regions get (mlockall(MCL_FUTURE)). */
  defaultFlags = 0;
  /** Pages in regions, and in locked ones. */
  virtualPages = WIDE_ZERO;
  lockedPages = 0;
  /** Resident pages: the process's own, a file's, shared memory's. The shared frame of zeros counts nowhere, as on Linux. */
  privatePages = 0;
  filePages = 0;
  sharedPages = 0;
  /** Most pages ever resident (VmHWM), sampled when faults and queries look. */
  peakPages = 0;
  /** Most pages ever mapped (VmPeak). */
  peakVirtualPages = WIDE_ZERO;
  /** Faults by FaultKind. */
  readonly faultCounts = new Float64Array(FAULT_KINDS);
  /** Details of the last DENIED outcome. */
  readonly denied = { signal: 0, code: 0, address: WIDE_ZERO };
  /** How to wait after a BLOCKED outcome: `wake` is called once; the returned function takes it back. */
  readonly blocked: { wait: (wake: () => void) => () => void } = { wait: wakeAtOnce };
  /** Pages that the last map, remap or brk wanted in memory at once and that must be awaited; `end` is 0 when there are none. */
  readonly unpopulated = { start: WIDE_ZERO, end: WIDE_ZERO };
  /** Bytes moved by the last user copy before it stopped. */
  copied = 0;
  /** Frame that the last resolved fault left behind the page. */
  lastFrame = 0;
  /** No gap between regions that ends above `below` is `length` long or longer; kept by operations/place.ts. */
  readonly fullAbove = { length: WIDE_ZERO, below: WIDE_ZERO };
  /** Ranges given up with MADV_FREE: their clean private pages may be taken when frames run out. */
  readonly lazyFree: { start: number; end: number }[] = [];
  private readonly attachments = new Map<PageCache, Attachment>();
  private destroyed = false;

  private constructor(context: VmContext, root: number, limits: MemoryLimits, base: number) {
    this.context = context;
    this.id = context.spaceId();
    this.root = root;
    this.limits = limits;
    this.mmapBase = base;
    this.placement = new Placement(context.frames);
    this.fullAbove.below = base;
    context.spaces.add(this);
  }

  /** An empty space, or -ENOMEM. `base` is given by clone; a new image takes it from its stack limit. */
  static create(context: VmContext, limits: MemoryLimits = DEFAULT_LIMITS, base = mmapBase(limits.stack())): AddressSpace | number {
    let root = context.tables.createRoot();
    while (root === 0 && context.makeRoom()) root = context.tables.createRoot();
    return root === 0 ? -ENOMEM : new AddressSpace(context, root, limits, base);
  }

  // Verbs -------------------------------------------------------------------------------------------------------------

  /** mmap(2): the address, or -errno. */
  map(request: MapRequest): number {
    this.unpopulated.end = 0;
    return this.noteVirtual(map(this, request));
  }
  /** munmap(2). */
  unmap(address: number, length: number): number {
    return unmap(this, address, length);
  }
  /** mprotect(2). */
  protect(address: number, length: number, prot: number): number {
    return protect(this, address, length, prot);
  }
  /** mremap(2): the new address, or -errno. */
  remap(address: number, oldLength: number, newLength: number, flags: number, newAddress: number): number {
    this.unpopulated.end = 0;
    return this.noteVirtual(remap(this, address, oldLength, newLength, flags, newAddress));
  }
  /** The brk system call: the break that holds afterwards, the old one when the wish is refused. */
  brk(wish: number): number {
    this.unpopulated.end = 0;
    return this.noteVirtual(brk(this, wish));
  }
  /** madvise(2). USER_BLOCKED when MADV_POPULATE_* must wait. */
  advise(address: number, length: number, advice: number): number {
    return advise(this, address, length, advice);
  }
  /** mincore(2): one byte a page into `residency`, which has room for them. */
  mincore(address: number, length: number, residency: Uint8Array): number {
    return mincore(this, address, length, residency);
  }
  /** msync(2). */
  sync(address: number, length: number, flags: number): number {
    return sync(this, address, length, flags);
  }
  /** mlock(2) and mlock2(2): USER_BLOCKED when a page must be awaited; call again then. */
  lock(address: number, length: number, when: "now" | "on-fault" = "now"): number {
    return lock(this, address, length, when);
  }
  unlock(address: number, length: number): number {
    return unlock(this, address, length);
  }
  /** mlockall(2) with MCL_* flags. */
  lockAll(flags: number): number {
    return lockAll(this, flags);
  }
  unlockAll(): number {
    return unlockAll(this);
  }
  /** fork(2)'s copy: shares every frame copy-on-write. -ENOMEM when the policy or the frames say no. */
  clone(limits: MemoryLimits = this.limits): AddressSpace | number {
    return cloneSpace(this, limits);
  }
  /** Faults in every page of [start, end) that can be: 0, -EFAULT, -ENOMEM or USER_BLOCKED at the first that cannot. */
  populate(start: number, end: number): number {
    return populate(this, start, end);
  }

  // Setting up an image -------------------------------------------------------------------------------------------------

  /** Maps one PT_LOAD segment lazily; see operations/segment.ts. */
  mapSegment(request: SegmentRequest): number {
    return this.noteVirtual(mapSegment(this, request));
  }
  /** Maps a grow-down stack of `length` bytes ending at `top`; nothing is resident until it is touched. Returns its start. */
  mapStack(top: number, length: number, prot: number): number {
    return this.noteVirtual(mapStack(this, top, length, prot));
  }
  /** The heap begins at the first page boundary at or above `address` and is empty. */
  setBreakStart(address: number): void {
    this.brkStart = pageCeil(address);
    this.brkEnd = this.brkStart;
  }

  // Faults ------------------------------------------------------------------------------------------------------------

  /** FaultResolver. RESOLVED, DENIED (see `denied`) or BLOCKED (see `blocked`). */
  resolveFault(address: number, errorCode: number): FaultOutcome {
    return resolveFault(this, address, errorCode);
  }
  /** Host address of `address` after faulting it in, or TRANSLATE_DENIED / TRANSLATE_BLOCKED. The space need not be active. @hot */
  translate(address: number, access: Access): number {
    const { pageSource } = this.context;
    if (pageSource !== undefined && !hasArrived(pageSource, this, address)) return TRANSLATE_BLOCKED;
    return this.context.mmu.translateIn(this.root, this, address, access);
  }
  /** Host address for an access that needs no fault, or -1. Changes nothing. */
  probe(address: number, access: Access): number {
    return this.context.mmu.probeIn(this.root, address, access);
  }
  /** Runs on this space from now on. */
  activate(): void {
    this.context.mmu.activate(this.root, this);
  }
  /** Faults a page in without setting A or D, as MAP_POPULATE does. */
  faultIn(address: number, access: Access): FaultOutcome {
    return resolveFault(this, address, access === READ ? PF_USER : access === WRITE ? PF_USER | PF_WRITE : PF_USER | PF_FETCH);
  }

  // Figures -----------------------------------------------------------------------------------------------------------

  /** Lines of /proc/self/maps. */
  maps(): IterableIterator<MapsEntry> {
    return maps(this);
  }
  get residentPages(): number {
    return this.privatePages + this.filePages + this.sharedPages;
  }
  /** Frames that hold the page tables, the root included. */
  get tablePages(): number {
    return this.context.tables.countTables(this.root);
  }
  /** True for the region that holds the program break. */
  isHeap(region: Region): boolean {
    return region.backing === undefined && region.start < this.brkEnd && region.end > this.brkStart;
  }

  // For vm/mapping.ts and the verbs -------------------------------------------------------------------------------------

  attachBacking(cache: PageCache): void {
    let attachment = this.attachments.get(cache);
    if (attachment === undefined) {
      attachment = new Attachment(this, cache);
      this.attachments.set(cache, attachment);
    }
    attachment.uses++;
  }
  detachBacking(cache: PageCache): void {
    const attachment = this.attachments.get(cache) as Attachment;
    if (--attachment.uses > 0) return;
    this.attachments.delete(cache);
    attachment.detach();
  }
  /** Resident figures after pages of `region` were emptied. */
  countRemoved(region: Region, removal: Removal): void {
    this.notePeak();
    this.privatePages -= removal.privatePages;
    this.countObjectPages(region, 0 - removal.objectPages);
  }
  /** True when `pages` more private writable pages would exceed RLIMIT_DATA. */
  overDataLimit(pages: number): boolean {
    const limit = this.limits.data();
    if (limit === Infinity) return false;
    let used = pages;
    for (const region of this.regions) if (region.writable && (region.flags & (REGION_SHARED | REGION_GROWSDOWN)) === 0) used += region.pages;
    return used * 4096 > limit;
  }
  /** `count` more (or fewer) pages of the region's backing are mapped. */
  countObjectPages(region: Region, count: number): void {
    if (region.backing?.inMemory === true) this.sharedPages += count;
    else this.filePages += count;
  }
  /** Address space that ends at `end` has become free: the gap it is part of may be long enough now. */
  gapChanged(end: number): void {
    const top = this.regions.after(end)?.start ?? this.mmapBase;
    if (top > this.fullAbove.below) this.fullAbove.below = this.mmapBase;
  }
  /** Samples the high-water mark; called before resident pages go away and by whoever reports it. */
  notePeak(): void {
    if (this.residentPages > this.peakPages) this.peakPages = this.residentPages;
  }

  /** Returns every frame, table, charge and attachment. The space is unusable afterwards. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    const { context } = this;
    context.mmu.deactivate(this.root);
    context.tables.unmapRange(this.root, 0, USER_END, new Removal());
    for (const region of this.regions) {
      if ((region.flags & REGION_ACCOUNT) !== 0) context.commit.uncharge(region.pages);
    }
    this.regions.clear();
    for (const attachment of this.attachments.values()) attachment.detach();
    this.attachments.clear();
    this.placement.releaseAll();
    context.tables.destroyRoot(this.root);
    context.spaces.delete(this);
    context.events?.destroyed(this);
  }

  private noteVirtual(result: number): number {
    if (this.virtualPages > this.peakVirtualPages) this.peakVirtualPages = this.virtualPages;
    return result;
  }
}

function wakeAtOnce(wake: () => void): () => void {
  wake();
  return () => {};
}
