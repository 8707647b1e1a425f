/** `npm run oracle:cpu [-- --cases N --seconds S --seed X --only REGEX --per N --verbose --engine interp|jit]`: the CPU oracle at full length. */
import { parseArgs } from "node:util";
import { nativeAvailable } from "./native.ts";
import { runOracle } from "./run.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "10000000" },
    seconds: { type: "string", default: "1800" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    per: { type: "string", default: "160" },
    verbose: { type: "boolean", default: false },
    limit: { type: "string", default: "40" },
    engine: { type: "string", default: "interp" },
  },
});
if (!nativeAvailable()) {
  console.error("the CPU oracle needs x86-64 Linux and gcc");
  process.exit(1);
}
const report = await runOracle({
  seed: Number(values.seed),
  engine: values.engine === "jit" ? "jit" : "interp",
  cases: Number(values.cases),
  seconds: Number(values.seconds),
  perEncoding: Number(values.per),
  ...(values.only === undefined ? {} : { only: new RegExp(values.only) }),
  progress: (text) => console.error(text),
});
const list = [...report.differences.values()].sort((a, b) => b.count - a.count);
for (const d of list.slice(0, Number(values.limit))) {
  console.log(`${d.count}x ${d.mnemonic}  [${d.row}]  ${d.code}\n    native | ours: ${d.what}${values.verbose ? `\n    ${d.state}` : ""}`);
}
console.log(
  `seed ${values.seed}: ${report.cases} cases, ${report.forms} forms, ${report.encodings} encodings, ${report.faults} faults, ${report.regions} translations, ` +
    `${report.differing} differ in ${list.length} ways, ${report.strays} batches with stray writes, ${report.seconds.toFixed(1)} s`,
);
process.exit(report.differing === 0 && report.strays === 0 ? 0 : 1);
