/** User memory as system calls see it: through the page tables of any space, faulting pages in as an access of the guest would
 *  (a stack grows, a shared page is copied), with A and D set and decoded code dropped.
 *
 *  Three outcomes
 *  - all bytes moved: the length.
 *  - EFAULT after n bytes: n if n > 0, else -EFAULT (Linux's partial counts).
 *  - USER_BLOCKED: a page must be awaited (`space.blocked`); make the same call again then. Earlier bytes have moved already,
 *    which is harmless because they move again; `space.copied` says how many. */
import { EFAULT, ENAMETOOLONG } from "../abi/linux/errno.ts";
import { READ, WRITE } from "../memory/access.ts";
import { FRAME_CODE } from "../memory/frame-flags.ts";
import { TRANSLATE_BLOCKED } from "../memory/mmu.ts";
import type { AddressSpace } from "./address-space.ts";
import { USER_BLOCKED } from "./user-blocked.ts";

export { USER_BLOCKED };

const PAGE = 4096;
/** Below this many bytes a loop is faster than a view and a bulk copy. */
const SMALL = 64;

/** Reads `length` bytes at `address` into `target`. @hot */
export function copyIn(space: AddressSpace, address: number, target: Uint8Array, offset = 0, length = target.length - offset): number {
  let done = 0;
  while (done < length) {
    const at = address + done;
    const physical = space.translate(at, READ);
    if (physical < 0) return stopped(space, physical, done);
    const count = Math.min(length - done, PAGE - (at & (PAGE - 1)));
    const bytes = space.context.ram.u8;
    if (count <= SMALL) for (let i = 0; i < count; i++) target[offset + done + i] = bytes[physical + i];
    else target.set(bytes.subarray(physical, physical + count), offset + done);
    done += count;
  }
  space.copied = done;
  return done;
}

/** Stores `length` bytes of `source` at `address`. @hot */
export function copyOut(space: AddressSpace, address: number, source: Uint8Array, offset = 0, length = source.length - offset): number {
  let done = 0;
  while (done < length) {
    const at = address + done;
    const physical = space.translate(at, WRITE);
    if (physical < 0) return stopped(space, physical, done);
    const count = Math.min(length - done, PAGE - (at & (PAGE - 1)));
    const bytes = space.context.ram.u8;
    if (count <= SMALL) for (let i = 0; i < count; i++) bytes[physical + i] = source[offset + done + i];
    else bytes.set(source.subarray(offset + done, offset + done + count), physical);
    noteWrite(space, physical, count);
    done += count;
  }
  space.copied = done;
  return done;
}

/** Stores `length` zero bytes at `address`. */
export function clearUser(space: AddressSpace, address: number, length: number): number {
  let done = 0;
  while (done < length) {
    const at = address + done;
    const physical = space.translate(at, WRITE);
    if (physical < 0) return stopped(space, physical, done);
    const count = Math.min(length - done, PAGE - (at & (PAGE - 1)));
    space.context.ram.u8.fill(0, physical, physical + count);
    noteWrite(space, physical, count);
    done += count;
  }
  space.copied = done;
  return done;
}

/** Reads bytes up to a NUL, which is not stored: their number, -EFAULT, USER_BLOCKED, or -ENAMETOOLONG when there is no NUL
 *  within `target.length` bytes (a partial string before a fault is -EFAULT, as strncpy_from_user has it). */
export function copyInString(space: AddressSpace, address: number, target: Uint8Array): number {
  const max = target.length;
  let done = 0;
  while (done < max) {
    const at = address + done;
    const physical = space.translate(at, READ);
    if (physical < 0) return physical === TRANSLATE_BLOCKED ? USER_BLOCKED : -EFAULT;
    const count = Math.min(max - done, PAGE - (at & (PAGE - 1)));
    const bytes = space.context.ram.u8;
    for (let i = 0; i < count; i++) {
      const byte = bytes[physical + i];
      if (byte === 0) return done + i;
      target[done + i] = byte;
    }
    done += count;
  }
  return -ENAMETOOLONG;
}

/** The 32-bit word at `address`, or -EFAULT, or USER_BLOCKED. @hot */
export function readU32(space: AddressSpace, address: number): number {
  if ((address & 3) === 0) {
    const physical = space.translate(address, READ);
    return physical < 0 ? failure(physical) : space.context.ram.u32[physical >>> 2];
  }
  const n = copyIn(space, address, wordBytes, 0, 4);
  return n === 4 ? word.getUint32(0, true) : n === USER_BLOCKED ? n : -EFAULT;
}

/** The 64-bit word at `address` as an unsigned number, exact below 2^53; or -EFAULT, or USER_BLOCKED. @hot */
export function readU64(space: AddressSpace, address: number): number {
  if ((address & 7) === 0) {
    const physical = space.translate(address, READ);
    if (physical < 0) return failure(physical);
    const words = space.context.ram.u32;
    return words[(physical >>> 2) + 1] * 0x1_0000_0000 + words[physical >>> 2];
  }
  const n = copyIn(space, address, wordBytes, 0, 8);
  if (n !== 8) return n === USER_BLOCKED ? n : -EFAULT;
  return word.getUint32(4, true) * 0x1_0000_0000 + word.getUint32(0, true);
}

/** Stores a 32-bit word: 0, -EFAULT or USER_BLOCKED. */
export function writeU32(space: AddressSpace, address: number, value: number): number {
  word.setUint32(0, value >>> 0, true);
  return stored(copyOut(space, address, wordBytes, 0, 4), 4);
}

/** Stores a signed or unsigned integral number as 64 bits: 0, -EFAULT or USER_BLOCKED. */
export function writeU64(space: AddressSpace, address: number, value: number): number {
  word.setUint32(0, value >>> 0, true);
  word.setUint32(4, Math.floor(value / 0x1_0000_0000) >>> 0, true);
  return stored(copyOut(space, address, wordBytes, 0, 8), 8);
}

/** Reads bytes that are present and readable now, without faulting or marking anything: undefined if one is not. */
export function peek(space: AddressSpace, address: number, length: number): Uint8Array | undefined {
  const target = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const at = address + done;
    const physical = space.probe(at, READ);
    if (physical < 0) return undefined;
    const count = Math.min(length - done, PAGE - (at & (PAGE - 1)));
    target.set(space.context.ram.u8.subarray(physical, physical + count), done);
    done += count;
  }
  return target;
}

/** Replaces the 32-bit word at `address` by `desired` if it is `expected`; for futexes. 1 done, 0 different, or -EFAULT or USER_BLOCKED. */
export function compareExchangeU32(space: AddressSpace, address: number, expected: number, desired: number): number {
  const physical = space.translate(address, WRITE);
  if (physical < 0) return failure(physical);
  const words = space.context.ram.u32;
  if (words[physical >>> 2] !== expected >>> 0) return 0;
  words[physical >>> 2] = desired;
  noteWrite(space, physical, 4);
  return 1;
}

const wordBytes = new Uint8Array(8);
const word = new DataView(wordBytes.buffer);

function stopped(space: AddressSpace, physical: number, done: number): number {
  space.copied = done;
  if (physical === TRANSLATE_BLOCKED) return USER_BLOCKED;
  return done > 0 ? done : -EFAULT;
}

function failure(physical: number): number {
  return physical === TRANSLATE_BLOCKED ? USER_BLOCKED : -EFAULT;
}

function stored(n: number, wanted: number): number {
  return n === wanted ? 0 : n === USER_BLOCKED ? n : -EFAULT;
}

/** Tells the cpu when decoded bytes have changed. @hot */
function noteWrite(space: AddressSpace, physical: number, length: number): void {
  const { frames, codeGuard } = space.context;
  const frame = physical >>> 12;
  if ((frames.flags[frame] & FRAME_CODE) !== 0) codeGuard.written(frame, physical & (PAGE - 1), length);
}
