/** What a page fault means and what is done about it: classify, then act (Linux do_user_addr_fault, mm/memory.c).
 *
 *  Order: find the region (growing a stack towards the address) → compare rights → give the page a frame. Nothing is changed
 *  by a fault that ends DENIED or BLOCKED, except a stack that has grown, as on Linux. */
import { PROT_EXEC, PROT_NONE, PROT_WRITE } from "../abi/linux/mman.ts";
import { BUS_ADRERR, SEGV_ACCERR, SEGV_MAPERR, SIGBUS, SIGKILL, SIGSEGV, SI_KERNEL } from "../abi/linux/signal.ts";
import { pageFloor } from "../base/bits.ts";
import { BLOCKED, DENIED, type FaultOutcome, PF_FETCH, PF_PRESENT, PF_WRITE, RESOLVED } from "../memory/access.ts";
import { PTE_WRITABLE } from "../memory/pte.ts";
import type { AddressSpace } from "./address-space.ts";
import { copyOnWrite, fillZero } from "./backing/anonymous.ts";
import { copyFilePage, mapFilePage, writeSharedPage } from "./backing/file.ts";
import { OUT_OF_FRAMES, PAGE_PENDING } from "./backing/result.ts";
import { FAULT_BLOCKED, FAULT_DENIED, FAULT_SPURIOUS, FAULT_STACK_GROWTH, type FaultKind } from "./fault-kind.ts";
import { growDown } from "./operations/grow.ts";
import { hasArrived } from "./page-source.ts";
import type { Region } from "./region.ts";

const CANONICAL_END = 2 ** 47;

/** Makes `address` accessible, or records in the space why not. @hot bench/vm-micro */
export function resolveFault(space: AddressSpace, address: number, errorCode: number): FaultOutcome {
  const page = pageFloor(address);
  for (;;) {
    let region = space.regions.find(address);
    let grown = false;
    if (region === undefined) {
      region = growDown(space, address);
      if (region === undefined) return denyUnmapped(space, address, errorCode);
      grown = true;
    }
    if (!permits(region, errorCode)) return deny(space, address, errorCode, SIGSEGV, SEGV_ACCERR, address);
    const result = act(space, region, page, errorCode);
    if (result >= 0) {
      const kind = grown ? FAULT_STACK_GROWTH : result;
      space.faultCounts[kind]++;
      space.context.events?.faulted(space, kind, address, errorCode, space.lastFrame);
      return RESOLVED;
    }
    if (result === PAGE_PENDING) {
      space.faultCounts[FAULT_BLOCKED]++;
      space.context.events?.faulted(space, FAULT_BLOCKED, address, errorCode, 0);
      return BLOCKED;
    }
    if (result !== OUT_OF_FRAMES) return deny(space, address, errorCode, SIGBUS, BUS_ADRERR, address);
    if (!space.context.makeRoom()) return deny(space, address, errorCode, SIGKILL, SI_KERNEL, address);
  }
}

/** Gives the page what the access needs: a FaultKind, or one of backing/result.ts. @hot */
function act(space: AddressSpace, region: Region, page: number, errorCode: number): FaultKind {
  const { tables, ram, pageSource } = space.context;
  const write = errorCode & PF_WRITE;
  const slot = tables.findSlot(space.root, page);
  const entry = slot === 0 ? 0 : ram.i32[slot];
  if (entry === 0) {
    if (pageSource !== undefined && !hasArrived(pageSource, space, page)) return PAGE_PENDING;
    if (region.backing === undefined) return fillZero(space, region, page, write);
    if (write === 0) return mapFilePage(space, region, page);
    return region.shared ? writeSharedPage(space, region, page) : copyFilePage(space, region, page);
  }
  if (write !== 0 && (entry & PTE_WRITABLE) === 0) {
    return region.shared ? writeSharedPage(space, region, page) : copyOnWrite(space, region, page, slot);
  }
  space.lastFrame = entry >>> 12;
  return FAULT_SPURIOUS;
}

/** Linux access_error: x86 has no memory that can be written or executed but not read. @hot */
function permits(region: Region, errorCode: number): boolean {
  if ((errorCode & PF_WRITE) !== 0) return (region.prot & PROT_WRITE) !== 0;
  if ((errorCode & PF_FETCH) !== 0) return (region.prot & PROT_EXEC) !== 0;
  return region.prot !== PROT_NONE;
}

function denyUnmapped(space: AddressSpace, address: number, errorCode: number): FaultOutcome {
  // A non-canonical address raises #GP, for which Linux has no address to report.
  if (address >= CANONICAL_END || address < -CANONICAL_END) return deny(space, address, errorCode, SIGSEGV, SI_KERNEL, 0);
  return deny(space, address, errorCode & ~PF_PRESENT, SIGSEGV, SEGV_MAPERR, address);
}

function deny(space: AddressSpace, address: number, errorCode: number, signal: number, code: number, reported: number): FaultOutcome {
  space.denied.signal = signal;
  space.denied.code = code;
  space.denied.address = reported;
  space.faultCounts[FAULT_DENIED]++;
  space.context.events?.faulted(space, FAULT_DENIED, address, errorCode, 0);
  return DENIED;
}
