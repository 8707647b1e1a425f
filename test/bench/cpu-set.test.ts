/** The CPU set and its arithmetic; that every circumstance of BENCH_MODE leaves a program's checksum as it is. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bars, type CpuFigures, modeTables, programTable, summarize, summaryTables } from "../../bench/cpu-report.ts";
import { CLASSES, cpuPrograms } from "../../bench/cpu-set.ts";
import { machineClock, spend, workOf } from "../../bench/spend.ts";
import { buildLinux } from "../../scripts/build-user.mjs";
import { ENVIRONMENT, runGuest } from "../guests/harness.ts";

const folder = fileURLToPath(new URL("../../user/bench", import.meta.url));
const program = (name: string): Promise<string | undefined> => buildLinux("musl", `${folder}/${name}.c`);
const figures = (name: string, of: CpuFigures["class"], native: number, qemu: number, ours: number): CpuFigures => ({
  name, class: of, native: [native, 2 * native], qemu: [qemu, 2 * qemu], menios: new Map([["jit", { times: [ours, 2 * ours], own: [ours, ours] }]]),
});

test("the set has at least 20 programs, five or more of each class", () => {
  const programs = cpuPrograms(folder);
  expect(programs.length).toBeGreaterThanOrEqual(20);
  for (const wanted of CLASSES) expect(programs.filter((one) => one.class === wanted).length).toBeGreaterThanOrEqual(5);
  for (const special of ["spectral_norm", "fp_flags", "long_double"]) expect(programs.map((one) => one.name)).toContain(special);
});

test("classes count the same, however many programs they have", () => {
  const set = [figures("a", "integer", 100, 400, 200), figures("b", "memory", 100, 100, 800), figures("c", "memory", 100, 400, 200)];
  const { byClass, native, qemu, worst } = summarize(set, "jit");
  expect(byClass.get("integer")).toEqual({ native: 2, qemu: 0.5 });
  expect(byClass.get("memory")?.native).toBeCloseTo(4);
  expect(native).toBeCloseTo(Math.sqrt(8));
  expect(qemu).toBeCloseTo(Math.sqrt(0.5 * 2));
  expect(worst).toEqual({ name: "b", qemu: 8 });
});

test("bars that are missed are marked, classes that did not run have none", () => {
  const set = [figures("a", "integer", 100, 400, 200), figures("b", "memory", 100, 100, 800)];
  const missed = bars(summarize(set, "jit")).filter((bar) => !bar.met).map((bar) => bar.what);
  expect(missed).toEqual(["all classes : qemu", "all classes : native", "memory : qemu", "slowest program : qemu (b)"]);
  const text = summaryTables("musl", set, ["jit"]);
  expect(text).toContain("| slowest program : qemu (b) | 2.00× | 8.00× | **missed** |");
  expect(text).not.toContain("floating point : qemu");
});

test("without qemu the native ratios remain", () => {
  const set = [{ ...figures("a", "integer", 100, 1, 200), qemu: [] }];
  const text = programTable("musl", set, ["jit"]) + summaryTables("musl", set, ["jit"]);
  expect(text).toContain("| a | integer | 150 | 300 | 200 | 2.00× |");
  expect(text).toContain("| all classes : native | 3.00× | 2.00× | met |");
});

test("a mode's table names what is over the bar", () => {
  const text = modeTables("musl", "jit", [{ name: "a", fresh: 100, modes: { child: 120 } }, { name: "b", fresh: 100, modes: { child: 140 } }], ["child"]);
  expect(text).toContain("child: **over 1.3 times: b**");
});

test("a command's times and both outputs are told apart", () => {
  const spent = spend(["bash", "-c", "for ((i = 0; i < 50000; i++)); do :; done; echo out; printf 'time   0.25 s\\nwork 1500000 ns\\n' >&2"]);
  expect(spent.stdout).toBe("out\n");
  expect(spent.cpu).toBeGreaterThan(0);
  expect(spent.wall).toBeGreaterThan(0);
  expect(machineClock(spent)).toBe(250);
  expect(workOf(spent)).toBe(1.5);
  expect(() => spend(["bash", "-c", "echo why >&2; exit 3"])).toThrow(/3\n.*why/s);
});

test.each(["fresh", "child", "parent", "full"])("BENCH_MODE=%s changes nothing that a program computes", async (mode) => {
  const path = (await program("quicksort")) as string;
  const native = spawnSync(path, ["20000"], { encoding: "latin1", env: {} });
  const guest = await runGuest({ program: path, args: ["20000"], env: { ...ENVIRONMENT, BENCH_MODE: mode }, memory: 64 << 20 });
  expect(native.status).toBe(0);
  expect(guest.status).toBe(0);
  expect(guest.stdout).toBe(native.stdout);
  expect(guest.stderr).toMatch(/^work \d+ ns\n$/);
  expect(guest.leaks).toEqual([]);
  if (mode === "full") expect(guest.stats.frames.peak).toBeGreaterThan(0.89 * guest.stats.frames.total);
  expect(guest.stats.processes).toBe(mode === "child" || mode === "parent" ? 2 : 1);
});

test("the -Ofast program runs with FTZ and DAZ set", async () => {
  const path = (await program("spectral_norm")) as string;
  const native = spawnSync(path, ["20"], { encoding: "latin1", env: {} });
  expect(native.stdout).toMatch(/ 0\n$/);
});
