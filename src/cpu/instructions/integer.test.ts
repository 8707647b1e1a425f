/** What single comparisons with the processor (test/oracle/cpu) cannot show: long repetitions, faults in their middle, gates, segments,
 *  cpuid, exact counts. On both engines. */
import { beforeEach, describe, expect, test } from "vitest";
import { BLOCKED, DENIED, type FaultResolver, RESOLVED } from "../../memory/access.ts";
import { CodeGuard } from "../../memory/code-guard.ts";
import { FrameAllocator } from "../../memory/frames.ts";
import { Mmu } from "../../memory/mmu.ts";
import { PageTables } from "../../memory/page-table.ts";
import { PAGE_SIZE } from "../../memory/physical-map.ts";
import { PTE_PRESENT, PTE_USER, PTE_WRITABLE } from "../../memory/pte.ts";
import { Ram } from "../../memory/ram.ts";
import { Tlb } from "../../memory/tlb.ts";
import { helperBytes } from "../assembly/oracle.ts";
import { ColdCpu } from "../cold/engine.ts";
import { HandlerTable } from "../cold/handler-table.ts";
import { buildColdModule } from "../cold/handlers.ts";
import {
  EXIT_BLOCKED,
  EXIT_BUDGET,
  EXIT_CONTINUE,
  EXIT_EXCEPTION,
  EXIT_INTERRUPT,
  EXIT_PAGE_FAULT,
  EXIT_SYSCALL,
  VECTOR_BP,
  VECTOR_DB,
  VECTOR_DE,
  VECTOR_GP,
  VECTOR_UD,
} from "../exit.ts";
import { RFLAGS_DF, RFLAGS_IF, RFLAGS_NT, RFLAGS_TF, RFLAGS_ZF } from "../registers.ts";
import { RAX, RBX, RCX, RDI, RDX, RSI, RSP } from "../state.ts";
import "./index.ts";

const CODE = 0x40_0000;
const STACK = 0x7fff_0000;
const DATA = 0x1000_0000;
const DATA_END = DATA + 0x40_0000;
const modules = { cold: new WebAssembly.Module(buildColdModule(new HandlerTable())), helpers: new WebAssembly.Module(await helperBytes()) };

/** A processor with a page of code, a stack, and data pages that appear when they are touched. */
class TestMachine implements FaultResolver {
  readonly ram = new Ram(0x200_0000);
  readonly frames = new FrameAllocator(this.ram);
  readonly tables = new PageTables(this.ram, this.frames);
  readonly mmu: Mmu;
  readonly cpu: ColdCpu;
  readonly root: number;
  readonly codeHost: number;
  /** First data address that is denied, and one page that is blocked once. */
  limit = DATA_END;
  blocked = -1;
  faults = 0;

  constructor(engine: "interp" | "jit") {
    const tlb = new Tlb(this.ram),
      guard = new CodeGuard(this.frames, tlb);
    this.mmu = new Mmu(this.ram, this.frames, tlb, guard);
    this.cpu = new ColdCpu(this.ram, this.mmu, modules, { engine, translateEagerly: engine === "jit" });
    this.root = this.tables.createRoot();
    this.codeHost = this.map(CODE);
    this.map(CODE + PAGE_SIZE);
    this.map(STACK);
    this.mmu.activate(this.root, this);
  }
  map(address: number): number {
    const frame = this.frames.allocZeroed();
    this.tables.map(this.root, address, frame, PTE_PRESENT | PTE_USER | PTE_WRITABLE, 0);
    return frame * PAGE_SIZE;
  }
  resolveFault(address: number): 0 | 1 | 2 {
    this.faults++;
    if (address < DATA || address >= this.limit) return DENIED;
    const page = address - (address % PAGE_SIZE);
    if (page === this.blocked) return BLOCKED;
    this.map(page);
    return RESOLVED;
  }
  code(...bytes: number[]): void {
    this.ram.u8.set(bytes, this.codeHost);
    this.cpu.codeWritten(this.codeHost / PAGE_SIZE, 0, PAGE_SIZE);
    this.cpu.registers.rip = CODE;
    this.cpu.registers.setNumber(RSP, STACK + 0x800);
  }
  byte(address: number): number {
    const host = this.mmu.probe(address, 0);
    return host < 0 ? -1 : this.ram.u8[host];
  }
  write(address: number, bytes: readonly number[]): void {
    this.mmu.writeBytes(address, Uint8Array.from(bytes), 0, bytes.length);
  }
}

/** An opcode that does not exist ends a piece of code. */
const END = 0x06;

for (const engine of ["interp", "jit"] as const) {
  describe(`integer instructions, ${engine}`, () => {
    let m: TestMachine;
    let cpu: ColdCpu;
    beforeEach(() => {
      m = new TestMachine(engine);
      cpu = m.cpu;
      cpu.registers.reset();
    });
    const set = (values: Record<number, number>): void => {
      for (const [register, value] of Object.entries(values)) cpu.registers.setNumber(Number(register), value);
    };
    /** Runs to the end of the code. */
    const finish = (): void => {
      expect([cpu.run(1_000_000), cpu.detail]).toEqual([EXIT_EXCEPTION, VECTOR_UD]);
    };

    test("rep stosb fills many pages, retires once and faults each page in once", () => {
      m.code(0xf3, 0xaa, END);
      set({ [RAX]: 0x5a, [RDI]: DATA + 5, [RCX]: 300_000 });
      finish();
      expect(cpu.retired).toBe(1);
      expect(m.faults).toBe(Math.ceil((300_000 + 5) / PAGE_SIZE));
      expect([m.byte(DATA + 4), m.byte(DATA + 5), m.byte(DATA + 300_004), m.byte(DATA + 300_005)]).toEqual([0, 0x5a, 0x5a, 0]);
      expect([cpu.registers.unsigned(RCX), cpu.registers.unsigned(RDI)]).toEqual([0, DATA + 300_005]);
    });

    test("a long repetition comes back now and then, retired only at its end", () => {
      m.code(0xf3, 0xaa, END);
      set({ [RAX]: 1, [RDI]: DATA, [RCX]: 0x40_0000 });
      const exits: number[] = [];
      for (let kind = cpu.run(1000); kind === EXIT_CONTINUE; kind = cpu.run(1000)) {
        expect([cpu.retired, cpu.registers.rip]).toEqual([0, CODE]);
        exits.push(cpu.registers.unsigned(RCX));
      }
      expect(exits).toEqual([0x30_0000, 0x20_0000, 0x10_0000]);
      expect([cpu.detail, cpu.retired, m.byte(DATA_END - 1)]).toEqual([VECTOR_UD, 1, 1]);
    });

    test("a denied page stops rep stosq at the failing element with the registers of that iteration", () => {
      m.limit = DATA + 2 * PAGE_SIZE;
      m.code(0xf3, 0x48, 0xab, END);
      set({ [RAX]: -1, [RDI]: DATA + 4, [RCX]: 5000 });
      expect(cpu.run(1000)).toBe(EXIT_PAGE_FAULT);
      const done = (2 * PAGE_SIZE - 8) / 8; // the element after these straddles the end
      expect(cpu.faultAddress).toBe(m.limit);
      expect([cpu.registers.unsigned(RCX), cpu.registers.unsigned(RDI), cpu.registers.rip, cpu.retired]).toEqual([
        5000 - done,
        DATA + 4 + done * 8,
        CODE,
        0,
      ]);
      expect(m.byte(DATA + 4 + done * 8)).toBe(0);
      // With room the same instruction goes on and ends.
      m.limit = DATA_END;
      finish();
      expect([cpu.registers.unsigned(RCX), cpu.retired, m.byte(DATA + 4 + 5000 * 8 - 1)]).toEqual([0, 1, 0xff]);
    });

    test("a blocked page leaves rep movsb where it can go on later", () => {
      m.code(0xf3, 0xa4, END);
      m.write(DATA + 0x10_0000, new Array(PAGE_SIZE).fill(7));
      m.blocked = DATA + 0x10_1000;
      set({ [RSI]: DATA + 0x10_0ff0, [RDI]: DATA, [RCX]: 32 });
      expect(cpu.run(1000)).toBe(EXIT_BLOCKED);
      expect([cpu.registers.unsigned(RCX), cpu.registers.unsigned(RSI), m.byte(DATA + 15), m.byte(DATA + 16)]).toEqual([
        16,
        DATA + 0x10_1000,
        7,
        0,
      ]);
      m.blocked = -1;
      finish();
      expect([cpu.registers.unsigned(RCX), cpu.retired]).toEqual([0, 1]);
    });

    test("an overlapping rep movsb repeats its pattern, byte by byte, over pages", () => {
      m.code(0xf3, 0xa4, END);
      m.write(DATA, [1, 2, 3]);
      set({ [RSI]: DATA, [RDI]: DATA + 3, [RCX]: 10_000 });
      finish();
      for (const at of [3, 4095, 4096, 4097, 8191, 8192, 10_002]) expect(m.byte(DATA + at)).toBe((at % 3) + 1);
    });

    test("rep movsq backwards over pages copies what was there before", () => {
      m.code(0xfd, 0xf3, 0x48, 0xa5, END);
      const bytes = Array.from({ length: 4000 }, (_, i) => (i * 7) & 0xff);
      m.write(DATA + 100, bytes);
      set({ [RSI]: DATA + 100 + 3992, [RDI]: DATA + 1100 + 3992, [RCX]: 500 });
      finish();
      expect(Array.from({ length: 4000 }, (_, i) => m.byte(DATA + 1100 + i))).toEqual(bytes);
      expect(cpu.registers.unsigned(RDI)).toBe(DATA + 1100 - 8);
    });

    test("two addresses of one frame overlap as the frame does", () => {
      m.code(0xf3, 0xa4, END);
      const host = m.map(DATA + 0x20_0000);
      m.frames.retain(host / PAGE_SIZE);
      m.tables.map(m.root, DATA + 0x30_0000, host / PAGE_SIZE, PTE_PRESENT | PTE_USER | PTE_WRITABLE, 0);
      m.write(DATA + 0x20_0000, [9]);
      set({ [RSI]: DATA + 0x20_0000, [RDI]: DATA + 0x30_0001, [RCX]: 50 });
      finish();
      expect([m.byte(DATA + 0x20_0000 + 50), m.byte(DATA + 0x20_0000 + 51)]).toEqual([9, 0]);
    });

    test("repne scasb with a count of −1 finds the end of a string", () => {
      m.code(0xf2, 0xae, END);
      m.write(DATA + 4000, new Array(4000).fill(65));
      set({ [RAX]: 0, [RDI]: DATA + 4000, [RCX]: -1 });
      finish();
      expect([cpu.registers.signed(RCX), cpu.registers.unsigned(RDI)]).toEqual([-1 - 4001, DATA + 8001]);
      expect(cpu.registers.rflags & RFLAGS_ZF).toBe(RFLAGS_ZF);
    });

    test("a repetition of 0 changes nothing, not even flags", () => {
      m.code(0xf3, 0xa6, END);
      set({ [RSI]: 1, [RDI]: 2, [RCX]: 0 });
      cpu.registers.rflags = RFLAGS_ZF;
      finish();
      expect([cpu.registers.rflags & RFLAGS_ZF, m.faults, cpu.retired]).toEqual([RFLAGS_ZF, 0, 1]);
    });

    test("a comparison that is interrupted goes on where it was and sets the flags once", () => {
      m.code(0xf3, 0xa6, END);
      set({ [RSI]: DATA, [RDI]: DATA + 0x20_0000, [RCX]: 200_000 });
      m.write(DATA + 150_000, [1]);
      finish();
      expect([cpu.registers.unsigned(RCX), cpu.registers.rflags & RFLAGS_ZF, cpu.retired]).toEqual([200_000 - 150_001, 0, 1]);
    });

    test("rep stosb over code is seen by the next instruction", () => {
      m.code(0xf3, 0xaa, 0x90, 0x90, 0xf4);
      set({ [RAX]: END, [RDI]: CODE + 2, [RCX]: 2 });
      expect([cpu.run(100), cpu.detail, cpu.registers.rip, cpu.retired]).toEqual([EXIT_EXCEPTION, VECTOR_UD, CODE + 2, 1]);
    });

    test("gates leave with the next address and the vector", () => {
      m.code(0x0f, 0x05);
      cpu.registers.rflags = RFLAGS_DF;
      expect(cpu.run(100)).toBe(EXIT_SYSCALL);
      expect([cpu.registers.rip, cpu.registers.unsigned(RCX), cpu.registers.low(11) & RFLAGS_DF, cpu.retired]).toEqual([
        CODE + 2,
        CODE + 2,
        RFLAGS_DF,
        1,
      ]);
      m.code(0xcd, 0x80);
      expect([cpu.run(100), cpu.detail, cpu.registers.rip]).toEqual([EXIT_INTERRUPT, 0x80, CODE + 2]);
      m.code(0xcd, 0x81);
      expect([cpu.run(100), cpu.detail, cpu.registers.rip]).toEqual([EXIT_EXCEPTION, VECTOR_GP, CODE]);
      m.code(0xcc);
      expect([cpu.run(100), cpu.detail, cpu.registers.rip]).toEqual([EXIT_EXCEPTION, VECTOR_BP, CODE + 1]);
      m.code(0xcd, 0x03);
      expect([cpu.run(100), cpu.detail, cpu.registers.rip]).toEqual([EXIT_EXCEPTION, VECTOR_BP, CODE + 2]);
      m.code(0xf1);
      expect([cpu.run(100), cpu.detail, cpu.registers.rip]).toEqual([EXIT_EXCEPTION, VECTOR_DB, CODE + 1]);
    });

    test("what user mode may not do is #GP, what does not exist #UD", () => {
      for (const [vector, bytes] of [
        [VECTOR_GP, [0xf4]],
        [VECTOR_GP, [0xfa]],
        [VECTOR_GP, [0xe4, 1]],
        [VECTOR_GP, [0xee]],
        [VECTOR_GP, [0x0f, 0x20, 0xd8]],
        [VECTOR_GP, [0x0f, 0x01, 0x10]],
        [VECTOR_GP, [0x0f, 0x01, 0x00]],
        [VECTOR_GP, [0x0f, 0x01, 0xf8]],
        [VECTOR_GP, [0x0f, 0x33]],
        [VECTOR_GP, [0x0f, 0x32]],
        [VECTOR_UD, [0x0f, 0x0b]],
        [VECTOR_UD, [0x0f, 0xb9, 0xc0]],
        [VECTOR_UD, [0x0f, 0xff, 0xc0]],
        [VECTOR_UD, [0x0f, 0x34]],
        [VECTOR_UD, [0x0f, 0x01, 0xf9]],
        [VECTOR_UD, [0x0f, 0x01, 0xd0]],
        [VECTOR_UD, [0xf3, 0x0f, 0xae, 0xd0]],
        [VECTOR_UD, [0x0f, 0x38, 0xf0, 0x00]],
        [VECTOR_UD, [0x0f, 0xc7, 0xf0]],
        [VECTOR_UD, [0xc5, 0xf8, 0x77]],
        [VECTOR_UD, [0xf0, 0x01, 0xc0]],
        [VECTOR_UD, [0xf0, 0x03, 0x00]],
        [VECTOR_UD, [0xf0, 0x89, 0x00]],
        [VECTOR_UD, [0x8e, 0xc8]],
      ] as const) {
        m.code(...bytes);
        expect([cpu.run(100), cpu.detail, cpu.registers.rip], bytes.map((b) => b.toString(16)).join(" ")).toEqual([
          EXIT_EXCEPTION,
          vector,
          CODE,
        ]);
      }
    });

    test("division by zero is #DE with nothing changed", () => {
      m.code(0x48, 0xf7, 0xf3);
      set({ [RAX]: 5, [RDX]: 0, [RBX]: 0 });
      expect([cpu.run(100), cpu.detail, cpu.registers.rip, cpu.registers.unsigned(RAX)]).toEqual([EXIT_EXCEPTION, VECTOR_DE, CODE, 5]);
    });

    test("segment registers hold what user mode may load", () => {
      m.code(0x8c, 0xc8, 0x8c, 0xd3, 0x8c, 0xd9, END); // mov eax, cs; mov ebx, ss; mov ecx, ds
      finish();
      expect([RAX, RBX, RCX].map((r) => cpu.registers.unsigned(r))).toEqual([0x33, 0x2b, 0]);
      m.code(0x8e, 0xd8, 0x8c, 0xdb, END); // mov ds, eax; mov ebx, ds
      set({ [RAX]: 0x2b });
      finish();
      expect(cpu.registers.unsigned(RBX)).toBe(0x2b);
      m.code(0x8e, 0xd8);
      set({ [RAX]: 0x10 });
      expect([cpu.run(100), cpu.detail]).toEqual([EXIT_EXCEPTION, VECTOR_GP]);
      cpu.registers.fsBase = 0x1234;
      m.code(0x0f, 0xa0, 0x0f, 0xa1, END); // push fs; pop fs
      finish();
      expect([cpu.registers.fsBase, cpu.registers.unsigned(RSP)]).toEqual([0, STACK + 0x800]);
    });

    test("popf changes what user mode may, and TF traps after the next instruction", () => {
      m.code(0x9d, 0x90, 0x90, END);
      const stack = m.mmu.probe(STACK, 0);
      m.ram.u32[(stack + 0x800) >>> 2] = 0xffff_ffff & ~RFLAGS_TF;
      expect(cpu.run(1)).toBe(EXIT_BUDGET);
      expect(cpu.registers.rflags & (RFLAGS_IF | RFLAGS_NT | 0x3000 | 0x20000)).toBe(RFLAGS_IF | RFLAGS_NT);
      cpu.registers.rflags = 0;
      m.code(0x9d, 0x90, 0x90, END);
      m.ram.u32[(stack + 0x800) >>> 2] = RFLAGS_TF;
      expect([cpu.run(100), cpu.detail, cpu.registers.rip, cpu.retired]).toEqual([EXIT_EXCEPTION, VECTOR_DB, CODE + 2, 2]);
    });

    test("cpuid reports x86-64-v2 and no more", () => {
      const leaf = (a: number, c = 0): number[] => {
        m.code(0x0f, 0xa2, END);
        set({ [RAX]: a, [RCX]: c });
        finish();
        return [RAX, RBX, RCX, RDX].map((r) => cpu.registers.unsigned(r));
      };
      const [max, b, c, d] = leaf(0);
      const text = (...words: number[]): string => new TextDecoder().decode(new Uint8Array(Uint32Array.from(words).buffer));
      expect([max, text(b, d, c)]).toEqual([7, "GenuineIntel"]);
      const [, , features, features2] = leaf(1);
      for (const bit of [0, 9, 13, 19, 20, 23]) expect((features >>> bit) & 1, `ecx ${bit}`).toBe(1);
      for (const bit of [1, 3, 12, 22, 25, 26, 27, 28, 29, 30, 31]) expect((features >>> bit) & 1, `ecx ${bit}`).toBe(0);
      for (const bit of [0, 4, 8, 15, 23, 24, 25, 26]) expect((features2 >>> bit) & 1, `edx ${bit}`).toBe(1);
      expect(leaf(7)).toEqual([0, 0, 0, 0]);
      expect(leaf(4, 0)[0] & 0x1f).toBe(1);
      expect(leaf(4, 9)[0]).toBe(0);
      const brand = [0x8000_0002, 0x8000_0003, 0x8000_0004].map((n) => text(...leaf(n))).join("");
      expect(brand.replace(/\0+$/, "")).toBe("meniOS virtual CPU");
      expect((leaf(0x8000_0001)[3] >>> 29) & 1).toBe(1);
    });

    test("rdtsc counts the instructions before it", () => {
      m.code(0x0f, 0x31, 0x89, 0xc3, 0x90, 0x0f, 0x31, END); // rdtsc; mov ebx, eax; nop; rdtsc
      finish();
      expect(cpu.registers.low(RAX) - cpu.registers.low(RBX)).toBe(3);
    });

    test("a budget ends exactly, wherever it falls", () => {
      m.code(0xff, 0xc0, 0x75, 0xfc, END); // inc eax; jnz back
      for (const budget of [1, 2, 3, 7, 1000, 1001]) {
        cpu.registers.rip = CODE;
        set({ [RAX]: 1 });
        expect([cpu.run(budget), cpu.retired, cpu.registers.unsigned(RAX)]).toEqual([EXIT_BUDGET, budget, 1 + Math.ceil(budget / 2)]);
      }
    });
  });
}
