/** What is known of floats along a region's loops. */
import { describe, expect, test } from "vitest";
import { DECODED, Decoder } from "../decode/decoder.ts";
import { OpcodeTables } from "../decode/tables.ts";
import "../instructions/index.ts";
import { layOut } from "./layout.ts";
import { accumulated, type Fact, isMagnitude, join, magnitude, modest, mostOf, TAME, UNKNOWN, widest, ZERO } from "./magnitude.ts";
import { discoverRegion, type Peek, type Region, WHOLE_LIMITS } from "./region.ts";
import { findTame, LOW32, LOW64 } from "./tame.ts";

const START = 0x40_1000;
const decoder = new Decoder(new OpcodeTables());

/** Facts of the region of these bytes at its block at `offset`, by number of the XMM register; and what is asked on the way in. */
function known(bytes: string, offset: number, asksMagnitudes = true) {
  const code = Uint8Array.from(bytes.trim().split(/\s+/).map((byte) => Number.parseInt(byte, 16)));
  const peek: Peek = (rip) => {
    const at = rip - START;
    if (at < 0 || at >= code.length || decoder.decode(code, at, code.length - at, rip) !== DECODED) return undefined;
    return { decoded: decoder.decoded.copy(), frame: 1, secondFrame: -1 };
  };
  const region = discoverRegion(START, peek, WHOLE_LIMITS) as Region;
  const layout = layOut(region.entry);
  const { facts, entries, computes } = findTame(layout, [{ way: region.entry, to: region.entry }], asksMagnitudes);
  const block = layout.order.find(({ start }) => start === START + offset);
  if (block === undefined) throw new Error(`no block at ${offset}`);
  const at = (register: number, fact = LOW64): Fact => (facts.get(block)?.[4 * register + fact] ?? UNKNOWN);
  return { at, asked: (register: number, fact = LOW64): Fact => entries.get(region.entry)?.[4 * register + fact] ?? UNKNOWN, computes };
}
const LOOP = "48 ff c9 75"; // dec rcx; jnz
/** addsd, mulsd, subsd, minsd of two registers. */
const add = (to: number, from: number): string => `f2 0f 58 ${(0xc0 | (to << 3) | from).toString(16)}`;
const multiply = (to: number, from: number): string => `f2 0f 59 ${(0xc0 | (to << 3) | from).toString(16)}`;
const MODEST = modest(64);

describe("a loop", () => {
  test("that adds a factor's product to a sum: both asked once, and the sum does not grow for ever", () => {
    // movapd xmm3, xmm1; mulsd xmm3, xmm2; addsd xmm0, xmm3
    const { at, asked, computes } = known(`66 0f 28 d9 ${multiply(3, 2)} ${add(0, 3)} ${LOOP} ef c3`, 0);
    expect([0, 1, 2, 3].map((register) => isMagnitude(asked(register)))).toEqual([true, true, true, false]);
    expect(at(1)).toBe(MODEST);
    const product = magnitude(2 * -307, 2 * 257);
    expect(at(0)).toBe(join(MODEST, accumulated(MODEST, product, 64)));
    expect(computes).toBe(true);
  });
  test("that begins its sum itself: from zero on", () => {
    // xorpd xmm0, xmm0; then the loop
    expect(known(`66 0f 57 c0 ${add(0, 1)} ${LOOP} f7 c3`, 4).at(0)).toBe(accumulated(ZERO, MODEST, 64));
  });
  test("whose sum passes through another register is the same", () => {
    // movapd xmm2, xmm0; addsd xmm2, xmm1; movapd xmm0, xmm2
    expect(known(`66 0f 28 d0 ${add(2, 1)} 66 0f 28 c2 ${LOOP} ef c3`, 0).at(0)).toBe(accumulated(MODEST, MODEST, 64));
  });
  test("that doubles a number asks it in each turn", () => {
    const { at } = known(`${add(0, 0)} ${LOOP} f7 c3`, 0);
    expect(mostOf(at(0))).toBe(mostOf(widest(64)));
  });
  test("of two sums that are added to one another grows without bound, for all that is known", () => {
    const { at } = known(`${add(0, 1)} ${add(1, 0)} ${LOOP} f3 c3`, 0);
    expect(mostOf(at(0))).toBe(mostOf(widest(64)));
    expect(mostOf(at(1))).toBe(mostOf(widest(64)));
  });
  test("that squares a number knows what a square of a modest one is", () => {
    expect(known(`${multiply(0, 0)} ${LOOP} f7 c3`, 0).at(0)).toBe(magnitude(2 * -307, 2 * 257));
  });
  test("that loads a number knows nothing of it", () => {
    // movsd xmm0, [rdi]; the jump goes back behind it: addsd xmm1, xmm0
    expect(known(`f2 0f 10 07 ${add(1, 0)} ${LOOP} f3 c3`, 0).at(0)).toBe(UNKNOWN);
  });
});

test("where magnitudes are not asked for, operands are tame and nothing more", () => {
  const { at, asked } = known(`${add(0, 1)} ${LOOP} f7 c3`, 0, false);
  expect([asked(0), asked(1), at(0), at(1)]).toEqual([TAME, TAME, TAME, TAME]);
});
test("integers have a magnitude, in either width", () => {
  // cvtsi2sd xmm0, eax; cvtsi2ss xmm1, eax; jmp to behind it
  const { at } = known(`f2 0f 2a c0 f3 0f 2a c8 eb 00 ${add(2, 0)} ${LOOP} f7 c3`, 10);
  expect(isMagnitude(at(0)) && isMagnitude(at(1, LOW32))).toBe(true);
  expect(at(0, LOW32)).toBe(UNKNOWN);
});
