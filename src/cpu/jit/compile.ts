/** One region → one WebAssembly function.
 *
 *  Layout: blocks in reverse postorder. A forward edge is a branch to a label that is open there. A loop whose body is entered by its
 *  head only is a Wasm loop; every other backward edge, every entry from outside and every predicted return goes through the
 *  dispatcher, a `br_table` at the top:
 *
 *    block exit
 *      loop top
 *        block B2 { block B1 { block B0 { br_table pc } code of B0 } code of B1 } code of B2
 *      end
 *    end
 *    store registers and flags; leave or chain */
import type { Encoding } from "../instructions/define.ts";
import type { Value } from "../builder.ts";
import { helperSignatures, type HelperName } from "../helpers.ts";
import { R_OPERAND0 } from "../cold/record.ts";
import { Bytes, ModuleBuilder } from "../wasm/emitter.ts";
import { Graph, type Label, type Variable } from "../wasm/graph.ts";
import { I32, I64 } from "../wasm/opcodes.ts";
import { ColdOnly, JitBuilder } from "./jit-builder.ts";
import { type Block, type Region, successors } from "./region.ts";

export interface CompiledRegion {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Helpers the module imports. */
  readonly helpers: readonly string[];
  /** Start addresses by entry number. */
  readonly entries: readonly number[];
}

/** Most return addresses compared before a return leaves the region. */
const MAX_PREDICTED_RETURNS = 8;
const FIXED_IMPORTS = 5;

/** Compiles `region`, or names the encoding that must stay with the cold engine. */
export function compileRegion(region: Region): CompiledRegion | { readonly coldOnly: Encoding } {
  const graph = new Graph([I32, I32]);
  const helpers: string[] = [];
  const b = new JitBuilder(graph, {
    rangeRead: 0, rangeWrite: 1, flushWrite: 2, checkWrite: 3, gotoAddress: 4,
    helper: (name) => {
      let index = helpers.indexOf(name);
      if (index < 0) index = helpers.push(name) - 1;
      return FIXED_IMPORTS + index;
    },
  });
  const emitter = new RegionEmitter(region, graph, b);
  try {
    emitter.emit();
  } catch (error) {
    if (error instanceof ColdOnly) return { coldOnly: emitter.encoding as Encoding };
    throw error;
  }
  const module = new ModuleBuilder();
  module.importMemory("env", "memory");
  module.importFunction("env", "rangeRead", [I32, I32, I32, I32], [I32]);
  module.importFunction("env", "rangeWrite", [I32, I32, I32, I32], [I32]);
  module.importFunction("env", "flushWrite", [], []);
  module.importFunction("env", "checkWrite", [I32, I32, I32], [I32]);
  module.importFunction("env", "gotoAddress", [I64, I32], [I32]);
  for (const name of helpers) {
    const { params, result } = helperSignatures[name as HelperName];
    module.importFunction("helpers", name, params.map((t) => (t === "i32" ? I32 : I64)), result === undefined ? [] : [result === "i32" ? I32 : I64]);
  }
  const code = new Bytes();
  graph.emitTo(code);
  code.byte(0x0b);
  module.addFunction(module.type([I32, I32], [I32]), graph.locals, code.take(), "region");
  return { bytes: module.build(), helpers, entries: region.entries };
}

interface Loop { readonly head: number; last: number }

class RegionEmitter {
  readonly #region: Region;
  readonly #graph: Graph;
  readonly #b: JitBuilder;
  readonly #loops = new Map<number, Loop>();
  /** Start addresses that the dispatcher can reach, by number; the region's entries come first. */
  readonly #dispatched: number[];
  readonly #forward = new Map<Block, Label>();
  readonly #open = new Map<Block, Label>();
  readonly #kindOut: (number | undefined)[] = [];
  #pc!: Variable;
  #top!: Label;
  readonly #returnSites: readonly number[];
  /** Encoding being recorded, for error reports. */
  encoding: Encoding | undefined;

  constructor(region: Region, graph: Graph, b: JitBuilder) {
    this.#region = region;
    this.#graph = graph;
    this.#b = b;
    this.#dispatched = [...region.entries];
    const sites: number[] = [];
    for (const block of region.blocks) {
      const e = block.ending;
      if (e.kind === "call" && region.byStart.has(e.target) && region.byStart.has(e.next) && sites.length < MAX_PREDICTED_RETURNS && !sites.includes(e.next)) sites.push(e.next);
    }
    this.#returnSites = sites;
  }

  emit(): void {
    const graph = this.#graph;
    const b = this.#b;
    const { blocks } = this.#region;
    this.#findLoops();
    const prologue = graph.placeholder();
    this.#pc = graph.variable(I32);
    graph.set(this.#pc, graph.load("i32.load16_u", graph.get(graph.parameter(0)), R_OPERAND0));
    b.onJump = (target) => this.#jump(target);
    b.onIndirect = (address, isReturn) => this.#indirect(address, isReturn);
    graph.block((exit) => {
      b.setExit(exit);
      graph.loop((top) => {
        this.#top = top;
        this.#emitRange(0, blocks.length - 1, true);
      });
    });
    b.epilogue();
    graph.unreachable();
    prologue(() => b.prologue());
  }

  /** Backward edges become Wasm loops where nothing but the head is entered from outside; heads of the others are dispatched to. */
  #findLoops(): void {
    const { blocks, byStart } = this.#region;
    const loops = this.#loops;
    const edges: [number, number][] = [];
    for (const block of blocks) {
      for (const next of successors(block, byStart)) {
        edges.push([block.index, next.index]);
        if (next.index > block.index) continue;
        const loop = loops.get(next.index);
        if (loop === undefined) loops.set(next.index, { head: next.index, last: block.index });
        else loop.last = Math.max(loop.last, block.index);
      }
    }
    const dispatched = new Set(this.#dispatched.map((start) => byStart.get(start)?.index ?? -1));
    for (let changed = true; changed; ) {
      changed = false;
      for (const loop of [...loops.values()]) {
        for (const other of loops.values()) {
          if (other.head > loop.head && other.head <= loop.last && other.last > loop.last) {
            loop.last = other.last;
            changed = true;
          }
        }
        const inside = (i: number): boolean => i > loop.head && i <= loop.last;
        let natural = true;
        for (const index of dispatched) if (inside(index)) natural = false;
        for (const [from, to] of edges) if (inside(to) && !(inside(from) || from === loop.head)) natural = false;
        if (!natural) {
          loops.delete(loop.head);
          dispatched.add(loop.head);
          if (!this.#dispatched.includes(blocks[loop.head].start)) this.#dispatched.push(blocks[loop.head].start);
          changed = true;
        }
      }
    }
  }

  /** Blocks first…last in order, each behind a label that forward branches can reach. */
  #emitRange(first: number, last: number, outermost: boolean, inLoop = -1): void {
    const graph = this.#graph;
    const units: [number, number][] = [];
    for (let i = first; i <= last; ) {
      const loop = i === inLoop ? undefined : this.#loops.get(i);
      const end = loop === undefined ? i : loop.last;
      units.push([i, end]);
      i = end + 1;
    }
    const upTo = (k: number): void => {
      const [head, end] = units[k];
      const block = this.#region.blocks[head];
      if (k > 0 || outermost) {
        graph.block((label) => {
          this.#forward.set(block, label);
          if (k > 0) upTo(k - 1);
          else this.#dispatch();
        });
        this.#forward.delete(block);
      }
      if (end > head || this.#loops.has(head) && head !== inLoop) {
        graph.loop((label) => {
          this.#open.set(block, label);
          this.#emitRange(head, end, false, head);
          this.#open.delete(block);
        });
      } else this.#emitBlock(block);
    };
    upTo(units.length - 1);
  }

  #dispatch(): void {
    const graph = this.#graph;
    const { byStart } = this.#region;
    const labels = this.#dispatched.map((start) => this.#forward.get(byStart.get(start) as Block) as Label);
    if (labels.length === 1) graph.br(labels[0]);
    else graph.brTable(labels, graph.get(this.#pc));
  }

  #emitBlock(block: Block): void {
    const b = this.#b;
    b.jitFlags.beginBlock(this.#kindIn(block));
    b.chargeBlock(block.start, block.instructions.length);
    let left = block.instructions.length;
    for (const d of block.instructions) {
      const operands = b.beginInstruction(d, left--);
      this.encoding = d.encoding;
      this.#kindOut[block.index] = undefined;
      d.encoding.semantics(b, ...operands);
    }
    this.#kindOut[block.index] = b.jitFlags.kindNow;
    const e = block.ending;
    const lastInstruction = block.instructions.at(-1);
    if (e.kind === "branch") this.#jump(e.next);
    else if (e.kind === "jump" && lastInstruction?.encoding.options.endsBlock !== true) this.#jump(e.next);
    else if (lastInstruction === undefined) b.leaveTo(block.start);
  }

  /** Kind of the flags when every way into `block` is a forward edge that leaves the same kind. */
  #kindIn(block: Block): number | undefined {
    const { blocks, byStart } = this.#region;
    if (this.#dispatched.includes(block.start)) return undefined;
    let kind: number | undefined;
    let seen = false;
    for (const from of blocks) {
      if (!successors(from, byStart).includes(block)) continue;
      if (from.index >= block.index) return undefined;
      const out = this.#kindOut[from.index];
      if (out === undefined || (seen && out !== kind)) return undefined;
      kind = out;
      seen = true;
    }
    return kind;
  }

  #jump(target: number): void {
    const block = this.#region.byStart.get(target);
    const b = this.#b;
    if (block === undefined) {
      b.chainTo(target);
      return;
    }
    const label = this.#open.get(block) ?? this.#forward.get(block);
    if (label !== undefined) {
      this.#graph.br(label);
      return;
    }
    const number = this.#dispatched.indexOf(target);
    if (number < 0) throw new Error(`no way to block ${target.toString(16)}`);
    this.#graph.set(this.#pc, this.#graph.i32(number));
    this.#graph.br(this.#top);
  }

  #indirect(address: Value, isReturn: boolean): void {
    const b = this.#b;
    const graph = this.#graph;
    if (isReturn) {
      for (const site of this.#returnSites) graph.if(graph.op("i64.eq", address.node, graph.i64(BigInt(site))), () => this.#jump(site));
    }
    b.chainToValue(address);
  }
}
