/** The helper module as a whole: its exports are the table, and the approximations keep the manual's bound. */
import { expect, test } from "vitest";
import { helperSignatures } from "../helpers.ts";
import { helperBytes, loadHelpers, Random } from "./oracle.ts";

/** Types of the exported functions, read from the module's type, import, function and export sections. */
function exportedTypes(bytes: Uint8Array): Record<string, string> {
  const names = ["f64", "f32", "i64", "i32"];
  const types: string[] = [];
  const functions: number[] = [];
  const found: Record<string, string> = {};
  let at = 8;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const text = (): string => {
    const length = leb();
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };
  const typeList = (): string => Array.from({ length: leb() }, () => names[bytes[at++] - 0x7c]).join(",");
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = leb() + at;
    if (section === 1) {
      for (let n = leb(); n > 0; n--) {
        at++;
        const params = typeList();
        types.push(`${params}->${typeList()}`);
      }
    } else if (section === 3) {
      for (let n = leb(); n > 0; n--) functions.push(leb());
    } else if (section === 7) {
      for (let n = leb(); n > 0; n--) {
        const name = text();
        at++;
        found[name] = types[functions[leb()]];
      }
    }
    at = end;
  }
  return found;
}

test("the module exports exactly the table of cpu/helpers.ts", async () => {
  const table: Record<string, string> = {};
  for (const [name, { params, result }] of Object.entries(helperSignatures)) table[name] = `${params.join(",")}->${result ?? ""}`;
  expect(exportedTypes(await helperBytes())).toEqual(table);
});

test("reciprocals are within 1.5 · 2^-12, and special cases are exact", async () => {
  const { helpers } = await loadHelpers();
  const bits = new DataView(new ArrayBuffer(4));
  const toBits = (x: number): number => {
    bits.setFloat32(0, x);
    return bits.getInt32(0);
  };
  const toNumber = (b: number): number => {
    bits.setInt32(0, b);
    return bits.getFloat32(0);
  };
  const random = new Random(5);
  for (let i = 0; i < 20000; i++) {
    const a = 0x00800000 + random.below(0x7e000000);
    const x = toNumber(a);
    const reciprocal = toNumber(helpers.f32_reciprocal(a));
    if (1 / x >= 2 ** -126) expect(Math.abs(reciprocal * x - 1)).toBeLessThan(1.5 * 2 ** -12);
    expect(Math.abs(toNumber(helpers.f32_reciprocal_sqrt(a)) * Math.sqrt(x) - 1)).toBeLessThan(1.5 * 2 ** -12);
  }
  expect(toNumber(helpers.f32_reciprocal(toBits(-0)))).toBe(-Infinity);
  expect(toNumber(helpers.f32_reciprocal(toBits(Infinity)))).toBe(0);
  expect(toNumber(helpers.f32_reciprocal(toBits(4)))).toBe(0.25);
  expect(toNumber(helpers.f32_reciprocal_sqrt(toBits(4)))).toBe(0.5);
  expect(toNumber(helpers.f32_reciprocal_sqrt(0x00000001))).toBe(Infinity);
  expect(helpers.f32_reciprocal_sqrt(toBits(-1)) >>> 0).toBe(0xffc00000);
  expect(helpers.f32_reciprocal(0x7f800001) >>> 0).toBe(0x7fc00001);
});
