/** Page cache of one provider file: pages are read on first use, several at a time, and given back under pressure.
 *
 *  Invariants
 *  - A page in `dirty` differs from the provider; it is written back before its frame is released.
 *  - What is written goes to the provider at the end of each write call, and for mapped pages at msync, munmap and close.
 *  - `size` is the file's size as the guest sees it, ahead of the provider only while writes are on their way. */
import { EIO, ENOMEM } from "../../abi/linux/errno.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { FsContext } from "../context.ts";
import type { ProviderFile } from "../provider.ts";
import { FilePages, HOLE, pagesFor } from "../vfs/file-pages.ts";
import { allocFrame, allocZeroFrame, clearFrame } from "../vfs/frames.ts";
import type { Inode } from "../vfs/inode.ts";
import { blockOn, WaitQueue } from "../wait.ts";
import { isPromise, whenAnswered } from "./answers.ts";

/** Pages written in one go. */
const WRITE_RUN = 64;
/** Bytes on their way to an asynchronous provider beyond which a writer waits. */
const WRITE_BEHIND_LIMIT = 0x40_0000;

export class HostPages extends FilePages {
  readonly arrivals = new WaitQueue();
  private readonly context: FsContext;
  private readonly owner: Inode;
  private readonly frames = new Map<number, number>();
  private readonly dirty = new Set<number>();
  /** First pages of reads under way, with the number of pages. */
  private readonly loading = new Map<number, number>();
  /** Errors of asynchronous reads, given once to whoever asks for the page. */
  private readonly failed = new Map<number, number>();
  private bytes = 0;
  private file: ProviderFile | null = null;
  /** Writes handed to an asynchronous provider: they run one after the other. */
  private writes: Promise<void> | null = null;
  private bytesInFlight = 0;
  private writeError = 0;
  /** Raised when the provider's content is new: reads begun before are dropped on arrival. */
  private generation = 0;

  constructor(context: FsContext, owner: Inode) {
    super();
    this.context = context;
    this.owner = owner;
  }

  get device(): number {
    return this.owner.filesystem.device;
  }
  get inode(): number {
    return this.owner.ino;
  }
  get size(): number {
    return this.bytes;
  }
  get blocks(): number {
    return pagesFor(this.bytes) * 8;
  }
  get residentFrames(): number {
    return this.frames.size;
  }
  get isOpen(): boolean {
    return this.file !== null;
  }
  /** Dirty pages or writes under way: the provider's size and times are behind ours. */
  get unsettled(): boolean {
    return this.dirty.size > 0 || this.writes !== null;
  }

  /** The provider's file to read from and write to; replaces one that could only be read. */
  setFile(file: ProviderFile): void {
    this.file?.close();
    this.file = file;
  }

  /** Nobody uses the file any more: dirty pages go out, then the provider's file is closed. */
  closeFile(): void {
    this.sync(0, Number.MAX_SAFE_INTEGER);
    const file = this.file;
    this.file = null;
    if (file === null) return;
    if (this.writes !== null) this.writes.then(() => file.close());
    else file.close();
  }

  /** The provider says the file has `size` bytes. @param changed its content is no longer what was read */
  adopt(size: number, changed: boolean): void {
    if (changed) {
      this.generation++;
      this.loading.clear();
      this.dropClean(0);
    }
    if (size < this.bytes) {
      this.bytes = size;
      this.dropClean(pagesFor(size));
      this.clearTail(size);
    }
    this.bytes = size;
  }

  peek(index: number): number {
    const frame = this.frames.get(index);
    if (frame !== undefined) return frame;
    if (index >= pagesFor(this.bytes)) return HOLE;
    const failure = this.failed.get(index);
    if (failure !== undefined) {
      this.failed.delete(index);
      return failure;
    }
    return this.load(index);
  }

  peekForWrite(index: number): number {
    if (this.bytesInFlight > WRITE_BEHIND_LIMIT) return blockOn(this.arrivals);
    let frame = this.peek(index);
    if (frame === HOLE) frame = this.fillHole(index);
    if (frame > 0) this.dirty.add(index);
    return frame;
  }

  resident(index: number): boolean {
    return this.frames.has(index);
  }

  grow(size: number): void {
    if (size > this.bytes) this.bytes = size;
  }

  resize(size: number): number {
    if (this.file === null) return -EIO;
    const flushed = this.sync(0, Number.MAX_SAFE_INTEGER);
    if (flushed < 0) return flushed;
    const file = this.file;
    const result = this.inOrder(0, () => file.truncate(size));
    if (result < 0) return result;
    const old = this.bytes;
    this.bytes = size;
    if (size < old) {
      this.generation++;
      this.loading.clear();
      this.dropPages(pagesFor(size), pagesFor(old));
      this.clearTail(size);
    }
    return 0;
  }

  /** Zeros by writing: providers have no holes to make. */
  punch(offset: number, length: number): number {
    const end = Math.min(offset + length, this.bytes);
    for (let at = offset; at < end; ) {
      const within = at % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - within, end - at);
      const frame = this.peekForWrite(Math.floor(at / PAGE_SIZE));
      if (frame < 0) return frame;
      clearFrame(this.context, frame, within, count);
      at += count;
    }
    return this.sync(Math.floor(offset / PAGE_SIZE), pagesFor(end));
  }

  wrote(frame: number, offset: number, length: number): void {
    this.context.bytesWritten(frame, offset, length);
  }

  /** Writes dirty pages of [fromPage, toPage) to the provider, neighbours together. 0 when they are there or under way in
   *  order, else the first error. */
  override sync(fromPage: number, toPage: number): number {
    if (this.dirty.size > 0 && this.file !== null) {
      const pages = [...this.dirty].filter((page) => page >= fromPage && page < toPage).sort((a, b) => a - b);
      for (let first = 0; first < pages.length; ) {
        let last = first + 1;
        while (last < pages.length && pages[last] === pages[last - 1] + 1 && last - first < WRITE_RUN) last++;
        this.writeBack(pages.slice(first, last));
        first = last;
      }
    }
    const error = this.writeError;
    this.writeError = 0;
    return error;
  }

  /** Like sync, and waits until an asynchronous provider has it all. */
  settle(): number {
    const result = this.sync(0, Number.MAX_SAFE_INTEGER);
    if (result < 0) return result;
    return this.writes === null ? 0 : blockOn(this.arrivals);
  }

  /** Drops clean pages that only the cache refers to. */
  reclaim(wanted: number): number {
    let freed = 0;
    for (const [page, frame] of this.frames) {
      if (freed >= wanted) break;
      if (this.dirty.has(page) || this.context.frames.refs[frame] !== 1) continue;
      this.frames.delete(page);
      this.context.frames.release(frame);
      freed++;
    }
    return freed;
  }

  /** Releases everything without writing back; the file is gone or the machine ends. What still arrives is dropped. */
  free(): void {
    this.generation++;
    this.loading.clear();
    this.dirty.clear();
    this.dropPages(0, Number.MAX_SAFE_INTEGER);
    this.context.caches.remove(this);
    this.file?.close();
    this.file = null;
  }

  protected pin(): void {
    this.owner.retain();
  }
  protected unpin(): void {
    this.sync(0, Number.MAX_SAFE_INTEGER);
    this.owner.release();
  }

  protected fillHole(index: number): number {
    const frame = allocZeroFrame(this.context);
    if (frame === 0) return -ENOMEM;
    this.keep(index, frame);
    return frame;
  }

  /** Reads page `index` and what follows: its frame, -errno, or WOULD_BLOCK when the provider answers later. */
  private load(index: number): number {
    if (this.file === null) return -EIO;
    for (const [first, count] of this.loading) if (index >= first && index < first + count) return blockOn(this.arrivals);
    const count = this.absentRun(index);
    const buffer = new Uint8Array(count * PAGE_SIZE);
    const answer = this.file.read(index * PAGE_SIZE, buffer);
    if (!isPromise(answer)) {
      if (answer < 0) return answer;
      this.store(index, buffer, answer, count);
      return this.frames.get(index) ?? -ENOMEM;
    }
    const generation = this.generation;
    this.loading.set(index, count);
    whenAnswered(answer, (read) => {
      if (generation === this.generation) {
        this.loading.delete(index);
        if (read < 0) this.failed.set(index, read);
        else {
          this.store(index, buffer, read, count);
          if (!this.frames.has(index)) this.failed.set(index, -ENOMEM);
        }
      }
      this.arrivals.wakeAll();
    });
    return blockOn(this.arrivals);
  }

  /** How many pages from `index` on are neither here nor under way, at most readAhead and not beyond the end. */
  private absentRun(index: number): number {
    const end = Math.min(pagesFor(this.bytes), index + this.context.readAhead);
    let page = index + 1;
    while (page < end && !this.frames.has(page) && !this.loading.has(page)) page++;
    return page - index;
  }

  private store(index: number, buffer: Uint8Array, read: number, count: number): void {
    const bytes = Math.min(read, this.bytes - index * PAGE_SIZE);
    for (let i = 0; i < count; i++) {
      const start = i * PAGE_SIZE;
      if (this.frames.has(index + i) || (i > 0 && start >= bytes)) continue;
      // Reading ahead is not worth taking frames from others, nor from what has just been read.
      const frame = i === 0 ? allocFrame(this.context) : this.context.frames.alloc();
      if (frame === 0) return;
      const length = Math.max(0, Math.min(PAGE_SIZE, bytes - start));
      const u8 = this.context.ram.u8;
      u8.set(buffer.subarray(start, start + length), frame * PAGE_SIZE);
      u8.fill(0, frame * PAGE_SIZE + length, (frame + 1) * PAGE_SIZE);
      this.keep(index + i, frame);
    }
  }

  private keep(index: number, frame: number): void {
    this.frames.set(index, frame);
    this.context.caches.touch(this);
  }

  private writeBack(pages: readonly number[]): void {
    const start = pages[0] * PAGE_SIZE;
    const end = Math.min((pages[pages.length - 1] + 1) * PAGE_SIZE, this.bytes);
    for (const page of pages) this.dirty.delete(page);
    if (this.isMapped) this.writeProtect(pages[0], pages[pages.length - 1] + 1);
    if (end <= start) return;
    const bytes = new Uint8Array(end - start);
    for (const page of pages) {
      const from = this.frames.get(page)! * PAGE_SIZE;
      const at = page * PAGE_SIZE - start;
      bytes.set(this.context.ram.u8.subarray(from, from + Math.min(PAGE_SIZE, bytes.length - at)), at);
    }
    const file = this.file!;
    const result = this.inOrder(bytes.length, () => file.write(start, bytes));
    if (result < 0) this.writeError ||= result;
  }

  /** Runs a change of the provider's file after those before it. Its error is returned, or kept for the next sync. */
  private inOrder(bytes: number, change: () => number | Promise<number>): number {
    if (this.writes === null) {
      const answer = change();
      if (!isPromise(answer)) return Math.min(answer, 0);
      this.follow(bytes, answer);
    } else {
      this.follow(bytes, this.writes.then(change));
    }
    return 0;
  }

  private follow(bytes: number, answer: Promise<number>): void {
    this.bytesInFlight += bytes;
    const done = (result: number): void => {
      if (result < 0) this.writeError ||= result;
      this.bytesInFlight -= bytes;
      if (this.writes === current) this.writes = null;
      this.arrivals.wakeAll();
    };
    const current: Promise<void> = answer.then(done, () => done(-EIO));
    this.writes = current;
  }

  private dropClean(from: number): void {
    const pages = [...this.frames.keys()].filter((page) => page >= from && !this.dirty.has(page));
    if (pages.length > 0) this.dropList(pages);
  }

  private dropPages(from: number, to: number): void {
    const pages = [...this.frames.keys()].filter((page) => page >= from && page < to);
    for (const page of pages) this.dirty.delete(page);
    if (pages.length > 0) this.dropList(pages);
  }

  private dropList(pages: readonly number[]): void {
    const released = pages.map((page) => this.frames.get(page)!);
    let low = pages[0];
    let high = pages[0];
    for (const page of pages) {
      this.frames.delete(page);
      low = Math.min(low, page);
      high = Math.max(high, page);
    }
    this.invalidate(low, high + 1);
    for (const frame of released) this.context.frames.release(frame);
  }

  private clearTail(size: number): void {
    const frame = this.frames.get(Math.floor(size / PAGE_SIZE));
    const within = size % PAGE_SIZE;
    if (frame !== undefined && within !== 0) clearFrame(this.context, frame, within, PAGE_SIZE - within);
  }
}
