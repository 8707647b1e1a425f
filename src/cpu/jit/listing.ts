/** A region as people read it: each x86 instruction with the WebAssembly that it became (`--dump-jit`, golden tests).
 *
 *  The region is compiled once more with marks; compiling depends on nothing but the region, so this is the code that runs. Locals are
 *  named after what the prologue loads into them. */
import { RANGE_BASE } from "../../memory/physical-map.ts";
import { RANGE_CLASSES, RANGE_DELTA, RANGE_LIMIT, RANGE_SLOT_BYTES, RANGE_SLOTS } from "../../memory/ranges.ts";
import { Decoded } from "../decode/decoder.ts";
import { formatInstruction, registerName } from "../decode/format.ts";
import {
  EXIT_BUDGET, EXIT_DETAIL, EXIT_KIND, EXIT_RECORD, FLAG_ADJUST, FLAG_CARRY, FLAG_DIRECTION, FLAG_OVERFLOW, FLAG_PARITY, FLAG_SIGN, FLAG_ZERO, FP_FAST,
  FP_PENDING, FS_BASE, GPR, GS_BASE, MXCSR, RIP, VECTOR, VECTOR_STRIDE, ZERO,
} from "../state.ts";
import { functionText, type TextLine, type TextNames } from "../wasm/text.ts";
import { compileRegion, type Mark } from "./compile.ts";
import type { Block, Region } from "./region.ts";

const WORDS: Readonly<Record<number, string>> = {
  [RIP]: "rip", [FLAG_ZERO]: "zf", [FLAG_SIGN]: "sf", [FLAG_PARITY]: "pf", [FLAG_CARRY]: "cf", [FLAG_OVERFLOW]: "of", [FLAG_ADJUST]: "af",
  [FLAG_DIRECTION]: "df", [FS_BASE]: "fs.base", [GS_BASE]: "gs.base", [MXCSR]: "mxcsr", [FP_FAST]: "fp.fast", [FP_PENDING]: "fp.pending",
  [EXIT_RECORD]: "exit.record", [EXIT_BUDGET]: "exit.budget", [EXIT_DETAIL]: "exit.detail", [EXIT_KIND]: "exit.kind",
};

/** True when an instruction of the region covers `address`. */
export function coversAddress(region: Region, address: number): boolean {
  return region.blocks.some((block) => block.instructions.some((d) => d.rip <= address && address < d.nextRip));
}

/** Lines: what the region is, then block by block. */
export function regionListing(region: Region): string {
  const marks: Mark[] = [];
  const compiled = compileRegion(region, marks);
  if ("coldOnly" in compiled) return `region at 0x${region.entry.start.toString(16)}: ${compiled.coldOnly.mnemonic} stays with the cold engine\n`;
  const lines = functionText(compiled.bytes, namesOf(compiled.bytes, marks[0].offset));
  const out = [`region at 0x${region.entry.start.toString(16)}: ${compiled.instructions} instructions, entered with a budget of ${compiled.need} or more`];
  let next = 0;
  const upTo = (offset: number): void => {
    for (; next < lines.length && lines[next].offset < offset; next++) out.push(wasmLine(lines[next]));
  };
  for (const { offset, part } of marks) {
    upTo(offset);
    out.push(heading(part));
  }
  upTo(Number.POSITIVE_INFINITY);
  return `${out.join("\n")}\n`;
}

function wasmLine({ depth, text }: TextLine): string {
  return `    ${"  ".repeat(depth)}${text}`;
}
function heading(part: Block | Decoded | "exit"): string {
  if (part === "exit") return "exit:";
  if (part instanceof Decoded) return `  0x${part.rip.toString(16)}  ${formatInstruction(part)}`;
  return `block ${part.index}, 0x${part.start.toString(16)}${part.context.depth > 0 ? " (inlined)" : ""}:`;
}

/** @param prologue its length */
function namesOf(module: Uint8Array, prologue: number): TextNames {
  const locals = new Map<number, string>([[0, "record"], [1, "budget"]]);
  const address = (at: number): string | undefined => stateName(at);
  // What the prologue loads into a local, or the exit stores from it, tells its name.
  for (const { text, offset } of functionText(module, { local: () => undefined, address })) {
    const loaded = offset < prologue ? /^\$(\d+) = \((?:i64|i32|v128)\.load \[([a-z][\w.]*)\]\)$/.exec(text) : null;
    if (loaded !== null && !locals.has(Number(loaded[1]))) locals.set(Number(loaded[1]), loaded[2]);
    const left = /^i64\.store \[rip\] \$(\d+)$/.exec(text);
    if (left !== null) locals.set(Number(left[1]), "exit.rip");
    const kind = /^return \$(\d+)$/.exec(text);
    if (kind !== null) locals.set(Number(kind[1]), "exit.kind");
  }
  return { local: (index) => locals.get(index), address };
}

/** What lies at a fixed place of RAM. */
function stateName(at: number): string | undefined {
  if (at >= GPR && at < ZERO) return (at - GPR) % 8 === 0 ? registerName((at - GPR) >> 3) : undefined;
  if (at >= VECTOR && at < VECTOR + 16 * VECTOR_STRIDE) return (at - VECTOR) % VECTOR_STRIDE === 0 ? `xmm${(at - VECTOR) / VECTOR_STRIDE}` : undefined;
  const slot = Math.floor((at - RANGE_BASE) / RANGE_SLOT_BYTES);
  if (slot >= 0 && slot < RANGE_SLOTS) {
    const field = (at - RANGE_BASE) % RANGE_SLOT_BYTES;
    const name = field === 0 ? "base" : field === RANGE_LIMIT ? "limit" : field === RANGE_DELTA ? "delta" : `field${field}`;
    const number = slot % RANGE_CLASSES;
    return `${slot < RANGE_CLASSES ? "read" : "write"}.${number === RANGE_CLASSES - 1 ? "none" : registerName(number)}.${name}`;
  }
  return WORDS[at];
}
