/** Random machine code from encoding rows: every form of operand, prefix and addressing that a row allows. */
import type { Encoding } from "../../../src/cpu/instructions/define.ts";
import { BOUNDARY, CODE, FS_BASE_VALUE, GS_BASE_VALUE } from "./layout.ts";
import type { Random } from "./random.ts";

export interface Code {
  readonly bytes: Uint8Array;
  /** Offset of the first byte from CODE. */
  readonly offset: number;
}

const IGNORED_SEGMENTS = [0x26, 0x2e, 0x36, 0x3e];
/** Opcodes (one-byte map) before which F2 and F3 mean something; some processors let them turn loope and loopne around. */
const REPEATABLE = /^(rep|movs|stos|lods|cmps|scas|ins|outs|nop|pause|xchg|loop)/;

export interface EncodeOptions {
  /** Displacements and branch targets that lead somewhere useful on the oracle's machine. */
  readonly reachable: boolean;
}

/** One random encoding of `e`. Prefix order varies as far as it has no meaning. */
export function encode(e: Encoding, r: Random, options: EncodeOptions = { reachable: true }): Code {
  const out: number[] = [];
  const rm = e.operands.find((o) => o.source === "rm");
  const implicitMemory = e.operands.some((o) => o.source === "implicit" || o.source === "offset");
  const asMemory = rm !== undefined && e.modRM < 0 && rm.allowsMemory && (!rm.allowsRegister || r.chance(55));
  const usesMemory = asMemory || implicitMemory;
  const prefixes: number[] = [];
  let segmentBase = 0;
  if (e.prefix === 0x66 || (e.size === 16 && e.prefix !== "none")) prefixes.push(0x66);
  if (r.chance(usesMemory ? 12 : 2)) {
    const fs = r.chance(50);
    prefixes.push(fs ? 0x64 : 0x65);
    segmentBase = fs ? FS_BASE_VALUE : GS_BASE_VALUE;
  } else if (r.chance(3)) prefixes.push(r.pick(IGNORED_SEGMENTS));
  const address32 = r.chance(usesMemory ? 10 : 2);
  if (address32) prefixes.push(0x67);
  const destinationInMemory = e.operands.length > 0 && e.operands[0].source === "rm" && asMemory;
  if (e.options.lock === true && destinationInMemory && r.chance(15)) prefixes.push(0xf0);
  shuffle(prefixes, r);
  // Mandatory prefixes go last or first at random; the last of F2 and F3 counts.
  if (e.prefix === 0xf2 || e.prefix === 0xf3) prefixes.splice(r.below(prefixes.length + 1), 0, e.prefix);
  else if (e.prefix === "any" && e.map === 0 && !REPEATABLE.test(e.mnemonic) && r.chance(2)) prefixes.push(r.chance(50) ? 0xf2 : 0xf3);
  out.push(...prefixes);

  let rex = 0;
  if (e.rexW === 1 || (e.size === 64 && e.options.default64 !== true)) rex = 0x48;
  else if (e.rexW === 0 || e.size === 32 || e.size === 16) rex = 0;
  else if (r.chance(10)) rex = 0x48;
  const bits = r.below(8);
  const plain = r.chance(35);
  if (!plain) rex |= (e.modRM >= 0 ? 0 : bits) | (r.chance(70) || bits !== 0 ? 0x40 : 0);
  if (e.options.withoutRexB === true) rex &= ~1;
  if (rex !== 0) out.push(rex | 0x40);

  if (e.map >= 1) out.push(0x0f);
  if (e.map === 2) out.push(0x38);
  if (e.map === 3) out.push(0x3a);
  out.push(e.opcode + (e.registerInOpcode ? r.below(8) : 0));

  let ripAt = -1;
  if (e.hasModRM) {
    const reg = e.digit >= 0 ? e.digit : r.below(8);
    if (e.modRM >= 0) out.push(e.modRM);
    else if (!asMemory) out.push(0xc0 | (reg << 3) | r.below(8));
    else {
      const kind = r.below(20);
      const target = BOUNDARY + (r.chance(40) ? -1 - r.below(16) : -0x180 + 16 * r.below(0x20) + (r.chance(30) ? r.below(16) : 0));
      const absolute = (target - segmentBase) | 0;
      if (kind === 0) {
        out.push((reg << 3) | 5);
        ripAt = out.length;
        push32(out, absolute);
      } else if (kind === 1) {
        out.push((reg << 3) | 4, 0x25);
        push32(out, absolute);
      } else {
        const mod = r.below(3);
        const base = r.below(8);
        if (base === 4 || r.chance(30)) {
          const sibBase = r.below(8);
          const index = r.below(8);
          out.push((mod << 6) | (reg << 3) | 4, (r.below(4) << 6) | (index << 3) | sibBase);
          if (mod === 0 && sibBase === 5) push32(out, index === 4 && (rex & 2) === 0 ? absolute : r.next() >> r.below(32));
        } else if (mod === 0 && base === 5) {
          out.push((reg << 3) | 5);
          ripAt = out.length;
          push32(out, absolute);
        } else out.push((mod << 6) | (reg << 3) | base);
        if (mod === 1) out.push(r.next() & 0xff);
        else if (mod === 2) push32(out, r.next() >> r.below(32));
      }
    }
  }
  for (const o of e.operands) {
    if (o.source === "immediate") immediate(out, o.immediateBytes, r);
    else if (o.source === "offset") {
      const target = BOUNDARY + (r.chance(40) ? -1 - r.below(8) : r.below(0x180));
      push32(out, (target - segmentBase) | 0);
      if (!address32) push32(out, target - segmentBase < 0 ? -1 : 0);
    } else if (o.source === "relative") {
      if (o.immediateBytes === 1) out.push(r.chance(10) ? 0 : (r.chance(50) ? 40 + r.below(88) : 256 - 40 - r.below(88)) & 0xff);
      else push32(out, r.chance(10) ? 0 : options.reachable ? (r.chance(50) ? 0x40 + r.below(0x600) : -0x40 - r.below(0x300)) : r.next());
    }
  }
  const offset = r.chance(85) ? 0x800 : PAGE_END - r.below(out.length + 1);
  if (ripAt >= 0) {
    const at = ripAt;
    const relative = (out[at] | (out[at + 1] << 8) | (out[at + 2] << 16) | (out[at + 3] << 24)) - (CODE + offset + out.length);
    const bytes: number[] = [];
    push32(bytes, relative | 0);
    out.splice(at, 4, ...bytes);
  }
  return { bytes: Uint8Array.from(out), offset };
}

const PAGE_END = 0x1000;

function push32(out: number[], value: number): void {
  out.push(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
}
const BYTES = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 0x7f, 0x80, 0x81, 0xfe, 0xff];
function immediate(out: number[], bytes: number, r: Random): void {
  const kind = r.below(4);
  if (bytes === 1) {
    out.push(kind === 0 ? r.pick(BYTES) : r.next() & 0xff);
    return;
  }
  const fill = kind === 0 ? 0 : kind === 1 ? 0xff : -1;
  for (let i = 0; i < bytes; i++) out.push(fill >= 0 ? fill : r.next() & 0xff);
  if (fill >= 0) {
    const at = out.length - (r.chance(50) ? bytes : 1);
    out[at] = r.pick(BYTES);
  }
}
function shuffle(list: number[], r: Random): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = r.below(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
}
