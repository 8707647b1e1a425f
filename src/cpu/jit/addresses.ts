/** What is known of addresses while code is recorded, so that accesses near one another ask once.
 *
 *  An address is a *root*, a value nothing is known of but that it is this value, plus a constant. Accesses from one root that lie
 *  within 128 bytes form a group: the first asks for all of them, the others take its host address. How far the group reaches turns
 *  out as its accesses are recorded, behind the question itself, so the question's constants are late ones (wasm/graph.ts).
 *
 *  A group holds where its question has been passed and nowhere else: in its block, and where all ways come from there. */
import type { Node, Offset, Variable } from "../wasm/graph.ts";

/** A group reaches at most this far: ranges end 127 bytes before their run does (memory/ranges.ts). */
export const MAX_GROUP = 128;
/** Constants beyond this are roots of their own. */
const MAX_OFFSET = 2 ** 40;

export interface Place { readonly root: number; readonly offset: number }

/** Root + (root << scale); root 0 is the value 0. */
export interface Factors { readonly base: number; readonly index: number; readonly scale: number }

/** Accesses that share one question. */
export interface Group {
  readonly root: number;
  /** First and end offset from the root. */
  low: number;
  high: number;
  write: boolean;
  /** Host address of the byte at `low`. */
  readonly host: Variable;
  /** Number of the block that asks. */
  readonly block: number;
}

/** Of a loop's turn: where an access lies at the beginning of a turn: registers, −1 for none, and what it moves by in a turn. Constants are its group's. */
export interface Advance {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly stride: number;
}
/** Accesses of one turn by the order in which their groups are begun; undefined for those that do not advance evenly. */
export type TurnPlan = readonly (Advance | undefined)[];

/** Host address of an access: of its group's first byte, plus a distance. */
export interface Host { readonly variable: Variable; readonly offset: Offset }

/** What holds at a point of the text. */
export interface AddressState {
  readonly registers: readonly (Place | undefined)[];
  readonly groups: readonly Group[];
}

export class Addresses {
  #roots = 0;
  #registers: (Place | undefined)[] = new Array(16);
  #groups: readonly Group[] = [];
  /** By register: how often the text so far has made it point elsewhere. */
  readonly #assignments = new Uint32Array(16);
  readonly #sums = new Map<string, number>();
  readonly #factors = new Map<number, Factors>();
  /** Every group, in the order in which they were begun. */
  readonly begun: Group[] = [];

  get state(): AddressState {
    return { registers: [...this.#registers], groups: this.#groups };
  }
  set state({ registers, groups }: AddressState) {
    this.#registers = [...registers];
    this.#groups = groups;
  }
  /** Nothing is known: ways come together here. */
  forget(): void {
    this.#registers = new Array(16);
    this.#groups = [];
  }
  /** Behind an instruction's inner choice that began with `before`: what one way assigned is unknown, and what was asked for inside has
   *  not been asked on the other. */
  meet(before: AddressState, other: AddressState): void {
    for (let n = 0; n < 16; n++) {
      if (this.#registers[n] !== before.registers[n] || other.registers[n] !== before.registers[n]) this.#registers[n] = undefined;
    }
    this.#groups = before.groups;
  }

  // ---- places --------------------------------------------------------------------------------------------------------------------

  ofRegister(n: number): Place {
    return (this.#registers[n] ??= this.fresh());
  }
  /** What register `n` points to changes: to a place near by, or elsewhere. */
  assign(n: number, place: Place | undefined): void {
    if (place === undefined || place.root !== this.#registers[n]?.root) this.#assignments[n]++;
    this.#registers[n] = place;
  }
  assignments(n: number): number {
    return this.#assignments[n];
  }
  of(node: Node): Place | undefined {
    if (typeof node.constant === "bigint") return plus({ root: 0, offset: 0 }, Number(node.constant));
    return node.note as Place | undefined;
  }
  /** Place of base + (index << scale) + displacement. */
  sum(base: Place | undefined, index: Place | undefined, scale: number, displacement: number): Place | undefined {
    if (index === undefined) return plus(base ?? { root: 0, offset: 0 }, displacement);
    if (base === undefined && scale === 0) return plus(index, displacement);
    const key = `${base?.root ?? 0},${index.root},${scale}`;
    let root = this.#sums.get(key);
    if (root === undefined) {
      this.#sums.set(key, (root = this.fresh().root));
      this.#factors.set(root, { base: base?.root ?? 0, index: index.root, scale });
    }
    return plus({ root, offset: (base?.offset ?? 0) + index.offset * 2 ** scale }, displacement);
  }
  /** What a root is the sum of, if it is one. */
  factorsOf(root: number): Factors | undefined {
    return this.#factors.get(root);
  }
  fresh(): Place {
    return { root: ++this.#roots, offset: 0 };
  }

  // ---- groups --------------------------------------------------------------------------------------------------------------------

  /** A group that has asked for the access, or asks for it now that it is recorded in `block`. */
  find(place: Place, bytes: number, write: boolean, block: number): Group | undefined {
    let wider: Group | undefined;
    const end = place.offset + bytes;
    for (const group of this.#groups) {
      if (group.root !== place.root) continue;
      if (place.offset >= group.low && end <= group.high && (group.write || !write)) return group;
      // A write on one way only must not make the others ask for what they may not do.
      if (write && !group.write && group.block !== block) continue;
      if (Math.max(end, group.high) - Math.min(place.offset, group.low) <= MAX_GROUP) wider ??= group;
    }
    if (wider !== undefined) {
      wider.low = Math.min(wider.low, place.offset);
      wider.high = Math.max(wider.high, end);
      wider.write ||= write;
    }
    return wider;
  }
  add(group: Group): void {
    this.begun.push(group);
    this.#groups = [...this.#groups, group];
  }
}

/** What is known where two ways come together. */
export function meet(a: AddressState, b: AddressState): AddressState {
  const registers = a.registers.map((place, n) => (place !== undefined && isSame(place, b.registers[n]) ? place : undefined));
  return { registers, groups: a.groups.filter((group) => b.groups.includes(group)) };
}
export function isSame(place: Place, other: Place | undefined): boolean {
  return other !== undefined && place.root === other.root && place.offset === other.offset;
}

export function plus({ root, offset }: Place, distance: number): Place | undefined {
  const sum = offset + distance;
  return Math.abs(sum) > (root === 0 ? Number.MAX_SAFE_INTEGER : MAX_OFFSET) ? undefined : { root, offset: sum };
}
