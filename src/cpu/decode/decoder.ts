/** Instruction decoding: bytes → encoding and operands (Intel SDM 2A chapter 2). 64-bit mode only.
 *  Reads only the bytes it is given; faults, fetching and caching are the caller's. */
import type { Encoding } from "../instructions/define.ts";
import { FS_BASE, GPR, GS_BASE, ZERO } from "../state.ts";
import { type Form, Forms } from "./form.ts";
import type { OpcodeTables, Selector } from "./tables.ts";

export const DECODED = 0;
/** More bytes are needed than were given. */
export const TRUNCATED = 1;
/** #UD. */
export const INVALID = 2;
/** More than 15 bytes: #GP(0). */
export const TOO_LONG = 3;
export type DecodeResult = 0 | 1 | 2 | 3;

const MAX_LENGTH = 15;
const TWO_32 = 0x1_0000_0000;

/** One decoded instruction; the decoder fills the same object again and again. */
export class Decoded {
  form!: Form;
  encoding!: Encoding;
  rip = 0;
  length = 0;
  /** By operand: RAM address of the register, or 0. */
  registers: readonly number[] = [];
  /** True when the ModRM.rm or moffs operand is memory. */
  isMemory = false;
  lock = false;
  /** Memory operand: RAM addresses of base, index and segment base (ZERO if absent), index shift, displacement as two halves. */
  base = ZERO;
  index = ZERO;
  segment = ZERO;
  scale = 0;
  dispLow = 0;
  dispHigh = 0;
  address32 = false;
  /** Immediate as two u32 halves, extended to 64 bits as the row says. */
  immLow = 0;
  immHigh = 0;
  /** Second immediate (enter). */
  imm2 = 0;
  /** Absolute target of a relative branch. */
  target = 0;

  get nextRip(): number {
    return this.rip + this.length;
  }
  /** A copy that the decoder does not overwrite. */
  copy(): Decoded {
    return Object.assign(new Decoded(), this);
  }
}

export class Decoder {
  readonly decoded = new Decoded();
  readonly #forms: Forms;
  readonly #selector: Selector = { map: 0, opcode: 0, repeat: 0, operandSize66: false, rex: 0, modRM: -1 };
  #code: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  constructor(tables: OpcodeTables) {
    this.#forms = new Forms(tables);
  }

  /** Decodes one instruction at `code[offset]`, of which `available` bytes may be read, into {@link decoded}. */
  decode(code: Uint8Array, offset: number, available: number, rip: number): DecodeResult {
    this.#code = code;
    this.#end = offset + Math.min(available, MAX_LENGTH);
    const limit = available >= MAX_LENGTH ? TOO_LONG : TRUNCATED;
    const d = this.decoded, s = this.#selector, end = this.#end;
    let at = offset, rex = 0, repeat = 0, byte = 0, segment = ZERO;
    let operandSize66 = false, lock = false, address32 = false;
    for (;;) {
      if (at >= end) return limit;
      byte = code[at++];
      if ((byte & 0xf0) === 0x40) {
        rex = byte;
        continue;
      }
      if (byte < 0x26) break;
      if (byte === 0x66) operandSize66 = true;
      else if (byte === 0xf2 || byte === 0xf3) repeat = byte;
      else if (byte === 0xf0) lock = true;
      else if (byte === 0x67) address32 = true;
      else if (byte === 0x64) segment = FS_BASE;
      else if (byte === 0x65) segment = GS_BASE;
      else if (byte === 0x2e || byte === 0x36 || byte === 0x3e || byte === 0x26) {
        // CS, SS, DS and ES overrides have no effect in 64-bit mode, and do not cancel FS or GS.
      } else break;
      rex = 0; // a REX prefix counts only directly before the opcode
    }
    let map = 0;
    if (byte === 0x0f) {
      if (at >= end) return limit;
      byte = code[at++];
      map = 1;
      if (byte === 0x38 || byte === 0x3a) {
        map = byte === 0x38 ? 2 : 3;
        if (at >= end) return limit;
        byte = code[at++];
      }
    }
    s.map = map;
    s.opcode = byte;
    s.repeat = repeat;
    s.operandSize66 = operandSize66;
    s.rex = rex;
    s.modRM = -1;
    if (this.#forms.hasModRM(map, byte)) {
      if (at >= end) return limit;
      s.modRM = code[at];
    }
    const form = this.#forms.select(s);
    if (form === undefined) return INVALID;
    d.form = form;
    d.encoding = form.encoding;
    d.registers = form.registers;
    d.isMemory = form.isMemory;
    d.rip = rip;
    d.lock = lock;
    d.address32 = address32;
    d.segment = form.isExtraSegment ? ZERO : segment;
    d.base = form.base;
    d.index = ZERO;
    d.scale = 0;
    d.dispLow = 0;
    d.dispHigh = 0;
    d.immLow = form.fixedImmediate;
    d.immHigh = 0;
    d.imm2 = 0;
    d.target = 0;
    if (form.hasModRM) at++;
    this.#at = at;
    const isRipRelative = form.isAddressed && this.#memory(s.modRM, rex);
    if (form.isOffset) this.#offset();
    if (form.immediateBytes !== 0) this.#immediate(form.immediateBytes, form.isSigned);
    if (form.secondImmediateBytes !== 0) this.#secondImmediate(form.secondImmediateBytes);
    if (this.#at > end) return limit;
    // LOCK is for a memory destination only: `lock add eax, [rbx]` is undefined (SDM 2A, LOCK).
    if (!form.isDefined || (lock && !form.allowsLock)) return INVALID;
    d.length = this.#at - offset;
    if (isRipRelative) {
      const target = rip + d.length + (d.dispLow | 0);
      d.dispLow = target >>> 0;
      d.dispHigh = Math.floor(target / TWO_32) >>> 0;
    }
    if (form.isRelative) d.target = rip + d.length + (d.immLow | 0);
    return DECODED;
  }

  // What follows reads no byte from behind the end: where bytes are missing, #at goes past it.

  /** ModRM, SIB and displacement (SDM 2A §2.1.5). True for RIP-relative. */
  #memory(modRM: number, rex: number): boolean {
    const d = this.decoded;
    const mod = modRM >> 6;
    let base = modRM & 7;
    let displacementBytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
    let isRipRelative = false;
    if (base === 4) {
      const sib = this.#byte();
      const index = ((sib >> 3) & 7) | ((rex & 2) << 2);
      if (index !== 4) {
        d.index = GPR + index * 8;
        d.scale = sib >> 6;
      }
      base = sib & 7;
      if (base === 5 && mod === 0) displacementBytes = 4;
      else d.base = GPR + (base | ((rex & 1) << 3)) * 8;
    } else if (base === 5 && mod === 0) {
      displacementBytes = 4;
      isRipRelative = true;
    } else d.base = GPR + (base | ((rex & 1) << 3)) * 8;
    if (displacementBytes === 1) d.dispLow = (this.#byte() << 24) >> 24;
    else if (displacementBytes === 4) d.dispLow = this.#word();
    d.dispHigh = d.dispLow >> 31;
    return isRipRelative;
  }
  #offset(): void {
    const d = this.decoded;
    d.dispLow = this.#word() >>> 0;
    d.dispHigh = d.address32 ? 0 : this.#word() >>> 0;
  }

  #immediate(bytes: number, signed: boolean): void {
    const d = this.decoded;
    if (bytes === 1) {
      const byte = this.#byte();
      d.immLow = signed ? (byte << 24) >> 24 : byte;
    } else if (bytes === 2) {
      const half = this.#byte() | (this.#byte() << 8);
      d.immLow = signed ? (half << 16) >> 16 : half;
    } else d.immLow = this.#word();
    d.immHigh = bytes === 8 ? this.#word() : signed ? d.immLow >> 31 : 0;
  }
  #secondImmediate(bytes: number): void {
    this.decoded.imm2 = this.#byte();
    this.#at += bytes - 1;
  }
  #byte(): number {
    const at = this.#at++;
    return at < this.#end ? this.#code[at] : 0;
  }
  /** 32 bits, signed. */
  #word(): number {
    const at = this.#at, c = this.#code;
    this.#at = at + 4;
    return at + 4 <= this.#end ? c[at] | (c[at + 1] << 8) | (c[at + 2] << 16) | (c[at + 3] << 24) : 0;
  }
}
