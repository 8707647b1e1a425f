/** Address translation: TLB miss → walk of the four-level tables (Intel SDM 3A §4.5) → when the walk fails, the resolver.
 *
 *  Addresses are 64-bit virtual addresses as signed numbers: user addresses are 0…2^47, the kernel half is negative, so all
 *  canonical addresses are exact. Every access is a user access (CPL 3).
 *
 *  Order of a translation: walk and check rights → set A (and D for a write) in the leaf → fill the TLB. A walk that fails
 *  changes nothing, asks the resolver and starts again.
 *  Invariant: a read entry exists only for a page with A set; a write entry only with W and D set, for a frame without
 *  translations, and then the read entry of the page names the same frame. */
import { WIDE_ZERO } from "../base/bits.ts";
import { assert, KernelPanic } from "../base/assert.ts";
import {
  type Access, BLOCKED, DENIED, EXECUTE, type FaultResolver, PF_FETCH, PF_PRESENT, PF_RESERVED, PF_USER, PF_WRITE, READ, RESOLVED, WRITE,
} from "./access.ts";
import type { CodeGuard } from "./code-guard.ts";
import { FRAME_CODE } from "./frame-flags.ts";
import type { FrameAllocator } from "./frames.ts";
import { PAGE_SIZE } from "./physical-map.ts";
import {
  PTE_ACCESSED, PTE_DIRTY, PTE_FRAME_MASK, PTE_HIGH_RESERVED, PTE_LARGE, PTE_LARGE_FRAME_MASK, PTE_PRESENT, PTE_USER, PTE_WRITABLE,
} from "./pte.ts";
import type { Ram } from "./ram.ts";
import { Ranges } from "./ranges.ts";
import type { Tlb } from "./tlb.ts";

/** Results of {@link Mmu.translate} that are no address. */
export const TRANSLATE_DENIED = -1;
export const TRANSLATE_BLOCKED = -2;

const USER_SPAN = 2 ** 47;
const TWO_32 = 0x1_0000_0000;
/** A resolver that keeps saying RESOLVED without making the page accessible is our bug. */
const MAX_ROUNDS = 16;

export class Mmu {
  readonly ram: Ram;
  readonly frames: FrameAllocator;
  readonly tlb: Tlb;
  readonly codeGuard: CodeGuard;
  readonly ranges: Ranges;
  /** cr3: physical address of the active PML4, 0 before the first activation. Written by activate. */
  root = 0;
  /** Asked when a walk of the active tables fails. */
  resolver: FaultResolver | undefined;
  /** The last failed access: written before every resolver call. */
  readonly lastFault = { address: WIDE_ZERO, errorCode: 0 };
  /** Walks made and resolver calls since the start. */
  walks = WIDE_ZERO;
  faults = WIDE_ZERO;
  /** Error code of the last failed walk, and where the last successful one found its leaf. */
  private errorCode = 0;
  private leafSlot = 0;

  constructor(ram: Ram, frames: FrameAllocator, tlb: Tlb, codeGuard: CodeGuard) {
    this.ram = ram;
    this.frames = frames;
    this.tlb = tlb;
    this.codeGuard = codeGuard;
    this.ranges = new Ranges(ram, frames);
    codeGuard.onMark = (frame) => this.ranges.dropWritesTo(frame);
  }

  /** Loads cr3. Decoded code is looked up by address, so the cpu hears of it too. */
  activate(root: number, resolver: FaultResolver | undefined): void {
    this.resolver = resolver;
    if (root === this.root) return;
    this.root = root;
    this.tlb.dropAll();
    this.ranges.dropAll();
    this.codeGuard.listener?.executableMappingChanged();
  }

  /** The active tables are about to be destroyed: nothing is translated until the next activation. */
  deactivate(root: number): void {
    if (root === this.root) this.activate(0, undefined);
  }

  /** Host address of the byte at `address`, with A and D set and the TLB filled; TRANSLATE_DENIED or TRANSLATE_BLOCKED when
   *  the resolver says so ({@link lastFault} names the access). @hot bench/vm-micro */
  translate(address: number, access: Access): number {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const physical = this.walk(this.root, address, access);
      if (physical >= 0) {
        this.touch(access);
        this.fill(address, physical, access);
        return physical;
      }
      const outcome = this.ask(this.resolver, address);
      if (outcome !== RESOLVED) return outcome === DENIED ? TRANSLATE_DENIED : TRANSLATE_BLOCKED;
    }
    throw new KernelPanic("resolver resolves nothing", { address, access, errorCode: this.errorCode });
  }

  /** The same through any root, for user memory of a space that need not be active: sets A and D, leaves the TLB alone. @hot */
  translateIn(root: number, resolver: FaultResolver, address: number, access: Access): number {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const physical = this.walk(root, address, access);
      if (physical >= 0) {
        this.touch(access);
        return physical;
      }
      const outcome = this.ask(resolver, address);
      if (outcome !== RESOLVED) return outcome === DENIED ? TRANSLATE_DENIED : TRANSLATE_BLOCKED;
    }
    throw new KernelPanic("resolver resolves nothing", { address, access, errorCode: this.errorCode });
  }

  /** Host address for an access that is permitted right now, or -1. Changes nothing: no fault, no A or D, no TLB entry. */
  probe(address: number, access: Access): number {
    return this.walk(this.root, address, access);
  }
  probeIn(root: number, address: number, access: Access): number {
    return this.walk(root, address, access);
  }

  /** Error code that an access would fault with, 0 when it would succeed. */
  explain(root: number, address: number, access: Access): number {
    return this.walk(root, address, access) >= 0 ? 0 : this.errorCode;
  }

  /** Stores bytes that generated code may not store itself (page-crossing, or the frame holds translations). All pages are
   *  made writable before the first byte moves, so a denied store has no effect. Returns 0, TRANSLATE_DENIED or
   *  TRANSLATE_BLOCKED. `length` is at most one page. */
  writeBytes(address: number, source: Uint8Array, offset: number, length: number): number {
    assert(length <= PAGE_SIZE, "store longer than a page", { length });
    if (length === 0) return 0;
    const first = this.translate(address, WRITE);
    if (first < 0) return first;
    const head = Math.min(length, PAGE_SIZE - (address & (PAGE_SIZE - 1)));
    if (head === length) {
      this.storeBytes(first, source, offset, length);
      return 0;
    }
    const second = this.translate(address + head, WRITE);
    if (second < 0) return second;
    // Resolving the second page may have moved the first (out of memory, eviction): look again, which cannot fault now.
    const again = this.walk(this.root, address, WRITE);
    if (again < 0) return this.writeBytes(address, source, offset, length);
    this.storeBytes(again, source, offset, head);
    this.storeBytes(second, source, offset + head, length - head);
    return 0;
  }

  /** Pages [start, end) of `root` are narrowed (unmapped, given fewer rights or another frame, A or D cleared): their translations are
   *  forgotten. What only adds, a page that appears or gains W, A or D, needs no call. */
  dropTranslations(root: number, start: number, end: number): void {
    if (root !== this.root) return;
    this.ranges.drop(root, start, end);
    if (end - start <= PAGE_SIZE) this.tlb.dropPage(start);
    else this.tlb.dropRange(start, end);
  }

  /** Every writable page of `root` has just lost its W bit. */
  dropWrites(root: number): void {
    if (root !== this.root) return;
    this.ranges.dropWrites();
    this.tlb.dropWrites();
  }

  /** An executable mapping of `root` was removed, narrowed or redirected. */
  executableChanged(root: number): void {
    if (root === this.root) this.codeGuard.listener?.executableMappingChanged();
  }

  /** Walks the tables: host address, or -1 with `errorCode` set. Reads only. @hot */
  private walk(root: number, address: number, access: Access): number {
    this.walks++;
    let code = access === READ ? PF_USER : access === WRITE ? PF_USER | PF_WRITE : PF_USER | PF_FETCH;
    if (!(address >= 0 && address < USER_SPAN)) {
      this.errorCode = code | (isMappedKernelAddress(this.ram, address) ? PF_PRESENT : 0);
      return -1;
    }
    const words = this.ram.i32;
    const low = address | 0;
    const high = (address / TWO_32) | 0;
    let slot = (root >>> 2) + (high >>> 7) * 2;
    let entry = words[slot];
    let rights = entry;
    let highs = words[slot + 1];
    if ((entry & PTE_PRESENT) === 0) return this.failed(code);
    slot = ((entry & PTE_FRAME_MASK) >>> 2) + (((high & 127) << 2) | (low >>> 30)) * 2;
    entry = words[slot];
    if ((entry & PTE_PRESENT) === 0) return this.failed(code);
    rights &= entry;
    highs |= words[slot + 1];
    slot = ((entry & PTE_FRAME_MASK) >>> 2) + ((low >>> 21) & 511) * 2;
    entry = words[slot];
    if ((entry & PTE_PRESENT) === 0) return this.failed(code);
    rights &= entry;
    highs |= words[slot + 1];
    let physical: number;
    if ((entry & PTE_LARGE) !== 0) {
      physical = ((entry & PTE_LARGE_FRAME_MASK) | (low & 0x1f_ffff)) >>> 0;
    } else {
      slot = ((entry & PTE_FRAME_MASK) >>> 2) + ((low >>> 12) & 511) * 2;
      entry = words[slot];
      if ((entry & PTE_PRESENT) === 0) return this.failed(code);
      rights &= entry;
      highs |= words[slot + 1];
      physical = ((entry & PTE_FRAME_MASK) | (low & 0xfff)) >>> 0;
    }
    code |= PF_PRESENT;
    if ((highs & PTE_HIGH_RESERVED) !== 0) return this.failed(code | PF_RESERVED);
    if ((rights & PTE_USER) === 0) return this.failed(code);
    if (access === WRITE && (rights & PTE_WRITABLE) === 0) return this.failed(code);
    // NX is the sign bit of the high half.
    if (access === EXECUTE && highs < 0) return this.failed(code);
    this.leafSlot = slot;
    return physical;
  }

  private failed(code: number): number {
    this.errorCode = code;
    return -1;
  }

  /** Marks the leaf of the last walk accessed, and dirty for a write. @hot */
  private touch(access: Access): void {
    const words = this.ram.i32;
    const marks = access === WRITE ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED;
    const entry = words[this.leafSlot];
    if ((entry & marks) !== marks) words[this.leafSlot] = entry | marks;
  }

  /** Caches a translation that has just been made. @hot */
  private fill(address: number, physical: number, access: Access): void {
    const frame = physical >>> 12;
    if (access === EXECUTE) {
      this.tlb.fill(address, frame, EXECUTE);
      return;
    }
    this.tlb.fill(address, frame, READ);
    if (access === WRITE && (this.frames.flags[frame] & FRAME_CODE) === 0) this.tlb.fill(address, frame, WRITE);
  }

  private ask(resolver: FaultResolver | undefined, address: number): number {
    const { lastFault, errorCode } = this;
    lastFault.address = address;
    lastFault.errorCode = errorCode;
    this.faults++;
    if (resolver === undefined) return DENIED;
    const outcome = resolver.resolveFault(address, errorCode);
    if (outcome === RESOLVED || outcome === BLOCKED) return outcome;
    // Resolving may have walked (a copy, growth); the denied access is still the one that is reported.
    lastFault.address = address;
    lastFault.errorCode = errorCode;
    return DENIED;
  }

  private storeBytes(physical: number, source: Uint8Array, offset: number, length: number): void {
    const bytes = this.ram.u8;
    for (let i = 0; i < length; i++) bytes[physical + i] = source[offset + i];
    this.codeGuard.written(physical >>> 12, physical & (PAGE_SIZE - 1), length);
  }
}

/** The kernel half of every root is the direct map of RAM: present, but not for users. */
function isMappedKernelAddress(ram: Ram, address: number): boolean {
  return address >= -USER_SPAN && address < -USER_SPAN + ram.bytes;
}
