/** Figures of a run, as data and as text. Guest figures are the same on every engine and, on a deterministic machine, on every run.
 *  Engine figures say how the work was done, and are kept apart: they differ between engines, machines and runs. */

export interface GuestStats {
  readonly instructions: number;
  readonly syscalls: number;
  readonly processes: number;
  readonly switches: number;
  readonly signals: number;
  /** Page faults by kind (vm/fault-kind.ts), kinds that did not occur left out. */
  readonly faults: Readonly<Record<string, number>>;
  readonly copyOnWriteCopies: number;
  /** In use now, at most, and when the last process had ended; of how many. */
  readonly frames: { readonly now: number; readonly peak: number; readonly total: number; readonly boot: number };
  /** Bytes of page tables, the same three moments. */
  readonly pageTableBytes: { readonly now: number; readonly peak: number };
  /** Nanoseconds of the machine's clock. */
  readonly time: number;
}

export interface EngineStats {
  /** Instructions decoded for the cold engine; bytes its records take now; times everything decoded was dropped for want of room. */
  readonly decoded: number;
  readonly recordBytes: number;
  readonly flushes: number;
  /** Data accesses that the TLB did not know, walks of page tables (looking ahead included), and walks that asked the fault handler. */
  readonly tlbMisses: number;
  readonly walks: number;
  readonly faults: number;
  readonly jit: JitFigures | undefined;
}
export interface JitFigures {
  readonly regions: { readonly translated: number; readonly live: number; readonly dropped: number };
  /** Guest instructions translated, copies counted, and bytes of the Wasm modules made of them. */
  readonly instructions: number;
  readonly codeBytes: number;
  /** Share of instructions retired in regions, estimated from where samples ended; undefined without a sample. */
  readonly share: number | undefined;
  /** Accesses that neither their range nor the TLB covered; ranges filled; emptyings of ranges. */
  readonly rangeMisses: number;
  readonly rangeRefills: number;
  readonly rangeDrops: number;
}

/** Lines for people. */
export function statsText(stats: GuestStats): string {
  const faults = Object.values(stats.faults).reduce((sum, count) => sum + count, 0);
  const lines = [
    row("instructions", count(stats.instructions)),
    row("system calls", count(stats.syscalls)),
    row("processes", count(stats.processes)),
    row("context switches", count(stats.switches)),
    row("signals taken", count(stats.signals)),
    row("page faults", count(faults)),
    ...Object.entries(stats.faults).map(([kind, number]) => row(`  ${kind}`, count(number))),
    row("copy-on-write copies", count(stats.copyOnWriteCopies)),
    row("frames in use", `${count(stats.frames.now)} now, ${count(stats.frames.peak)} peak, ${count(stats.frames.boot)} at boot, of ${count(stats.frames.total)}`),
    row("page table bytes", `${count(stats.pageTableBytes.now)} now, ${count(stats.pageTableBytes.peak)} peak`),
    row("time", `${(stats.time / 1e9).toFixed(6)} s`),
  ];
  return `${lines.join("\n")}\n`;
}

/** Lines for people about the engine. */
export function engineText({ decoded, recordBytes, flushes, tlbMisses, walks, faults, jit }: EngineStats): string {
  const lines = [
    row("decoded instructions", `${count(decoded)}, ${count(recordBytes)} bytes of records now, flushed ${count(flushes)} times`),
    row("TLB misses", `${count(tlbMisses)} by data`),
    row("page table walks", `${count(walks)}, ${count(faults)} to the fault handler`),
  ];
  if (jit !== undefined) {
    const { regions, share } = jit;
    lines.push(
      row("regions", `${count(regions.translated)} translated, ${count(regions.live)} live, ${count(regions.dropped)} dropped`),
      row("translated code", `${count(jit.instructions)} guest instructions, ${count(jit.codeBytes)} bytes of Wasm`),
      row("retired in regions", share === undefined ? "not sampled" : `about ${(share * 100).toFixed(1)}%`),
      row("range misses", `${count(jit.rangeMisses)} not covered by the TLB either`),
      row("ranges", `${count(jit.rangeRefills)} filled, emptied ${count(jit.rangeDrops)} times`),
    );
  }
  return `${lines.join("\n")}\n`;
}

const row = (name: string, value: string): string => `${name.padEnd(24)} ${value}`;
const count = (value: number): string => value.toLocaleString("en-US");
