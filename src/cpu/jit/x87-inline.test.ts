/** 80-bit sums, products and quotients in place are what the helpers say, which are compared with the processor (assembly/x87.test.ts): the number, and
 *  whether and where it was rounded. Significands are made so that halves and near halves are met. MENIOS_SEED, MENIOS_X87_PAIRS. */
import { expect, test } from "vitest";
import { loadHelpers, Random } from "../assembly/oracle.ts";
import { SCRATCH_A, X87_CONTROL, X87_STATUS } from "../state.ts";
import { Bytes, ModuleBuilder } from "../wasm/emitter.ts";
import { Graph } from "../wasm/graph.ts";
import { I32, I64, type ValueType } from "../wasm/opcodes.ts";
import { JitBuilder } from "./jit-builder.ts";
import { inlineProduct, inlineQuotient, inlineSum, type Wide, wideOf } from "./x87-inline.ts";

const SEED = Number(process.env["MENIOS_SEED"] ?? 1), PAIRS = Number(process.env["MENIOS_X87_PAIRS"] ?? 60_000);
const PLAIN_CONTROL = 0x037f, C1 = 0x200, PE = 0x20;
type Operation = "x87_sum" | "x87_product" | "x87_quotient";
type Number80 = readonly [m: bigint, se: number];
interface Found { readonly m: bigint; readonly se: number; readonly rounding: number }

/** The operation as a function of two numbers; it says undefined where the result is not usual. */
function inPlace(operation: Operation): (x: Number80, y: Number80) => Found | undefined {
  const types: ValueType[] = [I64, I32, I64, I32], graph = new Graph(types), module = new ModuleBuilder();
  const b = new JitBuilder(graph, JitBuilder.NO_IMPORTS, { careful: false, changesMode: false, asksMode: false, bounded: false });
  const wide = (first: number): Wide => wideOf(b, b.ofNode(graph.get(graph.parameter(first)), 64), b.ofNode(graph.get(graph.parameter(first + 1)), 32));
  const x = wide(0), y = wide(2);
  const { m, se, isUsual, lost, up } = operation === "x87_sum" ? inlineSum(b, x, y) : operation === "x87_product" ? inlineProduct(b, x, y) : inlineQuotient(b, x, y);
  const zero = graph.i32(0);
  graph.store("i64.store", zero, m.node, 0);
  graph.store("i32.store", zero, se.node, 8);
  graph.store("i64.store", zero, lost.node, 16);
  graph.store("i32.store", zero, up.node, 24);
  graph.return(isUsual.node);
  graph.unreachable();
  const code = new Bytes();
  graph.emitTo(code);
  code.byte(0x0b);
  const type = module.type(types, [I32]);
  module.importMemory("env", "memory");
  module.addFunction(type, graph.locals, code.take(), "operation", graph.hints);
  const memory = new WebAssembly.Memory({ initial: 1 }), view = new DataView(memory.buffer);
  const run = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { env: { memory } }).exports["operation"] as (...args: (bigint | number)[]) => number;
  return (x, y) => {
    if (run(...x, ...y) === 0) return undefined;
    const inexact = view.getBigUint64(16, true) !== 0n;
    return { m: view.getBigUint64(0, true), se: view.getInt32(8, true), rounding: (inexact ? PE : 0) | (view.getInt32(24, true) === 1 ? C1 : 0) };
  };
}

/** Bits near both ends, so that sums and products end in halves or next to them. */
function significand(random: Random): bigint {
  const low = 1n << BigInt(random.below(63)), TOP = 1n << 63n;
  return random.pick([TOP, TOP | low, TOP | (low - 1n), BigInt.asUintN(64, -low) | TOP, TOP | (random.u64() & ~(low - 1n)), TOP | random.u64(), TOP | low | 1n]);
}
function pair(random: Random): [Number80, Number80] {
  const exponent = random.pick([1, 2, 70, 16383, 16383 + random.below(200), 32700, 32765, 32766, 1 + random.below(32766)]);
  const other = Math.min(32766, Math.max(1, exponent + random.below(140) - 70)), sign = (): number => random.below(2) << 15;
  const numbers: [Number80, Number80] = [[significand(random), exponent | sign()], [significand(random), (random.below(4) === 0 ? 16383 + random.below(3) : other) | sign()]];
  // Now and then something that is no normal number.
  const odd = random.pick<Number80>([[0n, 0], [0n, 0x8000], [1n << 63n, 0x7fff], [3n << 62n, 0xffff], [1n << 62n, 0], [1n << 62n, 16383]]);
  return random.below(16) === 0 ? [odd, numbers[1]] : random.below(16) === 0 ? [numbers[0], odd] : numbers;
}

test.each<Operation>(["x87_sum", "x87_product", "x87_quotient"])(`%s of ${PAIRS} pairs (seed ${SEED})`, async (operation) => {
  const { helpers, ram } = await loadHelpers(), random = new Random(SEED), compute = inPlace(operation);
  const words = new DataView(ram.memory.buffer);
  let usual = 0;
  for (let i = 0; i < PAIRS; i++) {
    const [x, y] = pair(random), found = compute(x, y);
    if (found === undefined) continue;
    usual++;
    words.setUint16(X87_CONTROL, PLAIN_CONTROL, true);
    words.setUint16(X87_STATUS, 0, true);
    const isDone = (helpers[operation] as (...args: (bigint | number)[]) => number)(...x, ...y);
    const wanted = { m: words.getBigUint64(SCRATCH_A, true), se: words.getUint16(SCRATCH_A + 8, true), rounding: words.getUint16(X87_STATUS, true) };
    expect({ isDone, x, y, ...found }).toEqual({ isDone: 1, x, y, ...wanted });
  }
  expect(usual).toBeGreaterThan(PAIRS / 4);
});
