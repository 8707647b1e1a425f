/** Some hundred damaged ELF files; `npm run oracle:elf` runs 20,000. */
import { expect, test } from "vitest";
import { seedOfToday } from "../../machine/run.ts";
import { samples } from "./files.ts";
import { runElfOracle, runFiles } from "./run.ts";

for (const { name, files, status, damaged } of samples()) {
  test(`${name} runs while nothing is damaged (${damaged})`, async () => {
    expect(await runFiles(files)).toEqual({ outcome: "exit", status, defect: undefined });
  });
}

const seed = seedOfToday();
test(`damaged ELF files run or are refused (MENIOS_SEED=${seed})`, async () => {
  const { outcomes, defects } = await runElfOracle(seed, 300);
  expect(defects).toEqual([]);
  // The damage is neither always deadly nor without effect.
  expect(outcomes.get("exit")).toBeGreaterThan(20);
  expect([...outcomes].filter(([outcome]) => outcome.startsWith("refused")).reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(40);
}, 120_000);
