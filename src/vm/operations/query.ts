/** Questions about a space that change nothing: /proc/self/maps, mincore(2), figures by region. */
import { EINVAL, ENOMEM } from "../../abi/linux/errno.ts";
import { isPageAligned, pageCeil } from "../../base/bits.ts";
import type { AddressSpace } from "../address-space.ts";
import { USER_END } from "../layout.ts";
import { REGION_GROWSDOWN, type Region, type RegionType } from "../region.ts";

export interface MapsEntry {
  readonly start: number;
  readonly end: number;
  /** PROT_* */
  readonly prot: number;
  readonly shared: boolean;
  /** Bytes into the file; 0 for anonymous memory. */
  readonly offset: number;
  /** Path, "[heap]", "[stack]", another bracketed name, or empty. */
  readonly name: string;
  readonly device: number;
  readonly inode: number;
  readonly type: RegionType;
  /** REGION_* */
  readonly flags: number;
}

/** One entry per region, in address order. Do not change the space while iterating. */
export function* maps(space: AddressSpace): IterableIterator<MapsEntry> {
  for (const region of space.regions) {
    const { backing } = region;
    yield {
      start: region.start,
      end: region.end,
      prot: region.prot,
      shared: region.shared,
      offset: backing === undefined ? 0 : region.pageOffset * 4096,
      name: regionName(space, region),
      device: backing?.device ?? 0,
      inode: backing?.inode ?? 0,
      type: regionType(space, region),
      flags: region.flags,
    };
  }
}

/** The name /proc/self/maps prints (Linux show_map_vma). */
export function regionName(space: AddressSpace, region: Region): string {
  if (region.name !== "" || region.backing !== undefined) return region.name;
  if (space.isHeap(region)) return "[heap]";
  if (region.start <= space.stackStart && region.end > space.stackStart) return "[stack]";
  return "";
}

/** What the region is for, seen from where it lies now: a heap that merged with the program's bss is a heap. */
export function regionType(space: AddressSpace, region: Region): RegionType {
  if (space.isHeap(region)) return "heap";
  if ((region.flags & REGION_GROWSDOWN) !== 0) return "stack";
  return region.type;
}

/** The part of a region that has pages: the seed's committed_base and committed_top; undefined when it has none. */
export function committedBounds(space: AddressSpace, region: Region): { base: number; top: number; pages: number } | undefined {
  let base = -1;
  let top = 0;
  let pages = 0;
  space.context.tables.forEachLeaf(space.root, region.start, region.end, (_slot, address) => {
    if (base < 0) base = address;
    top = address + 4096;
    pages++;
  });
  return base < 0 ? undefined : { base, top, pages };
}

/** mincore(2): bit 0 of each byte of `residency` says whether the page is in memory. */
export function mincore(space: AddressSpace, address: number, length: number, residency: Uint8Array): number {
  if (!isPageAligned(address)) return -EINVAL;
  const end = address + pageCeil(length);
  if (!(end <= USER_END) || address < 0) return -ENOMEM;
  const { context, root } = space;
  let at = address;
  while (at < end) {
    const region = space.regions.find(at);
    if (region === undefined) return -ENOMEM;
    const stop = Math.min(region.end, end);
    const first = (at - address) / 4096;
    residency.fill(0, first, first + (stop - at) / 4096);
    context.tables.forEachLeaf(root, at, stop, (_slot, page) => {
      residency[(page - address) / 4096] = 1;
    });
    const { backing } = region;
    if (backing?.resident !== undefined) {
      // A file page in the cache counts even if it is not mapped yet.
      for (let page = at; page < stop; page += 4096) if (backing.resident(region.pageAt(page))) residency[(page - address) / 4096] = 1;
    }
    at = stop;
  }
  return 0;
}
