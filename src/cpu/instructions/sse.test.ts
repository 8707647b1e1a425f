/** Every SSE row against the processor: random registers, memory, immediates, MXCSR; results, flags, MXCSR, signals and untouched
 *  state compared, on the cold engine and translated.
 *  MENIOS_SSE_CASES sets the cases per encoding form, MENIOS_SEED the seed. */
import { describe, expect, test } from "vitest";
import { EXECUTE } from "../../memory/access.ts";
import { CodeGuard } from "../../memory/code-guard.ts";
import { FrameAllocator } from "../../memory/frames.ts";
import { Mmu } from "../../memory/mmu.ts";
import { PageTables } from "../../memory/page-table.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import { PTE_PRESENT, PTE_USER, PTE_WRITABLE } from "../../memory/pte.ts";
import { Ram } from "../../memory/ram.ts";
import { Tlb } from "../../memory/tlb.ts";
import { hasOracle, helperBytes, makeCases, type OracleCase, Random, randomF32, randomF64, runNative } from "../assembly/oracle.ts";
import { ColdCpu, type Engine } from "../cold/engine.ts";
import { HandlerTable } from "../cold/handler-table.ts";
import { buildColdModule } from "../cold/handlers.ts";
import { EXIT_EXCEPTION, EXIT_PAGE_FAULT, VECTOR_UD } from "../exit.ts";
import { RAX, RCX, RDI, RDX, VECTOR, VECTOR_STRIDE } from "../state.ts";
import { allEncodings, type Encoding } from "./define.ts";
import "./sse-move.ts";
import "./sse-integer.ts";
import "./sse-float.ts";
import "./sse-convert.ts";
import "./sse-shuffle.ts";
import "./sse-string.ts";

const SEED = Number(process.env.MENIOS_SEED ?? 1);
const CASES = Number(process.env.MENIOS_SSE_CASES ?? 40);

const CODE = 0x40_0000;
const CODE_PAGES = 64;
const DATA = 0x7f_0000_0000;
/** The page after DATA is not there: cases with a fault use its end. */
const OPERAND = DATA + 0x200;
const SLOT = 64;
/** An opcode that does not exist in 64-bit mode. */
const UNDEFINED = 0x06;

class Machine {
  readonly ram = new Ram(0x200_0000);
  readonly cpu: ColdCpu;
  readonly codeHost: number[] = [];
  readonly dataHost: number;
  #next = 0;
  #last: readonly number[] = [];
  constructor(engine: Engine) {
    const { ram } = this;
    const frames = new FrameAllocator(ram), tlb = new Tlb(ram), guard = new CodeGuard(frames, tlb);
    const tables = new PageTables(ram, frames), mmu = new Mmu(ram, frames, tlb, guard), root = tables.createRoot();
    const map = (address: number, bits: number): number => {
      const frame = frames.allocZeroed();
      tables.map(root, address, frame, PTE_PRESENT | PTE_USER | bits, 0);
      return frame * PAGE_SIZE;
    };
    for (let i = 0; i < CODE_PAGES; i++) this.codeHost.push(map(CODE + i * PAGE_SIZE, 0));
    this.dataHost = map(DATA, PTE_WRITABLE);
    mmu.activate(root, { resolveFault: () => 1 });
    this.cpu = new ColdCpu(ram, mmu, modules, { engine, translateEagerly: true });
    expect(mmu.translate(CODE, EXECUTE)).toBe(this.codeHost[0]);
  }
  /** Address of `code`: a fresh place, or that of the last call when it is the same array. */
  place(code: readonly number[]): number {
    if (code === this.#last) return CODE + this.#next - SLOT;
    if (this.#next === CODE_PAGES * PAGE_SIZE) {
      this.cpu.code.flush();
      this.#next = 0;
    }
    const host = this.codeHost[this.#next >>> 12] + (this.#next & 0xfff);
    this.ram.u8.fill(UNDEFINED, host, host + SLOT);
    this.ram.u8.set(code, host);
    const address = CODE + this.#next;
    this.#next += SLOT;
    this.#last = code;
    return address;
  }
  /** Runs `code` to its end, where the undefined opcode after it stops the processor; the exit kind, or 0 when the end was reached. */
  run(code: readonly number[]): number {
    const { cpu } = this, start = this.place(code);
    cpu.registers.rip = start;
    const kind = cpu.run(1000);
    return kind === EXIT_EXCEPTION && cpu.detail === VECTOR_UD && cpu.registers.rip === start + code.length ? 0 : kind;
  }
}

const mine = allEncodings();
const modules = { cold: new WebAssembly.Module(buildColdModule(new HandlerTable())), helpers: new WebAssembly.Module(await helperBytes()) };

interface Form { readonly encoding: Encoding; readonly memory: boolean; readonly name: string }

const forms: Form[] = [];
for (const encoding of mine) {
  const rm = encoding.operands.find((o) => o.source === "rm");
  for (const memory of [false, true]) {
    if (memory ? rm?.allowsMemory === true : rm?.allowsRegister !== false) {
      const size = encoding.size === 0 ? "" : `, ${encoding.size} bits`;
      forms.push({ encoding, memory, name: `${encoding.row}${size}, ${memory ? "memory" : "register"}` });
    }
  }
}

const isText = (e: Encoding): boolean => e.mnemonic.startsWith("pcmpestr") || e.mnemonic.startsWith("pcmpistr");
const isApproximate = (e: Encoding): boolean => e.mnemonic.startsWith("rcp") || e.mnemonic.startsWith("rsqrt");

/** Bytes of one instance. Registers: general ones are rax, XMM any; memory is [rdi + displacement]. */
function encode(random: Random, { encoding: e, memory }: Form, imm: number, displacement: number): number[] {
  const xmm = (): number => (random.below(3) === 0 ? random.below(16) : random.below(3));
  let reg = Math.max(e.digit, 0), rm = 7;
  for (const o of e.operands) {
    if (o.source === "reg" && o.class === "xmm") reg = xmm();
    if (o.source === "rm" && !memory) rm = o.class === "xmm" ? xmm() : 0;
  }
  const prefix = typeof e.prefix === "number" ? [e.prefix] : [];
  const rex = 0x40 | (e.rexW === 1 || e.size === 64 ? 8 : 0) | (reg > 7 ? 4 : 0) | (rm > 7 ? 1 : 0);
  const mapBytes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][e.map];
  const modRM = (memory ? 0x40 : 0xc0) | ((reg & 7) << 3) | (rm & 7);
  const immediate = e.operands.some((o) => o.class === "imm") ? [imm] : [];
  const optionalRex = rex !== 0x40 || random.below(8) === 0 ? [rex] : [];
  return [...prefix, ...optionalRex, ...mapBytes, e.opcode, modRM, ...(memory ? [displacement] : []), ...immediate];
}

function bytesOf(next: () => number): bigint {
  let value = 0n;
  for (let i = 0; i < 8; i++) value = (value << 8n) | BigInt(next());
  return value;
}
/** Half a register. Kinds: random, few values, f32 pair, f64, small integers, text. */
function randomHalf(random: Random, kind: number): bigint {
  switch (kind) {
    case 0: return random.u64();
    case 1: return bytesOf(() => random.pick([0, 0xff, 0x80, 0x7f, 1, 0x81]));
    case 2: return BigInt(randomF32(random)) | (BigInt(randomF32(random)) << 32n);
    case 3: return randomF64(random);
    case 4: return bytesOf(() => (random.below(3) === 0 ? random.below(256) : 0));
    case 5: return bytesOf(() => random.pick([0x61, 0x62, 0x63, 0xe1, 0x61, 0x62, random.below(256), random.below(12) === 0 ? 0 : 0x61]));
    case 6: { // words of text
      let value = 0n;
      const word = (): number => random.pick([0x61, 0x62, 0x8061, 0x6161, 0x61, random.below(16) === 0 ? 0 : 0x62]);
      for (let i = 0; i < 4; i++) value = (value << 16n) | BigInt(word());
      return value;
    }
    default: { // numbers near the integer ranges
      const near = random.below(2 ** 20) / 8 - 2 ** 16, far = (random.below(2 ** 20) - 2 ** 19) * 2 ** (random.below(70) - 10);
      return new BigUint64Array(new Float64Array([random.below(2) === 0 ? near : far]).buffer)[0];
    }
  }
}
function kindFor(random: Random, { mnemonic, operands }: Encoding): number {
  if (mnemonic.startsWith("pcmpe") && mnemonic.includes("str")) return random.pick([5, 6]);
  if (mnemonic.startsWith("pcmpi")) return random.pick([5, 6]);
  const isFloat = /(ss|sd|ps|pd|ss2si|sd2si|dq|s)$/.test(mnemonic) && !mnemonic.startsWith("p");
  if (isFloat && random.below(8) !== 0) {
    const isSingle = operands.some((o) => o.width === 32) || /ps|ss$|ss2/.test(mnemonic);
    return random.pick(isSingle ? [2, 2, 2, 3, 7] : [3, 3, 7, 7, 2]);
  }
  return random.below(8);
}
/** Mostly the state of ordinary programs, else anything. */
function randomMxcsr(random: Random): number {
  if (random.below(3) !== 0) return random.below(3) === 0 ? 0x9fe0 : 0x1fa0;
  const control = (random.below(4) << 13) | (random.below(4) === 0 ? 0x8000 : 0) | (random.below(4) === 0 ? 0x40 : 0);
  const masks = random.below(3) === 0 ? random.below(64) << 7 : 0x1f80;
  return control | masks | (random.below(2) === 0 ? 0 : random.below(64) & (masks >> 7));
}

interface Prepared { readonly instruction: number[]; readonly rdx: number }

/** Fills a case; `again` gives its instruction. */
function prepare(random: Random, form: Form, c: OracleCase, again: Prepared | undefined): Prepared {
  const { encoding: e } = form;
  const displacement = random.below(8) !== 0 ? random.below(8) * 16 : random.below(112);
  const instruction = again?.instruction ?? encode(random, form, random.below(256), displacement);
  const rdx = random.below(4) === 0 ? random.below(256) : random.below(40) - 20 & 0xff;
  c.code = isText(e) ? [0x6a, rdx, 0x5a, ...instruction, ...(e.mnemonic.endsWith("i") ? [0x89, 0xc8] : [])] : instruction;
  c.mxcsr = randomMxcsr(random);
  for (let i = 0; i < 16; i++) {
    const kind = kindFor(random, e);
    c.setXmm(i, randomHalf(random, kind), randomHalf(random, kind));
    if (i > 0 && random.below(6) === 0) c.setXmm(i, ...c.xmm(random.below(i)));
  }
  const kind = kindFor(random, e);
  for (let i = 0; i < 128; i += 8) c.view.setBigUint64(c.memoryOffset + i, randomHalf(random, kind), true);
  if (isText(e)) c.rax = random.below(6) === 0 ? random.u64() : BigInt(random.below(40) - 20);
  else c.rax = random.u64() >> BigInt(random.below(64)) ^ (random.below(2) === 0 ? 0n : 0xffffffffffffffffn);
  c.rflags = 0x202 | (random.below(2) === 0 ? 0 : 0x8d5);
  return { instruction, rdx };
}

const SIGNALS: Readonly<Record<number, number>> = { 6: 4, 13: 11, 19: 8 };

/** Runs the case on `machine` and writes the outcome over it, as the oracle does. */
function runOurs(machine: Machine, { encoding: e }: Form, { instruction, rdx }: Prepared, c: OracleCase): void {
  const { cpu, ram } = machine, { registers } = cpu;
  registers.reset();
  registers.mxcsr = c.mxcsr;
  registers.rflags = c.rflags;
  const lanes = VECTOR >>> 3;
  for (let i = 0; i < 16; i++) {
    const [low, high] = c.xmm(i), at = lanes + (i * VECTOR_STRIDE) / 8;
    ram.u64[at] = low;
    ram.u64[at + 1] = high;
    ram.u64[at + 2] = 0x1122334455667788n;
  }
  registers.set(RAX, Number(c.rax & 0xffffffffn), Number(c.rax >> 32n));
  registers.setNumber(RDX, (rdx << 24) >> 24);
  registers.setNumber(RDI, OPERAND);
  const area = machine.dataHost + (OPERAND - DATA);
  ram.u8.set(c.bytes.subarray(c.memoryOffset, c.memoryOffset + 128), area);
  const kind = machine.run(instruction);
  const view = c.view;
  const signal = kind === 0 ? 0 : kind === EXIT_EXCEPTION ? (SIGNALS[cpu.detail] ?? 99) : 90 + kind;
  view.setUint32(32, signal, true);
  c.mxcsr = registers.mxcsr;
  for (let i = 0; i < 16; i++) {
    const at = lanes + (i * VECTOR_STRIDE) / 8;
    c.setXmm(i, ram.u64[at], ram.u64[at + 1]);
    if (ram.u64[at + 2] !== 0x1122334455667788n) throw new Error("bits above 127 changed");
  }
  if (signal === 0) {
    c.rflags = registers.rflags;
    const index = isText(e) && e.mnemonic.endsWith("i");
    c.rax = BigInt(registers.low(index ? RCX : RAX)) | (BigInt(registers.high(index ? RCX : RAX)) << 32n);
  }
  c.bytes.set(ram.u8.subarray(area, area + 128), c.memoryOffset);
}

const hex = (v: bigint | number): string => v.toString(16);
/** What differs, as text; empty when nothing does. */
function differences(form: Form, before: OracleCase, ours: OracleCase, native: OracleCase): string {
  const found: string[] = [];
  const note = (what: string, a: bigint | number, b: bigint | number): void => {
    if (a !== b) found.push(`${what} is ${hex(a)}, processor ${hex(b)}`);
  };
  note("signal", ours.signal, native.signal);
  note("mxcsr", ours.mxcsr & 0xffff, native.mxcsr & 0xffff);
  for (let i = 0; i < 16; i++) {
    const [a, b] = [ours.xmm(i), native.xmm(i)];
    if (isApproximate(form.encoding) && close(a[0], b[0]) && close(a[1], b[1])) continue;
    if (a[0] !== b[0] || a[1] !== b[1]) {
      found.push(`xmm${i} is ${a.map(hex)}, processor ${b.map(hex)}`);
    }
  }
  if (native.signal === 0) {
    note("rax", ours.rax, native.rax);
    note("rflags", ours.rflags & 0x8d5, native.rflags & 0x8d5);
  }
  for (let i = 0; i < 128; i++) note(`memory[${i}]`, ours.bytes[ours.memoryOffset + i], native.bytes[native.memoryOffset + i]);
  if (found.length === 0) return "";
  const code = [...before.bytes.subarray(1, 1 + before.bytes[0])].map((b) => b.toString(16).padStart(2, "0")).join(" ");
  const inputs = [0, 1, 2].map((i) => before.xmm(i).map(hex).join()).join(" | ");
  return `${code} mxcsr ${hex(before.mxcsr)} rax ${hex(before.rax)}: ${found.join("; ")}; xmm0-2 ${inputs}`;
}
/** Both pairs of binary32 equal or within the manual's error bound of each other (1.5 · 2^-12 each). */
function close(a: bigint, b: bigint): boolean {
  const floats = (v: bigint): Float32Array => new Float32Array(new BigUint64Array([v]).buffer);
  const [f, g] = [floats(a), floats(b)];
  return [0, 1].every((i) => Object.is(f[i], g[i]) || Math.abs(f[i] - g[i]) <= Math.abs(g[i]) * 3 * 2 ** -12);
}

/** `count` cases of each form, `each` of them with the same instruction. */
function compareAll(machine: Machine, chosen: readonly Form[], count: number, each: number, seed: number): string[] {
  const random = new Random(seed);
  const cases = makeCases(count * chosen.length);
  const prepared: Prepared[] = [];
  for (const [i, c] of cases.entries()) {
    prepared.push(prepare(random, chosen[Math.floor(i / count)], c, i % each === 0 ? undefined : prepared[i - 1]));
  }
  const native = runNative(cases);
  const found: string[] = [];
  cases.forEach((c, i) => {
    const form = chosen[Math.floor(i / count)];
    const ours = makeCases(1)[0];
    ours.bytes.set(c.bytes);
    runOurs(machine, form, prepared[i], ours);
    const text = differences(form, c, ours, native[i]);
    if (text !== "" && found.length < 8) found.push(`${form.name}: ${text}`);
  });
  return found;
}

const machine = new Machine("interp");
const translating = new Machine("jit");

describe.skipIf(!hasOracle)("SSE equals the processor", () => {
  const families = new Map<string, Form[]>();
  for (const form of forms) {
    const list = families.get(form.encoding.mnemonic);
    if (list === undefined) families.set(form.encoding.mnemonic, [form]);
    else list.push(form);
  }
  let index = 0;
  for (const [mnemonic, list] of families) {
    const seed = SEED * 7919 + index++;
    test(mnemonic, () => expect(compareAll(machine, list, CASES, 1, seed)).toEqual([]));
    test(`${mnemonic}, translated`, () => {
      const before = translating.cpu.jitStats?.regions ?? 0;
      const count = Math.max(CASES >> 1, 1);
      expect(compareAll(translating, list, count, Math.min(count, 15), seed + 1)).toEqual([]);
      expect(translating.cpu.jitStats?.regions).toBeGreaterThan(before);
    });
  }
});

describe("faults of SSE instructions", () => {
  const END = DATA + PAGE_SIZE;
  for (const m of [machine, translating]) {
    const engine = m === machine ? "cold" : "translated";
    const { cpu, ram } = m;
    const last16 = m.dataHost + PAGE_SIZE - 16;
    const setUp = (rdi: number): void => {
      cpu.registers.reset();
      cpu.registers.setNumber(RDI, rdi);
      for (let i = 0; i < 4; i++) ram.u64[VECTOR / 8 + i * 4] = ram.u64[VECTOR / 8 + i * 4 + 1] = 0x0102030405060708n * BigInt(i + 1);
      ram.u8.fill(0xcc, last16, last16 + 16);
    };
    const bytesLeft = (): number[] => [...ram.u8.subarray(last16, last16 + 16)];

    test(`a store into a missing page stores nothing, ${engine}`, () => {
      setUp(END - 8);
      expect(m.run([0x0f, 0x11, 0x07])).toBe(EXIT_PAGE_FAULT); // movups [rdi], xmm0
      expect(cpu.faultAddress).toBe(END);
      expect(bytesLeft()).toEqual(new Array(16).fill(0xcc));
    });
    test(`a load from a missing page leaves the register and MXCSR, ${engine}`, () => {
      setUp(END - 4);
      const before = ram.u64[VECTOR / 8];
      expect(m.run([0xf2, 0x0f, 0x5e, 0x07])).toBe(EXIT_PAGE_FAULT); // divsd xmm0, [rdi]
      expect(ram.u64[VECTOR / 8]).toBe(before);
      expect(cpu.registers.mxcsr).toBe(0x1f80);
    });
    test(`maskmovdqu stores the selected bytes only, ${engine}`, () => {
      setUp(END - 16);
      ram.u64[VECTOR / 8 + 4] = 0x8000_0000_0000_0080n;
      ram.u64[VECTOR / 8 + 5] = 0x80n;
      expect(m.run([0x66, 0x0f, 0xf7, 0xc1])).toBe(0); // maskmovdqu xmm0, xmm1
      expect(bytesLeft()).toEqual([8, ...new Array(6).fill(0xcc), 1, 8, ...new Array(7).fill(0xcc)]);
    });
    test(`maskmovdqu wants all of its bytes writable, ${engine}`, () => {
      setUp(END - 8);
      ram.u64[VECTOR / 8 + 4] = 0x80n;
      ram.u64[VECTOR / 8 + 5] = 0n;
      expect(m.run([0x66, 0x0f, 0xf7, 0xc1])).toBe(EXIT_PAGE_FAULT);
      expect(cpu.faultAddress).toBe(END);
      expect(bytesLeft()).toEqual(new Array(16).fill(0xcc));
    });
    test(`maskmovdqu honours the address size, ${engine}`, () => {
      setUp(END - 8);
      ram.u64[VECTOR / 8 + 4] = 0x80n;
      expect(m.run([0x67, 0x66, 0x0f, 0xf7, 0xc1])).toBe(EXIT_PAGE_FAULT);
      expect(cpu.faultAddress).toBe((END - 8) % 2 ** 32);
    });
  }
});
