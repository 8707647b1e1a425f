/** A seeded part of the CPU oracle; `npm run oracle:cpu` is the whole. MENIOS_SEED repeats a run. */
import { describe, expect, test } from "vitest";
import { nativeAvailable } from "./native.ts";
import { type OracleReport, runOracle } from "./run.ts";

/** Another one every day, so that many runs see more than one run does. */
const SEED = Number(process.env["MENIOS_SEED"] ?? Math.floor(Date.now() / 86_400_000));
const SECONDS = Number(process.env["MENIOS_ORACLE_SECONDS"] ?? 18);

function summary(report: OracleReport): string[] {
  return [...report.differences.values()]
    .slice(0, 10)
    .map((d) => `${d.mnemonic} [${d.row}] ${d.code}: native | ours: ${d.what}\n    ${d.state}`);
}

describe.skipIf(!nativeAvailable())("the processor agrees with", () => {
  for (const [engine, seconds, atLeast] of [
    ["interp", SECONDS, 10_000],
    ["jit", SECONDS / 2, 500],
  ] as const) {
    test(`single instructions on the ${engine} engine (seed ${SEED})`, { timeout: 180_000 }, async () => {
      const report = await runOracle({ seed: SEED, cases: 2_000_000, seconds, perEncoding: 8, engine });
      console.log(
        `CPU oracle, ${engine}, seed ${SEED}: ${report.cases} cases, ${report.forms} forms, ${report.encodings} encodings, ${report.differing} differ`,
      );
      expect(summary(report)).toEqual([]);
      expect(report.strays).toBe(0);
      expect(report.cases).toBeGreaterThan(atLeast);
    });
  }
});
