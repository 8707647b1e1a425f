/** `npm run bench`: the same static binaries natively, under qemu-x86_64 and on the cold engine, in turn, so that what slows the
 *  machine slows all of them; medians of the runs and of the paired ratios, as Markdown.
 *
 *    --runs N      rounds of each measurement (default 5 for operations, 3 for programs)
 *    --only NAME   measurements whose name contains NAME
 *    --cpu         the programs of user/bench only
 *    --quick       a few programs and short counts, under a minute
 *    --write       also into docs/bench.md
 *
 *  meniOS runs as users run it: bin/menios.js from dist, a process for each measurement. */
import { existsSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildLinux } from "../scripts/build-user.mjs";
import { type Engine, geometricMean, hasQemu, median, pairedRatio, timeCommand, timeProgram, MENIOS } from "./measure.ts";
import { OPERATIONS, QUICK_PROGRAMS, SCALES } from "./programs.ts";

const { values: options } = parseArgs({
  options: { runs: { type: "string" }, only: { type: "string" }, cpu: { type: "boolean" }, quick: { type: "boolean" }, write: { type: "boolean" } },
});
const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const quick = options.quick === true;
const rounds = (usual: number): number => Number(options.runs ?? (quick ? 1 : usual));
const wanted = (name: string): boolean => options.only === undefined || name.includes(options.only);
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const qemu = hasQemu();
const built = async (source: string): Promise<string> => (await buildLinux("musl", at(source))) as string;

if (!existsSync(at("dist/cli.cjs"))) {
  say("bench: dist is missing: run npm run build");
  process.exit(1);
}
const started = performance.now();
const sections: string[] = [];
await programs();
if (options.cpu !== true) {
  await operations();
  await startUp();
}
const text = sections.join("\n");
process.stdout.write(text);
if (options.write === true) writeFileSync(at("docs/bench.md"), `# Benchmarks\n\n${heading()}\n\n${text}`);
say(`bench: ${((performance.now() - started) / 1000).toFixed(0)} s`);

/** Instruction rate of the cold engine, and times of whole programs. */
async function programs(): Promise<void> {
  const names = Object.keys(SCALES).filter((name) => wanted(name) && (!quick || options.only !== undefined || QUICK_PROGRAMS.includes(name)));
  if (names.length === 0) return;
  const rows: string[][] = [];
  const rates: number[] = [];
  const overNative: number[] = [];
  const overQemu: number[] = [];
  for (const name of names) {
    const path = await built(`user/bench/${name}.c`);
    const args = [String(SCALES[name])];
    const native: number[] = [];
    const emulated: number[] = [];
    const ours: number[] = [];
    const rate: number[] = [];
    for (let round = 0; round < rounds(3); round++) {
      const outputs = new Set<string>();
      for (const engine of turns(round)) {
        const timing = timeProgram(engine, path, args);
        outputs.add(timing.stdout);
        if (engine === "native") native.push(timing.wall);
        else if (engine === "qemu") emulated.push(timing.wall);
        else {
          ours.push(timing.machineTime / 1e6);
          rate.push((timing.instructions / timing.machineTime) * 1e3);
        }
      }
      if (outputs.size !== 1) throw new Error(`${name}: engines disagree: ${[...outputs].join(" | ")}`);
    }
    rates.push(median(rate));
    overNative.push(pairedRatio(ours, native));
    if (qemu) overQemu.push(pairedRatio(ours, emulated));
    rows.push([
      name, median(rate).toFixed(0), median(ours).toFixed(0), median(native).toFixed(0), qemu ? median(emulated).toFixed(0) : "–",
      times(pairedRatio(ours, native)), qemu ? times(pairedRatio(ours, emulated)) : "–",
    ]);
    say(rows[rows.length - 1].join("  "));
  }
  rows.push(["**geometric mean**", `**${geometricMean(rates).toFixed(0)}**`, "", "", "", times(geometricMean(overNative)), qemu ? times(geometricMean(overQemu)) : "–"]);
  section("Programs on the cold engine", "Millions of guest instructions a second; times in milliseconds. meniOS by the machine's own clock, without Node's start; the others from process start to exit.",
    ["program", "M instr/s", "meniOS ms", "native ms", "qemu ms", "meniOS : native", "meniOS : qemu"], rows);
}

/** What the guest's own clock says of single operations. */
async function operations(): Promise<void> {
  const list = OPERATIONS.filter((operation) => wanted(operation.name));
  if (list.length === 0) return;
  const path = await built("user/bench/system_calls.c");
  const rows: string[][] = [];
  const notes: string[] = [];
  for (const { title, name, count, quick: quickCount, mib, withoutQemu } of list) {
    const args = [name, String(quick ? quickCount : count), ...(mib === undefined ? [] : [String(mib)])];
    const figures: Record<Engine, number[]> = { native: [], qemu: [], menios: [] };
    for (let round = 0; round < rounds(5); round++) {
      for (const engine of turns(round)) {
        if (engine === "qemu" && withoutQemu !== undefined) continue;
        figures[engine].push(Number(/ (\d+) ns/.exec(timeProgram(engine, path, args).stdout)?.[1]));
      }
    }
    const { native, qemu: emulated, menios } = figures;
    if (withoutQemu !== undefined) notes.push(`${title}: ${withoutQemu}.`);
    const withQemu = emulated.length > 0;
    rows.push([
      title, duration(median(menios)), duration(median(native)), withQemu ? duration(median(emulated)) : "–", times(pairedRatio(menios, native)),
      withQemu ? times(pairedRatio(menios, emulated)) : "–",
    ]);
    say(rows[rows.length - 1].join("  "));
  }
  section("Operations of memory and processes", ["Time of one, measured by the program itself.", ...notes].join(" "),
    ["operation", "meniOS", "native", "qemu", "meniOS : native", "meniOS : qemu"], rows);
}

/** From process start to exit. */
async function startUp(): Promise<void> {
  if (!wanted("hello")) return;
  const path = await built("bench/hello.c");
  const commands: [string, string[]][] = [
    ["hello, native", [path]], ...(qemu ? [["hello, qemu", ["qemu-x86_64", path]] as [string, string[]]] : []),
    ["`node -e 0`", [process.execPath, "-e", "0"]], ["hello, meniOS", [process.execPath, MENIOS, "run", path]],
  ];
  const walls = commands.map((): number[] => []);
  const count = quick ? 3 : 4 * rounds(5);
  for (let round = 0; round < count; round++) for (const [index, [, command]] of commands.entries()) walls[index].push(timeCommand(command).wall);
  const node = walls[commands.length - 2];
  const ours = walls[commands.length - 1];
  const rows = commands.map(([name], index) => [name, median(walls[index]).toFixed(1)]);
  rows.push(["meniOS beyond Node's own start", median(ours.map((wall, index) => wall - node[index])).toFixed(1)]);
  section("Start of a static program", "Milliseconds from process start to exit.", ["command", "ms"], rows);
}

/** The engines in another order each round. */
function turns(round: number): Engine[] {
  const all: Engine[] = qemu ? ["native", "qemu", "menios"] : ["native", "menios"];
  return all.map((_, index) => all[(index + round) % all.length]);
}
function times(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}×`;
}
function duration(ns: number): string {
  return ns < 1000 ? `${ns.toFixed(0)} ns` : ns < 1e6 ? `${(ns / 1000).toFixed(2)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}
function section(title: string, about: string, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  const rule = line(columns.map((_, index) => (index === 0 ? "---" : "---:")));
  sections.push(`## ${title}\n\n${about}\n\n${line(columns)}${rule}${rows.map(line).join("")}`);
}
function heading(): string {
  const mode = quick ? " with --quick" : "";
  return `\`npm run bench\`${mode} on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model}, ${cpus().length} processors, Linux ${release()}, Node ${process.version}. ` +
    "Each measurement runs natively, under qemu-x86_64 and under meniOS in turn; figures are medians, ratios are medians of the ratios within a turn.";
}
