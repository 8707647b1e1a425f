/** Pages of regions that have a backing: a file's page cache or a shared memory object.
 *
 *  Calling the cache may run file-system code that unmaps pages of this very space (a hole gets its own frame), so slots are
 *  looked up after the cache has answered, never before. */
import { ENOMEM } from "../../abi/linux/errno.ts";
import type { PageCache } from "../../memory/page-cache.ts";
import { PAGE_SHIFT } from "../../memory/physical-map.ts";
import { PTE_HIGH_NX, PTE_PRESENT, PTE_PRIVATE, PTE_USER, PTE_WRITABLE } from "../../memory/pte.ts";
import type { AddressSpace } from "../address-space.ts";
import { FAULT_FILE, FAULT_PAGE_IN, FAULT_SHARED_WRITE, type FaultKind } from "../fault-kind.ts";
import type { Region } from "../region.ts";
import { prepareAnon } from "./anon-group.ts";
import { OUT_OF_FRAMES, PAGE_FAILED, PAGE_PENDING } from "./result.ts";

/** Pages mapped around a read fault if the cache has them anyway (Linux fault_around_bytes, 64 KiB). */
const AROUND = 16;

/** First read of a page: the cache's frame, without W unless the memory is shared and needs no write-back. */
export function mapFilePage(space: AddressSpace, region: Region, page: number): FaultKind {
  const cache = region.backing as PageCache;
  const writable = region.shared && region.writable && cache.inMemory === true;
  const frame = ask(space, cache, region.pageAt(page), writable ? "write" : "read");
  if (frame < 0) return frame;
  const { tables, frames } = space.context;
  const slot = tables.makeSlot(space.root, page);
  if (slot === 0) return OUT_OF_FRAMES;
  const bits = writable ? PTE_PRESENT | PTE_USER | PTE_WRITABLE : PTE_PRESENT | PTE_USER;
  frames.retain(frame);
  tables.setSlot(slot, (frame << PAGE_SHIFT) | bits, region.executable ? 0 : PTE_HIGH_NX);
  space.countObjectPages(region, 1);
  space.lastFrame = frame;
  // Neighbours would come without their source being asked.
  if (cache.resident !== undefined && !writable && space.context.pageSource === undefined) mapAround(space, region, cache, page);
  return FAULT_FILE;
}

/** First touch of a private page is a write: a copy of the cache's frame at once. */
export function copyFilePage(space: AddressSpace, region: Region, page: number): FaultKind {
  const cache = region.backing as PageCache;
  const source = ask(space, cache, region.pageAt(page), "read");
  if (source < 0) return source;
  const { tables, frames, ram } = space.context;
  const slot = tables.makeSlot(space.root, page);
  if (slot === 0) return OUT_OF_FRAMES;
  // Taking the copy's frame may make the cache give its own up: hold it meanwhile.
  frames.retain(source);
  const frame = space.placement.alloc(region, page / 4096, "any", space.isHeap(region));
  if (frame !== 0) ram.copyFrame(frame, source);
  frames.release(source);
  if (frame === 0) {
    tables.prune(space.root, page);
    return OUT_OF_FRAMES;
  }
  prepareAnon(space, region);
  tables.setSlot(slot, (frame << PAGE_SHIFT) | PTE_PRESENT | PTE_USER | PTE_WRITABLE | PTE_PRIVATE, region.executable ? 0 : PTE_HIGH_NX);
  space.privatePages++;
  space.lastFrame = frame;
  return FAULT_PAGE_IN;
}

/** First write to a page of a shared mapping: the cache learns that it is dirty, and may answer with another frame. */
export function writeSharedPage(space: AddressSpace, region: Region, page: number): FaultKind {
  const cache = region.backing as PageCache;
  const frame = ask(space, cache, region.pageAt(page), "write");
  if (frame < 0) return frame;
  const { tables, frames, ram, mmu } = space.context;
  const slot = tables.makeSlot(space.root, page);
  if (slot === 0) return OUT_OF_FRAMES;
  const entry = ram.i32[slot];
  const old = entry >>> PAGE_SHIFT;
  if (entry !== 0 && old === frame) {
    ram.i32[slot] = entry | PTE_WRITABLE;
  } else {
    frames.retain(frame);
    if (entry !== 0) mmu.dropTranslations(space.root, page, page + 4096);
    if (entry !== 0 && region.executable) mmu.executableChanged(space.root);
    tables.setSlot(slot, (frame << PAGE_SHIFT) | PTE_PRESENT | PTE_USER | PTE_WRITABLE, region.executable ? 0 : PTE_HIGH_NX);
    if (entry !== 0) frames.release(old);
    else space.countObjectPages(region, 1);
  }
  space.lastFrame = frame;
  return FAULT_SHARED_WRITE;
}

/** The cache's frame for `index`, or a negative result. */
function ask(space: AddressSpace, cache: PageCache, index: number, access: "read" | "write"): number {
  // Pages wholly beyond the end of the file raise SIGBUS (mmap(2)); the rest of its last page reads as zeros.
  if (index * 4096 >= cache.size) return PAGE_FAILED;
  const frame = access === "read" ? cache.page(index) : cache.pageForWrite(index);
  if (frame > 0) return frame;
  if (frame === -ENOMEM) return OUT_OF_FRAMES;
  if (frame < 0) return PAGE_FAILED;
  space.blocked.wait = (wake) => cache.wait(index, wake);
  return PAGE_PENDING;
}

/** Maps the neighbours of `page` that are in memory, in its aligned 64 KiB and within its region. They are not marked accessed. */
function mapAround(space: AddressSpace, region: Region, cache: PageCache, page: number): void {
  const { tables, frames, ram } = space.context;
  const window = page - (page & (AROUND * 4096 - 1));
  const start = Math.max(window, region.start);
  const end = Math.min(window + AROUND * 4096, region.end);
  const high = region.executable ? 0 : PTE_HIGH_NX;
  for (let at = start; at < end; at += 4096) {
    const index = region.pageAt(at);
    if (at === page || cache.resident?.(index) !== true || index * 4096 >= cache.size) continue;
    const slot = tables.findSlot(space.root, at);
    if (slot === 0 || ram.i32[slot] !== 0) continue;
    const frame = cache.page(index);
    if (frame <= 0) continue;
    frames.retain(frame);
    tables.setSlot(slot, (frame << PAGE_SHIFT) | PTE_PRESENT | PTE_USER, high);
    space.countObjectPages(region, 1);
  }
}
