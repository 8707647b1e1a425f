/** The bytes of a regular file as guest frames, page by page: the one cache that read, write and mmap share.
 *
 *  Invariants
 *  - A frame in here carries one reference of the cache; every PTE that maps it carries its own.
 *  - Bytes at or beyond `size` in the last page are zero.
 *  - An attached mapping learns of every page that stops being current (memory/page-cache.ts has the order). */
import type { PageCache, PageCacheMapping } from "../../memory/page-cache.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { WaitQueue } from "../wait.ts";

/** Result of peek for a page that holds nothing but zero bytes and has no frame. */
export const HOLE = 0;

export abstract class FilePages implements PageCache {
  abstract readonly device: number;
  abstract readonly inode: number;
  /** File size in bytes. */
  abstract readonly size: number;
  /** Frames held, in units of 512 bytes. */
  abstract readonly blocks: number;
  private readonly mappings = new Set<PageCacheMapping>();

  /** The frame to read page `index` from; HOLE; -errno; or WOULD_BLOCK. Allocates nothing for a hole. */
  abstract peek(index: number): number;
  /** The frame to write page `index` to, made private to this file and counted; -errno (-ENOSPC) or WOULD_BLOCK.
   *  May lie beyond `size`: whoever writes there calls grow afterwards. */
  abstract peekForWrite(index: number): number;
  /** The file now has at least `size` bytes. */
  abstract grow(size: number): void;
  /** Cuts or extends to `size`; 0, -errno or WOULD_BLOCK. */
  abstract resize(size: number): number;
  /** Turns [offset, offset+length) into zeros, giving whole pages back. */
  abstract punch(offset: number, length: number): number;
  /** Woken when a page that blocked is there. */
  abstract readonly arrivals: WaitQueue;
  /** Bytes of `frame` were replaced by a write through `peekForWrite`. */
  abstract wrote(frame: number, offset: number, length: number): void;
  /** Keeps the pages alive while they are mapped; pairs with unpin. */
  protected abstract pin(): void;
  protected abstract unpin(): void;
  /** A frame full of zeros for a hole that is to be mapped; allocated, counted and kept. */
  protected abstract fillHole(index: number): number;

  // PageCache, as vm uses it ------------------------------------------------------------------------------------------

  /** A frame to map for reading; 0 when it must be awaited. Holes get a frame here, as tmpfs does on a read fault. */
  page(index: number): number {
    const frame = this.peek(index);
    if (frame > 0) return frame;
    if (frame === HOLE) return this.fillHole(index);
    return pageResult(frame);
  }
  pageForWrite(index: number): number {
    return pageResult(this.peekForWrite(index));
  }
  wait(_index: number, wake: () => void): () => void {
    return this.arrivals.add(wake);
  }
  abstract resident(index: number): boolean;
  /** Writes dirty pages [fromPage, toPage) to where the file lives; 0, -errno or WOULD_BLOCK. */
  sync(_fromPage: number, _toPage: number): number {
    return 0;
  }
  /** Clips to the file's last page: what lies beyond `size` reads as zeros already. */
  punchPages(fromPage: number, toPage: number): number {
    const to = Math.min(toPage, pagesFor(this.size));
    return fromPage >= to ? 0 : this.punch(fromPage * PAGE_SIZE, (to - fromPage) * PAGE_SIZE);
  }
  attach(mapping: PageCacheMapping): () => void {
    this.mappings.add(mapping);
    this.pin();
    return () => {
      if (!this.mappings.delete(mapping)) return;
      this.unpin();
    };
  }

  /** Tells every mapping that pages [from, to) are no longer what they were. After the change, before the release. */
  protected invalidate(from: number, to: number): void {
    for (const mapping of this.mappings) mapping.invalidate(from, to);
  }
  /** Makes the next store through a mapping of pages [from, to) ask pageForWrite again. */
  protected writeProtect(from: number, to: number): void {
    for (const mapping of this.mappings) mapping.writeProtect(from, to);
  }
  get isMapped(): boolean {
    return this.mappings.size > 0;
  }
}

/** Pages needed for `bytes`. */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE);
}

function pageResult(frame: number): number {
  return frame < -4095 ? 0 : frame;
}
