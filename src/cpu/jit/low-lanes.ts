/** Floats in the low lanes of vector registers, where the text has them as values of their own: scalar arithmetic takes an operand from
 *  there, and several results after one another are put into the vector once. What is known holds for values, so it holds in whatever
 *  registers they are. */
import type { Node } from "../wasm/graph.ts";
import type { Host } from "./addresses.ts";

/** The register is `rest` with `float` in its low lane. */
export interface Low { readonly float: Node; readonly rest: Node }

/** What may go on into a block that is entered from there only. */
export interface LowState {
  readonly lows: readonly (Low | undefined)[];
  readonly modest: ReadonlySet<Node>;
}

export class LowLanes {
  /** By register. */
  #lows: (Low | undefined)[] = new Array(16);
  /** Of vectors that the instruction has read. */
  readonly #read = new Map<Node, Low>();
  /** Floats that have been asked whether they are modest, or zero. */
  #modest: ReadonlySet<Node> = new Set();
  /** Where floats were loaded from, as long as nothing has been stored. */
  readonly #loaded = new Map<Node, Host>();

  get state(): LowState {
    return { lows: [...this.#lows], modest: this.#modest };
  }
  /** A block begins: with what held at its only entrance, or where ways come together. */
  begin(state: LowState | undefined): void {
    this.#lows = state === undefined ? new Array(16) : [...state.lows];
    this.#modest = state?.modest ?? new Set();
    this.#loaded.clear();
  }
  beginInstruction(): void {
    this.#read.clear();
  }
  of(register: number): Low | undefined {
    return this.#lows[register];
  }
  /** A vector register was read as a whole. */
  noteRead(register: number, whole: Node): void {
    const low = this.#lows[register];
    if (low !== undefined) this.#read.set(whole, low);
  }
  /** It has been given a vector: perhaps that of another. */
  assign(register: number, whole: Node): void {
    this.#lows[register] = this.#read.get(whole);
  }
  know(register: number, low: Low | undefined): void {
    this.#lows[register] = low;
  }
  loadedFrom(float: Node): Host | undefined {
    return this.#loaded.get(float);
  }
  noteLoad(float: Node, host: Host): void {
    this.#loaded.set(float, host);
  }
  noteStore(): void {
    this.#loaded.clear();
  }
  isModest(float: Node): boolean {
    return this.#modest.has(float);
  }
  noteModest(floats: readonly Node[]): void {
    this.#modest = new Set([...this.#modest, ...floats]);
  }
}

/** What is known where two ways come together. */
export function meetLows(a: LowState, b: LowState): LowState {
  const lows = a.lows.map((low, n) => (low !== undefined && low.float === b.lows[n]?.float && low.rest === b.lows[n]?.rest ? low : undefined));
  return { lows, modest: new Set([...a.modest].filter((float) => b.modest.has(float))) };
}
