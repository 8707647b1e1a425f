/** Typed access to the register file in RAM. 64-bit values are a pair of u32 halves, or a `number` where 53 bits are enough. */
import type { Ram } from "../memory/ram.ts";
import {
  FLAG_ADJUST, FLAG_CARRY, FLAG_DIRECTION, FLAG_OVERFLOW, FLAG_PARITY, FLAG_SIGN, FLAG_ZERO, FLAGS_OTHER, FP_FAST, FP_FAST_MASK, FS_BASE,
  GPR, GS_BASE, MXCSR, RIP, STATE_END, X87_CONTROL,
} from "./state.ts";
import { STATE_BASE } from "../memory/physical-map.ts";

export const RFLAGS_CF = 1 << 0;
/** Bit 1 reads as 1 always. */
export const RFLAGS_FIXED = 1 << 1;
export const RFLAGS_PF = 1 << 2;
export const RFLAGS_AF = 1 << 4;
export const RFLAGS_ZF = 1 << 6;
export const RFLAGS_SF = 1 << 7;
export const RFLAGS_TF = 1 << 8;
export const RFLAGS_IF = 1 << 9;
export const RFLAGS_DF = 1 << 10;
export const RFLAGS_OF = 1 << 11;
export const RFLAGS_NT = 1 << 14;
export const RFLAGS_RF = 1 << 16;
export const RFLAGS_AC = 1 << 18;
export const RFLAGS_ID = 1 << 21;
/** Bits that user code can change with popf. */
export const RFLAGS_USER =
  RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF | RFLAGS_OF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID;

const TWO_32 = 0x1_0000_0000;
/** Bytes of a task's register file. */
export const REGISTER_FILE_BYTES = STATE_END - STATE_BASE;

export class Registers {
  readonly #ram: Ram;
  constructor(ram: Ram) {
    this.#ram = ram;
  }

  /** Low 32 bits, unsigned. */
  low(register: number): number {
    return this.#ram.u32[(GPR + register * 8) >>> 2];
  }
  /** High 32 bits, unsigned. */
  high(register: number): number {
    return this.#ram.u32[(GPR + register * 8 + 4) >>> 2];
  }
  /** The register as an unsigned number; exact below 2^53, which covers every user address. */
  unsigned(register: number): number {
    return this.high(register) * TWO_32 + this.low(register);
  }
  /** The register as a signed number; exact between −2^53 and 2^53. */
  signed(register: number): number {
    return (this.high(register) | 0) * TWO_32 + this.low(register);
  }
  set(register: number, low: number, high: number): void {
    const index = (GPR + register * 8) >>> 2;
    this.#ram.u32[index] = low;
    this.#ram.u32[index + 1] = high;
  }
  /** Stores an integral number as a 64-bit two's complement value. */
  setNumber(register: number, value: number): void {
    const small = value | 0;
    if (small === value) this.set(register, small, small >> 31);
    else this.set(register, value >>> 0, Math.floor(value / TWO_32) >>> 0);
  }
  get rip(): number {
    return this.#number(RIP);
  }
  set rip(value: number) {
    this.#setNumber(RIP, value);
  }
  /** RIP's halves, unsigned: exact for addresses beyond 2^53 as well. */
  get ripLow(): number {
    return this.#ram.u32[RIP >>> 2];
  }
  get ripHigh(): number {
    return this.#ram.u32[(RIP + 4) >>> 2];
  }
  get fsBase(): number {
    return this.#number(FS_BASE);
  }
  set fsBase(value: number) {
    this.#setNumber(FS_BASE, value);
  }
  get gsBase(): number {
    return this.#number(GS_BASE);
  }
  set gsBase(value: number) {
    this.#setNumber(GS_BASE, value);
  }

  /** RFLAGS as pushf would show it: IF set, RF and VM clear. */
  get rflags(): number {
    const { u32, i32 } = this.#ram;
    let flags = RFLAGS_FIXED | RFLAGS_IF | i32[FLAGS_OTHER >>> 2];
    if (u32[FLAG_ZERO >>> 2] === 0 && u32[(FLAG_ZERO + 4) >>> 2] === 0) flags |= RFLAGS_ZF;
    if (i32[(FLAG_SIGN + 4) >>> 2] < 0) flags |= RFLAGS_SF;
    let parity = u32[FLAG_PARITY >>> 2] & 0xff;
    parity ^= parity >> 4;
    if (((0x9669 >> (parity & 15)) & 1) === 1) flags |= RFLAGS_PF;
    if (i32[(FLAG_CARRY + 4) >>> 2] < 0) flags |= RFLAGS_CF;
    if (i32[(FLAG_OVERFLOW + 4) >>> 2] < 0) flags |= RFLAGS_OF;
    if ((u32[FLAG_ADJUST >>> 2] & 0x10) !== 0) flags |= RFLAGS_AF;
    if (u32[FLAG_DIRECTION >>> 2] !== 0) flags |= RFLAGS_DF;
    return flags;
  }
  /** Sets every flag that user code may change; the others keep their fixed values. */
  set rflags(value: number) {
    this.#setWord(FLAG_ZERO, (value & RFLAGS_ZF) !== 0 ? 0 : 1);
    this.#setWord(FLAG_SIGN, (value & RFLAGS_SF) !== 0 ? -1 : 0);
    this.#setWord(FLAG_PARITY, (value & RFLAGS_PF) !== 0 ? 0 : 1);
    this.#setWord(FLAG_CARRY, (value & RFLAGS_CF) !== 0 ? -1 : 0);
    this.#setWord(FLAG_OVERFLOW, (value & RFLAGS_OF) !== 0 ? -1 : 0);
    this.#setWord(FLAG_ADJUST, value & RFLAGS_AF);
    this.#setWord(FLAG_DIRECTION, (value & RFLAGS_DF) !== 0 ? 1 : 0);
    this.#ram.i32[FLAGS_OTHER >>> 2] = value & (RFLAGS_TF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID);
  }

  get mxcsr(): number {
    return this.#ram.u32[MXCSR >>> 2];
  }
  /** Also derives FP_FAST; see cpu/state.ts. Reserved bits must be clear. */
  set mxcsr(value: number) {
    this.#ram.u32[MXCSR >>> 2] = value;
    // All masked (1f80), PE set (20), nearest (6000 clear), FTZ (8000) and DAZ (40) clear.
    this.#ram.u32[FP_FAST >>> 2] = (value & 0x7fa0) === 0x1fa0 ? FP_FAST_MASK : 0;
  }

  /** The state after execve: all zero but the control words (System V ABI §3.4.1). */
  reset(): void {
    this.#ram.u8.fill(0, STATE_BASE, STATE_END);
    this.rflags = 0;
    this.mxcsr = 0x1f80;
    this.#ram.u16[X87_CONTROL >>> 1] = 0x37f;
  }
  /** Copies the register file out to a task's own copy of REGISTER_FILE_BYTES bytes. */
  save(target: Uint8Array): void {
    target.set(this.#ram.u8.subarray(STATE_BASE, STATE_END));
  }
  load(source: Uint8Array): void {
    this.#ram.u8.set(source, STATE_BASE);
  }

  #number(address: number): number {
    return this.#ram.u32[(address + 4) >>> 2] * TWO_32 + this.#ram.u32[address >>> 2];
  }
  #setNumber(address: number, value: number): void {
    this.#ram.u32[address >>> 2] = value >>> 0;
    this.#ram.u32[(address + 4) >>> 2] = Math.floor(value / TWO_32) >>> 0;
  }
  #setWord(address: number, value: number): void {
    this.#ram.i32[address >>> 2] = value;
    this.#ram.i32[(address + 4) >>> 2] = value >> 31;
  }
}
