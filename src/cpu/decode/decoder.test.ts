/** The decoder against an independent disassembler (iced-x86): encodings made from every row, and random bytes. Length, validity,
 *  registers, addresses and immediates agree. MENIOS_SEED sets the seed, MENIOS_DECODER_CASES the encodings per row. */
import { Code, CpuidFeature, Decoder as Reference, DecoderOptions, type Instruction, Mnemonic, OpKind, Register } from "iced-x86";
import { describe, expect, test } from "vitest";
import { encode } from "../../../test/oracle/cpu/encode.ts";
import { Random } from "../../../test/oracle/cpu/random.ts";
import { allEncodings, type Encoding } from "../instructions/define.ts";
import type { OperandSpec } from "../instructions/operands.ts";
import "../instructions/index.ts";
import { FS_BASE, GPR, GS_BASE, VECTOR, VECTOR_STRIDE, X87_REGISTERS, ZERO } from "../state.ts";
import { DECODED, type Decoded, Decoder, INVALID, TOO_LONG, TRUNCATED } from "./decoder.ts";
import { OpcodeTables } from "./tables.ts";

const SEED = Number(process.env["MENIOS_SEED"] ?? 1);
const PER_ROW = Number(process.env["MENIOS_DECODER_CASES"] ?? 60);
const RIP = 0x1000_0000;

const decoder = new Decoder(new OpcodeTables());
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function ask(bytes: Uint8Array): Instruction {
  const reference = new Reference(64, bytes, DecoderOptions.None);
  reference.ip = BigInt(RIP);
  const instruction = reference.decode();
  reference.free();
  return instruction;
}

/** RAM address that the decoder uses for a register of iced's. */
function addressOf(register: number): number {
  if (register >= Register.AL && register <= Register.BL) return GPR + (register - Register.AL) * 8;
  if (register >= Register.AH && register <= Register.BH) return GPR + (register - Register.AH) * 8 + 1;
  if (register >= Register.SPL && register <= Register.DIL) return GPR + (register - Register.SPL + 4) * 8;
  if (register >= Register.R8L && register <= Register.R15L) return GPR + (register - Register.R8L + 8) * 8;
  for (const first of [Register.AX, Register.EAX, Register.RAX]) {
    if (register >= first && register < first + 16) return GPR + (register - first) * 8;
  }
  if (register >= Register.XMM0 && register < Register.XMM0 + 16) return VECTOR + (register - Register.XMM0) * VECTOR_STRIDE;
  if (register >= Register.MM0 && register < Register.MM0 + 8) return X87_REGISTERS + (register - Register.MM0) * 16;
  if (register >= Register.ST0 && register < Register.ST0 + 8) return register - Register.ST0;
  if (register >= Register.ES && register <= Register.GS) return register - Register.ES;
  return -1;
}
const isImmediate = (kind: number): boolean => kind >= OpKind.Immediate8 && kind <= OpKind.Immediate32to64;

/** What iced says of the operands that have a place in ours, and what the decoder says, as comparable text. */
function theirs(i: Instruction, e: Encoding, d: Decoded): string {
  const parts: string[] = [];
  const registers: number[] = [];
  const immediates: bigint[] = [];
  for (let n = 0; n < i.opCount; n++) {
    const kind = i.opKind(n);
    if (kind === OpKind.Register) registers.push(addressOf(i.opRegister(n)));
    else if (isImmediate(kind)) immediates.push(BigInt.asUintN(64, i.immediate(n)));
    else if (kind === OpKind.NearBranch64) parts.push(`to ${i.nearBranchTarget}`);
  }
  parts.push(
    `registers ${registers
      .filter((r) => r >= 0)
      .sort((a, b) => a - b)
      .join()}`,
  );
  if (d.isMemory && e.operands.some((o) => o.source === "rm" || o.source === "offset")) parts.push(memoryOf(i));
  if (immediates.length > 0 && hasImmediate(e))
    parts.push(`immediates ${immediates.map((v, n) => BigInt.asUintN(immediateWidth(e, n), v)).join()}`);
  return parts.join("; ");
}
function memoryOf(i: Instruction): string {
  const ripRelative = i.memoryBase === Register.RIP || i.memoryBase === Register.EIP;
  const base = i.memoryBase === Register.None || ripRelative ? ZERO : addressOf(i.memoryBase);
  const index = i.memoryIndex === Register.None ? ZERO : addressOf(i.memoryIndex);
  const wide =
    !(i.memoryBase >= Register.EAX && i.memoryBase < Register.EAX + 16) &&
    !(i.memoryIndex >= Register.EAX && i.memoryIndex < Register.EAX + 16);
  const segment = i.segmentPrefix === Register.FS ? FS_BASE : i.segmentPrefix === Register.GS ? GS_BASE : ZERO;
  return `[${base}+${index}*${index === ZERO ? 1 : i.memoryIndexScale}+${BigInt.asUintN(wide && i.memoryBase !== Register.EIP ? 64 : 32, i.memoryDisplacement)}] ${segment}`;
}
function hasImmediate(e: Encoding): boolean {
  return e.operands.some((o) => o.class === "imm");
}
const immediatesOf = (e: Encoding): OperandSpec[] => e.operands.filter((o) => o.class === "imm");
const immediateWidth = (e: Encoding, n: number): number => {
  const o = immediatesOf(e)[n];
  return o === undefined ? 64 : o.source === "fixed" ? 8 : o.width;
};

function ours(i: Instruction, e: Encoding, d: Decoded): string {
  const parts: string[] = [];
  if (e.operands[0]?.source === "relative") parts.push(`to ${BigInt.asUintN(64, BigInt(d.target))}`);
  const registers: number[] = [];
  e.operands.forEach((o, n) => {
    if (o.class === "imm" || o.class === "rel" || (d.isMemory && o.allowsMemory)) return;
    registers.push(d.registers[n]);
  });
  parts.push(`registers ${registers.sort((a, b) => a - b).join()}`);
  if (d.isMemory && e.operands.some((o) => o.source === "rm" || o.source === "offset")) {
    const wide =
      !d.address32 ||
      e.operands.some((o) => o.source === "offset") ||
      (d.base === ZERO && d.index === ZERO && i.memoryBase !== Register.EIP);
    const displacement = BigInt.asUintN(wide ? 64 : 32, (BigInt(d.dispHigh >>> 0) << 32n) | BigInt(d.dispLow >>> 0));
    parts.push(`[${d.base}+${d.index}*${1 << d.scale}+${displacement}] ${d.segment}`);
  }
  if (hasImmediate(e)) {
    const first = (BigInt(d.immHigh >>> 0) << 32n) | BigInt(d.immLow >>> 0);
    const values = [first, BigInt(d.imm2)].slice(0, immediatesOf(e).length);
    parts.push(`immediates ${values.map((v, n) => BigInt.asUintN(immediateWidth(e, n), v)).join()}`);
  }
  return parts.join("; ");
}

/** Rows whose operands iced lists in another way: fixed registers it shows or hides, fields that are no operands. */
const LOOSE =
  /^(rep|push .s|pop .s|in$|out$|ins|outs|movs|stos|lods|cmps|scas|xlat|mov cr|mov dr|nop|cbw|cwd|.fence|pause|invlpg|blendv|pblendvb|sha|f|j|loop|enter|maskmov)/;

describe("the decoder and iced-x86", () => {
  test(`agree on encodings of every row (seed ${SEED})`, () => {
    const r = new Random(SEED);
    const wrong: string[] = [];
    let count = 0;
    for (const e of allEncodings()) {
      for (let i = 0; i < PER_ROW; i++) {
        const { bytes } = encode(e, r, { reachable: false });
        const padded = new Uint8Array(32);
        padded.set(bytes);
        const result = decoder.decode(padded, 0, 32, RIP);
        const reference = ask(padded);
        count++;
        const d = decoder.decoded;
        // Escape opcodes that have a row only to say #UD.
        const valid = reference.code !== Code.INVALID || d.encoding.mnemonic === "ud";
        const name = `${text(bytes)} ${e.mnemonic} (${e.row})`;
        if ((result === DECODED) !== valid) wrong.push(`${name}: ours ${result}, iced ${valid ? Mnemonic[reference.mnemonic] : "invalid"}`);
        else if (valid && d.encoding.mnemonic !== "ud" && d.length !== reference.length)
          wrong.push(`${name}: length ${d.length}, iced ${reference.length}`);
        else if (valid && d.encoding.mnemonic !== "ud" && !LOOSE.test(d.encoding.mnemonic)) {
          const left = ours(reference, d.encoding, d);
          const right = theirs(reference, d.encoding, d);
          if (left !== right) wrong.push(`${name}: ${left}, iced ${right}`);
        }
        reference.free();
      }
    }
    const seen = new Set<string>();
    const firsts = wrong.filter((w) => {
      const row = w.slice(w.indexOf(" ") + 1, w.indexOf(")"));
      return !seen.has(row) && seen.add(row) !== undefined;
    });
    expect(firsts).toEqual([]);
    expect(count).toBeGreaterThan(20_000);
  });

  test(`agree on random bytes (seed ${SEED})`, () => {
    const r = new Random(SEED + 1);
    const wrong: string[] = [];
    const bytes = new Uint8Array(32);
    let decoded = 0;
    for (let i = 0; i < 60_000; i++) {
      randomBytes(bytes, r);
      const result = decoder.decode(bytes, 0, 32, RIP);
      const reference = ask(bytes);
      const valid = reference.code !== Code.INVALID;
      const d = decoder.decoded;
      const name = `${text(bytes.subarray(0, 16))} ${Mnemonic[reference.mnemonic]}`;
      if (result === DECODED) {
        decoded++;
        if (d.encoding.mnemonic !== "ud" && (!valid || d.length !== reference.length))
          wrong.push(`${name}: ours ${d.encoding.mnemonic}, ${d.length} bytes, iced ${reference.length}`);
      } else if (valid && !isOutsideIsa(reference)) wrong.push(`${name}: ours ${result}, iced ${reference.length} bytes`);
      reference.free();
    }
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(decoded).toBeGreaterThan(20_000);
  });

  test("an instruction cut short is truncated, never something else", () => {
    const r = new Random(SEED + 2);
    for (const e of allEncodings()) {
      const { bytes } = encode(e, r, { reachable: false });
      if (decoder.decode(bytes, 0, bytes.length, RIP) !== DECODED) continue;
      expect(decoder.decoded.length, text(bytes)).toBe(bytes.length);
      for (let n = 0; n < bytes.length; n++) expect(decoder.decode(bytes, 0, n, RIP), `${text(bytes)} cut to ${n}`).toBe(TRUNCATED);
    }
  });

  test("an instruction of more than 15 bytes is #GP, one of 15 is not", () => {
    const nop = (prefixes: number): Uint8Array => Uint8Array.from([...new Array(prefixes).fill(0x2e), 0x90, ...new Array(16).fill(0)]);
    expect(decoder.decode(nop(14), 0, 31, RIP)).toBe(DECODED);
    expect(decoder.decode(nop(15), 0, 31, RIP)).toBe(TOO_LONG);
    expect(decoder.decode(nop(15), 0, 14, RIP)).toBe(TRUNCATED);
  });

  test("opcodes that 64-bit mode took away are invalid", () => {
    for (const opcode of [
      0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x62, 0x82, 0x9a, 0xc4, 0xc5, 0xce, 0xd4, 0xd5, 0xd6,
      0xea,
    ]) {
      expect(
        decoder.decode(Uint8Array.from([opcode, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 0, 16, RIP),
        opcode.toString(16),
      ).toBe(INVALID);
    }
  });
});

const PREFIXES = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x65];
/** Random bytes that look like code: some prefixes, perhaps REX, an opcode of a random map. */
function randomBytes(bytes: Uint8Array, r: Random): void {
  let at = 0;
  for (let i = 0; i < bytes.length; i++) bytes[i] = r.next();
  while (r.chance(30)) bytes[at++ & 7] = r.pick(PREFIXES);
  at &= 7;
  if (r.chance(30)) bytes[at++] = 0x40 | r.below(16);
  const map = r.below(5);
  if (map > 0) bytes[at++] = 0x0f;
  if (map === 3) bytes[at++] = 0x38;
  if (map === 4) bytes[at++] = 0x3a;
}

/** What a processor with exactly x86-64-v2 does not know, or what it refuses in every case in user mode (#UD). */
const KNOWN = new Set<number>([
  CpuidFeature.INTEL8086,
  CpuidFeature.INTEL8086_ONLY,
  CpuidFeature.INTEL186,
  CpuidFeature.INTEL286,
  CpuidFeature.INTEL386,
  CpuidFeature.INTEL486,
  CpuidFeature.X64,
  CpuidFeature.FPU,
  CpuidFeature.FPU287,
  CpuidFeature.FPU387,
  CpuidFeature.MMX,
  CpuidFeature.SSE,
  CpuidFeature.SSE2,
  CpuidFeature.SSE3,
  CpuidFeature.SSSE3,
  CpuidFeature.SSE4_1,
  CpuidFeature.SSE4_2,
  CpuidFeature.POPCNT,
  CpuidFeature.CX8,
  CpuidFeature.CMPXCHG16B,
  CpuidFeature.CMOV,
  CpuidFeature.TSC,
  CpuidFeature.FXSR,
  CpuidFeature.CLFSH,
  CpuidFeature.CPUID,
  CpuidFeature.MULTIBYTENOP,
  CpuidFeature.PAUSE,
  CpuidFeature.SYSCALL,
  CpuidFeature.MSR,
]);
const REFUSED = new Set<number>([
  Mnemonic.Ud0,
  Mnemonic.Ud1,
  Mnemonic.Ud2,
  Mnemonic.Sysenter,
  Mnemonic.Rsm,
  Mnemonic.Vmcall,
  Mnemonic.Monitor,
  Mnemonic.Mwait,
]);
function isOutsideIsa(i: Instruction): boolean {
  if (REFUSED.has(i.mnemonic)) return true;
  return ![...i.cpuidFeatures()].every((feature) => KNOWN.has(feature));
}
