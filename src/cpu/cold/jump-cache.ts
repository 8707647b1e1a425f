/** The jump cache: where control goes on at an address, without asking TypeScript. 16,384 entries of 16 bytes in RAM, one place for each address:
 *
 *    0 i64  address (not canonical: empty)
 *    8 i32  its record
 *   12 i32  the region to enter there: 1 + what R_TARGET of its record says (record.ts), or 0: go by the record
 *
 *  Its TypeScript (code-cache.ts) enters and empties; what is emitted here looks up. */
import { JUMP_CACHE_BASE } from "../../memory/physical-map.ts";
import type { Graph, Node } from "../wasm/graph.ts";
import { REGION_ENTRY_SHIFT, REGION_SLOT_MASK } from "./record.ts";

export const JUMP_CACHE_ENTRIES = 16384;
const FOLD = 12, ENTRY_SHIFT = 4;
const RECORD = 8, REGION = 12;

/** Index in RAM's words of the entry for an address with these low 32 bits. */
export function jumpEntry(low: number): number {
  return (JUMP_CACHE_BASE >>> 2) + (((low ^ (low >>> FOLD)) & (JUMP_CACHE_ENTRIES - 1)) << (ENTRY_SHIFT - 2));
}
/** Offset in the cache of the entry for an address. */
export function jumpCacheEntry(graph: Graph, address: Node): Node {
  const low = graph.op("i32.wrap_i64", address);
  const hash = graph.op("i32.xor", low, graph.op("i32.shr_u", low, graph.i32(FOLD)));
  return graph.op("i32.shl", graph.op("i32.and", hash, graph.i32(JUMP_CACHE_ENTRIES - 1)), graph.i32(ENTRY_SHIFT));
}
export function addressIn(graph: Graph, entry: Node): Node {
  return graph.load("i64.load", entry, JUMP_CACHE_BASE);
}
export function recordIn(graph: Graph, entry: Node): Node {
  return graph.load("i32.load", entry, JUMP_CACHE_BASE + RECORD);
}
export function regionIn(graph: Graph, entry: Node): Node {
  return graph.load("i32.load", entry, JUMP_CACHE_BASE + REGION);
}

/** Slot in the table of regions, of a region that is there. */
export function slotOf(graph: Graph, region: Node): Node {
  return graph.op("i32.sub", graph.op("i32.and", region, graph.i32(REGION_SLOT_MASK)), graph.i32(1));
}
/** Number of the region's entry. */
export function numberOf(graph: Graph, region: Node): Node {
  return graph.op("i32.shr_u", region, graph.i32(REGION_ENTRY_SHIFT));
}
/** The same if the region is that of `slot`; if not, the difference shows in the upper half, so that the number is none of its entries. */
export function numberInSlot(graph: Graph, region: Node, slot: number): Node {
  return graph.op("i32.rotr", graph.op("i32.sub", region, graph.i32(slot + 1)), graph.i32(REGION_ENTRY_SHIFT));
}
