/** Every x87, MXCSR and MMX row on the cold engine against the processor: registers, tags, status, memory, MXCSR, RFLAGS, rax and
 *  which signal. Pending exceptions are among the cases. Results of transcendental functions may differ in the last place.
 *  MENIOS_FP_CASES sets the cases per encoding form, MENIOS_SEED the seed. */
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
import { hasOracle, helperBytes, makeCases, type OracleCase, Random, randomF32, randomF64, randomF80, runNative } from "../assembly/oracle.ts";
import { ColdCpu } from "../cold/engine.ts";
import { HandlerTable } from "../cold/handler-table.ts";
import { buildColdModule } from "../cold/handlers.ts";
import { EXIT_BUDGET, EXIT_EXCEPTION, EXIT_PAGE_FAULT } from "../exit.ts";
import {
  MXCSR, RAX, RDI, SCRATCH_A, VECTOR, VECTOR_STRIDE, X87_CONTROL, X87_INSTRUCTION, X87_OPERAND, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID,
} from "../state.ts";
import { allEncodings, type Encoding } from "./define.ts";
import "./x87.ts";
import "./mmx.ts";

const SEED = Number(process.env.MENIOS_SEED ?? 1);
const CASES = Number(process.env.MENIOS_FP_CASES ?? 30);

const CODE = 0x40_0000;
const CODE_PAGES = 16;
const DATA = 0x7f_0000_0000;
/** The page after DATA is not there: cases with a fault use its end. */
const OPERAND = DATA + 0x200;
const SLOT = 64;
const SIGILL = 4;
const SIGFPE = 8;

class Machine {
  readonly ram = new Ram(0x200_0000);
  readonly cpu: ColdCpu;
  readonly codeHost: number[] = [];
  readonly dataHost: number;
  #next = 0;
  constructor(cold: Uint8Array, helpers: Uint8Array) {
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
    this.cpu = new ColdCpu(ram, mmu, { cold: new WebAssembly.Module(cold as BufferSource), helpers: new WebAssembly.Module(helpers as BufferSource) });
    expect(mmu.translate(CODE, EXECUTE)).toBe(this.codeHost[0]);
  }
  /** Address of a fresh place for `code`. */
  place(code: readonly number[]): number {
    if (this.#next === CODE_PAGES * PAGE_SIZE) {
      this.cpu.code.flush();
      this.#next = 0;
    }
    const host = this.codeHost[this.#next >>> 12] + (this.#next & 0xfff);
    this.ram.u8.fill(0x06, host, host + SLOT); // 06 is undefined in 64-bit mode
    this.ram.u8.set(code, host);
    const address = CODE + this.#next;
    this.#next += SLOT;
    return address;
  }
}

const machine = new Machine(buildColdModule(new HandlerTable()), await helperBytes());
const { ram, cpu } = machine;

interface Form { readonly encoding: Encoding; readonly memory: boolean; readonly name: string }
const isFxArea = (e: Encoding): boolean => e.mnemonic.startsWith("fxsave") || e.mnemonic.startsWith("fxrstor");
const forms: Form[] = [];
for (const encoding of allEncodings()) {
  if (isFxArea(encoding)) continue;
  const rm = encoding.operands.find((o) => o.source === "rm");
  for (const memory of [false, true]) {
    if (memory ? rm?.allowsMemory === true : rm?.allowsRegister !== false) {
      forms.push({ encoding, memory, name: `${encoding.mnemonic}: ${encoding.row}${encoding.size === 0 ? "" : `, ${encoding.size} bits`}, ${memory ? "memory" : "register"}` });
    }
  }
}
const TRANSCENDENTAL = new Set(["f2xm1", "fyl2x", "fyl2xp1", "fsin", "fcos", "fsincos", "fptan", "fpatan"]);

/** Bytes of one instance with random registers; memory is [rdi + displacement]. */
function encode(random: Random, { encoding: e, memory }: Form, displacement: number): number[] {
  let reg = Math.max(e.digit, 0), rm = 7;
  for (const o of e.operands) {
    const number = o.class === "gpr" ? 0 : random.below(8);
    if (o.source === "reg") reg = number;
    if (o.source === "st" || (o.source === "rm" && !memory)) rm = number;
  }
  const prefix = typeof e.prefix === "number" ? [e.prefix] : e.size === 16 ? [0x66] : [];
  const rex = e.rexW === 1 || e.size === 64 ? [0x48] : [];
  const opcodeMap = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][e.map];
  const head = [...prefix, ...rex, ...opcodeMap, e.opcode];
  if (!e.hasModRM) return head;
  const modRM = e.modRM >= 0 ? e.modRM : (memory ? 0x40 : 0xc0) | (reg << 3) | rm;
  return [...head, modRM, ...(memory ? [displacement & 0xff] : []), ...(e.operands.some((o) => o.class === "imm") ? [random.below(4) === 0 ? random.below(256) : random.below(20)] : [])];
}

function randomMemory(random: Random, c: OracleCase, { encoding: e }: Form): void {
  const at = c.memoryOffset;
  for (let i = 0; i < 128; i += 8) c.view.setBigUint64(at + i, random.u64(), true);
  if (random.below(3) === 0) return;
  if (e.mnemonic.startsWith("fi")) c.view.setBigInt64(at, BigInt(random.below(2001) - 1000), true);
  else if (e.mnemonic === "fbld") for (let i = 0; i < 9; i++) c.bytes[at + i] = random.below(10) * 16 + random.below(10);
  else if (e.operands[0]?.width === 80) {
    const [m, se] = randomF80(random);
    c.view.setBigUint64(at, m, true);
    c.view.setUint16(at + 8, se, true);
  } else if (e.operands[0]?.width === 32) c.view.setUint32(at, randomF32(random), true);
  else if (e.mnemonic === "ldmxcsr") c.view.setUint32(at, random.below(0x10000), true);
  else c.view.setBigUint64(at, randomF64(random), true);
}

function randomize(random: Random, c: OracleCase, form: Form): void {
  c.code = encode(random, form, 0);
  const fx = c.fxOffset;
  const masks = random.below(3) === 0 ? random.below(64) : 0x3f;
  c.view.setUint16(fx, 0x40 | masks | (random.pick([0, 2, 3, 3]) << 8) | (random.below(4) << 10), true);
  // One case in eight may have an unmasked exception pending.
  const flags = random.below(8) === 0 ? random.below(128) : random.below(2) === 0 ? 0 : random.below(128) & (masks | 0x40);
  const summary = (flags & ~masks & 0x3f) !== 0 ? 0x8080 : 0;
  const top = random.below(8);
  c.view.setUint16(fx + 2, (random.below(0x10000) & 0x4700) | flags | summary | (top << 11), true);
  let valid = random.below(256);
  if (random.below(4) !== 0) {
    valid = 0;
    const depth = 3 + random.below(5);
    for (let i = 0; i < depth; i++) valid |= 1 << ((top + i) & 7);
  }
  c.bytes[fx + 4] = valid;
  for (let i = 0; i < 8; i++) {
    const [m, se] = randomF80(random);
    c.view.setBigUint64(fx + 32 + i * 16, m, true);
    c.view.setUint16(fx + 40 + i * 16, se, true);
  }
  c.mxcsr = (random.below(4) << 13) | (random.below(4) === 0 ? 0x8000 : 0) | (random.below(4) === 0 ? 0x40 : 0) | (random.below(4) === 0 ? random.below(64) << 7 : 0x1f80);
  for (let i = 0; i < 8; i++) {
    const slot = (): bigint => (random.below(2) === 0 ? randomF64(random) : BigInt(randomF32(random)) | (BigInt(randomF32(random)) << 32n));
    c.setXmm(i, slot(), slot());
  }
  // Shift counts and small numbers in MMX registers now and then.
  if (random.below(3) === 0) c.view.setBigUint64(fx + 32 + random.below(8) * 16, BigInt(random.below(70)), true);
  c.rax = random.u64();
  c.rflags = 0x202 | (random.below(0x1000) & 0x8d5);
  randomMemory(random, c, form);
}

interface Outcome { signal: number; control: number; status: number; top: number; valid: number; registers: string[]; mxcsr: number; xmm: string; rax: bigint; rflags: number; memory: string }
const hex = (value: bigint | number, n = 16): string => value.toString(16).padStart(n, "0");
const FLAGS = 0x8d5;

function outcomeOf(view: DataView, signal: number, status: number, register: (i: number) => number, xmm: (i: number) => number, memory: Uint8Array, rest: Pick<Outcome, "control" | "valid" | "mxcsr" | "rax" | "rflags">): Outcome {
  const registers = Array.from({ length: 8 }, (_, i) => `${hex(view.getUint16(register(i) + 8, true), 4)}:${hex(view.getBigUint64(register(i), true))}`);
  const vectors = Array.from({ length: 8 }, (_, i) => `${hex(view.getBigUint64(xmm(i) + 8, true))}${hex(view.getBigUint64(xmm(i), true))}`);
  return {
    ...rest, signal, status: status & ~0x3800, top: (status >> 11) & 7, registers, xmm: vectors.join(" "),
    memory: Array.from(memory, (byte) => hex(byte, 2)).join(""),
  };
}
function nativeOutcome(c: OracleCase): Outcome {
  const fx = c.fxOffset, { view } = c;
  return outcomeOf(view, c.signal, view.getUint16(fx + 2, true), (i) => fx + 32 + i * 16, (i) => fx + 160 + i * 16,
    c.bytes.subarray(c.memoryOffset, c.memoryOffset + 128),
    { control: view.getUint16(fx, true), valid: c.bytes[fx + 4], mxcsr: c.mxcsr, rax: c.rax, rflags: c.rflags & FLAGS });
}

function load(c: OracleCase, operand: number): void {
  const fx = c.fxOffset, { view } = ram;
  const status = c.view.getUint16(fx + 2, true), top = (status >> 11) & 7;
  view.setUint16(X87_CONTROL, c.view.getUint16(fx, true), true);
  view.setUint16(X87_STATUS, status & ~0x3800, true);
  view.setUint16(X87_TOP, top, true);
  view.setUint16(X87_VALID, c.bytes[fx + 4], true);
  for (let i = 0; i < 8; i++) ram.u8.set(c.bytes.subarray(fx + 32 + i * 16, fx + 42 + i * 16), X87_REGISTERS + ((top + i) & 7) * 16);
  for (let i = 0; i < 8; i++) ram.u8.set(c.bytes.subarray(fx + 160 + i * 16, fx + 176 + i * 16), VECTOR + i * VECTOR_STRIDE);
  view.setUint32(MXCSR, c.mxcsr, true);
  const { registers } = cpu;
  registers.set(RAX, Number(c.rax & 0xffffffffn), Number(c.rax >> 32n));
  registers.setNumber(RDI, operand);
  registers.rflags = c.rflags;
  ram.u8.set(c.bytes.subarray(c.memoryOffset, c.memoryOffset + 128), machine.dataHost + 0x200);
}

function run(c: OracleCase): Outcome {
  load(c, OPERAND);
  // FP_FAST is derived: written by the helper that owns it, as ldmxcsr would.
  ram.view.setUint32(SCRATCH_A, 0, true);
  const start = machine.place(Array.from(c.bytes.subarray(1, 1 + c.bytes[0])));
  cpu.registers.rip = start;
  const kind = cpu.run(1);
  let signal = 0;
  if (kind === EXIT_EXCEPTION) signal = cpu.detail === 6 ? SIGILL : cpu.detail === 16 || cpu.detail === 19 ? SIGFPE : 11;
  else if (kind !== EXIT_BUDGET) signal = 99;
  expect(cpu.registers.rip).toBe(signal === 0 ? start + c.bytes[0] : start);
  return readOutcome(signal);
}
function readOutcome(signal: number): Outcome {
  const { view } = ram, top = view.getUint16(X87_TOP, true);
  return outcomeOf(view, signal, view.getUint16(X87_STATUS, true) | (top << 11), (i) => X87_REGISTERS + ((top + i) & 7) * 16,
    (i) => VECTOR + i * VECTOR_STRIDE, ram.u8.subarray(machine.dataHost + 0x200, machine.dataHost + 0x280),
    {
      control: view.getUint16(X87_CONTROL, true), valid: view.getUint16(X87_VALID, true), mxcsr: view.getUint32(MXCSR, true),
      rax: (BigInt(cpu.registers.high(RAX)) << 32n) | BigInt(cpu.registers.low(RAX)), rflags: cpu.registers.rflags & FLAGS,
    });
}

/** Blanks what is not compared: see the comments. */
function comparable(o: Outcome, form: Form): Outcome {
  const { mnemonic, size } = form.encoding;
  const result = { ...o };
  // Instruction and operand pointers in memory: this processor records selectors and opcodes, we do not.
  if (mnemonic === "fnstenv" || mnemonic === "fnsave") {
    const [from, to] = size === 16 ? [6, 14] : [12, 28];
    result.memory = o.memory.slice(0, 2 * from) + o.memory.slice(2 * to);
  }
  // An unmasked #XM of CVTPS2PI and the like leaves this processor in MMX state; the manual says nothing has changed.
  if (o.signal === SIGFPE && /^cvtt?p[sd]2pi|^cvtpi2ps/.test(mnemonic)) {
    result.status = 0;
    result.top = 0;
    result.valid = 0;
    result.registers = [];
  }
  if (TRANSCENDENTAL.has(mnemonic)) {
    if (!o.registers[0].startsWith("ffff:c000000000000000")) result.status &= ~0x200;
    result.registers = o.registers.map((r, i) => (i < 2 ? "" : r));
  }
  return result;
}
const show = (o: Outcome): string => JSON.stringify(o, (_, v) => (typeof v === "bigint" || typeof v === "number" ? hex(v, 1) : v));

function distance(a: string, b: string): bigint {
  const ordinal = (r: string): bigint => ((BigInt(`0x${r.slice(0, 4)}`) & 0x7fffn) << 63n) | (BigInt(`0x${r.slice(5)}`) & 0x7fffffffffffffffn);
  const d = ordinal(a) - ordinal(b);
  return d < 0n ? -d : d;
}

describe.skipIf(!hasOracle)("x87 and MMX instructions equal the processor", () => {
  for (const [index, form] of forms.entries()) {
    test(form.name, () => {
      const random = new Random(SEED * 1000003 + index);
      const cases = makeCases(CASES);
      for (const c of cases) randomize(random, c, form);
      const expected = runNative(cases);
      const differences: string[] = [];
      cases.forEach((c, i) => {
        const before = nativeOutcome(c), wanted = nativeOutcome(expected[i]), got = run(c);
        const near = !TRANSCENDENTAL.has(form.encoding.mnemonic) || [0, 1].every((n) => distance(got.registers[n], wanted.registers[n]) <= 1n);
        if ((show(comparable(got, form)) !== show(comparable(wanted, form)) || !near) && differences.length < 2) {
          differences.push(`before ${show(before)}`, `got    ${show(got)}`, `wanted ${show(wanted)}`);
        }
      });
      expect(differences).toEqual([]);
    });
  }
});

describe("faults and images", () => {
  test("a store to a page that is not there changes nothing", () => {
    const stores = forms.filter((f) => f.memory && /^(f(n?st|ist|bst|nsave)|movntq|movd|movq|stmxcsr)/.test(f.encoding.mnemonic));
    expect(stores.length).toBeGreaterThan(15);
    const random = new Random(SEED);
    for (const form of stores) {
      const [c] = makeCases(1);
      randomize(random, c, form);
      c.view.setUint16(c.fxOffset + 2, 0, true);
      c.code = encode(random, form, 0);
      load(c, DATA + PAGE_SIZE - 1);
      const before = readOutcome(0);
      cpu.registers.rip = machine.place(Array.from(c.bytes.subarray(1, 1 + c.bytes[0])));
      const isLoad = form.encoding.operands[0].class === "mmx" && !form.encoding.operands[0].allowsMemory;
      expect(cpu.run(1), form.name).toBe(EXIT_PAGE_FAULT);
      expect(cpu.faultAddress).toBe(DATA + PAGE_SIZE);
      if (!isLoad) expect(show(readOutcome(0)), form.name).toBe(show(before));
    }
  });

  test("fxsave writes what fxrstor reads, and records the last instruction", () => {
    const [c] = makeCases(1);
    const form = forms.find((f) => f.encoding.row.startsWith("D8 /0   m32")) as Form;
    randomize(new Random(3), c, form);
    c.view.setUint16(c.fxOffset + 2, 0x4100 | (5 << 11), true);
    load(c, OPERAND);
    const add = machine.place([0xd8, 0x07]);
    cpu.registers.rip = add;
    expect(cpu.run(1)).toBe(EXIT_BUDGET);
    const before = readOutcome(0);
    const save = machine.place([0x48, 0x0f, 0xae, 0x47, 0x40]); // fxsave64 [rdi + 0x40]
    cpu.registers.rip = save;
    expect(cpu.run(1)).toBe(EXIT_BUDGET);
    const image = machine.dataHost + 0x240;
    expect(ram.view.getUint16(image + 2, true)).toBe(ram.view.getUint16(X87_STATUS, true) | (5 << 11));
    expect(Number(ram.view.getBigUint64(image + 8, true))).toBe(add);
    expect(Number(ram.view.getBigUint64(image + 16, true))).toBe(OPERAND);
    expect(ram.view.getUint32(image + 28, true)).toBe(0xffff);
    cpu.registers.rip = machine.place([0xdb, 0xe3]); // fninit
    cpu.run(1);
    ram.u8.fill(0, VECTOR, VECTOR + 16 * VECTOR_STRIDE);
    expect(readOutcome(0).registers).not.toEqual(before.registers);
    cpu.registers.rip = machine.place([0x48, 0x0f, 0xae, 0x4f, 0x40]); // fxrstor64 [rdi + 0x40]
    expect(cpu.run(1)).toBe(EXIT_BUDGET);
    expect({ ...readOutcome(0), memory: "" }).toEqual({ ...before, memory: "" });
    expect(Number(ram.view.getBigUint64(X87_INSTRUCTION, true))).toBe(add);
    expect(Number(ram.view.getBigUint64(X87_OPERAND, true))).toBe(OPERAND);
  });

  test("a misaligned image and reserved MXCSR bits are #GP", () => {
    const [c] = makeCases(1);
    load(c, OPERAND);
    for (const code of [[0x0f, 0xae, 0x47, 0x41], [0x0f, 0xae, 0x4f, 0x48]]) {
      cpu.registers.rip = machine.place(code);
      expect(cpu.run(1)).toBe(EXIT_EXCEPTION);
      expect(cpu.detail).toBe(13);
    }
    ram.view.setUint32(machine.dataHost + 0x200 + 24, 0x1_0000, true);
    cpu.registers.rip = machine.place([0x0f, 0xae, 0x0f]); // fxrstor [rdi]
    expect(cpu.run(1)).toBe(EXIT_EXCEPTION);
    ram.view.setUint32(machine.dataHost + 0x200, 0x1_0000, true);
    cpu.registers.rip = machine.place([0x0f, 0xae, 0x17]); // ldmxcsr [rdi]
    expect(cpu.run(1)).toBe(EXIT_EXCEPTION);
  });
});
