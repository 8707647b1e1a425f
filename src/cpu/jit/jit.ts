/** The JIT: decides what is hot, compiles regions, installs them in place of decoded records, and takes them out again.
 *
 *  Hot code is found by sampling: the cold engine runs in short chunks, and where a chunk ends is where time goes. A region is
 *  entered through a record whose handler is HANDLER_REGION; the decoded records stay beside it for single steps and short budgets.
 *  Invariant: a region runs only while every page it was read from maps the same frame: one-page regions by the code cache's own
 *  key, larger ones by an epoch that every change of an executable mapping advances. */
import { EXECUTE, READ } from "../../memory/access.ts";
import type { Mmu } from "../../memory/mmu.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { Ram } from "../../memory/ram.ts";
import type { CodeCache } from "../cold/code-cache.ts";
import { DECODED, type Decoded, type Decoder, TRUNCATED } from "../decode/decoder.ts";
import type { Encoding } from "../instructions/define.ts";
import { FP_FAST, LAST_LANDING, NOTICE_MAGNITUDE, NOTICE_MODE, ZERO } from "../state.ts";
import { type CompiledRegion, compileRegion } from "./compile.ts";
import { hotLoop, loopsIn } from "./hot-loop.ts";
import { openEntries } from "./entries.ts";
import { RegionShare } from "./region-share.ts";
import { discoverRegion, type Knowledge, type Region, type RegionLimits, SEARCH_LIMITS, type Seen, STRAIGHT_LIMITS, WHOLE_LIMITS } from "./region.ts";

/** Instructions between samples: while samples find code that is not translated, and at most. */
export const SAMPLE_CHUNK = 20_000;
export const LONGEST_SAMPLE_CHUNK = 4_000_000;
/** How soon code is translated, in samples. */
export interface Patience {
  /** Before what translating takes is loaded at all. */
  readonly loading: number;
  /** In one stretch of 64 bytes before it is compiled. */
  readonly hot: number;
}
/** When about as much time has gone there as loading and compiling take, so that short programs pay little. */
export const PATIENT: Patience = { loading: 500, hot: 25 };
export const EAGER_TO_COMPILE: Patience = { loading: 6, hot: 6 };
const STRETCH = 64;
/** Stretches whose samples are remembered: a guest that runs everywhere once must not fill the host's memory. */
const MAX_STRETCHES = 20_000;
/** How far an address may lie from where its code was entered. */
const NEAR = 8192;
/** So often is a region made anew with more in it; what is met later becomes regions of its own. */
const MAX_GROWTHS = 6;
/** What grows is translated as a whole, with what has never run, unless it is so many times as long then: the next phase of a program
 *  that is one long function would be the next growth. */
const WHOLE_AT_MOST = 3;
/** How far a function reaches when nothing is known to be called behind it. */
const LONGEST_FUNCTION = 65_536;
/** Longest function or loop, in instructions without what it calls, that is translated as a whole. */
const WHOLE = 1000;
/** A region that could not be entered so often in a row is given up: this process may never touch all of its pages. */
const MAX_REFUSALS = 64;
/** A region left so often at one instruction for what a floating-point helper had to say is made anew without taking that for seldom. */
const MANY_NOTICES = 64;
/** So often may a region be made anew for the mode of floating point; a program that changes it more often is asked for every result. */
const MAX_MODE_CHANGES = 2;
/** So many live regions may call others by the table of regions. Each of their instances has a copy of it, which V8 keeps up to date, so
 *  that many of them would take time and memory by the square; the others call by way of one function. */
const MAX_DIRECT = 64;
/** More than any notice. */
const NOTICES = 64;

/** What instances of region modules import. */
export interface RegionEnvironment {
  readonly memory: WebAssembly.Memory;
  readonly rangeRead: unknown;
  readonly rangeWrite: unknown;
  readonly flushWrite: unknown;
  readonly checkWrite: unknown;
  readonly regions: WebAssembly.Table;
  readonly gotoAddress: unknown;
  readonly callAddress: unknown;
  readonly endCall: unknown;
  readonly materialize: unknown;
}

export interface JitLimits {
  /** Samples after which a stretch of code is hot. */
  readonly threshold: number;
  /** MAX_DIRECT unless given. */
  readonly directCalls?: number | undefined;
}

interface LiveRegion {
  readonly region: Region;
  readonly slot: number;
  /** Of the entries that were free, the start's first. */
  readonly records: readonly number[];
  /** Addresses where it was wanted to be entered. */
  readonly wanted: ReadonlySet<number>;
  /** How often it has been made anew with more in it. */
  readonly growths: number;
  /** Epoch in which the pages were last found in place. */
  epoch: number;
  /** Notices that it is not left for; NOTICE_MODE: that the mode is not fast. */
  expected: number;
  /** How often it was made anew because the mode had changed. */
  changes: number;
  /** Times it could not be entered since because a page was not in place. */
  refused: number;
}

export interface JitStats {
  regions: number;
  dropped: number;
  codeBytes: number;
  guestInstructions: number;
  flushes: number;
}

export class Jit {
  readonly #ram: Ram;
  readonly #mmu: Mmu;
  readonly #code: CodeCache;
  readonly #decoder: Decoder;
  readonly #table: WebAssembly.Table;
  readonly #env: RegionEnvironment;
  readonly #helpers: Record<string, unknown>;
  readonly #samples = new Map<number, number>();
  readonly #live = new Map<number, LiveRegion>();
  readonly #byFrame = new Map<number, Set<LiveRegion>>();
  readonly #freeSlots: number[] = [];
  readonly #share = new RegionShare();
  readonly #coldOnly = new Set<Encoding>();
  readonly #failed = new Set<number>();
  /** By address and notice: times a region was left there for it. */
  readonly #notices = new Map<number, number>();
  #slots = 0;
  /** Advanced by every change of executable mappings. */
  epoch = 1;
  readonly stats: JitStats = { regions: 0, dropped: 0, codeBytes: 0, guestInstructions: 0, flushes: 0 };
  /** Told of every region that was translated and installed. */
  onTranslated: ((region: Region) => void) | undefined;
  /** Off once run-time compilation turned out to be forbidden. */
  enabled = true;
  readonly #threshold: number;
  readonly #directCalls: number;
  /** Bytes of an instruction that lies in two pages. */
  readonly #crossing = new Uint8Array(32);

  constructor(ram: Ram, mmu: Mmu, code: CodeCache, decoder: Decoder, table: WebAssembly.Table, env: RegionEnvironment, helpers: Record<string, unknown>, limits: JitLimits) {
    this.#ram = ram;
    this.#mmu = mmu;
    this.#code = code;
    this.#decoder = decoder;
    this.#table = table;
    this.#env = env;
    this.#helpers = helpers;
    this.#threshold = limits.threshold;
    this.#directCalls = limits.directCalls ?? MAX_DIRECT;
  }

  /** A chunk ended at `rip`, in code that is not translated: compile it when that has happened often enough. */
  sample(rip: number): void {
    if (this.enabled && this.#count(rip)) this.#compileAround(rip, this.#takeLanding());
  }
  /** Counts a sample. True when there were enough around here. */
  #count(rip: number): boolean {
    const stretch = Math.floor(rip / STRETCH);
    const seen = (this.#samples.get(stretch) ?? 0) + 1;
    if (seen >= this.#threshold) return this.#samples.delete(stretch);
    if (this.#samples.size >= MAX_STRETCHES) this.#samples.clear();
    this.#samples.set(stretch, seen);
    return false;
  }
  /** A chunk ended in a region: where translated code last had to go on in the cold engine counts as a sample, for what is short there
   *  never ends a chunk itself. */
  sampleLanding(): void {
    const landing = this.#takeLanding();
    if (landing !== 0 && this.#code.regionAt(landing) < 0 && this.enabled && this.#count(landing)) this.#compileAround(landing, landing);
  }
  #takeLanding(): number {
    const words = this.#ram.u32;
    const at = LAST_LANDING >>> 2;
    const landing = words[at] + words[at + 1] * 0x1_0000_0000;
    words[at] = words[at + 1] = 0;
    return landing;
  }
  /** Translates the function around `rip`, or the largest loop around it that is not too long; or, outside of both, what will be come to
   *  again: where translated code has gone on in the cold engine, and at last `rip` itself. */
  #compileAround(rip: number, landing: number): void {
    const body = this.#functionAround(rip);
    const landings = landing !== 0 && Math.abs(landing - rip) < NEAR ? [landing] : [];
    const done = body === undefined ? this.#compileCycle(rip, landings) : this.#compileFunction(body, rip, landings);
    if (!done) [...landings, ...(body === undefined ? [] : [body.start]), rip].some((entry) => this.#compile(entry, STRAIGHT_LIMITS, { isMet: this.#isMet, isOthers: this.#isEntered }));
    this.#seen.clear();
  }
  #compileFunction(body: Region, rip: number, landings: readonly number[]): boolean {
    const jumpTargets = this.#jumpTargets(body.start, this.#functionEnd(body.start));
    const loops = loopsIn(body, rip);
    // The x87 stack is kept in locals where there is one way in.
    const inner = loops.at(-1);
    if (inner !== undefined && usesX87(body, inner.members)) return this.#compile(inner.head, { ...WHOLE_LIMITS, throughCalls: false }, { within: inner.members, isMet: this.#isMet });
    if (sizeOf(body) <= WHOLE) return this.#grow(body.start, landings, { jumpTargets });
    const loop = loops.find(({ members }) => members.size <= WHOLE) ?? inner;
    return loop !== undefined && this.#grow(loop.head, landings, { jumpTargets, within: loop.members });
  }
  #compileCycle(rip: number, landings: readonly number[]): boolean {
    const around = discoverRegion(rip, this.#peek, SEARCH_LIMITS, { isMet: this.#isMet });
    const loop = around === undefined ? undefined : hotLoop(around);
    return loop !== undefined && this.#grow(loop.head, landings, { within: loop.members });
  }
  /** Compiles what begins at `start`. What begins there already is made anew if there is more of it now, or more places to enter it. */
  #grow(start: number, landings: readonly number[], known: Knowledge): boolean {
    const knowledge = { ...known, isMet: this.#isMet };
    const old = this.#live.get(this.#code.regionAt(start));
    if (old === undefined || old.region.start !== start) return this.#compile(start, WHOLE_LIMITS, knowledge);
    if (old.growths === MAX_GROWTHS) return false;
    return this.#compile(start, WHOLE_LIMITS, { ...knowledge, isWhole: this.#isMostlyMet(start, known), entries: [...old.wanted, ...landings] }, old);
  }
  /** Whether most of what begins at `start` has run. */
  #isMostlyMet(start: number, known: Knowledge): boolean {
    const met = discoverRegion(start, this.#peek, SEARCH_LIMITS, { ...known, isMet: this.#isMet }), all = discoverRegion(start, this.#peek, SEARCH_LIMITS, known);
    return met !== undefined && all !== undefined && sizeOf(all) <= Math.min(WHOLE, WHOLE_AT_MOST * sizeOf(met));
  }
  /** The function around `rip`: from the nearest call target before it from which it is reached; or else, for functions that are jumped
   *  to by way of a table, from the first of the jump targets before it. */
  #functionAround(rip: number): Region | undefined {
    const isBefore = (target: number): boolean => target <= rip && rip - target < LONGEST_FUNCTION;
    const called = [...this.#code.callTargets].filter(isBefore).sort((a, b) => b - a).slice(0, 3);
    for (const target of called) {
      const body = this.#bodyWith(target, rip);
      if (body !== undefined) return body;
    }
    let found: Region | undefined;
    let misses = 0;
    for (const target of this.#jumpTargets(Math.max(called[0] ?? 0, rip - NEAR), rip + 1).sort((a, b) => b - a)) {
      const body = this.#bodyWith(target, rip);
      if (body !== undefined) found = body;
      else if (++misses > 3) break;
    }
    return found;
  }
  /** What begins at `start`, when `rip` belongs to it. */
  #bodyWith(start: number, rip: number): Region | undefined {
    const jumpTargets = this.#jumpTargets(start, this.#functionEnd(start));
    const body = discoverRegion(start, this.#peek, SEARCH_LIMITS, { isMet: this.#isMet, jumpTargets });
    return body?.blocks.some((block) => block.instructions.some((d) => d.rip === rip)) === true ? body : undefined;
  }
  /** Where indirect jumps have gone, from `start` up to `end`. */
  #jumpTargets(start: number, end: number): number[] {
    return [...this.#code.jumpTargets].filter((target) => target >= start && target < end);
  }
  #functionEnd(start: number): number {
    let end = start + LONGEST_FUNCTION;
    for (const target of this.#code.callTargets) if (target > start && target < end) end = target;
    return end;
  }

  /** Compiles the region that begins at `rip`, whether or not any of it has run, and installs it. False when there is nothing to compile. */
  compile(rip: number): boolean {
    const done = this.#compile(rip, STRAIGHT_LIMITS, {});
    this.#seen.clear();
    return done;
  }
  /** @param old what the region takes the place of */
  #compile(rip: number, limits: RegionLimits, knowledge: Knowledge, old?: LiveRegion): boolean {
    if (!this.enabled || this.#failed.has(rip) || (old === undefined && this.#code.regionAt(rip) >= 0)) return false;
    const known = { ...knowledge, guess: this.#guess };
    const wanted = new Set(knowledge.entries);
    // The mode is taken to stay, and what was learnt of the same code to hold.
    const mode = this.#ram.u32[FP_FAST >>> 2] === 0 ? NOTICE_MODE : 0, expected = ((old?.expected ?? 0) & ~NOTICE_MODE) | mode;
    for (;;) {
      const explored = discoverRegion(rip, this.#peek, limits, known);
      if (explored === undefined) {
        this.#failed.add(rip);
        return false;
      }
      if (old !== undefined && !isLarger(explored, old.region)) return false;
      const region = limits.throughCalls ? openEntries(explored, wanted) : explored;
      const slot = this.#freeSlots.pop() ?? this.#slots++;
      const compiled = compileRegion(region, { expected, slot, callsDirectly: this.#live.size < this.#directCalls });
      if ("coldOnly" in compiled) {
        this.#coldOnly.add(compiled.coldOnly);
        this.#freeSlots.push(slot);
        continue;
      }
      const run = this.#instantiate(compiled);
      if (run === undefined || !this.#install(region, slot, run, { need: compiled.need, wanted, growths: old === undefined ? 0 : old.growths + 1, expected })) {
        this.#freeSlots.push(slot);
        return false;
      }
      this.stats.codeBytes += compiled.bytes.length;
      this.stats.guestInstructions += compiled.instructions;
      this.onTranslated?.(region);
      return true;
    }
  }
  /** What the pointer that a jump or call reads, at an address without registers, says now. */
  readonly #guess = (d: Decoded): number | undefined => {
    if (!d.isMemory || d.base !== ZERO || d.index !== ZERO || d.segment !== ZERO || d.encoding.operands[0]?.width !== 64) return undefined;
    const at = (d.dispHigh >>> 0) * 0x1_0000_0000 + (d.dispLow >>> 0);
    const host = at < 2 ** 47 && at % 8 === 0 ? this.#mmu.probe(at, READ) : -1;
    if (host < 0) return undefined;
    const target = this.#ram.u32[host >>> 2] + this.#ram.u32[(host >>> 2) + 1] * 0x1_0000_0000;
    return this.#peek(target) === undefined ? undefined : target;
  };
  readonly #isMet = (rip: number): boolean => this.#code.isMet(rip);
  readonly #isEntered = (rip: number): boolean => this.#code.regionAt(rip) >= 0;

  /** True when the region entered by `record` may run now; a region of several pages is checked once per epoch. */
  mayEnter(record: number): boolean {
    const live = this.#live.get(this.#code.regionSlot(record));
    if (live === undefined) return false;
    if (live.epoch === this.epoch) return true;
    for (const [page, frame] of live.region.pages) {
      if (this.#mmu.probe(page, EXECUTE) >>> 12 === frame) continue;
      if (++live.refused > MAX_REFUSALS) this.#remove(live);
      return false;
    }
    live.refused = 0;
    live.epoch = this.epoch;
    for (const each of live.records) this.#code.setRegionEpoch(each, this.epoch);
    return true;
  }

  /** A region was left at `rip` for what a floating-point helper had to say, one of NOTICE_DENORMAL … NOTICE_MODE: when that is often, it
   *  expects it from then on. */
  noticed(rip: number, notice: number): void {
    const key = rip * NOTICES + notice;
    const seen = (this.#notices.get(key) ?? 0) + 1;
    if (this.#notices.size >= MAX_STRETCHES) this.#notices.clear();
    this.#notices.set(key, seen % MANY_NOTICES);
    if (seen < MANY_NOTICES) return;
    for (const live of this.#live.values()) {
      if (!live.region.blocks.some((block) => block.instructions.some((d) => d.rip === rip))) continue;
      if (notice !== NOTICE_MODE) live.expected |= notice;
      else if (++live.changes <= MAX_MODE_CHANGES) live.expected ^= NOTICE_MODE;
      else live.expected |= NOTICE_MAGNITUDE;
      const compiled = compileRegion(live.region, { expected: live.expected, slot: live.slot, callsDirectly: this.#live.size < this.#directCalls });
      const run = "coldOnly" in compiled ? undefined : this.#instantiate(compiled);
      // Nothing runs in it now, and what the record says of it stays as it is.
      if (run !== undefined) this.#table.set(live.slot, run as CallableFunction);
    }
  }
  #instantiate(compiled: CompiledRegion): unknown {
    try {
      const imports = Object.fromEntries(compiled.helpers.map((name) => [name, this.#helpers[name]]));
      const module = new WebAssembly.Module(compiled.bytes);
      return new WebAssembly.Instance(module, { env: this.#env as unknown as Record<string, never>, helpers: imports as Record<string, never> }).exports["region"];
    } catch (error) {
      // A module that is not valid is our bug. Anything else says that code cannot be made here and now: forbidden, or no room for it.
      if (!WebAssembly.validate(compiled.bytes)) throw error;
      this.enabled = false;
      return undefined;
    }
  }
  /** Executable mappings of the active address space changed: what could not be compiled may be there now. */
  mappingChanged(): void {
    this.epoch = (this.epoch + 1) | 0 || 1;
    this.#failed.clear();
  }
  /** Code decoded from `frame` is gone. */
  dropFrame(frame: number): void {
    const regions = this.#byFrame.get(frame);
    if (regions === undefined) return;
    for (const live of [...regions]) this.#remove(live);
    this.#samples.clear();
    this.#failed.clear();
    this.#notices.clear();
  }
  /** The arena was emptied. */
  dropAll(): void {
    for (const live of this.#live.values()) this.#free(live);
    this.#live.clear();
    this.#byFrame.clear();
    this.#samples.clear();
    this.#failed.clear();
    this.#notices.clear();
    this.stats.flushes++;
  }
  /** No more regions before all are dropped. */
  get isFull(): boolean {
    return this.#share.isUsedUp;
  }
  /** The machine has ended. */
  release(): void {
    this.dropAll();
    this.enabled = false;
  }

  #install(region: Region, slot: number, run: unknown, { need, wanted, growths, expected }: { readonly need: number; readonly wanted: ReadonlySet<number>; readonly growths: number; readonly expected: number }): boolean {
    const inside = new Set(region.entries.map(({ rip }) => rip));
    // Regions that began where this one can be entered are part of it now.
    for (const { rip } of region.entries) {
      const other = this.#live.get(this.#code.regionAt(rip));
      if (other !== undefined && inside.has(other.region.start)) this.#remove(other);
    }
    const records: number[] = [];
    for (const [number, { rip }] of region.entries.entries()) {
      const frame = region.pages.get(rip - (rip % PAGE_SIZE)) as number;
      const record = this.#code.installRegion(rip, frame, slot, number, need, region.pages.size > 1 ? this.epoch : 0);
      if (record !== 0) records.push(record);
      else if (number === 0) return false;
    }
    this.#code.dropJumps();
    while (slot >= this.#table.length) this.#table.grow(Math.max(64, this.#table.length));
    this.#table.set(slot, run as CallableFunction);
    const live: LiveRegion = { region, slot, records, wanted, growths, epoch: this.epoch, expected, changes: 0, refused: 0 };
    this.#live.set(slot, live);
    this.#share.take();
    for (const pageFrame of region.pages.values()) {
      let set = this.#byFrame.get(pageFrame);
      if (set === undefined) this.#byFrame.set(pageFrame, (set = new Set()));
      set.add(live);
      this.#code.touchFrame(pageFrame);
    }
    for (const block of region.blocks) for (const d of block.instructions) this.#mark(region, d.rip, d.length);
    this.stats.regions++;
    return true;
  }
  /** Marks code bytes in the guard, in both pages when an instruction crosses. */
  #mark(region: Region, rip: number, length: number): void {
    const offset = rip % PAGE_SIZE;
    const head = Math.min(length, PAGE_SIZE - offset);
    this.#mmu.codeGuard.mark(region.pages.get(rip - offset) as number, offset, head);
    if (head < length) this.#mmu.codeGuard.mark(region.pages.get(rip - offset + PAGE_SIZE) as number, 0, length - head);
  }
  #remove(live: LiveRegion): void {
    for (const record of live.records) {
      const rip = this.#code.ripOf(record);
      this.#code.removeRegion(record, live.region.pages.get(rip - (rip % PAGE_SIZE)) as number);
    }
    this.#live.delete(live.slot);
    for (const frame of live.region.pages.values()) this.#byFrame.get(frame)?.delete(live);
    this.#free(live);
  }
  #free(live: LiveRegion): void {
    // A slot is reused only after its record is stale, and a running region keeps its own code alive.
    this.#table.set(live.slot, null);
    this.#freeSlots.push(live.slot);
    this.#share.give();
    this.stats.dropped++;
  }

  /** Decoded instructions by address, while one hot address is dealt with. */
  readonly #seen = new Map<number, Seen>();
  readonly #peek = (rip: number): Seen | undefined => {
    let seen = this.#seen.get(rip);
    if (seen === undefined) {
      seen = this.#decode(rip);
      if (seen !== undefined) this.#seen.set(rip, seen);
    }
    return seen === undefined || this.#coldOnly.has(seen.decoded.encoding) ? undefined : seen;
  };
  #decode(rip: number): Seen | undefined {
    if (!(rip >= 0 && rip < 2 ** 47)) return undefined;
    const physical = this.#mmu.probe(rip, EXECUTE);
    if (physical < 0) return undefined;
    const available = PAGE_SIZE - (physical & (PAGE_SIZE - 1));
    let secondFrame = -1;
    let result = this.#decoder.decode(this.#ram.u8, physical, available, rip);
    if (result === TRUNCATED) {
      const second = this.#mmu.probe(rip + available, EXECUTE);
      if (second < 0) return undefined;
      this.#crossing.set(this.#ram.u8.subarray(physical, physical + available));
      this.#crossing.set(this.#ram.u8.subarray(second, second + 16), available);
      result = this.#decoder.decode(this.#crossing, 0, available + 16, rip);
      secondFrame = second >>> 12;
    }
    return result === DECODED ? { decoded: this.#decoder.decoded.copy(), frame: physical >>> 12, secondFrame } : undefined;
  }
}

function usesX87(body: Region, members: ReadonlySet<number>): boolean {
  return body.blocks.some(({ instructions }) => instructions.some((d) => members.has(d.rip) && /^f(ld|st|add|sub|mul|div|xch|ild)/.test(d.encoding.mnemonic)));
}
/** Instructions of a region without those of inlined functions. */
function sizeOf(region: Region): number {
  return region.blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
}
/** True when a region contains an instruction that another does not, or can be entered at one where the other cannot. */
function isLarger(region: Region, old: Region): boolean {
  const known = new Set(old.blocks.flatMap(({ instructions }) => instructions.map((d) => d.rip)));
  const starts = new Set(old.blocks.map(({ start }) => start));
  return region.blocks.some(({ start, instructions }) => !starts.has(start) || instructions.some((d) => !known.has(d.rip)));
}
