/** Anonymous shared memory: MAP_SHARED | MAP_ANONYMOUS, shmget(2). Its frames appear at first touch, belong to the object, and
 *  go when the last mapping and the last handle have gone. */
import { ENOMEM } from "../../abi/linux/errno.ts";
import type { PageCache, PageCacheMapping } from "../../memory/page-cache.ts";
import type { VmContext } from "../context.ts";
import { type Extent, Placement } from "../placement.ts";

/** Objects of fewer pages take any frames. */
const CONTIGUOUS_PAGES = 16;

export class SharedObject implements PageCache {
  readonly size: number;
  /** Linux's internal tmpfs mount is device 0:1. */
  readonly device = 1;
  readonly inode: number;
  /** Pages need no write-back, so mappings are writable from the first touch. */
  readonly inMemory = true;
  private readonly context: VmContext;
  /** Frame by page index; one reference each. */
  private readonly pages = new Map<number, number>();
  private readonly mappings = new Set<PageCacheMapping>();
  /** Keeps the pages contiguous; undefined when there are too few. */
  private readonly placement: Placement | undefined;
  private readonly extent: Extent;
  private readonly charged: number;
  /** Handles besides the mappings: an shm identifier. The maker has the first. */
  private handles = 1;

  private constructor(context: VmContext, pages: number, charged: number) {
    this.context = context;
    this.size = pages * 4096;
    this.charged = charged;
    this.inode = context.sharedInode();
    this.extent = { start: 0, end: this.size, flags: 0 };
    this.placement = pages < CONTIGUOUS_PAGES ? undefined : new Placement(context.frames);
  }

  /** An object of `pages` pages with one handle open, or -ENOMEM when the commit policy refuses. `reserve` says whether it is charged. */
  static create(context: VmContext, pages: number, reserve: "charged" | "noreserve"): SharedObject | number {
    const charged = reserve === "charged" ? pages : 0;
    if (charged > 0 && !context.commit.charge(charged)) return -ENOMEM;
    return new SharedObject(context, pages, charged);
  }

  /** Pages that have a frame. */
  get residentPages(): number {
    return this.pages.size;
  }
  get mapped(): boolean {
    return this.mappings.size > 0;
  }

  page(index: number): number {
    const present = this.pages.get(index);
    if (present !== undefined) return present;
    const frame = this.placement?.alloc(this.extent, index, "zeroed", false) ?? this.context.frames.allocZeroed();
    if (frame === 0) return -ENOMEM;
    this.pages.set(index, frame);
    return frame;
  }
  pageForWrite(index: number): number {
    return this.page(index);
  }
  wait(_index: number, wake: () => void): () => void {
    // Pages are always there at once.
    wake();
    return () => {};
  }
  resident(index: number): boolean {
    return this.pages.has(index);
  }
  punchPages(fromPage: number, toPage: number): number {
    for (const mapping of this.mappings) mapping.invalidate(fromPage, toPage);
    for (const [index, frame] of [...this.pages]) {
      if (index < fromPage || index >= toPage) continue;
      this.pages.delete(index);
      this.context.frames.release(frame);
    }
    return 0;
  }

  attach(mapping: PageCacheMapping): () => void {
    this.mappings.add(mapping);
    return () => {
      if (this.mappings.delete(mapping)) this.releaseIfUnused();
    };
  }

  /** Keeps the object without a mapping; pairs with closeHandle. */
  openHandle(): void {
    this.handles++;
  }
  closeHandle(): void {
    this.handles--;
    this.releaseIfUnused();
  }

  /** Calls `visit` for every frame held. For checks. */
  forEachFrame(visit: (frame: number) => void): void {
    for (const frame of this.pages.values()) visit(frame);
  }

  private releaseIfUnused(): void {
    if (this.mappings.size > 0 || this.handles > 0) return;
    for (const frame of this.pages.values()) this.context.frames.release(frame);
    this.pages.clear();
    this.placement?.releaseAll();
    this.context.commit.uncharge(this.charged);
  }
}
