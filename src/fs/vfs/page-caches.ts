/** Every page cache whose clean pages can be read again from their source, so that they can be given back under pressure.
 *
 *  Order: least recently used cache first, where "used" means a page was brought in. */

/** Frames freed at a time unless the caller says otherwise, so that a scan over cold caches is not repeated for every page. */
const RECLAIM_BATCH = 64;

/** A cache with pages that may be dropped. */
export interface ReclaimableCache {
  /** Drops clean pages that nothing but the cache refers to, at most `wanted`; returns how many frames became free. */
  reclaim(wanted: number): number;
  /** Frames held. */
  readonly residentFrames: number;
}

export class PageCaches {
  // Insertion order is the order of last use.
  private readonly caches = new Set<ReclaimableCache>();

  /** `cache` has just brought something in. */
  touch(cache: ReclaimableCache): void {
    this.caches.delete(cache);
    this.caches.add(cache);
  }
  remove(cache: ReclaimableCache): void {
    this.caches.delete(cache);
  }

  /** Frees up to `wanted` frames by forgetting clean, unmapped file pages; returns how many it freed. */
  reclaim(wanted = RECLAIM_BATCH): number {
    let freed = 0;
    for (const cache of [...this.caches]) {
      if (freed >= wanted) break;
      freed += cache.reclaim(wanted - freed);
      if (cache.residentFrames === 0) this.caches.delete(cache);
    }
    return freed;
  }

  /** Frames in all caches, clean and dirty. */
  get residentFrames(): number {
    let frames = 0;
    for (const cache of this.caches) frames += cache.residentFrames;
    return frames;
  }
}
