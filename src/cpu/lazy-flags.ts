/** Flags that translated code left as operands (jit/flags.ts draws the form in RAM), and how the words of state.ts follow from them.
 *  Outside of translated code LAZY_KIND is 0. */
import { FLAG_ADJUST, FLAG_CARRY, FLAG_OVERFLOW, FLAG_PARITY, FLAG_SIGN, FLAG_ZERO, LAZY_KIND, LAZY_X, LAZY_Y } from "./state.ts";
import type { Graph, Node } from "./wasm/graph.ts";

/** Bits of LAZY_KIND. */
export const LAZY_SUM = 1;
export const LAZY_DIFFERENCE = 2;
export const LAZY_CARRY = 4;
export const LAZY_OVERFLOW = 8;
/** Of two binary64 numbers that were compared. */
export const LAZY_FLOATS = 16;
export const LAZY_SHIFT = 8;

export const WORDS: readonly number[] = [FLAG_ZERO, FLAG_SIGN, FLAG_PARITY, FLAG_CARRY, FLAG_OVERFLOW, FLAG_ADJUST];

/** One word from sign-extended operands and result (i64): result = x + y (+ carry) or x − y (− borrow). */
export function deriveFlag(graph: Graph, address: number, sum: boolean, x: Node, y: Node, result: Node): Node {
  const and = (a: Node, b: Node): Node => graph.op("i64.and", a, b);
  const or = (a: Node, b: Node): Node => graph.op("i64.or", a, b);
  const xor = (a: Node, b: Node): Node => graph.op("i64.xor", a, b);
  const not = (a: Node): Node => xor(a, graph.i64(-1));
  switch (address) {
    case FLAG_ZERO:
    case FLAG_SIGN:
    case FLAG_PARITY:
      return result;
    case FLAG_OVERFLOW:
      return sum ? and(xor(x, result), xor(y, result)) : and(xor(x, y), xor(x, result));
    case FLAG_CARRY:
      return sum ? or(and(x, y), and(or(x, y), not(result))) : or(and(not(x), y), and(not(xor(x, y)), result));
    default:
      return xor(xor(x, y), result);
  }
}

/** Records the body of a function without parameters that brings the words up to date. */
export function recordMaterialize(graph: Graph): void {
  const zero = graph.i32(0);
  const kind = graph.load("i32.load", zero, LAZY_KIND);
  graph.if(kind, () => {
    const has = (bit: number): Node => graph.op("i32.and", kind, graph.i32(bit));
    const shift = graph.op("i64.extend_i32_u", graph.op("i32.shr_u", kind, graph.i32(LAZY_SHIFT)));
    const extended = (value: Node): Node => graph.op("i64.shr_s", graph.op("i64.shl", value, shift), shift);
    const x = extended(graph.load("i64.load", zero, LAZY_X)), y = extended(graph.load("i64.load", zero, LAZY_Y));
    for (const [bit, sum] of [[LAZY_SUM, true], [LAZY_DIFFERENCE, false]] as const) {
      graph.if(has(bit), () => {
        const result = extended(graph.op(sum ? "i64.add" : "i64.sub", x, y));
        const put = (address: number): void => graph.store("i64.store", zero, deriveFlag(graph, address, sum, x, y, result), address);
        for (const address of [FLAG_ZERO, FLAG_SIGN, FLAG_PARITY, FLAG_ADJUST]) put(address);
        graph.if(has(LAZY_CARRY), () => put(FLAG_CARRY));
        graph.if(has(LAZY_OVERFLOW), () => put(FLAG_OVERFLOW));
      });
    }
    graph.if(has(LAZY_FLOATS), () => {
      const f = graph.load("f64.load", zero, LAZY_X), g = graph.load("f64.load", zero, LAZY_Y);
      const word = (truth: Node): Node => graph.op("i64.extend_i32_u", truth);
      const isOrdered = graph.op("i32.and", graph.op("f64.eq", f, f), graph.op("f64.eq", g, g));
      const differs = graph.op("i32.or", graph.op("f64.lt", f, g), graph.op("f64.gt", f, g));
      const put = (address: number, value: Node): void => graph.store("i64.store", zero, value, address);
      put(FLAG_ZERO, word(differs));
      put(FLAG_PARITY, word(isOrdered));
      put(FLAG_SIGN, graph.i64(0));
      put(FLAG_ADJUST, graph.i64(0));
      graph.if(has(LAZY_CARRY), () => put(FLAG_CARRY, graph.op("i64.sub", graph.i64(0), word(graph.op("i32.eqz", graph.op("f64.ge", f, g))))));
      graph.if(has(LAZY_OVERFLOW), () => put(FLAG_OVERFLOW, graph.i64(0)));
    });
    graph.store("i32.store", zero, zero, LAZY_KIND);
  });
}
