/** String operations (Intel SDM 2A/2B: MOVS STOS LODS CMPS SCAS, REP). Single steps are written here; the repeated forms run in
 *  cpu/string.ts, which counts them as one instruction however often they are interrupted. */
import type { Builder, Operand, Value } from "../builder.ts";
import { FLAG_DIRECTION, RDI, RSI, SCRATCH_A, SCRATCH_B, SCRATCH_C, SCRATCH_D } from "../state.ts";
import type { ServiceName } from "../services.ts";
import { REPEAT_WHILE_NOT_EQUAL } from "../string.ts";
import { instruction } from "./define.ts";
import { addressRegister, advance, segmentBase } from "./implicit.ts";

/** +width or −width bytes, as DF says. */
function stride(b: Builder, width: number): Value {
  const bytes = width / 8;
  return b.sub(b.constant(64, bytes), b.shl(b.getState(FLAG_DIRECTION), Math.log2(bytes) + 1));
}

instruction("movs", ["A4   si8", "A5   siv"], {}, (b, src) => {
  b.storeAt(addressRegister(b, RDI), b.read(src));
  const by = stride(b, src.width);
  advance(b, RSI, by);
  advance(b, RDI, by);
});
instruction("stos", ["AA   esdi8, AL", "AB   esdiv, rAX"], {}, (b, dst, src) => {
  b.write(dst, b.read(src));
  advance(b, RDI, stride(b, dst.width));
});
instruction("lods", ["AC   AL, si8", "AD   rAX, siv"], {}, (b, dst, src) => {
  const x = b.read(src);
  advance(b, RSI, stride(b, dst.width));
  b.write(dst, x);
});
instruction("cmps", ["A6   si8", "A7   siv"], {}, (b, src) => {
  // When both fail, some processors report the [rDI] operand, others the [rSI] operand.
  const y = b.loadAt(addressRegister(b, RDI), src.width), x = b.read(src);
  const by = stride(b, src.width);
  advance(b, RSI, by);
  advance(b, RDI, by);
  b.flags.sub(x, y, b.sub(x, y));
});
instruction("scas", ["AE   AL, esdi8", "AF   rAX, esdiv"], {}, (b, left, src) => {
  const y = b.read(src), x = b.read(left);
  advance(b, RDI, stride(b, src.width));
  b.flags.sub(x, y, b.sub(x, y));
});

/** Leaves what the service needs in scratch: segment base of the rSI operand and the address size. */
function repeat(b: Builder, service: ServiceName, memory: Operand, mode: number): void {
  b.setState(SCRATCH_A, segmentBase(b, memory));
  b.setState(SCRATCH_B, b.zext(b.isAddress32(), 32), "i32.store");
  b.service(service, memory.width / 8 + mode);
}
/** Compares leave their last pair in SCRATCH_C and SCRATCH_D, and whether there was one in SCRATCH_B. */
function repeatCompare(b: Builder, service: ServiceName, memory: Operand, mode: number): void {
  repeat(b, service, memory, mode);
  const load = memory.width === 8 ? "i32.load8_u" : memory.width === 16 ? "i32.load16_u" : memory.width === 32 ? "i32.load" : "i64.load";
  b.if(b.isNonZero(b.getState(SCRATCH_B, "i32.load")), () => {
    const x = b.getState(SCRATCH_C, load), y = b.getState(SCRATCH_D, load);
    b.flags.sub(x, y, b.sub(x, y));
  });
}

// F2 before movs, stos and lods repeats as F3 does: the manual reserves it, processors agree.
const twice = (...rows: string[]): string[] => ["F3", "F2"].flatMap((prefix) => rows.map((row) => `${prefix} ${row}`));
instruction("rep movs", twice("A4   si8", "A5   siv"), {}, (b, src) => repeat(b, "rep_movs", src, 0));
instruction("rep stos", twice("AA   esdi8", "AB   esdiv"), {}, (b, dst) => repeat(b, "rep_stos", dst, 0));
instruction("rep lods", twice("AC   si8", "AD   siv"), {}, (b, src) => repeat(b, "rep_lods", src, 0));
instruction("repe cmps", ["F3 A6   si8", "F3 A7   siv"], {}, (b, src) => repeatCompare(b, "rep_cmps", src, 0));
instruction("repne cmps", ["F2 A6   si8", "F2 A7   siv"], {}, (b, src) => repeatCompare(b, "rep_cmps", src, REPEAT_WHILE_NOT_EQUAL));
instruction("repe scas", ["F3 AE   esdi8", "F3 AF   esdiv"], {}, (b, src) => repeatCompare(b, "rep_scas", src, 0));
instruction("repne scas", ["F2 AE   esdi8", "F2 AF   esdiv"], {}, (b, src) => repeatCompare(b, "rep_scas", src, REPEAT_WHILE_NOT_EQUAL));
