#!/usr/bin/env node
/** `npm run oracle:elf`: damaged ELF files, each loaded and run for a while or refused; 20,000 by default.
 *
 *    --files N   how many (default 20,000)
 *    --seed N    default: the date, or MENIOS_SEED
 *    --case N    only that one, and what became of it */
import { parseArgs } from "node:util";
import { seedOfToday } from "../test/machine/run.ts";
import { damagedCase, runElfOracle, runFiles } from "../test/oracle/elf/run.ts";

const { values } = parseArgs({ options: { files: { type: "string" }, seed: { type: "string" }, case: { type: "string" } } });
const seed = Number(values.seed ?? seedOfToday());
if (values.case !== undefined) {
  const { sample, files } = damagedCase(seed, Number(values.case));
  console.log(sample.name, await runFiles(files));
} else {
  const files = Number(values.files ?? 20_000);
  const started = performance.now();
  const { outcomes, defects } = await runElfOracle(seed, files, (done) => {
    if (done % 2000 === 0 && done < files) console.error(`${done} files, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  });
  for (const defect of defects.slice(0, 20)) console.log(defect);
  for (const [outcome, count] of [...outcomes].sort((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(8)}  ${outcome}`);
  console.log(`${files.toLocaleString("en-US")} files, seed ${seed}: ${defects.length} defects (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  process.exitCode = defects.length === 0 ? 0 : 1;
}
