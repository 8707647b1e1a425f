/** Loops whose accesses advance by the same distance in every turn: an array is gone through, a string is searched, a variable on the stack
 *  stays where it is.
 *
 *  For such a loop it is known beforehand how many turns stay inside the ranges. compile.ts records its blocks twice: as everywhere,
 *  and without questions for as many turns. Which accesses these are is found out from the first recording. */
import { GPR, ZERO } from "../state.ts";
import type { Decoded } from "../decode/decoder.ts";
import { type Addresses, type Advance, type AddressState, type Group, isSame, type Place, type TurnPlan } from "./addresses.ts";
import { writtenBy } from "./effects.ts";
import type { Layout, Loop } from "./layout.ts";
import type { Block } from "./region.ts";

/** Turns behind which it is tried again to say for how many nothing need be asked. */
export const TURNS_BETWEEN = 16;
/** Longer loops are recorded once: what is asked in them is little beside what is done. */
const MAX_INSTRUCTIONS = 160;

/** True for a loop without loops inside that is entered at its head only, and whose accesses seem to advance. */
export function isTurn({ head, body }: Loop, { loops }: Layout): boolean {
  let length = 0;
  for (const block of body) {
    if (block.others.length > 0 || block.entry >= 0 || (block !== head && loops.has(block))) return false;
    length += block.instructions.length;
  }
  return length <= MAX_INSTRUCTIONS && seemsToAdvance([...body].flatMap((block) => block.instructions));
}

/** True when there is an access by registers that do not change, or change in one place by a constant. */
function seemsToAdvance(instructions: readonly Decoded[]): boolean {
  let written = 0, wild = 0;
  for (const d of instructions) {
    const now = writtenBy(d);
    wild |= isStep(d) ? now & written : now;
    written |= now;
  }
  const isWild = (address: number): boolean => address !== ZERO && ((wild >> ((address - GPR) >> 3)) & 1) === 1;
  return instructions.some((d) => d.isMemory && d.segment === ZERO && !/^(lea|nop|prefetch)/.test(d.encoding.mnemonic) && !isWild(d.base) && !isWild(d.index));
}
function isStep({ encoding, registers, base, index, isMemory }: Decoded): boolean {
  const { mnemonic, operands } = encoding;
  if (operands[0]?.width !== 64) return false;
  if (mnemonic === "lea") return base === registers[0] && index === ZERO;
  if (isMemory) return false;
  return mnemonic === "inc" || mnemonic === "dec" || ((mnemonic === "add" || mnemonic === "sub") && operands[1].class === "imm");
}

/** Instructions on the shortest way round a loop. */
export function shortestTurn({ head, body }: Loop, { order, follows }: Layout): number {
  const before = new Map<Block, number>([[head, 0]]);
  let shortest = Number.POSITIVE_INFINITY;
  for (const block of order) {
    const way = before.get(block);
    if (way === undefined || !body.has(block)) continue;
    const behind = way + block.instructions.length;
    for (const next of [block.next, block.taken]) {
      if (typeof next !== "object" || !follows(block, next)) continue;
      if (next === head) shortest = Math.min(shortest, behind);
      else if (body.has(next)) before.set(next, Math.min(before.get(next) ?? behind, behind));
    }
  }
  return shortest;
}

/** Watches the first recording of a loop. */
export class TurnWatch {
  readonly #addresses: Addresses;
  readonly #firstGroup: number;
  /** Where registers point at the beginning of a turn, and in the end, if all ways agree. */
  #head: readonly Place[] = [];
  #end: readonly (Place | undefined)[] | undefined;

  constructor(addresses: Addresses) {
    this.#addresses = addresses;
    this.#firstGroup = addresses.begun.length;
  }
  begin(places: readonly Place[]): void {
    this.#head = places;
  }
  end({ registers }: AddressState): void {
    this.#end = this.#end === undefined ? registers : this.#end.map((place, n) => (place !== undefined && isSame(place, registers[n]) ? place : undefined));
  }
  /** How the groups that have been begun advance. */
  plan(): TurnPlan {
    const roots = this.#head.map(({ root }) => root);
    const strideOf = (register: number): number | undefined => {
      if (register < 0) return 0;
      const now = this.#end?.[register];
      return now?.root === roots[register] ? now.offset : undefined;
    };
    return this.#addresses.begun.slice(this.#firstGroup).map(({ root }: Group): Advance | undefined => {
      const factors = root === 0 ? { base: 0, index: 0, scale: 0 } : this.#addresses.factorsOf(root) ?? { base: root, index: 0, scale: 0 };
      const base = roots.indexOf(factors.base), index = roots.indexOf(factors.index);
      if ((base < 0 && factors.base !== 0) || (index < 0 && factors.index !== 0)) return undefined;
      const [first, second] = [strideOf(base), strideOf(index)];
      return first === undefined || second === undefined ? undefined : { base, index, scale: factors.scale, stride: first + second * 2 ** factors.scale };
    });
  }
}
/** Where all registers point. */
export function placesOf(addresses: Addresses): Place[] {
  return Array.from({ length: 16 }, (_, n) => addresses.ofRegister(n));
}
