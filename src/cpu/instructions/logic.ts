/** Bitwise operations (Intel SDM 2A/2B: AND OR XOR NOT TEST). CF and OF become 0; AF, which the manual leaves undefined, too. */
import type { Builder, Operand, Value } from "../builder.ts";
import { classicRows } from "./arith.ts";
import { instruction } from "./define.ts";

function logical(mnemonic: string, op: number, combine: (b: Builder, x: Value, y: Value) => Value): void {
  instruction(mnemonic, classicRows(op), { lock: true }, (b, dst, src) => {
    const y = b.read(src), x = b.readModify(dst), result = combine(b, x, y);
    b.write(dst, result);
    b.flags.logic(result);
  });
}

logical("or", 1, (b, x, y) => b.or(x, y));
logical("and", 4, (b, x, y) => b.and(x, y));
logical("xor", 6, (b, x, y) => b.xor(x, y));

/** F6 /1 and F7 /1 are undocumented twins of /0 that every processor runs. */
const testRows = [
  "84 /r   rm8, r8", "85 /r   rmv, rv", "A8   AL, i8", "A9   rAX, iz",
  "F6 /0   rm8, i8", "F7 /0   rmv, iz", "F6 /1   rm8, i8", "F7 /1   rmv, iz",
];
instruction("test", testRows, {}, (b: Builder, left: Operand, right: Operand) => {
  const y = b.read(right), x = b.read(left);
  b.flags.logic(b.and(x, y));
});

instruction("not", ["F6 /2   rm8", "F7 /2   rmv"], { lock: true }, (b, dst) => b.write(dst, b.not(b.readModify(dst))));
