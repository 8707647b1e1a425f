/** The regions of one address space, sorted by address: a chain (`region.next`, `region.previous`) for whoever goes along it, over
 *  leaves of at most LEAF_MAX regions for whoever looks something up. Finding, adding and removing one costs the same with a
 *  hundred regions and with the 65,530 that Linux allows.
 *
 *  Invariants: regions do not overlap; no leaf is empty. Neighbours that could merge may stay apart, as on Linux: merging is
 *  tried when a region is made or changed (vm/mapping.ts), not by the map. Bounds of a region may be changed in place as long
 *  as the order stays. */
import { KernelPanic } from "../base/assert.ts";
import type { Region } from "./region.ts";

const LEAF_MAX = 128;

export class RegionMap {
  /** Number of regions. */
  count = 0;
  /** Lowest and highest region. */
  first: Region | undefined;
  last: Region | undefined;
  private readonly leaves: Region[][] = [];
  /** The last region found; most lookups hit it again. */
  private found: Region | undefined;

  /** The region that contains `address`. @hot */
  find(address: number): Region | undefined {
    const found = this.found;
    if (found !== undefined && address >= found.start && address < found.end) return found;
    const region = this.after(address);
    if (region === undefined || region.start > address) return undefined;
    this.found = region;
    return region;
  }

  /** The first region that ends above `address` (Linux find_vma). @hot */
  after(address: number): Region | undefined {
    const leaf = this.leaves[this.leafAfter(address)];
    return leaf === undefined ? undefined : leaf[indexAfter(leaf, address)];
  }
  /** The last region that ends at or below `address`. */
  before(address: number): Region | undefined {
    const after = this.after(address);
    return after === undefined ? this.last : after.previous;
  }

  /** True when some region overlaps [start, end). */
  overlaps(start: number, end: number): boolean {
    const region = this.after(start);
    return region !== undefined && region.start < end;
  }

  /** Adds a region that overlaps none. */
  insert(region: Region): void {
    this.count++;
    const { leaves } = this;
    const at = this.leafAfter(region.start);
    const leaf = leaves[at] ?? leaves[at - 1];
    if (leaf === undefined) {
      leaves.push([region]);
      this.link(region, undefined, undefined);
      return;
    }
    const index = indexAfter(leaf, region.start);
    const next = leaf[index];
    this.link(region, next === undefined ? this.last : next.previous, next);
    if (next === undefined) leaf.push(region);
    else leaf.splice(index, 0, region);
    if (leaf.length > LEAF_MAX) leaves.splice(leaves[at] === leaf ? at + 1 : at, 0, leaf.splice(LEAF_MAX / 2));
  }

  remove(region: Region): void {
    const at = this.leafAfter(region.start);
    const leaf = this.leaves[at];
    const index = leaf === undefined ? -1 : indexAfter(leaf, region.start);
    if (leaf === undefined || leaf[index] !== region) throw new KernelPanic("a region to be removed is not there", { start: region.start });
    this.count--;
    this.found = undefined;
    const { previous, next } = region;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    region.previous = region.next = undefined;
    if (leaf.length === 1) this.leaves.splice(at, 1);
    else leaf.splice(index, 1);
  }

  clear(): void {
    this.leaves.length = 0;
    this.count = 0;
    this.first = this.last = this.found = undefined;
  }

  /** In address order. The current region may be changed or removed meanwhile, others may not be removed. */
  *[Symbol.iterator](): IterableIterator<Region> {
    for (let region = this.first; region !== undefined; ) {
      const { next } = region;
      yield region;
      region = next;
    }
  }

  private link(region: Region, previous: Region | undefined, next: Region | undefined): void {
    region.previous = previous;
    region.next = next;
    if (previous === undefined) this.first = region;
    else previous.next = region;
    if (next === undefined) this.last = region;
    else next.previous = region;
  }

  /** Index of the leaf that holds the first region ending above `address`; the number of leaves when there is none. @hot */
  private leafAfter(address: number): number {
    const { leaves } = this;
    let low = 0;
    let high = leaves.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const leaf = leaves[middle];
      if (leaf[leaf.length - 1].end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Index of the first region of a leaf that ends above `address`. @hot */
function indexAfter(leaf: readonly Region[], address: number): number {
  let low = 0;
  let high = leaf.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (leaf[middle].end > address) high = middle;
    else low = middle + 1;
  }
  return low;
}
