/** Which cases can be compared, and which bits: what the manual leaves undefined is masked by instruction. */
import type { Encoding } from "../../../src/cpu/instructions/define.ts";
import type { Plan } from "./cases.ts";
import {
  FX_CONTROL,
  FX_MXCSR,
  FX_ST,
  FX_STATUS,
  FX_TAG,
  FX_XMM,
  IN_CODE_OFFSET,
  IN_PATCH_OFFSET,
  CODE,
  OUT_BYTES,
  OUT_CR2,
  OUT_ERROR,
  OUT_FX,
  OUT_RFLAGS,
  OUT_RIP,
  OUT_SIGNAL,
  OUT_TRAP,
  WINDOWS,
} from "./layout.ts";

export const CF = 1,
  PF = 4,
  AF = 0x10,
  ZF = 0x40,
  SF = 0x80,
  OF = 0x800;
const ALL = CF | PF | AF | ZF | SF | OF;
/** RF shows in frames of faults only. */
const RF = 0x1_0000;

/** Not run: gates to the kernel, what the host's kernel emulates or hides, what has no fixed result. */
const EXCLUDED = new Set([
  "syscall",
  "int",
  "int3",
  "int1",
  "cpuid",
  "rdtsc",
  "rdpmc",
  "sgdt",
  "sidt",
  "smsw",
  "sldt",
  "str",
  "pop fs",
  "pop gs",
  "lss",
  "lfs",
  "lgs",
  "rcpss",
  "rcpps",
  "rsqrtss",
  "rsqrtps",
  "f2xm1",
  "fyl2x",
  "fyl2xp1",
  "fsin",
  "fcos",
  "fsincos",
  "fptan",
  "fpatan",
]);

export function isComparable(e: Encoding): boolean {
  if (EXCLUDED.has(e.mnemonic)) return false;
  if (e.mnemonic === "mov" && e.opcode === 0x8e && e.map === 0) return false; // loads of segment registers would stay loaded
  return true;
}

/** Encodings on which vendors differ: branches with an operand-size prefix. */
export function isVendorSpecific(p: Plan): boolean {
  const m = p.encoding.mnemonic;
  // movsxd of 16 bits reads 16 or 32.
  if (p.encoding.mnemonic === "movsxd" && p.encoding.size === 16 && p.memory) return true;
  // Far pointers of 16:64 bits exist on one vendor's processors only.
  if (/^REX.W FF \/[35]/.test(p.encoding.row)) return true;
  const prefixed66 = p.code.bytes.subarray(0, 6).includes(0x66);
  // 0F 0D with a register is nop for one vendor and undefined for the other.
  if (p.encoding.map === 1 && p.encoding.opcode === 0x0d && !p.memory) return true;
  return prefixed66 && /^(jmp|call|ret|j..?|jrcxz|loopn?e?)$/.test(m) && !/FF \/[35]/.test(p.encoding.row);
}

export interface Masks {
  /** Flags that are compared. */
  flags: number;
  /** When false, general registers are not compared. */
  registers: boolean;
}

/** Shift count of a case, masked as the instruction does. */
function shiftCount(p: Plan, inputs: DataView, at: number): number {
  const width = p.encoding.operands[0].width;
  const last = p.encoding.operands.at(-1);
  const count = last?.token === "CL" ? inputs.getUint8(at + 8) : last?.token === "1" ? 1 : p.immediate;
  return count & (width === 64 ? 63 : 31);
}

export function masks(p: Plan, inputs: DataView, at: number): Masks {
  const m = p.encoding.mnemonic;
  const width = p.encoding.operands[0]?.width ?? 0;
  let undefinedFlags = 0;
  let registers = true;
  switch (m) {
    case "and":
    case "or":
    case "xor":
    case "test":
      undefinedFlags = AF;
      break;
    case "mul":
    case "imul":
      undefinedFlags = SF | ZF | AF | PF;
      break;
    case "div":
    case "idiv":
      undefinedFlags = ALL;
      break;
    case "shl":
    case "shr":
    case "sar": {
      const count = shiftCount(p, inputs, at);
      if (count !== 0) undefinedFlags = AF | (count === 1 ? 0 : OF) | (count >= width && m !== "sar" ? CF : 0);
      break;
    }
    case "shld":
    case "shrd": {
      const count = shiftCount(p, inputs, at);
      if (count !== 0) undefinedFlags = AF | (count === 1 ? 0 : OF);
      if (count > width) {
        undefinedFlags = ALL;
        registers = false;
      }
      break;
    }
    case "rol":
    case "ror":
    case "rcl":
    case "rcr":
      if (shiftCount(p, inputs, at) !== 1) undefinedFlags = shiftCount(p, inputs, at) === 0 ? 0 : OF;
      break;
    case "bt":
    case "bts":
    case "btr":
    case "btc":
      undefinedFlags = OF | SF | AF | PF;
      break;
    case "bsf":
    case "bsr":
      undefinedFlags = CF | OF | SF | AF | PF;
      break;
    case "bswap":
      if (width === 16) registers = false;
      break;
  }
  return { flags: ~(undefinedFlags | RF), registers };
}

const FX_X87_BYTES = 10;

/** The words that are compared whatever the instruction: registers, MXCSR, XMM, memory. */
const PLAIN_WORDS = Uint32Array.from(
  [[0, 128], [OUT_FX + FX_MXCSR, 4], [OUT_FX + FX_XMM, 256], ...WINDOWS.map((w) => [w.out, w.length])].flatMap(([at, length]) =>
    Array.from({ length: length / 4 }, (_, i) => at / 4 + i),
  ),
);
/** True when two outcomes agree in everything, so that {@link compare} need not look: the common case, made cheap. */
export function isEqual(p: Plan, next: number, native: Uint32Array, nativeAt: number, ours: Uint32Array, oursAt: number): boolean {
  if (native[nativeAt + OUT_SIGNAL / 4] !== 0 || ours[oursAt + OUT_SIGNAL / 4] !== 0) return false;
  if (ours[oursAt + OUT_RIP / 4] !== next || native[nativeAt + OUT_RIP / 4] !== next) return false;
  if (native[nativeAt + OUT_RFLAGS / 4] !== ours[oursAt + OUT_RFLAGS / 4]) return false;
  if (p.x87) return false;
  for (let i = 0; i < PLAIN_WORDS.length; i++) {
    const word = PLAIN_WORDS[i];
    if (native[nativeAt + word] !== ours[oursAt + word]) return false;
  }
  return native[nativeAt + OUT_FX / 4] === ours[oursAt + OUT_FX / 4];
}

/** When both operands of a comparison of strings fail, AMD's family 1Ah reports [rSI], processors before it and we [rDI]. True when it is so. */
function reportsOther(p: Plan, native: DataView, nativeTrap: number, ours: DataView, oursTrap: number): boolean {
  const mask = p.address32 ? 0xffff_ffffn : (1n << 64n) - 1n;
  const reports = (outcome: DataView, trap: number, register: number, base: number): boolean => {
    const first = BigInt.asUintN(64, (outcome.getBigUint64(register * 8, true) & mask) + BigInt(base)), last = BigInt.asUintN(64, first + BigInt(p.encoding.operands[0].width / 8 - 1));
    if (trap === 13) return [first, last].some((address) => BigInt.asUintN(64, BigInt.asIntN(48, address)) !== address);
    const fault = outcome.getBigUint64(OUT_CR2, true);
    return trap === 14 && fault >= first && fault <= last;
  };
  return reports(native, nativeTrap, 6, p.segmentBase) && reports(ours, oursTrap, 7, 0);
}

/** Differences between two outcomes, as text; empty when they agree. */
export function compare(
  p: Plan,
  inputs: DataView,
  at: number,
  native: Uint8Array,
  nativeAt: number,
  ours: Uint8Array,
  oursView: DataView,
): string[] {
  const n = new DataView(native.buffer, native.byteOffset + nativeAt, OUT_BYTES);
  const m = p.encoding.mnemonic;
  const found: string[] = [];
  const start = BigInt(CODE + inputs.getUint32(at + IN_CODE_OFFSET, true));
  let rip = n.getBigUint64(OUT_RIP, true);
  let signal = n.getUint32(OUT_SIGNAL, true);
  let trap = n.getUint32(OUT_TRAP, true);
  // A breakpoint elsewhere, or a fetch that failed elsewhere: the instruction was a branch and went there.
  if (signal !== 0 && trap === 3 && rip - 1n !== start) {
    rip--;
    signal = 0;
  } else if (signal !== 0 && (trap === 14 || trap === 13) && rip !== start) signal = 0;
  if (trap === 12) trap = 13; // #SS: this system reports every non-canonical address alike
  // retf with an unusable selector may look for an outer stack first.
  if (p.encoding.mnemonic === "retf" && trap === 14 && oursView.getUint32(OUT_TRAP, true) === 13) trap = 13;
  const oursSignal = oursView.getUint32(OUT_SIGNAL, true);
  const oursTrap = oursView.getUint32(OUT_TRAP, true);
  if ((signal !== 0) !== (oursSignal !== 0))
    found.push(
      `${signal !== 0 ? `trap ${trap} error ${n.getUint32(OUT_ERROR, true)}` : "no trap"} | ${oursSignal !== 0 ? `trap ${oursTrap} error ${oursView.getUint32(OUT_ERROR, true)}` : "no trap"}`,
    );
  else if (signal !== 0) {
    const isOther = m.endsWith("cmps") && reportsOther(p, n, trap, oursView, oursTrap);
    if (trap !== oursTrap) {
      if (!isOther) found.push(`trap ${trap} | ${oursTrap}`);
    } else if (trap === 14) {
      // In the kernel's half Linux reports every access as a protection fault.
      const user = n.getBigUint64(OUT_CR2, true) < 1n << 47n;
      if (user && n.getUint32(OUT_ERROR, true) !== oursView.getUint32(OUT_ERROR, true))
        found.push(`error ${n.getUint32(OUT_ERROR, true)} | ${oursView.getUint32(OUT_ERROR, true)}`);
      // The two halves of a far pointer are read in either order.
      // So are the words of a state image.
      const ordered = !isOther && !/^(fn?save|frstor|fn?stenv|fldenv|fxsave|fxrstor)/.test(m) && !/FF \/[35]/.test(p.encoding.row);
      if (ordered && n.getBigUint64(OUT_CR2, true) !== oursView.getBigUint64(OUT_CR2, true))
        found.push(`cr2 ${hex(n.getBigUint64(OUT_CR2, true))} | ${hex(oursView.getBigUint64(OUT_CR2, true))}`);
    }
  }
  if (rip !== oursView.getBigUint64(OUT_RIP, true)) found.push(`rip ${hex(rip)} | ${hex(oursView.getBigUint64(OUT_RIP, true))}`);
  const mask = masks(p, inputs, at);
  if (mask.registers)
    for (let i = 0; i < 128; i += 4) {
      if (n.getUint32(i, true) !== oursView.getUint32(i, true)) {
        const at8 = i & ~7;
        found.push(`r${at8 / 8} ${hex(n.getBigUint64(at8, true))} | ${hex(oursView.getBigUint64(at8, true))}`);
        i = at8 + 4;
      }
    }
  const flags = n.getUint32(OUT_RFLAGS, true) ^ oursView.getUint32(OUT_RFLAGS, true);
  // A fault inside a repeated comparison leaves the flags of before (SDM 2B, REP); other vendors leave those of the last iteration.
  const flagMask = signal === 0 ? mask.flags : /^rep.*(cmps|scas)$/.test(p.encoding.mnemonic) ? ~(ALL | RF) : ~RF;
  if ((flags & flagMask) !== 0)
    found.push(`flags ${flagText(n.getUint32(OUT_RFLAGS, true))} | ${flagText(oursView.getUint32(OUT_RFLAGS, true))}`);
  if (n.getUint32(OUT_FX + FX_MXCSR, true) !== oursView.getUint32(OUT_FX + FX_MXCSR, true)) {
    found.push(`mxcsr ${n.getUint32(OUT_FX + FX_MXCSR, true).toString(16)} | ${oursView.getUint32(OUT_FX + FX_MXCSR, true).toString(16)}`);
  }
  for (let i = FX_XMM; i < FX_XMM + 256; i += 4) {
    if (n.getUint32(OUT_FX + i, true) !== oursView.getUint32(OUT_FX + i, true)) {
      const at16 = (i - FX_XMM) & ~15;
      found.push(
        `xmm${at16 / 16} ${bytesText(native, nativeAt + OUT_FX + FX_XMM + at16, 16)} | ${bytesText(ours, OUT_FX + FX_XMM + at16, 16)}`,
      );
      i = FX_XMM + at16 + 12;
    }
  }
  if (n.getUint16(OUT_FX + FX_CONTROL, true) !== oursView.getUint16(OUT_FX + FX_CONTROL, true))
    found.push(
      `fcw ${n.getUint16(OUT_FX + FX_CONTROL, true).toString(16)} | ${oursView.getUint16(OUT_FX + FX_CONTROL, true).toString(16)}`,
    );
  if (!(signal !== 0 && p.vector) && n.getUint16(OUT_FX + FX_STATUS, true) !== oursView.getUint16(OUT_FX + FX_STATUS, true))
    found.push(`fsw ${n.getUint16(OUT_FX + FX_STATUS, true).toString(16)} | ${oursView.getUint16(OUT_FX + FX_STATUS, true).toString(16)}`);
  if (!(signal !== 0 && p.vector) && native[nativeAt + OUT_FX + FX_TAG] !== ours[OUT_FX + FX_TAG])
    found.push(`ftw ${native[nativeAt + OUT_FX + FX_TAG].toString(16)} | ${ours[OUT_FX + FX_TAG].toString(16)}`);
  // A denied MMX instruction may already have made the x87 registers MMX registers.
  if (p.x87 && !(signal !== 0 && p.vector))
    for (let i = 0; i < 8; i++) {
      const o = OUT_FX + FX_ST + i * 16;
      for (let j = 0; j < FX_X87_BYTES; j++) {
        if (native[nativeAt + o + j] !== ours[o + j]) {
          found.push(`st${i} ${bytesText(native, nativeAt + o, 10)} | ${bytesText(ours, o, 10)}`);
          break;
        }
      }
    }
  // enter may have pushed before it finds the new stack pointer unusable; ours looks first.
  if (signal !== 0 && p.encoding.mnemonic === "enter") return found;
  const patch = inputs.getUint32(at + IN_PATCH_OFFSET, true);
  for (const w of WINDOWS) {
    for (let i = 0; i < w.length; i += 4) {
      // FXSAVE stores which MXCSR bits there are; vendors have more than we.
      if (w.length === 1024 && m.startsWith("fxsave") && w.offset + i >= patch + 28 && w.offset + i < patch + 32) continue;
      if (!mask.registers || n.getUint32(w.out + i, true) === oursView.getUint32(w.out + i, true)) continue;
      found.push(`[${hex(0x2000_0000 + w.offset + i)}] ${bytesText(native, nativeAt + w.out + i, 8)} | ${bytesText(ours, w.out + i, 8)}`);
      break;
    }
  }
  return found;
}

export function hex(value: bigint | number): string {
  return value.toString(16);
}
export function bytesText(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("hex");
}
export function flagText(flags: number): string {
  const names: [number, string][] = [
    [OF, "O"],
    [0x400, "D"],
    [0x100, "T"],
    [SF, "S"],
    [ZF, "Z"],
    [AF, "A"],
    [PF, "P"],
    [CF, "C"],
  ];
  const rest = flags & ~(ALL | 0x400 | 0x100 | 0x202 | RF);
  return names.map(([bit, name]) => ((flags & bit) !== 0 ? name : "-")).join("") + (rest !== 0 ? `+${rest.toString(16)}` : "");
}
