#!/usr/bin/env node
/** `npm run oracle:vm`: random address-space operations on the host's kernel and on ours, a million by default.
 *
 *    --operations N   in total, over all seeds (default 1,000,000)
 *    --seed N         first seed (default: the date, or MENIOS_SEED)
 *    --each N         operations of one run (default 20,000) */
import { parseArgs } from "node:util";
import { buildOracle, compareVm } from "../test/oracle/vm/compare.ts";
import { seedOfToday } from "../test/machine/run.ts";

const { values } = parseArgs({ options: { operations: { type: "string" }, seed: { type: "string" }, each: { type: "string" } } });
const total = Number(values.operations ?? 1_000_000);
const each = Math.min(total, Number(values.each ?? 20_000));
const first = Number(values.seed ?? seedOfToday());

const program = await buildOracle();
const started = performance.now();
let done = 0;
let failures = 0;
for (let seed = first; done < total; seed++) {
  const count = Math.min(each, total - done);
  const difference = await compareVm(program, seed, count);
  done += count;
  if (difference !== undefined) {
    failures++;
    console.log(difference);
    if (failures === 5) break;
  }
}
const seconds = (performance.now() - started) / 1000;
console.log(`${done.toLocaleString("en-US")} operations from seed ${first}, ${each.toLocaleString("en-US")} each: ${failures} runs differ (${seconds.toFixed(0)} s)`);
process.exitCode = failures === 0 ? 0 : 1;
