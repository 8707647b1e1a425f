/** Runs seeded random cases natively and under the cold engine and collects differences. */
import { allEncodings, type Encoding } from "../../../src/cpu/instructions/define.ts";
import { CaseMaker, plan, type Plan } from "./cases.ts";
import { bytesText, compare, flagText, isComparable, isEqual, isVendorSpecific } from "./compare.ts";
import { encode } from "./encode.ts";
import {
  FX_CONTROL,
  FX_MXCSR,
  FX_ST,
  FX_STATUS,
  FX_TAG,
  FX_XMM,
  IN_BYTES,
  IN_FX,
  IN_PATCH,
  IN_PATCH_LENGTH,
  IN_PATCH_OFFSET,
  IN_RFLAGS,
  MEMORY,
  OUT_BYTES,
  OUT_SIGNAL,
  PAGE,
} from "./layout.ts";
import { OurMachine } from "./machine.ts";
import { buildRunner, Native } from "./native.ts";
import { Random } from "./random.ts";

export interface OracleOptions {
  readonly seed: number;
  /** Stops after so many cases or seconds, whichever comes first. */
  readonly cases: number;
  readonly seconds: number;
  /** Cases per encoding. */
  readonly perEncoding: number;
  readonly engine: "interp" | "jit";
  /** Only mnemonics that match. */
  readonly only?: RegExp;
  readonly progress?: (text: string) => void;
}

export interface Difference {
  readonly row: string;
  readonly mnemonic: string;
  readonly code: string;
  readonly what: string;
  readonly state: string;
  count: number;
}

export interface OracleReport {
  cases: number;
  encodings: number;
  forms: number;
  faults: number;
  /** Translations made: more than none when the engine is "jit". */
  regions: number;
  seconds: number;
  strays: number;
  /** First difference of each row and kind. */
  readonly differences: Map<string, Difference>;
  differing: number;
}

/** Rows that get comparable cases: what the figures call instruction forms. */
export function comparableEncodings(only?: RegExp): Encoding[] {
  return allEncodings().filter((e) => isComparable(e) && (only === undefined || only.test(e.mnemonic)));
}

const BATCH = 2048;

export async function runOracle(options: OracleOptions): Promise<OracleReport> {
  const r = new Random(options.seed);
  const initial = new Uint8Array(4 * PAGE);
  for (let i = 0; i < initial.length; i++) initial[i] = r.next();
  const native = new Native(buildRunner(), initial);
  const machine = new OurMachine(initial, options.engine);
  const rows = comparableEncodings(options.only);
  const report: OracleReport = {
    cases: 0,
    encodings: 0,
    forms: 0,
    faults: 0,
    regions: 0,
    seconds: 0,
    strays: 0,
    differences: new Map(),
    differing: 0,
  };
  const seen = new Set<string>();
  const forms = new Set<string>();
  const started = performance.now();
  let row = 0;
  const makers = [new CaseMaker(BATCH, r), new CaseMaker(BATCH, r)];
  const ours = new Uint8Array(BATCH * OUT_BYTES);
  const oursWords = new Uint32Array(ours.buffer);
  const slots = Array.from({ length: BATCH }, (_, i) => ours.subarray(i * OUT_BYTES, (i + 1) * OUT_BYTES));
  const slotViews = slots.map((slot) => new DataView(slot.buffer, slot.byteOffset, OUT_BYTES));
  let waiting: { plans: Plan[]; maker: CaseMaker; outputs: Promise<{ outputs: Uint8Array; strays: number }> } | undefined;
  let turn = 0;

  const fill = (maker: CaseMaker): Plan[] => {
    const plans: Plan[] = [];
    while (plans.length < BATCH) {
      const e = rows[row++ % rows.length];
      let p: Plan | undefined;
      for (let tries = 0; tries < 20 && p === undefined; tries++) {
        p = plan(encode(e, r));
        if (p !== undefined && (!isComparable(p.encoding) || isVendorSpecific(p))) p = undefined;
      }
      if (p === undefined) continue;
      seen.add(`${p.code.bytes.join()}`);
      forms.add(`${p.encoding.mnemonic} ${p.encoding.row} ${p.encoding.size} ${p.memory}`);
      const count = Math.min(options.perEncoding, BATCH - plans.length);
      for (let i = 0; i < count; i++) {
        maker.make(plans.length, p);
        plans.push(p);
      }
    }
    return plans;
  };

  const check = async (): Promise<void> => {
    if (waiting === undefined) return;
    const { plans, maker } = waiting;
    // Ours runs while the native side does.
    for (let i = 0; i < plans.length; i++) machine.run(maker.bytes, maker.view, i * IN_BYTES, slots[i], slotViews[i]);
    const { outputs, strays } = await waiting.outputs;
    const words = new Uint32Array(outputs.buffer, outputs.byteOffset, plans.length * (OUT_BYTES / 4));
    for (let i = 0; i < plans.length; i++) {
      const at = i * (OUT_BYTES / 4);
      if (isEqual(plans[i], plans[i].next, words, at, oursWords, at)) continue;
      if (words[at + OUT_SIGNAL / 4] !== 0) report.faults++;
      const found = compare(plans[i], maker.view, i * IN_BYTES, outputs, i * OUT_BYTES, slots[i], slotViews[i]);
      if (found.length === 0) continue;
      report.differing++;
      const p = plans[i];
      const kind = found.map((f) => f.split(" ")[0].replace(/^\[.*/, "mem")).join();
      const key = `${p.encoding.row} ${p.encoding.size} ${kind}`;
      const known = report.differences.get(key);
      if (known !== undefined) known.count++;
      else {
        report.differences.set(key, {
          row: `${p.encoding.row} (${p.encoding.size})`,
          mnemonic: p.encoding.mnemonic,
          code: bytesText(p.code.bytes, 0, p.code.bytes.length),
          what: found.join("; "),
          state: describe(maker, i),
          count: 1,
        });
      }
    }
    const oursStrays = machine.strays();
    if (strays !== oursStrays) report.strays++;
    report.cases += plans.length;
    report.encodings = seen.size;
    report.forms = forms.size;
    report.seconds = (performance.now() - started) / 1000;
  };

  let lastProgress = 0;
  while (report.cases < options.cases && (performance.now() - started) / 1000 < options.seconds) {
    const maker = makers[turn];
    turn ^= 1;
    const plans = fill(maker);
    await check();
    waiting = { plans, maker, outputs: native.run(maker.bytes.slice(), plans.length) };
    if (report.seconds - lastProgress > 10) {
      lastProgress = report.seconds;
      options.progress?.(
        `${report.cases} cases, ${report.encodings} encodings, ${report.differing} differ, ${report.seconds.toFixed(0)} s`,
      );
    }
  }
  await check();
  native.close();
  report.regions = machine.cpu.jitStats?.regions ?? 0;
  return report;
}

/** A case's inputs as text. */
function describe(maker: CaseMaker, slot: number): string {
  const at = slot * IN_BYTES;
  const { view, bytes } = maker;
  const registers = Array.from({ length: 16 }, (_, i) => `r${i}=${view.getBigUint64(at + i * 8, true).toString(16)}`).join(" ");
  const fx = at + IN_FX;
  const xmm = Array.from({ length: 16 }, (_, i) => `x${i}=${bytesText(bytes, fx + FX_XMM + i * 16, 16)}`).join(" ");
  const st = Array.from({ length: 8 }, (_, i) => `st${i}=${bytesText(bytes, fx + FX_ST + i * 16, 10)}`).join(" ");
  const length = view.getUint32(at + IN_PATCH_LENGTH, true);
  return [
    registers,
    `flags=${flagText(view.getUint32(at + IN_RFLAGS, true))}`,
    `mem[${(MEMORY + view.getUint32(at + IN_PATCH_OFFSET, true)).toString(16)}]=${bytesText(bytes, at + IN_PATCH, length)}`,
    `mxcsr=${view.getUint32(fx + FX_MXCSR, true).toString(16)} fcw=${view.getUint16(fx + FX_CONTROL, true).toString(16)} fsw=${view.getUint16(fx + FX_STATUS, true).toString(16)} ftw=${bytes[fx + FX_TAG].toString(16)}`,
    xmm,
    st,
  ].join("\n    ");
}
