/** Decoded instructions as text, in the manual's order of operands (Intel SDM 2A §3.1), for listings. */
import type { OperandSpec } from "../instructions/operands.ts";
import { FS_BASE, GPR, VECTOR, VECTOR_STRIDE, X87_REGISTERS, ZERO } from "../state.ts";
import type { Decoded } from "./decoder.ts";

const NAMES = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"] as const;
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"] as const;
const SIZES: Readonly<Record<number, string>> = {
  8: "byte ", 16: "word ", 32: "dword ", 64: "qword ", 80: "tbyte ", 128: "xmmword ",
};

/** E.g. `add qword [rbx+rcx*4+0x10], rax`. */
export function formatInstruction(d: Decoded): string {
  const { mnemonic, operands } = d.encoding;
  let immediates = 0;
  const texts = operands.map((spec, position) => {
    if (spec.class === "rel") return `0x${d.target.toString(16)}`;
    if (spec.class === "imm") return spec.fixed >= 0 ? String(spec.fixed) : immediate(d, spec, immediates++);
    if (d.isMemory && spec.allowsMemory) return memory(d, spec);
    return register(d.registers[position], spec);
  });
  return `${d.lock ? "lock " : ""}${mnemonic}${texts.length === 0 ? "" : ` ${texts.join(", ")}`}`;
}

/** Name of general register `number` at `width` bits; `rax` and so on at 64. */
export function registerName(number: number, width = 64): string {
  if (number >= 8) return `r${number}${width === 64 ? "" : width === 32 ? "d" : width === 16 ? "w" : "b"}`;
  const name = NAMES[number];
  if (width === 8) return number < 4 ? `${name[0]}l` : `${name}l`;
  return `${width === 64 ? "r" : width === 32 ? "e" : ""}${name}`;
}

function register(address: number, spec: OperandSpec): string {
  switch (spec.class) {
    case "gpr": {
      const offset = address - GPR;
      return (offset & 7) === 1 ? `${NAMES[offset >> 3][0]}h` : registerName(offset >> 3, spec.width);
    }
    case "xmm":
      return `xmm${(address - VECTOR) / VECTOR_STRIDE}`;
    case "mmx":
      return `mm${(address - X87_REGISTERS) / 16}`;
    case "st":
      return `st(${address})`;
    default:
      return SEGMENTS[address] ?? `?${address}`;
  }
}

function memory(d: Decoded, spec: OperandSpec): string {
  const name = (address: number): string => registerName((address - GPR) >> 3, d.address32 ? 32 : 64);
  const parts: string[] = [];
  if (d.base !== ZERO) parts.push(name(d.base));
  if (d.index !== ZERO) parts.push(`${name(d.index)}${d.scale === 0 ? "" : `*${1 << d.scale}`}`);
  const displacement = BigInt.asIntN(64, (BigInt(d.dispHigh >>> 0) << 32n) | BigInt(d.dispLow >>> 0));
  let text = parts.join("+");
  if (text === "") text = `0x${BigInt.asUintN(64, displacement).toString(16)}`;
  else if (displacement !== 0n) text += displacement < 0n ? `-0x${(-displacement).toString(16)}` : `+0x${displacement.toString(16)}`;
  const segment = d.segment === ZERO ? "" : d.segment === FS_BASE ? "fs:" : "gs:";
  return `${SIZES[spec.width] ?? ""}[${segment}${text}]`;
}

/** @param which enter has two immediates */
function immediate(d: Decoded, spec: OperandSpec, which: number): string {
  const bits = which > 0 ? BigInt(d.imm2) : (BigInt(d.immHigh >>> 0) << 32n) | BigInt(d.immLow >>> 0);
  const value = BigInt.asUintN(spec.width, bits);
  return value < 10n ? value.toString() : `0x${value.toString(16)}`;
}
