/** x87 loads, stores, arithmetic and comparisons with an operand in memory (Intel SDM 2A: FLD FST FILD FIST FISTTP FBLD FBSTP FADD…).
 *
 *  Order of effects: a pending exception, then the access, then state. A store makes sure that memory can be written, computes, writes
 *  unless an unmasked exception forbids it, and pops last. */
import type { Builder, Operand, Value } from "../builder.ts";
import { VECTOR_UD } from "../exit.ts";
import { SCRATCH_A, SCRATCH_D } from "../state.ts";
import { instruction } from "./define.ts";
import { deliverPending, noteInstruction, number, pop, X87_OPERATIONS } from "./x87-state.ts";

/** Memory forms that have no meaning. */
instruction("ud", ["D9 /1   m", "DB /4   m", "DB /6   m", "DD /5   m"], {}, (b) => b.exception(VECTOR_UD));

type Read = (b: Builder, src: Operand) => Value;
const raw: Read = (b, src) => b.read(src);
const signed32: Read = (b, src) => b.sext(b.read(src), 32);
const signed64: Read = (b, src) => b.sext(b.read(src), 64);

/** An instruction that takes a value from memory. */
function taking(mnemonic: string, rows: readonly string[], read: Read, body: (b: Builder, value: Value) => void): void {
  instruction(mnemonic, rows, {}, (b, src) => {
    deliverPending(b);
    const value = read(b, src);
    noteInstruction(b, src);
    body(b, value);
  });
}

// ---- arithmetic and comparisons --------------------------------------------------------------------------------------------------

for (const [suffix, operation] of X87_OPERATIONS) {
  taking(`f${suffix}`, [`D8 /${operation}   m32`], raw, (b, value) => b.helperVoid("x87_arithmetic_f32", number(b, operation), value));
  taking(`f${suffix}`, [`DC /${operation}   m64`], raw, (b, value) => b.helperVoid("x87_arithmetic_f64", number(b, operation), value));
  taking(`fi${suffix}`, [`DA /${operation}   m32`, `DE /${operation}   m16`], signed32, (b, value) => {
    b.helperVoid("x87_arithmetic_integer", number(b, operation), value);
  });
}
for (const [suffix, digit, pops] of [["com", 2, 0], ["comp", 3, 1]] as const) {
  taking(`f${suffix}`, [`D8 /${digit}   m32`], raw, (b, value) => b.helperVoid("x87_compare_f32", value, number(b, pops)));
  taking(`f${suffix}`, [`DC /${digit}   m64`], raw, (b, value) => b.helperVoid("x87_compare_f64", value, number(b, pops)));
  taking(`fi${suffix}`, [`DA /${digit}   m32`, `DE /${digit}   m16`], signed32, (b, value) => {
    b.helperVoid("x87_compare_integer", value, number(b, pops));
  });
}

// ---- loads -----------------------------------------------------------------------------------------------------------------------

taking("fld", ["D9 /0   m32"], raw, (b, value) => b.helperVoid("x87_push_f32", value));
taking("fld", ["DD /0   m64"], raw, (b, value) => b.helperVoid("x87_push_f64", value));
taking("fild", ["DF /0   m16", "DB /0   m32", "DF /5   m64"], signed64, (b, value) => b.helperVoid("x87_push_integer", value));

/** Ten bytes go to SCRATCH_A. */
function takingTenBytes(mnemonic: string, row: string, helper: string): void {
  instruction(mnemonic, [row], {}, (b, src) => {
    deliverPending(b);
    const address = b.linearAddress(src);
    const low = b.loadAt(address, 64), high = b.loadAt(b.add(address, b.constant(64, 8)), 16);
    b.setState(SCRATCH_A, low);
    b.setState(SCRATCH_A + 8, high, "i32.store16");
    noteInstruction(b, src);
    b.helperVoid(helper);
  });
}
takingTenBytes("fld", "DB /5   m80", "x87_push_f80");
takingTenBytes("fbld", "DF /4   m80", "x87_push_bcd");

// ---- stores ----------------------------------------------------------------------------------------------------------------------

type Pieces = readonly (readonly [offset: number, value: Value])[];

/** `compute` calls the helper and gives what to write where. */
function store(mnemonic: string, row: string, bytes: number, pops: 0 | 1, compute: (b: Builder) => Pieces): void {
  instruction(mnemonic, [row], {}, (b, dst) => {
    deliverPending(b);
    const address = b.linearAddress(dst);
    b.checkWritable(address, bytes);
    noteInstruction(b, dst);
    const pieces = compute(b);
    b.if(b.isNonZero(b.getState(SCRATCH_D, "i32.load")), () => {
      for (const [offset, value] of pieces) b.storeAt(b.add(address, b.constant(64, offset)), value);
      if (pops === 1) pop(b);
    });
  });
}
for (const [mnemonic, digit, pops] of [["fst", 2, 0], ["fstp", 3, 1]] as const) {
  store(mnemonic, `D9 /${digit}   m32`, 4, pops, (b) => [[0, b.helper("x87_store_f32")]]);
  store(mnemonic, `DD /${digit}   m64`, 8, pops, (b) => [[0, b.helper("x87_store_f64")]]);
}
const tenBytes = (helper: string) => (b: Builder): Pieces => {
  b.helperVoid(helper);
  return [[0, b.getState(SCRATCH_A)], [8, b.getState(SCRATCH_A + 8, "i32.load16_u")]];
};
store("fstp", "DB /7   m80", 10, 1, tenBytes("x87_store_f80"));
store("fbstp", "DF /6   m80", 10, 1, tenBytes("x87_store_bcd"));

const ROUND = 0;
const TRUNCATE = 1;
function storeInteger(mnemonic: string, row: string, width: 16 | 32 | 64, mode: 0 | 1, pops: 0 | 1): void {
  store(mnemonic, row, width / 8, pops, (b) => [[0, b.trunc(b.helper("x87_store_integer", number(b, width), number(b, mode)), width)]]);
}
storeInteger("fist", "DF /2   m16", 16, ROUND, 0);
storeInteger("fist", "DB /2   m32", 32, ROUND, 0);
storeInteger("fistp", "DF /3   m16", 16, ROUND, 1);
storeInteger("fistp", "DB /3   m32", 32, ROUND, 1);
storeInteger("fistp", "DF /7   m64", 64, ROUND, 1);
storeInteger("fisttp", "DF /1   m16", 16, TRUNCATE, 1);
storeInteger("fisttp", "DB /1   m32", 32, TRUNCATE, 1);
storeInteger("fisttp", "DD /1   m64", 64, TRUNCATE, 1);
