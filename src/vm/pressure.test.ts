/** Random operations with too little RAM, with files that shrink and pages that must be awaited: whatever fails, no invariant
 *  breaks and nothing leaks. `VM_PRESSURE_SEEDS=n` runs n seeds. */
import { expect, test } from "vitest";
import { MADV_DONTNEED, MADV_FREE, MADV_WILLNEED, MAP_ANONYMOUS, MAP_FIXED, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from "../abi/linux/mman.ts";
import { AddressSpace } from "./address-space.ts";
import type { SharedObject } from "./backing/shared.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { checkAll, makeContext, makeSpace, PAGE, peekByte, poke, RW, TestFile } from "./testing.ts";
import { copyIn, copyOut } from "./user-memory.ts";

const WINDOW = 0x5000_0000;
const PAGES = 1500;
const STEPS = 250;

function random(seed: number): (below: number) => number {
  let state = seed * 0x9e37_79b9;
  return (below) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function run(seed: number): void {
  const next = random(seed);
  const context = makeContext(8);
  const boot = context.frames.used;
  const file = new TestFile(context, 40 * PAGE);
  // Only some hundred frames are left.
  const hoard = Array.from({ length: context.frames.free - 120 - next(200) }, () => context.frames.alloc());
  const visitHoard = (visit: (frame: number) => void): void => hoard.forEach(visit);
  for (let i = 0; i < 40; i += 7) file.pending.add(i);
  const spaces = [makeSpace(context)];
  // What a kernel does when frames run out: now and then there is another process to kill.
  let faulting: AddressSpace | undefined;
  context.outOfFrames = () => {
    const victim = spaces.find((space) => space !== faulting);
    if (victim === undefined || next(2) === 0) return false;
    spaces.splice(spaces.indexOf(victim), 1);
    victim.destroy();
    return true;
  };
  const bytes = new Uint8Array(64 * PAGE);
  for (let step = 0; step < STEPS; step++) {
    const space = spaces[next(spaces.length)] as AddressSpace;
    faulting = space;
    const page = next(PAGES);
    const count = 1 + next(next(3) === 0 ? 700 : 30);
    const at = WINDOW + page * PAGE;
    const length = count * PAGE;
    switch (next(13)) {
      case 0: case 1:
        space.map({ hint: at, length, prot: next(5) === 0 ? 7 : RW, flags: MAP_FIXED | MAP_ANONYMOUS | (next(3) === 0 ? MAP_SHARED : MAP_PRIVATE) | (next(4) === 0 ? MAP_POPULATE : 0) });
        break;
      case 2: {
        const offset = next(30);
        space.map({ hint: at, length, prot: RW, flags: MAP_FIXED | (next(2) === 0 ? MAP_SHARED : MAP_PRIVATE), backing: file, backingOffset: offset * PAGE });
        break;
      }
      case 3: space.unmap(at, length); break;
      case 4: space.protect(at, length, next(2) === 0 ? RW : next(8)); break;
      case 5: space.remap(at, length, length, MREMAP_MAYMOVE | (next(2) === 0 ? MREMAP_FIXED : MREMAP_DONTUNMAP), WINDOW + next(PAGES) * PAGE); break;
      case 6: space.remap(at, length, length + next(64) * PAGE, MREMAP_MAYMOVE, 0); break;
      case 7: space.advise(at, length, [MADV_DONTNEED, MADV_FREE, MADV_WILLNEED][next(3)] as number); break;
      case 8: {
        if (spaces.length >= 5) break;
        const child = space.clone();
        if (typeof child !== "number") spaces.push(child);
        break;
      }
      case 9:
        file.truncate(next(50) * PAGE + next(PAGE));
        for (let i = 0; i < 50; i++) if (next(6) === 0) file.arrive(i);
        break;
      case 10: copyOut(space, at, bytes); break;
      case 11: copyIn(space, at, bytes); break;
      default:
        for (let i = 0; i < count; i++) next(2) === 0 ? poke(space, at + i * PAGE, 1) : peekByte(space, at + i * PAGE);
    }
    const objects = new Set<SharedObject>();
    for (const each of spaces) for (const region of each.regions) if (region.backing !== undefined && region.backing !== file) objects.add(region.backing as SharedObject);
    checkAll(context, file.visit, visitHoard, ...[...objects].map((object) => (visit: (frame: number) => void) => object.forEachFrame(visit)));
    if (spaces.length === 0) {
      const fresh = AddressSpace.create(context, DEFAULT_LIMITS);
      if (typeof fresh !== "number") spaces.push(fresh);
    }
  }
  faulting = undefined;
  for (const space of spaces) space.destroy();
  file.truncate(0);
  for (const frame of hoard) context.frames.release(frame);
  expect(context.frames.used).toBe(boot);
  expect(context.commit.committed).toBe(0);
  checkAll(context);
  // The run did meet the end of RAM.
  expect(context.frames.peak).toBe(context.frames.total);
}

for (let seed = 1; seed <= Number(process.env["VM_PRESSURE_SEEDS"] ?? 4); seed++) test(`too little RAM breaks nothing, seed ${seed}`, () => run(seed));
