/** Seeded random numbers (sfc32, Chris Doty-Humphrey's small fast counter generator). */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = 0x9e3779b9 | 0;
    this.#c = Math.imul(seed, 0x85ebca6b) | 0;
    for (let i = 0; i < 12; i++) this.next();
  }
  /** 32 random bits as a signed number. */
  next(): number {
    const t = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    this.#c |= 0;
    return t;
  }
  /** 0 … limit − 1. */
  below(limit: number): number {
    return (((this.next() >>> 0) * limit) / 0x1_0000_0000) | 0;
  }
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.next() >>> 0 < percent * 42949672.96;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}
