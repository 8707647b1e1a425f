/** Figures of the CPU set as tables: per program, per class by geometric mean, and the classes with equal weight; each libc by itself.
 *  The bars are those that the JIT is to meet. */
import { CLASSES, type ProgramClass } from "./cpu-set.ts";
import { geometricMean, median, pairedRatio } from "./measure.ts";

/** Times of one program in milliseconds, by turn. */
export interface CpuFigures {
  readonly name: string;
  readonly class: ProgramClass;
  readonly native: readonly number[];
  /** Empty without qemu. */
  readonly qemu: readonly number[];
  /** Whole process, and the machine's own clock, by engine. */
  readonly menios: ReadonlyMap<string, { readonly times: readonly number[]; readonly own: readonly number[] }>;
}

export interface Summary {
  readonly byClass: ReadonlyMap<ProgramClass, { readonly native: number; readonly qemu: number }>;
  /** Geometric means of the classes' means; NaN where a class has no program, or without qemu. */
  readonly native: number;
  readonly qemu: number;
  readonly worst: { readonly name: string; readonly qemu: number };
}

export interface Bar {
  readonly what: string;
  readonly limit: number;
  readonly value: number;
  readonly met: boolean;
}

/** Ratios of one engine's times to the others'. */
export function summarize(programs: readonly CpuFigures[], engine: string): Summary {
  const byClass = new Map<ProgramClass, { native: number; qemu: number }>();
  let worst = { name: "", qemu: 0 };
  for (const wanted of CLASSES) {
    const members = programs.filter((program) => program.class === wanted);
    if (members.length === 0) continue;
    const against = (other: "native" | "qemu"): number => geometricMean(members.map((program) => ratio(program, engine, other)));
    byClass.set(wanted, { native: against("native"), qemu: against("qemu") });
  }
  for (const program of programs) {
    const qemu = ratio(program, engine, "qemu");
    if (qemu > worst.qemu) worst = { name: program.name, qemu };
  }
  const means = [...byClass.values()];
  return { byClass, native: geometricMean(means.map((mean) => mean.native)), qemu: geometricMean(means.map((mean) => mean.qemu)), worst };
}

/** What the summary is held against; classes that did not run are left out. */
export function bars(summary: Summary): Bar[] {
  const rows: [string, number, number | undefined][] = [
    ["all classes : qemu", 0.6, summary.qemu], ["all classes : native", 3, summary.native], ["integer : qemu", 1, summary.byClass.get("integer")?.qemu],
    ["memory : qemu", 1, summary.byClass.get("memory")?.qemu], ["floating point : qemu", 0.25, summary.byClass.get("float")?.qemu],
    [`slowest program : qemu (${summary.worst.name})`, 2, summary.worst.qemu],
  ];
  return rows.flatMap(([what, limit, value]) => (value === undefined || Number.isNaN(value) ? [] : [{ what, limit, value, met: value <= limit }]));
}

/** One libc's programs as Markdown. */
export function programTable(libc: string, programs: readonly CpuFigures[], engines: readonly string[]): string {
  const withQemu = programs.every((program) => program.qemu.length > 0);
  const head = ["program", "class", "native", ...(withQemu ? ["qemu"] : [])];
  for (const engine of engines) head.push(engine, `${engine}, own clock`, `${engine} : native`, ...(withQemu ? [`${engine} : qemu`] : []));
  const rows = programs.map((program) => {
    const row = [program.name, program.class, ms(median(program.native)), ...(withQemu ? [ms(median(program.qemu))] : [])];
    for (const engine of engines) {
      const { times: wall, own } = program.menios.get(engine) as { times: number[]; own: number[] };
      row.push(ms(median(wall)), ms(median(own)), times(ratio(program, engine, "native")), ...(withQemu ? [times(ratio(program, engine, "qemu"))] : []));
    }
    return row;
  });
  return `## ${libc}\n\n${table(head, rows, 2)}`;
}
/** The classes and what they are held against. @param what the figures are */
export function summaryTables(what: string, programs: readonly CpuFigures[], engines: readonly string[]): string {
  const withQemu = programs.every((program) => program.qemu.length > 0);
  let text = "";
  for (const engine of engines) {
    const summary = summarize(programs, engine);
    const classes = [...summary.byClass].map(([name, mean]) => [name, times(mean.native), ...(withQemu ? [times(mean.qemu)] : [])]);
    classes.push(["**classes, equal weight**", `**${times(summary.native)}**`, ...(withQemu ? [`**${times(summary.qemu)}**`] : [])]);
    text += `### ${what}, --engine ${engine}\n\n${table(["class (geometric mean)", "native", ...(withQemu ? ["qemu"] : [])], classes, 1)}`;
    text += `\n${table(["bar", "at most", "is", ""], bars(summary).map(({ what, limit, value, met }) => [what, times(limit), times(value), met ? "met" : "**missed**"]), 1)}\n`;
  }
  return text;
}

/** Work of one program by the process's own clock, in milliseconds, fresh and under other circumstances. */
export interface ModeFigures {
  readonly name: string;
  readonly fresh: number;
  readonly modes: Readonly<Record<string, number>>;
}
export const MODE_BAR = 1.3;

export function modeTables(libc: string, engine: string, programs: readonly ModeFigures[], modes: readonly string[]): string {
  const rows = programs.map(({ name, fresh, modes: found }) => [name, ms(fresh), ...modes.flatMap((mode) => [ms(found[mode]), times(found[mode] / fresh)])]);
  const mean = modes.flatMap((mode) => ["", times(geometricMean(programs.map((program) => program.modes[mode] / program.fresh)))]);
  rows.push(["**geometric mean**", "", ...mean]);
  let text = `## ${libc}, --engine ${engine}: ${modes.join(", ")}\n\n${table(["program", "fresh", ...modes.flatMap((mode) => [mode, `${mode} : fresh`])], rows, 1)}`;
  for (const mode of modes) {
    const over = programs.filter((program) => program.modes[mode] / program.fresh > MODE_BAR).map((program) => program.name);
    text += `\n${mode}: ${over.length === 0 ? `no program takes more than ${MODE_BAR} times its fresh time` : `**over ${MODE_BAR} times: ${over.join(", ")}**`}\n`;
  }
  return text;
}

function ratio(program: CpuFigures, engine: string, other: "native" | "qemu"): number {
  if (program[other].length === 0) return Number.NaN;
  return pairedRatio((program.menios.get(engine) as { times: readonly number[] }).times, program[other]);
}
function ms(value: number): string {
  return value.toFixed(0);
}
function times(value: number): string {
  return `${value >= 10 ? value.toFixed(1) : value.toFixed(2)}×`;
}
/** @param left columns that are text */
function table(head: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  return `${line(head)}${line(head.map((_, index) => (index < left ? "---" : "---:")))}${rows.map(line).join("")}`;
}
