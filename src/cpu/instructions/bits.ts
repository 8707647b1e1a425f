/** Single bits, bit scans and sums over bits (Intel SDM 2A/2B: BT BTS BTR BTC BSF BSR POPCNT CRC32).
 *  The encodings of TZCNT and LZCNT (F3 before BSF and BSR) run as BSF and BSR on a processor without BMI1 and LZCNT. */
import type { Builder, Operand, Value } from "../builder.ts";
import { instruction } from "./define.ts";
import { segmentBase } from "./implicit.ts";

/** New value from the old one and the mask of the bit; undefined for bt. */
type Change = ((b: Builder, x: Value, mask: Value) => Value) | undefined;

function testBit(mnemonic: string, opcode: string, digit: number, change: Change): void {
  const options = { lock: change !== undefined };
  instruction(mnemonic, [`0F BA /${digit}   rmv, i8`], options, (b, dst, bit) => inPlace(b, dst, b.zext(b.read(bit), 32), change));
  instruction(mnemonic, [`0F ${opcode} /r   rmv, rv`], options, (b, dst, bit) => {
    const offset = b.read(bit);
    if (dst.isMemory) inBitString(b, dst, offset, change);
    else inPlace(b, dst, dst.width === 64 ? b.trunc(offset, 32) : b.zext(offset, 32), change);
  });
}
testBit("bt", "A3", 4, undefined);
testBit("bts", "AB", 5, (b, x, mask) => b.or(x, mask));
testBit("btr", "B3", 6, (b, x, mask) => b.and(x, b.not(mask)));
testBit("btc", "BB", 7, (b, x, mask) => b.xor(x, mask));

/** CF = the bit; ZF stays, the others are undefined and stay. */
function setCarry(b: Builder, x: Value, bit: Value): void {
  b.flags.setCarryWord(b.shl(b.shrU(b.zext(x, 64), bit), 63));
}
function maskOf(b: Builder, width: number, bit: Value): Value {
  return b.trunc(b.shl(b.constant(width === 64 ? 64 : 32, 1), bit), width);
}

/** The bit offset is taken modulo the operand width. */
function inPlace(b: Builder, dst: Operand, offset: Value, change: Change): void {
  const bit = b.and(offset, b.constant(32, dst.width - 1));
  const x = change === undefined ? b.read(dst) : b.readModify(dst);
  if (change !== undefined) b.write(dst, change(b, x, maskOf(b, dst.width, bit)));
  setCarry(b, x, bit);
}

/** A register offset into memory is signed and reaches the whole bit string (SDM 2A, BT): the operand-sized word
 *  `offset div width` places from the operand holds the bit. */
function inBitString(b: Builder, dst: Operand, offset: Value, change: Change): void {
  const { width } = dst;
  const bytesLog = Math.log2(width / 8);
  const place = b.shl(b.shrS(b.sext(offset, 64), bytesLog + 3), bytesLog);
  const effective = b.add(b.effectiveAddress(dst), place);
  const address = b.add(b.select(b.isAddress32(), b.zext(b.trunc(effective, 32), 64), effective), segmentBase(b, dst));
  if (change !== undefined) b.checkWritable(address, width / 8);
  const x = b.loadAt(address, width);
  const bit = b.and(width === 64 ? b.trunc(offset, 32) : b.zext(offset, 32), b.constant(32, width - 1));
  if (change !== undefined) b.storeAt(address, change(b, x, maskOf(b, width, bit)));
  setCarry(b, x, bit);
}

/** With a source of 0, ZF is set and the destination keeps its value, all 64 bits of it: what the manual calls undefined and
 *  every processor does. */
function scan(mnemonic: string, row: string, index: (b: Builder, x: Value) => Value): void {
  instruction(mnemonic, [row], {}, (b, dst, src) => {
    const x = b.read(src), isZero = b.isZero(x);
    const wide = x.width === 16 ? b.zext(x, 32) : x;
    b.if(b.not(isZero), () => b.write(dst, b.trunc(index(b, wide), dst.width)));
    b.flags.zero(isZero);
  });
}
scan("bsf", "0F BC /r   rv, rmv", (b, x) => b.ctz(x));
scan("bsr", "0F BD /r   rv, rmv", (b, x) => b.xor(b.clz(x), b.constant(x.width, x.width - 1)));

instruction("popcnt", ["F3 0F B8 /r   rv, rmv"], {}, (b, dst, src) => {
  const count = b.popcnt(b.read(src));
  b.write(dst, count);
  b.flags.logic(count);
  b.flags.parity(b.constant(1, 0));
});

instruction("crc32", ["F2 0F 38 F0 /r   ry, rm8", "F2 0F 38 F1 /r   ry, rmv"], {}, (b, dst, src) => {
  const crc = b.helper("crc32c", b.trunc(b.read(dst), 32), b.zext(b.read(src), 64), b.constant(32, src.width / 8));
  b.write(dst, b.zext(crc, dst.width));
});
