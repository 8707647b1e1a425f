/** Services of single instructions: cpuid, rdtsc, the flags image, segment registers and descriptors (Intel SDM 2A/2B). */
import { EXIT_RETIRED, VECTOR_GP } from "./exit.ts";
import { RFLAGS_TF, RFLAGS_USER } from "./registers.ts";
import type { CpuServices } from "./service-context.ts";
import {
  EXIT_KIND, FLAGS_OTHER, FS_BASE, GS_BASE, RAX, RBX, RCX, RDX, SCRATCH_A, SCRATCH_B, SCRATCH_C, SEGMENT_SELECTORS,
} from "./state.ts";

const DONE = 1;
const LEAVE = 0;
const TWO_32 = 0x1_0000_0000;

// ---- cpuid (SDM 2A, CPUID) ----------------------------------------------------------------------------------------------------

const bits = (...positions: number[]): number => positions.reduce((word, position) => word | (1 << position), 0) >>> 0;
const text4 = (text: string, at: number): number => {
  let word = 0;
  for (let i = 3; i >= 0; i--) word = (word << 8) | (at + i < text.length ? text.charCodeAt(at + i) : 0);
  return word >>> 0;
};

const VENDOR = "GenuineIntel";
const BRAND = "meniOS virtual CPU";
/** Family 6, model 1Ah, stepping 5: the first processors with all of x86-64-v2. libc picks string routines by it. */
const SIGNATURE = 0x0001_06a5;
/** SSE3, SSSE3, CX16, SSE4.1, SSE4.2, POPCNT. */
const FEATURES_1_ECX = bits(0, 9, 13, 19, 20, 23);
/** FPU, TSC, PAE, CX8, CMOV, CLFLUSH, MMX, FXSR, SSE, SSE2. */
const FEATURES_1_EDX = bits(0, 4, 6, 8, 15, 19, 23, 24, 25, 26);
/** LAHF in 64-bit mode; SYSCALL, NX, long mode. */
const FEATURES_EXT_ECX = bits(0);
const FEATURES_EXT_EDX = bits(11, 20, 29);

/** Leaf 4: type and level, ways − 1, sets − 1; lines of 64 bytes. L1 data and code 32 KiB, L2 256 KiB, L3 8 MiB. */
const CACHES = [
  { kind: 1, level: 1, ways: 8, sets: 64 },
  { kind: 2, level: 1, ways: 4, sets: 128 },
  { kind: 3, level: 2, ways: 8, sets: 512 },
  { kind: 3, level: 3, ways: 16, sets: 8192 },
];
const SELF_INITIALIZING = 1 << 8;

export function cpuidService(c: CpuServices): number {
  const { registers } = c;
  const leaf = registers.low(RAX);
  let a = 0, b = 0, cx = 0, d = 0;
  switch (leaf) {
    case 0:
      a = 7;
      b = text4(VENDOR, 0);
      d = text4(VENDOR, 4);
      cx = text4(VENDOR, 8);
      break;
    case 1:
      a = SIGNATURE;
      b = (1 << 16) | (8 << 8); // one logical processor, cache lines of 8 × 8 bytes
      cx = FEATURES_1_ECX;
      d = FEATURES_1_EDX;
      break;
    case 2:
      a = 0xff01; // one query is enough; descriptor FFh: see leaf 4
      break;
    case 4: {
      const cache = CACHES[registers.low(RCX)];
      if (cache === undefined) break;
      a = cache.kind | (cache.level << 5) | SELF_INITIALIZING;
      b = ((cache.ways - 1) << 22) | 63;
      cx = cache.sets - 1;
      break;
    }
    case 0x8000_0000:
      a = 0x8000_0008;
      break;
    case 0x8000_0001:
      a = SIGNATURE;
      cx = FEATURES_EXT_ECX;
      d = FEATURES_EXT_EDX;
      break;
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004: {
      const at = (leaf - 0x8000_0002) * 16;
      a = text4(BRAND, at);
      b = text4(BRAND, at + 4);
      cx = text4(BRAND, at + 8);
      d = text4(BRAND, at + 12);
      break;
    }
    case 0x8000_0006:
      cx = (256 << 16) | (6 << 12) | 64; // L2 of 256 KiB, 8 ways, lines of 64 bytes
      break;
    case 0x8000_0008:
      a = (48 << 8) | 40; // linear and physical address bits
      break;
  }
  registers.set(RAX, a >>> 0, 0);
  registers.set(RBX, b >>> 0, 0);
  registers.set(RCX, cx >>> 0, 0);
  registers.set(RDX, d >>> 0, 0);
  return DONE;
}

/** The time-stamp counter counts retired instructions, on every engine. */
export function rdtscService(c: CpuServices): number {
  const count = c.retiredExactly;
  c.registers.set(RAX, count >>> 0, 0);
  c.registers.set(RDX, Math.floor(count / TWO_32) >>> 0, 0);
  return DONE;
}

// ---- flags --------------------------------------------------------------------------------------------------------------------

/** RFLAGS image into SCRATCH_A, 64 bits. */
export function pushFlagsService(c: CpuServices): number {
  c.ram.u32[SCRATCH_A >>> 2] = c.registers.rflags;
  c.ram.u32[(SCRATCH_A + 4) >>> 2] = 0;
  return DONE;
}
/** Flags from the image in SCRATCH_A; 16-bit images reach no further. What user mode may not change keeps its value, silently. */
export function popFlagsService(c: CpuServices, width: number): number {
  const mask = width === 16 ? RFLAGS_USER & 0xffff : RFLAGS_USER;
  c.registers.rflags = (c.registers.rflags & ~mask) | (c.ram.u32[SCRATCH_A >>> 2] & mask);
  return DONE;
}
/** After popf or iret, with RIP up to date: when TF has been set, the engine must see it before the next instruction. */
export function traceService(c: CpuServices): number {
  const { i32 } = c.ram;
  if ((i32[FLAGS_OTHER >>> 2] & RFLAGS_TF) === 0) return DONE;
  i32[EXIT_KIND >>> 2] = EXIT_RETIRED;
  return LEAVE;
}

// ---- segments -----------------------------------------------------------------------------------------------------------------

const CS = 1, SS = 2, FS = 4, GS = 5;
const USER_CODE = 0x33;
const USER_DATA = 0x2b;

/** What Linux's descriptor table shows to user mode, by selector without RPL: rights as lar gives them, and the limit. */
interface Descriptor { readonly rights: number; readonly limit: number; readonly writable: boolean }
const DESCRIPTORS: ReadonlyMap<number, Descriptor> = new Map([
  [0x20, { rights: 0x00cf_fb00, limit: 0xffff_ffff, writable: false }], // 32-bit user code
  [0x28, { rights: 0x00cf_f300, limit: 0xffff_ffff, writable: true }], // user data
  [0x30, { rights: 0x00af_fb00, limit: 0xffff_ffff, writable: false }], // 64-bit user code
  [0x78, { rights: 0x0040_f500, limit: 0, writable: false }], // processor and node number, in the limit
]);

/** Selector of segment register SCRATCH_B into SCRATCH_A. */
export function readSegmentService(c: CpuServices): number {
  const segment = c.ram.u32[SCRATCH_B >>> 2];
  c.ram.u32[SCRATCH_A >>> 2] = segment === CS ? USER_CODE : segment === SS ? USER_DATA : c.ram.u16[(SEGMENT_SELECTORS >>> 1) + segment];
  return DONE;
}
/** Loads selector SCRATCH_A into segment register SCRATCH_B (SDM 2B, MOV). Loading FS or GS sets its base to 0, the base of every
 *  descriptor here. */
export function loadSegmentService(c: CpuServices): number {
  const { ram } = c;
  const segment = ram.u32[SCRATCH_B >>> 2];
  const selector = ram.u32[SCRATCH_A >>> 2] & 0xffff;
  const isNull = (selector & ~3) === 0;
  if (segment === SS ? selector !== USER_DATA : !isNull && !DESCRIPTORS.has(selector & ~3)) return c.raise(VECTOR_GP);
  if (segment === SS) return DONE;
  ram.u16[(SEGMENT_SELECTORS >>> 1) + segment] = selector;
  if (segment === FS || segment === GS) {
    const base = segment === FS ? FS_BASE : GS_BASE;
    ram.u32[base >>> 2] = 0;
    ram.u32[(base + 4) >>> 2] = 0;
  }
  return DONE;
}
/** lar (0), lsl (1), verr (2), verw (3) of selector SCRATCH_A: SCRATCH_B says whether it can be seen, SCRATCH_C is the answer. */
export function describeSegmentService(c: CpuServices, question: number): number {
  const { u32 } = c.ram;
  const found = DESCRIPTORS.get(u32[SCRATCH_A >>> 2] & 0xfffc);
  u32[SCRATCH_B >>> 2] = found !== undefined && (question !== 3 || found.writable) ? 1 : 0;
  u32[SCRATCH_C >>> 2] = found === undefined ? 0 : question === 0 ? found.rights : found.limit;
  return DONE;
}
