/** Test support: the native processor (oracle.c) and the helper module, side by side. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileHelpers } from "../../../scripts/build-helpers.mjs";
import { MIN_RAM_BYTES, Ram } from "../../memory/ram.ts";
import { type Helpers, instantiateHelpers } from "../helpers.ts";

const here = dirname(fileURLToPath(import.meta.url));
const RECORD_SIZE = 704;
const MEMORY_OFFSET = 64;
const FX_OFFSET = 192;

/** Whether this machine can play the oracle at all. */
export const hasOracle = process.arch === "x64" && spawnSync("gcc", ["--version"]).status === 0;

/** One case to run natively: views into a record of oracle.c. */
export class OracleCase {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  set code(code: readonly number[]) {
    this.bytes[0] = code.length;
    this.bytes.set(code, 1);
  }
  get rax(): bigint { return this.view.getBigUint64(16, true); }
  set rax(value: bigint) { this.view.setBigUint64(16, BigInt.asUintN(64, value), true); }
  get rflags(): number { return this.view.getUint32(24, true); }
  set rflags(value: number) { this.view.setUint32(24, value, true); }
  get signal(): number { return this.view.getUint32(32, true); }
  get mxcsr(): number { return this.view.getUint32(FX_OFFSET + 24, true); }
  set mxcsr(value: number) { this.view.setUint32(FX_OFFSET + 24, value, true); }
  /** 128-bit register as two u64. */
  xmm(register: number): [bigint, bigint] {
    const at = FX_OFFSET + 160 + register * 16;
    return [this.view.getBigUint64(at, true), this.view.getBigUint64(at + 8, true)];
  }
  setXmm(register: number, low: bigint, high: bigint): void {
    const at = FX_OFFSET + 160 + register * 16;
    this.view.setBigUint64(at, low, true);
    this.view.setBigUint64(at + 8, high, true);
  }
  /** Byte offset of the memory operand and of the FXSAVE image in `view`. */
  get memoryOffset(): number { return MEMORY_OFFSET; }
  get fxOffset(): number { return FX_OFFSET; }
}

/** `count` cases with a default floating-point state. */
export function makeCases(count: number): OracleCase[] {
  const buffer = new Uint8Array(count * RECORD_SIZE);
  return Array.from({ length: count }, (_, i) => {
    const c = new OracleCase(buffer.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE));
    c.mxcsr = 0x1f80;
    c.rflags = 0x202;
    c.view.setUint16(FX_OFFSET, 0x37f, true);
    return c;
  });
}

let oraclePath: string | undefined;

/** Runs all cases (made by one makeCases call) on the processor; answers in the same order. */
export function runNative(cases: readonly OracleCase[]): OracleCase[] {
  if (oraclePath === undefined) {
    oraclePath = join(mkdtempSync(join(tmpdir(), "menios-oracle-")), "oracle");
    const built = spawnSync("gcc", ["-O1", "-mno-red-zone", "-o", oraclePath, join(here, "oracle.c")], { encoding: "utf8" });
    if (built.status !== 0) throw new Error(`gcc: ${built.stderr}`);
  }
  const input = Buffer.from(cases[0].bytes.buffer);
  const run = spawnSync(oraclePath, { input, maxBuffer: input.length + 1 });
  if (run.status !== 0 || run.stdout.length !== input.length) throw new Error(`oracle: status ${run.status} signal ${run.signal}`);
  return cases.map((_, i) => new OracleCase(run.stdout.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE)));
}

let compiled: WebAssembly.Module | undefined;

/** dist/helpers.wasm when it is newer than its sources, else a fresh compilation (some seconds). */
export async function helperBytes(): Promise<Uint8Array<ArrayBuffer>> {
  const built = join(here, "../../../dist/helpers.wasm");
  const sources = readdirSync(here).filter((name) => name.endsWith(".as.ts"));
  const newest = Math.max(...sources.map((name) => statSync(join(here, name)).mtimeMs));
  return existsSync(built) && statSync(built).mtimeMs > newest ? readFileSync(built) : compileHelpers();
}

/** The helpers over a RAM of their own. */
export async function loadHelpers(): Promise<{ helpers: Helpers; ram: Ram }> {
  compiled ??= new WebAssembly.Module((await helperBytes()) as BufferSource);
  const ram = new Ram(MIN_RAM_BYTES);
  return { helpers: instantiateHelpers(compiled, ram), ram };
}

/** Small seeded generator (xorshift64*), so that a failing case can be run again. */
export class Random {
  private state: bigint;
  constructor(seed: number) {
    this.state = BigInt(seed) * 0x9e3779b97f4a7c15n + 0x1234567n & 0xffffffffffffffffn;
  }
  u64(): bigint {
    let x = this.state;
    x ^= x >> 12n;
    x = (x ^ (x << 25n)) & 0xffffffffffffffffn;
    x ^= x >> 27n;
    this.state = x;
    return (x * 0x2545f4914f6cdd1dn) & 0xffffffffffffffffn;
  }
  /** Integer in [0, n). */
  below(n: number): number {
    return Number((this.u64() >> 20n) % BigInt(n));
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** Interesting binary64 bits: zeros, denormals, limits, infinities, NaNs of both kinds, and random numbers of close exponents. */
export function randomF64(random: Random): bigint {
  const sign = random.below(2) === 1 ? 1n << 63n : 0n;
  const fraction = random.u64() & ((1n << 52n) - 1n);
  const short = fraction & ~((1n << BigInt(20 + random.below(32))) - 1n);
  switch (random.below(16)) {
    case 0: return sign;
    case 1: return sign | (fraction >> BigInt(random.below(52)));
    case 2: return sign | 0x7ff0000000000000n;
    case 3: return sign | 0x7ff8000000000000n | fraction;
    case 4: return sign | 0x7ff0000000000000n | (fraction & 0x7ffffffffffffn) | 1n;
    case 5: return sign | 0x7fe0000000000000n | fraction;
    case 6: return sign | 0x0010000000000000n | short;
    case 7: return sign | 0x3ff0000000000000n;
    case 8: return sign | (BigInt(1 + random.below(2046)) << 52n) | fraction;
    case 9: return sign | (BigInt(1023 + random.below(66)) << 52n) | short;
    case 10: return sign | (BigInt(1 + random.below(120)) << 52n) | short;
    default: return sign | (BigInt(1020 + random.below(8)) << 52n) | (random.below(2) ? fraction : short);
  }
}

/** The same for binary32. */
export function randomF32(random: Random): number {
  const sign = random.below(2) === 1 ? 0x80000000 : 0;
  const fraction = random.below(0x800000);
  const short = fraction & ~((1 << random.below(23)) - 1);
  const bits = (exponent: number, f: number): number => (sign | (exponent << 23) | f) >>> 0;
  switch (random.below(16)) {
    case 0: return sign >>> 0;
    case 1: return bits(0, fraction >> random.below(23));
    case 2: return bits(255, 0);
    case 3: return bits(255, 0x400000 | fraction);
    case 4: return bits(255, (fraction & 0x3fffff) | 1);
    case 5: return bits(254, fraction);
    case 6: return bits(1, short);
    case 7: return bits(127, 0);
    case 8: return bits(1 + random.below(254), fraction);
    case 9: return bits(127 + random.below(66), short);
    case 10: return bits(1 + random.below(60), short);
    default: return bits(124 + random.below(8), random.below(2) ? fraction : short);
  }
}

/** Significand, sign and exponent: every class of the format, and numbers of close exponents. */
export function randomF80(random: Random): [bigint, number] {
  const sign = random.below(2) << 15;
  const fraction = random.u64() >> 1n;
  const short = fraction & ~((1n << BigInt(10 + random.below(53))) - 1n);
  const top = 1n << 63n;
  switch (random.below(24)) {
    case 0: return [0n, sign];
    case 1: return [fraction >> BigInt(random.below(63)), sign];
    case 2: return [top | fraction, sign];
    case 3: return [top, sign | 0x7fff];
    case 4: return [top | (1n << 62n) | (random.below(2) ? fraction : 5n), sign | 0x7fff];
    case 5: return [top | (fraction & ~(1n << 62n)) | 1n, sign | 0x7fff];
    case 6: return [fraction, sign | random.below(0x8000)];
    case 7: return [top | fraction, sign | 0x7ffe];
    case 8: return [top | short, sign | (1 + random.below(80))];
    case 9: return [top, sign | 0x3fff];
    case 10: return [top | fraction, sign | (1 + random.below(0x7ffe))];
    case 11: return [top | (fraction & 0xffn ? fraction : 0n), sign | (0x3fff + random.below(80))];
    case 12: return [top | short, sign | (0x3fff - 16384 + random.below(200) + 16384 - 100)];
    case 13: return [top | fraction, sign | (0x3fff - 1022 - random.below(60))];
    case 14: return [top | fraction, sign | (0x3fff + 1020 + random.below(8))];
    case 15: return [top | fraction, sign | (0x3fff - 126 - random.below(30))];
    case 16: return [top | fraction, sign | (0x3fff + 125 + random.below(6))];
    case 17: return [top | short, sign | (0x3fff + random.below(17))];
    default: return [top | (random.below(2) ? fraction : short), sign | (0x3ffd + random.below(6))];
  }
}
