/** Addition, subtraction, comparison, increment, negation (Intel SDM 2A/2B: ADD ADC SUB SBB CMP INC DEC NEG). */
import type { Builder, Operand } from "../builder.ts";
import { instruction } from "./define.ts";

/** The encodings that the eight classic two-operand operations share; `op` is their /digit and the base of their opcodes. */
export function classicRows(op: number): string[] {
  const at = (offset: number): string => (op * 8 + offset).toString(16).toUpperCase().padStart(2, "0");
  return [
    `${at(0)} /r   rm8, r8`, `${at(1)} /r   rmv, rv`, `${at(2)} /r   r8, rm8`, `${at(3)} /r   rv, rmv`,
    `${at(4)}   AL, i8`, `${at(5)}   rAX, iz`,
    `80 /${op}   rm8, i8`, `81 /${op}   rmv, iz`, `83 /${op}   rmv, is8`,
  ];
}

instruction("add", classicRows(0), { lock: true }, (b, dst, src) => {
  const y = b.read(src), x = b.readModify(dst), sum = b.add(x, y);
  b.write(dst, sum); // may fault: flags come after
  b.flags.add(x, y, sum);
});

instruction("adc", classicRows(2), { lock: true }, (b, dst, src) => {
  const y = b.read(src), x = b.readModify(dst);
  const carry = b.zext(b.flags.isCarry(), dst.width);
  const sum = b.add(b.add(x, y), carry);
  b.write(dst, sum);
  b.flags.addWithCarry(x, y, sum);
});

instruction("sbb", classicRows(3), { lock: true }, (b, dst, src) => {
  const y = b.read(src), x = b.readModify(dst);
  const borrow = b.zext(b.flags.isCarry(), dst.width);
  const difference = b.sub(b.sub(x, y), borrow);
  b.write(dst, difference);
  b.flags.subWithBorrow(x, y, difference);
});

instruction("sub", classicRows(5), { lock: true }, (b, dst, src) => {
  const y = b.read(src), x = b.readModify(dst), difference = b.sub(x, y);
  b.write(dst, difference);
  b.flags.sub(x, y, difference);
});

instruction("cmp", classicRows(7), {}, (b, left, right) => {
  const y = b.read(right), x = b.read(left);
  b.flags.sub(x, y, b.sub(x, y));
});

instruction("inc", ["FE /0   rm8", "FF /0   rmv"], { lock: true }, (b, dst) => step(b, dst, 1));
instruction("dec", ["FE /1   rm8", "FF /1   rmv"], { lock: true }, (b, dst) => step(b, dst, -1));

function step(b: Builder, dst: Operand, by: 1 | -1): void {
  const x = b.readModify(dst);
  const result = b.add(x, b.constant(dst.width, by));
  b.write(dst, result);
  if (by > 0) b.flags.increment(x, result);
  else b.flags.decrement(x, result);
}

instruction("neg", ["F6 /3   rm8", "F7 /3   rmv"], { lock: true }, (b, dst) => {
  const x = b.readModify(dst), zero = b.constant(dst.width, 0), result = b.sub(zero, x);
  b.write(dst, result);
  b.flags.sub(zero, x, result);
});
