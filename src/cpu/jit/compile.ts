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
 *  A block that is entered from one place only goes on with what is known there: where the flags come from, which accesses have been
 *  asked for, and what has retired but not been charged yet. Where ways come together, all of that is settled on each of them.
 *
 *  Whether the budget suffices is asked at the entry and on edges back to a loop's head, for the longest way to the next such place.
 *  What is left of a budget that does not suffice is for the cold engine, so counts stay exact. */
import type { Value } from "../builder.ts";
import { type HelperName, helperSignatures } from "../helpers.ts";
import type { Decoded } from "../decode/decoder.ts";
import type { Encoding } from "../instructions/define.ts";
import { Bytes, ModuleBuilder } from "../wasm/emitter.ts";
import { Graph, type Label } from "../wasm/graph.ts";
import { I32, I64, WASM_TYPES } from "../wasm/opcodes.ts";
import { blocksThatAskForFlags } from "./effects.ts";
import { ColdOnly, JitBuilder, type TextState } from "./jit-builder.ts";
import { type Layout, layOut } from "./layout.ts";
import { NOTICE_DENORMAL, NOTICE_FAST, NOTICE_STACK } from "../state.ts";
import { findTame, type Tameness } from "./tame.ts";
import { planStack, type StackPlan } from "./x87-plan.ts";
import { type Block, type Region, successors, type Target } from "./region.ts";

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

const FIXED_IMPORTS = 6;
const WRITES_MXCSR = /^(ldmxcsr|fxrstor|xrstor)/;

/** Compiles `region`, or names the encoding that must stay with the cold engine. `marks`, when given, are filled for a listing; `expected`
 *  are NOTICE_* bits of state.ts that it is not to be left for. */
export function compileRegion(region: Region, marks?: Mark[], expected = 0): CompiledRegion | { readonly coldOnly: Encoding } {
  const graph = new Graph([I32, I32]);
  const module = new ModuleBuilder();
  const helpers: string[] = [];
  const careful = (expected & NOTICE_DENORMAL) !== 0;
  const plan = { careful, changesMode: (expected & NOTICE_FAST) !== 0 || region.blocks.some((block) => block.instructions.some((d) => WRITES_MXCSR.test(d.encoding.mnemonic))) };
  const b = new JitBuilder(graph, {
    rangeRead: 0, rangeWrite: 1, flushWrite: 2, checkWrite: 3, gotoAddress: 4, materialize: 5,
    helper: (name) => {
      let index = helpers.indexOf(name);
      if (index < 0) index = helpers.push(name) - 1;
      return FIXED_IMPORTS + index;
    },
  }, plan);
  const emitter = new RegionEmitter(region, graph, b, marks !== undefined, (expected & NOTICE_STACK) === 0);
  try {
    emitter.emit();
  } catch (error) {
    if (error instanceof ColdOnly) return { coldOnly: emitter.encoding as Encoding };
    throw error;
  }
  module.importMemory("env", "memory");
  module.importFunction("env", "rangeRead", [I64, I32, I32], [I32]);
  module.importFunction("env", "rangeWrite", [I64, I32, I32], [I32]);
  module.importFunction("env", "flushWrite", [], []);
  module.importFunction("env", "checkWrite", [I32, I32, I32], [I32]);
  module.importFunction("env", "gotoAddress", [I64, I32], [I32]);
  module.importFunction("env", "materialize", [], []);
  for (const name of helpers) {
    const { params, result } = helperSignatures[name as HelperName];
    module.importFunction("helpers", name, params.map((t) => WASM_TYPES[t]), result === undefined ? [] : [WASM_TYPES[result]]);
  }
  const code = new Bytes();
  graph.emitTo(code);
  code.byte(0x0b);
  marks?.push(...graph.marks.map(({ offset, tag }) => ({ offset, part: emitter.parts[tag] })));
  module.addFunction(module.type([I32, I32], [I32]), graph.locals, code.take(), "region", graph.hints);
  return { bytes: module.build(), helpers, need: emitter.need, instructions: emitter.instructions };
}

class RegionEmitter {
  readonly #graph: Graph;
  readonly #b: JitBuilder;
  readonly #layout: Layout;
  /** Labels in reach: behind which a block begins, and loops that are open. */
  readonly #forward = new Map<Block, Label>();
  readonly #open = new Map<Block, Label>();
  /** By how many edges a block is entered. */
  readonly #entrances = new Map<Block, number>();
  readonly #asking: ReadonlySet<Block>;
  /** What holds where such a block begins. */
  readonly #states = new Map<Block, TextState>();
  /** Longest way from a block to the next question about the budget, in instructions. */
  readonly #cost: number[] = [];
  readonly #tame: Tameness | undefined;
  readonly #stack: StackPlan | undefined;
  #block!: Block;
  instructions = 0;
  /** Encoding being recorded, for error reports. */
  encoding: Encoding | undefined;

  /** What marks stand for; empty when none are wanted. */
  readonly parts: Mark["part"][] = [];
  readonly #marked: boolean;

  constructor(region: Region, graph: Graph, b: JitBuilder, marked: boolean, keepsStack: boolean) {
    this.#marked = marked;
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
    this.#tame = b.leavesAtDenormals ? findTame(order, follows, successors) : undefined;
    if (keepsStack) this.#stack = planStack(order, (block) => successors(block).filter((next) => follows(block, next)));
    for (let i = order.length - 1; i >= 0; i--) {
      let rest = 0;
      for (const next of successors(order[i])) if (next.index > i && follows(order[i], next)) rest = Math.max(rest, this.#cost[next.index]);
      this.#cost[i] = order[i].instructions.length + rest;
    }
  }
  get need(): number {
    return this.#cost[0];
  }

  emit(): void {
    const graph = this.#graph;
    const b = this.#b;
    const { order } = this.#layout;
    const prologue = graph.placeholder();
    b.onJump = () => this.#go(this.#block.taken as Target);
    b.onIndirect = (address, isReturn) => this.#indirect(address, isReturn);
    graph.block((exit) => {
      graph.block((chain) => {
        graph.block((denied) => {
          b.setExits(exit, chain, denied);
          b.beginBlock(-1, undefined);
          if (this.#stack !== undefined) b.planStack(this.#stack, order[0].start);
          if (this.#tame !== undefined) b.requireTame(this.#tame.entry, order[0].start);
          b.requireBudget(this.#cost[0], order[0].start);
          this.#emitRange(0, order.length - 1);
        });
        b.denied();
      });
      this.#mark("exit");
      b.chainExit();
    });
    b.epilogue();
    graph.unreachable();
    prologue(() => b.prologue());
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
      if (head !== inLoop && loops.has(block)) {
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
    b.beginBlock(block.index, this.#states.get(block));
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
      b.chainTo(target);
      return;
    }
    const open = this.#open.get(target), label = open ?? this.#forward.get(target);
    if (label === undefined || !this.#layout.follows(this.#block, target)) {
      b.chainTo(target.start);
      return;
    }
    if (this.#entrances.get(target) === 1) this.#states.set(target, b.textState);
    else {
      if (this.#asking.has(target)) b.jitFlags.save();
      b.charge();
      if (open !== undefined) b.requireBudget(this.#cost[target.index], target.start);
    }
    this.#graph.br(label);
  }

  #indirect(address: Value, isReturn: boolean): void {
    const graph = this.#graph;
    const { next } = this.#block;
    // The return of an inlined call goes on behind it, if that is where the guest's stack says.
    if (isReturn && next !== undefined && typeof next !== "number") graph.if(graph.op("i64.eq", address.node, graph.i64(BigInt(next.start))), () => this.#go(next));
    this.#b.chainToValue(address);
  }
}
