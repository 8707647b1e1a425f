/** Loops of one block whose accesses advance by the same distance in every turn: an array is gone through, a string is searched.
 *
 *  For such a loop it is known beforehand how many turns stay inside the ranges. compile.ts records its block twice: as everywhere,
 *  and without questions for as many turns. Which accesses these are is found out by recording the block once for nothing. */
import { Graph } from "../wasm/graph.ts";
import { I32 } from "../wasm/opcodes.ts";
import type { Advance, Group, TurnPlan } from "./addresses.ts";
import type { FloatPlan } from "./float-mode.ts";
import { JitBuilder } from "./jit-builder.ts";
import type { Block } from "./region.ts";

/** Turns before it is worth finding out, and after it did not work. */
export const FIRST_TURNS = 8;
export const TURNS_BETWEEN = 64;

/** True for a block, a loop by itself, that is entered only from its beginning. */
export function isTurn(block: Block): boolean {
  return block.ending === "branch" && block.others.length === 0 && (block.taken === block) !== (block.next === block);
}

/** @param onInstruction told of each before it is recorded, which may fail (ColdOnly) */
export function planTurn(block: Block, plan: FloatPlan, onInstruction: (at: number) => void): TurnPlan | undefined {
  const b = new JitBuilder(new Graph([I32, I32]), JitBuilder.NO_IMPORTS, plan);
  b.onJump = b.onIndirect = () => {};
  b.beginBlock(0, undefined);
  const { addresses } = b;
  const roots = Array.from({ length: 16 }, (_, n) => addresses.ofRegister(n).root);
  block.instructions.forEach((d, i) => {
    onInstruction(i);
    d.encoding.semantics(b, ...b.beginInstruction(d));
    if (d.encoding.options.endsBlock !== true) b.retire();
  });
  const strides = roots.map((root, n) => {
    const now = addresses.ofRegister(n);
    return now.root === root ? now.offset : undefined;
  });
  const strideOf = (register: number): number | undefined => (register < 0 ? 0 : strides[register]);
  const found = addresses.begun.map(({ root }: Group): Advance | undefined => {
    const factors = root === 0 ? { base: 0, index: 0, scale: 0 } : addresses.factorsOf(root) ?? { base: root, index: 0, scale: 0 };
    const base = roots.indexOf(factors.base), index = roots.indexOf(factors.index);
    if ((base < 0 && factors.base !== 0) || (index < 0 && factors.index !== 0)) return undefined;
    const [first, second] = [strideOf(base), strideOf(index)];
    return first === undefined || second === undefined ? undefined : { base, index, scale: factors.scale, stride: first + second * 2 ** factors.scale };
  });
  return found.some((advance) => advance !== undefined) ? found : undefined;
}
