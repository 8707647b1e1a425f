/** The TLB's shape as generated code sees it; memory/tlb.ts owns the contents.
 *  An array of 1,024 entries of 16 bytes: entry offset = (address >> 8 ^ address >> 18) & 0x3ff0, of the low half. */
import type { Graph, Node } from "./wasm/graph.ts";

const TLB_ENTRY_SHIFT = 8, TLB_INDEX_BITS = 10;
const TLB_ENTRY_MASK = 0x3ff0;

/** What a range miss asks for: the size of the access in bytes; whether the region may be left and the instruction begun again, which
 *  it must not when it has stored already; and, added on the way, that the range has missed often enough to be filled anew.
 *  Accesses that share one question (jit/addresses.ts) add how many bytes before this one they begin, and how many they are. */
export const RANGE_ACCESS_SIZE = 0xff;
export const RANGE_MAY_LEAVE = 0x100;
export const RANGE_MISSES_OFTEN = 0x200;
/** The access itself reads, though the question is for writing: it faults as a read. */
export const RANGE_READS = 0x400;
export const RANGE_BEFORE_SHIFT = 12;
export const RANGE_BEFORE_MASK = 0x7f;
export const RANGE_LENGTH_SHIFT = 20;

/** Offset of the entry of an address's page in its TLB array, by the address's low half (memory/tlb.ts). */
export function tlbEntry(graph: Graph, low: Node): Node {
  return folded(graph, low, TLB_ENTRY_SHIFT, TLB_INDEX_BITS, TLB_ENTRY_MASK);
}
/** Bits of `low` from `shift` on, with those that are `width` further up folded in. */
export function folded(graph: Graph, low: Node, shift: number, width: number, mask: number): Node {
  const near = graph.op("i32.shr_u", low, graph.i32(shift)), far = graph.op("i32.shr_u", low, graph.i32(shift + width));
  return graph.op("i32.and", graph.op("i32.xor", near, far), graph.i32(mask));
}
