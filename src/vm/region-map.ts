/** The regions of one address space, sorted by address.
 *
 *  Invariant: regions do not overlap. Neighbours that could merge may stay apart, as on Linux: merging is tried when a
 *  region is made or changed (vm/mapping.ts), not by the map. */
import type { Region } from "./region.ts";

export class RegionMap {
  private readonly list: Region[] = [];
  /** The last region found; most lookups hit it again. */
  private last: Region | undefined;

  get count(): number {
    return this.list.length;
  }
  at(index: number): Region | undefined {
    return this.list[index];
  }

  /** The region that contains `address`. @hot */
  find(address: number): Region | undefined {
    const last = this.last;
    if (last !== undefined && address >= last.start && address < last.end) return last;
    const region = this.list[this.indexAfter(address)];
    if (region === undefined || region.start > address) return undefined;
    this.last = region;
    return region;
  }

  /** Index of the first region that ends above `address` (Linux find_vma); `count` when there is none. @hot */
  indexAfter(address: number): number {
    const list = this.list;
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (list[middle].end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
  /** The first region that ends above `address`. */
  after(address: number): Region | undefined {
    return this.list[this.indexAfter(address)];
  }

  /** True when some region overlaps [start, end). */
  overlaps(start: number, end: number): boolean {
    const region = this.after(start);
    return region !== undefined && region.start < end;
  }

  /** Adds a region that overlaps none; returns its index. */
  insert(region: Region): number {
    const index = this.indexAfter(region.start);
    if (index === this.list.length) this.list.push(region);
    else this.list.splice(index, 0, region);
    return index;
  }
  /** Removes `count` regions from `index`. */
  removeAt(index: number, count = 1): void {
    this.list.splice(index, count);
    this.last = undefined;
  }
  indexOf(region: Region): number {
    return this.indexAfter(region.start);
  }

  [Symbol.iterator](): IterableIterator<Region> {
    return this.list.values();
  }
}
