/** Instructions as rows in the manual's notation, each with its meaning written once against the builder.
 *
 *   instruction("add", ["00 /r   rm8, r8", "01 /r   rmv, rv", "83 /0   rmv, is8"], { lock: true }, (b, dst, src) => { … })
 *
 *  A row is opcode part, at least two spaces, operands. Opcode part: optional NP | 66 | F2 | F3, optional REX.W or W0, optional 0F,
 *  0F 38 or 0F 3A, the opcode byte (a trailing +r puts a register in its low bits), then /r or /0…/7. A third byte in place of
 *  /digit is a fixed ModRM byte (`D9 E8`). NP: only without 66, F2, F3. A row without prefix token takes any prefix. */
import type { Builder, Operand } from "../builder.ts";
import { type OperandSpec, operandSpec, sizesOf } from "./operands.ts";

export type Semantics = (b: Builder, ...operands: Operand[]) => void;

export interface InstructionOptions {
  /** `lock` prefix allowed with a memory destination. */
  readonly lock?: boolean;
  /** Operand size defaults to 64 in 64-bit mode (SDM 2A §2.2.1.7): sizes are 16 and 64 only. */
  readonly default64?: boolean;
  /** Ends a basic block: control transfer, or what must leave the CPU. */
  readonly endsBlock?: boolean;
  /** Conditional branch: falls through to the next record. */
  readonly conditional?: boolean;
  /** Set by rows whose meaning changes code mapping or needs an exact instruction count (rdtsc, syscall). */
  readonly exact?: boolean;
  /** 0x66 does not select 16 bits but is ignored (near branches). */
  readonly ignoresOperandSize?: boolean;
  /** The row is not meant when REX.B is set (nop beside xchg r8, rax). */
  readonly withoutRexB?: boolean;
  /** The same for REX.R (control and debug registers that do not exist). */
  readonly withoutRexR?: boolean;
  /** ModRM.rm is a register whatever ModRM.mod says (moves to and from control registers). */
  readonly ignoresMod?: boolean;
}

/** One encoding at one operand size. */
export interface Encoding {
  readonly mnemonic: string;
  /** As written; "" in encodings that are made without reading rows (cold/tables.ts). */
  readonly row: string;
  /** Number of the definition. */
  readonly definition: number;
  /** 0 one-byte, 1 = 0F, 2 = 0F 38, 3 = 0F 3A. */
  readonly map: number;
  readonly opcode: number;
  readonly registerInOpcode: boolean;
  /** "any", "none", or the mandatory prefix byte. */
  readonly prefix: "any" | "none" | 0x66 | 0xf2 | 0xf3;
  /** Operand size this encoding is for, or 0 for all. */
  readonly size: number;
  /** Required REX.W, or -1. */
  readonly rexW: number;
  readonly hasModRM: boolean;
  /** /digit or -1. */
  readonly digit: number;
  /** Fixed ModRM byte or -1. */
  readonly modRM: number;
  readonly operands: readonly OperandSpec[];
  readonly options: InstructionOptions;
  readonly semantics: Semantics;
}

/** What one call of {@link instruction} says. */
interface Definition {
  readonly mnemonic: string;
  readonly rows: readonly string[];
  readonly options: InstructionOptions;
  readonly semantics: Semantics;
}
const definitions: Definition[] = [];
const encodings: Encoding[] = [];
/** Definitions whose rows have been read. */
let read = 0;

/** Rows are read when somebody asks for all encodings; a program that is translated needs only what they mean, by the definition's number
 *  (cold/tables.ts). */
export function instruction(mnemonic: string, rows: readonly string[], options: InstructionOptions, semantics: Semantics): void {
  definitions.push({ mnemonic, rows, options, semantics });
}
export function isAnythingDefined(): boolean {
  return definitions.length > 0;
}
export function semanticsOf(definition: number): Semantics {
  return definitions[definition].semantics;
}
/** Every encoding defined so far, in definition order. */
export function allEncodings(): readonly Encoding[] {
  for (; read < definitions.length; read++) readRows(definitions[read], read);
  return encodings;
}

function readRows({ mnemonic, rows, options, semantics }: Definition, definition: number): void {
  for (const row of rows) {
    const [opcodePart, operandPart = ""] = row.trim().split(/\s{2,}/);
    const tokens = operandPart === "" ? [] : operandPart.split(/\s*,\s*/);
    const head = parseOpcode(opcodePart);
    let sizes = sizesOf(tokens);
    if (options.default64 === true && sizes.length > 0) sizes = [16, 64];
    if (head.prefix === 0x66 || (head.rexW >= 0 && sizes.length > 0)) sizes = head.rexW === 1 ? [64] : head.prefix === 0x66 && sizes.length > 0 && head.rexW < 0 ? sizes.filter((s) => s !== 16) : [32];
    if (sizes.length === 0 || !tokens.some((t) => sizesOf([t]).length > 0)) sizes = [0];
    for (const size of sizes) {
      encodings.push({
        mnemonic, row, definition, ...head, size, options, semantics,
        operands: tokens.map((t) => operandSpec(t, size === 0 ? (head.rexW === 1 || options.default64 === true ? 64 : 32) : size)),
      });
    }
  }
}

interface OpcodeHead { map: number; opcode: number; registerInOpcode: boolean; prefix: Encoding["prefix"]; rexW: number; hasModRM: boolean; digit: number; modRM: number }

function parseOpcode(text: string): OpcodeHead {
  const head: OpcodeHead = { map: 0, opcode: -1, registerInOpcode: false, prefix: "any", rexW: -1, hasModRM: false, digit: -1, modRM: -1 };
  const parts = text.split(/\s+/);
  let i = 0;
  if (parts[i] === "NP") head.prefix = "none";
  else if (parts[i] === "66" || parts[i] === "F2" || parts[i] === "F3") head.prefix = Number.parseInt(parts[i], 16) as 0x66 | 0xf2 | 0xf3;
  if (head.prefix !== "any") i++;
  if (parts[i] === "REX.W") head.rexW = 1;
  else if (parts[i] === "W0") head.rexW = 0;
  if (head.rexW >= 0) i++;
  if (parts[i] === "0F") {
    head.map = 1;
    i++;
    // 0F 38 and 0F 3A are escapes when another opcode byte follows.
    if ((parts[i] === "38" || parts[i] === "3A") && /^[0-9A-F]{2}/.test(parts[i + 1] ?? "")) head.map = parts[i++] === "38" ? 2 : 3;
  }
  const byte = parts[i++];
  head.registerInOpcode = byte.endsWith("+r");
  head.opcode = Number.parseInt(byte, 16);
  for (; i < parts.length; i++) {
    head.hasModRM = true;
    if (parts[i] === "/r") continue;
    if (/^\/[0-7]$/.test(parts[i])) head.digit = Number(parts[i][1]);
    else if (/^[0-9A-F]{2}$/.test(parts[i])) head.modRM = Number.parseInt(parts[i], 16);
    else throw new Error(`bad opcode part "${text}"`);
  }
  if (Number.isNaN(head.opcode)) throw new Error(`bad opcode part "${text}"`);
  return head;
}
