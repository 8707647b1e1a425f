/** What arithmetic makes of magnitudes holds for the numbers that have them, and nothing but rounding happens. */
import { describe, expect, test } from "vitest";
import { Random } from "../assembly/oracle.ts";
import { accumulated, bounded, type Fact, implies, isMagnitude, join, leastOf, magnitude, modest, mostOf, type Operation, TAME, UNKNOWN, type Width, ZERO } from "./magnitude.ts";

const SEED = Number(process.env["MENIOS_SEED"] ?? 1);
const formats = { 32: { fraction: 23, bottom: -126, top: 127, round: Math.fround }, 64: { fraction: 52, bottom: -1022, top: 1023, round: (x: number) => x } };

/** Multiples of 2^least up to 2^most; the smallest, the largest, and others. */
function numberOf(random: Random, fact: Fact, width: Width): number {
  const least = leastOf(fact), most = mostOf(fact), { fraction, bottom, round } = formats[width];
  if (fact === ZERO || least > most || random.below(12) === 0) return random.below(2) === 0 ? 0 : -0;
  const sign = random.below(2) === 0 ? 1 : -1;
  const exponent = Math.max(bottom, random.pick([least, Math.max(least, most - 1), least + random.below(most - least + 1)]));
  // As many bits as there are between it and the least.
  const bits = Math.max(0, Math.min(fraction, exponent - least)), ones = random.pick([0n, (1n << BigInt(bits)) - 1n, random.u64() & ((1n << BigInt(bits)) - 1n)]);
  const value = (1 + Number(ones) / 2 ** bits) * 2 ** exponent;
  return sign * (value > 2 ** most || round(value) !== value ? 2 ** exponent : value);
}
function has(x: number, fact: Fact): boolean {
  if (x === 0) return true;
  const scaled = Math.abs(x) <= 2 ** mostOf(fact) && Number.isFinite(x);
  // A multiple of 2^least: its lowest bit is not below.
  let lowest = Math.abs(x), exponent = 0;
  while (lowest >= 2) { lowest /= 2; exponent++; }
  while (lowest < 1) { lowest *= 2; exponent--; }
  while (lowest % 1 !== 0) { lowest *= 2; exponent--; }
  return scaled && exponent >= leastOf(fact);
}
function compute(name: Operation, x: number, y: number, width: Width): number {
  const { round } = formats[width];
  switch (name) {
    case "add": return round(x + y);
    case "sub": return round(x - y);
    case "mul": return round(x * y);
    case "div": return round(x / y);
    case "sqrt": return round(Math.sqrt(y));
    case "min": return x < y ? x : y;
    case "max": return x > y ? x : y;
    case "round": return [Math.floor, Math.ceil, Math.trunc][Math.abs(Math.round(y)) % 3](y);
    case "widen": return y;
    case "narrow": return Math.fround(y);
  }
}
function randomFact(random: Random, width: Width): Fact {
  const { bottom, top } = formats[width], kind = random.below(8);
  if (kind === 0) return ZERO;
  if (kind < 4) return modest(width);
  const least = bottom - 60 + random.below(top - bottom), most = Math.max(bottom, least) + random.below(300);
  return magnitude(least, Math.min(top, most));
}

describe.each([32, 64] as const)("binary%i", (width) => {
  test.each(["add", "sub", "mul", "div", "sqrt", "min", "max", "round", "widen", "narrow"] as const)(`%s (seed ${SEED})`, (name) => {
    if ((name === "widen") !== (width === 32) && (name === "widen" || name === "narrow")) return;
    const random = new Random(SEED + width), resultWidth = name === "narrow" ? 32 : name === "widen" ? 64 : width;
    let planned = 0;
    for (let n = 0; n < 4000; n++) {
      const given = { x: randomFact(random, width), y: randomFact(random, width) };
      const plan = bounded(name, width, [given], false);
      if (plan === undefined) continue;
      const [{ x, y, result }] = plan.lanes;
      // What is not asked is known already.
      if (!plan.asks[0] && name !== "sqrt") expect(x).toBe(given.x);
      if (!plan.asks[1]) expect(y).toBe(given.y);
      const a = numberOf(random, x, width), b = numberOf(random, y, width), { bottom, top } = formats[resultWidth];
      if ((name === "div" && b === 0) || (name === "sqrt" && b < 0)) continue;
      planned++;
      const r = compute(name, a, b, width), what = `${name} ${a} ${b} = ${r}: ${[x, y, result].map((fact) => `${leastOf(fact)}…${mostOf(fact)}`).join(", ")}`;
      expect(has(r, result), what).toBe(true);
      expect(r === 0 || (Math.abs(r) >= 2 ** bottom && Math.abs(r) < 2 ** top * 2), what).toBe(true);
      // Zero is exact: nothing was too small.
      if (r === 0 && (name === "mul" || name === "div")) expect(a === 0 || (name === "mul" && b === 0), what).toBe(true);
      if (r === 0 && (name === "narrow" || name === "sqrt")) expect(b).toBe(name === "narrow" ? r : b);
    }
    expect(planned).toBeGreaterThan(400);
  });
});

test("modest operands are asked for once, and three may be multiplied", () => {
  const first = bounded("mul", 64, [{ x: UNKNOWN, y: TAME }], false);
  expect(first?.asks).toEqual([true, true]);
  const product = first?.lanes[0].result as Fact;
  const second = bounded("mul", 64, [{ x: product, y: UNKNOWN }], false);
  expect(second?.asks).toEqual([false, true]);
  // The fourth would be too much: the product so far must be modest itself.
  expect(bounded("mul", 64, [{ x: second?.lanes[0].result as Fact, y: modest(64) }], false)?.asks).toEqual([true, false]);
});
test("a square asks once", () => {
  expect(bounded("mul", 64, [{ x: UNKNOWN, y: UNKNOWN }], true)?.asks).toEqual([true, false]);
});
test("a minimum of what is not known cannot be planned", () => {
  expect(bounded("min", 64, [{ x: UNKNOWN, y: modest(64) }], false)).toBeUndefined();
  expect(bounded("min", 64, [{ x: ZERO, y: modest(64) }], false)?.lanes[0].result).toBe(modest(64));
});
test("a sum that goes on and on stops growing", () => {
  for (const width of [32, 64] as const) {
    const { round } = formats[width], term = magnitude(-10, 3), limit = accumulated(ZERO, term, width);
    // From so large a sum on, the largest term is rounded away.
    const large = 2 ** (mostOf(limit) - 1);
    expect(round(large + 8)).toBe(large);
    expect(mostOf(accumulated(magnitude(0, 90), term, width))).toBe(Math.max(90, mostOf(limit)));
  }
});
test("facts are ordered", () => {
  expect(join(modest(64), TAME)).toBe(TAME);
  expect(join(modest(64), UNKNOWN)).toBe(UNKNOWN);
  expect(join(ZERO, modest(32))).toBe(modest(32));
  expect(implies(modest(64), TAME)).toBe(true);
  expect(implies(TAME, modest(64))).toBe(false);
  expect(implies(magnitude(-3, 5), modest(64))).toBe(true);
  expect(implies(magnitude(-1000, 5), modest(64))).toBe(false);
  expect([UNKNOWN, TAME].some(isMagnitude)).toBe(false);
});
