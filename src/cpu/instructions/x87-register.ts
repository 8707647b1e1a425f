/** x87 instructions that work on the register stack alone (Intel SDM 2A: FADD … FYL2XP1). Register forms are chosen by the whole ModRM
 *  byte or by its /digit; where a mnemonic has several rows, the first is the documented one and processors take the others too. */
import type { Builder, Condition, Operand, Value } from "../builder.ts";
import { X87_TOP, X87_VALID } from "../state.ts";
import { instruction } from "./define.ts";
import { deliverPending, noteInstruction, number, X87_OPERATIONS } from "./x87-state.ts";

function onStack(mnemonic: string, rows: readonly string[], body: (b: Builder, st: Operand) => void): void {
  instruction(mnemonic, rows, {}, (b, st) => {
    deliverPending(b);
    noteInstruction(b);
    body(b, st);
  });
}

// ---- + − × ÷ ---------------------------------------------------------------------------------------------------------------------

for (const [suffix, operation] of X87_OPERATIONS) {
  // With ST(i) as destination /4 and /5, /6 and /7 change places.
  const digit = operation >= 4 ? operation ^ 1 : operation;
  const operate = (b: Builder, dst: Value, src: Value, pops: number): void => {
    b.helperVoid("x87_arithmetic", number(b, operation), dst, src, number(b, pops));
  };
  onStack(`f${suffix}`, [`D8 /${operation}   st`], (b, st) => operate(b, number(b, 0), b.registerNumber(st), 0));
  onStack(`f${suffix}`, [`DC /${digit}   st`], (b, st) => operate(b, b.registerNumber(st), number(b, 0), 0));
  onStack(`f${suffix}p`, [`DE /${digit}   st`], (b, st) => operate(b, b.registerNumber(st), number(b, 0), 1));
}

// ---- functions -------------------------------------------------------------------------------------------------------------------

const functions: Readonly<Record<string, readonly [modRM: string, helper: string]>> = {
  fchs: ["E0", "x87_change_sign"], fabs: ["E1", "x87_absolute"], ftst: ["E4", "x87_test"], fxam: ["E5", "x87_examine"],
  f2xm1: ["F0", "x87_exp2m1"], fyl2x: ["F1", "x87_log2x"], fptan: ["F2", "x87_tan"], fpatan: ["F3", "x87_atan"],
  fxtract: ["F4", "x87_extract"], fyl2xp1: ["F9", "x87_log2p1"], fsqrt: ["FA", "x87_sqrt"], fsincos: ["FB", "x87_sincos"],
  frndint: ["FC", "x87_round"], fscale: ["FD", "x87_scale"], fsin: ["FE", "x87_sin"], fcos: ["FF", "x87_cos"],
};
for (const [mnemonic, [modRM, helper]] of Object.entries(functions)) onStack(mnemonic, [`D9 ${modRM}`], (b) => b.helperVoid(helper));
onStack("fprem1", ["D9 F5"], (b) => b.helperVoid("x87_remainder", number(b, 1)));
onStack("fprem", ["D9 F8"], (b) => b.helperVoid("x87_remainder", number(b, 0)));

// ---- comparisons -----------------------------------------------------------------------------------------------------------------

const ORDERED = 1;
const UNORDERED = 0;
function comparison(mnemonic: string, rows: readonly string[], kind: number, pops: number): void {
  onStack(mnemonic, rows, (b, st) => b.helperVoid("x87_compare", b.registerNumber(st), number(b, kind), number(b, pops)));
}
comparison("fcom", ["D8 /2   st", "DC /2   st"], ORDERED, 0);
comparison("fcomp", ["D8 /3   st", "DC /3   st", "DE /2   st"], ORDERED, 1);
comparison("fucom", ["DD /4   st"], UNORDERED, 0);
comparison("fucomp", ["DD /5   st"], UNORDERED, 1);
onStack("fcompp", ["DE D9"], (b) => b.helperVoid("x87_compare", number(b, 1), number(b, ORDERED), number(b, 2)));
onStack("fucompp", ["DA E9"], (b) => b.helperVoid("x87_compare", number(b, 1), number(b, UNORDERED), number(b, 2)));

/** Comparisons that set ZF, PF and CF, and clear OF, SF and AF. */
function compareFlags(mnemonic: string, row: string, kind: number, pops: number): void {
  onStack(mnemonic, [row], (b, st) => {
    const relation = b.helper("x87_compare_flags", b.registerNumber(st), number(b, kind), number(b, pops));
    const bit = (mask: number): Value => b.isNonZero(b.and(relation, number(b, mask)));
    const never = b.truth(number(b, 0).node);
    b.flags.replaceAll();
    b.flags.zero(bit(0x40));
    b.flags.parity(bit(0x04));
    b.flags.carry(bit(0x01));
    b.flags.overflow(never);
    b.flags.sign(never);
    b.flags.adjust(never);
  });
}
compareFlags("fcomi", "DB /6   st", ORDERED, 0);
compareFlags("fucomi", "DB /5   st", UNORDERED, 0);
compareFlags("fcomip", "DF /6   st", ORDERED, 1);
compareFlags("fucomip", "DF /5   st", UNORDERED, 1);

// ---- moves -----------------------------------------------------------------------------------------------------------------------

onStack("fld", ["D9 /0   st"], (b, st) => b.helperVoid("x87_push_register", b.registerNumber(st)));
onStack("fst", ["DD /2   st"], (b, st) => b.helperVoid("x87_move", b.registerNumber(st), number(b, 0)));
onStack("fstp", ["DD /3   st", "DF /2   st", "DF /3   st"], (b, st) => b.helperVoid("x87_move", b.registerNumber(st), number(b, 1)));
/** A form of FSTP without stack exceptions: an empty top is just popped. */
onStack("fstpnce", ["D9 /3   st"], (b, st) => {
  const valid = b.zext(b.getState(X87_VALID, "i32.load16_u"), 32), top = b.zext(b.getState(X87_TOP, "i32.load16_u"), 32);
  b.if(
    b.isNonZero(b.and(b.shrU(valid, top), number(b, 1))),
    () => b.helperVoid("x87_move", b.registerNumber(st), number(b, 1)),
    () => b.helperVoid("x87_free", number(b, 0), number(b, 1)),
  );
});
onStack("fxch", ["D9 /1   st", "DD /1   st", "DF /1   st"], (b, st) => b.helperVoid("x87_exchange", b.registerNumber(st)));
onStack("ffree", ["DD /0   st"], (b, st) => b.helperVoid("x87_free", b.registerNumber(st), number(b, 0)));
onStack("ffreep", ["DF /0   st"], (b, st) => b.helperVoid("x87_free", b.registerNumber(st), number(b, 1)));
onStack("fdecstp", ["D9 F6"], (b) => b.helperVoid("x87_rotate", number(b, -1)));
onStack("fincstp", ["D9 F7"], (b) => b.helperVoid("x87_rotate", number(b, 1)));
["fld1", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fldz"].forEach((mnemonic, i) => {
  onStack(mnemonic, [`D9 ${(0xe8 + i).toString(16).toUpperCase()}`], (b) => b.helperVoid("x87_push_constant", number(b, i)));
});

const conditions: readonly (readonly [suffix: string, row: string, code: Condition])[] = [
  ["b", "DA /0", 2], ["e", "DA /1", 4], ["be", "DA /2", 6], ["u", "DA /3", 10],
  ["nb", "DB /0", 3], ["ne", "DB /1", 5], ["nbe", "DB /2", 7], ["nu", "DB /3", 11],
];
for (const [suffix, row, code] of conditions) {
  onStack(`fcmov${suffix}`, [`${row}   st`], (b, st) => {
    b.helperVoid("x87_conditional_move", b.registerNumber(st), b.zext(b.flags.condition(code), 32));
  });
}
