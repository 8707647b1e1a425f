/** Loops of random floating-point instructions, translated and on the cold engine: what a region takes for known about its registers
 *  and about MXCSR (tame.ts, float-mode.ts) must hold whatever the numbers are. Single instructions are compared with the processor in
 *  instructions/sse.test.ts.
 *  MENIOS_FLOAT_LOOPS sets how many, MENIOS_SEED the seed. */
import { describe, expect, test } from "vitest";
import { CodeGuard } from "../../memory/code-guard.ts";
import { FrameAllocator } from "../../memory/frames.ts";
import { Mmu } from "../../memory/mmu.ts";
import { PageTables } from "../../memory/page-table.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import { PTE_PRESENT, PTE_USER, PTE_WRITABLE } from "../../memory/pte.ts";
import { Ram } from "../../memory/ram.ts";
import { Tlb } from "../../memory/tlb.ts";
import { helperBytes, Random, randomF32, randomF64, randomF80 } from "../assembly/oracle.ts";
import { ColdCpu, type Engine } from "../cold/engine.ts";
import { HandlerTable } from "../cold/handler-table.ts";
import { buildColdModule } from "../cold/handlers.ts";
import { EXIT_BUDGET, EXIT_CONTINUE } from "../exit.ts";
import { gprAddress, RAX, RCX, RDI, VECTOR, VECTOR_STRIDE, X87_CONTROL, X87_OPERAND, X87_REGISTERS, X87_TOP, X87_VALID } from "../state.ts";
import "../instructions/index.ts";

const SEED = Number(process.env.MENIOS_SEED ?? 1);
const LOOPS = Number(process.env.MENIOS_FLOAT_LOOPS ?? 120);
const CODE = 0x40_0000, DATA = 0x500_0000;
/** Room for one case. */
const SLOT = 256;
const CODE_PAGES = Math.ceil((LOOPS * SLOT) / PAGE_SIZE);
const modules = { cold: new WebAssembly.Module(buildColdModule(new HandlerTable())), helpers: new WebAssembly.Module(await helperBytes()) };

class Machine {
  readonly ram = new Ram(0x200_0000);
  readonly cpu: ColdCpu;
  readonly #codeHosts: number[] = [];
  #next = 0;
  readonly dataHost: number;
  constructor(engine: Engine) {
    const { ram } = this;
    const frames = new FrameAllocator(ram), tlb = new Tlb(ram), guard = new CodeGuard(frames, tlb);
    const tables = new PageTables(ram, frames), mmu = new Mmu(ram, frames, tlb, guard), root = tables.createRoot();
    const map = (address: number, bits: number): number => {
      const frame = frames.allocZeroed();
      tables.map(root, address, frame, PTE_PRESENT | PTE_USER | bits, 0);
      return frame * PAGE_SIZE;
    };
    for (let i = 0; i < CODE_PAGES; i++) this.#codeHosts.push(map(CODE + i * PAGE_SIZE, 0));
    this.dataHost = map(DATA, PTE_WRITABLE);
    mmu.activate(root, { resolveFault: () => 1 });
    this.cpu = new ColdCpu(ram, mmu, modules, { engine, translateEagerly: true });
  }
  /** Runs the case to its end; everything that is left, as text. */
  run({ code, mxcsr, registers, data, turns, budgets, stack }: Case): string {
    const { cpu, ram } = this;
    // Every case in a place of its own: what was learnt about another must not matter.
    const at = this.#next++ * SLOT, host = this.#codeHosts[Math.floor(at / PAGE_SIZE)] + (at % PAGE_SIZE);
    ram.u8.fill(0x06, host, host + SLOT);
    ram.u8.set(code, host);
    ram.u64.set(data, this.dataHost / 8);
    cpu.registers.reset();
    cpu.registers.mxcsr = mxcsr;
    cpu.registers.rip = CODE + at;
    cpu.registers.setNumber(RCX, turns);
    cpu.registers.setNumber(RDI, DATA);
    registers.forEach((half, i) => { ram.u64[(VECTOR + (i >> 1) * VECTOR_STRIDE) / 8 + (i & 1)] = half; });
    if (stack !== undefined) {
      ram.view.setUint16(X87_CONTROL, stack.control, true);
      ram.view.setUint16(X87_TOP, stack.top, true);
      ram.view.setUint16(X87_VALID, stack.valid, true);
      stack.registers.forEach((value, n) => { ram.u8.set(value, X87_REGISTERS + 16 * n); });
    }
    let retired = 0, kind: number = EXIT_CONTINUE;
    for (let i = 0; kind === EXIT_CONTINUE || kind === EXIT_BUDGET; i++) {
      kind = cpu.run(budgets[i % budgets.length]);
      retired += cpu.retired;
    }
    const halves = registers.map((_, i) => ram.u64[(VECTOR + (i >> 1) * VECTOR_STRIDE) / 8 + (i & 1)].toString(16));
    const memory = [...ram.u64.subarray(this.dataHost / 8, this.dataHost / 8 + data.length)].map((v) => v.toString(16));
    const { rip, rflags } = cpu.registers;
    return JSON.stringify({ kind, detail: cpu.detail, rip, rflags, mxcsr: cpu.registers.mxcsr, rax: String(ram.u64[gprAddress(RAX) / 8]), rcx: String(ram.u64[gprAddress(RCX) / 8]), retired, halves, memory, x87: stack && Buffer.from(ram.u8.subarray(X87_REGISTERS, X87_OPERAND + 8)).toString("hex") });
  }
}


interface Case {
  readonly code: readonly number[];
  readonly mxcsr: number;
  readonly registers: readonly bigint[];
  readonly data: BigUint64Array;
  readonly turns: number;
  readonly budgets: readonly number[];
  readonly stack?: { readonly control: number; readonly top: number; readonly valid: number; readonly registers: readonly Uint8Array[] };
}

const RM = 8;
/** Prefix, opcode bytes, and what follows; all with ModRM, register or memory. */
const ARITHMETIC = [0x58, 0x59, 0x5c, 0x5e, 0x5d, 0x5f, 0x51];
const PREFIXES: readonly (readonly number[])[] = [[0xf2], [0xf3], [0x66], []];
const MIXED: readonly (readonly number[])[] = [
  [0x66, 0x0f, 0x28], [0x0f, 0x28], [0xf2, 0x0f, 0x10], [0xf3, 0x0f, 0x10], [0xf2, 0x0f, 0x11], [0xf3, 0x0f, 0x11], [0xf3, 0x0f, 0x7e],
  [0x66, 0x0f, 0x14], [0x66, 0x0f, 0x15], [0x0f, 0x14], [0x66, 0x0f, 0x57], [0x0f, 0x57], [0x66, 0x0f, 0x2e], [0x0f, 0x2f],
  [0xf2, 0x0f, 0x5a], [0xf3, 0x0f, 0x5a], [0x66, 0x0f, 0x5a], [0x0f, 0x5a], [0xf2, 0x0f, 0x12], [0x66, 0x0f, 0x7c], [0xf2, 0x0f, 0x7d],
  [0x66, 0x0f, 0xd0], [0x66, 0x0f, 0x6f], [0x66, 0x0f, 0xef], [0x66, 0x0f, 0xd4], [0x66, 0x0f, 0x16], [0x0f, 0x12], [0xf3, 0x0f, 0xe6],
];
const IMMEDIATE: readonly (readonly number[])[] = [
  [0x66, 0x0f, 0xc6], [0x0f, 0xc6], [0x66, 0x0f, 0x70], [0xf2, 0x0f, 0xc2], [0xf3, 0x0f, 0xc2], [0x66, 0x0f, 0xc2], [0x66, 0x0f, 0x3a, 0x0b],
  [0x66, 0x0f, 0x3a, 0x41], [0x66, 0x0f, 0x3a, 0x40],
];

function instructionOf(random: Random): number[] {
  const few = (): number => random.below(5);
  const kind = random.below(20);
  const isMemory = random.below(3) === 0;
  const modRM = isMemory ? [0x47 | (few() << 3), random.below(6) * 16] : [0xc0 | (few() << 3) | few()];
  if (kind < 10) return [...random.pick(PREFIXES), 0x0f, random.pick(ARITHMETIC), ...modRM];
  if (kind < 15) {
    const opcode = random.pick(MIXED);
    // movlpd and movhpd have memory forms only, movhlps and movlhps the others.
    if (opcode[0] === 0x66 && opcode[2] === 0x16) return [...opcode, 0x47 | (few() << 3), random.below(6) * 16];
    return [...opcode, ...modRM];
  }
  if (kind < 17) {
    const opcode = random.pick(IMMEDIATE);
    return [...opcode, ...modRM, random.below(opcode[2] === 0xc2 ? 8 : 256)];
  }
  if (kind === 17) return [0xf2, 0x48, 0x0f, random.pick([0x2a, 0x2c, 0x2d]), 0xc0 | random.below(5)]; // between rax and xmm
  if (kind === 18) return [0x0f, 0xae, 0x57, 0x70 + 4 * random.below(4)]; // ldmxcsr
  return [0x0f, random.pick([0x97, 0x92, 0x9a, 0x94]), 0xc0]; // set al by the flags of a comparison
}
/** Control and flags of ordinary programs, mostly. */
function mxcsrOf(random: Random): number {
  const masks = random.below(12) === 0 ? random.below(64) << 7 : 0x1f80;
  return masks | (random.below(4) === 0 ? 0x8040 : 0) | (random.below(6) === 0 ? random.below(4) << 13 : 0) | (random.below(4) === 0 ? 0 : 0x20);
}
/** What most numbers of a case are like. */
type Kind = "small" | "brink" | "edge";
function halfOf(random: Random, tameness: number, kind: Kind): bigint {
  if (random.below(tameness) === 0) return random.below(2) === 0 ? randomF64(random) : BigInt(randomF32(random)) | (BigInt(randomF32(random)) << 32n);
  // On the brink: products and quotients of such numbers, or sums of the smallest, are denormal in one width or the other.
  if (kind === "brink" && random.below(2) === 0) {
    const sign = BigInt(random.below(2)) << 63n, fraction = random.u64() & 0xf_ffff_e000_0000n;
    if (random.below(3) === 0) return BigInt(0x2000_0000 + random.below(0x200_0000)) * 0x1_0000_0001n;
    return sign | (BigInt(random.pick([1, 2, 3, 508, 511, 512, 514])) << 52n) | fraction;
  }
  // At the edges of what is modest, in one width or both: results are as large and small as results of modest numbers can be.
  if (kind === "edge" && random.below(8) > 0) {
    const single = (): bigint => (BigInt(random.below(2)) << 31n) | (BigInt(random.pick([96, 96, 97, 127, 158, 159, 159])) << 23n) | BigInt(random.below(2) * random.below(0x80_0000));
    if (random.below(2) === 0) return single() | (single() << 32n);
    return (BigInt(random.below(2)) << 63n) | (BigInt(random.pick([768, 768, 769, 1023, 1278, 1279, 1279, random.below(4) === 0 ? random.pick([400, 767, 1280, 1790]) : 1279])) << 52n) | (random.u64() & (random.below(2) === 0 ? 0n : 0xf_ffff_ffff_ffffn));
  }
  const small = (random.below(2000) - 1000) / 8;
  return new BigUint64Array(new Float64Array([small === 0 ? 1.5 : small]).buffer)[0];
}
function makeCase(random: Random): Case {
  const body: number[] = [];
  const tameness = random.pick([1, 4, 30, 1000, 1000]), kind = random.pick<Kind>(["small", "brink", "edge"]), count = 2 + random.below(10), changesMode = random.below(4) === 0;
  const starts: number[] = [];
  for (let i = 0; i < count; ) {
    const next = instructionOf(random);
    if (next[1] === 0xae && !changesMode) continue;
    starts.push(body.length);
    // Some are jumped over in every other turn: test $1, cl.
    if (random.below(6) === 0) body.push(0xf6, 0xc1, 1, 0x74, next.length);
    body.push(...next);
    i++;
  }
  const again = -(body.length + 9);
  // loop: body; dec rcx; jnz loop
  body.push(0x48, 0xff, 0xc9, 0x0f, 0x85, again & 0xff, (again >> 8) & 0xff, 0xff, 0xff);
  const data = BigUint64Array.from({ length: 16 }, () => halfOf(random, tameness, kind));
  const modes = new DataView(data.buffer);
  for (let i = 0; i < 4; i++) modes.setUint32(0x70 + 4 * i, mxcsrOf(random), true);
  return {
    code: body, mxcsr: mxcsrOf(random), registers: Array.from({ length: RM * 2 }, () => halfOf(random, tameness, kind)), data,
    turns: random.pick([1, 3, 40, 300]), budgets: random.below(3) === 0 ? [7, 30, 100] : [1_000_000],
  };
}

/** An x87 instruction, and by how much the stack grows. `depth` registers are in use. */
function stackInstruction(random: Random, depth: number, mayFault: boolean): readonly [code: number[], grows: number] {
  const i = random.below(mayFault ? 8 : depth), memory = 16 * random.below(6), kind = random.below(24);
  if (depth < 7 && kind < 6) {
    const load = random.pick([[0xd9, 0x47, memory], [0xdd, 0x47, memory], [0xdb, 0x6f, memory], [0xdb, 0x47, memory], [0xdf, 0x6f, memory], [0xdf, 0x47, memory], [0xd9, 0xe8], [0xd9, 0xee], [0xd9, 0xc0 | i], [0xd9, 0xc0 | i]]);
    return [load, 1];
  }
  if (depth > 1 && kind < 12) {
    const pop = random.pick([[0xd9, 0x5f, memory], [0xdd, 0x5f, memory], [0xdb, 0x7f, memory], [0xdd, 0xd8 | i], [0xdf, 0xf0 | i], [0xdf, 0xe8 | i], [0xde, 0xc0 | i], [0xde, 0xc8 | i], [0xde, 0xe0 | i], [0xde, 0xe8 | i], [0xde, 0xf0 | i], [0xde, 0xf8 | i]]);
    return [pop, -1];
  }
  const digit = random.pick([0, 1, 4, 5, 6, 7]) << 3;
  return [random.pick([
    [0xd8, 0xc0 | digit | i], [0xdc, 0xc0 | digit | i], [0xd8, 0x47 | digit, memory], [0xdc, 0x47 | digit, memory], [0xda, 0x47 | digit, memory], [0xde, 0x47 | digit, memory],
    [0xd9, 0xc8 | i], [0xd9, 0xc8 | i], [0xd9, 0xe0], [0xd9, 0xe1], [0xdd, 0xd0 | i], [0xdb, 0xf0 | i], [0xdb, 0xe8 | i], [0xd9, 0x57, memory], [0xdd, 0x57, memory],
    random.below(10) === 0 ? [0xd9, 0xfa] : [0xd9, 0xc9],
  ]), 0];
}
function makeStackCase(random: Random): Case {
  const base = makeCase(random), tameness = random.pick([1, 6, 1000, 1000]), mayFault = random.below(4) === 0;
  const first = 2 + random.below(4), body: number[] = [];
  let depth = first;
  for (let left = 3 + random.below(12); left > 0 || (depth !== first && !mayFault); left--) {
    const [code, grows] = stackInstruction(random, depth, mayFault);
    if (left <= 0 && Math.sign(first - depth) !== grows) continue;
    // Jumped over in every other turn.
    if (grows === 0 && random.below(6) === 0) body.push(0xf6, 0xc1, 1, 0x74, code.length);
    body.push(...code);
    depth += grows;
  }
  if (random.below(4) === 0) body.push(0x0f, random.pick([0x97, 0x92, 0x9a, 0x94]), 0xc0); // set al
  const again = -(body.length + 9);
  body.push(0x48, 0xff, 0xc9, 0x0f, 0x85, again & 0xff, (again >> 8) & 0xff, 0xff, 0xff);
  const top = random.below(8);
  const registers = Array.from({ length: 8 }, () => {
    const value = new Uint8Array(16), view = new DataView(value.buffer);
    if (random.below(tameness) === 0) {
      const [significand, signExponent] = randomF80(random);
      view.setBigUint64(0, significand, true);
      view.setUint16(8, signExponent, true);
    } else {
      view.setBigUint64(0, random.u64() | (1n << 63n), true);
      view.setUint16(8, (random.below(2) << 15) | (16383 - 40 + random.below(80)), true);
    }
    return value;
  });
  let valid = 0;
  for (let i = 0; i < first; i++) valid |= 1 << ((top + i) & 7);
  const control = random.below(5) === 0 ? 0x40 | random.below(0x40) | (random.below(16) << 8) : 0x37f;
  return { ...base, code: body, turns: random.pick([1, 3, 40, 100]), stack: { control, top, valid, registers } };
}

describe("loops of random x87 instructions leave the same on both engines", () => {
  for (let part = 0; part < 4; part++) {
    test(`part ${part}`, () => {
      const random = new Random(SEED * 37 + part), cold = new Machine("interp"), translated = new Machine("jit");
      for (let i = 0; i < LOOPS; i++) {
        const made = makeStackCase(random);
        const wanted = cold.run({ ...made, data: made.data.slice() });
        const got = translated.run({ ...made, data: made.data.slice() });
        expect(got, `loop ${i}: ${made.code.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`).toBe(wanted);
      }
      expect(translated.cpu.jitStats?.regions).toBeGreaterThan(LOOPS >> 2);
    });
  }
});

describe("loops of random float instructions leave the same on both engines", () => {
  for (let part = 0; part < 4; part++) {
    test(`part ${part}`, () => {
      const random = new Random(SEED * 31 + part), cold = new Machine("interp"), translated = new Machine("jit");
      for (let i = 0; i < LOOPS; i++) {
        const made = makeCase(random);
        const wanted = cold.run({ ...made, data: made.data.slice() });
        const got = translated.run({ ...made, data: made.data.slice() });
        expect(got, `loop ${i}: ${made.code.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`).toBe(wanted);
      }
      expect(translated.cpu.jitStats?.regions).toBeGreaterThan(LOOPS >> 2);
    });
  }
});
