/** Damaged ELF files: good ones with flipped bits, cut ends, random header fields, and segments that overlap or are huge. */

/** Bytes of the ELF header and of one program header (System V gABI, figures 4-3 and 5-1). */
const EHDR = 64;
const PHDR = 56;

/** mulberry32: small, seeded, and good enough to choose bytes. */
export class Chooser {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  /** An integer in [0, below). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** Values at which checks of sizes and addresses go wrong. */
const EDGES: readonly bigint[] = [
  0n, 1n, 0xfffn, 0x1000n, 0x1001n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 0x7fff_ffff_f000n, 0x7fff_ffff_ffffn, 0x8000_0000_0000n,
  0xffff_8000_0000_0000n, 0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_f000n, 0xffff_ffff_ffff_ffffn,
];
const TYPES = [0, 1, 2, 3, 4, 6, 7, 0x6474e550, 0x6474e551, 0x6474e552, 0x6474e553];
/** Offsets of the 64-bit fields of both headers. */
const EHDR_WORDS = [24, 32, 40];
const PHDR_WORDS = [8, 16, 24, 32, 40, 48];

/** A damaged copy of `good`, whose program headers follow its ELF header. */
export function mutate(good: Uint8Array, choose: Chooser): Uint8Array {
  const file = good.slice();
  const view = new DataView(file.buffer);
  const count = Math.max(1, Math.min(view.getUint16(56, true), 16));
  const header = (): number => EHDR + PHDR * choose.below(count);
  for (let change = 1 + choose.below(4); change > 0; change--) {
    switch (choose.below(9)) {
      case 0:
      case 1: // any bit
        file[choose.below(file.length)] ^= 1 << choose.below(8);
        break;
      case 2: // a bit of the headers
        file[choose.below(EHDR + PHDR * count)] ^= 1 << choose.below(8);
        break;
      case 3: // a field of a program header: an edge, or near what another field says
        view.setBigUint64(header() + choose.of(PHDR_WORDS), choose.of(EDGES), true);
        break;
      case 4:
        view.setBigUint64(choose.of(EHDR_WORDS), choose.of(EDGES), true);
        break;
      case 5:
        view.setUint32(header(), choose.of(TYPES), true);
        break;
      case 6: { // one segment lies over another
        const to = header() + 16;
        view.setBigUint64(to, view.getBigUint64(header() + 16, true) + BigInt(choose.below(3) * 0x800), true);
        break;
      }
      case 7: // sizes: much more memory than file, or the other way round
        view.setBigUint64(header() + choose.of([32, 40]), BigInt(choose.below(0x4000)) << BigInt(choose.below(36)), true);
        break;
      default: // rights, counts and kinds
        if (choose.below(2) === 0) view.setUint32(header() + 4, choose.below(16), true);
        else view.setUint16(choose.of([16, 18, 52, 54, 56, 58]), choose.of([0, 1, 2, 3, 55, 56, 57, 62, 64, 255, 1170, 0xffff]), true);
    }
  }
  return choose.below(10) === 0 ? file.slice(0, choose.below(file.length)) : file;
}
