/** Opcode tables: (map, opcode byte) → candidate encodings, and the choice among them. Made from the encoding rows, or filled on demand. */
import { allEncodings, type Encoding } from "../instructions/define.ts";

export const NO_CANDIDATES: readonly Encoding[] = [];

export class OpcodeTables {
  readonly #rows: (readonly Encoding[] | undefined)[] = new Array(4 * 256);
  readonly #missing: (key: number) => readonly Encoding[] | undefined;

  /** @param missing asked once for what `encodings` do not have: the candidates of map * 256 + opcode. */
  constructor(encodings: readonly Encoding[] = allEncodings(), missing: (key: number) => readonly Encoding[] | undefined = () => undefined) {
    this.#missing = missing;
    for (const e of encodings) {
      const copies = e.registerInOpcode ? 8 : 1;
      for (let i = 0; i < copies; i++) {
        const key = e.map * 256 + e.opcode + i;
        this.#rows[key] = [...(this.#rows[key] ?? []), e];
      }
    }
  }
  candidates(map: number, opcode: number): readonly Encoding[] {
    const key = map * 256 + opcode;
    return (this.#rows[key] ??= this.#missing(key) ?? NO_CANDIDATES);
  }
}

/** What opcode, prefixes and ModRM say; by this an encoding is chosen. */
export interface Selector {
  map: number;
  opcode: number;
  /** 0, 0xf2 or 0xf3: the last repeat prefix. */
  repeat: number;
  operandSize66: boolean;
  /** The REX prefix, or 0. */
  rex: number;
  /** The ModRM byte, or -1 if there is none. */
  modRM: number;
}

/** Picks the encoding that the prefixes select; F2 and F3 win over 66 as mandatory prefixes (SDM 2A §2.1.2), and what they select may be
 *  nothing. Only where 66 is no more than an operand size, beside a row for any prefix, does it count after them. */
export function selectEncoding(candidates: readonly Encoding[], s: Selector): Encoding | undefined {
  const mandatory = s.repeat !== 0 ? s.repeat : s.operandSize66 ? 0x66 : 0;
  return (
    (mandatory !== 0 ? find(candidates, s, mandatory) : find(candidates, s, "none")) ??
    (s.repeat !== 0 && s.operandSize66 && candidates.some((c) => c.prefix === "any") ? find(candidates, s, 0x66) : undefined) ??
    find(candidates, s, "any")
  );
}

function find(candidates: readonly Encoding[], s: Selector, prefix: Encoding["prefix"] | number): Encoding | undefined {
  let fallback: Encoding | undefined;
  const rexW = (s.rex & 8) !== 0;
  for (let i = 0; i < candidates.length; i++) {
    const e = candidates[i];
    if (e.prefix !== prefix) continue;
    if (e.rexW >= 0 && (e.rexW === 1) !== rexW) continue;
    if (((s.rex & 1) !== 0 && e.options.withoutRexB === true) || ((s.rex & 4) !== 0 && e.options.withoutRexR === true)) continue;
    if (e.modRM >= 0 && e.modRM !== s.modRM) continue;
    if (e.digit >= 0 && e.digit !== ((s.modRM >> 3) & 7)) continue;
    if (e.hasModRM && !formAllowed(e, s.modRM >= 0xc0 || e.options.ignoresMod === true)) continue;
    if (e.size === 0) return e;
    const wide64 = rexW || (e.options.default64 === true && (!s.operandSize66 || e.options.ignoresOperandSize === true));
    const wanted = wide64 ? 64 : s.operandSize66 && e.prefix !== 0x66 ? 16 : 32;
    if (e.size === wanted) return e;
    if (e.size === 32 && wanted === 16) fallback = e;
  }
  return fallback;
}

function formAllowed({ operands }: Encoding, register: boolean): boolean {
  for (let i = 0; i < operands.length; i++) {
    const o = operands[i];
    if (o.source === "st") return register;
    if (o.source === "rm") return register ? o.allowsRegister : o.allowsMemory;
  }
  return true;
}
