/** epoll(7): an open file that remembers which of many files may be ready.
 *
 *  Every watched file has an entry with a waiter on the file's queue, set again each time it fires. A wake-up puts the entry
 *  on the ready list; whether it is ready is asked when somebody looks, so stale entries cost nothing but the question.
 *  Level-triggered entries stay on the list after they were reported, edge-triggered ones leave it until the next wake-up.
 *  An entry holds no reference on its file: when the file is closed for good, its queue wakes and the entry goes. */
import { EEXIST, EINVAL, ELOOP, ENOENT, EPERM } from "../abi/linux/errno.ts";
import { O_RDWR } from "../abi/linux/fcntl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLRDNORM } from "../abi/linux/poll.ts";
import { OpenFile } from "../fs/vfs/open-file.ts";
import type { WaitQueue } from "../fs/wait.ts";
import type { Kernel } from "./kernel.ts";
import { objectsOf } from "./objects.ts";

export const EPOLLEXCLUSIVE = 0x1000_0000, EPOLLONESHOT = 0x4000_0000, EPOLLET = 0x8000_0000;
/** Bits of `events` that say how, not what. */
const MODE_BITS = 0xf000_0000;
/** Epoll files may watch each other this deep (epoll_ctl(2), ELOOP). */
const MAX_DEPTH = 5;

interface Entry {
  readonly file: OpenFile;
  readonly fd: number;
  readonly queue: WaitQueue;
  /** EPOLL* bits, unsigned; 0 in the low part after EPOLLONESHOT has fired. */
  events: number;
  dataLow: number;
  dataHigh: number;
  stop: () => void;
}

export interface EpollEvent {
  readonly events: number;
  readonly dataLow: number;
  readonly dataHigh: number;
}

export class EpollFile extends OpenFile {
  /** By descriptor number and file: the same file under two numbers is watched twice (epoll(7), Q2). */
  readonly #entries = new Map<number, Entry[]>();
  /** Entries whose files may be ready, oldest first. */
  readonly #ready = new Set<Entry>();

  constructor(kernel: Kernel) {
    const { inode, location } = objectsOf(kernel).anonymousPlace("[eventpoll]");
    super(inode, location, O_RDWR);
  }

  /** @param queueOf the queue of a file, which for a signalfd depends on the caller */
  add(fd: number, file: OpenFile, event: EpollEvent, queue: WaitQueue): number {
    if (!file.pollable) return -EPERM;
    if (file === this) return -EINVAL;
    if (file instanceof EpollFile && ((event.events & EPOLLEXCLUSIVE) !== 0 || file.#depth() >= MAX_DEPTH || file.#reaches(this))) {
      return (event.events & EPOLLEXCLUSIVE) !== 0 ? -EINVAL : -ELOOP;
    }
    if (this.#find(fd, file) !== undefined) return -EEXIST;
    const entry: Entry = { file, fd, queue, events: event.events >>> 0, dataLow: event.dataLow, dataHigh: event.dataHigh, stop: () => {} };
    const list = this.#entries.get(fd) ?? [];
    list.push(entry);
    this.#entries.set(fd, list);
    this.#watch(entry);
    this.#consider(entry);
    return 0;
  }

  modify(fd: number, file: OpenFile, event: EpollEvent): number {
    const entry = this.#find(fd, file);
    if (entry === undefined) return -ENOENT;
    if (((entry.events | event.events) & EPOLLEXCLUSIVE) !== 0) return -EINVAL;
    entry.events = event.events >>> 0;
    entry.dataLow = event.dataLow;
    entry.dataHigh = event.dataHigh;
    this.#consider(entry);
    return 0;
  }

  delete(fd: number, file: OpenFile): number {
    const entry = this.#find(fd, file);
    if (entry === undefined) return -ENOENT;
    this.#forget(entry);
    return 0;
  }

  /** Up to `count` events of ready files, into which `report` looks; it says false when the event could not be delivered,
   *  which then stays. Returns how many were. */
  collect(count: number, report: (event: EpollEvent) => boolean): number {
    let reported = 0;
    for (const entry of [...this.#ready]) {
      if (reported >= count) break;
      if (entry.file.references <= 0) {
        this.#forget(entry);
        continue;
      }
      const events = this.#stateOf(entry);
      if (events === 0) {
        this.#ready.delete(entry);
        continue;
      }
      if (!report({ events, dataLow: entry.dataLow, dataHigh: entry.dataHigh })) break;
      reported++;
      this.#ready.delete(entry);
      if ((entry.events & EPOLLONESHOT) !== 0) entry.events = (entry.events & MODE_BITS) >>> 0;
      // Level-triggered: looked at again next time, after the others have had their turn.
      else if ((entry.events & EPOLLET) === 0) this.#ready.add(entry);
    }
    return reported;
  }

  override readiness(): number {
    for (const entry of this.#ready) {
      if (entry.file.references > 0 && this.#stateOf(entry) !== 0) return POLLIN | POLLRDNORM;
      this.#ready.delete(entry);
    }
    return 0;
  }
  /** There is one position, and seeking to it succeeds (noop_llseek). */
  override seek(): number {
    return 0;
  }
  override get pollable(): boolean {
    return true;
  }
  override describe(): string {
    let text = "";
    for (const list of this.#entries.values()) {
      for (const entry of list) {
        const data = (BigInt(entry.dataHigh >>> 0) << 32n) | BigInt(entry.dataLow >>> 0);
        text += `tfd: ${String(entry.fd).padStart(8)} events: ${entry.events.toString(16).padStart(8)} data: ${data.toString(16).padStart(16)}\n`;
      }
    }
    return text;
  }

  protected override closed(): void {
    for (const list of [...this.#entries.values()]) for (const entry of [...list]) this.#forget(entry);
  }

  #stateOf(entry: Entry): number {
    const wanted = entry.events & ~MODE_BITS;
    // A one-shot entry that has fired reports nothing, not even errors.
    if (wanted === 0 && (entry.events & EPOLLONESHOT) !== 0) return 0;
    return entry.file.readiness() & (wanted | POLLERR | POLLHUP);
  }

  #watch(entry: Entry): void {
    entry.stop = entry.queue.add(() => {
      if (entry.file.references <= 0) {
        this.#forget(entry);
        return;
      }
      this.#watch(entry);
      this.#ready.add(entry);
      this.waiters.wakeAll();
    });
  }
  #consider(entry: Entry): void {
    if (this.#stateOf(entry) === 0) return;
    this.#ready.add(entry);
    this.waiters.wakeAll();
  }
  #find(fd: number, file: OpenFile): Entry | undefined {
    return this.#entries.get(fd)?.find((entry) => entry.file === file && file.references > 0);
  }
  #forget(entry: Entry): void {
    entry.stop();
    this.#ready.delete(entry);
    const list = this.#entries.get(entry.fd);
    if (list === undefined) return;
    const rest = list.filter((other) => other !== entry);
    if (rest.length === 0) this.#entries.delete(entry.fd);
    else this.#entries.set(entry.fd, rest);
  }

  /** Longest chain of epoll files below this one. */
  #depth(): number {
    let deepest = 0;
    for (const file of this.#watchedEpolls()) deepest = Math.max(deepest, file.#depth());
    return deepest + 1;
  }
  #reaches(target: EpollFile): boolean {
    for (const file of this.#watchedEpolls()) if (file === target || file.#reaches(target)) return true;
    return false;
  }
  *#watchedEpolls(): Iterable<EpollFile> {
    for (const list of this.#entries.values()) for (const { file } of list) if (file instanceof EpollFile) yield file;
  }
}
