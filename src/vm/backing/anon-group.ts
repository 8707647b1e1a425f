/** Anon groups decide which regions may merge after their pages have been written (Linux anon_vma). They exist only so that
 *  /proc/self/maps reads as it does on Linux. */
import type { AddressSpace } from "../address-space.ts";
import type { Region } from "../region.ts";

/** Gives `region` a group before its first private page, a neighbour's if the two could be one region but for their rights
 *  (Linux __anon_vma_prepare). @hot */
export function prepareAnon(space: AddressSpace, region: Region): void {
  if (region.anon !== undefined) return;
  region.anon = reusable(region, region.next, region) ?? reusable(region.previous, region, region) ?? { id: space.context.anonId() };
}

/** The group of the neighbour of `self` among two regions in address order, when Linux would reuse it (anon_vma_compatible). */
function reusable(left: Region | undefined, right: Region | undefined, self: Region): Region["anon"] {
  if (left === undefined || right === undefined) return undefined;
  const other = left === self ? right : left;
  if (other.anon === undefined || other.inherited) return undefined;
  const fits = left.end === right.start && left.file === right.file && left.backing === right.backing && left.flags === right.flags &&
    left.maxProt === right.maxProt && left.pageOffset + left.pages === right.pageOffset;
  return fits ? other.anon : undefined;
}
