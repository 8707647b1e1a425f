/** Guest figures of a run: the same on every engine and, on a deterministic machine, on every run. Text and JSON. */

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

/** Lines for people. */
export function statsText(stats: GuestStats): string {
  const row = (name: string, value: string): string => `${name.padEnd(24)} ${value}`;
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

const count = (value: number): string => value.toLocaleString("en-US");
