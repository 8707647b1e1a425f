/** The link between an address space and a page cache it maps.
 *
 *  One Attachment per (space, cache), however many regions: it pins the cache, and the cache reaches the space's pages
 *  through it when the file shrinks or a page is replaced. */
import type { PageCache, PageCacheMapping } from "../../memory/page-cache.ts";
import { PTE_DIRTY, PTE_PRIVATE, PTE_WRITABLE } from "../../memory/pte.ts";
import type { AddressSpace } from "../address-space.ts";
import { clearPages } from "../mapping.ts";
import type { Region } from "../region.ts";

export class Attachment implements PageCacheMapping {
  /** Regions of the space that map the cache. */
  uses = 0;
  private readonly space: AddressSpace;
  private readonly cache: PageCache;
  private readonly unregister: () => void;

  constructor(space: AddressSpace, cache: PageCache) {
    this.space = space;
    this.cache = cache;
    this.unregister = cache.attach(this);
  }

  detach(): void {
    this.unregister();
  }

  invalidate(fromPage: number, toPage: number): void {
    const keepCopiesBelow = Math.ceil(this.cache.size / 4096);
    this.forEachPart(fromPage, toPage, (region, start, end) => {
      const stillThere = region.start + (keepCopiesBelow - region.pageOffset) * 4096;
      const copiesEnd = Math.min(Math.max(stillThere, start), end);
      if (region.anon === undefined) clearPages(this.space, region, start, end);
      else {
        this.clearUncopied(region, start, copiesEnd);
        clearPages(this.space, region, copiesEnd, end);
      }
    });
  }

  writeProtect(fromPage: number, toPage: number): void {
    const { context, root } = this.space;
    this.forEachPart(fromPage, toPage, (region, start, end) => {
      if (!region.shared) return;
      const words = context.ram.i32;
      context.tables.forEachLeaf(root, start, end, (slot) => {
        words[slot] &= ~(PTE_WRITABLE | PTE_DIRTY);
      });
      context.mmu.dropTranslations(root, start, end);
    });
  }

  /** Empties the leaves of [start, end) that name frames of the cache, not private copies. */
  private clearUncopied(region: Region, start: number, end: number): void {
    const { context, root } = this.space;
    const pages: number[] = [];
    context.tables.forEachLeaf(root, start, end, (slot, address) => {
      if ((context.ram.i32[slot] & PTE_PRIVATE) === 0) pages.push(address);
    });
    for (const page of pages) clearPages(this.space, region, page, page + 4096);
  }

  private forEachPart(fromPage: number, toPage: number, visit: (region: Region, start: number, end: number) => void): void {
    for (const region of this.space.regions) {
      if (region.backing !== this.cache) continue;
      const first = Math.max(fromPage, region.pageOffset);
      const end = Math.min(toPage, region.pageOffset + region.pages);
      if (first >= end) continue;
      visit(region, region.start + (first - region.pageOffset) * 4096, region.start + (end - region.pageOffset) * 4096);
    }
  }
}
