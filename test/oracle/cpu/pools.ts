/** Values worth trying, by operand class. Everything is written in place: cases are made by the million. */
import type { Random } from "./random.ts";

/** Edge values of 8 to 64 bits as [low, high]. */
const EDGES: readonly (readonly [number, number])[] = [0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 32767, 32768, 65535, 65536]
  .flatMap((n) => [[n, 0], [-n | 0, n === 0 ? 0 : -1]] as [number, number][])
  .concat([
    [0x7fffffff, 0], [0x80000000 | 0, 0], [-1, 0], [0, 1], [0x7fffffff, -1], [0x80000000 | 0, -1], [-1, 0x7fffffff], [0, 0x80000000 | 0],
    [1, 0x80000000 | 0], [-2, 0x7fffffff], [0x80808080 | 0, 0x80808080 | 0], [0x7f7f7f7f, 0x7f7f7f7f], [0x80008000 | 0, 0x80008000 | 0],
    [0x7fff7fff, 0x7fff7fff], [0x55555555, 0x55555555], [-0x55555556, -0x55555556], [0x01234567, 0x89abcdef | 0], [0x000f000f, 0x0f000f00],
  ]);

/** A 64-bit integer at word `at` of `words`. */
export function putInteger(words: Uint32Array, at: number, r: Random): void {
  const kind = r.next() & 15;
  if (kind < 5) {
    words[at] = r.next();
    words[at + 1] = r.next();
  } else if (kind < 10) {
    const edge = EDGES[r.below(EDGES.length)];
    words[at] = edge[0];
    words[at + 1] = kind === 5 ? r.next() : edge[1];
  } else if (kind < 12) {
    const small = r.next() >> (24 + r.below(8));
    words[at] = small;
    words[at + 1] = kind === 10 ? small >> 31 : r.next();
  } else if (kind < 14) {
    const bit = r.below(64);
    words[at] = bit < 32 ? 1 << bit : 0;
    words[at + 1] = bit < 32 ? 0 : 1 << (bit - 32);
    if (kind === 13) {
      // all ones below (or above) the bit
      words[at + 1] = bit < 32 ? 0 : words[at + 1] - 1;
      words[at] = bit < 32 ? words[at] - 1 : -1;
    }
  } else {
    const shift = r.below(32);
    words[at] = r.next() >>> shift;
    words[at + 1] = kind === 14 ? 0 : r.next() >>> shift;
  }
}

const F32 = [
  0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x00400000, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x00800001, 0x7f7fffff, 0xff7fffff, 0x7f800000,
  0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345, 0x7fd12345, 0xffffffff, 0x7fffffff, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000, 0x3fc00000,
  0x40200000, 0x40600000, 0x3f7fffff, 0x3f800001, 0x4b000000, 0x4b800000, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x5effffff, 0x5f000000,
  0xdf000000, 0x5f800000, 0x33800000, 0x34000000, 0x20000000, 0x5f7fffff, 0x1fffffff, 0x7e800000, 0x01000000, 0x00ffffff, 0x3eaaaaab, 0x40490fdb,
];
const F64: readonly (readonly [number, number])[] = [
  [0, 0], [0, 0x80000000], [1, 0], [1, 0x80000000], [0, 0x00080000], [0xffffffff, 0x000fffff], [0xffffffff, 0x800fffff], [0, 0x00100000], [1, 0x00100000],
  [0xffffffff, 0x7fefffff], [0xffffffff, 0xffefffff], [0, 0x7ff00000], [0, 0xfff00000], [0, 0x7ff80000], [0, 0xfff80000], [1, 0x7ff00000], [0x12345, 0xfff00000],
  [0x54321, 0x7ff80000], [0xffffffff, 0xffffffff], [0, 0x3ff00000], [0, 0xbff00000], [0, 0x3fe00000], [0, 0x3ff80000], [0, 0x40040000], [0, 0x400c0000],
  [0xffffffff, 0x3fefffff], [1, 0x3ff00000], [0, 0x43300000], [0, 0x43400000], [0xffc00000, 0x41dfffff], [0xffe00000, 0x41dfffff], [0, 0x41e00000], [0, 0xc1e00000],
  [0x00200000, 0xc1e00000], [0, 0x43e00000], [0, 0xc3e00000], [0xffffffff, 0x43dfffff], [0, 0x3ca00000], [0, 0x38100000], [0xe0000000, 0x380fffff], [0, 0x36a00000],
  [0, 0x36900000], [0xe0000000, 0x47efffff], [0xf0000000, 0x47efffff], [0xefffffff, 0x47efffff], [0, 0x47f00000], [0, 0x20000000], [0, 0x5fe00000], [0x54442d18, 0x400921fb],
  [0x55555555, 0x3fd55555], [0, 0x00200000],
];

export function putF32(words: Uint32Array, at: number, r: Random): void {
  const kind = r.next() & 7;
  if (kind < 3) words[at] = F32[r.below(F32.length)];
  else if (kind < 5) words[at] = (r.next() & 0x807fffff) | ((0x7f + (r.next() >> 28)) << 23); // near one
  else if (kind === 5) words[at] = (r.next() & 0x80000000) | (((r.next() & 7) + (r.next() & 1 ? 0 : 247)) << 23) | (r.next() & 0x7fffff); // near the ends
  else if (kind === 6) words[at] = (r.next() & 0x80000000) | ((0x7f + r.below(66)) << 23) | ((r.next() << r.below(23)) & 0x7fffff); // integers and halves
  else words[at] = r.next();
}
export function putF64(words: Uint32Array, at: number, r: Random): void {
  const kind = r.next() & 7;
  if (kind < 3) {
    const v = F64[r.below(F64.length)];
    words[at] = v[0];
    words[at + 1] = v[1];
    return;
  }
  words[at] = (r.next() & 1) !== 0 ? r.next() : r.next() & -0x20000000; // half of them exact in single precision, all but the range
  const high = r.next();
  if (kind < 5) words[at + 1] = (high & 0x800fffff) | ((0x3ff + (r.next() >> 28)) << 20);
  else if (kind === 5) words[at + 1] = (high & 0x800fffff) | (((r.next() & 7) + (r.next() & 1 ? 0 : 2040)) << 20);
  else if (kind === 6) {
    words[at] = 0;
    words[at + 1] = (high & 0x80000000) | ((0x3ff + r.below(66)) << 20) | ((high << r.below(20)) & 0xfffff);
  } else words[at + 1] = r.next() & 3 ? (high & 0x800fffff) | ((0x3ff + (r.next() >> 24)) << 20) : high;
}

/** 80-bit values, pseudo-denormals, unnormals and pseudo-infinities among them: 10 bytes at byte `at`. */
export function putF80(bytes: Uint8Array, view: DataView, at: number, r: Random): void {
  let low = r.next();
  let high = r.next() | 0x80000000;
  let exponent: number;
  const kind = r.below(16);
  if (kind < 4) exponent = 0x3fff + (r.next() >> 28);
  else if (kind === 4) exponent = r.next() & 0x7fff;
  else if (kind === 5) {
    exponent = 0;
    if (r.chance(70)) high &= 0x7fffffff; // else a pseudo-denormal
  } else if (kind === 6) {
    exponent = 0x7fff; // NaNs
    if (r.chance(20)) high &= 0x7fffffff;
  } else if (kind === 7) {
    exponent = r.pick([0x7fff, 0, 0x3fff, 0x3ffe, 0x4000, 0x7ffe, 1, 0x403e, 0x401e]);
    low = 0;
    high = r.pick([0x80000000, 0x80000000, 0x80000000, 0xc0000000, 0]);
  } else if (kind < 10) {
    exponent = 0x3fff + r.below(66); // integers and fractions
    high = (high << r.below(31)) | 0x80000000;
    if (r.chance(70)) low = 0;
  } else if (kind === 10) exponent = r.chance(50) ? r.below(80) : 0x7ffe - r.below(80);
  else if (kind === 11) {
    exponent = 0x3fff + (r.next() >> 23); // around the ends of float and double
    low = r.chance(50) ? low : low & 0xfffff800;
  } else if (kind === 12) exponent = (r.chance(50) ? 0x3c00 : 0x43ff) + (r.next() >> 29);
  else if (kind === 13) exponent = (r.chance(50) ? 0x3f80 : 0x407f) + (r.next() >> 29);
  else if (kind === 14) {
    exponent = 0;
    low = 0;
    high = 0;
  } else {
    exponent = 0x3fff + (r.next() >> 28);
    if (r.chance(15)) high &= 0x7fffffff; // unnormal
    low = r.chance(50) ? -1 : 0;
  }
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
  bytes[at + 8] = exponent & 0xff;
  bytes[at + 9] = ((exponent >> 8) & 0x7f) | (r.chance(50) ? 0x80 : 0);
}

export const KIND_INTEGER = 0;
export const KIND_F32 = 1;
export const KIND_F64 = 2;
export type VectorKind = 0 | 1 | 2;

/** 16 bytes at word `at`. */
export function putVector(words: Uint32Array, at: number, r: Random, kind: VectorKind): void {
  if (kind === KIND_F32) for (let i = 0; i < 4; i++) putF32(words, at + i, r);
  else if (kind === KIND_F64) {
    putF64(words, at, r);
    putF64(words, at + 2, r);
  } else {
    putInteger(words, at, r);
    putInteger(words, at + 2, r);
  }
}
