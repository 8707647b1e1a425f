/** A region: one range of pages that share rights, behaviour and backing. Linux's VMA.
 *
 *  Invariants: start < end, both page-aligned. A region with a backing maps its page `pageOffset + n` at page n; one without
 *  is private anonymous memory, whose pageOffset is the page number it was created at, so that neighbours fit together again
 *  after a split (and do not after a move), exactly as Linux decides it. */
import { PROT_EXEC, PROT_WRITE } from "../abi/linux/mman.ts";
import type { PageCache } from "../memory/page-cache.ts";

/** MAP_SHARED (VM_MAYSHARE). */
export const REGION_SHARED = 1 << 0;
export const REGION_GROWSDOWN = 1 << 1;
/** Counted as committed memory (VM_ACCOUNT). */
export const REGION_ACCOUNT = 1 << 2;
export const REGION_NORESERVE = 1 << 3;
export const REGION_LOCKED = 1 << 4;
export const REGION_LOCKONFAULT = 1 << 5;
export const REGION_DONTFORK = 1 << 6;
export const REGION_WIPEONFORK = 1 << 7;
export const REGION_DONTDUMP = 1 << 8;
export const REGION_RANDOM = 1 << 9;
export const REGION_SEQUENTIAL = 1 << 10;
export const REGION_HUGEPAGE = 1 << 11;
export const REGION_NOHUGEPAGE = 1 << 12;
export const REGION_MERGEABLE = 1 << 13;
/** The kernel's own (vvar, vdso): never merged, moved only whole. */
export const REGION_SPECIAL = 1 << 14;
export const REGION_LOCK_MASK = REGION_LOCKED | REGION_LOCKONFAULT;

/** What a region is for. Descriptive: nothing is decided by it. */
export type RegionType = "text" | "rodata" | "data" | "heap" | "stack" | "mmap" | "shared" | "special";

/** Identity of a group of regions whose private pages Linux would keep on one anon_vma: regions of two groups never merge. */
export interface AnonGroup { readonly id: number }

export class Region {
  start: number;
  end: number;
  prot: number;
  /** Rights mprotect may give (VM_MAY*). */
  readonly maxProt: number;
  flags: number;
  pageOffset: number;
  readonly backing: PageCache | undefined;
  /** Identity of the open file: mappings through two descriptions of one file stay apart. */
  readonly file: object | undefined;
  readonly type: RegionType;
  /** Path, "[vdso]" and the like; empty for plain anonymous memory. */
  name: string;
  /** Set by the first private page written. */
  anon: AnonGroup | undefined;
  /** The group came from the parent at fork: Linux then refuses some merges (vma_is_fork_child). */
  inherited = false;
  /** Neighbours in the address space. Written by RegionMap. */
  previous: Region | undefined = undefined;
  next: Region | undefined = undefined;

  constructor(fields: {
    start: number; end: number; prot: number; maxProt: number; flags: number; pageOffset: number;
    backing: PageCache | undefined; file: object | undefined; type: RegionType; name: string;
  }) {
    this.start = fields.start;
    this.end = fields.end;
    this.prot = fields.prot;
    this.maxProt = fields.maxProt;
    this.flags = fields.flags;
    this.pageOffset = fields.pageOffset;
    this.backing = fields.backing;
    this.file = fields.file;
    this.type = fields.type;
    this.name = fields.name;
    this.anon = undefined;
  }

  get pages(): number {
    return (this.end - this.start) / 4096;
  }
  get shared(): boolean {
    return (this.flags & REGION_SHARED) !== 0;
  }
  get writable(): boolean {
    return (this.prot & PROT_WRITE) !== 0;
  }
  get executable(): boolean {
    return (this.prot & PROT_EXEC) !== 0;
  }

  /** A region like this one over [start, end), which lies inside it or is where it moves to. */
  slice(start: number, end: number, pageOffset: number): Region {
    const copy = new Region(this);
    copy.start = start;
    copy.end = end;
    copy.pageOffset = pageOffset;
    copy.anon = this.anon;
    copy.inherited = this.inherited;
    return copy;
  }
  /** Page number in the backing (or of the original place) for an address inside. @hot */
  pageAt(address: number): number {
    return this.pageOffset + Math.floor((address - this.start) / 4096);
  }
}

/** True when `right`, which begins where `left` ends, can become part of it (Linux vma_merge: equal flags and file,
 *  continuous offset, compatible anon_vma). */
export function mergeable(left: Region, right: Region): boolean {
  return left.end === right.start && left.prot === right.prot && left.flags === right.flags && (left.flags & REGION_SPECIAL) === 0 &&
    left.maxProt === right.maxProt && left.backing === right.backing && left.file === right.file && left.name === right.name &&
    left.pageOffset + left.pages === right.pageOffset && anonCompatible(left, right);
}

/** Linux is_mergeable_anon_vma. */
function anonCompatible(a: Region, b: Region): boolean {
  if (a.anon === b.anon) return true;
  if (a.anon === undefined) return !b.inherited;
  if (b.anon === undefined) return !a.inherited;
  return false;
}
