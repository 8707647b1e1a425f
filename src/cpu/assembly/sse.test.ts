/** SSE arithmetic against the processor: result bits, MXCSR, and whether an exception is delivered. */
import { describe, expect, test } from "vitest";
import { FP_FAST, FP_FAST_MASK, FP_NOTICE, MXCSR, NOTICE_EXCEPTION, SCRATCH_A, SCRATCH_B, SCRATCH_C } from "../state.ts";
import { hasOracle, loadHelpers, makeCases, Random, randomF32, randomF64, runNative } from "./oracle.ts";

const { helpers, ram } = await loadHelpers();
const call = helpers as unknown as Record<string, (...args: (number | bigint)[]) => number | bigint | undefined>;

/** How a helper stands for an instruction on xmm0, xmm1 (and rax, for integer results and operands). */
interface Form {
  readonly code: readonly number[];
  readonly helper: string;
  readonly lanes: "f32" | "f64" | "i32" | "i64";
  /** Where the instruction leaves its result. */
  readonly result: "low32" | "low64" | "xmm" | "eax" | "rax" | "flags";
  readonly packed?: boolean;
  /** Takes one operand (xmm1). */
  readonly unary?: boolean;
  readonly imm?: number;
}

const forms: Form[] = [];
const arithmetic = { add: 0x58, mul: 0x59, sub: 0x5c, min: 0x5d, div: 0x5e, max: 0x5f };
for (const [name, opcode] of Object.entries(arithmetic)) {
  forms.push({ code: [0xf2, 0x0f, opcode, 0xc1], helper: `f64_${name}`, lanes: "f64", result: "low64" });
  forms.push({ code: [0xf3, 0x0f, opcode, 0xc1], helper: `f32_${name}`, lanes: "f32", result: "low32" });
  forms.push({ code: [0x66, 0x0f, opcode, 0xc1], helper: `f64x2_${name}`, lanes: "f64", result: "xmm", packed: true });
  forms.push({ code: [0x0f, opcode, 0xc1], helper: `f32x4_${name}`, lanes: "f32", result: "xmm", packed: true });
}
forms.push(
  { code: [0xf2, 0x0f, 0x51, 0xc1], helper: "f64_sqrt", lanes: "f64", result: "low64", unary: true },
  { code: [0xf3, 0x0f, 0x51, 0xc1], helper: "f32_sqrt", lanes: "f32", result: "low32", unary: true },
  { code: [0x66, 0x0f, 0x51, 0xc1], helper: "f64x2_sqrt", lanes: "f64", result: "xmm", packed: true, unary: true },
  { code: [0x0f, 0x51, 0xc1], helper: "f32x4_sqrt", lanes: "f32", result: "xmm", packed: true, unary: true },
  { code: [0x66, 0x0f, 0xd0, 0xc1], helper: "f64x2_addsub", lanes: "f64", result: "xmm", packed: true },
  { code: [0xf2, 0x0f, 0xd0, 0xc1], helper: "f32x4_addsub", lanes: "f32", result: "xmm", packed: true },
  { code: [0x66, 0x0f, 0x7c, 0xc1], helper: "f64x2_hadd", lanes: "f64", result: "xmm", packed: true },
  { code: [0xf2, 0x0f, 0x7c, 0xc1], helper: "f32x4_hadd", lanes: "f32", result: "xmm", packed: true },
  { code: [0x66, 0x0f, 0x7d, 0xc1], helper: "f64x2_hsub", lanes: "f64", result: "xmm", packed: true },
  { code: [0xf2, 0x0f, 0x7d, 0xc1], helper: "f32x4_hsub", lanes: "f32", result: "xmm", packed: true },
  { code: [0x66, 0x0f, 0x2f, 0xc1], helper: "f64_comis", lanes: "f64", result: "flags" },
  { code: [0x66, 0x0f, 0x2e, 0xc1], helper: "f64_ucomis", lanes: "f64", result: "flags" },
  { code: [0x0f, 0x2f, 0xc1], helper: "f32_comis", lanes: "f32", result: "flags" },
  { code: [0x0f, 0x2e, 0xc1], helper: "f32_ucomis", lanes: "f32", result: "flags" },
  { code: [0xf2, 0x0f, 0x2a, 0xc0], helper: "i32_to_f64", lanes: "i32", result: "low64", unary: true },
  { code: [0xf2, 0x48, 0x0f, 0x2a, 0xc0], helper: "i64_to_f64", lanes: "i64", result: "low64", unary: true },
  { code: [0xf3, 0x0f, 0x2a, 0xc0], helper: "i32_to_f32", lanes: "i32", result: "low32", unary: true },
  { code: [0xf3, 0x48, 0x0f, 0x2a, 0xc0], helper: "i64_to_f32", lanes: "i64", result: "low32", unary: true },
  { code: [0xf2, 0x0f, 0x2d, 0xc1], helper: "f64_to_i32", lanes: "f64", result: "eax", unary: true },
  { code: [0xf2, 0x48, 0x0f, 0x2d, 0xc1], helper: "f64_to_i64", lanes: "f64", result: "rax", unary: true },
  { code: [0xf3, 0x0f, 0x2d, 0xc1], helper: "f32_to_i32", lanes: "f32", result: "eax", unary: true },
  { code: [0xf3, 0x48, 0x0f, 0x2d, 0xc1], helper: "f32_to_i64", lanes: "f32", result: "rax", unary: true },
  { code: [0xf2, 0x0f, 0x2c, 0xc1], helper: "f64_to_i32_truncate", lanes: "f64", result: "eax", unary: true },
  { code: [0xf2, 0x48, 0x0f, 0x2c, 0xc1], helper: "f64_to_i64_truncate", lanes: "f64", result: "rax", unary: true },
  { code: [0xf3, 0x0f, 0x2c, 0xc1], helper: "f32_to_i32_truncate", lanes: "f32", result: "eax", unary: true },
  { code: [0xf3, 0x48, 0x0f, 0x2c, 0xc1], helper: "f32_to_i64_truncate", lanes: "f32", result: "rax", unary: true },
  { code: [0xf3, 0x0f, 0x5a, 0xc1], helper: "f32_to_f64", lanes: "f32", result: "low64", unary: true },
  { code: [0xf2, 0x0f, 0x5a, 0xc1], helper: "f64_to_f32", lanes: "f64", result: "low32", unary: true },
  { code: [0x0f, 0x5b, 0xc1], helper: "i32x4_to_f32x4", lanes: "f32", result: "xmm", packed: true, unary: true },
  { code: [0xf3, 0x0f, 0xe6, 0xc1], helper: "i32x2_to_f64x2", lanes: "f32", result: "xmm", packed: true, unary: true },
  { code: [0x66, 0x0f, 0x5b, 0xc1], helper: "f32x4_to_i32x4", lanes: "f32", result: "xmm", packed: true, unary: true },
  { code: [0xf3, 0x0f, 0x5b, 0xc1], helper: "f32x4_to_i32x4_truncate", lanes: "f32", result: "xmm", packed: true, unary: true },
  { code: [0xf2, 0x0f, 0xe6, 0xc1], helper: "f64x2_to_i32x2", lanes: "f64", result: "xmm", packed: true, unary: true },
  { code: [0x66, 0x0f, 0xe6, 0xc1], helper: "f64x2_to_i32x2_truncate", lanes: "f64", result: "xmm", packed: true, unary: true },
  { code: [0x66, 0x0f, 0x5a, 0xc1], helper: "f64x2_to_f32x2", lanes: "f64", result: "xmm", packed: true, unary: true },
  { code: [0x0f, 0x5a, 0xc1], helper: "f32x2_to_f64x2", lanes: "f32", result: "xmm", packed: true, unary: true },
);
for (let imm = 0; imm < 8; imm++) {
  forms.push({ code: [0xf2, 0x0f, 0xc2, 0xc1, imm], helper: "f64_compare", lanes: "f64", result: "low64", imm });
  forms.push({ code: [0xf3, 0x0f, 0xc2, 0xc1, imm], helper: "f32_compare", lanes: "f32", result: "low32", imm });
  forms.push({ code: [0x66, 0x0f, 0xc2, 0xc1, imm], helper: "f64x2_compare", lanes: "f64", result: "xmm", packed: true, imm });
  forms.push({ code: [0x0f, 0xc2, 0xc1, imm], helper: "f32x4_compare", lanes: "f32", result: "xmm", packed: true, imm });
}
for (let imm = 0; imm < 16; imm++) {
  const prefix = [0x66, 0x0f, 0x3a];
  forms.push({ code: [...prefix, 0x0b, 0xc1, imm], helper: "f64_round", lanes: "f64", result: "low64", unary: true, imm });
  forms.push({ code: [...prefix, 0x0a, 0xc1, imm], helper: "f32_round", lanes: "f32", result: "low32", unary: true, imm });
  forms.push({ code: [...prefix, 0x09, 0xc1, imm], helper: "f64x2_round", lanes: "f64", result: "xmm", packed: true, unary: true, imm });
  forms.push({ code: [...prefix, 0x08, 0xc1, imm], helper: "f32x4_round", lanes: "f32", result: "xmm", packed: true, unary: true, imm });
}
for (const imm of [0xff, 0x31, 0x73, 0xf1, 0x12, 0x0f, 0x5a, 0xa5]) {
  forms.push({ code: [0x66, 0x0f, 0x3a, 0x40, 0xc1, imm], helper: "f32x4_dot", lanes: "f32", result: "xmm", packed: true, imm });
  forms.push({ code: [0x66, 0x0f, 0x3a, 0x41, 0xc1, imm], helper: "f64x2_dot", lanes: "f64", result: "xmm", packed: true, imm });
}

const CASES_PER_FORM = Number(process.env.MENIOS_FP_CASES ?? 400);
const SEED = Number(process.env.MENIOS_SEED ?? 1);

/** Masked exceptions mostly, each rounding mode, FTZ and DAZ, stale sticky flags; sometimes anything unmasked. */
function randomMxcsr(random: Random): number {
  const control = (random.below(4) << 13) | (random.below(4) === 0 ? 0x8000 : 0) | (random.below(4) === 0 ? 0x40 : 0);
  const masks = random.below(3) === 0 ? random.below(64) << 7 : 0x1f80;
  return control | masks | (random.below(2) === 0 ? 0 : random.below(64) & (masks >> 7));
}

function randomInteger(random: Random, bits: number): bigint {
  const value = random.u64() >> BigInt(random.below(64));
  return BigInt.asUintN(bits, random.below(2) === 0 ? value : -value);
}

const hex = (value: bigint | number, digits = 16): string => value.toString(16).padStart(digits, "0");

describe.skipIf(!hasOracle)("SSE helpers equal the processor", () => {
  for (const form of forms) {
    test(`${form.helper}${form.imm === undefined ? "" : `, imm ${form.imm}`}`, () => {
      const random = new Random(SEED * 1000003 + forms.indexOf(form));
      const cases = makeCases(CASES_PER_FORM);
      for (const c of cases) {
        c.code = form.code;
        c.mxcsr = randomMxcsr(random);
        const slot = (): bigint =>
          form.lanes === "f64" ? randomF64(random) : BigInt(randomF32(random)) | (BigInt(randomF32(random)) << 32n);
        c.setXmm(0, slot(), slot());
        c.setXmm(1, slot(), slot());
        if (random.below(8) === 0) c.setXmm(1, ...c.xmm(0));
        c.rax = randomInteger(random, form.lanes === "i32" ? 32 : 64);
      }
      const expected = runNative(cases);
      const differences: string[] = [];
      cases.forEach((c, i) => {
        const native = expected[i];
        helpers.mxcsr_write(c.mxcsr);
        ram.view.setUint32(FP_NOTICE, 0, true);
        let got: bigint;
        let wanted: bigint;
        if (form.packed) {
          const [a, b] = form.unary ? [c.xmm(1), c.xmm(0)] : [c.xmm(0), c.xmm(1)];
          ram.view.setBigUint64(SCRATCH_A, a[0], true);
          ram.view.setBigUint64(SCRATCH_A + 8, a[1], true);
          ram.view.setBigUint64(SCRATCH_B, b[0], true);
          ram.view.setBigUint64(SCRATCH_B + 8, b[1], true);
          if (form.imm === undefined) call[form.helper]();
          else call[form.helper](form.imm);
          got = ram.view.getBigUint64(SCRATCH_C, true) | (ram.view.getBigUint64(SCRATCH_C + 8, true) << 64n);
          wanted = native.xmm(0)[0] | (native.xmm(0)[1] << 64n);
        } else {
          const operandOf = (register: number): number | bigint => {
            if (form.lanes === "i32") return Number(BigInt.asIntN(32, c.rax));
            if (form.lanes === "i64") return c.rax;
            const bits = c.xmm(register)[0];
            return form.lanes === "f64" ? bits : Number(BigInt.asIntN(32, bits));
          };
          const args = form.unary ? [operandOf(1)] : [operandOf(0), operandOf(1)];
          if (form.imm !== undefined) args.push(form.imm);
          got = BigInt(call[form.helper](...args) as number | bigint);
          const width = form.result === "low32" || form.result === "eax" ? 32 : 64;
          got = BigInt.asUintN(width, got);
          wanted = form.result === "eax" || form.result === "rax" ? native.rax
            : form.result === "flags" ? BigInt(native.rflags & 0x8d5) : native.xmm(0)[0];
          wanted = BigInt.asUintN(width, wanted);
        }
        const mxcsr = ram.view.getUint32(MXCSR, true);
        const pending = ram.view.getUint32(FP_NOTICE, true) & NOTICE_EXCEPTION;
        const trapped = native.signal !== 0;
        const same = (trapped || got === wanted) && mxcsr === native.mxcsr && (pending !== 0) === trapped;
        const fast = (mxcsr & 0x7fa0) === 0x1fa0 ? FP_FAST_MASK : 0;
        expect(ram.view.getUint32(FP_FAST, true)).toBe(fast);
        if (!same && differences.length < 5) {
          differences.push(
            `mxcsr ${hex(c.mxcsr, 4)} xmm0 ${c.xmm(0).map((v) => hex(v))} xmm1 ${c.xmm(1).map((v) => hex(v))} rax ${hex(c.rax)}: ` +
              `got ${hex(got)} mxcsr ${hex(mxcsr, 4)} pending ${pending}, ` +
              `processor ${hex(wanted)} mxcsr ${hex(native.mxcsr, 4)} signal ${native.signal}`,
          );
        }
      });
      expect(differences).toEqual([]);
    });
  }
});
