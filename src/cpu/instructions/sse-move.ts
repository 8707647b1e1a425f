/** Moves to, from and between XMM registers (Intel SDM 2A/2B: MOVAPS … MOVQ, MASKMOVDQU, PEXTR*, PINSR*).
 *
 *  Loads of less than 128 bits clear the rest of the register, moves between registers leave it (except MOVQ and MOVD).
 *  Non-temporal hints and LDDQU's wider fetch have no visible effect. */
import type { Builder, Operand } from "../builder.ts";
import { instruction } from "./define.ts";
import { extractLane, field, immediate, lanes, low, lowVector, replaceLane, shuffle, splat } from "./sse-operands.ts";

function move(b: Builder, dst: Operand, src: Operand): void {
  b.write(dst, b.read(src));
}
instruction("movups", ["NP 0F 10 /r   x, xmu128", "NP 0F 11 /r   xmu128, x"], {}, move);
instruction("movupd", ["66 0F 10 /r   x, xmu128", "66 0F 11 /r   xmu128, x"], {}, move);
instruction("movaps", ["NP 0F 28 /r   x, xm128", "NP 0F 29 /r   xm128, x"], {}, move);
instruction("movapd", ["66 0F 28 /r   x, xm128", "66 0F 29 /r   xm128, x"], {}, move);
instruction("movdqa", ["66 0F 6F /r   x, xm128", "66 0F 7F /r   xm128, x"], {}, move);
instruction("movdqu", ["F3 0F 6F /r   x, xmu128", "F3 0F 7F /r   xmu128, x"], {}, move);
instruction("movntps", ["NP 0F 2B /r   ma128, x"], {}, move);
instruction("movntpd", ["66 0F 2B /r   ma128, x"], {}, move);
instruction("movntdq", ["66 0F E7 /r   ma128, x"], {}, move);
instruction("movntdqa", ["66 0F 38 2A /r   x, ma128"], {}, move);
instruction("lddqu", ["F2 0F F0 /r   x, m128"], {}, move);

// ---- scalars --------------------------------------------------------------------------------------------------------------

function loadScalar(b: Builder, dst: Operand, src: Operand): void {
  if (src.isMemory) b.loadZeroExtended(dst, src);
  else b.write(dst, b.readFloat(src));
}
/** As a float: the value stays in vector registers. */
function storeFloat(b: Builder, dst: Operand, src: Operand): void {
  b.write(dst, b.readFloat(low(src, dst.width as 32 | 64)));
}
function storeLow(b: Builder, dst: Operand, src: Operand): void {
  b.write(dst, b.read(low(src, dst.width as 32 | 64)));
}
instruction("movss", ["F3 0F 10 /r   x, xm32"], {}, loadScalar);
instruction("movss", ["F3 0F 11 /r   xm32, x"], {}, storeFloat);
instruction("movsd", ["F2 0F 10 /r   x, xm64"], {}, loadScalar);
instruction("movsd", ["F2 0F 11 /r   xm64, x"], {}, storeFloat);

instruction("movd", ["66 0F 6E /r   x, rmy"], {}, (b, dst, src) => b.writeZeroExtended(dst, b.read(src)));
instruction("movd", ["66 0F 7E /r   rmy, x"], {}, storeLow);
instruction("movq", ["F3 0F 7E /r   x, xm64"], {}, (b, dst, src) => {
  if (src.isMemory) b.loadZeroExtended(dst, src);
  else b.writeZeroExtended(dst, b.read(src));
});
instruction("movq", ["66 0F D6 /r   xm64, x"], {}, (b, dst, src) => {
  const value = b.read(low(src, 64));
  if (dst.isMemory) b.write(dst, value);
  else b.writeZeroExtended(dst, value);
});

// ---- halves ---------------------------------------------------------------------------------------------------------------

function loadLow(b: Builder, dst: Operand, src: Operand): void {
  b.write(dst, b.read(src));
}
function loadHigh(b: Builder, dst: Operand, src: Operand): void {
  const value = b.read(src);
  b.write(dst, b.lane("i64x2.replace_lane", [1], b.read(dst), value));
}
function storeHigh(b: Builder, dst: Operand, src: Operand): void {
  b.write(dst, b.lane("i64x2.extract_lane", [1], b.read(src)));
}
instruction("movlps", ["NP 0F 12 /r   x, m64"], {}, loadLow);
instruction("movlpd", ["66 0F 12 /r   x, m64"], {}, loadLow);
instruction("movlps", ["NP 0F 13 /r   m64, x"], {}, storeFloat);
instruction("movlpd", ["66 0F 13 /r   m64, x"], {}, storeFloat);
instruction("movhps", ["NP 0F 16 /r   x, m64"], {}, loadHigh);
instruction("movhpd", ["66 0F 16 /r   x, m64"], {}, loadHigh);
instruction("movhps", ["NP 0F 17 /r   m64, x"], {}, storeHigh);
instruction("movhpd", ["66 0F 17 /r   m64, x"], {}, storeHigh);
instruction("movhlps", ["NP 0F 12 /r   x, xx"], {}, (b, dst, src) => {
  b.write(dst, b.lane("i64x2.extract_lane", [1], b.read(src)));
});
instruction("movlhps", ["NP 0F 16 /r   x, xx"], {}, (b, dst, src) => {
  b.write(dst, b.lane("i64x2.replace_lane", [1], b.read(dst), b.read(low(src, 64))));
});

// ---- duplicates -----------------------------------------------------------------------------------------------------------

instruction("movddup", ["F2 0F 12 /r   x, xm64"], {}, (b, dst, src) => {
  const x = lowVector(b, src);
  b.write(dst, shuffle(b, 64, x, x, [0, 0]));
});
instruction("movsldup", ["F3 0F 12 /r   x, xm128"], {}, (b, dst, src) => {
  const x = b.read(src);
  b.write(dst, shuffle(b, 32, x, x, [0, 0, 2, 2]));
});
instruction("movshdup", ["F3 0F 16 /r   x, xm128"], {}, (b, dst, src) => {
  const x = b.read(src);
  b.write(dst, shuffle(b, 32, x, x, [1, 1, 3, 3]));
});

// ---- sign masks -----------------------------------------------------------------------------------------------------------

instruction("movmskps", ["NP 0F 50 /r   r32, xx"], {}, (b, dst, src) => b.write(dst, b.op("i32x4.bitmask", b.read(src))));
instruction("movmskpd", ["66 0F 50 /r   r32, xx"], {}, (b, dst, src) => b.write(dst, b.op("i64x2.bitmask", b.read(src))));
instruction("pmovmskb", ["66 0F D7 /r   r32, xx"], {}, (b, dst, src) => b.write(dst, b.op("i8x16.bitmask", b.read(src))));

/** Stores the bytes whose mask byte is negative to [rDI]. Processors ask for all 16 bytes to be writable, even with a mask of zeros
 *  (SDM 2B, MASKMOVDQU: implementation dependent), and so do we; only selected bytes are stored. */
instruction("maskmovdqu", ["66 0F F7 /r   x, xx, dsdi"], {}, (b, data, mask, place) => {
  const address = b.linearAddress(place), bytes = b.read(data), selected = b.op("i8x16.bitmask", b.read(mask));
  b.checkWritable(address, 16);
  const index = b.variable(b.constant(32, 0));
  b.loop((again) => {
    const i = b.get(index), next = b.add(i, b.constant(32, 1));
    b.if(b.truth(b.and(b.shrU(selected, i), b.constant(32, 1)).node), () => {
      b.storeAt(b.add(address, b.zext(i, 64)), b.trunc(extractLane(b, 8, bytes, i), 8));
    });
    b.set(index, next);
    b.breakTo(again, b.ltU(next, b.constant(32, 16)));
  });
});

// ---- single lanes and general registers -----------------------------------------------------------------------------------

/** Rows of one lane width: the register form of a narrow extract writes 32 bits, the memory form the lane. */
function extract(width: 8 | 16 | 32 | 64, laneBits: number) {
  return (b: Builder, dst: Operand, src: Operand, which: Operand): void => {
    const value = extractLane(b, width, b.read(src), field(b, immediate(b, which), 0, laneBits));
    b.write(dst, b.trunc(value, dst.width));
  };
}
function insert(width: 8 | 16 | 32 | 64, laneBits: number) {
  return (b: Builder, dst: Operand, src: Operand, which: Operand): void => {
    const read = b.read(src), value = width === 64 ? read : b.zext(read, 32);
    b.write(dst, replaceLane(b, width, b.read(dst), field(b, immediate(b, which), 0, laneBits), value));
  };
}
instruction("pextrb", ["66 0F 3A 14 /r   rr32, x, i8", "66 0F 3A 14 /r   m8, x, i8"], {}, extract(8, 4));
instruction("pextrw", ["66 0F C5 /r   r32, xx, i8", "66 0F 3A 15 /r   rr32, x, i8", "66 0F 3A 15 /r   m16, x, i8"], {}, extract(16, 3));
instruction("pextrd", ["66 W0 0F 3A 16 /r   rm32, x, i8"], {}, extract(32, 2));
instruction("pextrq", ["66 REX.W 0F 3A 16 /r   rm64, x, i8"], {}, extract(64, 1));
instruction("extractps", ["66 0F 3A 17 /r   rm32, x, i8"], {}, extract(32, 2));
instruction("pinsrb", ["66 0F 3A 20 /r   x, rr32, i8", "66 0F 3A 20 /r   x, m8, i8"], {}, insert(8, 4));
instruction("pinsrw", ["66 0F C4 /r   x, rr32, i8", "66 0F C4 /r   x, m16, i8"], {}, insert(16, 3));
instruction("pinsrd", ["66 W0 0F 3A 22 /r   x, rm32, i8"], {}, insert(32, 2));
instruction("pinsrq", ["66 REX.W 0F 3A 22 /r   x, rm64, i8"], {}, insert(64, 1));

/** imm8: 7:6 source lane (registers only), 5:4 destination lane, 3:0 lanes to clear afterwards. */
instruction("insertps", ["66 0F 3A 21 /r   x, xm32, i8"], {}, (b, dst, src, imm) => {
  const control = immediate(b, imm);
  const value = src.isMemory ? b.read(src) : extractLane(b, 32, b.read({ ...src, width: 128 }), field(b, control, 6, 2));
  const inserted = replaceLane(b, 32, b.read(dst), field(b, control, 4, 2), value);
  const weights = lanes(b, 32, [1, 2, 4, 8]);
  const kept = b.op("i32x4.eq", b.op("v128.and", splat(b, 32, control), weights), lanes(b, 32, [0]));
  b.write(dst, b.op("v128.and", inserted, kept));
});
