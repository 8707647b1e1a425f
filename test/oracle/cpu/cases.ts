/** Makes cases: decodes an encoding with our decoder, gives registers values that let its memory operand land where something can
 *  be seen, and fills everything else from the pools. */
import { Decoder } from "../../../src/cpu/decode/decoder.ts";
import { OpcodeTables } from "../../../src/cpu/decode/tables.ts";
import type { Encoding } from "../../../src/cpu/instructions/define.ts";
import { FS_BASE, GPR, GS_BASE, ZERO } from "../../../src/cpu/state.ts";
import "../../../src/cpu/instructions/index.ts";
import type { Code } from "./encode.ts";
import {
  AFTER_READ_ONLY,
  BOUNDARY,
  CODE,
  FS_BASE_VALUE,
  FX_CONTROL,
  FX_MXCSR,
  FX_ST,
  FX_STATUS,
  FX_TAG,
  FX_XMM,
  GS_BASE_VALUE,
  IN_BYTES,
  IN_CODE,
  IN_CODE_LENGTH,
  IN_CODE_OFFSET,
  IN_FX,
  IN_PATCH,
  IN_PATCH_LENGTH,
  IN_PATCH_OFFSET,
  IN_RFLAGS,
  MEMORY,
  READ_ONLY,
  UNMAPPED,
} from "./layout.ts";
import { KIND_F32, KIND_F64, KIND_INTEGER, putF32, putF64, putF80, putInteger, putVector, type VectorKind } from "./pools.ts";
import type { Random } from "./random.ts";

const TWO_32 = 0x1_0000_0000;
const RAX = 0,
  RCX = 1,
  RDX = 2,
  RSP = 4,
  RBP = 5,
  RSI = 6,
  RDI = 7;
const USER_CODE_SELECTOR = 0x33;

/** What a case needs to know of an encoding. */
export interface Plan {
  readonly encoding: Encoding;
  readonly code: Code;
  readonly next: number;
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  readonly segmentBase: number;
  readonly address32: boolean;
  /** Bytes of the memory operand; 0 when there is none. */
  readonly bytes: number;
  readonly aligned: boolean;
  readonly memory: boolean;
  readonly vector: boolean;
  readonly vectorKind: VectorKind;
  readonly x87: boolean;
  readonly string: boolean;
  readonly immediate: number;
}

const decoder = new Decoder(new OpcodeTables());

/** Plan of one encoding, or undefined when our decoder does not take it. */
export function plan(code: Code): Plan | undefined {
  const buffer = new Uint8Array(32);
  buffer.set(code.bytes);
  if (decoder.decode(buffer, 0, 32, CODE + code.offset) !== 0) return undefined;
  const d = decoder.decoded;
  if (d.length !== code.bytes.length) return undefined;
  const e = d.encoding;
  const operand = e.operands.find((o) => o.allowsMemory);
  const classes = e.operands.map((o) => o.class);
  const vector = classes.includes("xmm") || /xmm|mxcsr|fxsave|fxrstor/.test(e.mnemonic) || classes.includes("mmx");
  const m = e.mnemonic.replace(/^v/, "");
  return {
    encoding: e,
    code,
    next: CODE + code.offset + d.length,
    base: d.base === ZERO ? -1 : (d.base - GPR) / 8,
    index: d.index === ZERO ? -1 : (d.index - GPR) / 8,
    scale: 1 << d.scale,
    displacement: (d.dispHigh | 0) * TWO_32 + (d.dispLow >>> 0),
    segmentBase: d.segment === FS_BASE ? FS_BASE_VALUE : d.segment === GS_BASE ? GS_BASE_VALUE : 0,
    address32: d.address32,
    memory: d.isMemory && operand !== undefined,
    bytes: operand === undefined ? 0 : operand.token === "m512" ? 512 : Math.max(1, operand.width / 8),
    aligned: (operand?.aligned ?? false) || operand?.token === "m512" || m === "cmpxchg16b",
    vector,
    vectorKind: !vector
      ? KIND_INTEGER
      : /(ps|ss|ps2|ss2..|ps2..)$|^cvt(t?)(ps|ss)|sldup|shdup/.test(m) && !/^p/.test(m)
        ? KIND_F32
        : /(pd|sd)$|^cvtt?(pd|sd)|ddup/.test(m) && !/^p/.test(m)
          ? KIND_F64
          : KIND_INTEGER,
    x87:
      (e.map === 0 && ((e.opcode >= 0xd8 && e.opcode <= 0xdf) || e.opcode === 0x9b)) ||
      classes.includes("st") ||
      classes.includes("mmx") ||
      /fxsave|fxrstor|emms/.test(m),
    string: /(movs|stos|lods|cmps|scas)$/.test(m) && e.map === 0,
    immediate: d.immLow,
  };
}

export class CaseMaker {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly words: Uint32Array;
  readonly #r: Random;
  #at = 0;

  constructor(capacity: number, r: Random) {
    this.bytes = new Uint8Array(capacity * IN_BYTES);
    this.view = new DataView(this.bytes.buffer);
    this.words = new Uint32Array(this.bytes.buffer);
    this.#r = r;
  }

  /** Writes case number `slot` for `p`. */
  make(slot: number, p: Plan): void {
    const r = this.#r;
    const { view, words } = this;
    const at = slot * IN_BYTES;
    this.#at = at;
    const word = at >>> 2;
    this.bytes.set(p.code.bytes, at + IN_CODE);
    view.setUint32(at + IN_CODE_OFFSET, p.code.offset, true);
    view.setUint32(at + IN_CODE_LENGTH, p.code.bytes.length, true);
    for (let i = 0; i < 16; i++) putInteger(words, word + i * 2, r);
    let flags = 0x202 | (r.next() & 0x8d5);
    if (p.string ? r.chance(50) : r.chance(3)) flags |= 0x400;
    view.setUint32(at + IN_RFLAGS, flags, true);
    view.setUint32(at + IN_RFLAGS + 4, 0, true);
    this.#float(p);
    this.#set(RSP, BOUNDARY - 0x100 + 8 * r.below(0x40) + (r.chance(10) ? r.below(8) : 0));
    view.setUint32(at + IN_PATCH_LENGTH, 0, true);
    if (p.string) this.#string(p);
    else if (p.memory) this.#memory(p);
    else if (p.base === -1) this.#stackPatch();
    this.#special(p);
  }

  /** Register := signed number. */
  #set(register: number, value: number): void {
    const index = (this.#at >>> 2) + register * 2;
    this.words[index] = value >>> 0;
    this.words[index + 1] = Math.floor(value / TWO_32) >>> 0;
  }
  #low(register: number): number {
    return this.words[(this.#at >>> 2) + register * 2];
  }

  /** Puts the memory operand somewhere: mostly inside the window, often across its page boundary, sometimes where it must fault. */
  #target(p: Plan): number {
    const r = this.#r;
    const size = Math.max(1, p.bytes);
    if (r.chance(4)) {
      switch (r.below(6)) {
        case 0:
          return UNMAPPED + 16 * r.below(8) + (r.chance(50) ? r.below(16) : 0);
        case 1:
          return READ_ONLY + 16 * r.below(8) + (r.chance(50) ? r.below(16) : 0);
        case 2:
          return UNMAPPED - 1 - r.below(size);
        case 3:
          return AFTER_READ_ONLY - 1 - r.below(size);
        case 4:
          return UNMAPPED - 64 + r.below(64);
        default:
          return 2 ** 47 + 16 * r.below(1 << 20);
      }
    }
    if (p.bytes === 512) return BOUNDARY - 512 + 16 * r.below(33) + (r.chance(5) ? r.below(16) : 0);
    if (p.aligned && r.chance(92)) return BOUNDARY - 0x180 + 16 * r.below(0x2f);
    if (r.chance(35)) return BOUNDARY - 1 - r.below(Math.max(1, size));
    return BOUNDARY - 0x180 + r.below(0x2f0);
  }

  /** Solves base + index·scale + displacement + segment base for the registers; returns where the operand really is. */
  #solve(p: Plan, target: number): number {
    const r = this.#r;
    const fixed = p.displacement + p.segmentBase;
    const wanted = target - fixed;
    let actual = target;
    if (p.base < 0 && p.index < 0) actual = fixed;
    else if (p.index < 0) this.#set(p.base, wanted);
    else if (p.base < 0) {
      const value = Math.floor(wanted / p.scale);
      this.#set(p.index, value);
      actual = value * p.scale + fixed;
    } else if (p.base === p.index) {
      const value = Math.floor(wanted / (1 + p.scale));
      this.#set(p.base, value);
      actual = value * (1 + p.scale) + fixed;
    } else {
      const value = r.chance(50) ? r.next() >> 24 : r.next();
      this.#set(p.index, value);
      this.#set(p.base, wanted - value * p.scale);
    }
    if (p.address32) {
      // Upper halves are not looked at.
      for (const register of [p.base, p.index]) if (register >= 0) this.words[(this.#at >>> 2) + register * 2 + 1] = r.next();
      actual = ((((actual - p.segmentBase) % TWO_32) + TWO_32) % TWO_32) + p.segmentBase;
    }
    return actual;
  }

  #memory(p: Plan): void {
    if (p.encoding.mnemonic === "xlat") {
      this.#solve(p, this.#target(p) - (this.#low(RAX) & 0xff));
      return;
    }
    const where = this.#solve(p, this.#target(p));
    this.#patch(where, Math.max(16, Math.min(64, p.bytes)), p);
  }
  #stackPatch(): void {
    const where = this.#low(RSP);
    const { view } = this;
    view.setUint32(this.#at + IN_PATCH_OFFSET, where - MEMORY, true);
    view.setUint32(this.#at + IN_PATCH_LENGTH, 64, true);
    for (let i = 0; i < 16; i += 2) putInteger(this.words, ((this.#at + IN_PATCH) >>> 2) + i, this.#r);
  }

  /** Contents for the operand at `where`, as far as it lies in a window. */
  #patch(where: number, length: number, p: Plan): void {
    const r = this.#r;
    let room = 0;
    if (where >= BOUNDARY - 512 && where < BOUNDARY + 512) room = BOUNDARY + 512 - where;
    else if (where >= UNMAPPED - 64 && where < UNMAPPED) room = UNMAPPED - where;
    else if (where >= AFTER_READ_ONLY && where < AFTER_READ_ONLY + 64) room = AFTER_READ_ONLY + 64 - where;
    if (room === 0) return;
    const { view, words } = this;
    const at = this.#at;
    view.setUint32(at + IN_PATCH_OFFSET, where - MEMORY, true);
    view.setUint32(at + IN_PATCH_LENGTH, Math.min(length, room), true);
    const word = (at + IN_PATCH) >>> 2;
    if (p.x87 && !p.vector) {
      if (p.bytes === 10) putF80(this.bytes, view, at + IN_PATCH, r);
      else if (p.bytes === 4 && r.chance(70)) putF32(words, word, r);
      else if (p.bytes === 8 && r.chance(70)) putF64(words, word, r);
      else putInteger(words, word, r);
      if (p.bytes === 10 && /bld|bstp/.test(p.encoding.mnemonic) && r.chance(90)) {
        for (let i = 0; i < 9; i++) this.bytes[at + IN_PATCH + i] = r.below(10) | (r.below(10) << 4);
      }
      return;
    }
    for (let i = 0; i < length; i += 16) putVector(words, word + i / 4, r, p.vector ? this.#kind(p) : KIND_INTEGER);
  }
  #kind(p: Plan): VectorKind {
    return this.#r.chance(85) ? p.vectorKind : (this.#r.below(3) as VectorKind);
  }

  /** FXSAVE image: control words, x87 and XMM registers. What an instruction does not look at stays as it was. */
  #float(p: Plan): void {
    const r = this.#r;
    const { view, words, bytes } = this;
    const fx = this.#at + IN_FX;
    const word = fx >>> 2;
    view.setUint16(fx + FX_CONTROL, 0x37f, true);
    view.setUint16(fx + FX_STATUS, 0, true);
    bytes[fx + FX_TAG] = 0;
    view.setUint32(fx + FX_MXCSR, 0x1f80, true);
    if (p.vector) {
      let mxcsr = 0x1f80;
      if (r.chance(60)) mxcsr = (r.next() & 0x3f) | ((r.next() & 3) << 13);
      if (r.chance(25)) mxcsr |= r.next() & 0x8040;
      mxcsr |= r.chance(85) ? 0x1f80 : r.next() & 0x1f80;
      view.setUint32(fx + FX_MXCSR, mxcsr, true);
      for (let i = 0; i < 16; i++) putVector(words, word + FX_XMM / 4 + i * 4, r, this.#kind(p));
      // Equal and nearly equal operands.
      if (r.chance(10)) bytes.copyWithin(fx + FX_XMM + 16 * r.below(16), fx + FX_XMM, fx + FX_XMM + 16);
    }
    if (p.x87) {
      let control = 0x37f;
      if (r.chance(50)) control = 0x7f | ((r.next() & 3) << 10) | (r.pick([0, 2, 2, 3, 3]) << 8);
      if (r.chance(10)) control &= ~(r.next() & 0x3f);
      view.setUint16(fx + FX_CONTROL, control, true);
      const top = r.below(8);
      let status = (top << 11) | (r.next() & 0x4700);
      if (r.chance(30)) status |= r.next() & 0x7f;
      if ((status & 0x3f & ~control) !== 0) {
        if (r.chance(50)) status &= ~0x3f | control;
        else status |= 0x8080;
      }
      view.setUint16(fx + FX_STATUS, status, true);
      bytes[fx + FX_TAG] = r.chance(60) ? 0xff : r.chance(50) ? r.next() & 0xff : (0xff << top) & 0xff;
      for (let i = 0; i < 8; i++) {
        putF80(bytes, view, fx + FX_ST + i * 16, r);
        if (p.vector) putVector(words, word + FX_ST / 4 + i * 4, r, KIND_INTEGER);
        if (p.vector) words[word + FX_ST / 4 + i * 4 + 2] = 0xffff;
      }
    }
  }

  #string(p: Plan): void {
    const r = this.#r;
    const m = p.encoding.mnemonic;
    const size = Math.max(1, p.bytes);
    const source = this.#target(p);
    const near = r.chance(50);
    const target = near ? source + r.below(9) * (r.chance(50) ? 1 : size) * (r.chance(50) ? 1 : -1) : this.#target(p);
    const [s, d] = r.chance(96) && source > 2 ** 46 ? [BOUNDARY, BOUNDARY + 8] : [source, target];
    this.#setAddress(RSI, s - p.segmentBase, p.address32);
    this.#setAddress(RDI, d, p.address32);
    if (m.startsWith("rep")) {
      const count = r.chance(10) ? 0 : r.chance(60) ? 1 + r.below(6) : 1 + r.below(24);
      this.#set(RCX, count);
      if (p.address32) this.words[(this.#at >>> 2) + RCX * 2 + 1] = r.next();
    }
    this.#patch(s, 64, p);
    if (/cmps|scas/.test(m)) {
      // Runs of equal elements, so that repetition has something to repeat.
      const fill = r.chance(60) ? this.bytes[this.#at + IN_PATCH] : 0;
      if (r.chance(70)) this.bytes.fill(fill, this.#at + IN_PATCH, this.#at + IN_PATCH + 8 + r.below(56));
      if (r.chance(70)) for (let i = 0; i < 8; i++) this.bytes[this.#at + i] = fill;
    }
  }
  #setAddress(register: number, value: number, address32: boolean): void {
    this.#set(register, value);
    if (address32) this.words[(this.#at >>> 2) + register * 2 + 1] = this.#r.next();
  }

  /** Inputs without which an instruction would nearly always fault, or never take its other way. */
  #special(p: Plan): void {
    const r = this.#r;
    const { view, words } = this;
    const at = this.#at;
    const m = p.encoding.mnemonic;
    const patchWord = (at + IN_PATCH) >>> 2;
    const somewhere = (): number => CODE + 0x200 + r.below(0x500);
    switch (m) {
      case "jmp":
      case "call":
      case "ret":
      case "retf":
      case "iret": {
        const far = m === "retf" || m === "iret" || p.encoding.digit === 3 || p.encoding.digit === 5;
        const width = !far ? 8 : /^66/.test(p.encoding.row) ? 2 : /^REX/.test(p.encoding.row) ? 8 : 4;
        const put = (offset: number, bytes: number, value: number): void => {
          view.setUint16(at + IN_PATCH + offset, value, true);
          if (bytes >= 4) view.setUint32(at + IN_PATCH + offset, value, true);
          if (bytes === 8) view.setUint32(at + IN_PATCH + offset + 4, 0, true);
        };
        if (p.memory || m !== "jmp") {
          if (m === "ret" || m === "retf" || m === "iret" || p.memory) {
            put(0, width, somewhere());
            if (far) put(width, p.memory ? 2 : width, r.chance(90) ? USER_CODE_SELECTOR : r.pick([0, 3, 0x10, 0x2b, 0x100]));
            if (m === "iret") {
              put(2 * width, width, 0x202 | (r.next() & 0x8d5));
              put(3 * width, width, BOUNDARY + 8 * r.below(16));
              put(4 * width, width, r.chance(90) ? 0x2b : 0);
            }
          }
        }
        if (!p.memory && p.encoding.operands[0]?.source === "rm") {
          const register = (p.code.bytes[p.code.bytes.length - 1] & 7) | (rexOf(p) & 1 ? 8 : 0);
          this.#set(register, somewhere());
        }
        if (m === "call" && p.memory && p.base !== RSP && p.index !== RSP) this.#set(RSP, BOUNDARY + 0x100);
        break;
      }
      case "popf":
        view.setUint32(at + IN_PATCH, (view.getUint32(at + IN_PATCH, true) & ~0x4100) >>> 0, true);
        break;
      case "leave":
        this.#set(RBP, BOUNDARY - 0x100 + r.below(0x180));
        break;
      case "enter":
        this.#set(RBP, BOUNDARY + 0x100 + 8 * r.below(8));
        this.#set(RSP, BOUNDARY + 0x80 + 8 * r.below(16));
        break;
      case "bt":
      case "bts":
      case "btr":
      case "btc": {
        const offset = p.encoding.operands[1];
        if (offset.source !== "reg" || !p.memory) break;
        const register = regField(p);
        if (register === p.base || register === p.index) break;
        const value = r.below(2048) - 1024;
        if (p.encoding.size === 64) this.#set(register, value);
        else if (p.encoding.size === 32) words[(at >>> 2) + register * 2] = value;
        else view.setInt16(at + register * 8, value, true);
        break;
      }
      case "div":
      case "idiv":
        if (p.base === RAX || p.base === RDX || p.index === RAX || p.index === RDX) break;
        if (r.chance(40)) this.#set(RDX, m === "idiv" && (words[(at >>> 2) + 1] & 0x80000000) !== 0 ? -1 : 0);
        else if (r.chance(60)) this.#set(RDX, r.next() >> r.below(31));
        if (p.encoding.operands[0].width === 8 && r.chance(70)) view.setUint16(at, r.below(0x400), true);
        if (p.encoding.operands[0].width === 32 && r.chance(50)) this.#set(RDX, m === "idiv" ? view.getInt32(at, true) >> 31 : 0);
        break;
      case "cmpxchg":
        if (r.chance(50) && p.memory && p.base !== RAX && p.index !== RAX) this.bytes.copyWithin(at, at + IN_PATCH, at + IN_PATCH + 8);
        break;
      case "cmpxchg8b":
        if (r.chance(60) && !touches(p, RAX) && !touches(p, RDX)) {
          words[at >>> 2] = words[patchWord];
          words[(at >>> 2) + 4] = words[patchWord + 1];
        }
        break;
      case "cmpxchg16b":
        if (r.chance(60) && !touches(p, RAX) && !touches(p, RDX)) {
          this.bytes.copyWithin(at, at + IN_PATCH, at + IN_PATCH + 8);
          this.bytes.copyWithin(at + 16, at + IN_PATCH + 8, at + IN_PATCH + 16);
        }
        break;
      case "loop":
      case "loope":
      case "loopne":
      case "jrcxz":
        if (r.chance(50)) this.#set(RCX, r.below(3));
        break;
      case "ldmxcsr":
        // Bit 17 exists on one vendor's processors; the others are reserved everywhere.
        view.setUint32(at + IN_PATCH, view.getUint32(at + IN_PATCH, true) & (r.chance(80) ? 0xffff : 0x7ffd_ffff), true);
        break;
      case "fxrstor":
        view.setUint32(at + IN_PATCH + FX_MXCSR, r.chance(80) ? r.next() & 0xffff : r.next() & 0x7ffd_ffff, true);
        break;
      case "lar":
      case "lsl":
      case "verr":
      case "verw":
        if (p.memory)
          view.setUint16(at + IN_PATCH, r.pick([0, 3, 0x10, 0x18, 0x20, 0x23, 0x28, 0x2b, 0x30, 0x33, 0x40, 0x63, 0x83, 0x2f]), true);
        else
          this.#set(
            (p.code.bytes[p.code.bytes.length - 1] & 7) | (rexOf(p) & 1 ? 8 : 0),
            r.pick([0, 3, 0x10, 0x18, 0x20, 0x23, 0x28, 0x2b, 0x30, 0x33, 0x40, 0x63, 0x83, 0x2f]),
          );
        break;
      default:
        // Counts in CL reach all interesting places.
        if (p.encoding.operands.some((o) => o.token === "CL") && !touches(p, RCX) && r.chance(70)) this.bytes[at + 8] = r.below(70);
        // String compares by explicit length.
        if (/estr/.test(m) && r.chance(80)) {
          if (!touches(p, RAX)) this.#set(RAX, r.below(40) - 20);
          if (!touches(p, RDX)) this.#set(RDX, r.below(40) - 20);
        }
        if (/^maskmov/.test(m)) for (let i = 0; i < 16; i++) this.bytes[at + IN_FX + FX_XMM + 16 * r.below(16) + i] &= 0xff;
    }
  }
}

function touches(p: Plan, register: number): boolean {
  return p.base === register || p.index === register;
}
function rexOf(p: Plan): number {
  for (const byte of p.code.bytes) {
    if ((byte & 0xf0) === 0x40) return byte;
    if (![0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65].includes(byte)) return 0;
  }
  return 0;
}
/** Number in ModRM.reg of a two-byte opcode. */
function regField(p: Plan): number {
  const at = p.code.bytes.indexOf(0x0f) + 2;
  return ((p.code.bytes[at] >> 3) & 7) | ((rexOf(p) & 4) << 1);
}
