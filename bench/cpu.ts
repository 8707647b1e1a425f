/** `npm run bench:cpu`: the CPU set natively, under qemu-x86_64 and under meniOS, static musl and glibc builds, in alternating turns.
 *
 *    --only NAME        programs whose name contains NAME (repeatable)
 *    --libc LIBC        musl or glibc only
 *    --engine ENGINE    jit (default), auto or interp (repeatable)
 *    --runs N           turns (default 3)
 *    --clock cpu|wall   what the programs' table shows: processor time of the whole process with all its threads (default; other load does
 *                       not count), or time from its start to its exit; the classes and the bars are given by both
 *    --forked           instead: meniOS against itself, in a forked child and in the parent after a fork
 *    --full             instead: meniOS against itself with 90% of memory in use
 *    --menios FILE      the command to measure, bin/menios.js by default
 *    --write            also into docs/bench-cpu.md
 *
 *  Every engine's output of a program must be equal, or the run fails. */
import { writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildLinux } from "../scripts/build-user.mjs";
import { type CpuFigures, type ModeFigures, modeTables, programTable, summaryTables } from "./cpu-report.ts";
import { type CpuProgram, cpuPrograms } from "./cpu-set.ts";
import { hasQemu, MENIOS } from "./measure.ts";
import { machineClock, meniosCommand, type Spent, spend, workOf } from "./spend.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true }, libc: { type: "string" }, engine: { type: "string", multiple: true, default: ["jit"] }, runs: { type: "string", default: "3" },
    clock: { type: "string", default: "cpu" }, forked: { type: "boolean" }, full: { type: "boolean" }, menios: { type: "string", default: MENIOS }, write: { type: "boolean" },
  },
});
const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const { engine: engines, menios } = options;
const runs = Number(options.runs);
type Libc = "musl" | "glibc";
type Clock = "cpu" | "wall";
const CLOCKS: Readonly<Record<Clock, string>> = { cpu: "processor time", wall: "wall time" };
const libcs = (["musl", "glibc"] as const).filter((libc) => options.libc === undefined || options.libc === libc);
const programs = cpuPrograms(at("user/bench")).filter(({ name }) => options.only?.some((part) => name.includes(part)) !== false);
const modes = [...(options.forked === true ? ["child", "parent"] : []), ...(options.full === true ? ["full"] : [])];
const qemu = hasQemu();

const sections: string[] = [];
for (const libc of libcs) {
  if (modes.length === 0) {
    const clocks = await compare(libc);
    const [main, other]: Clock[] = options.clock === "wall" ? ["wall", "cpu"] : ["cpu", "wall"];
    sections.push(programTable(libc, clocks[main], engines), ...[main, other].map((clock) => summaryTables(`${libc}, ${CLOCKS[clock]}`, clocks[clock], engines)));
  }
  else for (const engine of engines) sections.push(modeTables(libc, engine, await compareModes(libc, engine), modes));
}
const text = `${heading()}\n\n${sections.join("\n")}`;
process.stdout.write(text);
if (options.write === true) writeFileSync(at("docs/bench-cpu.md"), `# The CPU set\n\n${text}`);

/** The set of one libc beside native and qemu. */
async function compare(libc: Libc): Promise<Record<Clock, CpuFigures[]>> {
  const found: Record<Clock, CpuFigures[]> = { cpu: [], wall: [] };
  for (const program of programs) {
    const path = await built(libc, program);
    const args = [String(program.scale)];
    const commands = new Map<string, readonly string[]>([["native", [path, ...args]]]);
    if (qemu) commands.set("qemu", ["qemu-x86_64", path, ...args]);
    for (const engine of engines) commands.set(engine, meniosCommand(menios, engine, path, args));
    const spent = inTurns(program.name, commands);
    const times = (name: string, clock: Clock): number[] => (spent.get(name) ?? []).map((one) => one[clock]);
    for (const clock of ["cpu", "wall"] as const) {
      found[clock].push({
        name: program.name, class: program.class, native: times("native", clock), qemu: times("qemu", clock),
        menios: new Map(engines.map((engine) => [engine, { times: times(engine, clock), own: (spent.get(engine) as Spent[]).map(machineClock) }])),
      });
    }
    const clock = options.clock === "wall" ? "wall" : "cpu";
    say(`${libc} ${program.name}: ${[...commands.keys()].map((name) => `${name} ${times(name, clock).map((time) => time.toFixed(0)).join("/")}`).join("  ")} ms`);
  }
  return found;
}

/** The set of one libc on one engine, fresh and under other circumstances: the best of all turns by the program's own clock. */
async function compareModes(libc: Libc, engine: string): Promise<ModeFigures[]> {
  const found: ModeFigures[] = [];
  const memory = modes.includes("full") ? "3G" : "1G";
  for (const program of programs) {
    const path = await built(libc, program);
    const commands = new Map(["fresh", ...modes].map((mode) => [mode, meniosCommand(menios, engine, path, [String(program.scale)], mode, memory)]));
    const spent = inTurns(program.name, commands);
    const best = (mode: string): number => Math.min(...(spent.get(mode) as Spent[]).map(workOf));
    found.push({ name: program.name, fresh: best("fresh"), modes: Object.fromEntries(modes.map((mode) => [mode, best(mode)])) });
    say(`${libc} ${program.name}: ${["fresh", ...modes].map((mode) => `${mode} ${best(mode).toFixed(0)}`).join("  ")} ms`);
  }
  return found;
}

/** Runs the commands `runs` times, beginning with another one each time. */
function inTurns(program: string, commands: ReadonlyMap<string, readonly string[]>): Map<string, Spent[]> {
  const spent = new Map<string, Spent[]>([...commands.keys()].map((name) => [name, []]));
  const order = [...commands];
  const outputs = new Set<string>();
  for (let turn = 0; turn < runs; turn++) {
    for (let i = 0; i < order.length; i++) {
      const [name, command] = order[(i + turn) % order.length];
      const one = spend(command);
      outputs.add(one.stdout);
      spent.get(name)?.push(one);
    }
  }
  if (outputs.size !== 1) throw new Error(`${program}: outputs differ: ${[...outputs].join(" | ")}`);
  return spent;
}

async function built(libc: Libc, program: CpuProgram): Promise<string> {
  return (await buildLinux(libc, at(`user/bench/${program.name}.c`))) as string;
}
function heading(): string {
  const where = `${cpus()[0]?.model}, ${cpus().length} processors, Linux ${release()}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
  const arguments_ = process.argv.slice(2).filter((argument) => argument !== "--write").join(" ");
  const what = modes.length > 0
    ? "Milliseconds by the program's own monotonic clock, what came before main (fork, filling memory) left out; best of the turns."
    : `Milliseconds of ${options.clock === "wall" ? "wall time from the process's start to its exit" : "processor time of the whole process, all its threads"}; ` +
      "for meniOS this is the whole `node bin/menios.js run`: Node's start, loading, the guest and translating it (V8's compilers run in threads of their own). " +
      "Nothing is subtracted; what the machine's clock (`--stats`) says of the guest alone is the column \"own clock\". " +
      "Medians of the turns; ratios are medians of the ratios within a turn.";
  return `\`npm run bench:cpu${arguments_ === "" ? "" : ` -- ${arguments_}`}\` on ${where}, ${runs} turns. ${what}`;
}
