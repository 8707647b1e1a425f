/** What prefixes, opcode and ModRM say of an instruction, whatever follows them: found once and kept, for a program uses a few hundred of these. */
import type { Encoding } from "../instructions/define.ts";
import type { OperandSpec } from "../instructions/operands.ts";
import { GPR, vectorAddress, X87_REGISTERS, ZERO } from "../state.ts";
import { type OpcodeTables, selectEncoding, type Selector } from "./tables.ts";

export interface Form {
  readonly encoding: Encoding;
  /** False for #UD whatever follows. */
  readonly isDefined: boolean;
  readonly hasModRM: boolean;
  /** ModRM.rm is memory. */
  readonly isAddressed: boolean;
  /** An operand is memory. */
  readonly isMemory: boolean;
  /** The address follows as a number. */
  readonly isOffset: boolean;
  /** RAM address of an implicit base register, ZERO if there is none. */
  readonly base: number;
  /** It has the segment ES, which no prefix changes. */
  readonly isExtraSegment: boolean;
  /** By operand: RAM address of the register, or 0. */
  readonly registers: readonly number[];
  readonly fixedImmediate: number;
  /** Of the first immediate and of the second, 0 where there is none. */
  readonly immediateBytes: number;
  readonly secondImmediateBytes: number;
  readonly isSigned: boolean;
  /** The immediate is a branch's distance. */
  readonly isRelative: boolean;
  /** There is an operand that is an immediate, encoded or fixed. */
  readonly hasImmediate: boolean;
  readonly allowsLock: boolean;
}

/** A power of two. A form that is met when its place is taken by another is found again. */
const PLACES = 4096;

export class Forms {
  readonly #tables: OpcodeTables;
  /** By map * 256 + opcode, when known. */
  readonly #opcodes: (Opcode | undefined)[] = new Array(4 * 256).fill(undefined);
  readonly #keys = new Int32Array(PLACES).fill(-1);
  readonly #forms: (Form | undefined)[] = new Array(PLACES).fill(undefined);
  /** What was chosen, by {@link encodingKey}; null for nothing. */
  readonly #chosen = new Map<number, Encoding | null>();

  constructor(tables: OpcodeTables) {
    this.#tables = tables;
  }
  /** Whether any encoding of an opcode has a ModRM byte. */
  hasModRM(map: number, opcode: number): boolean {
    return this.#opcode(map, opcode).hasModRM;
  }
  /** Undefined when there is no such encoding. */
  select(s: Selector): Form | undefined {
    const opcode = (s.map << 8) | s.opcode;
    // REX.X counts only where an index is read.
    const key = (((opcode << 3) | prefixesOf(s)) << 13) | ((s.rex & 0x40) << 6) | ((s.rex & 0xd) << 8) | (s.modRM & 0xff);
    const place = (key ^ (key >>> 9) ^ (key >>> 16)) & (PLACES - 1);
    if (this.#keys[place] === key) return this.#forms[place];
    this.#keys[place] = key;
    return (this.#forms[place] = this.#find(s));
  }
  #find(s: Selector): Form | undefined {
    const encoding = this.#encoding(s);
    return encoding === undefined ? undefined : formOf(encoding, s);
  }
  #encoding(s: Selector): Encoding | undefined {
    const { candidates, counts } = this.#opcode(s.map, s.opcode);
    if (counts === "everything") return selectEncoding(candidates, s);
    const key = encodingKey(s, counts === "digit");
    let chosen = this.#chosen.get(key);
    if (chosen === undefined) this.#chosen.set(key, (chosen = selectEncoding(candidates, s) ?? null));
    return chosen ?? undefined;
  }
  #opcode(map: number, opcode: number): Opcode {
    return (this.#opcodes[map * 256 + opcode] ??= opcodeOf(this.#tables.candidates(map, opcode)));
  }
}

interface Opcode {
  readonly candidates: readonly Encoding[];
  readonly hasModRM: boolean;
  /** By what they are chosen beside prefixes, REX.W and whether ModRM.rm is a register: ModRM.reg as a digit, or all of ModRM, REX.R and REX.B. */
  readonly counts: "nothing else" | "digit" | "everything";
}
function opcodeOf(candidates: readonly Encoding[]): Opcode {
  const countsAll = candidates.some(({ modRM, options }) => modRM >= 0 || options.withoutRexB === true || options.withoutRexR === true);
  const counts = countsAll ? "everything" : candidates.some(({ digit }) => digit >= 0) ? "digit" : "nothing else";
  return { candidates, hasModRM: candidates.some((c) => c.hasModRM), counts };
}
function encodingKey(s: Selector, hasDigit: boolean): number {
  const digit = hasDigit ? (s.modRM >> 3) & 7 : 0, isRegister = s.modRM >= 0xc0 ? 1 : 0;
  return (((((s.map << 8) | s.opcode) << 3) | prefixesOf(s)) << 5) | ((s.rex & 8) << 1) | (digit << 1) | isRegister;
}
/** Repeat prefix and 66 in three bits. */
function prefixesOf(s: Selector): number {
  return ((s.repeat === 0 ? 0 : s.repeat - 0xf1) << 1) | (s.operandSize66 ? 1 : 0);
}

function formOf(encoding: Encoding, s: Selector): Form {
  const { operands, options, hasModRM } = encoding;
  const isAddressed = hasModRM && s.modRM < 0xc0 && options.ignoresMod !== true;
  const registers = [0, 0, 0, 0];
  let isMemory = isAddressed, isDefined = true, isOffset = false, isExtraSegment = false, isSigned = false, hasImmediate = false;
  let base = ZERO, fixedImmediate = 0, immediateBytes = 0, secondImmediateBytes = 0;
  for (let i = 0; i < operands.length; i++) {
    const o = operands[i];
    hasImmediate ||= o.class === "imm";
    switch (o.source) {
      case "immediate":
      case "relative":
        if (immediateBytes === 0) {
          immediateBytes = o.immediateBytes;
          isSigned = o.signed;
        } else secondImmediateBytes = o.immediateBytes;
        break;
      case "implicit":
        base = GPR + o.fixed * 8;
        isExtraSegment ||= o.token.startsWith("es");
        isMemory = true;
        break;
      case "offset":
        isOffset = isMemory = true;
        break;
      default:
        if (o.class === "imm") fixedImmediate = o.fixed;
        else if (o.source !== "rm" || !isAddressed) {
          const number = numberOf(o, s);
          registers[i] = registerAddress(o, number, s.rex !== 0);
          // There are six segment registers, and mov cannot load CS (SDM 2B, MOV).
          if (o.class === "sreg" && (number > 5 || (i === 0 && number === 1))) isDefined = false;
        }
    }
  }
  return {
    encoding, isDefined, hasModRM, isAddressed, isMemory, isOffset, base, isExtraSegment, registers, fixedImmediate, immediateBytes, secondImmediateBytes,
    isSigned, isRelative: operands.length > 0 && operands[0].source === "relative", hasImmediate, allowsLock: options.lock === true && isMemory && operands[0].allowsMemory,
  };
}

/** Number of the register that an operand names. */
function numberOf(o: OperandSpec, { modRM, opcode, rex }: Selector): number {
  // Only general and XMM registers are sixteen.
  const isExtended = o.class === "gpr" || o.class === "xmm";
  switch (o.source) {
    case "reg":
      return ((modRM >> 3) & 7) | (isExtended ? (rex & 4) << 1 : 0);
    case "rm":
      return (modRM & 7) | (isExtended ? (rex & 1) << 3 : 0);
    case "opcode":
      return (opcode & 7) | ((rex & 1) << 3);
    case "st":
      return modRM & 7;
    default:
      return o.fixed;
  }
}

/** RAM address of a register. Without REX, byte registers 4…7 are AH, CH, DH, BH (SDM 1 §3.4.1.1). */
function registerAddress(o: OperandSpec, number: number, hasRex: boolean): number {
  switch (o.class) {
    case "gpr":
      return o.source !== "fixed" && o.width === 8 && !hasRex && number >= 4 ? GPR + (number - 4) * 8 + 1 : GPR + number * 8;
    case "xmm":
      return vectorAddress(number);
    case "mmx":
      return X87_REGISTERS + (number & 7) * 16;
    default:
      return number;
  }
}
