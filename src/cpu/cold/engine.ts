/** The cold engine: runs decoded records through the handlers of the Wasm module built at install time.
 *
 *  Retired instructions are exact at every exit: a block is charged when it is entered, and what has not run is given back.
 *  When the budget is shorter than the next block, single steps take it to the exact count. */
import { KernelPanic } from "../../base/assert.ts";
import { WIDE_ZERO } from "../../base/bits.ts";
import { type CodeListener, PF_FETCH, PF_USER, READ, WRITE } from "../../memory/access.ts";
import { type Mmu, TRANSLATE_BLOCKED } from "../../memory/mmu.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import type { Ram } from "../../memory/ram.ts";
import type { Cpu } from "../cpu.ts";
import { Decoder } from "../decode/decoder.ts";
import {
  EXIT_BLOCKED, EXIT_BUDGET as EXIT_KIND_BUDGET, EXIT_COLD_STEP, EXIT_CONTINUE, EXIT_EXCEPTION, EXIT_INTERRUPT, EXIT_PAGE_FAULT, EXIT_RETIRED, EXIT_SYSCALL, type ExitKind, VECTOR_DB,
} from "../exit.ts";
import { instantiateHelpers } from "../helpers.ts";
import { Registers, RFLAGS_TF } from "../registers.ts";
import type { CpuServices } from "../service-context.ts";
import { runService, SERVICE_LEAVE } from "../services.ts";
import { STRING_WORK_LIMIT } from "../string.ts";
import { BOUNCE_READ, BOUNCE_WRITE, CODE_EPOCH, EXIT_BUDGET, EXIT_DETAIL, EXIT_KIND, EXIT_RECORD, FLAGS_OTHER, FP_NOTICE, NOTICE_DENORMAL, NOTICE_FAST, NOTICE_MAGNITUDE, NOTICE_MODE, NOTICE_STACK, RCX, RIP } from "../state.ts";
import type { EngineStats } from "../../trace/stats.ts";
import type { Region } from "../jit/region.ts";
import { EAGER_TO_COMPILE, Jit, type JitStats, LONGEST_SAMPLE_CHUNK, type Patience, PATIENT, SAMPLE_CHUNK } from "../jit/jit.ts";
import { RANGE_ACCESS_SIZE, RANGE_BEFORE_MASK, RANGE_BEFORE_SHIFT, RANGE_LENGTH_SHIFT, RANGE_MAY_LEAVE, RANGE_MISSES_OFTEN, RANGE_READS } from "../translation.ts";
import { CodeCache, FIND_ARENA_FULL } from "./code-cache.ts";
import { OUT_OF_BUDGET, TRAP_FLAG } from "./cold-builder.ts";
import { instructionTables, type InstructionTables } from "./tables.ts";

const PAGE_MASK = PAGE_SIZE - 1;
const TWO_32 = 0x1_0000_0000;
/** High half of the first address that is not a user address. */
const USER_HIGH_END = 0x8000;
/** High half from which addresses are canonical again. */
const KERNEL_HIGH = 0xffff_8000;
const R11 = 11;
const MAX_CHUNK = 0x4000_0000;

/** Which engines run guest code. */
export type Engine = "auto" | "interp" | "jit";
export interface CpuOptions {
  /** interp: the cold engine alone. auto (default): what has run for long is translated, where that is possible. jit: the same, sooner. */
  readonly engine?: Engine;
  /** Translate everything when it is first met instead of when it is hot: for tests of the JIT. */
  readonly translateEagerly?: boolean;
  /** How many regions may call others directly, instead of by way of one function: for tests of the JIT. */
  readonly directCalls?: number;
  /** Told of every region that was translated, for listings. What instructions mean must be loaded (`import "menios/cpu"`), for a listing
   *  must not depend on whether loading ends before the program does. */
  readonly onTranslated?: (region: Region) => void;
}

/** Compiled modules: built at install time, or handed over by an embedder. */
export interface CpuModules {
  readonly cold: WebAssembly.Module;
  readonly helpers: WebAssembly.Module;
}

export class ColdCpu implements Cpu, CpuServices, CodeListener {
  readonly ram: Ram;
  readonly mmu: Mmu;
  readonly registers: Registers;
  readonly code: CodeCache;
  retired = 0;
  detail = 0;
  faultAddress = 0;
  faultErrorCode = 0;
  faultNonCanonical = false;
  faultStackSegment = false;
  readonly #jit: Jit | undefined;
  #samples = 0;
  readonly #patience: Patience;
  /** Until the JIT has asked for the meanings of its instructions. */
  #tables: InstructionTables | undefined;
  /** The rows are not those of the module: told when the machine runs on. */
  #refused: unknown;
  readonly #refuse = (error: unknown): void => {
    this.#refused = error;
  };
  readonly #eager: boolean;
  /** Instructions retired by finished calls of {@link run}. */
  #total = WIDE_ZERO;
  #budget = 0;
  readonly #enter: (record: number, budget: number) => number;
  #mappingChanged = false;
  awaitsHost = false;
  /** Instructions until the next sample; longer while they are spent in regions. */
  #chunk = SAMPLE_CHUNK;
  stringWork = 0;
  /** For {@link engineStats}: look-ups beyond the TLB and beyond ranges; instructions of samples that ended in a region, and elsewhere. */
  #tlbMisses = 0;
  #rangeMisses = 0;
  #sampledInside = 0;
  #sampledOutside = 0;
  /** Translated code met what only the cold engine may do: run one instruction there. */
  #forceStep = false;
  /** A repeated string instruction has left in its middle. */
  #resumed = false;
  /** A look-up made by running code failed on the fetch; its fault must not be asked for twice. */
  #fetchFailed = false;
  /** Where the bytes in BOUNCE_WRITE belong. */
  #firstHost = 0;
  #firstLength = 0;
  #secondHost = 0;
  #secondLength = 0;

  constructor(ram: Ram, mmu: Mmu, modules: CpuModules, options: CpuOptions = {}) {
    this.ram = ram;
    this.mmu = mmu;
    this.registers = new Registers(ram);
    const tables = instructionTables(modules.cold);
    const decoder = new Decoder(tables.opcodes);
    this.code = new CodeCache(ram, mmu, mmu.codeGuard, decoder, tables);
    const regions = new WebAssembly.Table({ element: "anyfunc", initial: 64 });
    mmu.codeGuard.listener = this;
    const env = {
      memory: ram.memory,
      missRead: (low: number, high: number, size: number) => this.#missRead(low, high, size),
      missWrite: (low: number, high: number, size: number) => this.#missWrite(low, high, size),
      flushWrite: () => this.#flushWrite(),
      checkWrite: (low: number, high: number, size: number) => this.#checkWrite(low, high, size),
      lookup: (low: number, high: number, from: number) => {
        const record = this.code.findForJump((high >>> 0) * TWO_32 + (low >>> 0), from);
        this.#fetchFailed = record === 0 && this.code.failure !== FIND_ARENA_FULL;
        return record;
      },
      service: (number: number, argument: number) => runService(this, number, argument),
      rangeRefill: (slot: number, low: number, high: number, size: number, write: number) => this.#rangeRefill(slot, low, high, size, write),
      regions,
    };
    const helpers = instantiateHelpers(modules.helpers, ram) as unknown as Record<string, never>;
    const instance = new WebAssembly.Instance(modules.cold, { env, helpers });
    this.#enter = instance.exports["run"] as (record: number, budget: number) => number;
    this.#eager = options.translateEagerly === true;
    this.#patience = options.engine === "jit" ? EAGER_TO_COMPILE : PATIENT;
    if (options.engine !== "interp") {
      if (this.#eager || options.onTranslated !== undefined) tables.requireMeanings();
      else this.#tables = tables;
      const { rangeRead, rangeWrite, gotoAddress, callAddress, endCall, materialize } = instance.exports;
      const { memory, flushWrite } = env;
      const checkWrite = (low: number, high: number, size: number) => this.#checkRegionWrite(low, high, size);
      this.#jit = new Jit(ram, mmu, this.code, decoder, regions, { memory, regions, rangeRead, rangeWrite, flushWrite, checkWrite, gotoAddress, callAddress, endCall, materialize }, helpers, { threshold: this.#patience.hot, directCalls: options.directCalls });
      this.#jit.onTranslated = options.onTranslated;
      ram.i32[CODE_EPOCH >>> 2] = this.#jit.epoch;
    }
  }
  release(): void {
    this.#jit?.release();
  }
  get recordsEnd(): number {
    return this.code.recordsEnd;
  }
  /** Figures of the JIT, undefined when there is none. */
  get jitStats(): JitStats | undefined {
    return this.#jit?.stats;
  }
  engineStats(): EngineStats {
    const { code, mmu } = this;
    const sampled = this.#sampledInside + this.#sampledOutside;
    const made = this.#jit?.stats;
    return {
      decoded: code.instructionsDecoded, recordBytes: code.bytesUsed, flushes: code.flushes, tlbMisses: this.#tlbMisses, walks: mmu.walks, faults: mmu.faults,
      jit: made === undefined ? undefined : {
        regions: { translated: made.regions, live: made.regions - made.dropped, dropped: made.dropped }, instructions: made.guestInstructions,
        codeBytes: made.codeBytes, share: sampled === 0 ? undefined : this.#sampledInside / sampled, rangeMisses: this.#rangeMisses,
        rangeRefills: mmu.ranges.refills, rangeDrops: mmu.ranges.drops,
      },
    };
  }

  run(budget: number): ExitKind {
    if (this.#refused !== undefined) throw this.#refused;
    this.retired = 0;
    this.stringWork = 0;
    let wanted = budget;
    for (;;) {
      const chunk = Math.min(wanted, MAX_CHUNK);
      const kind = this.#run(chunk);
      wanted -= chunk;
      if (kind !== EXIT_KIND_BUDGET || wanted <= 0) return kind;
    }
  }

  /** Runs at most `budget` (an i32) instructions and adds what retired to `retired`. */
  #run(budget: number): ExitKind {
    const { ram, registers, code } = this;
    let left = budget;
    this.#budget = budget;
    for (;;) {
      if (left <= 0) return this.#finish(EXIT_KIND_BUDGET, budget - left);
      const rip = registers.rip;
      const tracing = (ram.i32[FLAGS_OTHER >>> 2] & RFLAGS_TF) !== 0;
      let record = tracing ? code.step(rip) : code.resume(rip);
      if (record !== 0 && !tracing) {
        if (this.#jit !== undefined) record = this.#preferRegion(record, rip, left);
        if (code.countOf(record) > left) record = code.step(rip);
      }
      if (record === 0) {
        if (code.failure === FIND_ARENA_FULL) {
          this.#flushCode();
          continue;
        }
        return this.#finish(this.#fetchFault(), budget - left);
      }
      this.#mappingChanged = false;
      this.#fetchFailed = false;
      this.#resumed = false;
      // A traced step must not run on into its branch target: it gets a budget of one instruction, the rest is kept aside.
      // With a JIT the rest is cut into chunks whose ends are samples of where time goes.
      const kept = tracing ? left - 1 : this.#jit !== undefined && left > this.#chunk ? left - this.#chunk : 0;
      const before = left;
      const kind = this.#enter(record, left - kept - code.countOf(record));
      left = ram.i32[EXIT_BUDGET >>> 2] + kept;
      const at = ram.u32[EXIT_RECORD >>> 2];
      switch (kind) {
        case OUT_OF_BUDGET:
          registers.rip = code.ripOf(at);
          if (tracing) {
            this.detail = VECTOR_DB;
            return this.#finish(EXIT_EXCEPTION, budget - left);
          }
          // A short run is the rest of a budget that a region could not use.
          if (this.#jit !== undefined && left > 0 && before - left > SAMPLE_CHUNK >> 1) {
            this.#sampledOutside += before - left;
            this.#chunk = SAMPLE_CHUNK;
            this.#sample(registers.rip);
          }
          continue;
        case EXIT_CONTINUE:
          if (at !== 0) {
            registers.rip = code.ripOf(at);
            left += code.unretired(at);
          } else if (this.#fetchFailed) return this.#finish(this.#fetchFault(), budget - left);
          else if (left - kept < this.#chunk >> 3) {
            this.#sampledInside += before - left;
            if (left > 0) this.#jit?.sampleLanding();
            this.#chunk = Math.min(2 * this.#chunk, LONGEST_SAMPLE_CHUNK);
          }
          if (this.#resumed && this.stringWork >= STRING_WORK_LIMIT) return this.#finish(EXIT_CONTINUE, budget - left);
          if (tracing && left < budget && registers.rip !== rip) {
            this.detail = VECTOR_DB;
            return this.#finish(EXIT_EXCEPTION, budget - left);
          }
          continue;
        case EXIT_RETIRED:
          left += code.unretired(at) - 1;
          if (tracing) {
            this.detail = VECTOR_DB;
            return this.#finish(EXIT_EXCEPTION, budget - left);
          }
          continue;
        case EXIT_COLD_STEP:
          if (at !== 0) throw new KernelPanic("the cold engine asked for itself", { record: at });
          this.#forceStep = true;
          for (const notice of [NOTICE_DENORMAL, NOTICE_FAST, NOTICE_STACK, NOTICE_MAGNITUDE, NOTICE_MODE]) if ((ram.i32[FP_NOTICE >>> 2] & notice) !== 0) this.#jit?.noticed(registers.rip, notice);
          ram.i32[FP_NOTICE >>> 2] = 0;
          continue;
        case EXIT_PAGE_FAULT:
        case EXIT_BLOCKED:
          // Translated code (record 0) has set RIP and given back what did not retire.
          if (at !== 0) {
            registers.rip = code.ripOf(at);
            left += code.unretired(at);
            if (this.faultNonCanonical) this.faultStackSegment = code.usesStackSegment(at);
          }
          return this.#finish(kind, budget - left);
        case EXIT_EXCEPTION: {
          const detail = ram.i32[EXIT_DETAIL >>> 2];
          this.detail = detail & 0xff;
          const trap = (detail & TRAP_FLAG) !== 0;
          if (at !== 0) {
            registers.rip = code.ripOf(at) + (trap ? code.lengthOf(at) : 0);
            left += code.unretired(at) - (trap ? 1 : 0);
          }
          return this.#finish(kind, budget - left);
        }
        case EXIT_SYSCALL:
        case EXIT_INTERRUPT: {
          const next = at === 0 ? registers.rip : code.ripOf(at) + code.lengthOf(at);
          registers.rip = next;
          if (at !== 0) left += code.unretired(at) - 1;
          this.detail = ram.i32[EXIT_DETAIL >>> 2];
          if (kind === EXIT_SYSCALL) {
            registers.setNumber(RCX, next);
            registers.setNumber(R11, registers.rflags);
          }
          return this.#finish(kind, budget - left);
        }
        default:
          throw new KernelPanic("unknown exit", { kind, record: at, rip: at === 0 ? 0 : code.ripOf(at) });
      }
    }
  }

  /** `spent` of the run's budget have retired. */
  #finish(kind: ExitKind, spent: number): ExitKind {
    this.retired += spent;
    this.#total += spent;
    this.#budget = 0;
    this.ram.i32[EXIT_BUDGET >>> 2] = 0;
    return kind;
  }

  /** The record to run at `rip`: a region when there is one that may be entered, else what the cold engine has. */
  #preferRegion(found: number, rip: number, left: number): number {
    const jit = this.#jit as Jit;
    if (this.#forceStep) {
      this.#forceStep = false;
      return this.code.step(rip);
    }
    let record = found;
    if (this.#eager && !this.code.entersRegion(record) && jit.compile(rip)) record = this.code.find(rip);
    if (!this.code.entersRegion(record)) return record;
    if (left >= this.code.regionNeed(record) && jit.mayEnter(record)) return record;
    return this.code.besideRegion(rip);
  }
  #sample(rip: number): void {
    const jit = this.#jit as Jit;
    const tables = this.#tables;
    if (tables !== undefined) {
      // What instructions mean is loaded when a program has run for a while; until then, samples are only numbered.
      if (++this.#samples < this.#patience.loading) return;
      this.#tables = undefined;
      if (tables.knowMeanings) {
        tables.requireMeanings();
        return;
      }
      jit.enabled = false;
      this.awaitsHost = true;
      import("../instructions/index.ts").then(() => {
        tables.requireMeanings();
        jit.enabled = true;
      }).catch(this.#refuse).finally(() => {
        this.awaitsHost = false;
      });
      return;
    }
    if (jit.isFull) this.#flushCode();
    jit.sample(rip);
  }
  #flushCode(): void {
    this.code.flush();
    this.#jit?.dropAll();
  }

  // ---- CodeListener --------------------------------------------------------------------------------------------------------------

  codeWritten(frame: number, _offset: number, _length: number): void {
    this.#dropFrame(frame);
  }
  codeReleased(frame: number): void {
    this.#dropFrame(frame);
  }
  #dropFrame(frame: number): void {
    this.#jit?.dropFrame(frame);
    this.code.drop(frame);
  }
  executableMappingChanged(): void {
    this.#mappingChanged = true;
    const jit = this.#jit;
    if (jit !== undefined) {
      jit.mappingChanged();
      this.ram.i32[CODE_EPOCH >>> 2] = jit.epoch;
    }
    this.code.dropJumps();
  }

  // ---- CpuServices ---------------------------------------------------------------------------------------------------------------

  hostForRead(low: number, high: number): number {
    return this.#translate(low, high, READ);
  }
  hostForWrite(low: number, high: number): number {
    return this.#translate(low, high, WRITE);
  }
  isWatched(host: number): boolean {
    return this.mmu.codeGuard.isMarked(host >>> 12);
  }
  wrote(host: number, length: number): void {
    this.mmu.codeGuard.written(host >>> 12, host & PAGE_MASK, length);
  }
  get retiredExactly(): number {
    if (this.#budget === 0) return this.#total;
    const { i32, u32 } = this.ram;
    const record = u32[EXIT_RECORD >>> 2];
    return this.#total + this.#budget - i32[EXIT_BUDGET >>> 2] - this.code.unretired(record);
  }
  raise(vector: number): number {
    this.ram.i32[EXIT_DETAIL >>> 2] = vector;
    this.ram.i32[EXIT_KIND >>> 2] = EXIT_EXCEPTION;
    return SERVICE_LEAVE;
  }
  resume(): number {
    this.#resumed = true;
    this.ram.i32[EXIT_KIND >>> 2] = EXIT_CONTINUE;
    return SERVICE_LEAVE;
  }

  // ---- translation misses -------------------------------------------------------------------------------------------------------

  /** Host address of one byte, or 0 with EXIT_KIND and the fault set. @hot */
  #translate(low: number, high: number, access: typeof READ | typeof WRITE): number {
    this.#tlbMisses++;
    const top = high >>> 0;
    if (top >= USER_HIGH_END && top < KERNEL_HIGH) return this.#denyNonCanonical();
    const address = (top >= KERNEL_HIGH ? high | 0 : top) * TWO_32 + (low >>> 0);
    const host = this.mmu.translate(address, access);
    if (host < 0) return this.#deny(host);
    if (this.#mappingChanged) {
      // The page under execution may be the one that moved: run this instruction again through a fresh look-up.
      this.#mappingChanged = false;
      this.ram.i32[EXIT_KIND >>> 2] = EXIT_CONTINUE;
      return 0;
    }
    return host;
  }
  #missRead(low: number, high: number, size: number): number {
    const offset = low & PAGE_MASK;
    const first = this.#translate(low, high, READ);
    if (first === 0 || offset + size <= PAGE_SIZE) return first;
    const head = PAGE_SIZE - offset;
    const nextLow = (low + head) | 0;
    const second = this.#translate(nextLow, nextLow === 0 ? high + 1 : high, READ);
    if (second === 0) return 0;
    const bytes = this.ram.u8;
    bytes.copyWithin(BOUNCE_READ, first, first + head);
    bytes.copyWithin(BOUNCE_READ + head, second, second + size - head);
    return BOUNCE_READ;
  }
  /** Where a store may go: its own place, or BOUNCE_WRITE (holding the present bytes) when it must be flushed afterwards. */
  #missWrite(low: number, high: number, size: number): number {
    const offset = low & PAGE_MASK;
    let first = this.#translate(low, high, WRITE);
    if (first === 0) return 0;
    const bytes = this.ram.u8;
    if (offset + size <= PAGE_SIZE) {
      if (!this.mmu.codeGuard.isMarked(first >>> 12)) return first;
      this.#firstHost = first;
      this.#firstLength = size;
      this.#secondLength = 0;
      bytes.copyWithin(BOUNCE_WRITE, first, first + size);
      return BOUNCE_WRITE;
    }
    const head = PAGE_SIZE - offset;
    const nextLow = (low + head) | 0;
    const second = this.#translate(nextLow, nextLow === 0 ? high + 1 : high, WRITE);
    if (second === 0) return 0;
    // Resolving the second page may have moved the first.
    first = this.#translate(low, high, WRITE);
    if (first === 0) return 0;
    this.#firstHost = first;
    this.#firstLength = head;
    this.#secondHost = second;
    this.#secondLength = size - head;
    bytes.copyWithin(BOUNCE_WRITE, first, first + head);
    bytes.copyWithin(BOUNCE_WRITE + head, second, second + size - head);
    return BOUNCE_WRITE;
  }
  #flushWrite(): void {
    const bytes = this.ram.u8;
    const guard = this.mmu.codeGuard;
    bytes.copyWithin(this.#firstHost, BOUNCE_WRITE, BOUNCE_WRITE + this.#firstLength);
    guard.written(this.#firstHost >>> 12, this.#firstHost & PAGE_MASK, this.#firstLength);
    if (this.#secondLength === 0) return;
    bytes.copyWithin(this.#secondHost, BOUNCE_WRITE + this.#firstLength, BOUNCE_WRITE + this.#firstLength + this.#secondLength);
    guard.written(this.#secondHost >>> 12, this.#secondHost & PAGE_MASK, this.#secondLength);
  }
  /** 1 when [address, address+size) is writable, else 0 with the exit set. */
  #checkWrite(low: number, high: number, size: number): number {
    if (this.#translate(low, high, WRITE) === 0) return 0;
    let at = (low | PAGE_MASK) + 1;
    let done = PAGE_SIZE - (low & PAGE_MASK);
    let top = high;
    for (; done < size; done += PAGE_SIZE, at = (at + PAGE_SIZE) | 0) {
      at |= 0;
      if (at === 0) top++;
      if (this.#translate(at, top, WRITE) === 0) return 0;
    }
    return 1;
  }

  /** The same for translated code, which leaves when a page was moved under host addresses that it has, and runs the instruction again. */
  #checkRegionWrite(low: number, high: number, size: number): number {
    const { ranges } = this.mmu;
    const { changes } = ranges;
    if (this.#checkWrite(low, high, size) === 0) return 0;
    if (ranges.changes === changes) return 1;
    this.ram.i32[EXIT_KIND >>> 2] = EXIT_CONTINUE;
    return 0;
  }

  /** A miss of translated code: translates, refills the range slot, and gives the host address of the first byte asked for; 0 when the
   *  region must be left. Only the access itself is translated: the other bytes asked for may never be accessed, so where they are not
   *  there in one piece the cold engine runs the instruction. */
  #rangeRefill(slot: number, low: number, high: number, request: number, write: number): number {
    const { mmu } = this;
    const { ranges } = mmu;
    const size = request & RANGE_ACCESS_SIZE;
    const before = (request >>> RANGE_BEFORE_SHIFT) & RANGE_BEFORE_MASK;
    const length = request >>> RANGE_LENGTH_SHIFT;
    const mayLeave = (request & RANGE_MAY_LEAVE) !== 0;
    const { changes } = ranges;
    this.#rangeMisses++;
    const reads = write === 0 || (request & RANGE_READS) !== 0;
    const host = reads ? this.#missRead(low, high, size) : this.#missWrite(low, high, size);
    if (host === 0) return 0;
    if (ranges.changes !== changes) {
      // Host addresses that the region has may be stale: leave, and run the instruction again.
      this.ram.i32[EXIT_KIND >>> 2] = EXIT_CONTINUE;
      return 0;
    }
    if (host === BOUNCE_WRITE || host === BOUNCE_READ) {
      if (!mayLeave && (host === BOUNCE_READ || !this.#bounceTouchesCode())) return host;
      this.ram.i32[EXIT_KIND >>> 2] = EXIT_COLD_STEP;
      return 0;
    }
    const address = (high >>> 0) * TWO_32 + (low >>> 0);
    if (ranges.isEmpty(slot) || (request & RANGE_MISSES_OFTEN) !== 0 || ranges.endsBefore(slot, address)) ranges.refill(slot, mmu.root, address);
    const first = host - before;
    const last = first + length - 1;
    const page = host >>> 12;
    const isPermitted = !reads || write === 0 || this.#isBeside(low, high, page, 0, write);
    if (isPermitted && (first >>> 12 === page || this.#isBeside(low, high, page, -1, write)) && (last >>> 12 === page || this.#isBeside(low, high, page, 1, write))) {
      ranges.serve(slot, address - (low & PAGE_MASK), (host - low) | 0);
      return first;
    }
    this.ram.i32[EXIT_KIND >>> 2] = EXIT_COLD_STEP;
    return 0;
  }
  /** True when the page before or behind that of an address is known to lie before or behind it in RAM as well; 0: when it is known itself. */
  #isBeside(low: number, high: number, page: number, step: -1 | 0 | 1, write: number): boolean {
    const address = (high >>> 0) * TWO_32 + (low >>> 0) + step * PAGE_SIZE;
    const host = this.mmu.tlb.find(address, write === 0 ? READ : WRITE);
    return host >= 0 && host >>> 12 === page + step && (write === 0 || !this.mmu.codeGuard.isMarked(page + step));
  }
  #bounceTouchesCode(): boolean {
    const guard = this.mmu.codeGuard;
    return guard.isMarked(this.#firstHost >>> 12) || (this.#secondLength > 0 && guard.isMarked(this.#secondHost >>> 12));
  }

  #deny(outcome: number): number {
    const fault = this.mmu.lastFault;
    this.faultAddress = fault.address;
    this.faultErrorCode = fault.errorCode;
    this.faultNonCanonical = false;
    this.ram.i32[EXIT_KIND >>> 2] = outcome === TRANSLATE_BLOCKED ? EXIT_BLOCKED : EXIT_PAGE_FAULT;
    return 0;
  }
  #denyNonCanonical(): number {
    this.faultAddress = 0;
    this.faultErrorCode = 0;
    this.faultNonCanonical = true;
    this.faultStackSegment = false;
    this.ram.i32[EXIT_KIND >>> 2] = EXIT_PAGE_FAULT;
    return 0;
  }
  /** Exit for a failed instruction fetch at RIP. */
  #fetchFault(): ExitKind {
    const { failure, failureNonCanonical } = this.code;
    const low = this.ram.u32[RIP >>> 2];
    const high = this.ram.u32[(RIP + 4) >>> 2];
    this.faultNonCanonical = failureNonCanonical;
    this.faultStackSegment = false;
    if (failureNonCanonical) {
      this.faultAddress = 0;
      this.faultErrorCode = 0;
    } else if (high >= USER_HIGH_END) {
      this.faultAddress = (high | 0) * TWO_32 + low;
      this.faultErrorCode = PF_USER | PF_FETCH;
    } else {
      this.faultAddress = this.mmu.lastFault.address;
      this.faultErrorCode = this.mmu.lastFault.errorCode;
    }
    return failure as ExitKind;
  }
}
