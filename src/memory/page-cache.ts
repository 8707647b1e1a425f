/** File contents as guest frames: the interface through which vm maps what fs owns. Declared here because fs may not
 *  import vm and vm may not import fs.
 *
 *  Contract of an implementation
 *  - It holds one reference on every frame it hands out; a mapping retains its own reference on top.
 *  - Bytes of the last page beyond `size` are zero.
 *  - When a page stops being current (truncated, punched, replaced, a hole that gets its own frame), every attached
 *    mapping is told *after* `size` and the page table of the file have changed, and before the frame is released.
 *  - A cache with attached mappings stays alive: attaching pins it. */
export interface PageCache {
  /** Frame of page `index` for reading, or 0 when it must be brought in asynchronously (then call `wait`), or negative errno
   *  (-EIO, -ENOMEM). A hole gets a frame too. */
  page(index: number): number;
  /** The same for a shared writable mapping: allocates a hole's page and marks it dirty. */
  pageForWrite(index: number): number;
  /** Calls back once when page `index` has arrived or failed. The returned function takes the request back. */
  wait(index: number, wake: () => void): () => void;
  /** File size in bytes, read at fault time: pages wholly beyond it are SIGBUS. */
  readonly size: number;
  /** vm registers each mapping so that truncation and invalidation can reach it; the returned function unregisters. */
  attach(mapping: PageCacheMapping): () => void;
  readonly device: number;
  readonly inode: number;
  /** True when page `index` is in memory (mincore(2), read-ahead around a fault). Absent: never known. */
  resident?(index: number): boolean;
  /** True when pages never need writing back, so that shared mappings may be writable from the first touch:
   *  `page` and `pageForWrite` then always answer the same frame. Absent: false. */
  readonly inMemory?: boolean;
  /** Writes dirty pages [from, to) back (msync(2)): 0 or negative errno. Absent: nothing to write back to. */
  sync?(fromPage: number, toPage: number): number;
  /** Frees pages [from, to), which read as zeros afterwards (MADV_REMOVE): 0 or negative errno. Absent: not supported. */
  punchPages?(fromPage: number, toPage: number): number;
}

/** One address space's view of a cache; implemented by vm. */
export interface PageCacheMapping {
  /** Pages [from, to) of the file are gone (truncated) or replaced: unmap them. A private copy survives unless its page
   *  now lies wholly beyond `size`, as truncate(2) takes copies away and punching a hole does not. */
  invalidate(fromPage: number, toPage: number): void;
  /** Pages [from, to) have been written back: the next store must ask `pageForWrite` again. */
  writeProtect(fromPage: number, toPage: number): void;
}
