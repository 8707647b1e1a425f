/** What an instruction does with the flags it finds, so that flags nobody asks for any more are not stored where ways come together; and which
 *  general registers it writes. Found by recording its meaning once for each form; the meanings themselves are the only description there is. */
import type { Decoded } from "../decode/decoder.ts";
import type { Encoding } from "../instructions/define.ts";
import { GPR, ZERO } from "../state.ts";
import { Graph } from "../wasm/graph.ts";
import { I32 } from "../wasm/opcodes.ts";
import { FLAGS_IN_RAM } from "./flags.ts";
import { ColdOnly, JitBuilder } from "./jit-builder.ts";
import { type Block, successors } from "./region.ts";

/** asks: for one of them, keeps one beside what it sets, or may leave the region, where all must be known. */
type FlagEffect = "asks" | "replaces" | "keeps";
interface Effect {
  readonly flags: FlagEffect;
  /** Operands that are written when they are registers, and registers that are written whatever the operands are, as bits. */
  readonly operands: number;
  readonly registers: number;
}
const known = new WeakMap<Encoding, Map<number, Effect>>();

function effectOf(d: Decoded): Effect {
  // A count of 0 changes nothing: for the encodings with an immediate of one byte, every value is a form of its own.
  const immediate = d.encoding.operands.some((o) => o.class === "imm" && o.width === 8) ? d.immLow & 0xff : 0;
  const form = immediate * 2 + (d.isMemory ? 1 : 0);
  let forms = known.get(d.encoding);
  if (forms === undefined) known.set(d.encoding, (forms = new Map()));
  let effect = forms.get(form);
  if (effect === undefined) forms.set(form, (effect = observe(withRegistersApart(d))));
  return effect;
}

/** Operand i in register 8 + i, so that it is told from registers that the instruction uses without naming them. */
const FIRST_APART = 8;
function withRegistersApart(d: Decoded): Decoded {
  const apart = d.copy();
  apart.registers = d.registers.map((address, i) => (generalRegister(address) >= 0 ? GPR + 8 * (FIRST_APART + i) : address));
  apart.base = d.base === ZERO ? ZERO : GPR + 8 * 14;
  apart.index = d.index === ZERO ? ZERO : GPR + 8 * 15;
  return apart;
}
/** Number of a general register by its address, or of the one whose second byte it is; −1 for anything else. */
function generalRegister(address: number): number {
  const number = (address - GPR) >> 3;
  return number >= 0 && number < 16 ? number : -1;
}

function observe(d: Decoded): Effect {
  const b = new JitBuilder(new Graph([I32, I32]), JitBuilder.NO_IMPORTS, { careful: false, changesMode: false, asksMode: false, bounded: false });
  let asks = false;
  b.onLeave = b.jitFlags.onRead = () => {
    asks = true;
  };
  b.onJump = b.onIndirect = () => {};
  b.beginBlock(0, undefined);
  try {
    d.encoding.semantics(b, ...b.beginInstruction(d));
  } catch (error) {
    if (error instanceof ColdOnly) return { flags: "asks", operands: 0, registers: 0xffff };
    throw error;
  }
  const { writes } = b.useOf(0);
  const flags = asks ? "asks" : b.jitFlags.state === FLAGS_IN_RAM ? "keeps" : b.jitFlags.replacesAll ? "replaces" : "asks";
  return { flags, operands: (writes >> FIRST_APART) & 0xf, registers: writes & 0xff };
}

/** General registers that an instruction may write, as bits. */
export function writtenBy(d: Decoded): number {
  const { operands, registers } = effectOf(d);
  return d.registers.reduce((all, address, i) => (((operands >> i) & 1) === 0 ? all : all | (1 << generalRegister(address))), registers);
}

/** Blocks at whose beginning the flags of before may still be asked for. */
export function blocksThatAskForFlags(order: readonly Block[], follows: (from: Block, to: Block) => boolean): ReadonlySet<Block> {
  const asking = new Set<Block>();
  const passing: Block[] = [];
  for (const block of order) {
    const decisive = block.instructions.map((d) => effectOf(d).flags).find((effect) => effect !== "keeps");
    if (decisive === "asks" || block.entry >= 0) asking.add(block);
    else if (decisive === undefined) {
      if (leavesAtEnd(block, follows) || goesBack(block, follows)) asking.add(block);
      else passing.push(block);
    }
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of passing) {
      if (asking.has(block) || !successors(block).some((next) => asking.has(next))) continue;
      asking.add(block);
      changed = true;
    }
  }
  return asking;
}

/** True when the block's end may go back in the order, where the region is left for want of budget. */
function goesBack(block: Block, follows: (from: Block, to: Block) => boolean): boolean {
  return successors(block).some((next) => next.index <= block.index && follows(block, next));
}
/** True when the block's end may leave the region. */
function leavesAtEnd(block: Block, follows: (from: Block, to: Block) => boolean): boolean {
  const { ending, next, taken } = block;
  const inside = (target: Block["next"]): boolean => target !== undefined && typeof target !== "number" && follows(block, target);
  if (ending === "branch") return !inside(next) || !inside(taken);
  if (ending === "fall") return !inside(next);
  if (ending === "jump" || ending === "call") return !inside(taken);
  return true;
}
