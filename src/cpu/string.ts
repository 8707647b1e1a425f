/** Repeated string operations (Intel SDM 2B, REP): rcx elements of 1, 2, 4 or 8 bytes, in runs that stay inside one page.
 *
 *  rSI, rDI and rCX are written after each run, so a fault finds the state of the failing iteration and the instruction can be run
 *  again from there. Flags change only when the whole instruction is done. After about 64 KiB it asks to be resumed, so that
 *  no single instruction holds up the machine. The instruction retires once.
 *  Operands come in scratch: SCRATCH_A segment base of the rSI operand, SCRATCH_B 1 for 32-bit addresses. */
import type { CpuServices } from "./service-context.ts";
import { FLAG_DIRECTION, gprAddress, RAX, RCX, RDI, RSI, SCRATCH_A, SCRATCH_B, SCRATCH_C, SCRATCH_D } from "./state.ts";

/** Added to a service's argument: repne. */
export const REPEAT_WHILE_NOT_EQUAL = 16;
const DONE = 1;
const LEAVE = 0;
const PAGE = 4096;
const WORK_LIMIT = 0x1_0000;
/** A run of the CPU ends when its repeated string operations have worked on so many bytes: its instruction budget does not bound them. */
export const STRING_WORK_LIMIT = 0x10_0000;
const TWO_32 = 0x1_0000_0000;

const MOVS = 0, STOS = 1, LODS = 2, CMPS = 3;

/** RAM address of al, ax, eax and rax. */
const AL = gprAddress(RAX);

/** One element on its way between pages. */
const element = new Uint8Array(8);
/** Linear address found by {@link locate}. */
let atLow = 0;
let atHigh = 0;

/** Runs string service `operation` (0 movs, 1 stos, 2 lods, 3 cmps, 4 scas) on elements of `argument & 15` bytes. @hot */
export function stringService(c: CpuServices, operation: number, argument: number): number {
  const { ram, registers } = c;
  const size = argument & 15;
  const narrow = ram.u32[SCRATCH_B >>> 2] !== 0;
  const down = ram.u32[FLAG_DIRECTION >>> 2] !== 0;
  const usesSource = operation !== STOS && operation <= CMPS;
  const usesTarget = operation !== LODS;
  const writes = operation <= STOS;
  const compares = operation >= CMPS;
  const wantsEqual = (argument & REPEAT_WHILE_NOT_EQUAL) === 0;
  let compared = 0;
  let work = 0;
  for (;;) {
    const count = narrow ? registers.low(RCX) : registers.unsigned(RCX);
    if (count === 0) break;
    if (work >= WORK_LIMIT || c.stringWork >= STRING_WORK_LIMIT) {
      // What has been compared so far decides nothing: the flags are those of the last pair of all.
      ram.u32[SCRATCH_B >>> 2] = 0;
      return c.resume();
    }
    let run = Math.min(count, PAGE);
    let source = 0;
    let target = 0;
    let crossing = false;
    if (usesSource) {
      locate(c, RSI, narrow, true);
      const fit = fitting(atLow & (PAGE - 1), size, down);
      if (fit === 0) crossing = true;
      else if (fit < run) run = fit;
    }
    if (usesTarget) {
      const fit = fitting(registers.low(RDI) & (PAGE - 1), size, down);
      if (fit === 0) crossing = true;
      else if (fit < run) run = fit;
    }
    if (!crossing) {
      // Comparisons look at [rDI] first, as some processors do, moves at [rSI].
      if (usesTarget && !writes) {
        locate(c, RDI, narrow, false);
        target = c.hostForRead(atLow, atHigh);
        if (target === 0) return LEAVE;
      }
      if (usesSource) {
        locate(c, RSI, narrow, true);
        source = c.hostForRead(atLow, atHigh);
        if (source === 0) return LEAVE;
      }
      if (writes) {
        locate(c, RDI, narrow, false);
        target = c.hostForWrite(atLow, atHigh);
        if (target === 0) return LEAVE;
        if (operation === MOVS) {
          // Making the target writable may have moved the source (copy-on-write of the very page).
          locate(c, RSI, narrow, true);
          source = c.hostForRead(atLow, atHigh);
          if (source === 0) return LEAVE;
        }
      }
    }
    let done: number;
    if (crossing) {
      if (!crossingElement(c, operation, size, narrow)) return LEAVE;
      done = 1;
    } else {
      switch (operation) {
        case MOVS:
          copy(ram.u8, target, source, run, size, down);
          done = run;
          break;
        case STOS:
          fill(ram.u8, down ? target - (run - 1) * size : target, run * size, size, ram.u8.subarray(AL, AL + size));
          done = run;
          break;
        case LODS:
          done = run;
          loadAccumulator(c, down ? source - (run - 1) * size : source + (run - 1) * size, size);
          break;
        case CMPS:
          done = compareRun(ram.u8, source, target, run, size, down, wantsEqual);
          break;
        default:
          done = scanRun(ram.u8, target, run, size, down, wantsEqual);
      }
      if (writes && c.isWatched(target)) c.wrote(down ? target - (run - 1) * size : target, run * size);
    }
    let stop = false;
    if (compares) {
      if (!crossing) {
        const last = (done - 1) * (down ? -size : size);
        if (operation === CMPS) ram.u8.copyWithin(SCRATCH_C, source + last, source + last + size);
        ram.u8.copyWithin(SCRATCH_D, target + last, target + last + size);
      }
      if (operation !== CMPS) ram.u8.copyWithin(SCRATCH_C, AL, AL + size);
      compared = 1;
      stop = sameBytes(ram.u8, SCRATCH_C, SCRATCH_D, size) !== wantsEqual;
    }
    const moved = (down ? -size : size) * done;
    if (usesSource) step(c, RSI, moved, narrow);
    if (usesTarget) step(c, RDI, moved, narrow);
    step(c, RCX, -done, narrow);
    work += done * size;
    c.stringWork += done * size;
    if (stop) break;
  }
  ram.u32[SCRATCH_B >>> 2] = compared;
  return DONE;
}

/** Sets the linear address of [rSI] or [rDI]. @hot */
function locate(c: CpuServices, register: number, narrow: boolean, segmented: boolean): void {
  atLow = c.registers.low(register);
  atHigh = narrow ? 0 : c.registers.high(register);
  if (!segmented) return;
  const { u32 } = c.ram;
  const low = atLow + u32[SCRATCH_A >>> 2];
  atHigh = (atHigh + u32[(SCRATCH_A + 4) >>> 2] + (low >= TWO_32 ? 1 : 0)) >>> 0;
  atLow = low >>> 0;
}

/** Elements from page offset `offset` on, in the direction, that lie wholly in the page; 0 when the first one does not. @hot */
function fitting(offset: number, size: number, down: boolean): number {
  if (offset + size > PAGE) return 0;
  return down ? Math.floor(offset / size) + 1 : Math.floor((PAGE - offset) / size);
}

/** Adds to an address register or the counter. @hot */
function step(c: CpuServices, register: number, by: number, narrow: boolean): void {
  const { registers } = c;
  const low = registers.low(register) + by;
  if (narrow) {
    registers.set(register, low >>> 0, 0);
    return;
  }
  const carry = low < 0 ? -1 : low >= TWO_32 ? 1 : 0;
  registers.set(register, low >>> 0, (registers.high(register) + carry) >>> 0);
}

/** Copies element by element in the direction: where the ranges overlap, later elements see what earlier ones wrote. @hot */
function copy(bytes: Uint8Array, target: number, source: number, count: number, size: number, down: boolean): void {
  const length = count * size;
  const back = down ? length - size : 0;
  const from = source - back;
  const to = target - back;
  const distance = to - from;
  const overlapsAhead = down ? distance < 0 && distance > -length : distance > 0 && distance < length;
  if (!overlapsAhead) {
    bytes.copyWithin(to, from, from + length);
    return;
  }
  for (let i = 0; i < count; i++) {
    const at = (down ? -i : i) * size;
    for (let j = 0; j < size; j++) element[j] = bytes[source + at + j];
    for (let j = 0; j < size; j++) bytes[target + at + j] = element[j];
  }
}

/** Fills with a repeated element. @hot */
function fill(bytes: Uint8Array, start: number, length: number, size: number, value: Uint8Array): void {
  if (size === 1) {
    bytes.fill(value[0], start, start + length);
    return;
  }
  bytes.set(value, start);
  for (let filled = size; filled < length; filled *= 2) {
    bytes.copyWithin(start + filled, start, start + Math.min(filled, length - filled));
  }
}

/** Elements compared up to and with the first that ends the repetition. @hot */
function compareRun(
  bytes: Uint8Array, source: number, target: number, count: number, size: number, down: boolean, wantsEqual: boolean,
): number {
  for (let i = 0; i < count; i++) {
    const at = (down ? -i : i) * size;
    if (sameBytes(bytes, source + at, target + at, size) !== wantsEqual) return i + 1;
  }
  return count;
}
/** The same against the accumulator. @hot */
function scanRun(bytes: Uint8Array, target: number, count: number, size: number, down: boolean, wantsEqual: boolean): number {
  for (let i = 0; i < count; i++) {
    const at = (down ? -i : i) * size;
    if (sameBytes(bytes, AL, target + at, size) !== wantsEqual) return i + 1;
  }
  return count;
}
function sameBytes(bytes: Uint8Array, a: number, b: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}

/** rAX from memory: a 32-bit load clears the upper half. */
function loadAccumulator(c: CpuServices, host: number, size: number): void {
  c.ram.u8.copyWithin(AL, host, host + size);
  if (size === 4) c.registers.set(RAX, c.registers.low(RAX), 0);
}

/** One element of which an operand straddles pages. False when it must leave. */
function crossingElement(c: CpuServices, operation: number, size: number, narrow: boolean): boolean {
  const bytes = c.ram.u8;
  if (operation >= CMPS) {
    locate(c, RDI, narrow, false);
    if (!gather(c, size)) return false;
    bytes.set(element.subarray(0, size), SCRATCH_D);
    if (operation > CMPS) return true;
  }
  if (operation === STOS) {
    for (let i = 0; i < size; i++) element[i] = bytes[AL + i];
  } else {
    locate(c, RSI, narrow, true);
    if (!gather(c, size)) return false;
    if (operation === CMPS) bytes.set(element.subarray(0, size), SCRATCH_C);
    if (operation === LODS) {
      bytes.set(element.subarray(0, size), AL);
      if (size === 4) c.registers.set(RAX, c.registers.low(RAX), 0);
    }
    if (operation >= LODS) return true;
  }
  locate(c, RDI, narrow, false);
  return scatter(c, size);
}
/** Reads `element` from the linear address atHigh:atLow. */
function gather(c: CpuServices, size: number): boolean {
  const head = Math.min(size, PAGE - (atLow & (PAGE - 1)));
  const first = c.hostForRead(atLow, atHigh);
  if (first === 0) return false;
  for (let i = 0; i < head; i++) element[i] = c.ram.u8[first + i];
  if (head === size) return true;
  const second = nextPage(c, head, "read");
  if (second === 0) return false;
  for (let i = head; i < size; i++) element[i] = c.ram.u8[second + i - head];
  return true;
}
/** Writes `element` there, nothing before both pages are writable. */
function scatter(c: CpuServices, size: number): boolean {
  const head = Math.min(size, PAGE - (atLow & (PAGE - 1)));
  if (c.hostForWrite(atLow, atHigh) === 0) return false;
  const second = head === size ? 0 : nextPage(c, head, "write");
  if (head !== size && second === 0) return false;
  const first = c.hostForWrite(atLow, atHigh);
  if (first === 0) return false;
  const bytes = c.ram.u8;
  for (let i = 0; i < head; i++) bytes[first + i] = element[i];
  for (let i = head; i < size; i++) bytes[second + i - head] = element[i];
  if (c.isWatched(first)) c.wrote(first, head);
  if (head !== size && c.isWatched(second)) c.wrote(second, size - head);
  return true;
}
function nextPage(c: CpuServices, head: number, access: "read" | "write"): number {
  const low = (atLow + head) >>> 0;
  const high = low === 0 ? (atHigh + 1) >>> 0 : atHigh;
  return access === "read" ? c.hostForRead(low, high) : c.hostForWrite(low, high);
}
