/** Golden listings: what the region compiler makes of a few dozen blocks, so that a change in code quality is seen in review.
 *
 *  golden/NAME.txt holds a title, the bytes with their assembly, a line of dashes, and the listing: its blocks, or all of it where the title
 *  ends with (whole). UPDATE_GOLDEN=1 writes the listings anew. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { DECODED, Decoder } from "../../src/cpu/decode/decoder.ts";
import { OpcodeTables } from "../../src/cpu/decode/tables.ts";
import "../../src/cpu/instructions/index.ts";
import { compileRegion } from "../../src/cpu/jit/compile.ts";
import { openEntries } from "../../src/cpu/jit/entries.ts";
import { regionListing } from "../../src/cpu/jit/listing.ts";
import { discoverRegion, type Peek, type Region, STRAIGHT_LIMITS } from "../../src/cpu/jit/region.ts";
import type { Encoding } from "../../src/cpu/instructions/define.ts";

const folder = fileURLToPath(new URL("golden", import.meta.url));
const RULE = "--------\n";
const ENTRY = 0x40_1000;
const decoder = new Decoder(new OpcodeTables());

/** The region that begins with the first byte of `code`, without the instructions that the cold engine keeps. */
function regionOf(code: Uint8Array): Region {
  const coldOnly = new Set<Encoding>();
  const peek: Peek = (rip) => {
    const offset = rip - ENTRY;
    if (offset < 0 || offset >= code.length || decoder.decode(code, offset, code.length - offset, rip) !== DECODED) return undefined;
    return coldOnly.has(decoder.decoded.encoding) ? undefined : { decoded: decoder.decoded.copy(), frame: 1, secondFrame: -1 };
  };
  for (;;) {
    const explored = discoverRegion(ENTRY, peek, STRAIGHT_LIMITS);
    if (explored === undefined) throw new Error("nothing to compile");
    const region = openEntries(explored, []);
    const compiled = compileRegion(region);
    if (!("coldOnly" in compiled)) return region;
    coldOnly.add(compiled.coldOnly);
  }
}

function bytesOf(source: string): Uint8Array {
  const bytes = source.split("\n").flatMap((line) => line.replace(/#.*/, "").trim().split(/\s+/).filter((byte) => byte !== ""));
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16));
}

const files = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort();

test("there are a few dozen blocks", () => {
  expect(files.length).toBeGreaterThanOrEqual(36);
});

test.each(files)("%s", (file) => {
  const path = `${folder}/${file}`;
  const [source, golden] = readFileSync(path, "utf8").split(RULE);
  const listing = regionListing(regionOf(bytesOf(source)), /^# .*\(whole\)$/m.test(source) ? "whole" : "blocks");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, `${source}${RULE}${listing}`);
  else expect(listing).toBe(golden);
});

describe("a listing", () => {
  const code = bytesOf("48 01 d8  # add %rbx,%rax\n75 fb  # jne back\nc3");
  test("is of the code that runs: marks change no byte", () => {
    const region = regionOf(code);
    const plain = compileRegion(region);
    const marked = compileRegion(region, { marks: [] });
    expect(marked).toEqual(plain);
  });
  test("has a line for every instruction, with addresses in order of the layout", () => {
    const found = [...regionListing(regionOf(code)).matchAll(/^ {2}0x(\w+) {2}(.*)$/gm)].map((match) => `${match[1]} ${match[2]}`);
    expect(found).toEqual(["401000 add rax, rbx", "401003 jne 0x401000", "401005 ret"]);
  });
});
