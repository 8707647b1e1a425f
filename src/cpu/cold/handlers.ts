/** The WebAssembly module that holds every handler of the cold engine, and the tables by which a decoder finds them. Built at install time. */
import { EXIT_CONTINUE, EXIT_EXCEPTION, VECTOR_GP, VECTOR_UD } from "../exit.ts";
import { helperSignatures, type HelperName } from "../helpers.ts";
import { serviceNames } from "../services.ts";
import { CODE_EPOCH, EXIT_BUDGET, EXIT_DETAIL, EXIT_RECORD, HOST_STACK, HOST_STACK_LEFT, LAST_LANDING, RIP } from "../state.ts";
import { Bytes, ModuleBuilder } from "../wasm/emitter.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { I32, I64, WASM_TYPES } from "../wasm/opcodes.ts";
import { ColdBuilder, type ColdFunctions, type ColdOperand } from "./cold-builder.ts";
import type { HandlerTable } from "./handler-table.ts";
import { TABLES_SECTION, tablesOf } from "./tables.ts";
import { FIXED_PAGES, LARGE_PAGE_SHIFT, PAGE_SIZE, RANGE_BASE, TLB_READ_BASE, TLB_WRITE_BASE } from "../../memory/physical-map.ts";
import { folded, tlbEntry } from "../translation.ts";
import { addressIn, jumpCacheEntry, numberOf, regionIn, slotOf } from "./jump-cache.ts";
import { FROM_ELSEWHERE, HANDLER_TABLE, R_EPOCH, R_TARGET, REGION_ENTRY_SHIFT, REGION_SLOT_MASK, REGION_TABLE } from "./record.ts";
import { FIRST_BLOCK_RANGE, FIRST_WRITE_RANGE, RANGE_BLOCKS, RANGE_BLOCKS_SHIFT, RANGE_DELTA, RANGE_LIMIT, RANGE_MISSES, RANGE_SLOT_BYTES, RANGE_TAIL } from "../../memory/ranges.ts";
import { RANGE_BEFORE_MASK, RANGE_BEFORE_SHIFT, RANGE_LENGTH_SHIFT, RANGE_MISSES_OFTEN } from "../translation.ts";
import { recordMaterialize } from "../lazy-flags.ts";

/** Builds the cold engine's module. Imports: env.memory, env.missRead, missWrite, flushWrite, checkWrite, lookup, service; helpers.*.
 *  Exports: run(record, budget) → exit kind. */
export function buildColdModule(table: HandlerTable): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", FIXED_PAGES);
  const handlerType = module.type([I32, I32], [I32]);
  const three = [I32, I32, I32] as const;
  const missRead = module.importFunction("env", "missRead", three, [I32]);
  const missWrite = module.importFunction("env", "missWrite", three, [I32]);
  const flushWrite = module.importFunction("env", "flushWrite", [], []);
  const checkWrite = module.importFunction("env", "checkWrite", three, [I32]);
  const lookup = module.importFunction("env", "lookup", three, [I32]);
  const service = module.importFunction("env", "service", [I32, I32], [I32]);
  const rangeRefill = module.importFunction("env", "rangeRefill", [I32, I32, I32, I32, I32], [I32]);
  module.importTable("env", "regions");
  const helpers = new Map<string, number>();
  for (const name of usedHelpers(table)) {
    const { params, result } = helperSignatures[name as HelperName];
    helpers.set(name, module.importFunction("helpers", name, params.map((t) => WASM_TYPES[t]), result === undefined ? [] : [WASM_TYPES[result]]));
  }
  const services = new Map(serviceNames.map((name, i) => [name as string, i]));
  const functions: ColdFunctions = { handlerType, missRead, missWrite, flushWrite, checkWrite, lookup, service, helpers, services };

  const elements: number[] = [];
  const add = (graph: Graph, exportName?: string): number => {
    const code = new Bytes();
    graph.emitTo(code);
    code.byte(0x0b);
    return module.addFunction(handlerType, graph.locals, code.take(), exportName, graph.hints);
  };
  // Handlers that no instruction has, in the order of record.ts.
  elements.push(add(leaving(EXIT_CONTINUE, 0)));
  {
    const graph = new Graph([I32, I32]);
    const b = new ColdBuilder(graph, functions, []);
    b.jump(undefined as never);
    elements.push(add(graph));
  }
  elements.push(add(leaving(EXIT_CONTINUE, 0)));
  elements.push(add(leaving(EXIT_EXCEPTION, VECTOR_UD)));
  elements.push(add(leaving(EXIT_EXCEPTION, VECTOR_GP)));
  for (const checked of [false, true]) {
    const graph = new Graph([I32, I32]);
    const record = graph.get(graph.parameter(0));
    if (checked) {
      const zero = graph.i32(0);
      graph.if(graph.op("i32.ne", graph.load("i32.load", record, R_EPOCH), graph.load("i32.load", zero, CODE_EPOCH)), () => {
        graph.store("i32.store", zero, record, EXIT_RECORD);
        graph.store("i32.store", zero, graph.get(graph.parameter(1)), EXIT_BUDGET);
        graph.return(graph.i32(EXIT_CONTINUE));
      });
    }
    const target = graph.load("i32.load", record, R_TARGET);
    const slot = graph.op("i32.and", target, graph.i32(REGION_SLOT_MASK)), entry = graph.op("i32.shr_u", target, graph.i32(REGION_ENTRY_SHIFT));
    graph.returnCallIndirect(REGION_TABLE, handlerType, slot, entry, graph.get(graph.parameter(1)));
    elements.push(add(graph));
  }
  for (const { encoding, forms, key } of table.handlers) {
    const graph = new Graph([I32, I32]);
    const operands: ColdOperand[] = encoding.operands.map((spec, position) => ({
      spec, position, width: spec.width, form: forms[position], isMemory: forms[position] === "b" || forms[position] === "x",
    }));
    const b = new ColdBuilder(graph, functions, operands);
    try {
      encoding.semantics(b, ...operands);
      b.finish(encoding.options.endsBlock === true);
      elements.push(add(graph));
    } catch (error) {
      throw new Error(`handler ${key}: ${(error as Error).message}`, { cause: error });
    }
  }
  const materialize = addMaterialize(module);
  const gotoAddress = addRegionSupport(module, functions, rangeRefill, materialize);
  const run = new Graph([I32, I32]);
  const record = run.get(run.parameter(0));
  run.store("i32.store", run.i32(0), run.i32(HOST_STACK), HOST_STACK_LEFT);
  const result = run.variable(I32);
  run.set(result, run.callIndirect(HANDLER_TABLE, handlerType, I32, run.load("i32.load16_u", record), record, run.get(run.parameter(1))));
  // A region has returned to code that did not call it: on to where it returns to.
  run.block((left) => {
    run.loop((again) => {
      run.br(left, run.op("i32.ge_s", run.get(result), run.i32(0)));
      run.set(result, run.call(gotoAddress, I32, run.load("i64.load", run.i32(0), RIP), run.op("i32.xor", run.get(result), run.i32(-1))));
      run.br(again);
    });
  });
  run.callVoid(materialize);
  run.return(run.get(result));
  run.unreachable();
  add(run, "run");
  module.defineTable(elements.length);
  module.setElements(elements);
  const section = new Bytes().name(TABLES_SECTION).text(tablesOf(table)).take();
  return new Bytes().append(module.build()).byte(0).u32(section.length).append(section).take();
}

/** materialize(): brings the flag words up to date (lazy-flags.ts). Called wherever anything but a region goes on. */
function addMaterialize(module: ModuleBuilder): number {
  const graph = new Graph([]);
  recordMaterialize(graph);
  const code = new Bytes();
  graph.emitTo(code);
  code.byte(0x0b);
  return module.addFunction(module.type([], []), graph.locals, code.take(), "materialize");
}

/** Misses of a block after which its run is looked for, then at every doubling and as often as this. */
const FIRST_REFILL = 4;
const REFILL_AT_LEAST_EVERY = 8192;
/** More than any exit's kind (cpu/exit.ts). */
const CALL_ELSEWHERE = 0xff;
const slotAddress = (number: number): number => RANGE_BASE + number * RANGE_SLOT_BYTES;

/** What translated regions call: gotoAddress(address i64, budget i32) → exit kind or, where a region returns, the complement of what is left of
 *  the budget; callAddress and endCall (below); and rangeRead, rangeWrite(address i64, slot, request) → host
 *  address of the first byte asked for, or 0 (translation.ts has the request's bits). A range miss takes the run of the address's block
 *  if that covers it, and else the page if the TLB has it; whichever it is, the slot's delta then holds for the address. A range that is empty is refilled, and so it is when the block has missed 4, 8, 16…
 *  times and every 8,192: seldom enough that accesses alternating between places do not refill for ever. */
function addRegionSupport(module: ModuleBuilder, functions: ColdFunctions, rangeRefill: number, materialize: number): number {
  const emit = (params: readonly (typeof I32 | typeof I64)[], name: string, record: (graph: Graph) => void): number => {
    const graph = new Graph(params);
    record(graph);
    const code = new Bytes();
    graph.emitTo(code);
    code.byte(0x0b);
    return module.addFunction(module.type(params, [I32]), graph.locals, code.take(), name);
  };
  const gotoAddress = emit([I64, I32], "gotoAddress", (graph) => {
    const address = graph.get(graph.parameter(0)), budget = graph.get(graph.parameter(1));
    // A region whose slot the jump cache names is entered at once, and takes flags as they are; handlers want the words.
    const entry = jumpCacheEntry(graph, address);
    const known = graph.op("i64.eq", addressIn(graph, entry), address);
    graph.if(known, () => {
      const region = regionIn(graph, entry);
      graph.if(region, () => {
        graph.returnCallIndirect(REGION_TABLE, functions.handlerType, slotOf(graph, region), numberOf(graph, region), budget);
      });
    });
    graph.store("i64.store", graph.i32(0), address, LAST_LANDING);
    graph.callVoid(materialize);
    new ColdBuilder(graph, functions, [], 1).gotoAddress(address, graph.i32(FROM_ELSEWHERE));
  });
  // callAddress(address i64, back i64, budget i32, frame i32): calls the region at the address, for a region that takes `frame` bytes of the host's
  // stack. Registers are in RAM. Gives the complement of what is left of the budget when the guest has come back to `back`; or an exit's
  // kind; or CALL_ELSEWHERE, with RIP and EXIT_BUDGET, when the guest goes on somewhere that is not for the caller to call or wait for.
  emit([I64, I64, I32, I32], "callAddress", (graph) => {
    const [address, back, budget, frame] = [0, 1, 2, 3].map((n) => graph.get(graph.parameter(n)));
    const zero = graph.i32(0);
    const elsewhere = (rip: Node, left: Node): void => {
      graph.store("i64.store", zero, rip, RIP);
      graph.store("i32.store", zero, left, EXIT_BUDGET);
      graph.return(graph.i32(CALL_ELSEWHERE));
    };
    const entry = jumpCacheEntry(graph, address);
    const region = regionIn(graph, entry);
    const isOther = graph.op("i64.ne", addressIn(graph, entry), address);
    const left = graph.op("i32.sub", graph.load("i32.load", zero, HOST_STACK_LEFT), frame);
    graph.ifAnyUnlikely([isOther, graph.op("i32.eqz", region), graph.op("i32.lt_s", left, zero)], () => elsewhere(address, budget));
    graph.store("i32.store", zero, left, HOST_STACK_LEFT);
    const result = graph.callIndirect(REGION_TABLE, functions.handlerType, I32, slotOf(graph, region), numberOf(graph, region), budget);
    graph.ifUnlikely(graph.op("i32.ge_s", result, zero), () => graph.return(result));
    graph.store("i32.store", zero, graph.op("i32.add", graph.load("i32.load", zero, HOST_STACK_LEFT), frame), HOST_STACK_LEFT);
    const returned = graph.load("i64.load", zero, RIP);
    graph.ifUnlikely(graph.op("i64.ne", returned, back), () => elsewhere(returned, graph.op("i32.xor", result, graph.i32(-1))));
    graph.return(result);
    graph.unreachable();
  });
  // endCall(result i32): what a region gives whose call has not come back.
  emit([I32], "endCall", (graph) => {
    const result = graph.get(graph.parameter(0));
    graph.if(graph.op("i32.eq", result, graph.i32(CALL_ELSEWHERE)), () => graph.returnCall(gotoAddress, graph.load("i64.load", graph.i32(0), RIP), graph.load("i32.load", graph.i32(0), EXIT_BUDGET)));
    graph.return(result);
    graph.unreachable();
  });
  for (const [name, array, write] of [["rangeRead", TLB_READ_BASE, 0], ["rangeWrite", TLB_WRITE_BASE, 1]] as const) {
    emit([I64, I32, I32], name, (graph) => {
      const [address, slot, request] = [0, 1, 2].map((n) => graph.get(graph.parameter(n)));
      const wide = (x: Node): Node => graph.op("i64.extend_i32_u", x);
      const low = graph.op("i32.wrap_i64", address), high = graph.op("i32.wrap_i64", graph.op("i64.shr_u", address, graph.i64(32)));
      const before = graph.op("i32.and", graph.op("i32.shr_u", request, graph.i32(RANGE_BEFORE_SHIFT)), graph.i32(RANGE_BEFORE_MASK));
      const first = graph.op("i64.sub", address, wide(before));
      const last = graph.op("i64.add", first, wide(graph.op("i32.sub", graph.op("i32.shr_u", request, graph.i32(RANGE_LENGTH_SHIFT)), graph.i32(1))));
      const entry = tlbEntry(graph, graph.op("i32.wrap_i64", first));
      const isEmpty = graph.op("i32.eqz", graph.load("i32.load", slot, RANGE_LIMIT));
      // The run of the address's block serves this slot from now on, if it covers what is asked for.
      const kind = graph.select(graph.op("i32.ge_u", slot, graph.i32(slotAddress(FIRST_WRITE_RANGE))), graph.i32(slotAddress(FIRST_WRITE_RANGE + FIRST_BLOCK_RANGE)), graph.i32(slotAddress(FIRST_BLOCK_RANGE)));
      const number = folded(graph, graph.op("i32.wrap_i64", first), LARGE_PAGE_SHIFT, RANGE_BLOCKS_SHIFT, RANGE_BLOCKS - 1);
      const block = graph.op("i32.add", kind, graph.op("i32.mul", number, graph.i32(RANGE_SLOT_BYTES)));
      const base = graph.load("i64.load", block), limit = graph.load("i64.load", block, RANGE_LIMIT);
      const isCovered = graph.op("i64.lt_u", graph.op("i64.sub", first, base), limit);
      graph.if(graph.op("i32.and", isCovered, graph.op("i32.eqz", isEmpty)), () => {
        const delta = graph.load("i32.load", block, RANGE_DELTA);
        graph.store("i64.store", slot, base);
        graph.store("i64.store", slot, limit, RANGE_LIMIT);
        graph.store("i32.store", slot, delta, RANGE_DELTA);
        graph.return(graph.op("i32.add", graph.op("i32.wrap_i64", first), delta));
      });
      const misses = graph.op("i32.add", graph.load("i32.load16_u", block, RANGE_MISSES), graph.i32(1));
      graph.store("i32.store16", block, misses, RANGE_MISSES);
      const power = graph.op("i32.eqz", graph.op("i32.and", misses, graph.op("i32.sub", misses, graph.i32(1))));
      const often = graph.op("i32.or", graph.op("i32.eqz", graph.op("i32.and", misses, graph.i32(REFILL_AT_LEAST_EVERY - 1))),
        graph.op("i32.and", graph.op("i32.ge_u", misses, graph.i32(FIRST_REFILL)), power));
      graph.if(graph.op("i32.eqz", graph.op("i32.or", often, isEmpty)), () => {
        graph.if(graph.op("i64.eq", graph.load("i64.load", entry, array), graph.op("i64.shr_u", last, graph.i64(12))), () => {
          const delta = graph.load("i32.load", entry, array + 8);
          graph.store("i64.store", slot, graph.op("i64.and", first, graph.i64(-PAGE_SIZE)));
          graph.store("i64.store", slot, graph.i64(PAGE_SIZE - RANGE_TAIL), RANGE_LIMIT);
          graph.store("i32.store", slot, delta, RANGE_DELTA);
          graph.return(graph.op("i32.add", graph.op("i32.wrap_i64", first), delta));
        });
      });
      const asked = graph.op("i32.or", request, graph.op("i32.mul", often, graph.i32(RANGE_MISSES_OFTEN)));
      graph.return(graph.call(rangeRefill, I32, slot, low, high, asked, graph.i32(write)));
      graph.unreachable();
    });
  }
  return gotoAddress;
}

function leaving(kind: number, detail: number): Graph {
  const graph = new Graph([I32, I32]);
  const zero = graph.i32(0);
  graph.store("i32.store", zero, graph.get(graph.parameter(0)), EXIT_RECORD);
  graph.store("i32.store", zero, graph.get(graph.parameter(1)), EXIT_BUDGET);
  graph.store("i32.store", zero, graph.i32(detail), EXIT_DETAIL);
  graph.return(graph.i32(kind));
  return graph;
}

/** Names of the helpers that semantics call, found by running them once with a recording map. */
function usedHelpers(table: HandlerTable): string[] {
  const used = new Set<string>();
  const recorder = { get: (name: string) => (used.add(name), 0) } as unknown as ReadonlyMap<string, number>;
  const functions: ColdFunctions = {
    handlerType: 0, missRead: 0, missWrite: 0, flushWrite: 0, checkWrite: 0, lookup: 0, service: 0,
    helpers: recorder, services: new Map(serviceNames.map((name, i) => [name as string, i])),
  };
  for (const { encoding, forms } of table.handlers) {
    const operands: ColdOperand[] = encoding.operands.map((spec, position) => ({
      spec, position, width: spec.width, form: forms[position], isMemory: forms[position] === "b" || forms[position] === "x",
    }));
    encoding.semantics(new ColdBuilder(new Graph([I32, I32]), functions, operands), ...operands);
  }
  return [...used].sort();
}
