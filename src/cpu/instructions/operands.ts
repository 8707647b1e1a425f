/** The operand vocabulary of encoding rows, close to the manual's (Intel SDM 2A §3.1.1.3).
 *
 *   token          in ModRM/opcode             what it is
 *   rm8…rm64 rmv   ModRM.rm                    general register or memory         rmv: 16/32/64 by operand size, rmy: 32/64
 *   r8…r64  rv ry  ModRM.reg                   general register
 *   rr8…rr64 rrv rry  ModRM.rm, register form only
 *   m m8…m128 mv my m80 m512  ModRM.rm, memory form only       m: address only
 *   o8…o64  ov     low three opcode bits       general register
 *   x              ModRM.reg                   XMM register
 *   xm8…xm128      ModRM.rm                    XMM register or memory; xm128 must be 16-byte aligned, xmu128 need not
 *   xx             ModRM.rm, register form     XMM register
 *   ma128          ModRM.rm, memory form       128 bits, 16-byte aligned
 *   mm mmm32 mmm64 mmr   MMX register in ModRM.reg / register or memory in rm / register in rm
 *   st             low three bits of ModRM     ST(i)
 *   i8 is8 i16 i32 iz i64 iv    immediate      is8, iz: sign-extended to the operand size; iv: full size (mov)
 *   rel8 relz      relative branch target
 *   moffs8 moffsv  absolute address of al/rAX
 *   si8 siv        [rSI] with the segment override, no ModRM: the manual's X operands
 *   esdi8 esdiv    [rDI] without one (ES): the manual's Y operands
 *   dsdi bx8       [rDI] (maskmov) and [rBX] (xlat) with the segment override
 *   AL AX EAX RAX rAX CL DX XMM0 1   fixed                      rAX: by operand size
 *   sreg           ModRM.reg                   segment register
 */

/** Where an operand's number or address comes from. */
export type OperandSource = "reg" | "rm" | "opcode" | "immediate" | "relative" | "offset" | "implicit" | "fixed" | "st";
/** What kind of thing it is once decoded. `rm` operands become gpr/xmm/mmx or memory by ModRM.mod. */
export type OperandClass = "gpr" | "xmm" | "mmx" | "st" | "imm" | "rel" | "sreg";

export interface OperandSpec {
  readonly token: string;
  readonly source: OperandSource;
  readonly class: OperandClass;
  /** Bits. 0: an address without a size (lea, fxsave…). */
  readonly width: number;
  readonly allowsRegister: boolean;
  readonly allowsMemory: boolean;
  /** Memory form must be 16-byte aligned, else #GP. */
  readonly aligned: boolean;
  /** Fixed register number (of an implicit memory operand: its base) or fixed immediate. */
  readonly fixed: number;
  /** Bytes of an encoded immediate and whether it is sign-extended. */
  readonly immediateBytes: number;
  readonly signed: boolean;
}

const base: Omit<OperandSpec, "token"> = {
  source: "rm", class: "gpr", width: 0, allowsRegister: true, allowsMemory: false, aligned: false, fixed: -1, immediateBytes: 0, signed: false,
};

/** Spec of `token` at operand size `size` (16, 32 or 64). Throws on an unknown token: a mistake in a row. */
export function operandSpec(token: string, size: number): OperandSpec {
  const make = (more: Partial<OperandSpec>): OperandSpec => ({ ...base, token, ...more });
  const sized = (suffix: string): number => (suffix === "v" ? size : suffix === "y" ? (size === 64 ? 64 : 32) : Number(suffix || 0));
  let match: RegExpExecArray | null;
  if ((match = /^rm(8|16|32|64|v|y)$/.exec(token))) return make({ width: sized(match[1]), allowsMemory: true });
  if ((match = /^rr(8|16|32|64|v|y)$/.exec(token))) return make({ width: sized(match[1]) });
  if ((match = /^r(8|16|32|64|v|y)$/.exec(token))) return make({ source: "reg", width: sized(match[1]) });
  if ((match = /^o(8|16|32|64|v|y)$/.exec(token))) return make({ source: "opcode", width: sized(match[1]) });
  if ((match = /^m(|8|16|32|64|80|128|512|v|y)$/.exec(token))) return make({ width: sized(match[1]), allowsRegister: false, allowsMemory: true });
  if (token === "ma128") return make({ width: 128, allowsRegister: false, allowsMemory: true, aligned: true });
  if (token === "x") return make({ source: "reg", class: "xmm", width: 128 });
  if (token === "xx") return make({ class: "xmm", width: 128 });
  if ((match = /^xm(u?)(8|16|32|64|128)$/.exec(token))) {
    return make({ class: "xmm", width: Number(match[2]), allowsMemory: true, aligned: match[2] === "128" && match[1] === "" });
  }
  if (token === "mm") return make({ source: "reg", class: "mmx", width: 64 });
  if (token === "mmr") return make({ class: "mmx", width: 64 });
  if ((match = /^mmm(32|64)$/.exec(token))) return make({ class: "mmx", width: Number(match[1]), allowsMemory: true });
  if (token === "st") return make({ source: "st", class: "st", width: 80 });
  if (token === "sreg") return make({ source: "reg", class: "sreg", width: 16 });
  if (token === "1") return make({ source: "fixed", class: "imm", width: 8, fixed: 1 });
  if ((match = /^i(8|16|32|64)$/.exec(token))) return make({ source: "immediate", class: "imm", width: Number(match[1]), immediateBytes: Number(match[1]) / 8 });
  if (token === "is8") return make({ source: "immediate", class: "imm", width: size, immediateBytes: 1, signed: true });
  if (token === "iz") return make({ source: "immediate", class: "imm", width: size, immediateBytes: size === 16 ? 2 : 4, signed: true });
  if (token === "iv") return make({ source: "immediate", class: "imm", width: size, immediateBytes: size / 8 });
  if (token === "rel8") return make({ source: "relative", class: "rel", immediateBytes: 1, signed: true });
  if (token === "relz") return make({ source: "relative", class: "rel", immediateBytes: 4, signed: true });
  if ((match = /^moffs(8|v)$/.exec(token))) return make({ source: "offset", width: sized(match[1]), allowsRegister: false, allowsMemory: true });
  if ((match = /^(si|esdi|dsdi|bx)(|8|v)$/.exec(token))) {
    return make({ source: "implicit", width: sized(match[2]), allowsRegister: false, allowsMemory: true, fixed: match[1] === "si" ? 6 : match[1] === "bx" ? 3 : 7 });
  }
  const fixedRegisters: Record<string, [number, number]> = { AL: [0, 8], AX: [0, 16], EAX: [0, 32], RAX: [0, 64], rAX: [0, size], CL: [1, 8], DX: [2, 16] };
  const fixed = fixedRegisters[token];
  if (fixed !== undefined) return make({ source: "fixed", fixed: fixed[0], width: fixed[1] });
  if (token === "XMM0") return make({ source: "fixed", class: "xmm", fixed: 0, width: 128 });
  throw new Error(`unknown operand token ${token}`);
}

/** True when the row must be expanded for the operand sizes 16, 32 and 64 (or 32 and 64). */
export function sizesOf(tokens: readonly string[]): readonly number[] {
  if (tokens.some((t) => /^(rm|rr|r|o|m|moffs|si|esdi)v$/.test(t) || ["rAX", "iz", "iv", "is8"].includes(t))) return [16, 32, 64];
  if (tokens.some((t) => /^(rm|rr|r|o|m)y$/.test(t))) return [32, 64];
  return [];
}
