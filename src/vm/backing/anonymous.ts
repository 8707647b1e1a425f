/** Private memory that no file stands behind, and private copies of what others share. */
import { PAGE_SHIFT } from "../../memory/physical-map.ts";
import { PTE_FRAME_MASK, PTE_HIGH_NX, PTE_PRESENT, PTE_PRIVATE, PTE_USER, PTE_WRITABLE } from "../../memory/pte.ts";
import type { AddressSpace } from "../address-space.ts";
import { FAULT_COPY_ON_WRITE, FAULT_REUSE, FAULT_ZERO_FILL, FAULT_ZERO_PAGE, type FaultKind } from "../fault-kind.ts";
import type { Region } from "../region.ts";
import { prepareAnon } from "./anon-group.ts";
import { OUT_OF_FRAMES } from "./result.ts";

/** First touch of an anonymous page. `write` is the PF_WRITE bit of the fault. @hot bench/vm-micro */
export function fillZero(space: AddressSpace, region: Region, page: number, write: number): FaultKind {
  const { tables, frames } = space.context;
  const slot = tables.makeSlot(space.root, page);
  if (slot === 0) return OUT_OF_FRAMES;
  const high = region.executable ? 0 : PTE_HIGH_NX;
  if (!region.writable) {
    const frame = tables.zeroFrame;
    frames.retain(frame);
    tables.setSlot(slot, (frame << PAGE_SHIFT) | PTE_PRESENT | PTE_USER, high);
    space.lastFrame = frame;
    return FAULT_ZERO_PAGE;
  }
  const frame = space.placement.alloc(region, page / 4096, "zeroed", space.isHeap(region));
  if (frame === 0) {
    tables.prune(space.root, page);
    return OUT_OF_FRAMES;
  }
  if (write !== 0) prepareAnon(space, region);
  // A region that was only read has no anon group yet: its first write must fault, because Linux joins groups then.
  const bits = region.anon === undefined ? PTE_PRESENT | PTE_USER | PTE_PRIVATE : PTE_PRESENT | PTE_USER | PTE_PRIVATE | PTE_WRITABLE;
  tables.setSlot(slot, (frame << PAGE_SHIFT) | bits, high);
  space.privatePages++;
  space.lastFrame = frame;
  return FAULT_ZERO_FILL;
}

/** Write to a present page without W in a writable private region: take the frame if nobody else has it, else copy it. @hot bench/vm-micro */
export function copyOnWrite(space: AddressSpace, region: Region, page: number, slot: number): FaultKind {
  const { tables, frames, ram, mmu } = space.context;
  const entry = ram.i32[slot];
  const old = entry >>> PAGE_SHIFT;
  prepareAnon(space, region);
  if ((entry & PTE_PRIVATE) !== 0 && frames.refs[old] === 1) {
    ram.i32[slot] = entry | PTE_WRITABLE;
    space.lastFrame = old;
    return FAULT_REUSE;
  }
  const zeros = old === tables.zeroFrame;
  const frame = space.placement.alloc(region, page / 4096, zeros ? "zeroed" : "any", space.isHeap(region));
  if (frame === 0) return OUT_OF_FRAMES;
  if (!zeros) ram.copyFrame(frame, old);
  mmu.dropTranslations(space.root, page, page + 4096);
  if (region.executable) mmu.executableChanged(space.root);
  ram.i32[slot] = (frame << PAGE_SHIFT) | (entry & ~PTE_FRAME_MASK) | PTE_PRIVATE | PTE_WRITABLE;
  if ((entry & PTE_PRIVATE) === 0) {
    if (!zeros) space.countObjectPages(region, -1);
    space.privatePages++;
  }
  frames.release(old);
  space.lastFrame = frame;
  return FAULT_COPY_ON_WRITE;
}
