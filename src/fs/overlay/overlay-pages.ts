/** Bytes of a file in an overlay: the lower file's pages, with frames of its own laid over the pages that were written.
 *
 *  A file is copied up page by page, when a page is first written, so opening a large file for writing costs nothing and
 *  every descriptor and mapping sees one content.
 *
 *  Invariants
 *  - Until the first change, size and pages are the lower file's, even when that changes.
 *  - From then on the lower file shows through for pages below `lowerEnd` that have no frame here and are not punched.
 *  - `lowerEnd` is a multiple of the page size or the lower file's size. */
import { ENOMEM, ENOSPC } from "../../abi/linux/errno.ts";
import type { PageCacheMapping } from "../../memory/page-cache.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { FsContext } from "../context.ts";
import { FilePages, HOLE, pagesFor } from "../vfs/file-pages.ts";
import { allocFrame, allocZeroFrame, clearFrame } from "../vfs/frames.ts";
import type { Inode } from "../vfs/inode.ts";
import { WaitQueue } from "../wait.ts";

export class OverlayPages extends FilePages {
  private readonly context: FsContext;
  private readonly owner: Inode;
  private readonly lower: FilePages | null;
  private readonly frames = new Map<number, number>();
  /** Pages of the lower file that read as zeros. */
  private readonly punched = new Set<number>();
  private readonly ownArrivals = new WaitQueue();
  /** Null as long as nothing has been changed. */
  private bytes: number | null;
  private lowerEnd = 0;
  private detachLower: (() => void) | null = null;

  constructor(context: FsContext, owner: Inode, lower: FilePages | null) {
    super();
    this.context = context;
    this.owner = owner;
    this.lower = lower;
    this.bytes = lower === null ? 0 : null;
  }

  get device(): number {
    return this.owner.filesystem.device;
  }
  get inode(): number {
    return this.owner.ino;
  }
  get size(): number {
    return this.bytes ?? this.lower!.size;
  }
  get blocks(): number {
    if (this.bytes === null) return this.lower!.blocks;
    const shown = pagesFor(Math.min(this.lowerEnd, this.bytes)) - this.punched.size;
    let beyond = 0;
    for (const page of this.frames.keys()) if (page * PAGE_SIZE >= this.lowerEnd || this.punched.has(page)) beyond++;
    return (shown + beyond) * 8;
  }
  get arrivals(): WaitQueue {
    return this.lower?.arrivals ?? this.ownArrivals;
  }
  /** Whether the content is no longer simply the lower file's. */
  get changed(): boolean {
    return this.bytes !== null;
  }

  peek(index: number): number {
    const frame = this.frames.get(index);
    if (frame !== undefined) return frame;
    return this.showsLower(index) ? this.lower!.peek(index) : HOLE;
  }

  peekForWrite(index: number): number {
    const frame = this.frames.get(index);
    if (frame !== undefined) return frame;
    const below = this.showsLower(index) ? this.lower!.peek(index) : HOLE;
    if (below < 0) return below;
    this.beginChange();
    return this.addFrame(index, below);
  }

  resident(index: number): boolean {
    return this.frames.has(index) || (this.showsLower(index) && this.lower!.resident(index));
  }

  grow(size: number): void {
    this.beginChange();
    if (size > this.bytes!) this.bytes = size;
  }

  resize(size: number): number {
    const old = this.size;
    if (size < old && size % PAGE_SIZE !== 0) {
      // The cut page keeps its beginning: it needs a frame of its own unless it is a hole.
      const cut = this.peek(Math.floor(size / PAGE_SIZE));
      const own = cut === HOLE ? HOLE : this.peekForWrite(Math.floor(size / PAGE_SIZE));
      if (own < 0) return own;
    }
    this.beginChange();
    this.bytes = size;
    if (size >= old) return 0;
    this.lowerEnd = Math.min(this.lowerEnd, pagesFor(size) * PAGE_SIZE);
    for (const page of this.punched) if (page * PAGE_SIZE >= size) this.punched.delete(page);
    this.dropFrames(pagesFor(size), Number.POSITIVE_INFINITY, pagesFor(old));
    this.clearWithin(size, (PAGE_SIZE - (size % PAGE_SIZE)) % PAGE_SIZE);
    return 0;
  }

  punch(offset: number, length: number): number {
    const end = Math.min(offset + length, this.size);
    if (end <= offset) return 0;
    const first = Math.ceil(offset / PAGE_SIZE);
    const last = end === this.size ? pagesFor(end) : Math.floor(end / PAGE_SIZE);
    for (const edge of [Math.floor(offset / PAGE_SIZE), Math.floor((end - 1) / PAGE_SIZE)]) {
      if (edge >= first && edge < last) continue;
      const frame = this.peek(edge) === HOLE ? HOLE : this.peekForWrite(edge);
      if (frame < 0) return frame;
    }
    this.beginChange();
    for (let page = first; page < last; page++) if (page * PAGE_SIZE < this.lowerEnd) this.punched.add(page);
    if (first <= last) {
      this.clearWithin(offset, Math.min(first * PAGE_SIZE, end) - offset);
      if (end > last * PAGE_SIZE) this.clearWithin(last * PAGE_SIZE, end - last * PAGE_SIZE);
      this.dropFrames(first, last, last);
    } else {
      this.clearWithin(offset, end - offset);
    }
    return 0;
  }

  /** Gives every page of [offset, offset+length) a frame here or below: 0, -ENOSPC or WOULD_BLOCK (fallocate(2)). */
  allocate(offset: number, length: number): number {
    for (let page = Math.floor(offset / PAGE_SIZE); page < pagesFor(offset + length); page++) {
      if (this.frames.has(page) || this.showsLower(page)) continue;
      this.beginChange();
      const frame = this.addFrame(page, HOLE);
      if (frame < 0) return frame;
    }
    return 0;
  }

  wrote(frame: number, offset: number, length: number): void {
    this.context.bytesWritten(frame, offset, length);
  }

  /** Releases every frame; the file is gone. */
  free(): void {
    const pages = pagesFor(this.size);
    this.bytes = 0;
    this.lowerEnd = 0;
    this.punched.clear();
    this.dropFrames(0, Number.POSITIVE_INFINITY, pages);
  }

  override attach(mapping: PageCacheMapping): () => void {
    if (!this.isMapped && this.lower !== null) this.detachLower = this.lower.attach(this.followLower());
    const detach = super.attach(mapping);
    return () => {
      detach();
      if (this.isMapped) return;
      this.detachLower?.();
      this.detachLower = null;
    };
  }

  protected pin(): void {
    this.owner.retain();
  }
  protected unpin(): void {
    this.owner.release();
  }
  protected fillHole(index: number): number {
    this.beginChange();
    return this.addFrame(index, HOLE);
  }

  /** Passes on what happens to lower pages that show through here. */
  private followLower(): PageCacheMapping {
    return {
      invalidate: (from, to) => this.invalidate(from, to),
      writeProtect: () => {},
    };
  }

  private showsLower(index: number): boolean {
    if (this.lower === null || this.punched.has(index)) return false;
    return this.bytes === null || index * PAGE_SIZE < this.lowerEnd;
  }

  private beginChange(): void {
    if (this.bytes !== null) return;
    this.bytes = this.lower!.size;
    this.lowerEnd = this.bytes;
  }

  /** A frame of our own for page `index` with the content of `below`; mappings of the lower frame are told. */
  private addFrame(index: number, below: number): number {
    if (!this.context.budget.takeFrame()) return -ENOSPC;
    if (below !== HOLE) this.context.frames.retain(below);
    const frame = below === HOLE ? allocZeroFrame(this.context) : allocFrame(this.context);
    if (below !== HOLE) {
      if (frame !== 0) this.context.ram.copyFrame(frame, below);
      this.context.frames.release(below);
    }
    if (frame === 0) {
      this.context.budget.giveFrame();
      return -ENOMEM;
    }
    this.frames.set(index, frame);
    this.punched.delete(index);
    if (below !== HOLE) this.invalidate(index, index + 1);
    return frame;
  }

  private dropFrames(from: number, to: number, mappedTo: number): void {
    const pages = [...this.frames.keys()].filter((page) => page >= from && page < to);
    const released = pages.map((page) => this.frames.get(page)!);
    for (const page of pages) this.frames.delete(page);
    if (mappedTo > from) this.invalidate(from, mappedTo);
    for (const frame of released) {
      this.context.frames.release(frame);
      this.context.budget.giveFrame();
    }
  }

  private clearWithin(offset: number, length: number): void {
    const frame = this.frames.get(Math.floor(offset / PAGE_SIZE));
    if (frame !== undefined && length > 0) clearFrame(this.context, frame, offset % PAGE_SIZE, length);
  }
}
