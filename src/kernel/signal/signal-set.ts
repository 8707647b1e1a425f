/** A set of signals 1…64 as the kernel's sigset_t: bit n−1 of a 64-bit word, kept as two u32 halves. */
import { WIDE_ZERO } from "../../base/bits.ts";

const bit = (signal: number): number => 1 << ((signal - 1) & 31);

export class SignalSet {
  low = WIDE_ZERO;
  high = WIDE_ZERO;

  static of(...signals: number[]): SignalSet {
    const set = new SignalSet();
    for (const signal of signals) set.add(signal);
    return set;
  }

  has(signal: number): boolean {
    return ((signal <= 32 ? this.low : this.high) & bit(signal)) !== 0;
  }
  add(signal: number): void {
    if (signal <= 32) this.low = (this.low | bit(signal)) >>> 0;
    else this.high = (this.high | bit(signal)) >>> 0;
  }
  delete(signal: number): void {
    if (signal <= 32) this.low = (this.low & ~bit(signal)) >>> 0;
    else this.high = (this.high & ~bit(signal)) >>> 0;
  }
  get empty(): boolean {
    return this.low === 0 && this.high === 0;
  }
  set(low: number, high: number): void {
    this.low = low >>> 0;
    this.high = high >>> 0;
  }
  copy(other: SignalSet): void {
    this.low = other.low;
    this.high = other.high;
  }
  clone(): SignalSet {
    const set = new SignalSet();
    set.copy(this);
    return set;
  }
  /** Lowest signal in `this` and not in `blocked`, or 0. */
  firstOutside(blocked: SignalSet): number {
    const low = this.low & ~blocked.low;
    if (low !== 0) return 32 - Math.clz32(low & -low);
    const high = this.high & ~blocked.high;
    return high === 0 ? 0 : 64 - Math.clz32(high & -high);
  }
}
