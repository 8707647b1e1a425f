/** Where a region can be entered. */
import { describe, expect, test } from "vitest";
import { DECODED, Decoder } from "../decode/decoder.ts";
import { OpcodeTables } from "../decode/tables.ts";
import { Random } from "../assembly/oracle.ts";
import "../instructions/index.ts";
import { compileRegion } from "./compile.ts";
import { openEntries } from "./entries.ts";
import { layOut } from "./layout.ts";
import { type Block, discoverRegion, type Knowledge, type Peek, type Region, STRAIGHT_LIMITS, successors } from "./region.ts";

const SEED = Number(process.env["MENIOS_SEED"] ?? 1);
const START = 0x40_1000;
const decoder = new Decoder(new OpcodeTables());

/** The region of `text`, lines of bytes; "name:" in front of a line names its address. */
function regionOf(text: string, wanted: readonly string[] = [], know: (at: (name: string) => number) => Knowledge = () => ({})) {
  const names = new Map<string, number>();
  const bytes: number[] = [];
  for (const line of text.trim().split("\n")) {
    const [, name, code] = /^\s*(?:(\w+):)?\s*([0-9a-f ]*)/.exec(line) as unknown as [string, string | undefined, string];
    if (name !== undefined) names.set(name, START + bytes.length);
    bytes.push(...code.split(" ").filter((byte) => byte !== "").map((byte) => Number.parseInt(byte, 16)));
  }
  const code = Uint8Array.from(bytes);
  const peek: Peek = (rip) => {
    const offset = rip - START;
    if (offset < 0 || offset >= code.length || decoder.decode(code, offset, code.length - offset, rip) !== DECODED) return undefined;
    return { decoded: decoder.decoded.copy(), frame: 1, secondFrame: -1 };
  };
  const at = (name: string): number => names.get(name) as number;
  const region = openEntries(discoverRegion(START, peek, STRAIGHT_LIMITS, know(at)) as Region, wanted.map(at));
  const nameOf = (rip: number): string => [...names].find(([, address]) => address === rip)?.[0] ?? rip.toString(16);
  return { region, entries: region.entries.map(({ rip }) => nameOf(rip)).sort(), nameOf };
}
/** Compiled, and valid. */
function isValid(region: Region): boolean {
  const compiled = compileRegion(region);
  return "bytes" in compiled && WebAssembly.validate(compiled.bytes);
}

describe("a region is entered", () => {
  test("at its start alone when nothing leaves it and comes back", () => {
    const { region, entries } = regionOf("start: 48 01 d8\n 75 fb\n c3");
    expect(entries).toEqual(["start"]);
    expect(region.entry.start).toBe(START);
  });

  test("behind a call of what is not in it, and behind a system call", () => {
    const { region, entries } = regionOf("start: e8 00 10 00 00\n behind: 48 01 d8\n 0f 05\n after: 48 01 d8\n c3");
    expect(entries).toEqual(["after", "behind", "start"]);
    expect(isValid(region)).toBe(true);
  });

  test("at the heads of its loops, by way of the heads around them", () => {
    const { region, entries, nameOf } = regionOf("start: 31 c0\n outer: 31 c9\n inner: 48 ff c1\n 48 39 d1\n 75 f8\n 48 ff c0\n 48 39 d0\n 75 ee\n c3");
    expect(entries).toEqual(["inner", "outer", "start"]);
    const inner = region.entries.find(({ rip }) => nameOf(rip) === "inner");
    expect(inner?.heads.map((head) => nameOf(head.start))).toEqual(["outer"]);
    expect(isValid(region)).toBe(true);
  });

  test("in the middle of a loop that has two ways in", () => {
    const { region, entries } = regionOf("start: 48 85 ff\n 74 03\n first: 48 ff c0\n second: 48 ff c9\n 75 f8\n c3");
    // One of the two is taken for the head, and the way to the other one goes through an entry.
    expect(entries.filter((name) => name !== "start").length).toBeGreaterThan(0);
    expect(isValid(region)).toBe(true);
  });

  test("where its indirect jumps have gone", () => {
    const { region, entries } = regionOf("start: ff e0\n one: 48 ff c1\n eb f9\n two: 48 ff c9\n eb f4\n never: 90\n c3", [], (at) => ({ jumpTargets: [at("one"), at("two")] }));
    expect(entries).toEqual(["one", "start", "two"]);
    expect(region.entries.filter(({ isJumped }) => isJumped).length).toBe(2);
    expect(isValid(region)).toBe(true);
  });

  test("where that is wanted", () => {
    expect(regionOf("start: 48 01 d8\n here: 48 01 d8\n 75 f8\n c3", ["here"], (at) => ({ entries: [at("here")] })).entries).toEqual(["here", "start"]);
  });
});

/** Code of random blocks that jump anywhere, call what is elsewhere, and now and then jump where a register says. */
function randomCode(random: Random): string {
  const blocks = 4 + random.below(20);
  const at = (address: number): string => [0, 8, 16, 24].map((shift) => ((address >> shift) & 255).toString(16)).join(" ");
  return Array.from({ length: blocks }, (_, i) => {
    // A block is 16 bytes: 48 ff c0, what ends it at 3, and jumps over the rest.
    const to = 16 * random.below(blocks), kind = random.below(10);
    const end = kind < 4 ? `0f 84 ${at(to - 16 * i - 9)} eb 05` : kind < 5 ? `e9 ${at(to - 16 * i - 8)} eb 06` : kind < 9 ? `e8 ${at(0x10_0000)} eb 06` : "ff e0 eb 09";
    return `b${i}: 48 ff c0 ${end}` + " 90".repeat(kind < 4 ? 5 : kind < 9 ? 6 : 9);
  }).join("\n") + "\n c3";
}

test("whatever jumps and calls there are, the way from the chooser to every entry has a place in the structure", () => {
  const random = new Random(SEED);
  for (let n = 0; n < 300; n++) {
    const text = randomCode(random);
    const wanted = n % 2 === 0 ? [] : [`b${random.below(4)}`, `b${random.below(4)}`];
    const { region } = regionOf(text, wanted, (at) => ({ jumpTargets: [at("b1"), at("b2")], entries: wanted.map(at) }));
    if (region.entries.length === 1) continue;
    const { order, follows } = layOut(region.entry);
    for (const { way, heads } of region.entries) {
      const steps = [region.entry, ...[...heads].reverse(), way, way.next as Block];
      for (const [i, from] of steps.slice(0, -1).entries()) {
        expect(order.includes(from) && successors(from).includes(steps[i + 1]) && follows(from, steps[i + 1]), `MENIOS_SEED=${SEED}, case ${n}:\n${text}`).toBe(true);
      }
    }
    expect(isValid(region)).toBe(true);
  }
});

describe("behind a call", () => {
  test("the region goes on by the same way in that others take", () => {
    const { region, nameOf } = regionOf("start: e8 00 10 00 00\n behind: 48 01 d8\n c3");
    const entry = region.entries.find(({ isBehindCall }) => isBehindCall);
    expect(nameOf(entry?.rip as number)).toBe("behind");
    expect(region.blocks.find(({ ending }) => ending === "call")?.next).toBe(entry?.way);
  });

  test("a loop around the call stays a loop, with the way in inside of it", () => {
    // The call comes back to the loop's head itself.
    const { region, nameOf } = regionOf("start: 31 c9\n eb 05\n again: e8 00 10 00 00\n head: 48 ff c9\n 75 f6\n c3");
    const entry = region.entries.find(({ rip }) => nameOf(rip) === "head");
    expect(entry?.isBehindCall).toBe(true);
    expect(entry?.heads.map((head) => nameOf(head.start))).toEqual(["head"]);
    expect(isValid(region)).toBe(true);
  });

  test("that closes a circle with two entrances, every way in leads on all the same", () => {
    // Into the circle at both blocks, and from the call.
    const { region } = regionOf("start: 48 85 ff\n 74 05\n first: e8 00 10 00 00\n second: 48 ff c9\n 75 f6\n c3");
    const { follows } = layOut(region.entry);
    for (const { way } of region.entries) expect(follows(way, way.next as Block)).toBe(true);
    expect(isValid(region)).toBe(true);
  });

  test("of the function itself, registers stay in locals", () => {
    const { region } = regionOf("start: 48 85 ff\n 74 08\n 48 ff cf\n e8 f3 ff ff ff\n behind: c3");
    expect(region.entries.some(({ isBehindCall }) => isBehindCall)).toBe(false);
  });
});

test("what has never been jumped to is left out", () => {
  const text = "start: 48 85 c0\n 74 04\n likely: 48 ff c0\n c3\n error: 48 ff c9\n c3";
  const addresses = (region: Region): number => region.blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
  expect(addresses(regionOf(text).region)).toBe(6);
  expect(addresses(regionOf(text, [], (at) => ({ isMet: (rip) => rip !== at("error") })).region)).toBe(4);
});

test("a function that calls itself stays in the region", () => {
  // count(n): n == 0 ? return : count(n − 1), return
  const { region, entries } = regionOf("start: 48 85 ff\n 74 08\n 48 ff cf\n e8 f3 ff ff ff\n behind: c3");
  expect(entries).toEqual(["behind", "start"]);
  const compiled = compileRegion(region);
  expect("bytes" in compiled && compiled.need).toBeGreaterThan(0);
  expect(isValid(region)).toBe(true);
});
