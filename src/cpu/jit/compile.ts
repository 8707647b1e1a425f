/** One region → one WebAssembly function.
 *
 *  Blocks stand in the order of layout.ts. A forward edge is a branch out of the Wasm block that ends where its target begins, an edge
 *  back is a branch to the Wasm loop of its head:
 *
 *    block exit
 *      block chain
 *        prologue: registers into locals
 *        block B3 { loop B1 { block B2 { code of B1 } code of B2 } } code of B3
 *      end
 *      store registers; go on at another address
 *    end
 *    store registers; leave
 *
 *  A region with several entries has a chooser in front, which branches by the number of the entry; where control inside the region goes
 *  to an entry again, a loop stands around all of it (entries.ts).
 *
 *  A block that is entered from one place only goes on with what is known there: where the flags come from, which accesses have been
 *  asked for, and what has retired but not been charged yet. Where ways come together, all of that is settled on each of them.
 *
 *  Whether the budget suffices is asked at entries and on edges back to a loop's head, for the longest way to the next such place.
 *  What is left of a budget that does not suffice is for the cold engine, so counts stay exact. */
import { assert } from "../../base/assert.ts";
import { FIXED_PAGES } from "../../memory/physical-map.ts";
import { RANGE_SPACES } from "../../memory/ranges.ts";
import type { Value } from "../builder.ts";
import { addressIn, jumpCacheEntry, numberInSlot, regionIn } from "../cold/jump-cache.ts";
import { type HelperName, helperSignatures } from "../helpers.ts";
import type { Decoded } from "../decode/decoder.ts";
import type { Encoding } from "../instructions/define.ts";
import { Bytes, ModuleBuilder } from "../wasm/emitter.ts";
import { Graph, type Label, type Node, type Variable } from "../wasm/graph.ts";
import { I32, I64, WASM_TYPES } from "../wasm/opcodes.ts";
import { blocksThatAskForFlags } from "./effects.ts";
import { ColdOnly, JitBuilder, meetValues, type TextState, type Values } from "./jit-builder.ts";
import { TurnFlags } from "./flags.ts";
import { isTurn, placesOf, shortestTurn, TURNS_BETWEEN, TurnWatch } from "./advance.ts";
import type { FloatPlan } from "./float-mode.ts";
import { flowOfRegisters, type RegisterFlow } from "./register-flow.ts";
import { type Layout, layOut, type Loop } from "./layout.ts";
import { NOTICE_DENORMAL, NOTICE_FAST, NOTICE_MAGNITUDE, NOTICE_MODE, NOTICE_STACK } from "../state.ts";
import { findTame, type Tameness } from "./tame.ts";
import { planStack, type StackPlan } from "./x87-plan.ts";
import { type Block, type Entry, type Region, successors, type Target } from "./region.ts";

export interface CompiledRegion {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Helpers the module imports. */
  readonly helpers: readonly string[];
  /** The region is not entered with a smaller budget. */
  readonly need: number;
  /** Instructions compiled, copies counted. */
  readonly instructions: number;
}

/** Where in a region's code the part for something begins; offsets count from the first byte behind the declaration of the locals. */
export interface Mark {
  readonly offset: number;
  /** A block's head with its charge; an instruction; the exit that all share. */
  readonly part: Block | Decoded | "exit";
}

const FIXED_IMPORTS = 8;
/** So many places behind calls of itself a function's return is compared with; with more of them the jump cache is asked. */
const MAX_COMPARED = 2;
/** What a region takes on the host's stack is estimated: so many bytes, and so many for each instruction. V8's baseline compiler gives every local of
 *  the function a place; translated from hot code, the frame is smaller. */
const FRAME = 768;
const FRAME_PER_INSTRUCTION = 8;
const WRITES_MXCSR = /^(ldmxcsr|fxrstor|xrstor)/;

/** How a region is compiled. */
export interface CompileOptions {
  /** Filled for a listing. */
  readonly marks?: Mark[];
  /** NOTICE_* bits of state.ts that the region is not to be left for. */
  readonly expected?: number;
  /** Where in the table of regions it will be. */
  readonly slot?: number;
  /** Calls of other regions go by the table of regions, of which V8 keeps a copy in each instance that imports it. */
  readonly callsDirectly?: boolean;
}

/** Compiles `region`, or names the encoding that must stay with the cold engine. */
export function compileRegion(region: Region, { marks, expected = 0, slot = 0, callsDirectly = true }: CompileOptions = {}): CompiledRegion | { readonly coldOnly: Encoding } {
  const graph = new Graph([I32, I32]);
  const module = new ModuleBuilder();
  const regionType = module.type([I32, I32], [I32]);
  const helpers: string[] = [];
  const careful = (expected & NOTICE_DENORMAL) !== 0;
  const changesMode = (expected & NOTICE_FAST) !== 0 || region.blocks.some((block) => block.instructions.some((d) => WRITES_MXCSR.test(d.encoding.mnemonic)));
  const asksMode = !careful && !changesMode && (expected & NOTICE_MAGNITUDE) === 0;
  const plan = { careful, changesMode, asksMode, bounded: asksMode && (expected & NOTICE_MODE) === 0 };
  const b = new JitBuilder(graph, {
    rangeRead: 0, rangeWrite: 1, flushWrite: 2, checkWrite: 3, gotoAddress: 4, callAddress: 5, endCall: 6, materialize: 7, regionType, space: slot % RANGE_SPACES,
    helper: (name) => {
      let index = helpers.indexOf(name);
      if (index < 0) index = helpers.push(name) - 1;
      return FIXED_IMPORTS + index;
    },
  }, plan);
  const emitter = new RegionEmitter(region, graph, b, { slot, callsDirectly, isMarked: marks !== undefined, keepsStack: (expected & NOTICE_STACK) === 0, plan });
  try {
    emitter.emit();
  } catch (error) {
    if (error instanceof ColdOnly) return { coldOnly: emitter.encoding as Encoding };
    throw error;
  }
  module.importMemory("env", "memory", FIXED_PAGES);
  if (emitter.calls && callsDirectly) module.importTable("env", "regions");
  module.importFunction("env", "rangeRead", [I64, I32, I32], [I32]);
  module.importFunction("env", "rangeWrite", [I64, I32, I32], [I32]);
  module.importFunction("env", "flushWrite", [], []);
  module.importFunction("env", "checkWrite", [I32, I32, I32], [I32]);
  module.importFunction("env", "gotoAddress", [I64, I32], [I32]);
  module.importFunction("env", "callAddress", [I64, I64, I32, I32], [I32]);
  module.importFunction("env", "endCall", [I32], [I32]);
  module.importFunction("env", "materialize", [], []);
  for (const name of helpers) {
    const { params, result } = helperSignatures[name as HelperName];
    module.importFunction("helpers", name, params.map((t) => WASM_TYPES[t]), result === undefined ? [] : [WASM_TYPES[result]]);
  }
  const code = new Bytes();
  graph.emitTo(code);
  code.byte(0x0b);
  marks?.push(...graph.marks.map(({ offset, tag }) => ({ offset, part: emitter.parts[tag] })));
  module.addFunction(regionType, graph.locals, code.take(), "region", graph.hints);
  return { bytes: module.build(), helpers, need: emitter.need, instructions: emitter.instructions };
}

class RegionEmitter {
  readonly #graph: Graph;
  readonly #b: JitBuilder;
  readonly #layout: Layout;
  readonly #region: Region;
  readonly #slot: number;
  readonly #callsDirectly: boolean;
  /** Other regions are called. */
  calls = false;
  /** Entries by address. */
  readonly #entries: ReadonlyMap<number, number>;
  /** Addresses behind calls of the region's own function. */
  readonly #ownReturns: readonly number[];
  /** Number of the first entry behind a call of another. */
  readonly #firstBehindCall: number;
  /** Loop around everything, to which control goes to be sent on to an entry. */
  #again: Label | undefined;
  /** Blocks from which control may go to an entry, with registers in locals. */
  readonly #goingRound = new Set<Block>();
  readonly #addressLabels: Label[] = [];
  /** Labels in reach: behind which a block begins, and loops that are open. */
  readonly #forward = new Map<Block, Label>();
  readonly #open = new Map<Block, Label>();
  /** By how many edges a block is entered. */
  readonly #entrances = new Map<Block, number>();
  readonly #asking: ReadonlySet<Block>;
  /** What holds where such a block begins. */
  readonly #states = new Map<Block, TextState>();
  /** What is known of values on the ways to a block, as far as they have been recorded. */
  readonly #arrivals = new Map<Block, Values[]>();
  /** Longest way from a block to the next question about the budget, in instructions. */
  readonly #cost: number[] = [];
  readonly #tame: Tameness | undefined;
  /** Loops that are recorded twice, by their heads. */
  readonly #turns = new Map<Block, Loop>();
  /** The one that is being recorded, and what begins and ends its turn. */
  #turn: { readonly head: Block; readonly begin: () => void; readonly end: () => void } | undefined;
  readonly #stack: StackPlan | undefined;
  #block!: Block;
  instructions = 0;
  /** Encoding being recorded, for error reports. */
  encoding: Encoding | undefined;

  /** What marks stand for; empty when none are wanted. */
  readonly parts: Mark["part"][] = [];
  readonly #marked: boolean;

  constructor(
    region: Region, graph: Graph, b: JitBuilder,
    { slot, callsDirectly, isMarked, keepsStack, plan }: { readonly slot: number; readonly callsDirectly: boolean; readonly isMarked: boolean; readonly keepsStack: boolean; readonly plan: FloatPlan },
  ) {
    this.#region = region;
    this.#slot = slot;
    this.#callsDirectly = callsDirectly;
    this.#marked = isMarked;
    this.#entries = new Map(region.entries.map(({ rip }, number) => [rip, number]));
    const returns = region.blocks.filter(({ ending, taken }) => ending === "call" && taken === region.start).map((block) => endOf(block));
    this.#ownReturns = returns.filter((rip) => this.#entries.has(rip));
    this.#firstBehindCall = region.entries.filter(({ isBehindCall }) => !isBehindCall).length;
    this.#graph = graph;
    this.#b = b;
    this.#layout = layOut(region.entry);
    const { order, follows } = this.#layout;
    this.#asking = blocksThatAskForFlags(order, follows);
    this.#entrances.set(order[0], 1);
    for (const block of order) {
      this.instructions += block.instructions.length;
      for (const target of [block.next, block.taken]) {
        if (target === undefined || typeof target === "number" || !follows(block, target)) continue;
        this.#entrances.set(target, (this.#entrances.get(target) ?? 0) + 1);
      }
    }
    this.#tame = b.leavesAtDenormals ? findTame(this.#layout, region.entries.map(({ way }) => ({ way, to: way.entry < 0 ? way : (way.next as Block) })), plan.bounded) : undefined;
    if (keepsStack && region.entries.length === 1) this.#stack = planStack(order, (block) => successors(block).filter((next) => follows(block, next)));
    for (let i = order.length - 1; i >= 0; i--) {
      let rest = 0;
      for (const next of successors(order[i])) if (next.index > i && follows(order[i], next) && !this.#isBehindCall(next)) rest = Math.max(rest, this.#cost[next.index]);
      this.#cost[i] = order[i].instructions.length + rest;
    }
  }
  /** The longest way from where the region may be entered to the next question. */
  get need(): number {
    return Math.max(this.#cost[0], ...this.#region.entries.map(({ way }) => this.#cost[way.index]));
  }

  emit(): void {
    const graph = this.#graph;
    const b = this.#b;
    b.onJump = () => this.#jump();
    b.onIndirect = (address, isReturn, require) => this.#indirect(address, isReturn, require);
    this.#planTurns();
    const body = graph.aside(() => this.#emitBlocks());
    b.finish(() => {
      body();
      this.#mark("exit");
    }, this.#registerFlow(), 0);
  }
  #emitBlocks(): void {
    const b = this.#b;
    const { order } = this.#layout;
    const all = (): void => this.#emitRange(0, order.length - 1);
    if (order[0].ending !== "enter") {
      b.beginBlock(-1, undefined);
      if (this.#stack !== undefined) b.planStack(this.#stack, order[0].start);
      b.requireBudget(this.#cost[0], order[0].start);
      this.#requireTame(order[0]);
      all();
    } else if (this.#returnsToEntries()) {
      this.#graph.loop((again) => {
        this.#again = again;
        all();
      });
    } else all();
  }

  /** Blocks first…last in order, each behind a label that forward branches can reach. `inLoop` is the head whose Wasm loop is open. */
  #emitRange(first: number, last: number, inLoop = -1): void {
    const graph = this.#graph;
    const { order, loops } = this.#layout;
    const units: [number, number][] = [];
    for (let i = first; i <= last; ) {
      const end = i === inLoop ? i : (loops.get(order[i])?.last ?? i);
      units.push([i, end]);
      i = end + 1;
    }
    const upTo = (k: number): void => {
      const [head, end] = units[k];
      const block = order[head];
      if (k > 0) {
        graph.block((label) => {
          this.#forward.set(block, label);
          upTo(k - 1);
        });
        this.#forward.delete(block);
      }
      const turn = this.#turns.get(block);
      if (head !== inLoop && turn !== undefined) this.#emitTurns(turn);
      else if (head !== inLoop && loops.has(block)) {
        graph.loop((label) => {
          this.#open.set(block, label);
          this.#emitRange(head, end, head);
          this.#open.delete(block);
        });
      } else this.#emitBlock(block);
    };
    upTo(units.length - 1);
  }

  #mark(part: Mark["part"]): void {
    if (this.#marked) this.#graph.mark(this.parts.push(part) - 1);
  }
  #emitBlock(block: Block): void {
    const b = this.#b;
    this.#block = block;
    this.#mark(block);
    if (block.others.length > 0 && block.ending !== "enter") this.#leadOn();
    if (block.ending === "enter") {
      b.beginBlock(block.index, undefined);
      this.#choose();
      return;
    }
    b.beginBlock(block.index, this.#states.get(block), this.#metAt(block));
    if (block === this.#turn?.head) this.#turn.begin();
    if (block.entry >= 0) this.#comeIn(block);
    b.beginFloats(this.#tame?.facts.get(block));
    b.beginStack(this.#stack?.states.get(block));
    for (const d of block.instructions) {
      this.#mark(d);
      this.encoding = d.encoding;
      d.encoding.semantics(b, ...b.beginInstruction(d));
      if (d.encoding.options.endsBlock !== true) b.retire();
    }
    if (block.ending === "branch" || block.ending === "fall") this.#go(block.next as Target);
  }

  #go(target: Target): void {
    const b = this.#b;
    if (typeof target === "number") {
      this.#goOut(target);
      return;
    }
    if (target === this.#turn?.head) {
      this.#turn.end();
      return;
    }
    const open = this.#open.get(target), label = open ?? this.#forward.get(target);
    if (label === undefined || !this.#layout.follows(this.#block, target)) {
      this.#goOut(target.start);
      return;
    }
    if (this.#entrances.get(target) === 1) this.#states.set(target, b.textState);
    else {
      if (this.#asking.has(target)) b.jitFlags.save();
      b.charge();
      if (open !== undefined) b.requireBudget(this.#cost[target.index], target.start);
      else if (this.#layout.loops.has(target)) this.#requireTameLoop(target);
      else this.#arrive(target);
    }
    this.#graph.br(label);
  }
  #arrive(target: Block): void {
    const arrivals = this.#arrivals.get(target);
    if (arrivals === undefined) this.#arrivals.set(target, [this.#b.values]);
    else arrivals.push(this.#b.values);
  }
  /** What all ways to a block know, when all of them have been recorded. */
  #metAt(block: Block): Values | undefined {
    const arrivals = this.#arrivals.get(block);
    return arrivals !== undefined && arrivals.length === this.#entrances.get(block) ? arrivals.reduce(meetValues) : undefined;
  }

  // ---- turns without questions -----------------------------------------------------------------------------------------------

  /** Finds the loops that may do without. What they lead to is entered from both recordings. */
  #planTurns(): void {
    const { loops, follows } = this.#layout;
    if (this.#stack !== undefined) return;
    for (const loop of loops.values()) {
      if (!isTurn(loop, this.#layout)) continue;
      this.#turns.set(loop.head, loop);
      for (const block of loop.body) {
        for (const next of [block.next, block.taken]) {
          if (typeof next === "object" && follows(block, next) && !loop.body.has(next)) this.#entrances.set(next, (this.#entrances.get(next) ?? 0) + 1);
        }
      }
    }
  }
  /** Turns without questions, if it can be said for how many; else some turns as everywhere.
   *
   *    loop again
   *      block unknown
   *        for how many turns? if nobody knows, br unknown; least = the budget behind them
   *        loop quick { a turn; as long as the budget is above least, br quick; br again }
   *      end
   *      least = the budget behind some turns
   *      loop slow { a turn; as long as the budget is above least, br slow; br again }
   *    end */
  #emitTurns(loop: Loop): void {
    const graph = this.#graph;
    const b = this.#b;
    const { head, body, last } = loop;
    const charge = shortestTurn(loop, this.#layout), need = this.#cost[head.index];
    const asks = this.#asking.has(head), flags = new TurnFlags(b, graph);
    const emitTurn = (again: Label, otherwise: () => void, { watch, noted }: { readonly watch?: TurnWatch; readonly noted?: Variable | undefined }): void => {
      for (const block of body) this.#arrivals.delete(block);
      const end = (): void => {
        watch?.end(b.addresses.state);
        if (watch !== undefined) flags.see(b.jitFlags.state);
        if (noted !== undefined) flags.keep(b.jitFlags.state);
        else if (asks) b.jitFlags.save();
        b.charge();
        graph.if(b.mayTurn(), () => graph.br(again));
        b.requireBudget(need, head.start);
        if (noted !== undefined) b.jitFlags.save();
        otherwise();
      };
      const begin = (): void => {
        // In both recordings, so that they take the same slots.
        const places = placesOf(b.addresses);
        watch?.begin(places);
        if (noted !== undefined) b.jitFlags.state = flags.begin(b.isBudgetOther(noted));
      };
      this.#turn = { head, begin, end };
      this.#emitRange(head.index, last, head.index);
      this.#turn = undefined;
    };
    graph.loop((again) => {
      const watch = new TurnWatch(b.addresses);
      const slowTurns = graph.aside(() => {
        b.setTurns(TURNS_BETWEEN, charge, need);
        graph.loop((slow) => emitTurn(slow, () => graph.br(again), { watch }));
      });
      graph.block((unknown) => {
        const question = graph.placeholder();
        const noted = asks && flags.areKnown ? b.noteBudget() : undefined;
        graph.loop((quick) => {
          b.beginTurn(watch.plan());
          emitTurn(quick, () => graph.br(again), { noted });
          const ask = b.endTurn(charge, need);
          question(() => ask(unknown));
        });
      });
      slowTurns();
    });
  }

  // ---- entries ---------------------------------------------------------------------------------------------------------------

  /** Whether control inside the region may go to an entry of it. */
  #returnsToEntries(): boolean {
    const { order, follows } = this.#layout;
    const isOutside = (block: Block, target: Target | undefined): boolean =>
      target !== undefined && (typeof target === "number" ? this.#entries.has(target) : !follows(block, target));
    return order.some((block) => block.ending === "indirect" || (!this.#callsOut(block) && isOutside(block, block.taken)) || isOutside(block, block.next));
  }
  /** The chooser: on to the entry, when the budget suffices whichever it is. */
  #choose(): void {
    const graph = this.#graph;
    const { entries } = this.#region;
    graph.ifUnlikely(this.#b.isBudgetBelow(this.need), () => {
      graph.block((leave) => {
        const setAddress = (first: number): void => {
          if (first === entries.length) {
            const labels = this.#addressLabels;
            graph.brTable(labels, this.#b.entry);
            return;
          }
          graph.block((label) => {
            this.#addressLabels[first] = label;
            setAddress(first + 1);
          });
          this.#b.setExitAddress(entries[first].rip);
          graph.br(leave);
        };
        setAddress(0);
      });
      this.#b.leaveForBudget();
    });
    this.#brToEntry(this.#b.entry);
  }
  /** What a way in asks. */
  #comeIn(way: Block): void {
    const { isJumped, isBehindCall } = this.#region.entries[way.entry];
    if (isBehindCall) this.#b.comeBack();
    this.#requireTame(way);
    if (isJumped || isBehindCall) this.#b.requireBudget(this.#cost[way.index], way.start);
    this.#b.entered();
  }
  #requireTame(way: Block): void {
    const facts = this.#tame?.entries.get(way);
    if (facts !== undefined) this.#b.requireFloats(facts, way.start, this.#tame?.computes === true);
  }
  /** Into a loop from before it: what it takes for granted in every turn. */
  #requireTameLoop(head: Block): void {
    const facts = this.#tame?.facts.get(head);
    if (facts !== undefined && this.#block.entry < 0) this.#b.requireFloats(this.#b.doubtful(facts), head.start, false);
  }
  /** At the beginning of loops with entries inside: on to the entry that is on its way. */
  #leadOn(): void {
    const graph = this.#graph;
    const entry = this.#b.entry;
    graph.ifUnlikely(graph.op("i32.ge_s", entry, graph.i32(0)), () => this.#brToEntry(entry));
  }
  /** Goes to an entry of the region by its number, from wherever that leads on. */
  #brToEntry(number: Node): void {
    const labels = this.#region.entries.map((entry) => this.#labelTowards(entry));
    const any = labels.find((label) => label !== undefined);
    assert(any !== undefined, "no entry can be reached", { start: this.#region.start });
    this.#graph.brTable(labels.map((label) => label ?? any), number);
  }
  /** The nearest place on the way to an entry that can be reached from here. */
  #labelTowards({ way, heads }: Entry): Label | undefined {
    for (const block of [way, ...heads]) {
      const label = this.#forward.get(block);
      if (label !== undefined) return label;
      if (this.#block !== block && this.#open.has(block)) return this.#open.get(block);
    }
    return this.#again;
  }
  /** On to an address outside, or to one where the region is entered. */
  #goOut(address: number): void {
    const number = this.#entries.get(address);
    if (number === undefined || this.#again === undefined) {
      this.#b.chainTo(address);
      return;
    }
    this.#b.goToEntry(this.#graph.i32(number));
    if (number >= this.#firstBehindCall) this.#b.settleRegisters();
    else this.#goingRound.add(this.#block);
    this.#graph.br(this.#again);
  }

  /** @param require asks what must hold of an address that is not one that was entered before */
  #indirect(address: Value, isReturn: boolean, require?: () => void): void {
    const graph = this.#graph;
    const { next, taken, ending } = this.#block;
    const returns = this.#ownReturns;
    const isAt = (rip: number): Node => graph.op("i64.eq", address.node, graph.i64(BigInt(rip)));
    // What was guessed is asked.
    if (!isReturn && typeof taken === "object") graph.if(isAt(taken.start), () => this.#go(taken));
    if (isReturn) {
      // The return of an inlined call goes on behind it, if that is where the guest's stack says.
      if (typeof next === "object") graph.if(isAt(next.start), () => this.#go(next));
      else if (returns.length > MAX_COMPARED) this.#indirectInside(address, true);
      else for (const rip of returns) graph.if(isAt(rip), () => this.#goOut(rip));
      this.#b.returnToValue(address);
    } else if (this.#callsOut(this.#block)) this.#callOut(address.node);
    else {
      if (this.#again !== undefined && ending === "indirect") this.#indirectInside(address, false);
      require?.();
      this.#b.chainToValue(address);
    }
  }
  /** Where the jump cache says that the address is an entry of this region that takes registers as they are, control stays inside. */
  #indirectInside(address: Value, isReturn: boolean): void {
    const graph = this.#graph;
    const entry = jumpCacheEntry(graph, address.node);
    const isKnown = graph.op("i64.eq", addressIn(graph, entry), address.node);
    this.#goingRound.add(this.#block);
    graph.if(isKnown, () => {
      const number = numberInSlot(graph, regionIn(graph, entry), this.#slot);
      graph.if(graph.op("i32.lt_u", number, graph.i32(this.#firstBehindCall)), () => {
        this.#b.goToEntry(number);
        if (isReturn) graph.br(this.#again as Label);
        else this.#brToEntry(this.#b.entry);
      });
    });
  }

  // ---- calls -----------------------------------------------------------------------------------------------------------------

  #jump(): void {
    const taken = this.#block.taken as Target;
    if (this.#callsOut(this.#block)) this.#callOut(this.#graph.i64(BigInt(taken as number)));
    else this.#go(taken);
  }
  /** True for a block that ends in a call to another region, behind which this one goes on. */
  #callsOut(block: Block): boolean {
    const { ending, taken, next } = block;
    return (ending === "indirect-call" || (ending === "call" && typeof taken === "number")) && typeof next === "object" && this.#isBehindCall(next) && this.#layout.follows(block, next);
  }
  #isBehindCall({ entry }: Block): boolean {
    return entry >= 0 && this.#region.entries[entry].isBehindCall;
  }
  #callOut(address: Node): void {
    const way = this.#block.next as Block;
    this.calls = true;
    this.#b.callOut(address, way.start, () => FRAME + FRAME_PER_INSTRUCTION * this.instructions, this.#callsDirectly);
    this.#graph.br((this.#open.get(way) ?? this.#forward.get(way)) as Label);
  }
  #registerFlow(): RegisterFlow {
    const { order, follows } = this.#layout;
    const ways = this.#region.entries.filter(({ isBehindCall }) => !isBehindCall).map(({ way }) => way);
    const next = (block: Block): readonly Block[] => {
      if (block.ending === "enter") return ways;
      const inside = [block.next, block.taken].filter((target) => typeof target === "object" && follows(block, target)) as Block[];
      return this.#goingRound.has(block) ? [...inside, order[0]] : inside;
    };
    return flowOfRegisters({ order, next, loads: (block) => this.#isBehindCall(block) }, (block) => this.#b.useOf(block));
  }
}

/** Address behind a block's last instruction. */
function endOf({ instructions }: Block): number {
  return instructions[instructions.length - 1].nextRip;
}
