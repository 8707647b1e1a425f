/** Instruction decoding: bytes → encoding and operands (Intel SDM 2A chapter 2). 64-bit mode only.
 *  Reads only the bytes it is given; faults, fetching and caching are the caller's. */
import type { Encoding } from "../instructions/define.ts";
import { FS_BASE, GPR, GS_BASE, vectorAddress, X87_REGISTERS, ZERO } from "../state.ts";
import { type OpcodeTables, selectEncoding, type Selector } from "./tables.ts";

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
  encoding!: Encoding;
  rip = 0;
  length = 0;
  /** By operand: RAM address of the register, or 0. */
  registers = [0, 0, 0, 0];
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
    const copy = Object.assign(new Decoded(), this);
    copy.registers = [...this.registers];
    return copy;
  }
}

export class Decoder {
  readonly decoded = new Decoded();
  readonly #tables: OpcodeTables;
  readonly #selector: Selector = { repeat: 0, operandSize66: false, rexW: false, rexB: false, rexR: false, modRM: -1 };
  #code: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #start = 0;

  constructor(tables: OpcodeTables) {
    this.#tables = tables;
  }

  /** Decodes one instruction at `code[offset]`, of which `available` bytes may be read, into {@link decoded}. */
  decode(code: Uint8Array, offset: number, available: number, rip: number): DecodeResult {
    this.#code = code;
    this.#start = offset;
    this.#at = offset;
    this.#end = offset + Math.min(available, MAX_LENGTH);
    const limit = available >= MAX_LENGTH ? TOO_LONG : TRUNCATED;
    const d = this.decoded;
    const s = this.#selector;
    s.repeat = 0;
    s.operandSize66 = false;
    d.address32 = false;
    d.segment = ZERO;
    d.lock = false;
    d.rip = rip;
    let rex = 0;
    let byte = 0;
    for (;;) {
      if (this.#at >= this.#end) return limit;
      byte = code[this.#at++];
      if ((byte & 0xf0) === 0x40) {
        rex = byte;
        continue;
      }
      if (byte === 0x66) s.operandSize66 = true;
      else if (byte === 0xf2 || byte === 0xf3) s.repeat = byte;
      else if (byte === 0xf0) d.lock = true;
      else if (byte === 0x67) d.address32 = true;
      else if (byte === 0x64) d.segment = FS_BASE;
      else if (byte === 0x65) d.segment = GS_BASE;
      else if (byte === 0x2e || byte === 0x36 || byte === 0x3e || byte === 0x26) {
        // CS, SS, DS and ES overrides have no effect in 64-bit mode, and do not cancel FS or GS.
      } else break;
      rex = 0; // a REX prefix counts only directly before the opcode
    }
    s.rexW = (rex & 8) !== 0;
    s.rexB = (rex & 1) !== 0;
    s.rexR = (rex & 4) !== 0;
    let map = 0;
    if (byte === 0x0f) {
      if (this.#at >= this.#end) return limit;
      byte = code[this.#at++];
      map = 1;
      if (byte === 0x38 || byte === 0x3a) {
        map = byte === 0x38 ? 2 : 3;
        if (this.#at >= this.#end) return limit;
        byte = code[this.#at++];
      }
    }
    const candidates = this.#tables.candidates(map, byte);
    if (candidates.length === 0) return INVALID;
    s.modRM = -1;
    if (candidates[0].hasModRM || candidates.some((c) => c.hasModRM)) {
      if (this.#at >= this.#end) return limit;
      s.modRM = code[this.#at];
    }
    const encoding = selectEncoding(candidates, s);
    if (encoding === undefined) return INVALID;
    d.encoding = encoding;
    d.isMemory = false;
    d.base = ZERO;
    d.index = ZERO;
    d.scale = 0;
    d.dispLow = 0;
    d.dispHigh = 0;
    d.immLow = 0;
    d.immHigh = 0;
    d.imm2 = 0;
    d.target = 0;
    let ripRelative = false;
    if (encoding.hasModRM) {
      this.#at++;
      if (s.modRM < 0xc0 && encoding.options.ignoresMod !== true) {
        const outcome = this.#memory(s.modRM, rex);
        if (outcome < 0) return limit;
        ripRelative = outcome === 1;
        d.isMemory = true;
      }
    }
    const operands = encoding.operands;
    let immediates = 0;
    for (let i = 0; i < operands.length; i++) {
      const o = operands[i];
      let number = 0;
      switch (o.source) {
        case "reg":
          number = ((s.modRM >> 3) & 7) | (o.class === "gpr" || o.class === "xmm" ? (rex & 4) << 1 : 0);
          // There are six segment registers, and mov cannot load CS (SDM 2B, MOV).
          if (o.class === "sreg" && (number > 5 || (i === 0 && number === 1))) return INVALID;
          break;
        case "rm":
          if (d.isMemory) {
            d.registers[i] = 0;
            continue;
          }
          number = (s.modRM & 7) | (o.class === "gpr" || o.class === "xmm" ? (rex & 1) << 3 : 0);
          break;
        case "opcode":
          number = (byte & 7) | ((rex & 1) << 3);
          break;
        case "st":
          number = s.modRM & 7;
          break;
        case "fixed":
          if (o.class === "imm") {
            d.immLow = o.fixed;
            d.registers[i] = 0;
            continue;
          }
          d.registers[i] = o.class === "xmm" ? vectorAddress(o.fixed) : GPR + o.fixed * 8;
          continue;
        case "immediate":
        case "relative":
          if (this.#at + o.immediateBytes > this.#end) return limit;
          if (immediates++ === 0) this.#immediate(o.immediateBytes, o.signed);
          else {
            d.imm2 = code[this.#at];
            this.#at += o.immediateBytes;
          }
          d.registers[i] = 0;
          continue;
        case "implicit":
          d.base = GPR + o.fixed * 8;
          if (o.token.startsWith("es")) d.segment = ZERO;
          d.isMemory = true;
          d.registers[i] = 0;
          continue;
        case "offset": {
          const bytes = d.address32 ? 4 : 8;
          if (this.#at + bytes > this.#end) return limit;
          d.dispLow = this.#u32(this.#at);
          d.dispHigh = bytes === 8 ? this.#u32(this.#at + 4) : 0;
          this.#at += bytes;
          d.isMemory = true;
          d.registers[i] = 0;
          continue;
        }
      }
      d.registers[i] = registerAddress(o.class, o.width, number, rex !== 0);
    }
    // LOCK is for a memory destination only: `lock add eax, [rbx]` is undefined (SDM 2A, LOCK).
    if (d.lock && !(encoding.options.lock === true && d.isMemory && operands[0].allowsMemory)) return INVALID;
    d.length = this.#at - this.#start;
    if (ripRelative) {
      const target = rip + d.length + (d.dispLow | 0);
      d.dispLow = target >>> 0;
      d.dispHigh = Math.floor(target / TWO_32) >>> 0;
    }
    if (operands.length > 0 && operands[0].source === "relative") d.target = rip + d.length + (d.immLow | 0);
    return DECODED;
  }

  /** ModRM, SIB and displacement (SDM 2A §2.1.5). Returns 1 for RIP-relative, 0 else, -1 when bytes are missing. */
  #memory(modRM: number, rex: number): number {
    const d = this.decoded;
    const mod = modRM >> 6;
    let base = modRM & 7;
    let displacementBytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
    let ripRelative = 0;
    if (base === 4) {
      if (this.#at >= this.#end) return -1;
      const sib = this.#code[this.#at++];
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
      ripRelative = 1;
    } else d.base = GPR + (base | ((rex & 1) << 3)) * 8;
    if (this.#at + displacementBytes > this.#end) return -1;
    if (displacementBytes === 1) d.dispLow = (this.#code[this.#at] << 24) >> 24;
    else if (displacementBytes === 4) d.dispLow = this.#u32(this.#at) | 0;
    this.#at += displacementBytes;
    d.dispHigh = d.dispLow >> 31;
    return ripRelative;
  }

  #immediate(bytes: number, signed: boolean): void {
    const d = this.decoded;
    const at = this.#at;
    if (bytes === 1) d.immLow = signed ? (this.#code[at] << 24) >> 24 : this.#code[at];
    else if (bytes === 2) {
      const word = this.#code[at] | (this.#code[at + 1] << 8);
      d.immLow = signed ? (word << 16) >> 16 : word;
    } else d.immLow = this.#u32(at) | 0;
    d.immHigh = bytes === 8 ? this.#u32(at + 4) | 0 : signed ? d.immLow >> 31 : 0;
    this.#at += bytes;
  }
  #u32(at: number): number {
    const c = this.#code;
    return (c[at] | (c[at + 1] << 8) | (c[at + 2] << 16) | (c[at + 3] << 24)) >>> 0;
  }
}

/** RAM address of a register. Without REX, byte registers 4…7 are AH, CH, DH, BH (SDM 1 §3.4.1.1). */
function registerAddress(kind: string, width: number, number: number, hasRex: boolean): number {
  switch (kind) {
    case "gpr":
      return width === 8 && !hasRex && number >= 4 ? GPR + (number - 4) * 8 + 1 : GPR + number * 8;
    case "xmm":
      return vectorAddress(number);
    case "mmx":
      return X87_REGISTERS + (number & 7) * 16;
    default:
      return number;
  }
}
