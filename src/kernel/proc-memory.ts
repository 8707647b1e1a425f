/** Memory figures and regions of a process, for /proc/<pid>/{maps,smaps,status,stat,statm}. */
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../abi/linux/mman.ts";
import type { ProcessMemory, RegionView } from "../fs/procfs/view.ts";
import { OpenFile } from "../fs/vfs/open-file.ts";
import type { AddressSpace } from "../vm/address-space.ts";
import { regionName, regionType } from "../vm/operations/query.ts";
import type { Region } from "../vm/region.ts";
import type { Kernel } from "./kernel.ts";
import type { MemoryImage } from "./memory-image.ts";

const PAGE = 4096;
const PTE_ACCESSED = 0x20, PTE_DIRTY = 0x40;

export function* regionViews(kernel: Kernel, space: AddressSpace): Iterable<RegionView> {
  for (const region of space.regions) yield viewOf(kernel, space, region);
}

function viewOf(kernel: Kernel, space: AddressSpace, region: Region): RegionView {
  const { backing } = region;
  const pages = countPages(kernel, space, region);
  return {
    start: region.start, end: region.end,
    readable: (region.prot & PROT_READ) !== 0, writable: (region.prot & PROT_WRITE) !== 0, executable: (region.prot & PROT_EXEC) !== 0,
    shared: region.shared, offset: backing === undefined ? 0 : region.pageOffset * PAGE, device: backing?.device ?? 0, inode: backing?.inode ?? 0,
    name: region.file instanceof OpenFile ? region.file.location : regionName(space, region), ...pages,
  };
}

/** Bytes by state, as smaps counts them: a page is shared when more than one user holds its frame. */
function countPages(kernel: Kernel, space: AddressSpace, region: Region) {
  const { tables, ram, frames } = kernel.vm;
  let resident = 0, privateDirty = 0, privateClean = 0, sharedDirty = 0, sharedClean = 0, referenced = 0, anonymous = 0;
  tables.forEachLeaf(space.root, region.start, region.end, (slot) => {
    const low = ram.u32[slot];
    const frame = low >>> 12;
    const shared = frames.refs[frame] > (region.backing === undefined ? 1 : 2);
    const dirty = (low & PTE_DIRTY) !== 0;
    resident += PAGE;
    if ((low & PTE_ACCESSED) !== 0) referenced += PAGE;
    if (region.backing === undefined) anonymous += PAGE;
    if (shared && dirty) sharedDirty += PAGE;
    else if (shared) sharedClean += PAGE;
    else if (dirty) privateDirty += PAGE;
    else privateClean += PAGE;
  });
  return { resident, privateDirty, privateClean, sharedDirty, sharedClean, referenced, anonymous };
}

/** All zero for a process without memory. */
export function memoryOf(image: MemoryImage | undefined): ProcessMemory {
  const space = image?.space;
  if (image === undefined || space === undefined) return NOTHING;
  space.notePeak();
  let data = 0, stack = 0, text = 0, libraries = 0;
  for (const region of space.regions) {
    const bytes = region.end - region.start;
    const type = regionType(space, region);
    if (type === "stack") stack += bytes;
    else if ((region.prot & PROT_EXEC) !== 0) {
      if (region.start <= image.codeStart && image.codeStart < region.end) text += bytes;
      else libraries += bytes;
    } else if ((region.prot & PROT_WRITE) !== 0 && !region.shared) data += bytes;
  }
  return {
    virtual: space.virtualPages * PAGE, peakVirtual: space.peakVirtualPages * PAGE, resident: space.residentPages * PAGE, peakResident: space.peakPages * PAGE,
    residentAnonymous: space.privatePages * PAGE, residentFile: space.filePages * PAGE, residentShared: space.sharedPages * PAGE,
    locked: space.lockedPages * PAGE, pinned: 0, data, stack, text, libraries, pageTables: space.tablePages * PAGE, swapped: 0,
    startCode: image.codeStart, endCode: image.codeEnd, startStack: image.stackStart, startData: 0, endData: 0, startBreak: space.brkStart,
    argumentStart: image.argStart, argumentEnd: image.argEnd, environmentStart: image.envStart, environmentEnd: image.envEnd,
  };
}

const NOTHING: ProcessMemory = {
  virtual: 0, peakVirtual: 0, resident: 0, peakResident: 0, residentAnonymous: 0, residentFile: 0, residentShared: 0, locked: 0, pinned: 0, data: 0,
  stack: 0, text: 0, libraries: 0, pageTables: 0, swapped: 0, startCode: 0, endCode: 0, startStack: 0, startData: 0, endData: 0, startBreak: 0,
  argumentStart: 0, argumentEnd: 0, environmentStart: 0, environmentEnd: 0,
};
