/** Random integer code with jumps, calls and accesses around page ends, translated and on the cold engine. What translated code hands on
 *  from block to block (where flags come from, questions asked about addresses, instructions not charged yet) must never show: both
 *  engines stop after the same instruction with the same registers, flags and memory, whatever the budget is.
 *  MENIOS_FLOWS sets how many, MENIOS_SEED the seed. */
import { describe, expect, test } from "vitest";
import { CodeGuard } from "../../memory/code-guard.ts";
import { FrameAllocator } from "../../memory/frames.ts";
import { Mmu } from "../../memory/mmu.ts";
import { PageTables } from "../../memory/page-table.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import { PTE_PRESENT, PTE_USER, PTE_WRITABLE } from "../../memory/pte.ts";
import { Ram } from "../../memory/ram.ts";
import { Tlb } from "../../memory/tlb.ts";
import { helperBytes, Random } from "../assembly/oracle.ts";
import { ColdCpu, type Engine } from "../cold/engine.ts";
import { HandlerTable } from "../cold/handler-table.ts";
import { buildColdModule } from "../cold/handlers.ts";
import { EXIT_BUDGET, EXIT_CONTINUE } from "../exit.ts";
import { gprAddress, RBP, RBX, RDI, RSI, RSP } from "../state.ts";
import "../instructions/index.ts";

const SEED = Number(process.env.MENIOS_SEED ?? 1);
const FLOWS = Number(process.env.MENIOS_FLOWS ?? 150);
const CODE = 0x40_0000, DATA = 0x500_0000;
/** Room for one case, and instructions after which it is left alone. */
const SLOT = 512, LIMIT = 1500;
const CODE_PAGES = Math.ceil((FLOWS * SLOT) / PAGE_SIZE);
const R12 = 12;
const modules = { cold: new WebAssembly.Module(buildColdModule(new HandlerTable())), helpers: new WebAssembly.Module(await helperBytes()) };

class Machine {
  readonly ram = new Ram(0x200_0000);
  readonly cpu: ColdCpu;
  readonly #codeHosts: number[] = [];
  /** Hosts of the data pages. */
  readonly #data: number[] = [];
  #next = 0;
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
    // Read only; writable; writable but elsewhere in RAM; two that lie together; nothing.
    this.#data.push(map(DATA, 0), map(DATA + PAGE_SIZE, PTE_WRITABLE));
    frames.allocZeroed();
    this.#data.push(map(DATA + 2 * PAGE_SIZE, PTE_WRITABLE), map(DATA + 3 * PAGE_SIZE, PTE_WRITABLE));
    mmu.activate(root, { resolveFault: () => 1 });
    this.cpu = new ColdCpu(ram, mmu, modules, { engine, translateEagerly: true });
  }
  /** Places the case and runs it: its state at every stop, as text. */
  run({ code, registers, fill, budgets }: Case): string[] {
    const { cpu, ram } = this;
    const at = this.#next++ * SLOT, host = this.#codeHosts[Math.floor(at / PAGE_SIZE)] + (at % PAGE_SIZE);
    ram.u8.fill(0x06, host, host + SLOT);
    ram.u8.set(code, host);
    for (const page of this.#data) for (let i = 0; i < PAGE_SIZE / 8; i++) ram.u64[page / 8 + i] = (BigInt(i) * 0x9e37_79b9_7f4a_7c15n + fill) & 0xffff_ffff_ffff_ffffn;
    cpu.registers.reset();
    cpu.registers.rip = CODE + at;
    registers.forEach((value, n) => { ram.u64[gprAddress(n) / 8] = value; });
    const stops: string[] = [];
    let retired = 0;
    for (let i = 0; retired < LIMIT; i++) {
      const kind = cpu.run(budgets[i % budgets.length]);
      retired += cpu.retired;
      const file = registers.map((_, n) => ram.u64[gprAddress(n) / 8].toString(16));
      let sum = 0n;
      for (const page of this.#data) for (let word = page / 8; word < (page + PAGE_SIZE) / 8; word++) sum = (sum * 31n + ram.u64[word]) & 0xffff_ffff_ffff_ffffn;
      stops.push(`${kind} ${cpu.registers.rip - CODE - at} ${cpu.registers.rflags.toString(16)} ${retired} ${file.join(" ")} memory ${sum.toString(16)}`);
      if (kind !== EXIT_CONTINUE && kind !== EXIT_BUDGET) {
        stops.push(`detail ${cpu.detail} fault ${cpu.faultAddress.toString(16)} ${cpu.faultErrorCode}`);
        return stops;
      }
      // Whether a run ends early for a reason of the engine's own is not the guest's affair.
      if (kind === EXIT_CONTINUE) stops.pop();
    }
    return stops;
  }
}

interface Case {
  readonly code: readonly number[];
  readonly registers: readonly bigint[];
  readonly fill: bigint;
  readonly budgets: readonly number[];
}

/** General registers for values, beside those that hold addresses. */
const VALUES = [0, 1, 2, 8, 9, 10];
const BASES = [RDI, RSI, RBX, RBP, RSP];
const ALU = [0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38];

interface Form { readonly rex: number; readonly modRM: readonly number[] }
/** ModRM for `reg` and a register or memory operand, with the REX bits of both. */
function form(random: Random, reg: number, memory: boolean): Form {
  const r = (reg >> 3) << 2;
  if (!memory) {
    const rm = random.pick(VALUES);
    return { rex: r | (rm >> 3), modRM: [0xc0 | ((reg & 7) << 3) | (rm & 7)] };
  }
  const base = random.pick(BASES), displacement = (random.below(14) * 8 - 48) & 0xff;
  if (random.below(4) === 0) return { rex: r | 2, modRM: [0x44 | ((reg & 7) << 3), (random.below(4) << 6) | ((R12 & 7) << 3) | base, displacement] };
  if (base === RSP) return { rex: r, modRM: [0x44 | ((reg & 7) << 3), 0x24, displacement] };
  return { rex: r, modRM: [0x40 | ((reg & 7) << 3) | base, displacement] };
}
function make(random: Random, opcode: readonly number[], reg: number, memory: boolean, tail: readonly number[] = []): number[] {
  const { rex, modRM } = form(random, reg, memory);
  const width = random.below(5);
  return [...(width === 0 ? [0x66] : []), 0x40 | (width > 2 ? 8 : 0) | rex, ...opcode, ...modRM, ...tail];
}

function instructionOf(random: Random): number[] {
  const memory = random.below(5) < 2, value = random.pick(VALUES);
  switch (random.below(20)) {
    case 0: case 1: case 2: case 3: return make(random, [random.pick(ALU) | random.below(4)], value & 3, memory);
    case 4: return make(random, [0x83], random.below(8), memory, [random.below(256)]);
    case 5: return make(random, [random.pick([0xfe, 0xff])], random.below(2), memory);
    case 6: return make(random, [random.pick([0xf6, 0xf7])], 2 + random.below(2), memory);
    case 7: return make(random, [random.pick([0xc0, 0xc1])], random.below(8), memory, [random.below(40)]);
    case 8: return make(random, [random.pick([0xd2, 0xd3, 0xd0, 0xd1])], random.below(8), memory);
    case 9: return random.below(2) === 0 ? make(random, [0x0f, random.pick([0xa3, 0xab, 0xb3])], value, false) : make(random, [0x0f, 0xba], 4 + random.below(4), memory, [random.below(64)]);
    case 10: return make(random, [0x0f, 0x90 | random.below(16)], 0, memory);
    case 11: return make(random, [0x0f, 0x40 | random.below(16)], value, memory);
    case 12: return make(random, [0x8d], value, true);
    case 13: case 14: return make(random, [random.pick([0x8b, 0x89, 0x88, 0x8a])], value & 3, memory);
    case 15: return make(random, [0x0f, random.pick([0xaf, 0xb6, 0xbf, 0xbc])], value, memory);
    case 16: return random.below(2) === 0 ? [0x50 | random.pick([0, 1, 2])] : [0x58 | random.pick([0, 1, 2])];
    // Addresses move a little, by one that is known and by one that is not.
    case 17: return [0x48, 0x8d, 0x40 | (random.pick([RDI, RSI, RBX]) * 9), (random.below(9) * 8 - 32) & 0xff];
    case 18: return make(random, [random.pick([0x87, 0x85])], value, memory);
    default: return random.below(2) === 0 ? make(random, [0x0f, random.pick([0xc1, 0xb1])], value, memory) : [random.pick([0x9f, 0x9e, 0xf5, 0xf8, 0xf9])];
  }
}

function makeCase(random: Random): Case {
  const blocks: number[][] = [];
  const jumps: { readonly at: number; readonly size: number; readonly to: number }[] = [];
  const starts: number[] = [];
  let length = 0;
  const count = 2 + random.below(6);
  for (let b = 0; b < count; b++) {
    starts.push(length);
    const block: number[] = [];
    for (let i = random.below(6); i >= 0; i--) block.push(...instructionOf(random));
    const ending = random.below(12), to = random.below(count);
    if (ending < 6) block.push(0x0f, 0x80 | random.below(16), 0, 0, 0, 0);
    else if (ending === 6) block.push(0xe9, 0, 0, 0, 0);
    else if (ending === 7) block.push(0xe8, 0, 0, 0, 0);
    else if (ending === 8) block.push(0xc3);
    // By way of RAX, as a jump or as a call.
    else if (ending > 9) block.push(0x48, 0x8d, 0x05, 0, 0, 0, 0, 0xff, ending === 10 ? 0xe0 : 0xd0);
    if (ending < 8) jumps.push({ at: length + block.length - 4, size: 4, to });
    else if (ending > 9) jumps.push({ at: length + block.length - 6, size: 4, to });
    blocks.push(block);
    length += block.length;
  }
  const code = [...blocks.flat(), 0x0f, 0x0b];
  for (const { at, to } of jumps) {
    const distance = starts[to] - (at + 4);
    for (let i = 0; i < 4; i++) code[at + i] = (distance >> (8 * i)) & 0xff;
  }
  const registers = Array.from({ length: 16 }, () => (random.below(3) === 0 ? BigInt(random.below(4)) : random.u64()));
  const near = (page: number, offset: number): bigint => BigInt(DATA + page * PAGE_SIZE + offset);
  registers[RDI] = near(1, 512 + 8 * random.below(64));
  registers[RSI] = near(random.pick([1, 2, 3]), random.pick([0, 8, 3, 4064]) + random.below(16));
  registers[RBX] = near(random.pick([3, 3, 0]), random.pick([4096 - 64, 512]) + 8 * random.below(8));
  registers[RBP] = near(random.pick([2, 1]), random.pick([0, 2048, 4080]));
  registers[RSP] = near(2, 1024 + 8 * random.below(200));
  registers[R12] = BigInt(random.below(6));
  const budgets = random.below(3) === 0 ? [LIMIT] : Array.from({ length: 1 + random.below(4) }, () => 1 + random.below(random.pick([8, 60, 400])));
  return { code, registers, fill: random.u64(), budgets };
}

describe("translated code and the cold engine agree on random code", () => {
  test(`${FLOWS} pieces of integer code (seed ${SEED})`, () => {
    const random = new Random(SEED);
    const cold = new Machine("interp"), translated = new Machine("jit");
    for (let i = 0; i < FLOWS; i++) {
      const each = makeCase(random);
      if (each.code.length > SLOT - 16) throw new Error("a case is too long for its slot");
      const expected = cold.run(each);
      const found = translated.run(each);
      expect(found, `case ${i}: ${each.code.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`).toEqual(expected);
    }
    expect(translated.cpu.jitStats?.regions).toBeGreaterThan(FLOWS / 4);
  });
  test("flags of the turn before, where a late turn faults", () => {
    const code = [
      0x4c, 0x89, 0x07, 0x48, 0x83, 0xc7, 0x08, 0x48, 0x39, 0xd7, 0x75, 0xf4, // fill: mov [rdi], r8; add rdi, 8; cmp rdi, rdx; jne fill
      0x4c, 0x89, 0x4f, 0xf0, 0x48, 0x89, 0xdf, // mov [rdi - 16], r9; mov rdi, rbx
      0x48, 0x8b, 0x07, 0x48, 0x8b, 0x08, // back: mov rax, [rdi]; mov rcx, [rax]
      0x48, 0x83, 0xc7, 0x08, 0x48, 0x39, 0xf7, 0x75, 0xf1, // add rdi, 8; cmp rdi, rsi; jne back
    ];
    const table = BigInt(DATA + PAGE_SIZE + 512), end = table + 64n * 8n, fault = end - 16n;
    for (const limit of [table - 8n, fault - 1n, fault + 1n, fault + 17n, fault + (1n << 63n)]) {
      const registers: bigint[] = new Array(16).fill(0n);
      registers[RDI] = registers[RBX] = registers[8] = table;
      registers[2] = end;
      registers[RSI] = limit;
      registers[9] = 1n;
      const each = { code, registers, fill: 0n, budgets: [LIMIT] };
      expect(new Machine("jit").run(each)).toEqual(new Machine("interp").run(each));
    }
  });
  test("flags from before a loop without end that leaves them alone", () => {
    const code = [0x9e, 0x48, 0x8d, 0x49, 0x01, 0xeb, 0xfa]; // sahf; back: lea rcx, [rcx + 1]; jmp back
    for (const rax of [0x0000n, 0xd500n]) {
      const registers = Array.from({ length: 16 }, (_, n) => (n === 0 ? rax : 0n));
      const each = { code, registers, fill: 0n, budgets: [LIMIT] };
      expect(new Machine("jit").run(each)).toEqual(new Machine("interp").run(each));
    }
  });
});
