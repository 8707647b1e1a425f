/** x87 helpers against the processor: registers, tags, top, status word, values stored, and whether a store happens. */
import { describe, expect, test } from "vitest";
import type { Ram } from "../../memory/ram.ts";
import {
  SCRATCH_A, SCRATCH_D, X87_CONTROL, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID,
} from "../state.ts";
import { hasOracle, loadHelpers, makeCases, type OracleCase, Random, randomF32, randomF64, randomF80, runNative } from "./oracle.ts";

const { helpers, ram } = await loadHelpers();

/** How helpers stand for an instruction. `run` returns what the instruction leaves in memory, rax or flags, if anything. */
interface Form {
  readonly name: string;
  readonly code: readonly number[];
  readonly run: (c: OracleCase, ram: Ram) => bigint | undefined;
  /** Memory operand to make up, and what kind of result to compare. */
  readonly memory?: "f32" | "f64" | "f80" | "i16" | "i32" | "i64" | "bcd";
  readonly stores?: number;
  readonly result?: "flags" | "ax";
  /** Transcendental results: the significands may differ by this many units in the last place, and C1 is not looked at. */
  readonly ulps?: number;
}

const forms: Form[] = [];
const form = (name: string, code: readonly number[], run: Form["run"], more: Partial<Form> = {}): void => {
  forms.push({ name, code, run, ...more });
};
const nothing = (f: (c: OracleCase) => unknown): Form["run"] => (c) => {
  f(c);
  return undefined;
};
const memory32 = (c: OracleCase): number => c.view.getInt32(c.memoryOffset, true);
const memory16 = (c: OracleCase): number => c.view.getInt16(c.memoryOffset, true);
const memory64 = (c: OracleCase): bigint => c.view.getBigUint64(c.memoryOffset, true);
const memory80 = (c: OracleCase): void => ram.u8.set(c.bytes.subarray(c.memoryOffset, c.memoryOffset + 10), SCRATCH_A);

const digits: [number, string][] = [[0, "fadd"], [1, "fmul"], [4, "fsub"], [5, "fsubr"], [6, "fdiv"], [7, "fdivr"]];
for (const [op, name] of digits) {
  form(`${name} st0, st1`, [0xd8, 0xc1 + op * 8], nothing(() => helpers.x87_arithmetic(op, 0, 1, 0)));
  form(`${name} st0, st0`, [0xd8, 0xc0 + op * 8], nothing(() => helpers.x87_arithmetic(op, 0, 0, 0)));
  // With ST(i) as destination /4 and /5, /6 and /7 change places.
  const digit = op >= 4 ? op ^ 1 : op;
  form(`${name} st2, st0`, [0xdc, 0xc2 + digit * 8], nothing(() => helpers.x87_arithmetic(op, 2, 0, 0)));
  form(`${name}p st1, st0`, [0xde, 0xc1 + digit * 8], nothing(() => helpers.x87_arithmetic(op, 1, 0, 1)));
  form(`${name} m32`, [0xd8, 0x07 + op * 8], nothing((c) => helpers.x87_arithmetic_f32(op, memory32(c))), { memory: "f32" });
  form(`${name} m64`, [0xdc, 0x07 + op * 8], nothing((c) => helpers.x87_arithmetic_f64(op, memory64(c))), { memory: "f64" });
  form(`fi${name.slice(1)} m32`, [0xda, 0x07 + op * 8], nothing((c) => helpers.x87_arithmetic_integer(op, memory32(c))), { memory: "i32" });
  form(`fi${name.slice(1)} m16`, [0xde, 0x07 + op * 8], nothing((c) => helpers.x87_arithmetic_integer(op, memory16(c))), { memory: "i16" });
}
form("fld m32", [0xd9, 0x07], nothing((c) => helpers.x87_push_f32(memory32(c))), { memory: "f32" });
form("fld m64", [0xdd, 0x07], nothing((c) => helpers.x87_push_f64(memory64(c))), { memory: "f64" });
form("fld m80", [0xdb, 0x2f], nothing((c) => { memory80(c); helpers.x87_push_f80(); }), { memory: "f80" });
form("fld st3", [0xd9, 0xc3], nothing(() => helpers.x87_push_register(3)));
form("fild m16", [0xdf, 0x07], nothing((c) => helpers.x87_push_integer(BigInt(memory16(c)))), { memory: "i16" });
form("fild m32", [0xdb, 0x07], nothing((c) => helpers.x87_push_integer(BigInt(memory32(c)))), { memory: "i32" });
form("fild m64", [0xdf, 0x2f], nothing((c) => helpers.x87_push_integer(memory64(c))), { memory: "i64" });
form("fbld", [0xdf, 0x27], nothing((c) => { memory80(c); helpers.x87_push_bcd(); }), { memory: "bcd" });
["fld1", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fldz"].forEach((name, i) => {
  form(name, [0xd9, 0xe8 + i], nothing(() => helpers.x87_push_constant(i)));
});

/** A store: memory changes when SCRATCH_D says so, and then the pop follows. */
const storing = (name: string, code: readonly number[], bytes: number, pops: boolean, value: () => bigint): void => {
  form(name, code, (c) => {
    const result = value();
    if (ram.view.getUint32(SCRATCH_D, true) === 0) return memoryValue(c, bytes);
    if (pops) pop();
    return BigInt.asUintN(bytes * 8, result);
  }, { stores: bytes });
};
const pop = (): void => {
  const top = ram.view.getUint16(X87_TOP, true);
  ram.view.setUint16(X87_VALID, ram.view.getUint16(X87_VALID, true) & ~(1 << top), true);
  ram.view.setUint16(X87_TOP, (top + 1) & 7, true);
};
const memoryValue = (c: OracleCase, bytes: number): bigint => {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(c.bytes[c.memoryOffset + i]);
  return value;
};
const scratch80 = (): bigint => ram.view.getBigUint64(SCRATCH_A, true) | (BigInt(ram.view.getUint16(SCRATCH_A + 8, true)) << 64n);
storing("fst m32", [0xd9, 0x17], 4, false, () => BigInt(helpers.x87_store_f32()));
storing("fstp m32", [0xd9, 0x1f], 4, true, () => BigInt(helpers.x87_store_f32()));
storing("fst m64", [0xdd, 0x17], 8, false, () => helpers.x87_store_f64());
storing("fstp m64", [0xdd, 0x1f], 8, true, () => helpers.x87_store_f64());
storing("fstp m80", [0xdb, 0x3f], 10, true, () => { helpers.x87_store_f80(); return scratch80(); });
storing("fist m16", [0xdf, 0x17], 2, false, () => helpers.x87_store_integer(16, 0));
storing("fistp m16", [0xdf, 0x1f], 2, true, () => helpers.x87_store_integer(16, 0));
storing("fist m32", [0xdb, 0x17], 4, false, () => helpers.x87_store_integer(32, 0));
storing("fistp m32", [0xdb, 0x1f], 4, true, () => helpers.x87_store_integer(32, 0));
storing("fistp m64", [0xdf, 0x3f], 8, true, () => helpers.x87_store_integer(64, 0));
storing("fisttp m16", [0xdf, 0x0f], 2, true, () => helpers.x87_store_integer(16, 1));
storing("fisttp m32", [0xdb, 0x0f], 4, true, () => helpers.x87_store_integer(32, 1));
storing("fisttp m64", [0xdd, 0x0f], 8, true, () => helpers.x87_store_integer(64, 1));
storing("fbstp", [0xdf, 0x37], 10, true, () => { helpers.x87_store_bcd(); return scratch80(); });
form("fst st3", [0xdd, 0xd3], nothing(() => helpers.x87_move(3, 0)));
form("fstp st2", [0xdd, 0xda], nothing(() => helpers.x87_move(2, 1)));
form("fstp st0", [0xdd, 0xd8], nothing(() => helpers.x87_move(0, 1)));

for (const strict of [1, 0]) {
  const u = strict ? "" : "u";
  form(`f${u}com st1`, strict ? [0xd8, 0xd1] : [0xdd, 0xe1], nothing(() => helpers.x87_compare(1, strict, 0)));
  form(`f${u}comp st2`, strict ? [0xd8, 0xda] : [0xdd, 0xea], nothing(() => helpers.x87_compare(2, strict, 1)));
  form(`f${u}compp`, strict ? [0xde, 0xd9] : [0xda, 0xe9], nothing(() => helpers.x87_compare(1, strict, 2)));
  const flags = (pops: number) => (): bigint => BigInt(helpers.x87_compare_flags(1, strict, pops));
  form(`f${u}comi st1`, [0xdb, strict ? 0xf1 : 0xe9], flags(0), { result: "flags" });
  form(`f${u}comip st1`, [0xdf, strict ? 0xf1 : 0xe9], flags(1), { result: "flags" });
}
form("fcom m32", [0xd8, 0x17], nothing((c) => helpers.x87_compare_f32(memory32(c), 0)), { memory: "f32" });
form("fcomp m32", [0xd8, 0x1f], nothing((c) => helpers.x87_compare_f32(memory32(c), 1)), { memory: "f32" });
form("fcom m64", [0xdc, 0x17], nothing((c) => helpers.x87_compare_f64(memory64(c), 0)), { memory: "f64" });
form("fcomp m64", [0xdc, 0x1f], nothing((c) => helpers.x87_compare_f64(memory64(c), 1)), { memory: "f64" });
form("ficom m16", [0xde, 0x17], nothing((c) => helpers.x87_compare_integer(memory16(c), 0)), { memory: "i16" });
form("ficomp m32", [0xda, 0x1f], nothing((c) => helpers.x87_compare_integer(memory32(c), 1)), { memory: "i32" });
form("ftst", [0xd9, 0xe4], nothing(() => helpers.x87_test()));
form("fxam", [0xd9, 0xe5], nothing(() => helpers.x87_examine()));
form("fchs", [0xd9, 0xe0], nothing(() => helpers.x87_change_sign()));
form("fabs", [0xd9, 0xe1], nothing(() => helpers.x87_absolute()));
form("fsqrt", [0xd9, 0xfa], nothing(() => helpers.x87_sqrt()));
form("frndint", [0xd9, 0xfc], nothing(() => helpers.x87_round()));
form("fscale", [0xd9, 0xfd], nothing(() => helpers.x87_scale()));
form("fxtract", [0xd9, 0xf4], nothing(() => helpers.x87_extract()));
form("fprem", [0xd9, 0xf8], nothing(() => helpers.x87_remainder(0)));
form("fprem1", [0xd9, 0xf5], nothing(() => helpers.x87_remainder(1)));
form("fxch st0", [0xd9, 0xc8], nothing(() => helpers.x87_exchange(0)));
form("fxch st3", [0xd9, 0xcb], nothing(() => helpers.x87_exchange(3)));
form("ffree st2", [0xdd, 0xc2], nothing(() => helpers.x87_free(2, 0)));
form("ffreep st2", [0xdf, 0xc2], nothing(() => helpers.x87_free(2, 1)));
form("fincstp", [0xd9, 0xf7], nothing(() => helpers.x87_rotate(1)));
form("fdecstp", [0xd9, 0xf6], nothing(() => helpers.x87_rotate(-1)));
form("fcmovb st1", [0xda, 0xc1], nothing((c) => helpers.x87_conditional_move(1, c.rflags & 1)));
form("fcmovnbe st1", [0xdb, 0xd1], nothing((c) => helpers.x87_conditional_move(1, (c.rflags & 0x41) === 0 ? 1 : 0)));
form("fninit", [0xdb, 0xe3], nothing(() => helpers.x87_init()));
form("fnclex", [0xdb, 0xe2], nothing(() => helpers.x87_clear_exceptions()));
form("fldcw", [0xd9, 0x2f], nothing((c) => helpers.x87_set_control(memory16(c))), { memory: "i16" });

form("f2xm1", [0xd9, 0xf0], nothing(() => helpers.x87_exp2m1()), { ulps: 1 });
form("fyl2x", [0xd9, 0xf1], nothing(() => helpers.x87_log2x()), { ulps: 1 });
form("fyl2xp1", [0xd9, 0xf9], nothing(() => helpers.x87_log2p1()), { ulps: 1 });
form("fsin", [0xd9, 0xfe], nothing(() => helpers.x87_sin()), { ulps: 1 });
form("fcos", [0xd9, 0xff], nothing(() => helpers.x87_cos()), { ulps: 1 });
form("fsincos", [0xd9, 0xfb], nothing(() => helpers.x87_sincos()), { ulps: 1 });
form("fptan", [0xd9, 0xf2], nothing(() => helpers.x87_tan()), { ulps: 1 });
form("fpatan", [0xd9, 0xf3], nothing(() => helpers.x87_atan()), { ulps: 1 });

const CASES_PER_FORM = Number(process.env.MENIOS_FP_CASES ?? 500);
const SEED = Number(process.env.MENIOS_SEED ?? 1);

function randomize(c: OracleCase, random: Random, f: Form): void {
  c.code = f.code;
  const fx = c.fxOffset;
  const masks = random.below(3) === 0 ? random.below(64) : 0x3f;
  const control = 0x40 | masks | (random.pick([0, 2, 3, 3]) << 8) | (random.below(4) << 10);
  c.view.setUint16(fx, control, true);
  const flags = random.below(2) === 0 ? 0 : random.below(128) & (masks | 0x40);
  c.view.setUint16(fx + 2, (random.below(2) === 0 ? 0 : random.below(0x10000) & 0x4700) | flags | (random.below(8) << 11), true);
  // Mostly a stack with room and contents, sometimes anything.
  const topOfStack = (c.view.getUint16(fx + 2, true) >> 11) & 7;
  let valid = random.below(256);
  if (random.below(4) !== 0) {
    valid = 0;
    const depth = 3 + random.below(5);
    for (let i = 0; i < depth; i++) valid |= 1 << ((topOfStack + i) & 7);
  }
  c.bytes[fx + 4] = valid;
  for (let i = 0; i < 8; i++) {
    const [m, se] = randomF80(random);
    c.view.setBigUint64(fx + 32 + i * 16, m, true);
    c.view.setUint16(fx + 40 + i * 16, se, true);
  }
  if (random.below(10) === 0) c.bytes.copyWithin(fx + 48, fx + 32, fx + 41);
  c.rflags = 0x202 | (random.below(256) & 0x45);
  const at = c.memoryOffset;
  for (let i = 0; i < 16; i++) c.bytes[at + i] = random.below(256);
  switch (f.memory) {
    case "f32": c.view.setUint32(at, randomF32(random), true); break;
    case "f64": c.view.setBigUint64(at, randomF64(random), true); break;
    case "f80": {
      const [m, se] = randomF80(random);
      c.view.setBigUint64(at, m, true);
      c.view.setUint16(at + 8, se, true);
      break;
    }
    case "i16": case "i32": case "i64":
      c.view.setBigInt64(at, random.below(3) === 0 ? BigInt.asIntN(64, random.u64()) : BigInt(random.below(1000) - 500), true);
      break;
    case "bcd":
      for (let i = 0; i < 9; i++) c.bytes[at + i] = random.below(10) * 16 + random.below(10);
      break;
    default:
  }
}

/** Puts the case's x87 state into RAM, and says what RAM holds in the layout of FXSAVE. */
function loadState(c: OracleCase): void {
  const fx = c.fxOffset;
  const status = c.view.getUint16(fx + 2, true);
  const topOfStack = (status >> 11) & 7;
  ram.view.setUint16(X87_CONTROL, c.view.getUint16(fx, true), true);
  ram.view.setUint16(X87_STATUS, status & ~0x3800, true);
  ram.view.setUint16(X87_TOP, topOfStack, true);
  ram.view.setUint16(X87_VALID, c.bytes[fx + 4], true);
  for (let i = 0; i < 8; i++) {
    ram.u8.set(c.bytes.subarray(fx + 32 + i * 16, fx + 42 + i * 16), X87_REGISTERS + ((topOfStack + i) & 7) * 16);
  }
}

interface State { control: number; status: number; top: number; valid: number; registers: string }

const hex = (value: bigint | number, n = 16): string => value.toString(16).padStart(n, "0");

function stateOf(view: DataView, control: number, status: number, valid: number, register: (i: number) => number): State {
  const registers: string[] = [];
  for (let i = 0; i < 8; i++) registers.push(`${hex(view.getUint16(register(i) + 8, true), 4)}:${hex(view.getBigUint64(register(i), true))}`);
  return { control, status: status & ~0x3800, top: (status >> 11) & 7, valid, registers: registers.join(" ") };
}
function nativeState(c: OracleCase): State {
  const fx = c.fxOffset;
  return stateOf(c.view, c.view.getUint16(fx, true), c.view.getUint16(fx + 2, true), c.bytes[fx + 4], (i) => fx + 32 + i * 16);
}
function ramState(): State {
  const topOfStack = ram.view.getUint16(X87_TOP, true);
  const status = ram.view.getUint16(X87_STATUS, true) | (topOfStack << 11);
  return stateOf(ram.view, ram.view.getUint16(X87_CONTROL, true), status, ram.view.getUint16(X87_VALID, true),
    (i) => X87_REGISTERS + ((topOfStack + i) & 7) * 16);
}

/** Register as an ordered integer: neighbours differ by one. */
function ordinal(register: string): bigint {
  const [se, m] = register.split(":").map((part) => BigInt(`0x${part}`));
  return ((se & 0x7fffn) << 63n) | (m & 0x7fffffffffffffffn);
}

/** Equal, or a transcendental result of the same sign within the bound. C1 tells the direction of rounding: two results that differ
 *  need not agree on it. */
function same(a: State, b: State, ulps: number | undefined): boolean {
  if (ulps === undefined) return JSON.stringify(a) === JSON.stringify(b);
  const ignored = b.registers.startsWith("ffff:c000000000000000") ? 0 : 0x200;
  if ((a.status | ignored) !== (b.status | ignored) || a.top !== b.top || a.valid !== b.valid || a.control !== b.control) return false;
  const [ours, theirs] = [a.registers.split(" "), b.registers.split(" ")];
  return ours.every((register, i) => {
    if (register === theirs[i]) return true;
    const distance = ordinal(register) - ordinal(theirs[i]);
    return i < 2 && register[0] >= "8" === theirs[i][0] >= "8" && distance <= ulps && distance >= -ulps;
  });
}

describe.skipIf(!hasOracle)("x87 helpers equal the processor", () => {
  for (const f of forms) {
    test(f.name, () => {
      const random = new Random(SEED * 1000003 + forms.indexOf(f));
      const cases = makeCases(CASES_PER_FORM);
      for (const c of cases) randomize(c, random, f);
      const expected = runNative(cases);
      const differences: unknown[] = [];
      cases.forEach((c, i) => {
        const native = expected[i];
        loadState(c);
        const got = f.run(c, ram);
        const wanted = f.stores !== undefined ? memoryValue(native, f.stores)
          : f.result === "flags" ? BigInt(native.rflags & 0x45) : f.result === "ax" ? native.rax & 0xffffn : undefined;
        const a = ramState(), b = nativeState(native);
        if ((!same(a, b, f.ulps) || got !== wanted || native.signal !== 0) && differences.length < 3) {
          const show = (s: State, value: bigint | undefined): string =>
            `cw ${hex(s.control, 4)} sw ${hex(s.status, 4)} top ${s.top} valid ${hex(s.valid, 2)} ${s.registers} value ${value?.toString(16)}`;
          differences.push({
            before: show(nativeState(c), memoryValue(c, 10)), got: show(a, got), processor: show(b, wanted), signal: native.signal,
          });
        }
      });
      expect(differences).toEqual([]);
    });
  }
});
