/** What the tests of this folder share: a small machine, guest-like accesses, a page cache made of an array. */
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../abi/linux/mman.ts";
import { KernelPanic } from "../base/assert.ts";
import { READ, WRITE } from "../memory/access.ts";
import type { PageCache, PageCacheMapping } from "../memory/page-cache.ts";
import { Ram } from "../memory/ram.ts";
import { AddressSpace } from "./address-space.ts";
import { checkFrames, type FrameVisitor } from "./check.ts";
import { VmContext } from "./context.ts";
import type { MemoryLimits } from "./limits.ts";

export const RW = PROT_READ | PROT_WRITE;
export const PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS;
export const PAGE = 4096;

export function makeContext(megabytes = 32): VmContext {
  return new VmContext(new Ram(megabytes * 0x10_0000));
}
export function makeSpace(context: VmContext, limits?: MemoryLimits): AddressSpace {
  const space = AddressSpace.create(context, limits);
  if (typeof space === "number") throw new KernelPanic("no space", { errno: space });
  return space;
}
export function cloneOf(space: AddressSpace): AddressSpace {
  const child = space.clone();
  if (typeof child === "number") throw new KernelPanic("no clone", { errno: child });
  return child;
}

/** Stores a byte as the guest would: true, or false when it is denied or blocked. */
export function poke(space: AddressSpace, address: number, value: number): boolean {
  space.activate();
  const physical = space.context.mmu.translate(address, WRITE);
  if (physical < 0) return false;
  space.context.ram.u8[physical] = value;
  return true;
}
/** Loads a byte as the guest would, or undefined. */
export function peekByte(space: AddressSpace, address: number): number | undefined {
  space.activate();
  const physical = space.context.mmu.translate(address, READ);
  return physical < 0 ? undefined : space.context.ram.u8[physical];
}
/** /proc/self/maps in short: "start-end rwxs offset name" with addresses in hexadecimal. */
export function mapsText(space: AddressSpace): string[] {
  return [...space.maps()].map((m) => {
    const rights = `${(m.prot & 1) !== 0 ? "r" : "-"}${(m.prot & 2) !== 0 ? "w" : "-"}${(m.prot & 4) !== 0 ? "x" : "-"}${m.shared ? "s" : "p"}`;
    return `${m.start.toString(16)}-${m.end.toString(16)} ${rights} ${m.offset.toString(16)}${m.name === "" ? "" : ` ${m.name}`}`;
  });
}

/** A file in frames: page n begins with the byte n + 1. Pages in `pending` arrive when `arrive` is called. */
export class TestFile implements PageCache {
  size: number;
  readonly device = 0x801;
  readonly inode = 42;
  readonly pending = new Set<number>();
  readonly dirty = new Set<number>();
  readonly context: VmContext;
  private readonly frames = new Map<number, number>();
  private readonly waiters = new Map<number, (() => void)[]>();
  readonly mappings = new Set<PageCacheMapping>();

  constructor(context: VmContext, size: number) {
    this.context = context;
    this.size = size;
  }
  page(index: number): number {
    if (this.pending.has(index)) return 0;
    const present = this.frames.get(index);
    if (present !== undefined) return present;
    const frame = this.context.frames.allocZeroed();
    if (frame === 0) return -12;
    this.context.ram.u8.fill(index + 1, frame * PAGE, frame * PAGE + Math.min(PAGE, this.size - index * PAGE));
    this.frames.set(index, frame);
    return frame;
  }
  pageForWrite(index: number): number {
    const frame = this.page(index);
    if (frame > 0) this.dirty.add(index);
    return frame;
  }
  wait(index: number, wake: () => void): () => void {
    this.waiters.set(index, [...(this.waiters.get(index) ?? []), wake]);
    return () => {};
  }
  arrive(index: number): void {
    this.pending.delete(index);
    for (const wake of this.waiters.get(index) ?? []) wake();
    this.waiters.delete(index);
  }
  attach(mapping: PageCacheMapping): () => void {
    this.mappings.add(mapping);
    return () => {
      this.mappings.delete(mapping);
    };
  }
  truncate(size: number): void {
    const oldPages = Math.ceil(this.size / PAGE);
    const pages = Math.ceil(size / PAGE);
    this.size = size;
    for (const mapping of this.mappings) mapping.invalidate(pages, oldPages);
    for (const [index, frame] of [...this.frames]) {
      if (index < pages) continue;
      this.frames.delete(index);
      this.context.frames.release(frame);
    }
  }
  readonly visit = (visit: FrameVisitor): void => {
    for (const frame of this.frames.values()) visit(frame);
  };
}

/** Proves every invariant and, when nothing is mapped any more, that nothing leaked since `boot`. */
export function checkAll(context: VmContext, ...holders: ((visit: FrameVisitor) => void)[]): void {
  checkFrames(context, ...holders);
}
