import { expect, test } from "vitest";
import { Region } from "./region.ts";
import { RegionMap } from "./region-map.ts";

const PAGE = 4096;
const regionAt = (start: number, pages: number): Region =>
  new Region({
    start, end: start + pages * PAGE, prot: 3, maxProt: 7, flags: 0, pageOffset: start / PAGE, backing: undefined, file: undefined, type: "mmap", name: "",
  });

/** A number below `count`; the same every run. */
function generator(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % count;
  };
}

test("random changes agree with a sorted array", () => {
  const draw = generator(7);
  const map = new RegionMap();
  let model: Region[] = [];
  const check = (address: number): void => {
    const at = model.findIndex((region) => region.end > address);
    const after = at < 0 ? undefined : model[at];
    expect(map.after(address)).toBe(after);
    expect(map.before(address)).toBe(at < 0 ? model.at(-1) : model[at - 1]);
    expect(map.find(address)).toBe(after !== undefined && after.start <= address ? after : undefined);
  };
  for (let step = 0; step < 20_000; step++) {
    // Grows past several leaves, shrinks to nothing, grows again.
    const growing = step % 8000 < 5000;
    const address = draw(4000) * 4 * PAGE;
    if (draw(10) < (growing ? 8 : 1)) {
      const region = regionAt(address, 1 + draw(4));
      if (map.overlaps(region.start, region.end)) continue;
      map.insert(region);
      model.push(region);
      model = model.sort((a, b) => a.start - b.start);
    } else if (model.length > 0) {
      const region = model.splice(draw(model.length), 1)[0];
      map.remove(region);
      expect([region.previous, region.next]).toEqual([undefined, undefined]);
    }
    if (step % 16 === 0) check(address + draw(4) * PAGE);
    if (step % 997 === 0) {
      expect([...map]).toEqual(model);
      expect(map.count).toBe(model.length);
      expect([map.first, map.last]).toEqual([model[0], model.at(-1)]);
      for (let i = 0; i < model.length; i++) if (model[i].previous !== model[i - 1] || model[i].next !== model[i + 1]) expect.fail(`links of ${i}`);
    }
  }
  map.clear();
  expect([...map]).toEqual([]);
  expect(map.find(0)).toBe(undefined);
});

test("the current region may be removed while going through the map", () => {
  const map = new RegionMap();
  for (let i = 0; i < 1000; i++) map.insert(regionAt(i * 2 * PAGE, 1));
  let seen = 0;
  for (const region of map) if (seen++ % 2 === 0) map.remove(region);
  expect([seen, map.count]).toEqual([1000, 500]);
});
