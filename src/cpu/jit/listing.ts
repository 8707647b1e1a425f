/** A region as people read it: each x86 instruction with the WebAssembly that it became (`--dump-jit`, golden tests).
 *
 *  The region is compiled once more with marks; compiling depends on nothing but the region, so this is the code that runs. Locals are
 *  named after what the prologue loads into them. */
import { RANGE_BASE } from "../../memory/physical-map.ts";
import { FIRST_CONSTANT_RANGE, FIRST_WRITE_RANGE, RANGE_BANKS, RANGE_CLASSES, RANGE_DELTA, RANGE_LIMIT, RANGE_SLOT_BYTES, RANGE_SLOTS } from "../../memory/ranges.ts";
import { Decoded } from "../decode/decoder.ts";
import { formatInstruction, registerName } from "../decode/format.ts";
import {
  EXIT_BUDGET, EXIT_DETAIL, EXIT_KIND, EXIT_RECORD, FLAG_ADJUST, FLAG_CARRY, FLAG_DIRECTION, FLAG_OVERFLOW, FLAG_PARITY, FLAG_SIGN, FLAG_ZERO, FP_FAST,
  FP_NOTICE, FS_BASE, GPR, GS_BASE, HOST_STACK_LEFT, LAZY_KIND, LAZY_X, LAZY_Y, LEAST_BUDGET, MXCSR, RIP, VECTOR, VECTOR_STRIDE, ZERO,
} from "../state.ts";
import { functionText, type TextLine, type TextNames } from "../wasm/text.ts";
import { compileRegion, type Mark } from "./compile.ts";
import type { Block, Region } from "./region.ts";

const WORDS: Readonly<Record<number, string>> = {
  [RIP]: "rip", [FLAG_ZERO]: "zf", [FLAG_SIGN]: "sf", [FLAG_PARITY]: "pf", [FLAG_CARRY]: "cf", [FLAG_OVERFLOW]: "of", [FLAG_ADJUST]: "af",
  [FLAG_DIRECTION]: "df", [FS_BASE]: "fs.base", [GS_BASE]: "gs.base", [MXCSR]: "mxcsr", [FP_FAST]: "fp.fast", [FP_NOTICE]: "fp.notice",
  [EXIT_RECORD]: "exit.record", [EXIT_BUDGET]: "exit.budget", [EXIT_DETAIL]: "exit.detail", [EXIT_KIND]: "exit.kind",
  [LAZY_KIND]: "lazy.kind", [LAZY_X]: "lazy.x", [LAZY_Y]: "lazy.y", [LEAST_BUDGET]: "least", [HOST_STACK_LEFT]: "host.stack",
};

/** True when an instruction of the region covers `address`. */
export function coversAddress(region: Region, address: number): boolean {
  return region.blocks.some((block) => block.instructions.some((d) => d.rip <= address && address < d.nextRip));
}

/** Lines: what the region is, the prologue, block by block, and the exit that all share; or only the blocks. */
export function regionListing(region: Region, part: "whole" | "blocks" = "whole"): string {
  const marks: Mark[] = [];
  const compiled = compileRegion(region, { marks });
  if ("coldOnly" in compiled) return `region at 0x${region.start.toString(16)}: ${compiled.coldOnly.mnemonic} stays with the cold engine\n`;
  const lines = functionText(compiled.bytes, namesOf(compiled.bytes, marks[0].offset));
  const out = [`region at 0x${region.start.toString(16)}: ${compiled.instructions} instructions, entered with a budget of ${compiled.need} or more`];
  let next = 0;
  const upTo = (offset: number): void => {
    for (; next < lines.length && lines[next].offset < offset; next++) out.push(wasmLine(lines[next]));
  };
  for (const mark of marks) {
    upTo(mark.offset);
    if (mark.part === "exit" && part === "blocks") return `${out.join("\n")}\n`;
    if (mark === marks[0] && part === "blocks") out.length = 1;
    out.push(heading(mark.part));
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
  if (part.ending === "enter") return "chooser:";
  if (part.entry >= 0) return `entry ${part.entry}, 0x${part.start.toString(16)}:`;
  return `block ${part.index}, 0x${part.start.toString(16)}${part.context.depth > 0 ? " (inlined)" : ""}:`;
}

/** @param prologue its length */
function namesOf(module: Uint8Array, prologue: number): TextNames {
  const locals = new Map<number, string>([[0, "entry"], [1, "budget"]]);
  const address = (at: number): string | undefined => stateName(at);
  const lines = functionText(module, { local: () => undefined, address });
  // What the prologue loads, straight or by way of another local, tells what a local is; so does what the exit does with it.
  const loaded = new Map<string, string>();
  const passedOn = new Set<string>();
  for (const { text, offset } of lines) {
    if (offset >= prologue) break;
    const [, to, from, name] = /^\$(\d+) = (?:\$(\d+)|\((?:i64|i32|v128)\.load \[([a-z][\w.]*)\]\))$/.exec(text) ?? [];
    if (name !== undefined) loaded.set(to, name);
    else if (from !== undefined && loaded.has(from)) {
      locals.set(Number(to), loaded.get(from) as string);
      passedOn.add(from);
    } else if (/^\$\d+ = 0$/.test(text)) locals.set(Number(text.slice(1, -4)), "flags.kind");
  }
  for (const [local, name] of loaded) if (!passedOn.has(local) && !locals.has(Number(local))) locals.set(Number(local), name);
  const adjust = /^\$\d+ = \(i64\.xor \(i64\.xor \$(\d+) \$(\d+)\) \$(\d+)\)$/;
  // The shared exit is what comes last.
  const last = (pattern: RegExp): string | undefined => lines.map(({ text }) => pattern.exec(text)?.[1]).findLast((local) => local !== undefined);
  for (const [pattern, name] of [[/^i64\.store \[rip\] \$(\d+)$/, "exit.rip"], [/^return \$(\d+)$/, "exit.kind"]] as const) {
    const local = last(pattern);
    if (local !== undefined) locals.set(Number(local), name);
  }
  const [, ...operands] = lines.map(({ text }) => adjust.exec(text)).findLast((match) => match !== null) ?? [];
  for (const [i, local] of operands.entries()) if (!locals.has(Number(local))) locals.set(Number(local), ["flags.x", "flags.y", "flags.result"][i]);
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
    return `${slot < FIRST_WRITE_RANGE ? "read" : "write"}.${slotName(slot % FIRST_WRITE_RANGE)}.${name}`;
  }
  return WORDS[at];
}
function slotName(slot: number): string {
  if (slot >= FIRST_CONSTANT_RANGE) return `constant${slot - FIRST_CONSTANT_RANGE}`;
  const number = slot % RANGE_CLASSES, bank = Math.floor(slot / RANGE_CLASSES) % RANGE_BANKS;
  return `${number === RANGE_CLASSES - 1 ? "segment" : registerName(number)}${bank === 0 ? "" : bank}`;
}
