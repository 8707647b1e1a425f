/** Copies and fills (rep movs, rep stos) inside a region. */
import type { Value } from "../builder.ts";
import { RAX, RCX, RDI, RSI } from "../state.ts";
import { I32 } from "../wasm/opcodes.ts";
import type { JitBuilder } from "./jit-builder.ts";

/** Bytes that one repeated string instruction handles inside a region. */
const MAX_REPEATED = 0x1_0000;

/** rep movs in both directions and rep stos upwards, over at most MAX_REPEATED bytes that their ranges cover; the cold engine does
 *  all others. */
export function recordRepeat(b: JitBuilder, copies: boolean, size: number): void {
  const graph = b.recording;
  const count = b.reg(RCX, 64), to = b.reg(RDI, 64), from = b.reg(RSI, 64);
  const bytes = b.shl(count, Math.log2(size));
  b.if(b.isNonZero(count), () => {
    const down = b.flags.isDirection();
    const tooMuch = graph.op("i64.gt_u", count.node, graph.i64(MAX_REPEATED / size));
    graph.ifUnlikely(copies ? tooMuch : graph.op("i32.or", tooMuch, down.node), () => b.coldStep());
    const back = b.sub(bytes, b.constant(64, size));
    const lowest = (address: Value): Value => (copies ? b.select(down, b.sub(address, back), address) : address);
    const source = copies ? b.span(lowest(from), bytes, from, size, b.readRange(RSI, b.bank(RSI, from)), false) : undefined;
    const target = b.span(lowest(to), bytes, to, size, b.writeRange(RDI, b.bank(RDI, to)), true);
    const length = graph.op("i32.wrap_i64", bytes.node);
    if (source !== undefined) {
      // Where the target begins inside the source, elements are copied that were written before; downwards, the other way round.
      const ahead = graph.op("i32.sub", target, source);
      const distance = graph.select(down.node, graph.op("i32.sub", graph.i32(0), ahead), ahead);
      graph.ifUnlikely(graph.op("i32.lt_u", distance, length), () => b.coldStep());
    }
    const load = size === 8 ? "i64.load" : size === 4 ? "i32.load" : size === 2 ? "i32.load16_u" : "i32.load8_u";
    const store = size === 8 ? "i64.store" : size === 4 ? "i32.store" : size === 2 ? "i32.store16" : "i32.store8";
    const filling = size === 8 ? b.reg(RAX, 64).node : graph.op("i32.wrap_i64", b.reg(RAX, 64).node);
    const byElement = (): void => {
      const at = graph.variable(I32), left = graph.variable(I32);
      const step = copies ? graph.select(down.node, graph.i32(-size), graph.i32(size)) : graph.i32(size);
      graph.set(at, copies ? graph.select(down.node, graph.op("i32.sub", length, graph.i32(size)), graph.i32(0)) : graph.i32(0));
      graph.set(left, length);
      graph.loop((again) => {
        const offset = graph.get(at);
        graph.store(store, graph.op("i32.add", target, offset), source === undefined ? filling : graph.load(load, graph.op("i32.add", source, offset)));
        graph.set(at, graph.op("i32.add", offset, step));
        const rest = graph.op("i32.sub", graph.get(left), graph.i32(size));
        graph.set(left, rest);
        graph.br(again, rest);
      });
    };
    // The engine's own copy and fill cost a call.
    if (!copies && size > 1) byElement();
    else {
      graph.if(graph.op("i32.le_u", length, graph.i32(12 * size)), byElement, () => {
        if (source !== undefined) graph.copyMemory(target, source, length);
        else graph.fillMemory(target, filling, length);
      });
    }
    const moved = (address: Value): Value => b.add(address, copies ? b.select(down, b.neg(bytes), bytes) : bytes);
    if (copies) b.setReg(RSI, moved(from));
    b.setReg(RDI, moved(to));
    b.setReg(RCX, b.constant(64, 0));
  });
}
