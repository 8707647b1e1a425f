/** The JIT: decides what is hot, compiles regions, installs them in place of decoded records, and takes them out again.
 *
 *  Hot code is found by sampling: the cold engine runs in short chunks, and where a chunk ends is where time goes. A region is
 *  entered through a record whose handler is HANDLER_REGION; the decoded records stay beside it for single steps and short budgets.
 *  Invariant: a region runs only while every page it was read from maps the same frame: one-page regions by the code cache's own
 *  key, larger ones by an epoch that every change of an executable mapping advances. */
import { EXECUTE } from "../../memory/access.ts";
import type { Mmu } from "../../memory/mmu.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { Ram } from "../../memory/ram.ts";
import type { CodeCache } from "../cold/code-cache.ts";
import { DECODED, type Decoder } from "../decode/decoder.ts";
import type { Encoding } from "../instructions/define.ts";
import { compileRegion } from "./compile.ts";
import { discoverRegion, type Region } from "./region.ts";

/** Instructions between samples. */
export const SAMPLE_CHUNK = 20_000;
/** Samples at one address before it is compiled. */
const HOT_SAMPLES = 2;
/** Live regions per machine; beyond, all are dropped (V8 dies near 32,000 live modules in a process). */
const MAX_REGIONS = 3000;

/** What instances of region modules import. */
export interface RegionEnvironment {
  readonly memory: WebAssembly.Memory;
  readonly rangeRead: unknown;
  readonly rangeWrite: unknown;
  readonly flushWrite: unknown;
  readonly checkWrite: unknown;
  readonly gotoAddress: unknown;
}

interface LiveRegion {
  readonly region: Region;
  readonly slot: number;
  readonly records: readonly number[];
  /** Epoch in which the pages were last found in place. */
  epoch: number;
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
  readonly #coldOnly = new Set<Encoding>();
  readonly #failed = new Set<number>();
  #slots = 0;
  /** Advanced by every change of executable mappings. */
  epoch = 1;
  readonly stats: JitStats = { regions: 0, dropped: 0, codeBytes: 0, guestInstructions: 0, flushes: 0 };
  /** Off once run-time compilation turned out to be forbidden. */
  enabled = true;
  readonly #threshold: number;

  constructor(ram: Ram, mmu: Mmu, code: CodeCache, decoder: Decoder, table: WebAssembly.Table, env: RegionEnvironment, helpers: Record<string, unknown>, threshold = HOT_SAMPLES) {
    this.#ram = ram;
    this.#mmu = mmu;
    this.#code = code;
    this.#decoder = decoder;
    this.#table = table;
    this.#env = env;
    this.#helpers = helpers;
    this.#threshold = threshold;
  }

  /** A chunk ended at `rip`: compile it when that has happened often enough. */
  sample(rip: number): void {
    const seen = (this.#samples.get(rip) ?? 0) + 1;
    this.#samples.set(rip, seen);
    if (seen === this.#threshold) this.compile(rip);
    else if (this.#samples.size > 20_000) this.#samples.clear();
  }

  /** Compiles the region around `rip` and installs it. False when there is nothing to compile. */
  compile(rip: number): boolean {
    if (!this.enabled || this.#failed.has(rip) || this.#code.isRegion(rip)) return false;
    for (;;) {
      const region = discoverRegion(rip, (at) => this.#peek(at));
      if (region === undefined) {
        this.#failed.add(rip);
        return false;
      }
      const compiled = compileRegion(region);
      if ("coldOnly" in compiled) {
        this.#coldOnly.add(compiled.coldOnly);
        continue;
      }
      let instance: WebAssembly.Instance;
      try {
        const imports = Object.fromEntries(compiled.helpers.map((name) => [name, this.#helpers[name]]));
        instance = new WebAssembly.Instance(new WebAssembly.Module(compiled.bytes), { env: this.#env as unknown as Record<string, never>, helpers: imports as Record<string, never> });
      } catch (error) {
        if (error instanceof Error && error.name === "CompileError" && /disallow|forbid|Content Security|CSP|eval/i.test(error.message)) {
          this.enabled = false;
          return false;
        }
        throw error;
      }
      this.#install(region, instance.exports["region"], compiled.entries);
      this.stats.codeBytes += compiled.bytes.length;
      return true;
    }
  }

  /** True when the region entered by `record` may run now; a region of several pages is checked once per epoch. */
  mayEnter(record: number): boolean {
    const live = this.#live.get(this.#code.regionSlot(record));
    if (live === undefined) return false;
    if (live.epoch === this.epoch) return true;
    for (const [page, frame] of live.region.pages) {
      if (this.#mmu.probe(page, EXECUTE) >>> 12 !== frame) return false;
    }
    live.epoch = this.epoch;
    for (const entry of live.records) this.#code.setRegionEpoch(entry, this.epoch);
    return true;
  }

  /** Code decoded from `frame` is gone. */
  dropFrame(frame: number): void {
    const regions = this.#byFrame.get(frame);
    if (regions === undefined) return;
    for (const live of [...regions]) this.#remove(live);
    this.#samples.clear();
    this.#failed.clear();
  }
  /** The arena was emptied. */
  dropAll(): void {
    for (const live of this.#live.values()) this.#free(live);
    this.#live.clear();
    this.#byFrame.clear();
    this.#samples.clear();
    this.#failed.clear();
    this.stats.flushes++;
  }
  get isFull(): boolean {
    return this.#live.size >= MAX_REGIONS;
  }

  #install(region: Region, run: unknown, entries: readonly number[]): void {
    const slot = this.#freeSlots.pop() ?? this.#slots++;
    if (slot >= this.#table.length) this.#table.grow(Math.max(64, this.#table.length));
    this.#table.set(slot, run);
    const checked = region.pages.size > 1;
    const records: number[] = [];
    for (const [number, rip] of entries.entries()) {
      const frame = region.pages.get(rip - (rip % PAGE_SIZE));
      if (frame === undefined) continue;
      const record = this.#code.installRegion(rip, frame, slot, number, checked ? this.epoch : 0);
      if (record !== 0) records.push(record);
    }
    const live: LiveRegion = { region, slot, records, epoch: this.epoch };
    this.#live.set(slot, live);
    for (const frame of region.pages.values()) {
      let set = this.#byFrame.get(frame);
      if (set === undefined) this.#byFrame.set(frame, (set = new Set()));
      set.add(live);
    }
    for (const block of region.blocks) {
      for (const d of block.instructions) {
        this.#mmu.codeGuard.mark(region.pages.get(d.rip - (d.rip % PAGE_SIZE)) as number, d.rip % PAGE_SIZE, d.length);
        this.stats.guestInstructions++;
      }
    }
    for (const frame of region.pages.values()) this.#code.touchFrame(frame);
    this.stats.regions++;
  }
  #remove(live: LiveRegion): void {
    for (const record of live.records) this.#code.removeRegion(record);
    this.#live.delete(live.slot);
    for (const frame of live.region.pages.values()) this.#byFrame.get(frame)?.delete(live);
    this.#free(live);
  }
  #free(live: LiveRegion): void {
    // A slot is reused only after its record is stale, and a running region keeps its own code alive.
    this.#table.set(live.slot, null);
    this.#freeSlots.push(live.slot);
    this.stats.dropped++;
  }

  #peek(rip: number): { decoded: ReturnType<Decoder["decoded"]["copy"]>; frame: number } | undefined {
    if (!(rip >= 0 && rip < 2 ** 47)) return undefined;
    const physical = this.#mmu.probe(rip, EXECUTE);
    if (physical < 0) return undefined;
    const result = this.#decoder.decode(this.#ram.u8, physical, PAGE_SIZE - (physical & (PAGE_SIZE - 1)), rip);
    if (result !== DECODED || this.#coldOnly.has(this.#decoder.decoded.encoding)) return undefined;
    return { decoded: this.#decoder.decoded.copy(), frame: physical >>> 12 };
  }
}
