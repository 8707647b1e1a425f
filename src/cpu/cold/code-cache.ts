/** Decoded code: records in the arena, found by (virtual address, frame).
 *
 *  A block is a run of records up to a control transfer; a conditional branch falls through into the next block's records.
 *  Blocks never leave their page, except one that is a single page-crossing instruction. Direct branches inside a page are linked
 *  record to record, which is valid in every address space that maps the frame at that page; all others go by the jump cache,
 *  which belongs to the active address space and is emptied when its executable mappings change. When the first block of a page is
 *  looked up after that, all jump targets that were ever met in the page are entered at once: they are as valid as the first.
 *  Invariant: a frame with blocks is marked in the code guard. Order of dropping: records become stale → maps → mark. */
import { assert, KernelPanic } from "../../base/assert.ts";
import { EXECUTE } from "../../memory/access.ts";
import type { CodeGuard } from "../../memory/code-guard.ts";
import { TRANSLATE_BLOCKED, type Mmu } from "../../memory/mmu.ts";
import { JUMP_CACHE_BASE, PAGE_SIZE, RECORD_BASE, recordArenaBytes } from "../../memory/physical-map.ts";
import type { Ram } from "../../memory/ram.ts";
import { DECODED, type Decoded, type Decoder, TOO_LONG, TRUNCATED } from "../decode/decoder.ts";
import { EXIT_BLOCKED, EXIT_PAGE_FAULT } from "../exit.ts";
import { FORM_BASE, FORM_FULL, FORM_REGISTER } from "./handler-table.ts";
import { JUMP_CACHE_ENTRIES, jumpEntry } from "./jump-cache.ts";
import type { InstructionTables } from "./tables.ts";
import { CODE_EPOCH, gprAddress, RBP, RSP, ZERO } from "../state.ts";
import {
  FROM_CALL, FROM_ELSEWHERE, FROM_JUMP, HANDLER_GOTO, HANDLER_REGION, HANDLER_REGION_CHECKED, HANDLER_STALE, HANDLER_STOP, HANDLER_TOO_LONG, HANDLER_UNDEFINED, R_BASE, R_COUNT, R_DISPLACEMENT,
  R_EPOCH, R_IMMEDIATE, R_LENGTH, R_OPERAND0, R_OPERAND1, R_RELATIVE, R_SCALE, R_SEGMENT, R_TARGET, RECORD_BYTES, REGION_ENTRY_SHIFT, REGION_SLOT_MASK,
} from "./record.ts";

/** Longest run of instructions decoded in one go. */
const MAX_RUN = 64;
/** Records that there is room for at first beside the arena; more when they are needed, since most programs are small. */
const FIRST_RECORDS = 8192;
/** Both halves of the address in an empty entry of the jump cache: it is not canonical, so nothing jumps there. */
const NO_ADDRESS = 0x7fff_ffff;
const TWO_32 = 0x1_0000_0000;
const USER_END = 2 ** 47;

/** Why {@link CodeCache.find} gave no record. */
export const FIND_ARENA_FULL = 0;

/** Blocks decoded from one frame. */
interface FrameCode {
  /** rip → record, blocks inside the page. */
  readonly blocks: Map<number, number>;
  /** The same for addresses where a region is entered. */
  readonly beside: Map<number, number>;
  /** rip → record and the frame of the following page, for single instructions that cross into it. */
  readonly crossing: Map<number, { record: number; secondFrame: number }>;
  /** Record ranges [first, end) decoded from this frame. */
  readonly ranges: number[];
  /** What has been jumped to through the jump cache: rip and record, in turns; and where in it a rip is. */
  readonly targets: number[];
  readonly targetAt: Map<number, number>;
  /** Which emptying of the jump cache the targets were last entered after. */
  entered: number;
}

export class CodeCache {
  readonly #ram: Ram;
  readonly #mmu: Mmu;
  readonly #guard: CodeGuard;
  readonly #decoder: Decoder;
  readonly #handlers: InstructionTables;
  readonly #frames: (FrameCode | undefined)[] = [];
  readonly #arenaEnd: number;
  readonly #firstRecord: number;
  #next: number;
  /** Where the arena had got to when it was emptied last. */
  #flushedAt = 0;
  /** By record index: address of its instruction, and how many instructions of its block are not retired when it has not run. */
  #rip = new Float64Array(FIRST_RECORDS);
  #unretired = new Uint16Array(FIRST_RECORDS);
  readonly #crossingBytes = new Uint8Array(32);
  readonly #jumpLog = new Int32Array(1024);
  #jumpsLogged = 0;
  /** Counts emptyings of the jump cache. */
  #emptied = 1;
  /** Frame of the block that {@link find} found last. */
  #foundFrame = 0;
  /** Exit kind when {@link find} failed on a fetch, FIND_ARENA_FULL when the arena must be emptied first. */
  failure = 0;
  /** True when the failed fetch was at a non-canonical address. */
  failureNonCanonical = false;
  /** Targets of the direct calls decoded so far, and of indirect ones that were made. */
  readonly callTargets = new Set<number>();
  /** Where indirect jumps have gone. */
  readonly jumpTargets = new Set<number>();
  /** Figures for --stats. */
  instructionsDecoded = 0;
  flushes = 0;

  constructor(ram: Ram, mmu: Mmu, guard: CodeGuard, decoder: Decoder, handlers: InstructionTables) {
    this.#ram = ram;
    this.#mmu = mmu;
    this.#guard = guard;
    this.#decoder = decoder;
    this.#handlers = handlers;
    this.#arenaEnd = RECORD_BASE + recordArenaBytes(ram.bytes);
    // The first records are the scratch of single steps.
    this.#firstRecord = RECORD_BASE + 4 * RECORD_BYTES;
    this.#next = this.#firstRecord;
    this.#clearJumps();
  }

  ripOf(record: number): number {
    return this.#rip[(record - RECORD_BASE) / RECORD_BYTES];
  }
  unretired(record: number): number {
    return this.#unretired[(record - RECORD_BASE) / RECORD_BYTES];
  }
  lengthOf(record: number): number {
    return this.#ram.u8[record + R_LENGTH] & 15;
  }
  countOf(record: number): number {
    return this.#ram.u16[(record + R_COUNT) >>> 1];
  }

  /** True when the instruction at `record` reaches memory through SS: rsp or rbp as base without FS or GS, or an implicit stack access. */
  usesStackSegment(record: number): boolean {
    const words = this.#ram.u16;
    const base = words[(record + R_BASE) >>> 1];
    const mnemonic = this.#handlers.mnemonicOf(words[record >>> 1]);
    if (/^(push|pop|call|ret|leave|enter|iret)/.test(mnemonic) && base === ZERO) return true;
    return (base === gprAddress(RSP) || base === gprAddress(RBP)) && words[(record + R_SEGMENT) >>> 1] === ZERO;
  }

  /** Record of the block at `rip` in the active address space, decoded now if need be; 0 on failure (see {@link failure}). */
  find(rip: number): number {
    const physical = this.#fetch(rip);
    if (physical < 0) return 0;
    const frame = physical >>> 12;
    this.#foundFrame = frame;
    const code = this.#frames[frame];
    if (code !== undefined) {
      if (code.entered !== this.#emptied) this.#enterTargets(code, rip);
      const known = code.blocks.get(rip);
      if (known !== undefined) return known;
      const crossing = code.crossing.get(rip);
      if (crossing !== undefined) {
        const second = this.#fetch(rip - (rip % PAGE_SIZE) + PAGE_SIZE);
        if (second < 0) return 0;
        if (second >>> 12 === crossing.secondFrame) return crossing.record;
      }
    }
    return this.#decodeRun(rip, physical);
  }

  /** The same through the jump cache, for the way back from the kernel. @hot */
  resume(rip: number): number {
    const { i32, u16 } = this.#ram;
    const low = rip | 0;
    const entry = jumpEntry(low);
    if (i32[entry] === low && i32[entry + 1] === ((rip / TWO_32) | 0)) {
      const record = i32[entry + 2];
      // What it was decoded from may have been written since.
      if (u16[record >>> 1] !== HANDLER_STALE) return record;
    }
    return this.findForJump(rip, FROM_ELSEWHERE);
  }

  /** The same, remembered in the jump cache; links the branch at `from` when both are in one page. `from` may also be one of FROM_*
   *  (record.ts). */
  findForJump(rip: number, from: number): number {
    const record = this.find(rip);
    if (record === 0) return 0;
    if (from === FROM_CALL) this.callTargets.add(rip);
    else if (from === FROM_JUMP) this.jumpTargets.add(rip);
    else if (from !== FROM_ELSEWHERE && Math.floor(this.ripOf(from) / PAGE_SIZE) === Math.floor(rip / PAGE_SIZE) && !this.#crosses(record)) {
      this.#ram.u32[(from + R_TARGET) >>> 2] = record;
      return record;
    }
    const low = rip | 0;
    this.#enterJump(jumpEntry(low), low, (rip / TWO_32) | 0, record);
    this.#noteTarget(rip, record);
    return record;
  }
  #enterJump(entry: number, low: number, high: number, record: number): void {
    const words = this.#ram.i32;
    words[entry] = low;
    words[entry + 1] = high;
    words[entry + 2] = record;
    words[entry + 3] = this.#slotToEnter(record);
    if (this.#jumpsLogged < this.#jumpLog.length) this.#jumpLog[this.#jumpsLogged] = entry;
    this.#jumpsLogged++;
  }

  /** `rip`, which has just been found, is a jump target. A block that crosses into another page depends on that page's frame too. */
  #noteTarget(rip: number, record: number): void {
    const code = this.#frames[this.#foundFrame];
    if (code === undefined || code.blocks.get(rip) !== record) return;
    const at = code.targetAt.get(rip);
    if (at === undefined) code.targetAt.set(rip, code.targets.push(rip, record) - 1);
    else code.targets[at] = record;
  }
  /** The page of `rip` maps the frame of `code` and has just been fetched from: its jump targets are entered where nothing else is. @hot */
  #enterTargets(code: FrameCode, rip: number): void {
    code.entered = this.#emptied;
    const { targets } = code;
    const { i32, u16 } = this.#ram;
    const page = rip - (rip % PAGE_SIZE);
    for (let i = 0; i < targets.length; i += 2) {
      const target = targets[i];
      const record = targets[i + 1];
      const low = target | 0;
      const entry = jumpEntry(low);
      if (target < page || target >= page + PAGE_SIZE || i32[entry + 1] !== NO_ADDRESS || u16[record >>> 1] === HANDLER_STALE) continue;
      this.#enterJump(entry, low, (target / TWO_32) | 0, record);
    }
  }

  /** A one-instruction block at `rip` that stops after it, for exact budgets and single steps. Valid until the next call. */
  step(rip: number): number {
    const physical = this.#fetch(rip);
    if (physical < 0) return 0;
    const record = RECORD_BASE;
    if (!this.#decodeOne(rip, physical, record)) return 0;
    this.#stop(record + RECORD_BYTES, rip + this.lengthOf(record));
    this.#ram.u16[(record + R_COUNT) >>> 1] = 1;
    this.#unretired[0] = 1;
    return record;
  }

  // ---- regions -------------------------------------------------------------------------------------------------------------------

  /** True when `record` enters a region. */
  entersRegion(record: number): boolean {
    const handler = this.#ram.u16[record >>> 1];
    return handler === HANDLER_REGION || handler === HANDLER_REGION_CHECKED;
  }
  regionSlot(record: number): number {
    return this.#ram.u32[(record + R_TARGET) >>> 2] & REGION_SLOT_MASK;
  }
  /** Slot of the region that is entered at `rip`, or −1. */
  regionAt(rip: number): number {
    const physical = this.#mmu.probe(rip, EXECUTE);
    const record = physical < 0 ? undefined : this.#frames[physical >>> 12]?.blocks.get(rip);
    return record !== undefined && this.entersRegion(record) ? this.regionSlot(record) : -1;
  }
  /** True when control has come to `rip` by a jump, or stood behind a branch that was decoded. */
  isMet(rip: number): boolean {
    const physical = this.#mmu.probe(rip, EXECUTE);
    const code = physical < 0 ? undefined : this.#frames[physical >>> 12];
    return code !== undefined && (code.blocks.has(rip) || code.beside.has(rip) || code.crossing.has(rip));
  }
  setRegionEpoch(record: number, epoch: number): void {
    this.#ram.u32[(record + R_EPOCH) >>> 2] = epoch;
    const entry = jumpEntry(this.ripOf(record) | 0);
    const words = this.#ram.i32;
    if (words[entry + 2] === record) words[entry + 3] = this.#slotToEnter(record);
  }
  /** 1 + R_TARGET of the region that `record` enters and that may run as long as executable mappings stay what they are; 0 when there is none. */
  #slotToEnter(record: number): number {
    const { u16, i32 } = this.#ram;
    const handler = u16[record >>> 1];
    if (handler !== HANDLER_REGION && (handler !== HANDLER_REGION_CHECKED || i32[(record + R_EPOCH) >>> 2] !== i32[CODE_EPOCH >>> 2])) return 0;
    return i32[(record + R_TARGET) >>> 2] + 1;
  }
  /** The least budget that the region entered by `record` may be given. */
  regionNeed(record: number): number {
    return this.#ram.u16[(record + R_OPERAND0) >>> 1];
  }
  /** Makes `rip` of `frame` enter a region by entry number `entry`, with no less budget than `need`. The decoded block's first record
   *  becomes a jump to the new one, so that links to it stay good. Returns the record, or 0 when there is no room or another region is
   *  entered there already. The jump cache must be emptied afterwards. */
  installRegion(rip: number, frame: number, slot: number, entry: number, need: number, epoch: number): number {
    if (this.#next + RECORD_BYTES > this.#arenaEnd) return 0;
    const code = this.#frameCode(frame);
    const old = code.blocks.get(rip);
    if (old !== undefined && this.entersRegion(old)) return 0;
    const record = this.#next;
    this.#next += RECORD_BYTES;
    this.#special(record, epoch === 0 ? HANDLER_REGION : HANDLER_REGION_CHECKED, 0);
    this.#setPlace(record, rip);
    this.#unretired[(record - RECORD_BASE) / RECORD_BYTES] = 0;
    this.#ram.u16[(record + R_OPERAND0) >>> 1] = need;
    this.#ram.u32[(record + R_TARGET) >>> 2] = slot | (entry << REGION_ENTRY_SHIFT);
    this.setRegionEpoch(record, epoch);
    code.blocks.set(rip, record);
    const target = code.targetAt.get(rip);
    if (target !== undefined) code.targets[target] = record;
    code.ranges.push(record, record + RECORD_BYTES);
    if (old !== undefined) {
      this.#goto(old, rip);
      this.#ram.u32[(old + R_TARGET) >>> 2] = record;
    }
    return record;
  }
  /** A decoded block at `rip`, which enters a region: for when the region may not run. 0 when the arena is full. */
  besideRegion(rip: number): number {
    const physical = this.#fetch(rip);
    if (physical < 0) return 0;
    const { blocks, beside } = this.#frameCode(physical >>> 12);
    const known = beside.get(rip);
    if (known !== undefined && this.#ram.u16[known >>> 1] !== HANDLER_STALE) return known;
    const region = blocks.get(rip);
    const record = this.#decodeRun(rip, physical);
    if (record === 0) return 0;
    if (region !== undefined) blocks.set(rip, region);
    beside.set(rip, record);
    return record;
  }
  /** Takes the entry of a region of `frame` out; what was decoded there is decoded anew. */
  removeRegion(record: number, frame: number): void {
    this.#ram.u16[record >>> 1] = HANDLER_STALE;
    const rip = this.ripOf(record);
    const entry = jumpEntry(rip | 0);
    if (this.#ram.i32[entry + 2] === record) this.#ram.i32[entry + 3] = 0;
    const blocks = this.#frames[frame]?.blocks;
    if (blocks?.get(rip) === record) blocks.delete(rip);
  }
  /** Notes that translations of `frame` exist even if nothing was decoded from it. */
  touchFrame(frame: number): void {
    this.#frameCode(frame);
  }

  /** Empties the arena. Only while no handler runs. */
  flush(): void {
    this.flushes++;
    this.callTargets.clear();
    this.jumpTargets.clear();
    this.#frames.forEach((code, frame) => {
      if (code !== undefined) this.#guard.unmark(frame);
    });
    this.#frames.length = 0;
    this.#flushedAt = Math.max(this.#flushedAt, this.#next);
    this.#next = this.#firstRecord;
    this.#emptied++;
    this.#clearJumps();
  }
  /** Drops everything decoded from `frame`: its records turn stale, so running code notices at its next instruction. */
  drop(frame: number): void {
    const code = this.#frames[frame];
    if (code === undefined) return;
    const words = this.#ram.u16;
    for (let i = 0; i < code.ranges.length; i += 2) {
      for (let record = code.ranges[i]; record < code.ranges[i + 1]; record += RECORD_BYTES) words[record >>> 1] = HANDLER_STALE;
    }
    this.#frames[frame] = undefined;
    this.#guard.unmark(frame);
  }
  /** Empties the jump cache: the active address space's executable mappings changed. */
  dropJumps(): void {
    this.#emptied++;
    if (this.#jumpsLogged > this.#jumpLog.length) {
      this.#clearJumps();
      return;
    }
    const words = this.#ram.i32;
    for (let i = 0; i < this.#jumpsLogged; i++) {
      words[this.#jumpLog[i]] = NO_ADDRESS;
      words[this.#jumpLog[i] + 1] = NO_ADDRESS;
    }
    this.#jumpsLogged = 0;
  }
  /** Bytes of records in use. */
  get bytesUsed(): number {
    return this.#next - this.#firstRecord;
  }

  /** First byte after every record that was ever written; a decoding that failed may have left a few beyond the last good one. */
  get recordsEnd(): number {
    return Math.min(Math.max(this.#flushedAt, this.#next) + (MAX_RUN + 2) * RECORD_BYTES, this.#arenaEnd);
  }

  #clearJumps(): void {
    const start = JUMP_CACHE_BASE >>> 2;
    this.#ram.i32.fill(NO_ADDRESS, start, start + JUMP_CACHE_ENTRIES * 4);
    this.#jumpsLogged = 0;
  }
  #crosses(record: number): boolean {
    return (this.ripOf(record) % PAGE_SIZE) + this.lengthOf(record) > PAGE_SIZE;
  }

  /** Host address of an instruction byte, or -1 with {@link failure} set. */
  #fetch(rip: number): number {
    if (!(rip >= 0 && rip < USER_END)) {
      this.failure = EXIT_PAGE_FAULT;
      this.failureNonCanonical = rip < 0xffff_8000_0000_0000;
      return -1;
    }
    const known = this.#mmu.tlb.find(rip, EXECUTE);
    if (known >= 0) return known;
    const physical = this.#mmu.translate(rip, EXECUTE);
    if (physical >= 0) return physical;
    this.failure = physical === TRANSLATE_BLOCKED ? EXIT_BLOCKED : EXIT_PAGE_FAULT;
    this.failureNonCanonical = false;
    return -1;
  }

  #frameCode(frame: number): FrameCode {
    let code = this.#frames[frame];
    if (code === undefined) {
      code = { blocks: new Map(), beside: new Map(), crossing: new Map(), ranges: [], targets: [], targetAt: new Map(), entered: 0 };
      this.#frames[frame] = code;
    }
    return code;
  }

  /** Decodes from `rip` to the first unconditional transfer, the end of the page or MAX_RUN instructions. */
  #decodeRun(rip: number, physical: number): number {
    if (this.#next + (MAX_RUN + 2) * RECORD_BYTES > this.#arenaEnd) {
      this.failure = FIND_ARENA_FULL;
      return 0;
    }
    const frame = physical >>> 12;
    const first = this.#next;
    const pageBase = rip - (rip % PAGE_SIZE), page = frame * PAGE_SIZE;
    const decoder = this.#decoder, bytes = this.#ram.u8;
    const d = decoder.decoded;
    let offset = physical & (PAGE_SIZE - 1);
    let result = decoder.decode(bytes, physical, PAGE_SIZE - offset, rip);
    if (result === TRUNCATED) return this.#decodeCrossing(rip, physical);
    const code = this.#frameCode(frame);
    const firstOffset = offset;
    let record = first;
    let head = first;
    let count = 0;
    let open = true;
    code.blocks.set(rip, head);
    while (open) {
      const at = pageBase + offset;
      if (result === TRUNCATED || count === MAX_RUN || (record - first) / RECORD_BYTES >= MAX_RUN) {
        // Nothing of a block that was to begin here was decoded: a look-up of this address must not find the jump to it.
        if (code.blocks.get(at) === record) code.blocks.delete(at);
        this.#goto(record, at);
        break;
      }
      this.instructionsDecoded++;
      this.#setPlace(record, at);
      count++;
      if (result !== DECODED) {
        this.#special(record, result === TOO_LONG ? HANDLER_TOO_LONG : HANDLER_UNDEFINED, 1);
        offset = Math.min(offset + 15, PAGE_SIZE);
        open = false;
      } else {
        this.#write(record, d);
        offset += d.length;
        if (d.encoding.options.endsBlock === true) {
          if (d.encoding.mnemonic === "call" && d.target !== 0) this.callTargets.add(d.target);
          if (d.encoding.options.conditional === true) {
            this.#close(head, record, count);
            head = record + RECORD_BYTES;
            count = 0;
            const next = pageBase + offset;
            if (offset === PAGE_SIZE || code.blocks.has(next)) {
              record += RECORD_BYTES;
              this.#goto(record, next);
              const known = code.blocks.get(next);
              if (known !== undefined && offset < PAGE_SIZE) this.#ram.u32[(record + R_TARGET) >>> 2] = known;
              break;
            }
            code.blocks.set(next, head);
          } else open = false;
        }
      }
      record += RECORD_BYTES;
      if (open) result = decoder.decode(bytes, page + offset, PAGE_SIZE - offset, pageBase + offset);
    }
    const end = open ? record + RECORD_BYTES : record;
    if (count > 0) this.#close(head, record - RECORD_BYTES, count);
    else this.#ram.u16[(head + R_COUNT) >>> 1] = 0;
    this.#next = end;
    code.ranges.push(first, end);
    this.#guard.mark(frame, firstOffset, Math.max(offset - firstOffset, 1));
    return first;
  }

  /** A block of one instruction whose bytes lie in two pages. */
  #decodeCrossing(rip: number, physical: number): number {
    const record = this.#next;
    if (!this.#decodeOne(rip, physical, record)) return 0;
    const second = this.#mmu.probe(rip - (rip % PAGE_SIZE) + PAGE_SIZE, EXECUTE);
    const frame = physical >>> 12;
    const after = record + RECORD_BYTES;
    this.#goto(after, rip + this.lengthOf(record));
    this.#ram.u16[(after + R_COUNT) >>> 1] = 0;
    this.#close(record, record, 1);
    this.#next = after + RECORD_BYTES;
    const code = this.#frameCode(frame);
    code.ranges.push(record, this.#next);
    const head = PAGE_SIZE - (rip % PAGE_SIZE);
    this.#guard.mark(frame, PAGE_SIZE - head, head);
    const secondFrame = second >>> 12;
    code.crossing.set(rip, { record, secondFrame });
    if (second >= 0) {
      this.#frameCode(secondFrame).ranges.push(record, this.#next);
      this.#guard.mark(secondFrame, 0, Math.max(1, this.lengthOf(record) - head));
    }
    return record;
  }

  /** Decodes the instruction at `rip` into `record`, fetching from the next page too if it must. */
  #decodeOne(rip: number, physical: number, record: number): boolean {
    const available = PAGE_SIZE - (physical & (PAGE_SIZE - 1));
    let result = this.#decoder.decode(this.#ram.u8, physical, available, rip);
    if (result === TRUNCATED) {
      const second = this.#fetch(rip + available);
      if (second < 0) return false;
      const bytes = this.#crossingBytes;
      bytes.set(this.#ram.u8.subarray(physical, physical + available));
      bytes.set(this.#ram.u8.subarray(second, second + 16), available);
      result = this.#decoder.decode(bytes, 0, available + 16, rip);
      assert(result !== TRUNCATED, "instruction longer than two pages");
    }
    this.instructionsDecoded++;
    this.#setPlace(record, rip);
    if (result === DECODED) this.#write(record, this.#decoder.decoded);
    else this.#special(record, result === TOO_LONG ? HANDLER_TOO_LONG : HANDLER_UNDEFINED, 1);
    return true;
  }

  #setPlace(record: number, rip: number): void {
    const index = (record - RECORD_BASE) / RECORD_BYTES;
    if (index >= this.#rip.length) this.#growPlaces();
    this.#rip[index] = rip;
  }
  #growPlaces(): void {
    const rip = new Float64Array(this.#rip.length * 2);
    const unretired = new Uint16Array(rip.length);
    rip.set(this.#rip);
    unretired.set(this.#unretired);
    this.#rip = rip;
    this.#unretired = unretired;
  }
  /** Sets the block's length at its head and, for each of its records, what remains when it has not run. */
  #close(head: number, last: number, count: number): void {
    this.#ram.u16[(head + R_COUNT) >>> 1] = count;
    let index = (head - RECORD_BASE) / RECORD_BYTES;
    const end = (last - RECORD_BASE) / RECORD_BYTES;
    for (let left = count; index <= end; index++, left--) this.#unretired[index] = left;
  }
  #special(record: number, handler: number, length: number): void {
    this.#ram.u32.fill(0, record >>> 2, (record + RECORD_BYTES) >>> 2);
    this.#ram.u16[record >>> 1] = handler;
    this.#ram.u8[record + R_LENGTH] = length;
  }
  #goto(record: number, rip: number): void {
    this.#special(record, HANDLER_GOTO, 0);
    this.#setPlace(record, rip);
    this.#unretired[(record - RECORD_BASE) / RECORD_BYTES] = 0;
    this.#ram.u32[(record + R_DISPLACEMENT) >>> 2] = rip >>> 0;
    this.#ram.u32[(record + R_DISPLACEMENT + 4) >>> 2] = Math.floor(rip / TWO_32);
  }
  #stop(record: number, rip: number): void {
    this.#special(record, HANDLER_STOP, 0);
    this.#setPlace(record, rip);
    this.#unretired[(record - RECORD_BASE) / RECORD_BYTES] = 0;
  }

  /** Lays out one decoded instruction as record.ts draws it. */
  #write(record: number, d: Decoded): void {
    const { u32 } = this.#ram;
    const numbers = this.#handlers.numbers(d.encoding);
    const { registers, isMemory } = d;
    const handler = numbers[!isMemory ? FORM_REGISTER : d.index !== ZERO || d.segment !== ZERO || d.address32 ? FORM_FULL : FORM_BASE];
    if (handler < 0) throw new KernelPanic("no handler for operand form", { opcode: d.encoding.opcode, map: d.encoding.map, rip: d.rip });
    const word = record >>> 2;
    // Fields of 16 bits by twos; the last word's are the scale, the length and the count.
    u32[word] = handler | (registers[0] << 16);
    u32[word + R_OPERAND1 / 4] = registers[1] | ((isMemory ? d.segment : registers[2]) << 16);
    u32[word + R_BASE / 4] = d.base | (d.index << 16);
    u32[word + R_SCALE / 4] = d.scale | ((d.length | (d.address32 ? 0x80 : 0)) << 8);
    const { isRelative, hasImmediate } = d.form;
    const next = d.rip + d.length;
    if (isMemory) {
      u32[word + R_DISPLACEMENT / 4] = d.dispLow;
      u32[word + R_DISPLACEMENT / 4 + 1] = d.dispHigh;
    } else {
      const value = isRelative ? d.target : next;
      u32[word + R_DISPLACEMENT / 4] = value >>> 0;
      u32[word + R_DISPLACEMENT / 4 + 1] = Math.floor(value / TWO_32);
    }
    if (isRelative) {
      u32[word + R_TARGET / 4] = 0;
      u32[word + R_RELATIVE / 4] = d.immLow;
    } else if (hasImmediate) {
      u32[word + R_IMMEDIATE / 4] = d.immLow;
      u32[word + R_IMMEDIATE / 4 + 1] = d.imm2 !== 0 ? d.imm2 : d.immHigh;
    } else {
      u32[word + R_IMMEDIATE / 4] = next >>> 0;
      u32[word + R_IMMEDIATE / 4 + 1] = Math.floor(next / TWO_32);
    }
  }
}
