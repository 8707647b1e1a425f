/** Cost of the memory system's hot paths, without a CPU in front: `npx tsx bench/vm-micro.ts`.
 *  Figures are medians of rounds, in nanoseconds (or milliseconds) per operation. Native Linux on the same machine:
 *  fault 1.9 µs, COW 2.4 µs, mmap+touch+munmap 7.5 µs, fork+exit+wait 115 µs at 1 MiB and 15 ms at 512 MiB. */
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../src/abi/linux/mman.ts";
import { READ, WRITE } from "../src/memory/access.ts";
import { Ram } from "../src/memory/ram.ts";
import { AddressSpace } from "../src/vm/address-space.ts";
import { VmContext } from "../src/vm/context.ts";
import { copyIn, copyOut, readU64 } from "../src/vm/user-memory.ts";

const MIB = 0x10_0000;
const RW = PROT_READ | PROT_WRITE;

function create(context: VmContext): AddressSpace {
  const space = AddressSpace.create(context);
  if (typeof space === "number") throw new Error(`no space: ${space}`);
  space.activate();
  return space;
}
function anonymous(space: AddressSpace, length: number): number {
  const at = space.map({ hint: 0, length, prot: RW, flags: MAP_PRIVATE | MAP_ANONYMOUS });
  if (at < 0) throw new Error(`map: ${at}`);
  return at;
}
function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >>> 1] as number;
}
/** Runs `round`, which returns how many operations it made in how many milliseconds. */
function report(name: string, rounds: number, round: () => { ms: number; count: number }): void {
  const per: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const { ms, count } = round();
    per.push((ms * 1e6) / count);
  }
  const ns = median(per);
  const text = ns >= 1e5 ? `${(ns / 1e6).toFixed(3)} ms` : `${ns.toFixed(0)} ns`;
  console.log(`${name.padEnd(44)} ${text.padStart(12)}`);
}
function timed(count: number, run: () => void): { ms: number; count: number } {
  const start = performance.now();
  run();
  return { ms: performance.now() - start, count };
}

const context = new VmContext(new Ram(1280 * MIB));
const { mmu } = context;

report("first-touch fault (write)", 15, () => {
  const space = create(context);
  const at = anonymous(space, 64 * MIB);
  const result = timed(16384, () => {
    for (let page = at; page < at + 64 * MIB; page += 4096) mmu.translate(page, WRITE);
  });
  space.destroy();
  return result;
});
report("first-touch fault (read)", 15, () => {
  const space = create(context);
  const at = anonymous(space, 64 * MIB);
  const result = timed(16384, () => {
    for (let page = at; page < at + 64 * MIB; page += 4096) mmu.translate(page, READ);
  });
  space.destroy();
  return result;
});
report("TLB miss, page present (walk)", 15, () => {
  const space = create(context);
  const at = anonymous(space, 16 * MIB);
  for (let page = at; page < at + 16 * MIB; page += 4096) mmu.translate(page, WRITE);
  const result = timed(4096 * 10, () => {
    for (let i = 0; i < 10; i++) for (let page = at; page < at + 16 * MIB; page += 4096) mmu.translate(page, READ);
  });
  space.destroy();
  return result;
});
report("copy-on-write fault", 15, () => {
  const parent = create(context);
  const at = anonymous(parent, 64 * MIB);
  for (let page = at; page < at + 64 * MIB; page += 4096) mmu.translate(page, WRITE);
  const child = parent.clone();
  if (typeof child === "number") throw new Error("clone");
  child.activate();
  const result = timed(16384, () => {
    for (let page = at; page < at + 64 * MIB; page += 4096) mmu.translate(page, WRITE);
  });
  child.destroy();
  parent.destroy();
  return result;
});
report("map + unmap", 15, () => {
  const space = create(context);
  anonymous(space, 4096);
  const result = timed(5000, () => {
    for (let i = 0; i < 5000; i++) space.unmap(anonymous(space, 8192), 8192);
  });
  space.destroy();
  return result;
});
report("map + touch + unmap", 15, () => {
  const space = create(context);
  const result = timed(5000, () => {
    for (let i = 0; i < 5000; i++) {
      const at = anonymous(space, 4096);
      mmu.translate(at, WRITE);
      space.unmap(at, 4096);
    }
  });
  space.destroy();
  return result;
});
for (const [size, rounds] of [[1, 31], [64, 15], [512, 7]] as const) {
  const parent = create(context);
  const at = anonymous(parent, size * MIB);
  for (let page = at; page < at + size * MIB; page += 4096) mmu.translate(page, WRITE);
  const destroys: number[] = [];
  report(`clone at ${size} MiB resident`, rounds, () => {
    let child: AddressSpace | number = 0;
    const result = timed(1, () => {
      child = parent.clone();
    });
    const start = performance.now();
    (child as unknown as AddressSpace).destroy();
    destroys.push(performance.now() - start);
    return result;
  });
  console.log(`${`  destroy of that child`.padEnd(44)} ${`${median(destroys).toFixed(3)} ms`.padStart(12)}`);
  parent.destroy();
}
report("clone + 3 copies + destroy at 1 MiB", 15, () => {
  const parent = create(context);
  const at = anonymous(parent, MIB);
  for (let page = at; page < at + MIB; page += 4096) mmu.translate(page, WRITE);
  const result = timed(500, () => {
    for (let i = 0; i < 500; i++) {
      const child = parent.clone() as AddressSpace;
      child.activate();
      for (let page = 0; page < 3; page++) mmu.translate(at + page * 4096, WRITE);
      child.destroy();
      parent.activate();
      for (let page = 0; page < 3; page++) mmu.translate(at + page * 4096, WRITE);
    }
  });
  parent.destroy();
  return result;
});
{
  const space = create(context);
  const at = anonymous(space, MIB);
  const bytes = new Uint8Array(4096);
  for (const size of [8, 100, 4096]) {
    report(`copyOut ${size} bytes`, 15, () =>
      timed(20000, () => {
        for (let i = 0; i < 20000; i++) copyOut(space, at + (i & 15) * 4096, bytes, 0, size);
      }));
    report(`copyIn ${size} bytes`, 15, () =>
      timed(20000, () => {
        for (let i = 0; i < 20000; i++) copyIn(space, at + (i & 15) * 4096, bytes, 0, size);
      }));
  }
  report("readU64", 15, () =>
    timed(20000, () => {
      for (let i = 0; i < 20000; i++) readU64(space, at + (i & 511) * 8);
    }));
  space.destroy();
}
context.frames.check();
console.log(`frames used at the end: ${context.frames.used} (tables ${context.tables.tables})`);
