/** Random sequences of memory operations against a model that knows pages, rights and one byte each, with every invariant of
 *  every space and every frame proved after each step. The seed is printed by a failure: `VM_MODEL_SEED=n` runs it alone,
 *  `VM_MODEL_SEEDS=n` runs the first n. */
import { expect, test } from "vitest";
import { MADV_DONTNEED, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MREMAP_FIXED, MREMAP_MAYMOVE, PROT_NONE, PROT_READ, PROT_WRITE } from "../abi/linux/mman.ts";
import type { AddressSpace } from "./address-space.ts";
import { cloneOf, makeContext, makeSpace, PAGE, peekByte, poke, checkAll } from "./testing.ts";
import { copyOut } from "./user-memory.ts";

const WINDOW = 0x2000_0000;
const PAGES = 600;
const HEAP = 0x3000_0000;
const STEPS = 400;

interface ModelPage { prot: number; /** Shared pages point at one cell, private ones have their own. */ cell: { value: number }; shared: boolean; }
type Model = Map<number, ModelPage>;
interface Pair { space: AddressSpace; model: Model; brk: number }

function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function run(seed: number): void {
  const next = random(seed);
  const context = makeContext(16);
  const boot = context.frames.used;
  const first = makeSpace(context);
  first.setBreakStart(HEAP);
  const pairs: Pair[] = [{ space: first, model: new Map(), brk: HEAP }];
  const prots = [PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE];
  const pick = (): Pair => pairs[next(pairs.length)] as Pair;
  const range = (): { page: number; count: number } => {
    const page = next(PAGES);
    return { page, count: 1 + next(Math.min(PAGES - page, next(8) === 0 ? PAGES : 12)) };
  };
  const at = (page: number): number => WINDOW + page * PAGE;

  for (let step = 0; step < STEPS; step++) {
    const pair = pick();
    const { space, model } = pair;
    const { page, count } = range();
    const address = at(page);
    const length = count * PAGE;
    switch (next(14)) {
      case 0: case 1: {
        const shared = next(4) === 0;
        const prot = prots[next(prots.length)] as number;
        expect(space.map({ hint: address, length, prot, flags: (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_FIXED })).toBe(address);
        for (let i = 0; i < count; i++) model.set(address + i * PAGE, { prot, cell: { value: 0 }, shared });
        break;
      }
      case 2:
        expect(space.unmap(address, length)).toBe(0);
        for (let i = 0; i < count; i++) model.delete(address + i * PAGE);
        break;
      case 3: case 4: {
        const prot = prots[next(prots.length)] as number;
        let hole = false;
        for (let i = 0; i < count && !hole; i++) {
          const entry = model.get(address + i * PAGE);
          if (entry === undefined) hole = true;
          else entry.prot = prot;
        }
        expect(space.protect(address, length, prot)).toBe(hole ? -12 : 0);
        break;
      }
      case 5: {
        const target = range().page;
        if (target + count > PAGES || (target < page + count && page < target + count)) break;
        const pages = Array.from({ length: count }, (_, i) => model.get(address + i * PAGE));
        const result = space.remap(address, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, at(target));
        if (pages[0] === undefined) {
          expect(result).toBe(-14);
          break;
        }
        // Holes of the source leave what is mapped at the target alone: Linux moves region by region.
        expect(result).toBe(at(target));
        pages.forEach((entry, i) => {
          if (entry === undefined) return;
          model.delete(address + i * PAGE);
          model.set(at(target) + i * PAGE, entry);
        });
        break;
      }
      case 6: {
        const wish = HEAP + next(40 * PAGE);
        expect(space.brk(wish)).toBe(wish);
        const old = Math.ceil(pair.brk / PAGE) * PAGE;
        const now = Math.ceil(wish / PAGE) * PAGE;
        for (let p = old; p < now; p += PAGE) model.set(p, { prot: PROT_READ | PROT_WRITE, cell: { value: 0 }, shared: false });
        for (let p = now; p < old; p += PAGE) model.delete(p);
        pair.brk = wish;
        break;
      }
      case 7:
        if (pairs.length < 4) {
          const child = cloneOf(space);
          const copy: Model = new Map();
          for (const [key, entry] of model) copy.set(key, { ...entry, cell: entry.shared ? entry.cell : { ...entry.cell } });
          pairs.push({ space: child, model: copy, brk: pair.brk });
        } else if (pairs.length > 1) {
          space.destroy();
          pairs.splice(pairs.indexOf(pair), 1);
        }
        break;
      case 8:
        space.advise(address, length, MADV_DONTNEED);
        for (let i = 0; i < count; i++) {
          const entry = model.get(address + i * PAGE);
          if (entry !== undefined && !entry.shared) entry.cell.value = 0;
        }
        break;
      default: {
        const heap = next(5) === 0;
        for (let i = 0; i < count; i++) {
          const target = heap ? HEAP + next(40) * PAGE : address + i * PAGE;
          const entry = model.get(target);
          const value = 1 + next(255);
          if (next(3) === 0) {
            expect(peekByte(space, target)).toBe(entry === undefined || entry.prot === PROT_NONE ? undefined : entry.cell.value);
            continue;
          }
          const allowed = entry !== undefined && (entry.prot & PROT_WRITE) !== 0;
          if (next(2) === 0) expect(poke(space, target, value)).toBe(allowed);
          else expect(copyOut(space, target, new Uint8Array([value])) === 1).toBe(allowed);
          if (allowed) (entry as ModelPage).cell.value = value;
        }
      }
    }
    checkAll(context, ...sharedHolders(context));
  }
  for (const { space, model } of pairs) {
    for (const [address, entry] of model) {
      if (entry.prot !== PROT_NONE) expect(peekByte(space, address)).toBe(entry.cell.value);
    }
    space.destroy();
  }
  expect(context.frames.used).toBe(boot);
  expect(context.commit.committed).toBe(0);
  checkAll(context);
}

/** Every shared object that some region maps, once. */
function sharedHolders(context: ReturnType<typeof makeContext>): ((visit: (frame: number) => void) => void)[] {
  const objects = new Set<{ forEachFrame(visit: (frame: number) => void): void }>();
  for (const space of context.spaces) for (const region of space.regions) if (region.backing !== undefined) objects.add(region.backing as never);
  return [...objects].map((object) => (visit) => object.forEachFrame(visit));
}

const wanted = process.env["VM_MODEL_SEED"];
const seeds = wanted !== undefined ? [Number(wanted)] : Array.from({ length: Number(process.env["VM_MODEL_SEEDS"] ?? 5) }, (_, i) => i + 1);
for (const seed of seeds) test(`random operations agree with the model, seed ${seed}`, () => run(seed));
